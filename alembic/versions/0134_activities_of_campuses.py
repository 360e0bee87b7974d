"""What each campus organises, as its register sorts, searches and counts it, kept by triggers."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0134"
down_revision = "0133"
branch_labels = None
depends_on = None
online = True

_ORDERS = (("day", "starts_on"), ("title", "title_key"))


def _of(table: str) -> sa.Column[object]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table}_id", sa.Uuid(), key, primary_key=True, nullable=False)


def upgrade() -> None:
    # Filled when the triggers stand (`alembic/env.py`), so that no row is missed.
    texts = (sa.Column(name, sa.Text(), nullable=False) for name in ("title_key", "place_key", "words"))
    flags = (sa.Column(name, sa.Boolean(), nullable=False) for name in ("is_incomplete", "is_closed"))
    counts = (
        sa.Column(name, sa.Integer(), nullable=False) for name in ("people", "awards", "claimed", "given")
    )
    op.create_table(
        "campus_activity",
        _of("activity"),
        _of("campus"),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("start_time", sa.Time()),
        sa.Column("end_time", sa.Time()),
        sa.Column("hours", sa.Float()),
        sa.Column("declared_size", sa.Integer()),
        sa.Column("is_sample", sa.Boolean(), nullable=False),
        *texts,
        *flags,
        *counts,
    )
    for name, first in _ORDERS:
        op.create_index(
            f"activities_of_campus_by_{name}", "campus_activity", ["campus_id", first, "activity_id"]
        )


def downgrade() -> None:
    op.drop_table("campus_activity")
