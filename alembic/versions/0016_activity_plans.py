"""What is planned of an activity: trainers, competencies, badges, sessions; and campuses that are asked before they organise it.

Campuses that organised something together before had agreed to it.
"""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def link(table: str, *ends: tuple[str, str]) -> None:
    op.create_table(
        table,
        *(sa.Column(name, sa.Uuid(), sa.ForeignKey(f"{to}.id"), primary_key=True) for name, to in ends),
    )


def upgrade() -> None:
    op.add_column("activity_campus", sa.Column("accepted_at", MOMENT, nullable=True))
    op.execute(
        "UPDATE activity_campus SET accepted_at = "
        "(SELECT created_at FROM activity WHERE activity.id = activity_campus.activity_id)"
    )
    link("activity_trainer", ("activity_id", "activity"), ("person_id", "person"))
    link("activity_competency", ("activity_id", "activity"), ("competency_id", "competency"))
    link("activity_badge", ("activity_id", "activity"), ("badge_id", "badge"))
    op.create_table(
        "activity_session",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("activity_id", sa.Uuid(), sa.ForeignKey("activity.id"), nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("hours", sa.Float(), nullable=True),
        sa.UniqueConstraint("activity_id", "held_on", name="one_session_a_day"),
        sa.CheckConstraint("hours IS NULL OR hours > 0", name="session_hours_are_positive"),
    )
    op.create_index("ix_activity_session_activity_id", "activity_session", ["activity_id"])
    op.create_table(
        "attendance",
        sa.Column("session_id", sa.Uuid(), sa.ForeignKey("activity_session.id"), primary_key=True),
        sa.Column("participation_id", sa.Uuid(), sa.ForeignKey("participation.id"), primary_key=True),
        sa.Column("noted_at", MOMENT, nullable=False),
    )
    # In one statement that both engines know: the table is pointed at, and must not be written anew.
    op.execute("ALTER TABLE room ADD COLUMN session_id CHAR(32) REFERENCES activity_session (id)") if (
        op.get_bind().dialect.name == "sqlite"
    ) else op.add_column(
        "room", sa.Column("session_id", sa.Uuid(), sa.ForeignKey("activity_session.id"), nullable=True)
    )
    op.create_index("ix_room_session_id", "room", ["session_id"])


def downgrade() -> None:
    op.drop_index("ix_room_session_id", "room")
    if op.get_bind().dialect.name == "sqlite":
        with op.batch_alter_table("room") as batch:
            batch.drop_column("session_id")
    else:
        op.drop_column("room", "session_id")
    op.drop_table("attendance")
    op.drop_table("activity_session")
    op.drop_table("activity_badge")
    op.drop_table("activity_competency")
    op.drop_table("activity_trainer")
    op.drop_column("activity_campus", "accepted_at")
