"""Who belongs to which campus, stored and kept by triggers."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0128"
down_revision = "0127"
branch_labels = None
depends_on = None
online = True


def _of(table: str) -> sa.Column[object]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(f"{table}_id", sa.Uuid(), key, primary_key=True, nullable=False)


def upgrade() -> None:
    # Filled when the triggers stand (`alembic/env.py`), so that no row is missed.
    op.create_table(
        "campus_person",
        _of("campus"),
        _of("person"),
        sa.Column("listed_as", sa.String(520), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("in_doubt", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_campus_person_person_id", "campus_person", ["person_id"])
    for name, first in (
        ("people_of_campus_by_name", "listed_as"),
        ("people_of_campus_by_arrival", "created_at"),
    ):
        op.create_index(name, "campus_person", ["campus_id", first, "person_id", "in_doubt"])
    by_person = ["campus_id", "person_id", "state", "claimed_at", "visibility"]
    op.create_index("awards_of_campus_by_person", "award", by_person)
    op.create_index("activities_by_day", "activity", ["starts_on"])
    op.create_index(
        "addresses_by_beginning",
        "person_address",
        ["address"],
        postgresql_ops={"address": "text_pattern_ops"},
    )


def downgrade() -> None:
    op.drop_index("addresses_by_beginning", "person_address")
    op.drop_index("activities_by_day", "activity")
    op.drop_index("awards_of_campus_by_person", "award")
    op.drop_table("campus_person")
