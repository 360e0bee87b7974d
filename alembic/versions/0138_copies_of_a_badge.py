"""An access token of a wallet brings several copies of its badge while it lives."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0138"
down_revision = "0137"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    for name in ("copies", "copies_before"):
        op.add_column("wallet_offer", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.add_column("wallet_offer", sa.Column("accepted_copy", sa.Integer(), nullable=True))
    # What was issued before counts as one copy.
    op.execute("UPDATE wallet_offer SET copies = 1 WHERE issued_at IS NOT NULL")


def downgrade() -> None:
    for name in ("accepted_copy", "copies_before", "copies"):
        op.drop_column("wallet_offer", name)
