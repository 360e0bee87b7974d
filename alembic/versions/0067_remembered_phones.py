"""Phones that a campus remembers for check-in; signatures that arrived late."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0067"
down_revision = "0066"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "remembered_phone",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("secret_digest", sa.String(64), nullable=False),
        sa.Column("remembered_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.UniqueConstraint("secret_digest", name="one_remembered_phone_per_secret"),
    )
    op.add_column("room_entry", sa.Column("received_at", TIME, nullable=True))
    op.add_column("waiting_signature", sa.Column("received_at", TIME, nullable=True))


def downgrade() -> None:
    op.drop_column("waiting_signature", "received_at")
    op.drop_column("room_entry", "received_at")
    op.drop_table("remembered_phone")
