"""How many activities and badges each person has at each campus, kept by triggers; orders of the register of awards."""

from __future__ import annotations

import sqlalchemy as sa

from alembic import op

revision = "0131"
down_revision = "0130"
branch_labels = None
depends_on = None
online = True

_COUNTS = ("activities", "awards", "claimed")
_ORDERS = (("hours", "hours"), ("end", "valid_until"), ("claim", "claimed_at"))


def upgrade() -> None:
    # Counted when the triggers stand (`alembic/env.py`), so that no row is missed.
    for name in _COUNTS:
        op.add_column("campus_person", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    for name in _COUNTS:
        rest = ["claimed"] if name == "awards" else []
        columns = ["campus_id", name, "person_id", "in_doubt", *rest]
        op.create_index(f"people_of_campus_by_{name}", "campus_person", columns)
    for name, column in _ORDERS:
        op.create_index(f"awards_of_campus_by_{name}", "award", ["campus_id", column, "id"])
    op.create_index("activities_by_last_day", "activity", ["ends_on"])


def downgrade() -> None:
    op.drop_index("activities_by_last_day", "activity")
    for name, _ in _ORDERS:
        op.drop_index(f"awards_of_campus_by_{name}", "award")
    for name in reversed(_COUNTS):
        op.drop_index(f"people_of_campus_by_{name}", "campus_person")
    with op.batch_alter_table("campus_person") as table:
        for name in reversed(_COUNTS):
            table.drop_column(name)
