"""What was done, by whom and to what: in a campus for its administrators and auditors, to the service for its operators."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.db.campus.history import Filter, HistoryStore
from app.db.campus.subjects import SubjectStore
from app.db.campus.team import TeamStore
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor, HistoryEntry, service_subject_of, subject_of
from app.domain.core.clock import Clock
from app.domain.people.people import Person

A_TABLE_PAGE = 1000

__all__ = ["Event", "Filter", "HistoryService"]


@dataclass(frozen=True)
class Event:
    """One entry; `subject` names what it is about today, empty where that has no name or is gone."""

    entry: HistoryEntry
    actor: Person | None
    subject: str
    program: str
    """The label of the program's token, where a program did it."""


class HistoryService:
    def __init__(self, history: HistoryStore, subjects: SubjectStore, team: TeamStore, clock: Clock) -> None:
        self.history = history
        self.subjects = subjects
        self.team = team
        self.clock = clock

    def page(self, campus: Campus, wanted: Filter, *, before: int | None, limit: int) -> list[Event]:
        """The newest first, and one more than `limit` when there are older ones."""
        team = [person.id for person in self.people_of(campus)]
        rows = self.history.page(campus.id, wanted, team=team, before=before, limit=limit)
        names = self.subjects.names(campus.id, {subject_of(entry) for entry, _ in rows})
        programs = self.subjects.programs(campus.id, [entry.actor_label for entry, _ in rows])
        return [
            Event(entry, actor, names.get(subject_of(entry), ""), programs.get(entry.actor_label, ""))
            for entry, actor in rows
        ]

    def all(self, campus: Campus, wanted: Filter) -> Iterator[Event]:
        """Everything that fits, a thousand at a time, for a table that leaves the house."""
        before: int | None = None
        while True:
            found = self.page(campus, wanted, before=before, limit=A_TABLE_PAGE)
            yield from found[:A_TABLE_PAGE]
            if len(found) <= A_TABLE_PAGE:
                return
            before = found[A_TABLE_PAGE - 1].entry.id

    def page_of_service(self, *, before: int | None, limit: int) -> list[Event]:
        """What operators and commands did to the whole service and to campuses, and nothing of what these hold."""
        rows = self.history.page_of_service(before=before, limit=limit)
        names = self.subjects.names_of_service({service_subject_of(entry) for entry, _ in rows})
        return [Event(entry, actor, names.get(service_subject_of(entry), ""), "") for entry, actor in rows]

    def people_of(self, campus: Campus) -> Sequence[Person]:
        """Whoever works or worked there, by name."""
        return self.team.ever(campus.id)

    def note_export(self, campus: Campus, table: str, *, by: Actor) -> None:
        """A table of people leaves the house."""
        self.history.write(
            by, "export", "table", campus.id, at=self.clock(), campus_id=campus.id, table=table
        )
