"""History entries, written beside the deed."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from app.db.bulk import insert_values
from app.domain.history import Actor, HistoryEntry
from app.domain.people import Person


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
        self.session.add(
            HistoryEntry(
                campus_id=campus_id,
                at=at,
                actor_id=actor.person_id,
                actor_label=actor.label,
                deed=deed,
                noun=noun,
                noun_id=noun_id,
                facts=facts,
            )
        )

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

    def list_of(self, noun: str, noun_id: uuid.UUID) -> list[tuple[HistoryEntry, Person | None]]:
        """All that happened to one thing, in order, with the person who did it."""
        rows = self.session.exec(
            select(HistoryEntry, Person)
            .join(Person, col(Person.id) == col(HistoryEntry.actor_id), isouter=True)
            .where(HistoryEntry.noun == noun, HistoryEntry.noun_id == noun_id)
            .order_by(col(HistoryEntry.id))
        )
        return [(entry, person) for entry, person in rows]
