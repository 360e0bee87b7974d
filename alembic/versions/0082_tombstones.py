"""What erased people add to totals, without who they were."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0082"
down_revision = "0081"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "participation_tombstone",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), nullable=False, index=True),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column(
            "part",
            sa.Enum(
                "apprenant",
                "ressource",
                name="tombstone_part",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
    )
    op.create_table(
        "award_tombstone",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False, index=True),
        sa.Column("version_id", sa.Uuid(), sa.ForeignKey("badge_version.id"), nullable=False),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=False),
        sa.Column("holder", sa.Uuid(), nullable=False),
        sa.Column("awarded_at", MOMENT, nullable=False),
        sa.Column("valid_until", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("claimed_at", MOMENT, nullable=True),
        sa.Column("is_open", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("award_tombstone")
    op.drop_table("participation_tombstone")
