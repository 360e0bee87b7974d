"""Calendars that campuses follow at an address."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0125"
down_revision = "0126"
branch_labels = None
depends_on = None
online = True

_STATES = sa.Enum(
    "active",
    "paused",
    "failing",
    name="calendar_state",
    native_enum=False,
    create_constraint=True,
    length=32,
)
_KINDS = (
    "workshop",
    "event",
    "project",
    "course",
    "immersion",
    "meeting",
    "council",
    "interview",
    "communication",
    "mobility",
)


def _at(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "calendar_subscription",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("source", sa.String(60), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kek_id", sa.String(16), nullable=False),
        sa.Column("url_digest", sa.String(64), nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*_KINDS, name="calendar_kind", native_enum=False, create_constraint=True, length=32),
            nullable=False,
        ),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("state", _STATES, nullable=False),
        _at("created_at"),
        _at("next_at"),
        _at("asked_at", nullable=True),
        _at("read_at", nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("fault", sa.String(40), nullable=False),
        sa.Column("waiting", sa.JSON(), nullable=False),
        sa.Column("declined", sa.JSON(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.UniqueConstraint("campus_id", "source", name="one_calendar_for_a_source"),
        sa.UniqueConstraint("campus_id", "url_digest", name="one_calendar_for_an_address"),
    )
    op.create_index("calendars_due", "calendar_subscription", ["state", "next_at"])


def downgrade() -> None:
    op.drop_table("calendar_subscription")
