"""Lines of the activity log that somebody says are wrong."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "log_dispute",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("log_id", sa.Uuid(), sa.ForeignKey("campus_log.id"), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False),
        sa.Column("said", sa.String(1000), nullable=False),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("answer", sa.String(1000), nullable=False),
        sa.Column("answered_at", MOMENT, nullable=True),
    )
    op.create_index("log_disputes_of_line", "log_dispute", ["log_id", "number"])
    op.create_index("ix_log_dispute_person_id", "log_dispute", ["person_id"])


def downgrade() -> None:
    op.drop_table("log_dispute")
