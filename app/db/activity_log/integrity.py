"""Everything that was signed, read in large portions with what it is compared with; and the checks themselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, func, select

from app.domain.activities.files import FileContent, FileState, StoredFile
from app.domain.activity_log.activity_log import LogPayload
from app.domain.activity_log.facts import DEFINITION
from app.domain.activity_log.integrity import IntegrityCheck, PictureDigest
from app.domain.awards.awards import Award, AwardState, NewerDocument, SignedDocument
from app.domain.awards.evidence import AwardEvidence
from app.domain.badges.badges import BadgeVersion
from app.domain.campus.campus import Label, Network
from app.domain.publishing.status import StatusList, StatusSlot
from app.domain.trust.endorsements import Endorsement
from app.domain.trust.organisations import EndorsementPlace, Organisation, OrganisationKey
from app.domain.trust.recognition import FollowedList, NetworkKey, TrustEdition

AT_A_TIME: Final = 250


class StoredAwardRow(NamedTuple):
    """An award's own facts, its first or newest edition in both forms, and what stands about it elsewhere."""

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
    evidence_log: uuid.UUID | None
    decided: Any
    """What the log's line says that decided the newest edition; None where it was erased or is missing."""
    line: int | None


class EditionRow(NamedTuple):
    award_id: uuid.UUID
    campus_id: uuid.UUID
    edition: int
    newest: int
    embedded: bytes
    token: str
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
    AwardEvidence.log_id,
    LogPayload.facts,
    AwardEvidence.decision,
)


class IntegrityStore:
    def __init__(self, session: Session) -> None:
        self.session = session

    # --- checks

    def add(self, row: IntegrityCheck | PictureDigest) -> None:
        self.session.add(row)
        self.session.flush()

    def lock(self, check_id: uuid.UUID) -> IntegrityCheck:
        query = select(IntegrityCheck).where(IntegrityCheck.id == check_id).with_for_update()
        return self.session.exec(query.execution_options(populate_existing=True)).one()

    def unfinished(self) -> IntegrityCheck | None:
        query = select(IntegrityCheck).where(col(IntegrityCheck.done_at).is_(None))
        return self.session.exec(query.order_by(col(IntegrityCheck.asked_at)).limit(1)).first()

    def newest_done(self) -> IntegrityCheck | None:
        query = select(IntegrityCheck).where(col(IntegrityCheck.done_at).is_not(None))
        return self.session.exec(query.order_by(col(IntegrityCheck.done_at).desc()).limit(1)).first()

    def keep_newest(self, count: int) -> None:
        """Forget the oldest checks that are done."""
        query = select(IntegrityCheck).where(col(IntegrityCheck.done_at).is_not(None))
        for row in self.session.exec(query.order_by(col(IntegrityCheck.done_at).desc()).offset(count)):
            self.session.delete(row)

    # --- what is checked

    def count_awards(self) -> int:
        return self.session.exec(select(func.count()).select_from(Award)).one()

    def awards(self, first: uuid.UUID, last: uuid.UUID) -> Iterator[StoredAwardRow]:
        """Awards numbered from `first` to `last`, both included, in order."""
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
        """Those that were signed."""
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
        """Places withdrawn in the lists of networks, by slug, and of organisations."""
        slugs = {network.id: network.slug for network in self.session.exec(select(Network))}
        networks: dict[str, set[int]] = {slug: set() for slug in slugs.values()}
        organisations: dict[uuid.UUID, set[int]] = {
            each: set() for each in self.session.exec(select(Organisation.id))
        }
        labels = select(Label).where(col(Label.withdrawn_at).is_not(None), col(Label.position).is_not(None))
        for label in self.session.exec(labels):
            networks[slugs[label.network_id]].add(label.position or 0)
        places = select(EndorsementPlace).where(col(EndorsementPlace.raised_at).is_not(None))
        for place in self.session.exec(places):
            organisations[place.organisation_id].add(place.position)
        return networks, organisations

    def frozen_versions(self) -> Iterator[tuple[BadgeVersion, PictureDigest | None, Any]]:
        """Each with the digests of its pictures, and what the log noted when it was frozen."""
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
        """Files that people handed in: number, digest noted, content."""
        query = (
            select_columns(StoredFile.id, StoredFile.digest, FileContent.content)  # type: ignore[call-overload]
            .join(FileContent, col(FileContent.file_id) == col(StoredFile.id))
            .where(col(StoredFile.state) != FileState.REFUSED)
            .order_by(col(StoredFile.id))
        )
        for file_id, noted, content in self.session.execute(query.execution_options(yield_per=10)):
            yield file_id, noted, bytes(content)
