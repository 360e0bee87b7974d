"""What one transaction adds to the recovery journal: lines of a campus's log, and the rows that they speak of."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from app.credentials.evidence.leaves import Leaf
from app.domain.activity_log import EntryKind, Fact

KEYS, PEOPLE, BADGES, VERSIONS = "signing_key", "person", "badge", "badge_version"
AWARDS, DOCUMENTS, SLOTS, EVIDENCE, NEWER = (
    "award",
    "signed_credential",
    "status_slot",
    "award_evidence",
    "newer_credential",
)
IN_ORDER: Final = (KEYS, PEOPLE, BADGES, VERSIONS, AWARDS, DOCUMENTS, SLOTS, EVIDENCE, NEWER)
"""The tables of journaled rows, each after those that it refers to."""
ERASED: Final = "erased"
"""The people whose data were erased."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Frame:
    """`start` and `stop` are numbers of the log named `origin`, as a half-open range."""

    campus_id: uuid.UUID
    origin: str
    start: int
    stop: int
    at: datetime
    content: Mapping[str, Any]

    @property
    def lines(self) -> list[JournaledLine]:
        return [JournaledLine.read(each) for each in self.content.get("lines", ())]

    def rows(self, table: str) -> Sequence[Values]:
        found: Sequence[Values] = self.content.get("rows", {}).get(table, ())
        return found

    @property
    def erased(self) -> set[uuid.UUID]:
        return {uuid.UUID(each) for each in self.content.get(ERASED, ())}


@dataclass(frozen=True)
class JournaledLine:
    """A line of the log, with what it commits to; where that was erased, the key is empty and the fact says nothing."""

    number: int
    fact: Fact
    leaf: Leaf
    key: bytes

    def without_payload(self) -> JournaledLine:
        """The same line as an erasure leaves it."""
        return JournaledLine(self.number, Fact(self.fact.kind, "", uuid.UUID(int=0), {}), self.leaf, b"")

    def written(self) -> list[Any]:
        fact = self.fact
        return [
            self.number,
            fact.kind.value,
            self.leaf.at,
            self.leaf.commitment.hex(),
            fact.noun,
            fact.noun_id,
            fact.about_id,
            self.key.hex(),
            fact.facts,
        ]

    @staticmethod
    def read(values: Sequence[Any]) -> JournaledLine:
        number, kind, at, commitment, noun, noun_id, about_id, key, facts = values
        about = uuid.UUID(about_id) if about_id else None
        fact = Fact(EntryKind(kind), noun, uuid.UUID(noun_id), facts, about)
        leaf = Leaf(kind, datetime.fromisoformat(at), bytes.fromhex(commitment))
        return JournaledLine(number, fact, leaf, bytes.fromhex(key))
