"""Rooms where people sign in by themselves; who was not there after all; the age band of who said it."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("person", sa.Column("under_15_on", sa.Date(), nullable=True))
    op.add_column(
        "participation", sa.Column("is_present", sa.Boolean(), nullable=False, server_default=sa.true())
    )
    op.create_table(
        "room",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), nullable=False),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("sign", sa.String(3), nullable=True, unique=True),
        sa.Column("capacity", sa.Integer(), nullable=True),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("closes_at", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint("capacity IS NULL OR capacity > 0", name="room_holds_somebody"),
    )
    op.create_index("ix_room_activity_id", "room", ["activity_id"])
    op.create_index("ix_room_campus_id", "room", ["campus_id"])
    op.create_table(
        "room_entry",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("room_id", sa.Uuid(), sa.ForeignKey("room.id"), nullable=False),
        sa.Column("participation_id", sa.Uuid(), sa.ForeignKey("participation.id"), nullable=False),
        sa.Column("phone_digest", sa.String(64), nullable=False),
        sa.Column("signed_at", MOMENT, nullable=False),
        sa.UniqueConstraint("room_id", "phone_digest", name="one_entry_per_phone"),
    )
    op.create_index("ix_room_entry_room_id", "room_entry", ["room_id"])
    op.create_index("ix_room_entry_participation_id", "room_entry", ["participation_id"])


def downgrade() -> None:
    op.drop_table("room_entry")
    op.drop_table("room")
    op.drop_column("participation", "is_present")
    op.drop_column("person", "under_15_on")
