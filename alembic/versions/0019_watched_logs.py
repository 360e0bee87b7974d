"""Those who watch an activity log from outside, and reviews of whole logs."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "log_witness",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("vkey", sa.String(400), nullable=False),
        sa.Column("named_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, nullable=True),
        sa.UniqueConstraint("campus_id", "name", name="one_witness_by_name"),
    )
    op.create_index("ix_log_witness_campus_id", "log_witness", ["campus_id"])
    op.create_table(
        "log_review",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("log_id", sa.Uuid(), sa.ForeignKey("campus_log.id"), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("asked_by", sa.String(120), nullable=False),
        sa.Column("done_at", MOMENT, nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("faults", sa.JSON(), nullable=False),
    )
    op.create_index("ix_log_review_log_id", "log_review", ["log_id"])


def downgrade() -> None:
    op.drop_table("log_review")
    op.drop_table("log_witness")
