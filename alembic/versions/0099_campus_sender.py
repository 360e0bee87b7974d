"""The address that a campus's e-mails leave from."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0099"
down_revision = "0098"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "campus_sender",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("in_use_since", sa.DateTime(timezone=True), nullable=True),
    )


def downgrade() -> None:
    op.execute("DELETE FROM letter WHERE occasion = 'sender_confirm'")
    op.drop_table("campus_sender")
