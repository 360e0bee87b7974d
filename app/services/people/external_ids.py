"""Identifiers that a campus's own system gives to people, activities and awards."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from app.db.campus.integration import IntegrationStore
from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    NAMED_OTHERWISE,
    NAMES_ANOTHER,
    TWICE,
    ExternalId,
    ExternalIdTaken,
    NamedKind,
    Receipt,
    UpsertOutcome,
    check_external_id,
    named_otherwise,
)
from app.domain.core import Clock
from app.errors import AppError
from app.services.activity_log.activity_log import ActivityLog

_Line = TypeVar("_Line")


@dataclass(frozen=True, eq=False)
class ExternalIds:
    integration: IntegrationStore
    log: ActivityLog
    clock: Clock

    def named(self, campus: Campus, kind: NamedKind, values: Collection[str]) -> dict[str, uuid.UUID]:
        return self.integration.named(campus.id, kind, [each for each in values if each])

    def find(self, campus: Campus, kind: NamedKind, value: str) -> uuid.UUID | None:
        return self.named(campus, kind, [value]).get(value)

    def names_of(
        self, campus: Campus, kind: NamedKind, ids: Collection[uuid.UUID]
    ) -> Mapping[uuid.UUID, Sequence[str]]:
        return self.integration.names_of(campus.id, kind, ids)

    def check_free(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID | None) -> None:
        """Raises unless the identifier may name this row, or a new one: no identifier replaces another by itself."""
        held = self.find(campus, kind, check_external_id(value))
        if held is not None and held != noun_id:
            raise ExternalIdTaken(NAMES_ANOTHER, value=value, id=str(held))
        known = self.names_of(campus, kind, [noun_id]).get(noun_id, ()) if noun_id else ()
        if other := named_otherwise(value, known):
            raise ExternalIdTaken(NAMED_OTHERWISE, value=value, known=other)

    @staticmethod
    def check_lines(values: Sequence[str]) -> None:
        """Of one request: each identifier once, and fit to be stored."""
        seen: set[str] = set()
        for value in filter(None, values):
            if check_external_id(value) in seen:
                raise ExternalIdTaken(TWICE, value=value)
            seen.add(value)

    def give(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID) -> None:
        """Idempotent."""
        self.check_free(campus, kind, value, noun_id)
        if self.find(campus, kind, value) is None:
            self.integration.give_all([self.row(campus, kind, value, noun_id)])

    def replace(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID) -> None:
        """The only identifier of the row from now on; none where empty."""
        if value:
            held = self.find(campus, kind, check_external_id(value))
            if held is not None and held != noun_id:
                raise ExternalIdTaken(NAMES_ANOTHER, value=value, id=str(held))
        self.integration.take(campus.id, kind, noun_id)
        if value:
            self.integration.give_all([self.row(campus, kind, value, noun_id)])

    def row(self, campus: Campus, kind: NamedKind, value: str, noun_id: uuid.UUID) -> ExternalId:
        of = {f"{kind.value}_id": noun_id}
        return ExternalId(campus_id=campus.id, kind=kind, value=value, given_at=self.clock(), **of)

    def receipts(
        self,
        lines: Sequence[_Line],
        external_id: Callable[[_Line], str],
        upsert: Callable[[_Line], Receipt],
    ) -> list[Receipt]:
        """One after the other; a refused line changes nothing, and none of the others."""
        found, seen = list[Receipt](), set[str]()
        for number, line in enumerate(lines, 1):
            value = external_id(line)
            try:
                with self.log.savepoint():
                    if value in seen:
                        raise ExternalIdTaken(TWICE, value=value)
                    receipt = upsert(line)
                seen.add(value)
            except AppError as error:
                receipt = Receipt(0, value, UpsertOutcome.REFUSED, fault=error)
            found.append(replace(receipt, line=number))
        return found
