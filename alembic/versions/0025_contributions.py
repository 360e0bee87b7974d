"""What people say they did, until a trainer has confirmed it."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def word(name: str, *words: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=32)


def upgrade() -> None:
    op.create_table(
        "contribution",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("person_id", sa.Uuid(), sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), nullable=True),
        sa.Column("badge_id", sa.Uuid(), sa.ForeignKey("badge.id"), nullable=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("telling", sa.String(1000), nullable=False),
        sa.Column("part", word("contribution_part", "apprenant", "ressource"), nullable=False),
        sa.Column("done_on", sa.Date(), nullable=False),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.Column("links", sa.JSON(), nullable=False),
        sa.Column(
            "state",
            word("contribution_state", "waiting", "more", "confirmed", "declined", "withdrawn"),
            nullable=False,
        ),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("waiting_since", MOMENT, nullable=False),
        sa.Column("answer", sa.String(1000), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.Uuid(), sa.ForeignKey("person.id"), nullable=True),
        sa.CheckConstraint("hours IS NULL OR hours > 0", name="contribution_hours_are_positive"),
    )
    op.create_index("contributions_of_campus", "contribution", ["campus_id", "state", "waiting_since"])


def downgrade() -> None:
    op.drop_table("contribution")
