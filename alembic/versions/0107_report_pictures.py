"""Pictures of the gallery that a campus chooses for its yearly report, and copies for its signed versions."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0107"
down_revision = "0106"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column(
        "report_draft", sa.Column("pictures", sa.JSON(), nullable=False, server_default=sa.text("'[]'"))
    )
    op.create_table(
        "report_picture",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True, nullable=False),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("report_picture")
    op.drop_column("report_draft", "pictures")
