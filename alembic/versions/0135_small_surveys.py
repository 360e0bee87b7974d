"""Surveys with one to four answers are no facts of their activity."""

from __future__ import annotations

from alembic import op

revision = "0135"
down_revision = "0134"
branch_labels = None
depends_on = None
online = True


def upgrade() -> None:
    op.execute(
        "DELETE FROM activity_survey WHERE activity_id IN"
        " (SELECT activity_id FROM survey_answer GROUP BY activity_id HAVING count(*) < 5)"
    )


def downgrade() -> None:
    op.execute(
        "INSERT INTO activity_survey"
        " (activity_id, asked, not_at_all, rather_not, rather, fully, recommends, recommends_not)"
        " SELECT activity_id, count(*), sum(CASE WHEN rating = 1 THEN 1 ELSE 0 END),"
        " sum(CASE WHEN rating = 2 THEN 1 ELSE 0 END), sum(CASE WHEN rating = 3 THEN 1 ELSE 0 END),"
        " sum(CASE WHEN rating = 4 THEN 1 ELSE 0 END), sum(CASE WHEN recommends THEN 1 ELSE 0 END),"
        " sum(CASE WHEN recommends THEN 0 ELSE 1 END)"
        " FROM survey_answer GROUP BY activity_id HAVING count(*) < 5"
    )
