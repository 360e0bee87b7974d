"""Answers to programs that may ask again under the same key."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0111"
down_revision = "0110"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.create_table(
        "api_answer",
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), primary_key=True),
        sa.Column("token", sa.String(60), primary_key=True),
        sa.Column("key_digest", sa.String(64), primary_key=True),
        sa.Column("request_digest", sa.String(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_api_answer_expires_at", "api_answer", ["expires_at"])


def downgrade() -> None:
    op.drop_table("api_answer")
