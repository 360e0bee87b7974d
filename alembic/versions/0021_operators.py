"""Operators of the service, and campuses that they suspend."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "operator",
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.add_column("campus", sa.Column("suspended_at", MOMENT, nullable=True))


def downgrade() -> None:
    op.drop_column("campus", "suspended_at")
    op.drop_table("operator")
