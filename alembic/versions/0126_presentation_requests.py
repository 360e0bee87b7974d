"""Requests of employers for a badge (OpenID4VP 1.0); deleted some minutes after their end."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0126"
down_revision = "0120"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.create_table(
        "presentation_request",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("asker_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("reference_digest", sa.String(64), nullable=False, unique=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "answered",
                "refused",
                name="presentation_state",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_presentation_request_expires_at", "presentation_request", ["expires_at"])


def downgrade() -> None:
    op.drop_table("presentation_request")
