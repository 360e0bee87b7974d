"""Addresses that people prove and order themselves."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "person_address", sa.Column("is_main", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("sign_in_link", sa.Column("address", sa.String(254), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("sign_in_link", "address")
    op.drop_column("person_address", "is_main")
