"""A campus that refuses a name says why."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("name_wish", sa.Column("answer", sa.String(length=300), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("name_wish", "answer")
