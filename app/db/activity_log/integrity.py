"""Reads all signed data in large portions, with the data to compare it with; and the checks themselves."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Date, DateTime, Enum, LargeBinary, Table, Uuid
from sqlalchemy import select as select_columns
from sqlalchemy.exc import IntegrityError
from sqlalchemy.types import TypeEngine
from sqlmodel import SQLModel, col, func, select

from app.db.engine.queries import RowStore, locked
from app.db.engine.writes import among, insert_values
from app.domain.activities.files import FileContent, FileState, StoredFile
from app.domain.activity_log import (
    DEFINITION,
    MOST_FAULTS,
    CampusLog,
    IntegrityCheck,
    LogCheckpoint,
    LogPayload,
    PictureDigest,
)
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
    JournaledErasure,
    Values,
)
from app.domain.awards import Award, AwardState, NewerDocument, SignedDocument
from app.domain.awards.open_badges import AwardEvidence
from app.domain.badges import Badge, BadgeVersion
from app.domain.campus.campus import Label, Network, SealedKey
from app.domain.core import UtcSecond
from app.domain.people import Membership, Person, PersonMerge
from app.domain.people.consents import ErasedAward, Erasure
from app.domain.publishing import StatusList, StatusSlot
from app.domain.trust import FollowedList, NetworkKey, TrustEdition
from app.domain.trust.organisations import Endorsement, EndorsementStatusSlot, Organisation, OrganisationKey

AT_A_TIME: Final = 250
RowRefused = IntegrityError
"""The database refused a statement: another row refers to its row, or has its key."""


class StoredAwardRow(NamedTuple):
    """An award's columns, its first or newest edition in both forms, and its data elsewhere."""

    award_id: uuid.UUID
    campus_id: uuid.UUID
    badge_id: uuid.UUID
    version_number: int
    subject_id: uuid.UUID
    state: AwardState
    holder_name: str | None
    part: str | None
    evidence: str
    awarded_at: datetime
    valid_until: datetime | None
    edition: int
    embedded: bytes | None
    token: str | None
    embedded_digest: str | None
    token_digest: str | None
    list_id: uuid.UUID | None
    position: int | None
    raised_at: datetime | None
    suspended_until: datetime | None
    """Of the award; and of its slot."""
    slot_suspended_until: datetime | None
    decided: Any
    """The log entry that decided the newest edition; None if erased or missing."""
    line: int | None


class EditionRow(NamedTuple):
    award_id: uuid.UUID
    campus_id: uuid.UUID
    edition: int
    newest: int
    embedded: bytes | None
    token: str | None
    embedded_digest: str
    token_digest: str


_COLUMNS: Final = (
    Award.id,
    Award.campus_id,
    Award.badge_id,
    BadgeVersion.number,
    Award.subject_id,
    Award.state,
    Award.holder_name,
    Award.part,
    Award.evidence,
    Award.awarded_at,
    Award.valid_until,
    Award.edition,
    SignedDocument.embedded,
    SignedDocument.token,
    SignedDocument.embedded_digest,
    SignedDocument.token_digest,
    StatusSlot.list_id,
    StatusSlot.position,
    StatusSlot.raised_at,
    Award.suspended_until,
    StatusSlot.suspended_until,
    LogPayload.facts,
    AwardEvidence.decision,
)


class IntegrityStore(RowStore[SQLModel]):
    # --- checks

    def lock(self, check_id: uuid.UUID) -> IntegrityCheck:
        return self.session.exec(locked(select(IntegrityCheck).where(IntegrityCheck.id == check_id))).one()

    def unfinished(self) -> IntegrityCheck | None:
        query = select(IntegrityCheck).where(col(IntegrityCheck.done_at).is_(None))
        return self.session.exec(query.order_by(col(IntegrityCheck.asked_at)).limit(1)).first()

    def newest_done(self, *, before: datetime) -> IntegrityCheck | None:
        query = select(IntegrityCheck).where(col(IntegrityCheck.done_at) < before)
        return self.session.exec(query.order_by(col(IntegrityCheck.done_at).desc()).limit(1)).first()

    def keep_newest(self, count: int, *, before: datetime) -> None:
        """Delete the oldest finished checks, and those with a date that has not come."""
        done = col(IntegrityCheck.done_at)
        older = select(IntegrityCheck).where(done < before).order_by(done.desc()).offset(count)
        for row in [
            *self.session.exec(older),
            *self.session.exec(select(IntegrityCheck).where(done >= before)),
        ]:
            self.session.delete(row)

    # --- data to check

    def lines_about_nobody(self) -> list[tuple[uuid.UUID, int]]:
        """Contents of log lines about a person who was erased; no foreign key forbids them."""
        about = col(LogPayload.about_id)
        query = select(LogPayload.log_id, LogPayload.number).where(
            about.is_not(None),
            ~select(Person.id).where(Person.id == about).exists(),
        )
        return [(log_id, number) for log_id, number in self.session.exec(query.limit(MOST_FAULTS))]

    def count_awards(self) -> int:
        return self.session.exec(select(func.count()).select_from(Award)).one()

    def awards(self, first: uuid.UUID, last: uuid.UUID) -> Iterator[StoredAwardRow]:
        """Awards with ids from `first` to `last`, both included, in order."""
        query = (
            select_columns(*_COLUMNS)  # type: ignore[call-overload]
            .select_from(Award)
            .join(BadgeVersion, col(BadgeVersion.id) == col(Award.version_id))
            .join(SignedDocument, col(SignedDocument.award_id) == col(Award.id), isouter=True)
            .join(StatusSlot, col(StatusSlot.award_id) == col(Award.id), isouter=True)
            .join(AwardEvidence, col(AwardEvidence.award_id) == col(Award.id), isouter=True)
            .join(
                LogPayload,
                (col(LogPayload.log_id) == col(AwardEvidence.log_id))
                & (col(LogPayload.number) == col(AwardEvidence.decision)),
                isouter=True,
            )
            .where(col(Award.id) >= first, col(Award.id) <= last)
            .order_by(col(Award.id))
        )
        rows = self.session.execute(query.execution_options(yield_per=AT_A_TIME))
        for row in rows:
            yield StoredAwardRow(*row)

    def editions(self, first: uuid.UUID, last: uuid.UUID) -> Iterator[EditionRow]:
        query = (
            select_columns(
                NewerDocument.award_id,
                Award.campus_id,
                NewerDocument.edition,
                col(Award.edition),
                NewerDocument.embedded,
                NewerDocument.token,
                NewerDocument.embedded_digest,
                NewerDocument.token_digest,
            )  # type: ignore[call-overload]
            .join(Award, col(Award.id) == col(NewerDocument.award_id))
            .where(col(NewerDocument.award_id) >= first, col(NewerDocument.award_id) <= last)
            .order_by(col(NewerDocument.award_id), col(NewerDocument.edition))
        )
        for row in self.session.execute(query.execution_options(yield_per=AT_A_TIME)):
            yield EditionRow(*row)

    def lists(self) -> Sequence[StatusList]:
        return self.session.exec(select(StatusList).order_by(col(StatusList.id))).all()

    def labels(self) -> Sequence[Label]:
        """The signed ones."""
        return self.session.exec(select(Label).where(col(Label.signed_at).is_not(None))).all()

    def endorsements(self) -> Iterator[Endorsement]:
        query = select(Endorsement).order_by(col(Endorsement.id))
        yield from self.session.exec(query.execution_options(yield_per=AT_A_TIME))

    def trust_editions(self) -> Sequence[TrustEdition]:
        return self.session.exec(select(TrustEdition)).all()

    def followed_lists(self) -> Sequence[FollowedList]:
        """Those that were read at least once."""
        return self.session.exec(select(FollowedList).where(FollowedList.body != b"")).all()

    def keys_of_others(self) -> Sequence[NetworkKey | OrganisationKey]:
        """Every key of a network or an organisation of this service."""
        networks, organisations = select(NetworkKey), select(OrganisationKey)
        return [*self.session.exec(networks), *self.session.exec(organisations)]

    def withdrawn_places(self) -> tuple[dict[str, set[int]], dict[uuid.UUID, set[int]]]:
        """Revoked status indices in the lists of networks, by slug, and of organisations."""
        slugs = {network.id: network.slug for network in self.session.exec(select(Network))}
        networks: dict[str, set[int]] = {slug: set() for slug in slugs.values()}
        organisations: dict[uuid.UUID, set[int]] = {
            each: set() for each in self.session.exec(select(Organisation.id))
        }
        labels = select(Label).where(col(Label.withdrawn_at).is_not(None), col(Label.position).is_not(None))
        for label in self.session.exec(labels):
            networks[slugs[label.network_id]].add(label.position or 0)
        places = select(EndorsementStatusSlot).where(col(EndorsementStatusSlot.raised_at).is_not(None))
        for place in self.session.exec(places):
            organisations[place.organisation_id].add(place.position)
        return networks, organisations

    def frozen_versions(self) -> Iterator[tuple[BadgeVersion, PictureDigest | None, Any]]:
        """With the digests of its pictures, and the log's record from its freezing."""
        query = (
            select_columns(BadgeVersion.id)  # type: ignore[call-overload]
            .where(col(BadgeVersion.frozen_at).is_not(None))
            .order_by(col(BadgeVersion.id))
        )
        for version_id in self.session.execute(query).scalars().all():
            version = self.session.get(BadgeVersion, version_id)
            assert version is not None, "read in the same transaction"
            noted = self.session.exec(
                select(LogPayload).where(LogPayload.noun == DEFINITION, LogPayload.noun_id == version_id)
            ).first()
            yield version, self.session.get(PictureDigest, version_id), noted.facts if noted else None
            self.session.expunge(version)

    def files(self) -> Iterator[tuple[uuid.UUID, str, bytes]]:
        """Uploaded files: id, recorded digest, content."""
        query = (
            select_columns(StoredFile.id, StoredFile.digest, FileContent.content)  # type: ignore[call-overload]
            .join(FileContent, col(FileContent.file_id) == col(StoredFile.id))
            .where(col(StoredFile.state) != FileState.REFUSED)
            .order_by(col(StoredFile.id))
        )
        for file_id, noted, content in self.session.execute(query.execution_options(yield_per=10)):
            yield file_id, noted, bytes(content)


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


class RecoveryStore(RowStore[SQLModel]):
    def missing(self, table: str, rows: Sequence[Values]) -> list[dict[str, Any]]:
        """Rows that the database lacks, by their key, with values as columns accept them."""
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
        """Which of these ids the table contains."""
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

    def erasures_among(self, erasure_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        return self._known(col(Erasure.id), set(erasure_ids))

    def merge_ended_since(self, erasure: JournaledErasure) -> PersonMerge | None:
        """The latest merge of a record of the erased person with one that was none of theirs by then."""
        if erasure.merged is None:
            return None
        kept, gone = col(PersonMerge.kept_id), col(PersonMerge.gone_id)
        query = select(PersonMerge).where(
            col(PersonMerge.undone_at).is_(None),
            kept.in_(erasure.records) != gone.in_(erasure.records),
        )
        return self.session.exec(query.order_by(col(PersonMerge.at).desc(), col(PersonMerge.id))).first()

    def has_older(self, campus_id: uuid.UUID, erasure: JournaledErasure) -> bool:
        """Whether the campus has something about the person from before that line of its log."""
        log = self.session.exec(select(CampusLog).where(CampusLog.origin == erasure.origin)).first()
        if log is not None and log.size <= erasure.number:
            return True
        said = select(LogPayload.number).where(
            col(LogPayload.about_id).in_(erasure.records),
            LogPayload.log_id == (log.id if log else None),
            LogPayload.number < erasure.number,
        )
        worked = select(Membership.id).where(
            Membership.campus_id == campus_id,
            col(Membership.person_id).in_(erasure.records),
            Membership.since <= erasure.at,
        )
        return any(self.session.exec(each.limit(1)).first() is not None for each in (said, worked))

    def erasure_values(self, row: Values) -> dict[str, Any]:
        columns: Table = Erasure.__table__  # type: ignore[attr-defined]
        return typed_values(columns, row)

    def key(self, key_id: uuid.UUID) -> SealedKey | None:
        return self.session.get(SealedKey, key_id)

    def awards_among(self, award_ids: Collection[uuid.UUID]) -> list[Award]:
        query = select(Award).where(among(self.session, col(Award.id), award_ids))
        return list(self.session.exec(locked(query.order_by(col(Award.id)))))

    def replace_evidence(self, rows: Sequence[Values], award_id: uuid.UUID) -> None:
        """The grounds of a newer edition, among the rows of its frame."""
        for values in rows:
            if uuid.UUID(str(values["award_id"])) == award_id:
                later = AwardEvidence.model_validate(dict(values))
                self.session.merge(later)
                self.session.flush()

    def sizes_without_checkpoint(self, log: CampusLog) -> list[int]:
        """Sizes of the log that awards rest on, the smallest first."""
        signed = select(LogCheckpoint.size).where(LogCheckpoint.log_id == log.id)
        query = select(AwardEvidence.size).where(
            AwardEvidence.log_id == log.id,
            AwardEvidence.size <= log.size,
            col(AwardEvidence.size).not_in(signed),
        )
        return list(self.session.exec(query.distinct().order_by(col(AwardEvidence.size))))

    def used(self, list_id: uuid.UUID) -> int:
        query = select(func.count()).select_from(StatusSlot).where(StatusSlot.list_id == list_id)
        return self.session.exec(query).one()

    def flush(self) -> None:
        self.session.flush()

    def lists_of(self, campus_id: uuid.UUID) -> list[StatusList]:
        query = select(StatusList).where(StatusList.campus_id == campus_id)
        return list(self.session.exec(locked(query.order_by(col(StatusList.id)))))

    # --- content of a frame, from the database

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
        """The rows of these awards, badge versions and keys, with the rows they refer to."""
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
    """From JSON. A column that the journal lacks gets its default."""
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
