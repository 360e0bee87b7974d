"""A letter about a way into an account names it: by the time it leaves, the key or the account may be gone."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("letter", sa.Column("named", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("letter", "named")
