"""Webhooks of campuses, and the log of their messages."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0102"
down_revision = "0104"
branch_labels = None
depends_on = None
online = True

MOMENT = sa.DateTime(timezone=True)


def _words(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("state", _words("webhook_state", "active", "paused", "failing"), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("secret_version", sa.Integer(), nullable=False),
        sa.Column("previous_until", MOMENT, nullable=True),
        sa.Column("generation", sa.String(8), nullable=False),
        sa.Column("read_to", sa.BigInteger(), nullable=False),
        sa.Column("complete", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
    )
    op.create_index("ix_webhook_campus_id", "webhook", ["campus_id"])
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("webhook_id", sa.Uuid(), sa.ForeignKey("webhook.id"), nullable=False),
        sa.Column("type", sa.String(40), nullable=False),
        sa.Column("noun_id", sa.Uuid(), nullable=True),
        sa.Column("is_erased", sa.Boolean(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("happened_at", MOMENT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column(
            "state", _words("webhook_delivery_state", "waiting", "delivered", "failed"), nullable=False
        ),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("attempted_at", MOMENT, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("fault", sa.String(40), nullable=False),
    )
    op.create_index("webhook_deliveries_due", "webhook_delivery", ["webhook_id", "state", "next_at"])
    op.create_index("webhook_deliveries_listed", "webhook_delivery", ["webhook_id", "created_at"])
    op.create_index("webhook_deliveries_about", "webhook_delivery", ["noun_id"])


def downgrade() -> None:
    op.execute("DELETE FROM letter WHERE occasion = 'webhook_paused'")
    op.drop_table("webhook_delivery")
    op.drop_table("webhook")
