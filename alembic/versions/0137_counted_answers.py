"""Answers to surveys are counted five at a time."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0137"
down_revision = "0136"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.add_column(
        "survey_answer", sa.Column("is_counted", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    # These were shown.
    op.execute(
        "UPDATE survey_answer SET is_counted = TRUE WHERE activity_id IN"
        " (SELECT activity_id FROM survey_answer GROUP BY activity_id HAVING count(*) >= 5)"
    )


def downgrade() -> None:
    with op.batch_alter_table("survey_answer") as table:
        table.drop_column("is_counted")
