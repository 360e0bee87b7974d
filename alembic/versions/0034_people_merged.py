"""Two records of one person brought together, and what moved."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "person_merge",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("kept_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("gone_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=True),
        sa.Column("merged_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.Column("given_name", sa.String(120), nullable=False),
        sa.Column("family_name", sa.String(120), nullable=False),
        sa.Column("reason", sa.String(300), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("undone_at", MOMENT, nullable=True),
    )
    for column in ("kept_id", "gone_id", "campus_id"):
        op.create_index(f"ix_person_merge_{column}", "person_merge", [column])


def downgrade() -> None:
    op.drop_table("person_merge")
