"""A person's own entries in the logs of their campuses, to view and to export."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.db.activity_log import ActivityLogStore, LogDisputeStore
from app.db.campus import CampusStore
from app.domain.activity_log import EntryKind, LogDispute, LogPayload
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.services.activity_log.evidence import EvidenceDocuments
from sceau_credentials.values import JsonObject, dump_json, format_timestamp

_IDENTIFIERS = frozenset({"person", "by"})


@dataclass(frozen=True)
class PersonalLine:
    """One entry about a person, its content, and their dispute."""

    campus: Campus
    log_id: uuid.UUID
    number: int
    kind: EntryKind
    at: datetime
    noun: str
    noun_id: uuid.UUID
    facts: JsonObject
    disputes: Sequence[LogDispute]

    def to_document(self) -> JsonObject:
        disputes: list[JsonObject] = [
            {"said": each.said, "at": format_timestamp(each.made_at), "answer": each.answer}
            for each in self.disputes
        ]
        return {
            "campus": self.campus.name,
            "line": self.number,
            "kind": self.kind.value,
            "at": format_timestamp(self.at),
            "says": {name: value for name, value in self.facts.items() if name not in _IDENTIFIERS},
            "disputes": [*disputes],
        }


@dataclass(frozen=True, eq=False)
class PersonalLog:
    store: ActivityLogStore
    disputes: LogDisputeStore
    evidence: EvidenceDocuments
    campuses: CampusStore
    clock: Clock

    def lines(
        self,
        person_id: uuid.UUID,
        campus_ids: Collection[uuid.UUID],
        *,
        only_of: uuid.UUID | None = None,
    ) -> list[PersonalLine]:
        """All entries about the person in these campuses' logs, latest first per log.

        With `only_of`, those of one award and of its evidence.
        """
        said: dict[tuple[uuid.UUID, int], list[LogDispute]] = {}
        for each in self.disputes.of_person(person_id):
            said.setdefault((each.log_id, each.number), []).append(each)
        by_log: dict[uuid.UUID, list[LogPayload]] = {}
        for payload in self.store.payloads_about(person_id):
            by_log.setdefault(payload.log_id, []).append(payload)
        found = []
        for log_id, payloads in by_log.items():
            campus = self.campuses.get_by_id(self.store.get(log_id).campus_id)
            if campus.id in campus_ids:
                found += self._of_one_log(campus, log_id, payloads, said)
        return found if only_of is None else self._of_award(only_of, found)

    def _of_award(self, award_id: uuid.UUID, lines: Sequence[PersonalLine]) -> list[PersonalLine]:
        row = self.evidence.find(award_id)
        proof = {(row.log_id, each) for each in (*row.entries, row.decision)} if row else set()
        return [each for each in lines if each.noun_id == award_id or (each.log_id, each.number) in proof]

    def _of_one_log(
        self,
        campus: Campus,
        log_id: uuid.UUID,
        payloads: Sequence[LogPayload],
        said: Mapping[tuple[uuid.UUID, int], Sequence[LogDispute]],
    ) -> list[PersonalLine]:
        entries = {
            entry.number: entry for entry in self.store.numbered(log_id, (each.number for each in payloads))
        }
        return [
            PersonalLine(
                campus,
                log_id,
                each.number,
                entries[each.number].kind,
                entries[each.number].at,
                each.noun,
                each.noun_id,
                each.facts,
                said.get((log_id, each.number), ()),
            )
            for each in reversed(payloads)
        ]

    def document(
        self,
        person_id: uuid.UUID,
        campus_ids: Collection[uuid.UUID],
        *,
        only_of: uuid.UUID | None = None,
    ) -> bytes:
        """The same as JSON."""
        lines = [line.to_document() for line in self.lines(person_id, campus_ids, only_of=only_of)]
        return dump_json(
            {"type": "PersonalActivityLog", "made": format_timestamp(self.clock()), "lines": lines}
        )
