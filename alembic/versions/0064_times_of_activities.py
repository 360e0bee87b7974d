"""Activities have a time of day at which they begin and end, on the clocks of their campus."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0064"
down_revision = "0063"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("activity", sa.Column("start_time", sa.Time(), nullable=True))
    op.add_column("activity", sa.Column("end_time", sa.Time(), nullable=True))


def downgrade() -> None:
    op.drop_column("activity", "end_time")
    op.drop_column("activity", "start_time")
