"""Badges opened to some trainers by name; those of before are for every trainer."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "badge", sa.Column("for_every_trainer", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_table(
        "badge_opening",
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), primary_key=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("badge_opening")
    op.drop_column("badge", "for_every_trainer")
