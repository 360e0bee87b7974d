"""People of one name: where else a campus has seen them, and what was answered about the lines of a list."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import text
from sqlmodel import Session, col, select

from app.db.activities.activities import organised_by
from app.db.engine.bulk import among
from app.domain.activities.activities import (
    BY_NAME_ALONE,
    Activity,
    ActivityCampus,
    Participation,
    homonym_of,
)
from app.domain.people.namesakes import ListAnswer, Seen
from app.domain.people.people import Person

_MOST_OF_A_NAME = 4
"""How many numbers of one name are looked for in other activities."""


class NamesakeStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def answers(self, activity_id: uuid.UUID, list_digest: str) -> Sequence[ListAnswer]:
        return self.session.exec(
            select(ListAnswer).where(
                ListAnswer.activity_id == activity_id, ListAnswer.list_digest == list_digest
            )
        ).all()

    def keep(self, answers: Iterable[ListAnswer]) -> None:
        for answer in answers:
            self.session.merge(answer)
        self.session.flush()

    def seen_in(self, campus_id: uuid.UUID, name_keys: Collection[str]) -> Sequence[tuple[Person, str, Seen]]:
        """Whoever took part in an activity of the campus on a line with such a name and no address, with the key
        of that name, the latest activity first."""
        keys = [
            f"|{key}" if number == 1 else f"|{key}#{number}"
            for key in name_keys
            for number in range(1, _MOST_OF_A_NAME + 1)
        ]
        rows = self.session.exec(
            select(Person, Participation, Activity)
            .join(Participation, col(Participation.person_id) == col(Person.id))
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                organised_by(campus_id),
                text(BY_NAME_ALONE),
                among(self.session, col(Participation.line_key), keys),
                col(Participation.is_present),
            )
            .order_by(col(Activity.starts_on).desc(), col(Participation.id))
        )
        return [
            (
                person,
                part.line_key[1:].partition("#")[0],
                Seen(each.title, each.starts_on, homonym_of(part)),
            )
            for person, part, each in rows
        ]

    def seen_elsewhere(
        self, campus_id: uuid.UUID, person_ids: Collection[uuid.UUID], *, but: uuid.UUID
    ) -> dict[uuid.UUID, Seen]:
        """The latest activity of the campus in which each took part, `but` for one."""
        rows = self.session.exec(
            select(Participation, Activity)
            .join(Activity, col(Activity.id) == col(Participation.activity_id))
            .join(ActivityCampus, col(ActivityCampus.activity_id) == col(Activity.id))
            .where(
                organised_by(campus_id),
                among(self.session, col(Participation.person_id), person_ids),
                col(Participation.is_present),
                Participation.activity_id != but,
            )
            .order_by(col(Activity.starts_on), col(Participation.id))
        )
        return {part.person_id: Seen(each.title, each.starts_on) for part, each in rows}
