"""Wallets by authorization code: the learner's consent, keys of tokens, deferred badges, and proofs that were used."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0129"
down_revision = "0128"
branch_labels = None
depends_on = None
online = True

_COLUMNS = (
    ("state_digest", sa.String(64)),
    ("request_digest", sa.String(64)),
    ("challenge", sa.String(64)),
    ("client", sa.String(400)),
    ("redirect", sa.String(400)),
    ("key_thumbprint", sa.String(64)),
    ("transaction_digest", sa.String(64)),
    ("holder_keys", sa.JSON()),
)
_FLAGS = ("needs_consent", "is_identified")
_UNIQUE = ("state_digest", "request_digest", "transaction_digest")


def upgrade() -> None:
    for name, kind in _COLUMNS:
        op.add_column("wallet_offer", sa.Column(name, kind, nullable=True))
    for name in _FLAGS:
        op.add_column(
            "wallet_offer", sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        )
    for name in _UNIQUE:
        op.create_index(f"ix_wallet_offer_{name}", "wallet_offer", [name], unique=True)
    op.create_table(
        "wallet_used_proof",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
    )


def downgrade() -> None:
    op.drop_table("wallet_used_proof")
    op.execute("DELETE FROM wallet_offer WHERE needs_consent AND issued_at IS NULL")
    for name in _UNIQUE:
        op.drop_index(f"ix_wallet_offer_{name}", "wallet_offer")
    for name in (*_FLAGS, *(name for name, _kind in _COLUMNS)):
        op.drop_column("wallet_offer", name)
