"""History entries, written beside the deed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_
from sqlmodel import Session, col, select

from app.db.engine.bulk import insert_values
from app.domain.campus.history import DONE_TO_CAMPUSES, OF_THE_SERVICE, PERSONAL, Actor, HistoryEntry
from app.domain.people.people import Person


@dataclass(frozen=True)
class Filter:
    """What is looked for; `until` is the first moment that is too late."""

    nouns: Sequence[str] = ()
    actor_id: uuid.UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


class HistoryStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def write(
        self,
        actor: Actor,
        deed: str,
        noun: str,
        noun_id: uuid.UUID,
        *,
        at: datetime,
        campus_id: uuid.UUID | None = None,
        **facts: Any,
    ) -> None:
        self.write_all(actor, deed, noun, [noun_id], at=at, campus_id=campus_id, **facts)

    def write_all(
        self,
        actor: Actor,
        deed: str,
        noun: str,
        noun_ids: Sequence[uuid.UUID],
        *,
        at: datetime,
        campus_id: uuid.UUID | None = None,
        **facts: Any,
    ) -> None:
        """One entry for each of many things to which the same was done."""
        entry = {
            "campus_id": campus_id,
            "at": at,
            "actor_id": actor.person_id,
            "actor_label": actor.label,
            "deed": deed,
            "noun": noun,
            "facts": facts,
        }
        insert_values(self.session, HistoryEntry, [{**entry, "noun_id": noun_id} for noun_id in noun_ids])

    def page(
        self,
        campus_id: uuid.UUID,
        wanted: Filter,
        *,
        team: Sequence[uuid.UUID],
        before: int | None,
        limit: int,
    ) -> list[tuple[HistoryEntry, Person | None]]:
        """The newest first, and one more than `limit` when there are older ones.

        What the people of the `team` did to their own way in belongs to no campus, and is read beside it.
        """
        own = (col(HistoryEntry.actor_id).in_(team)) | (
            (col(HistoryEntry.noun) == "password") & col(HistoryEntry.noun_id).in_(team)
        )
        personal = [
            col(HistoryEntry.campus_id).is_(None),
            col(HistoryEntry.noun).in_(set(PERSONAL) & set(wanted.nouns or PERSONAL)),
            own,
        ]
        found: list[tuple[HistoryEntry, Person | None]] = []
        for place in ([HistoryEntry.campus_id == campus_id], personal):
            query = (
                select(HistoryEntry, Person)
                .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
                .where(*place, *self._conditions(wanted, before))
                .order_by(col(HistoryEntry.at).desc(), col(HistoryEntry.id).desc())
                .limit(limit + 1)
            )
            found += [(entry, person) for entry, person in self.session.exec(query)]
        return sorted(found, key=lambda row: (row[0].at, row[0].id), reverse=True)[: limit + 1]

    def page_of_service(self, *, before: int | None, limit: int) -> list[tuple[HistoryEntry, Person | None]]:
        """What concerns the whole service, or a campus as whoever runs the service knows it; the newest first."""
        noun, campus_id = col(HistoryEntry.noun), col(HistoryEntry.campus_id)
        from_outside = or_(
            *(and_(noun == each, col(HistoryEntry.deed) == deed) for each, deed in DONE_TO_CAMPUSES)
        )
        query = (
            select(HistoryEntry, Person)
            .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
            .where(
                or_(
                    and_(campus_id.is_(None), noun.in_(OF_THE_SERVICE)),
                    and_(campus_id.is_not(None), from_outside),
                ),
                *self._conditions(Filter(), before),
            )
            .order_by(col(HistoryEntry.at).desc(), col(HistoryEntry.id).desc())
            .limit(limit)
        )
        return [(entry, person) for entry, person in self.session.exec(query)]

    def _conditions(self, wanted: Filter, before: int | None) -> list[Any]:
        conditions: list[Any] = []
        if wanted.nouns:
            conditions.append(col(HistoryEntry.noun).in_(wanted.nouns))
        if wanted.actor_id is not None:
            conditions.append(HistoryEntry.actor_id == wanted.actor_id)
        if wanted.since is not None:
            conditions.append(col(HistoryEntry.at) >= wanted.since)
        if wanted.until is not None:
            conditions.append(col(HistoryEntry.at) < wanted.until)
        if before is not None:
            at = select(HistoryEntry.at).where(HistoryEntry.id == before).scalar_subquery()
            earlier = (col(HistoryEntry.at) == at) & (col(HistoryEntry.id) < before)
            conditions.append((col(HistoryEntry.at) < at) | earlier)
        return conditions

    def list_of(self, noun: str, noun_id: uuid.UUID) -> list[tuple[HistoryEntry, Person | None]]:
        """All that happened to one thing, in order, with the person who did it."""
        rows = self.session.exec(
            select(HistoryEntry, Person)
            .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
            .where(HistoryEntry.noun == noun, HistoryEntry.noun_id == noun_id)
            .order_by(col(HistoryEntry.id))
        )
        return [(entry, person) for entry, person in rows]
