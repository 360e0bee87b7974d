"""Awards: issue, list, revoke, set visibility."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.db.activity_log.integrity import RecoveryStore
from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore
from app.db.people import GuardianStore, PeopleStore
from app.db.people.privacy import ConsentStore
from app.db.publishing import StatusStore
from app.domain.activity_log import AWARD, EntryKind, Fact
from app.domain.activity_log.recovery import AWARDS, DOCUMENTS, PEOPLE, SLOTS
from app.domain.awards import (
    Award,
    AwardState,
    SignedDocument,
    Visibility,
    in_words,
    is_suspended,
    lift_suspension,
    may_renew,
    revoke,
    suspend,
)
from app.domain.awards.batches import CHUNK_SIZE, AwardBatch, BatchState, keep_from_workers
from app.domain.awards.open_badges import hash_of_address
from app.domain.badges import BadgeVersion
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, KeyPurpose, KeyState
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_about
from app.domain.people import Person
from app.domain.people.consents import (
    About,
    check_may_open,
    check_may_show_further,
    consent,
    needs_guardian_for,
)
from app.domain.publishing import Addresses, StatusSlot, ids_of_code
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.services.activity_log import ActivityLog, LoggedEvents
from app.services.awards.award_context import AwardRequest, CheckedLine, Preview
from app.services.awards.batches import AwardBatchService, BatchResult, BulkAwardService, ChunkResult
from app.services.awards.bulk_revocation import WithdrawalService
from app.services.awards.eligibility import EligibilityService
from app.services.awards.reissuing import ReissueService
from app.services.messages import LetterService
from app.services.publishing.status import Signing, StatusService, published_key
from sceau_credentials.baking import unbake
from sceau_credentials.errors import CredentialError
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import StatusEntry, read_entry
from sceau_credentials.values import JsonObject, JsonValue, parse_json_object, parse_timestamp

__all__ = ["AwardRecord", "AwardRequest", "AwardService", "BatchResult", "CheckedLine", "Preview"]


@dataclass(frozen=True)
class GivenBadge:
    award_id: uuid.UUID
    name: str
    revoked: bool


@dataclass(frozen=True)
class Happening:
    """One history entry, with the name of the actor."""

    at: datetime
    action: str
    actor: str


@dataclass(frozen=True, eq=False)
class AwardService:
    campuses: CampusStore
    awards: AwardStore
    history: HistoryStore
    eligibility: EligibilityService
    bulk: BulkAwardService
    batches: AwardBatchService
    withdrawals: WithdrawalService
    consents: ConsentStore
    guardians: GuardianStore
    reissuing: ReissueService
    letters: LetterStore
    people: PeopleStore
    clock: Clock

    def preview(self, campus: Campus, request: AwardRequest, *, by: Actor, renewing: bool = False) -> Preview:
        """What `award` would do now; read-only."""
        return self.eligibility.preview(campus, request, by=by, renewing=renewing)

    def renewable(self, campus: Campus, request: AwardRequest, *, by: Actor) -> Award | None:
        """The badge that the only person of the request holds, if it may be renewed now."""
        preview = self.preview(campus, request, by=by)
        held, days = preview.lines[0].held, preview.version.validity_days
        return held if held is not None and may_renew(held, days=days, at=self.clock()) else None

    def renew_held(self, campus: Campus, award_id: uuid.UUID, evidence: str, *, by: Actor) -> AwardRecord:
        """By who may award the badge, for a holder who may have it."""
        record = self.get(campus, award_id)
        if len(evidence.strip()) < _SHORTEST_EVIDENCE:
            raise InvalidInput("Dites en une phrase ce que la personne a fait depuis.")
        checked = self.eligibility.of_renewal(campus, record, evidence, by=by).eligibility
        if not checked.is_ready:
            raise InvalidInput(checked.sentence, **in_words(checked.values))
        return self.renew(campus, record.award, evidence, by=by)

    def renew(
        self, campus: Campus, award: Award, evidence: str, *, by: Actor, address: str = ""
    ) -> AwardRecord:
        """Notifies the holder, at `address` or their own."""
        record = self.reissuing.renew(campus, award.id, evidence, by=by)
        own = self.people.addresses_of([record.person.id])
        if address := address or own.get(record.person.id, ""):
            once = str(record.award.edition)
            self.letters.enqueue_many(
                [letter_about(record.award, address, Occasion.RENEWED, once=once, at=self.clock())]
            )
        return record

    def award(self, campus: Campus, request: AwardRequest, *, by: Actor) -> BatchResult:
        """Enqueue the batch and process it immediately; returns the outcome of each line. Idempotent."""
        batch = self.bulk.enqueue(campus, request, by=by)
        self._process(batch)
        return self.batches.result(campus, batch.id)

    def _process(self, batch: AwardBatch) -> None:
        done, awarded = ChunkResult(more=batch.state is BatchState.RUNNING), 0
        while done.more:
            done = self.bulk.process_chunk(batch.id, most=CHUNK_SIZE)
            awarded += done.awarded
        if done.trouble is not None and not awarded:
            # The text is common to all lines: raise before anything is stored.
            raise done.trouble

    def give(
        self,
        campus: Campus,
        request: AwardRequest,
        *,
        by: Actor,
        undo_for: timedelta = timedelta(),
        not_before: datetime | None = None,
        is_awaited: bool = False,
    ) -> AwardBatch:
        """Enqueue the batch; process a few lines immediately, leave longer or scheduled ones to a worker.

        `is_awaited`: the caller processes the remaining lines, in its own transactions.
        """
        batch = self.bulk.enqueue(campus, request, by=by, undo_for=undo_for, not_before=not_before)
        if batch.state is not BatchState.RUNNING:
            return batch
        if self.bulk.is_long(batch):
            if is_awaited:
                keep_from_workers(batch, at=self.clock())
                self.bulk.batches.save(batch)
            return batch
        self._process(batch)
        return batch

    # --- after issuing

    def get(self, campus: Campus, award_id: uuid.UUID) -> AwardRecord:
        return self.awards.get_record_in_campus(award_id, campus.id)

    def history_of(self, campus: Campus, award_id: uuid.UUID) -> list[Happening]:
        self.awards.get_record_in_campus(award_id, campus.id)
        return [
            Happening(entry.at, entry.action, person.name if person else entry.actor_label)
            for entry, person in self.history.list_of("award", award_id)
        ]

    def list_in(
        self,
        campus: Campus,
        *,
        before: tuple[datetime, uuid.UUID] | None = None,
        award_id: uuid.UUID | None = None,
        badge_id: uuid.UUID | None = None,
        activity_id: uuid.UUID | None = None,
        person_id: uuid.UUID | None = None,
        state: AwardState | None = None,
        updated_since: datetime | None = None,
        limit: int = 50,
    ) -> list[AwardRecord]:
        wanted = {
            "id": award_id,
            "badge_id": badge_id,
            "activity_id": activity_id,
            "person_id": person_id,
            "state": state,
        }
        return self.awards.list_in_campus(
            campus.id,
            before=before,
            wanted={name: value for name, value in wanted.items() if value is not None},
            updated_since=updated_since,
            limit=limit,
        )

    def given_in(self, campus: Campus, activity_id: uuid.UUID) -> dict[uuid.UUID, list[GivenBadge]]:
        """The badges that the campus awarded for an activity, by person."""
        given: dict[uuid.UUID, list[GivenBadge]] = {}
        for award_id, person_id, name, state in self.awards.given_in(activity_id, campus.id):
            badge = GivenBadge(award_id, name, state is AwardState.REVOKED)
            given.setdefault(person_id, []).append(badge)
        return given

    def revoke(self, campus: Campus, award_id: uuid.UUID, reason: str, *, by: Actor) -> AwardRecord:
        """Revoke an award permanently; the public status list shows it immediately."""
        record = self.awards.get_record_in_campus(award_id, campus.id)
        self.campuses.lock(campus.id)
        award = self.awards.lock(award_id)
        revoke(award, reason, at=self.clock())
        self.withdrawals.keep(campus, [award], at=self.clock(), by=by)
        return record

    def set_visibility(self, award_id: uuid.UUID, visibility: Visibility, *, by: Actor) -> AwardRecord:
        """The holder makes the award's page public or private."""
        award = self.awards.lock(award_id)
        record = self.awards.get_record(award_id)
        if award.visibility is not visibility:
            if visibility is Visibility.OPEN:
                self.check_may_show(record, by=by)
            award.visibility = visibility
            answer = consent(
                About.PUBLICATION,
                award.person_id,
                given=visibility is Visibility.OPEN,
                at=self.clock(),
                campus_id=award.campus_id,
                award_id=award.id,
            )
            self.consents.add(answer)
            self.awards.save(award)
            action = "open" if visibility is Visibility.OPEN else "close"
            self.history.write(by, action, "award", award.id, at=self.clock(), campus_id=award.campus_id)
        return record

    def check_may_show(self, record: AwardRecord, *, by: Actor) -> None:
        """To everybody, or to one reader who asked: with the consent of a parent under 15, and never more than the
        holder discloses."""
        if needs_guardian_for(record.person, record.activity):
            check_may_open(record.person, self.guardians.decisive_about(record.award.id))
        self._check_documents(record, by=by)

    def _check_documents(self, record: AwardRecord, *, by: Actor) -> None:
        """Reissue outdated documents to contain what the holder discloses; raises for an expired award."""
        if not self.reissuing.is_aligned(record):
            if self.reissuing.has_expired(record.award):
                raise Conflict(
                    "Ce badge a expiré et ne sera plus signé : son fichier montre plus que ce que vous avez choisi, "
                    "et sa page reste fermée."
                )
            self.reissuing.align(record.award.id, by=by)
            if record.award.align_due_at is not None:
                raise Conflict(
                    "Ce badge ne peut pas être signé de nouveau pour ne montrer que ce que vous avez choisi : sa page "
                    "reste fermée. Demandez à votre campus de corriger ses textes."
                )
        record.award.align_due_at = None

    def set_findable(self, award_id: uuid.UUID, is_findable: bool, *, by: Actor) -> None:
        """Whether search engines may index the award's page while it is public."""
        award = self.awards.lock(award_id)
        record = self.awards.get_record(award_id)
        if award.is_findable is not is_findable:
            if is_findable and needs_guardian_for(record.person, record.activity):
                check_may_show_further(record.person, self.consents.of_person(record.person.id), award_id)
            award.is_findable = is_findable
            self.awards.save(award)
            action = "let_search" if is_findable else "keep_from_search"
            self.history.write(by, action, "award", award.id, at=self.clock(), campus_id=award.campus_id)

    def count_found_by_search(self) -> int:
        return self.awards.count_found_by_search()

    def found_by_search(self, *, limit: int, start: int = 0) -> list[uuid.UUID]:
        """Public awards with search indexing enabled, newest first."""
        return self.awards.found_by_search(limit=limit, start=start)

    def example(self) -> uuid.UUID | None:
        """A public sample award, for a deployment with fictional people."""
        award = self.awards.find_open(at=self.clock())
        return award.id if award else None

    def find_by_code(self, code: str) -> uuid.UUID | None:
        """The award with this short code, public or not; None if there is none."""
        numbers = ids_of_code(code)
        return self.awards.find_between(*numbers) if numbers else None

    def check_not_erased(self, award_id: uuid.UUID) -> None:
        """Raises Gone for an award erased at its holder's request."""
        self.awards.check_not_erased(award_id)

    def say_address(self, award_id: uuid.UUID, address: str, *, by: Actor) -> None:
        """Only in the 2.0 rendition, for platforms that identify holders by address; empty removes it."""
        award = self.awards.lock(award_id)
        if address:
            self._check_may_be_recognised(award_id)
        award.older_recipient = hash_of_address(address) if address else ""
        self.awards.save(award)
        action = "say_address" if address else "hide_address"
        self.history.write(by, action, "award", award_id, at=self.clock(), campus_id=award.campus_id)

    def _check_may_be_recognised(self, award_id: uuid.UUID) -> None:
        """By an address: the rule of names."""
        record = self.awards.get_record(award_id)
        if needs_guardian_for(record.person, record.activity):
            raise NotAllowed("Avant 15 ans, rien dans un badge ne permet de reconnaître qui l’a reçu.")

    def answer_checks(self, award_id: uuid.UUID, answers: bool, *, by: Actor) -> None:
        """Whether visitors of the public page may check if an address is the holder's."""
        award = self.awards.lock(award_id)
        if award.answers_checks is answers:
            return
        if answers:
            self._check_may_be_recognised(award_id)
        award.answers_checks = answers
        self.awards.save(award)
        action = "allow_checks" if answers else "refuse_checks"
        self.history.write(by, action, "award", award_id, at=self.clock(), campus_id=award.campus_id)

    def is_of(self, award_id: uuid.UUID, person_id: uuid.UUID) -> bool:
        award = self.awards.find(award_id)
        return award is not None and award.person_id == person_id

    def list_of(self, person_id: uuid.UUID) -> list[AwardRecord]:
        """All awards of one person, from any campus, latest first."""
        return self.awards.list_of_person(person_id)

    def record(self, award_id: uuid.UUID) -> AwardRecord:
        """Any award, for its holder or for public pages, which check its visibility themselves."""
        return self.awards.get_record(award_id)


_VERSION: Final = re.compile(r"/badges/([0-9a-f-]{36})/v([1-9][0-9]{0,5})")
NAMELESS: Final = "Titulaire sans nom"
_SHORTEST_EVIDENCE: Final = 5


@dataclass(frozen=True, eq=False)
class AwardRegistration:
    store: RecoveryStore
    statuses: StatusStore
    campuses: CampusStore
    badges: BadgeStore
    log: ActivityLog
    signing: Signing
    history: HistoryStore
    addresses: Addresses
    clock: Clock

    def register(self, content: bytes, *, by: Actor) -> Award:
        """From signed JSON, plain or inside a picture or PDF. The award can then be revoked."""
        embedded = _embedded_in(content)
        document = parse_json_object(embedded)
        award_id, campus = self._named(document)
        self._check_signed(document, campus)
        self.campuses.lock(campus.id)
        if self.store.there(AWARDS, [award_id]):
            raise Conflict("Cette attribution est déjà dans la base.")
        if self.store.erased([award_id]):
            raise Conflict("Cette attribution a été effacée à la demande de son titulaire.")
        version = self._version(document, campus)
        slot = self._slot(document, campus, award_id)
        person = Person(family_name=_name_in(document) or NAMELESS, created_at=self.clock())
        award = Award(
            id=award_id,
            campus_id=campus.id,
            badge_id=version.badge_id,
            version_id=version.id,
            person_id=person.id,
            subject_id=uuid.UUID(str(_object(document["credentialSubject"])["id"])),
            holder_name=_name_in(document),
            accepted_name=_name_in(document) or "",
            awarded_at=_date(document, "awardedDate") or parse_timestamp(document["validFrom"]),
            valid_until=_date(document, "validUntil"),
        )
        unsigned = {name: value for name, value in document.items() if name != "proof"}
        token = sign_jwt(unsigned, signer=self.signing.signers_of(campus).jwt)
        signed = SignedDocument(
            award_id=award_id,
            embedded=embedded,
            token=token,
            embedded_digest=hashlib.sha256(embedded).hexdigest(),
            token_digest=hashlib.sha256(token.encode()).hexdigest(),
            signed_at=self.clock(),
        )
        self.store.add(person)
        self.store.add(award)
        self.store.add(signed, slot)
        self.log.record(campus, [_registered(award, signed, self.addresses)])
        for table, row in ((PEOPLE, person), (AWARDS, award), (DOCUMENTS, signed), (SLOTS, slot)):
            self.log.notes.add_rows(campus, table, [row])
        self.history.write(by, "register", "award", award.id, at=self.clock(), campus_id=campus.id)
        return award

    def _named(self, document: JsonObject) -> tuple[uuid.UUID, Campus]:
        identifier, issuer = document.get("id"), _object(document.get("issuer")).get("id")
        award_id = self.addresses.award_named_by(identifier) if isinstance(identifier, str) else None
        campus = self.campuses.find_by_did(issuer) if isinstance(issuer, str) else None
        if award_id is None or campus is None:
            raise InvalidInput("Ce fichier n’est pas un badge donné par un campus de ce service.")
        return award_id, campus

    def _check_signed(self, document: JsonObject, campus: Campus) -> None:
        """Signed by a key of the campus that is not known to be stolen."""
        keys = {
            row.method_id: published_key(row).key
            for row in self.campuses.keys_of(campus.id)
            if row.purpose is KeyPurpose.CREDENTIAL and row.state is not KeyState.REVOKED
        }
        try:
            proofs = verify_proofs(document, key_for=lambda method: keys[method], at=self.clock())
        except (CredentialError, KeyError):
            proofs = None
        if proofs is None or proofs.accepted is None:
            raise InvalidInput("La signature de ce fichier ne vaut pas, ou n’est pas d’une clé du campus.")

    def _version(self, document: JsonObject, campus: Campus) -> BadgeVersion:
        achievement = _object(_object(document.get("credentialSubject")).get("achievement")).get("id")
        found = _VERSION.fullmatch(str(achievement).removeprefix(self.addresses.base_url))
        try:
            version = self.badges.get_version(uuid.UUID(found[1]), int(found[2])) if found else None
        except (NotFound, ValueError):
            version = None
        if version is None or self.badges.get(version.badge_id).campus_id != campus.id:
            raise InvalidInput("Le badge de ce fichier n’est plus dans la base : il ne peut pas y revenir.")
        return version

    def _slot(self, document: JsonObject, campus: Campus, award_id: uuid.UUID) -> StatusSlot:
        """The signed status slot; raises if it belongs to another award or was revoked."""
        entry = self._entry(document)
        lists = {self.addresses.status_list(each.id): each for each in self.store.lists_of(campus.id)}
        status_list = lists.get(entry.list_url)
        if status_list is None or not 0 <= entry.index < status_list.size:
            raise InvalidInput("La liste de statuts de ce fichier n’est pas du campus.")
        for taken in self.statuses.slots_at(status_list.id, [entry.index]):
            if taken.raised_at is not None and not self.store.there(AWARDS, [taken.award_id]):
                raise Conflict("Ce badge a été retiré : il n’est pas enregistré de nouveau.")
            raise Conflict("La place de ce fichier dans la liste de statuts est celle d’un autre badge.")
        status_list.used += 1
        self.store.add(status_list)
        return StatusSlot(list_id=status_list.id, position=entry.index, award_id=award_id)

    @staticmethod
    def _entry(document: JsonObject) -> StatusEntry:
        try:
            return read_entry(_object(document.get("credentialStatus")))
        except CredentialError as error:
            raise InvalidInput("Ce fichier n’a pas de place dans une liste de statuts.") from error


def _embedded_in(content: bytes) -> bytes:
    try:
        text = content if content.lstrip()[:1] == b"{" else unbake(content).text.encode()
        parse_json_object(text)
    except (CredentialError, UnicodeDecodeError) as error:
        raise InvalidInput("Donnez le badge signé en JSON, ou son image, ou son PDF.") from error
    return text


def _registered(award: Award, signed: SignedDocument, addresses: Addresses) -> Fact:
    facts = {"award": addresses.award(award.id), "registered": signed.embedded_digest}
    return Fact(EntryKind.CORRECTION, AWARD, award.id, facts, award.person_id)


def _date(document: JsonObject, member: str) -> datetime | None:
    return parse_timestamp(document[member]) if member in document else None


def _name_in(document: JsonObject) -> str | None:
    identifiers = _object(document.get("credentialSubject")).get("identifier")
    for each in identifiers if isinstance(identifiers, list) else [identifiers]:
        entry = _object(each)
        if entry.get("identityType") == "name" and entry.get("hashed") is False:
            return str(entry.get("identityHash"))[:120]
    return None


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


# --- Suspensions: an award that is not valid for a time, and is valid again by itself afterwards

_BY_DATE = Actor.command("worker")


@dataclass(frozen=True, eq=False)
class SuspensionService:
    awards: AwardStore
    campuses: CampusStore
    status: StatusService
    reissuing: ReissueService
    eligibility: EligibilityService
    logged_events: LoggedEvents
    letters: LetterService
    history: HistoryStore
    clock: Clock

    def suspend(
        self, campus: Campus, award_id: uuid.UUID, reason: str, *, until: datetime, by: Actor
    ) -> AwardRecord:
        """The public lists show it immediately, and so does the badge at its address."""
        self.awards.get_record_in_campus(award_id, campus.id)
        self.campuses.lock(campus.id)
        award, at = self.awards.lock(award_id), self.clock()
        suspend(award, reason, until=until, at=at)
        self.status.suspend(campus, award_id, award.suspended_until, at=at)
        entry = self.status.suspension_entry(award_id)
        is_stated = self.reissuing.state_suspension(campus, award, entry, by=by)
        if not is_stated and not self.reissuing.has_expired(award):
            raise Conflict(
                "Ce badge ne peut plus être signé, donc pas suspendu. En cas de doute, retirez-le."
            )
        self._note(campus, award, "suspend", by=by)
        self.letters.tell_of_suspension(award, Occasion.SUSPENDED)
        return self.awards.get_record_in_campus(award_id, campus.id)

    def lift(self, campus: Campus, award_id: uuid.UUID, *, by: Actor) -> AwardRecord:
        """Before its end, by hand, by who may award the badge to its holder."""
        self.eligibility.check_may_give(campus, self.awards.get_record_in_campus(award_id, campus.id), by=by)
        self.campuses.lock(campus.id)
        award = self.awards.lock(award_id)
        if not is_suspended(award, at=self.clock()):
            raise Conflict("Ce badge n’est pas suspendu.")
        self._lift(campus, award, by=by)
        return self.awards.get_record_in_campus(award_id, campus.id)

    def state_again(self, campus: Campus, award_ids: Collection[uuid.UUID], *, by: Actor) -> set[uuid.UUID]:
        """After a restore: new editions of suspended awards; those that cannot be signed again."""
        return {
            award.id
            for award in self.awards.lock_all(sorted(award_ids), campus.id).values()
            if not self.reissuing.state_suspension(
                campus, award, self.status.suspension_entry(award.id), by=by
            )
        }

    def due(self, *, limit: int) -> Sequence[uuid.UUID]:
        return self.status.status.suspensions_ended(at=self.clock(), limit=limit)

    def end(self, award_id: uuid.UUID) -> bool:
        """Write down that a suspension is over. Idempotent."""
        (slot,) = self.status.status.slots_of([award_id])
        campus = self.campuses.lock(self.status.status.get(slot.list_id).campus_id)
        award = self.awards.lock_all([award_id], campus.id).get(award_id)
        at = self.clock()
        if award is not None and is_suspended(award, at=at):
            return False
        if award is None or award.state is AwardState.REVOKED:
            if slot.suspended_until is not None and slot.raised_at is None:
                self.status.suspend(campus, award_id, None, at=at)  # of an erased award
        elif award.suspended_until is not None:
            self._lift(campus, award, by=_BY_DATE)
        return False

    def _lift(self, campus: Campus, award: Award, *, by: Actor) -> None:
        lift_suspension(award)
        self.status.suspend(campus, award.id, None, at=self.clock())
        self.reissuing.state_suspension(campus, award, self.status.revocation_entry(award.id), by=by)
        self._note(campus, award, "lift_suspension", by=by)
        self.letters.tell_of_suspension(award, Occasion.SUSPENSION_LIFTED)

    def _note(self, campus: Campus, award: Award, action: str, *, by: Actor) -> None:
        self.awards.save(award)
        self.logged_events.suspended(campus, award)
        self.history.write(by, action, "award", award.id, at=self.clock(), campus_id=campus.id)
