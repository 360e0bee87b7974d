"""Rows put back as the recovery journal holds them, and read for it where a frame is missing."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Date, DateTime, Enum, LargeBinary, Table, Uuid
from sqlalchemy import select as select_columns
from sqlalchemy.types import TypeEngine
from sqlmodel import Session, SQLModel, col, func, select

from app.db.engine.bulk import among, insert_values
from app.domain.activity_log.activity_log import LogPayload
from app.domain.activity_log.recovery import (
    AWARDS,
    BADGES,
    DOCUMENTS,
    EVIDENCE,
    KEYS,
    NEWER,
    PEOPLE,
    SLOTS,
    VERSIONS,
    Values,
)
from app.domain.awards.awards import Award, NewerDocument, SignedDocument
from app.domain.awards.evidence import AwardEvidence
from app.domain.badges.badges import Badge, BadgeVersion
from app.domain.campus.keys import SealedKey
from app.domain.core.columns import UtcSecond
from app.domain.people.people import Person
from app.domain.privacy.erasures import ErasedAward
from app.domain.publishing.status import StatusList, StatusSlot

KINDS: Final[Mapping[str, type[SQLModel]]] = {
    KEYS: SealedKey,
    PEOPLE: Person,
    BADGES: Badge,
    VERSIONS: BadgeVersion,
    AWARDS: Award,
    DOCUMENTS: SignedDocument,
    SLOTS: StatusSlot,
    EVIDENCE: AwardEvidence,
    NEWER: NewerDocument,
}
_IDENTITY: Final = {DOCUMENTS: "award_id", EVIDENCE: "award_id", SLOTS: "award_id", NEWER: "award_id"}


class RecoveryStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    def missing(self, table: str, rows: Sequence[Values]) -> list[dict[str, Any]]:
        """Those that the database does not hold, by what identifies them, with values as columns take them."""
        kind, name = KINDS[table], _IDENTITY.get(table, "id")
        columns: Table = kind.__table__  # type: ignore[attr-defined]
        typed = [typed_values(columns, row) for row in rows]
        if table == NEWER:
            editions = {(row["award_id"], row["edition"]): row for row in typed}
            query = select(NewerDocument.award_id, NewerDocument.edition).where(
                among(self.session, col(NewerDocument.award_id), {award_id for award_id, _ in editions})
            )
            there = set(self.session.exec(query).all()) if editions else set()
            return [row for edition, row in editions.items() if edition not in there]
        known = self._known(columns.c[name], {row[name] for row in typed})
        return list({row[name]: row for row in typed if row[name] not in known}.values())

    def insert(self, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
        insert_values(self.session, KINDS[table], [dict(row) for row in rows])

    def there(self, table: str, ids: Iterable[uuid.UUID]) -> set[uuid.UUID]:
        """Which of these a table holds."""
        kind = KINDS[table]
        columns: Table = kind.__table__  # type: ignore[attr-defined]
        return self._known(columns.c[_IDENTITY.get(table, "id")], set(ids))

    def known_activities(self, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        activities = SQLModel.metadata.tables["activity"]
        return self._known(activities.c.id, set(ids))

    def taken_keys(self, once_keys: Collection[str]) -> set[str]:
        return self._known(col(Award.once_key), set(once_keys))

    def in_batches(self, batch_ids: Collection[uuid.UUID]) -> set[tuple[uuid.UUID | None, uuid.UUID]]:
        query = select(Award.batch_id, Award.person_id).where(
            among(self.session, col(Award.batch_id), batch_ids)
        )
        return set(self.session.exec(query).all())

    def erased(self, award_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        return self._known(col(ErasedAward.award_id), set(award_ids))

    def key(self, key_id: uuid.UUID) -> SealedKey | None:
        return self.session.get(SealedKey, key_id)

    def awards_among(self, award_ids: Collection[uuid.UUID]) -> list[Award]:
        query = select(Award).where(among(self.session, col(Award.id), award_ids))
        return list(self.session.exec(query.order_by(col(Award.id)).with_for_update()))

    def used(self, list_id: uuid.UUID) -> int:
        query = select(func.count()).select_from(StatusSlot).where(StatusSlot.list_id == list_id)
        return self.session.exec(query).one()

    def add(self, *rows: SQLModel) -> None:
        self.session.add_all(rows)
        self.session.flush()

    def flush(self) -> None:
        self.session.flush()

    def lists_of(self, campus_id: uuid.UUID) -> list[StatusList]:
        query = select(StatusList).where(StatusList.campus_id == campus_id)
        held = query.order_by(col(StatusList.id)).with_for_update()
        return list(self.session.exec(held.execution_options(populate_existing=True)))

    # --- what a frame holds, read from the database

    def payloads(self, log_id: uuid.UUID, numbers: range) -> list[LogPayload]:
        query = select(LogPayload).where(
            LogPayload.log_id == log_id, LogPayload.number >= numbers.start, LogPayload.number < numbers.stop
        )
        return list(self.session.exec(query.order_by(col(LogPayload.number))))

    def rows_about(
        self,
        awards: Collection[uuid.UUID],
        versions: Collection[uuid.UUID],
        keys: Collection[uuid.UUID],
    ) -> dict[str, list[dict[str, Any]]]:
        """The rows of these awards, badge versions and keys, with those that they refer to."""
        found = {AWARDS: self._values(Award, "id", awards)}
        people = {row["person_id"] for row in found[AWARDS]}
        found[PEOPLE] = self._values(Person, "id", people)
        for table in (DOCUMENTS, SLOTS, EVIDENCE, NEWER):
            found[table] = self._values(KINDS[table], "award_id", awards)
        found[VERSIONS] = self._values(BadgeVersion, "id", versions)
        found[BADGES] = self._values(Badge, "id", {row["badge_id"] for row in found[VERSIONS]})
        found[KEYS] = self._values(SealedKey, "id", keys)
        return {table: rows for table, rows in found.items() if rows}

    def _values(self, kind: type[SQLModel], name: str, ids: Collection[uuid.UUID]) -> list[dict[str, Any]]:
        if not ids:
            return []
        columns: Table = kind.__table__  # type: ignore[attr-defined]
        query = select_columns(columns).where(among(self.session, columns.c[name], ids))
        return [dict(row) for row in self.session.execute(query).mappings()]

    def _known(self, column: Any, values: set[Any]) -> set[Any]:
        if not values:
            return set()
        query = select_columns(column).where(among(self.session, column, values))
        return set(self.session.execute(query).scalars())


def typed_values(table: Table, row: Values) -> dict[str, Any]:
    """Out of JSON. A column that the journal does not know has its default."""
    return {
        column.name: _value(column.type, row[column.name]) for column in table.columns if column.name in row
    }


def _value(kind: TypeEngine[Any], value: Any) -> Any:
    if value is None:
        return None
    for column_type, read in _READERS:
        if isinstance(kind, column_type):
            return read(kind, value)
    return value


def _bytes(_kind: Any, value: Any) -> bytes:
    return value["text"].encode() if "text" in value else bytes.fromhex(value["hex"])


def _enum(kind: Any, value: str) -> Any:
    return kind.enum_class(value)


_READERS: Final[Sequence[tuple[type[Any], Callable[[Any, Any], Any]]]] = (
    (Uuid, lambda _kind, value: uuid.UUID(value)),
    (UtcSecond, lambda _kind, value: datetime.fromisoformat(value)),
    (DateTime, lambda _kind, value: datetime.fromisoformat(value)),
    (Date, lambda _kind, value: date.fromisoformat(value)),
    (LargeBinary, _bytes),
    (Enum, _enum),
)
