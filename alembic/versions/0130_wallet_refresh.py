"""Wallets: refresh tokens for badges that end, and when a badge that is being signed may be asked for again."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0130"
down_revision = "0129"
branch_labels = None
depends_on = None
online = True

_DIGESTS = ("refresh_digest", "refreshed_digest")
_TIMES = ("poll_after", "refresh_until")


def upgrade() -> None:
    for name in _TIMES:
        op.add_column("wallet_offer", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in _DIGESTS:
        op.add_column("wallet_offer", sa.Column(name, sa.String(64), nullable=True))
        op.create_index(f"ix_wallet_offer_{name}", "wallet_offer", [name], unique=True)
    op.add_column(
        "wallet_offer", sa.Column("is_refreshed", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    op.drop_column("wallet_offer", "is_refreshed")
    for name in _DIGESTS:
        op.drop_index(f"ix_wallet_offer_{name}", "wallet_offer")
    for name in (*_DIGESTS, *_TIMES):
        op.drop_column("wallet_offer", name)
