"""The status list as a Status List Token as well, for credentials as SD-JWT."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0091"
down_revision = "0090"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("status_list", sa.Column("status_token", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("status_list", "status_token")
