"""What holders show is part of every cache key; a person's age group, asked for in activities for pupils."""

from __future__ import annotations

import re
import unicodedata

import sqlalchemy as sa

from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None

_GROUPS = ("under_15", "from_15", "adult", "pupil")
_PUPILS = re.compile(r"colleg|lyce|ecol|eleve|enfant|mineur|adolesc|classe")


def upgrade() -> None:
    op.add_column("award", sa.Column("disclosures", sa.Integer(), nullable=False, server_default="0"))
    groups = ", ".join(f"'{each}'" for each in _GROUPS)
    op.execute(
        "ALTER TABLE person ADD COLUMN age_group VARCHAR(32) "
        f"CONSTRAINT person_age_group CHECK (age_group IN ({groups}))"
    )
    op.execute("UPDATE person SET age_group = 'under_15' WHERE under_15_on IS NOT NULL")
    _suppose_pupils()


def _suppose_pupils() -> None:
    connection = op.get_bind()
    activity = sa.table("activity", sa.column("id"), sa.column("audience"))
    person = sa.table("person", sa.column("id"), sa.column("age_group"))
    participation = sa.table("participation", sa.column("activity_id"), sa.column("person_id"))
    for activity_id, audience in connection.execute(
        sa.select(activity.c.id, activity.c.audience).where(activity.c.audience != "")
    ).all():
        if _PUPILS.search(unicodedata.normalize("NFKD", audience.lower()).encode("ascii", "ignore").decode()):
            there = sa.select(participation.c.person_id).where(participation.c.activity_id == activity_id)
            connection.execute(
                sa.update(person)
                .where(person.c.id.in_(there), person.c.age_group.is_(None))
                .values(age_group="pupil")
            )


def downgrade() -> None:
    op.drop_column("person", "age_group")
    op.drop_column("award", "disclosures")
