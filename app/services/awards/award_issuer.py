"""Issue decided awards: signed bytes, status slots, history and queued e-mails, in one transaction."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from app.db.awards import AwardStore
from app.db.awards.batches import HolderStore, SigningClockStore
from app.db.campus import HistoryStore
from app.db.campus.integration import IntegrationStore
from app.db.campus.people import is_known_at
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.activity_log.recovery import AWARDS, DOCUMENTS, EVIDENCE, PEOPLE, SLOTS
from app.domain.awards import Award, SignedDocument
from app.domain.awards.batches import AwardBatch, leave_from
from app.domain.awards.open_badges import AwardEvidence, BadgeDocuments, Disclosed, profile_of
from app.domain.awards.signing_clock import (
    ClockJumped,
    Counter,
    Jump,
    confirm,
    is_sample_due,
    jump_in,
    stop_signing,
    take_sample,
)
from app.domain.badges import BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.integration import ExternalId, NamedKind
from app.domain.core import Clock, neighbouring_ids, new_row, whole_second
from app.domain.messages import letter_about
from app.domain.people import is_address
from app.domain.publishing import Addresses
from app.errors import AppError, InvalidInput, Unavailable
from app.language import N_
from app.services.activity_log import LoggedEvents
from app.services.awards.award_context import (
    AwardContext,
    CheckedLine,
    award_of,
    disclosed_at_first,
    name_known_to_campus,
)
from app.services.awards.award_evidence import AwardEvidenceService, Grounded
from app.services.badges import BadgeService
from app.services.publishing.status import Signing, StatusService, StatusSlots
from app.telemetry import span
from sceau_credentials.errors import CredentialError, NotFitToSign
from sceau_credentials.issuing import Batch, Prepared, SignedCredential
from sceau_credentials.issuing.lints.shape import contains_mail_address
from sceau_credentials.model import Achievement
from sceau_credentials.values import JsonObject, parse_json

MAIL_ADDRESS_IN_TEXT = N_(
    "Un texte de l’activité ou de l’appréciation contient une adresse e-mail, qui serait "
    "publiée avec le badge. Retirez-la, puis attribuez de nouveau. Votre liste est gardée."
)


def document_to_sign(
    award: Award, documents: BadgeDocuments, places: StatusSlots, disclosed: Disclosed
) -> JsonObject:
    # Not signed before the holder discloses them: refuse now, while the trainer can still correct them.
    if any(contains_mail_address(text) for text in (award.contribution, award.evidence)):
        raise InvalidInput(MAIL_ADDRESS_IN_TEXT)
    try:
        return documents.document_of(award, places.entry_of(award.id), disclosed)
    except CredentialError as error:
        raise refusal_for_trainer(error) from error


def prepared_documents(documents: Sequence[JsonObject], batch: Batch) -> list[Prepared | InvalidInput]:
    """For each document the prepared credential, or the fault in its texts; raises any other error."""
    return [
        _unfit(each) if isinstance(each, CredentialError) else each for each in batch.prepare_each(documents)
    ]


def signed_documents(
    awards: Sequence[Award], prepared: Sequence[Prepared], batch: Batch
) -> list[SignedDocument]:
    """The signed bytes, in order."""
    with span("sign", count=len(prepared)):
        return [_kept(award, signed) for award, signed in zip(awards, batch.sign_each(prepared), strict=True)]


def _unfit(error: CredentialError) -> InvalidInput:
    trouble = refusal_for_trainer(error)
    if isinstance(trouble, InvalidInput):
        return trouble
    raise trouble from error


def _kept(award: Award, signed: SignedCredential | CredentialError) -> SignedDocument:
    if isinstance(signed, CredentialError):
        raise refusal_for_trainer(signed) from signed
    return new_row(
        SignedDocument,
        award_id=award.id,
        embedded=signed.embedded,
        token=signed.token,
        embedded_digest=hashlib.sha256(signed.embedded).hexdigest(),
        token_digest=hashlib.sha256(signed.token.encode()).hexdigest(),
        signed_at=award.awarded_at,
    )


def refusal_for_trainer(error: CredentialError) -> AppError:
    if isinstance(error, NotFitToSign):
        return _not_fit(error)
    return Unavailable("Le badge n’a pas pu être signé. Votre liste est gardée. Réessayez dans une minute.")


def _not_fit(unfit: NotFitToSign) -> InvalidInput:
    if "no_mail_address_of_a_person" in unfit.faults:
        return InvalidInput(MAIL_ADDRESS_IN_TEXT)
    return InvalidInput(
        "Un texte du badge ou de l’activité empêche de le signer ({faults}). "
        "Corrigez-le, puis attribuez de nouveau. Votre liste est gardée.",
        faults=", ".join(unfit.faults),
    )


UNSIGNED = N_("Un texte empêchait de signer le badge.")
"""Reason logged for an award that was decided but could not be signed."""


SIGNED_AT_ONCE: Final = 256
"""Lines: twice what `Batch` signs in parallel, and few enough to keep PostgreSQL busy."""


@dataclass(frozen=True)
class Unfit:
    """A line with texts that cannot be signed, and the message for it."""

    trouble: InvalidInput


StoredAwards = uuid.UUID | Unfit
"""The award of a line, or why it has none."""


@dataclass(frozen=True)
class Decided:
    """Written awards that await their signatures."""

    kept: list[StoredAwards]
    """In line order."""
    batch: Batch
    awards: list[Award]
    prepared: list[Prepared]
    """The prepared credential of each award."""
    campus: Campus


@dataclass(frozen=True, eq=False)
class AwardIssuer:
    awards: AwardStore
    holders: HolderStore
    letters: LetterStore
    history: HistoryStore
    badge_service: BadgeService
    status: StatusService
    logged_events: LoggedEvents
    grounds: AwardEvidenceService
    signing: Signing
    people: PeopleStore
    addresses: Addresses
    integration: IntegrationStore
    clock: Clock

    def decide(
        self, case: AwardContext, batch: AwardBatch, ready: Sequence[CheckedLine], *, is_last: bool = True
    ) -> Decided:
        """Write everything except the signed bytes, which must follow in the same transaction.

        A line that cannot be signed does not affect the others.
        """
        at = self.logged_events.log.now(case.campus)
        signers = self.batch_of(case, at)
        if not ready:
            return Decided([], signers, [], [], case.campus)
        if any(line.person is not None and line.person.is_sample for line in ready):
            raise ValueError("sample people are never awarded")
        self.badge_service.freeze(case.campus, case.badge, case.version)
        ids = neighbouring_ids(len(ready))
        places = self.status.reserve(case.campus, ids, at=at)
        names = self.holders.names_in_campus(
            case.campus.id, [line.person.id for line in ready if line.person]
        )
        awards = [
            _award_of(case, batch, line, at, award_id, names)
            for award_id, line in zip(ids, ready, strict=True)
        ]
        troubles: dict[uuid.UUID, InvalidInput] = {}
        documents = self._documents(case, awards, ready, places, troubles)
        grounded = self.grounds.decide(
            case, [award for award in awards if award.id in documents], documents, ready, signers.signing_key
        )
        prepared = self._prepared(case, awards, grounded, signers, troubles)
        fit = [award for award in awards if award.id in prepared]
        evidence = [grounded[award.id].row for award in fit]
        self._write(case, batch, fit, places, at)
        self._write_external_ids(case, zip(ids, ready, strict=True), prepared, at)
        self.grounds.keep(evidence)
        self._journal(case, ready, fit, places, evidence)
        kept: list[StoredAwards] = [
            Unfit(troubles[award_id]) if award_id in troubles else award_id for award_id in ids
        ]
        if batch.tells:
            not_before = leave_from(batch, at=at, is_last=is_last)
            self._enqueue_letters(awards, self._addresses_of(batch, ready, kept), at, not_before)
        return Decided(kept, signers, fit, [prepared[award.id] for award in fit], case.campus)

    def sign(self, decided: Decided) -> None:
        """Sign in chunks: PostgreSQL stores one chunk while the next is signed."""
        for start in range(0, len(decided.awards), SIGNED_AT_ONCE):
            some = slice(start, start + SIGNED_AT_ONCE)
            documents = signed_documents(decided.awards[some], decided.prepared[some], decided.batch)
            self.awards.add_documents(documents)
            self.logged_events.log.notes.add_rows(decided.campus, DOCUMENTS, documents)

    def _documents(
        self,
        case: AwardContext,
        awards: Sequence[Award],
        ready: Sequence[CheckedLine],
        places: StatusSlots,
        troubles: dict[uuid.UUID, InvalidInput],
    ) -> dict[uuid.UUID, JsonObject]:
        """The credential content per award; faults go to `troubles`."""
        written, words = {}, self.words_of(case)
        for award, line in zip(awards, ready, strict=True):
            disclosed = disclosed_at_first(line.person, case.activity)
            try:
                written[award.id] = document_to_sign(award, words, places, disclosed)
            except InvalidInput as trouble:
                troubles[award.id] = trouble
        return written

    def _prepared(
        self,
        case: AwardContext,
        awards: Sequence[Award],
        grounded: Mapping[uuid.UUID, Grounded],
        batch: Batch,
        troubles: dict[uuid.UUID, InvalidInput],
    ) -> dict[uuid.UUID, Prepared]:
        """The prepared credentials; logs a correction for each award with texts that cannot be signed."""
        decided = [award for award in awards if award.id in grounded]
        found = prepared_documents([grounded[award.id].document for award in decided], batch)
        prepared: dict[uuid.UUID, Prepared] = {}
        for award, each in zip(decided, found, strict=True):
            if isinstance(each, InvalidInput):
                troubles[award.id] = each
            else:
                prepared[award.id] = each
        self.logged_events.withdrawn(
            case.campus, [award for award in decided if award.id in troubles], UNSIGNED
        )
        return prepared

    def _write(
        self,
        case: AwardContext,
        batch: AwardBatch,
        awards: Sequence[Award],
        places: StatusSlots,
        at: datetime,
    ) -> None:
        ids = [award.id for award in awards]
        self.awards.add_all(awards)
        self.status.keep(places.only(ids))
        facts = {"version": str(case.version.id), "batch": str(batch.id)}
        self.history.write_all(case.by, "award", "award", ids, at=at, campus_id=case.campus.id, **facts)

    def _write_external_ids(
        self,
        case: AwardContext,
        lines: Iterable[tuple[uuid.UUID, CheckedLine]],
        prepared: Container[uuid.UUID],
        at: datetime,
    ) -> None:
        self.integration.save(
            *[
                ExternalId(
                    campus_id=case.campus.id,
                    kind=NamedKind.AWARD,
                    value=line.line.award_external_id,
                    award_id=award_id,
                    given_at=at,
                )
                for award_id, line in lines
                if line.line.award_external_id and award_id in prepared
            ]
        )

    def _journal(
        self,
        case: AwardContext,
        ready: Sequence[CheckedLine],
        awards: Sequence[Award],
        places: StatusSlots,
        evidence: Sequence[AwardEvidence],
    ) -> None:
        """For the recovery journal, which gets them after the commit."""
        notes = self.logged_events.log.notes
        notes.add_rows(case.campus, PEOPLE, [line.person for line in ready])
        notes.add_rows(case.campus, AWARDS, awards)
        notes.add_rows(case.campus, SLOTS, places.only([award.id for award in awards]).rows())
        notes.add_rows(case.campus, EVIDENCE, evidence)

    def _enqueue_letters(
        self,
        awards: Sequence[Award],
        addresses: Mapping[StoredAwards, str],
        at: datetime,
        not_before: datetime,
    ) -> None:
        self.letters.enqueue_new(
            [
                letter_about(award, addresses[award.id], at=at, not_before=not_before, letter_id=letter_id)
                for award, letter_id in zip(awards, neighbouring_ids(len(awards)), strict=True)
                if award.id in addresses
            ]
        )

    def _addresses_of(
        self, batch: AwardBatch, ready: Sequence[CheckedLine], kept: Sequence[StoredAwards]
    ) -> dict[StoredAwards, str]:
        """As the list or the request wrote them; of people chosen among those known, the one that they prefer, which
        the campus may not read."""
        chosen = {
            line.person.id
            for line in ready
            if line.person and line.line.is_chosen and (line.participation or not batch.by_review)
        }
        own = self.people.addresses_of(chosen) if chosen else {}
        readable = self.people.addresses_of(chosen, is_known_at(batch.campus_id)) if chosen else {}
        addresses = [line.line.address for line in ready]
        for place, line in enumerate(ready):
            if line.person and line.person.id in chosen:
                is_ours = addresses[place] in ("", readable.get(line.person.id))
                addresses[place] = own.get(line.person.id, "") if is_ours else addresses[place]
        return {
            award_id: address
            for award_id, address in zip(kept, addresses, strict=True)
            if is_address(address)
        }

    def words_of(self, case: AwardContext) -> BadgeDocuments:
        return BadgeDocuments(
            achievement=_achievement_in(case.version),
            issuer=profile_of(case.campus, self.addresses),
            campus=case.campus,
            version=case.version,
            activity=case.activity,
            addresses=self.addresses,
            practice=self.badge_service.practice_of(case.version, case.activity),
        )

    def batch_of(self, case: AwardContext, at: datetime) -> Batch:
        signers = self.signing.signers_of(case.campus)
        return Batch(signer=signers.embedded, jwt_signer=signers.jwt, at=whole_second(at))


def _award_of(
    case: AwardContext,
    batch: AwardBatch,
    line: CheckedLine,
    at: datetime,
    award_id: uuid.UUID,
    names: Mapping[uuid.UUID, Sequence[str]],
) -> Award:
    assert line.person is not None, "a line that is ready has its person"
    return award_of(
        case,
        line.person,
        line.participation,
        name=name_known_to_campus(line.person, line.line, names.get(line.person.id, ())),
        at=at,
        award_id=award_id,
        batch_id=batch.id,
        rests_on=line.rests_on,
    )


def _achievement_in(version: BadgeVersion) -> Achievement:
    """The achievement exactly as in the frozen definition."""
    definition = parse_json(version.definition)
    assert isinstance(definition, dict)
    return Achievement.from_document(
        {name: value for name, value in definition.items() if name != "@context"}
    )


logger = structlog.get_logger(__name__)
_NOUN, _NOUN_ID = "signing_clock", uuid.UUID(int=1)
_SYSTEM = Actor.command("clock")


class SigningClockService:
    """`counter` is None if the time is injected, as in tests: then it cannot jump."""

    def __init__(
        self, store: SigningClockStore, history: HistoryStore, counter: Counter | None, clock: Clock
    ) -> None:
        self.store = store
        self.history = history
        self.counter = counter
        self.clock = clock
        self._is_checked = False

    def check(self) -> None:
        """Raises ClockJumped; queries the database once per unit of work."""
        if self._is_checked:
            return
        if jump := self.jump():
            raise ClockJumped(jump)
        self._is_checked = True

    def jump(self) -> Jump | None:
        if self.counter is None:
            return None
        return jump_in(self.store.find(), self.clock(), self.counter())

    def is_due(self) -> bool:
        """Whether `observe` would write something."""
        if self.counter is None:
            return False
        row, at, ticks = self.store.find(), self.clock(), self.counter()
        if row.stopped_at is not None:
            return False
        return jump_in(row, at, ticks) is not None or is_sample_due(row, at, ticks)

    def observe(self) -> Jump | None:
        """Store a sample, or a detected clock jump. Idempotent."""
        if self.counter is None:
            return None
        row, at, ticks = self.store.lock(), self.clock(), self.counter()
        was_stopped, jump = row.stopped_at is not None, jump_in(row, at, ticks)
        if jump is None:
            if is_sample_due(row, at, ticks):
                take_sample(row, at, ticks)
                self.store.save(row)
        elif not was_stopped:
            stop_signing(row, jump)
            self.store.save(row)
            self.history.write(_SYSTEM, "stop", _NOUN, _NOUN_ID, at=at, **_facts(jump))
            logger.error("the clock jumped: signing stopped", **_facts(jump))
        return jump

    def confirm(self, reason: str, *, by: Actor) -> Jump | None:
        """Resume signing from the current clock time; returns the confirmed jump, if any."""
        if len(reason.strip()) < 5:
            raise InvalidInput("Dites en quelques mots pourquoi l’heure est bonne : l’historique le garde.")
        if self.counter is None:
            return None
        row, at, ticks = self.store.lock(), self.clock(), self.counter()
        jump = jump_in(row, at, ticks)
        confirm(row, at, ticks)
        self.store.save(row)
        self.store.bring_back(at)
        facts: dict[str, Any] = {"reason": reason.strip()[:500], **(_facts(jump) if jump else {})}
        self.history.write(by, "confirm", _NOUN, _NOUN_ID, at=at, **facts)
        return jump


def _facts(jump: Jump) -> dict[str, Any]:
    return {"shown": jump.at.isoformat(), "expected": jump.expected.isoformat()}
