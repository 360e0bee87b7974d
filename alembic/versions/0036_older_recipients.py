"""By which address a holder wants to be known in Open Badges 2.0, hashed."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("award", sa.Column("older_recipient", sa.String(120), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("award", "older_recipient")
