"""Stored counts of participations and awards for reports, and marks of what has changed since."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0100"
down_revision = "0099"
branch_labels = None
depends_on = None


def _of(name: str, table: str, *, primary: bool = False) -> sa.Column[object]:
    key = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, sa.Uuid(), key, primary_key=primary, nullable=False)


def upgrade() -> None:
    op.create_table(
        "activity_count",
        _of("activity_id", "activity", primary=True),
        sa.Column("named", sa.Integer(), nullable=False),
        sa.Column("hours", sa.Float(), nullable=False),
        sa.Column("learners", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
    )
    op.create_table(
        "month_count",
        _of("campus_id", "campus", primary=True),
        sa.Column("month", sa.Date(), primary_key=True),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("stamp", sa.Uuid(), nullable=False),
        sa.Column("activities", sa.LargeBinary(), nullable=False),
        sa.Column("learners", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "award_count",
        _of("campus_id", "campus", primary=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("stamp", sa.Uuid(), nullable=False),
        sa.Column("versions", sa.LargeBinary(), nullable=False),
        sa.Column("holders", sa.LargeBinary(), nullable=False),
        sa.Column("ends", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "activity_change",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _of("activity_id", "activity"),
    )
    op.create_index("ix_activity_change_activity_id", "activity_change", ["activity_id"])
    op.create_table(
        "month_change",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
    )
    op.create_index("month_changes", "month_change", ["campus_id", "month"])
    op.create_table(
        "award_change",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("campus_id", sa.Uuid(), sa.ForeignKey("campus.id"), nullable=False),
        sa.Column("hour", sa.String(13), nullable=False),
    )
    op.create_index("award_changes_by_hour", "award_change", ["campus_id", "hour"])
    op.create_index("activities_of_campus", "activity_campus", ["campus_id", "activity_id"])


def downgrade() -> None:
    op.drop_index("activities_of_campus", "activity_campus")
    for table in (
        "award_change",
        "month_change",
        "activity_change",
        "award_count",
        "month_count",
        "activity_count",
    ):
        op.drop_table(table)
