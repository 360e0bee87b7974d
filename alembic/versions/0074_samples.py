"""Example data that a new campus may throw away."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0074"
down_revision = "0073"
branch_labels = None
depends_on = None

TABLES = ("activity", "badge", "person")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("is_sample", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    for table in TABLES:
        op.drop_column(table, "is_sample")
