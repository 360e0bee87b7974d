"""Somebody may have come to a session for other hours than the session's."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("attendance") as batch:
        batch.add_column(sa.Column("hours", sa.Float(), nullable=True))
        batch.create_check_constraint("attended_hours_not_negative", "hours IS NULL OR hours >= 0")


def downgrade() -> None:
    with op.batch_alter_table("attendance") as batch:
        batch.drop_constraint("attended_hours_not_negative", type_="check")
        batch.drop_column("hours")
