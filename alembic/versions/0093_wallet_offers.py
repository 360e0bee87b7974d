"""Offers of badges to digital wallets."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0093"
down_revision = "0092"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "wallet_offer",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("award_id", sa.Uuid(), sa.ForeignKey("award.id"), nullable=False),
        sa.Column(
            "format",
            sa.Enum(
                "dc+sd-jwt",
                "ldp_vc",
                "jwt_vc_json",
                name="wallet_format",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("reference_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("code_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("typed_digest", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("token_digest", sa.String(64), nullable=True, unique=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("nonce_digest", sa.String(64), nullable=True, unique=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
    )
    for column in ("campus_id", "award_id", "expires_at"):
        op.create_index(f"ix_wallet_offer_{column}", "wallet_offer", [column])


def downgrade() -> None:
    op.drop_table("wallet_offer")
