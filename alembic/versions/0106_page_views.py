"""How often others open the page of a badge, by day; the holder may have it not counted."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0106"
down_revision = "0100"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column("award", sa.Column("counts_views", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.create_table(
        "page_view_count",
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), primary_key=True, nullable=False),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("page_view_count")
    op.drop_column("award", "counts_views")
