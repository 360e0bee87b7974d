"""Reissue an award as a new edition: same identifier, URL and status slot.

Open Badges 3.0 identifies editions of one badge by `id` and `issuer.id`, and the newer one by `validFrom`
(A-033, A-034); `awardedDate` is unchanged. The earlier edition is not revoked: its content remains true.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from typing import Final

from app.db.activities import ActivityStore
from app.db.awards import AwardRecord, AwardStore
from app.db.awards.batches import HolderStore
from app.db.campus import CampusStore, HistoryStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.domain.activities import Activity
from app.domain.activity_log import ASSESSMENT, PARTICIPATION
from app.domain.activity_log.recovery import AWARDS, EVIDENCE, NEWER
from app.domain.awards import Award, AwardState, NewerDocument, Visibility, next_edition_at, reissue, renew
from app.domain.awards.open_badges import (
    Disclosed,
    DisclosedContent,
    activity_as_logged,
    least_shown,
    with_disclosed,
)
from app.domain.awards.skills import practice_as_signed
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, SealedKey
from app.domain.core import Clock, name_as_signed
from app.domain.messages import LetterState, Occasion, corrections_of, letter_about
from app.domain.people import are_spellings
from app.domain.people.consents import needs_guardian_for
from app.domain.publishing import Addresses
from app.errors import Conflict, InvalidInput, NotAllowed
from app.language import N_
from app.services.awards.award_evidence import AwardEvidenceService
from app.services.awards.award_issuer import prepared_documents, refusal_for_trainer
from app.services.badges import BadgeService
from app.services.publishing.status import Signing
from sceau_credentials.errors import CredentialError
from sceau_credentials.issuing import Batch
from sceau_credentials.values import JsonObject, JsonValue, format_timestamp, parse_json_object

_AT_ONCE: Final = 25
"""Awards signed per transaction."""
_TRIED_AGAIN_AFTER: Final = timedelta(days=1)
NAME_NOT_ACCEPTED: Final = N_(
    "Le campus n’a pas encore accepté votre nom pour ce badge. Demandez-le-lui dans « Mon compte », « Mon nom »."
)
EXPIRED: Final = N_("Ce badge a expiré et ne sera plus signé : ce qu’il dit ne change plus.")


@dataclass(frozen=True, eq=False)
class ReissueService:
    awards: AwardStore
    campuses: CampusStore
    activities: ActivityStore
    badges: BadgeService
    grounds: AwardEvidenceService
    signing: Signing
    history: HistoryStore
    addresses: Addresses
    clock: Clock

    def choose_name(self, award: Award, with_name: bool, *, name: str, by: Actor) -> bool:
        """The holder's choice for one of their badges; returns whether it was reissued.

        `name` is written if it is a spelling of the one that the campus knows, else that one: another name
        waits for the campus, whatever the person's record contains.
        """
        campus, award = self.campuses.get_by_id(award.campus_id), self.awards.lock(award.id)
        if with_name and not campus.names_in_credentials:
            raise NotAllowed("Ce campus n’écrit aucun nom dans ses badges.")
        wanted = name_to_write(award, name) if with_name else None
        if not with_name:
            # A badge without a name also answers no address checks until its holder enables them.
            award.answers_checks = False
        if award.holder_name == wanted:
            return False
        if self.has_expired(award):
            if with_name:
                raise Conflict(EXPIRED)
            self._close_expired(award, by=by)
            return False
        record = self.awards.get_record(award.id)
        if with_name and needs_guardian_for(record.person, record.activity):
            raise NotAllowed(
                "Avant 15 ans, aucun nom n’est écrit dans un badge : il n’y en a pas besoin pour le vérifier."
            )
        self._reissue(campus, award, wanted, why="name_choice", by=by)
        return True

    def write_name(self, awards: Sequence[Award], name: str, *, by: Actor) -> list[Award]:
        """Reissue those of these badges that contain a spelling of `name`; returns those that were changed.

        Expired ones cannot be reissued and are left unchanged.
        """
        changed = [
            award
            for award in awards
            if award.holder_name not in (None, name)
            and are_spellings(award.campus_name, name)
            and not self.has_expired(award)
        ]
        for award in changed:
            self._reissue(self.campuses.get_by_id(award.campus_id), award, name, why="name", by=by)
        return changed

    def was_ever_named(self, award: Award) -> bool:
        """Whether any edition contains a name, removed since or not."""
        return award.holder_name is not None or any(
            name_in(parse_json_object(document.embedded)) is not None
            for _edition, document in self.awards.earlier_editions(award)
        )

    def renew(self, campus: Campus, award_id: uuid.UUID, evidence: str, *, by: Actor) -> AwardRecord:
        """A new edition with a later end, at the same address: the badge is the renewed one."""
        record = self.awards.get_record(award_id)
        award, days = self.awards.lock(award_id), self._days_of(record)
        renew(award, days=days, evidence=evidence, at=self.clock(), zone=campus.time_zone)
        assert award.valid_until is not None, "it has just been given an end"
        content = self.document_as(record, self.disclosed_of(record))
        content["validUntil"] = format_timestamp(award.valid_until)
        name = None if needs_guardian_for(record.person, record.activity) else award.holder_name
        self._reissue(campus, award, name, why="renewal", by=by, content=content)
        return self.awards.get_record(award_id)

    def _days_of(self, record: AwardRecord) -> int:
        """By the badge as it is awarded now, or as it was if it no longer ends."""
        current = self.badges.badges.current_version(record.badge.id)
        return current.validity_days or record.version.validity_days or 0

    def align(self, award_id: uuid.UUID, *, by: Actor) -> bool:
        """Reissue an award unless its documents contain exactly what its holder discloses. Idempotent.

        An expired award becomes private. One with texts that must not be signed any more stays marked: it
        is not published, and retried a day later.
        """
        record = self.awards.get_record(award_id)
        award = self.awards.lock(award_id)
        if self.is_aligned(record):
            self._set_aligned(award)
            return False
        if self.has_expired(award):
            self._close_expired(award, by=by)
            return True
        wanted = self.document_as(record, self.disclosed_of(record))
        name = None if needs_guardian_for(record.person, record.activity) else award.holder_name
        try:
            self._reissue(record.campus, award, name, why="disclosure", by=by, content=wanted)
        except InvalidInput:
            award.align_due_at = self.clock() + _TRIED_AGAIN_AFTER
            self.awards.save(award)
            return False
        self._set_aligned(award)
        return True

    def replace_key(self, record: AwardRecord, *, by: Actor) -> bool:
        """The same content under the campus's current key; False where that cannot be signed any more."""
        award = self.awards.lock(record.award.id)
        if award.state is AwardState.REVOKED or self.has_expired(award):
            return False
        name = None if needs_guardian_for(record.person, record.activity) else award.holder_name
        try:
            self._reissue(record.campus, award, name, why="stolen_key", by=by)
        except InvalidInput:
            return False
        return True

    def state_suspension(self, campus: Campus, award: Award, entry: JsonObject, *, by: Actor) -> bool:
        """A new edition with this status entry; False where the award cannot be signed again.

        Open Badges 3.0 allows one status entry (A-031): an edition signed while the award is suspended has that
        of the suspensions instead of that of the revocations.
        """
        if self.has_expired(award):
            return False
        record = self.awards.get_record(award.id)
        content = self.document_as(record, self.disclosed_of(record)) | {"credentialStatus": entry}
        name = None if needs_guardian_for(record.person, record.activity) else award.holder_name
        try:
            self._reissue(campus, award, name, why="suspension", by=by, content=content)
        except InvalidInput:
            return False
        return True

    def _set_aligned(self, award: Award) -> None:
        if award.align_due_at is not None:
            award.align_due_at = None
            self.awards.save(award)

    def _close_expired(self, award: Award, *, by: Actor) -> None:
        award.align_due_at = None
        if award.visibility is Visibility.OPEN:
            award.visibility = Visibility.CLOSED
            self.history.write(by, "close", "award", award.id, at=self.clock(), campus_id=award.campus_id)
        self.awards.save(award)

    def has_expired(self, award: Award) -> bool:
        """Expired awards cannot be reissued: if they disclose too much, their page becomes private."""
        soon = next_edition_at(award, at=self.clock()) + timedelta(minutes=1)
        return award.valid_until is not None and award.valid_until <= soon

    def would_close(self, record: AwardRecord, chosen: Mapping[int, DisclosedContent]) -> bool:
        """Whether an expired award's page would have to become private with this choice."""
        return self.has_expired(record.award) and not self.is_aligned(record, chosen)

    def is_aligned(self, record: AwardRecord, chosen: Mapping[int, DisclosedContent] | None = None) -> bool:
        """Whether the newest documents contain exactly what the holder (or this choice) discloses."""
        before = parse_json_object(self.awards.document_of(record.award.id).embedded)
        wanted = self.document_as(record, self.disclosed_of(record, chosen), before=before)
        named = record.award.holder_name is not None
        if named and needs_guardian_for(record.person, record.activity):
            return False
        return all(
            _without_spacing(wanted.get(part)) == _without_spacing(before.get(part))
            for part in _DISCLOSED_PARTS
        )

    def document_as(
        self, record: AwardRecord, disclosed: Disclosed, *, before: JsonObject | None = None
    ) -> JsonObject:
        """The newest document of an award with this disclosure; also for previews."""
        if before is None:
            before = parse_json_object(self.awards.document_of(record.award.id).embedded)
        activity, then = self.logged_activity(record)
        practice = self.badges.practice_of(record.version, activity, then)
        earlier = self.awards.earlier_editions(record.award) if practice.organisers else []
        documents = [*(parse_json_object(each.embedded) for _, each in earlier), before]
        return with_disclosed(
            before,
            record.award,
            version=record.version,
            campus=record.campus,
            activity=activity,
            addresses=self.addresses,
            disclosed=disclosed,
            practice=practice_as_signed(practice, documents, record.award, record.version, record.campus),
        )

    def logged_activity(self, record: AwardRecord) -> tuple[Activity | None, Sequence[str] | None]:
        """The activity as the award's log entry states it, since it may have been amended, and the ids of the
        competencies that it practised; None without such an entry."""
        row, activity = self.grounds.evidence.find(record.award.id), record.activity
        payloads = self.grounds.evidence.payloads(row) if row and activity else []
        facts = {each.noun_id: each.facts for each in payloads if each.noun == PARTICIPATION}
        of = self.activities.activities_of(facts)
        logged = next((facts[one] for one, each in of.items() if each.id == record.award.activity_id), None)
        if activity is None or logged is None:
            return activity, None
        return activity_as_logged(activity, logged), logged.get("practised", ())

    def disclosed_of(
        self, record: AwardRecord, chosen: Mapping[int, DisclosedContent] | None = None
    ) -> Disclosed:
        """What the holder's choice per log entry, or `chosen` instead, discloses in the signed documents."""
        evidence, award = self.grounds.evidence, record.award
        row, bounds = evidence.find(award.id), evidence.bounds_of(award.id)
        if row is None:
            return Disclosed.uniform(bounds.default)
        shown = dict(evidence.shown(row))
        shown |= {number: bounds.apply(each) for number, each in (chosen or {}).items() if number in shown}
        payloads = evidence.payloads(row)
        parts = {each.noun_id: shown[each.number] for each in payloads if each.noun == PARTICIPATION}
        activities = self.activities.activities_of(parts)
        return Disclosed(
            activity=_least(
                level
                for one, level in parts.items()
                if one in activities and activities[one].id == award.activity_id
            ),
            grounds=_least(parts.values()),
            assessment=_least(shown[each.number] for each in payloads if each.noun == ASSESSMENT),
        )

    def _reissue(
        self,
        campus: Campus,
        award: Award,
        name: str | None,
        *,
        why: str,
        by: Actor,
        content: JsonObject | None = None,
    ) -> None:
        """`content`: the document's content, if more than the name changes."""
        # A key is retired with the log locked: none that ended meanwhile signs.
        self.grounds.logged_events.log.open(campus)
        before = content or parse_json_object(self.awards.document_of(award.id).embedded)
        now = self.clock()
        at, signers = next_edition_at(award, at=now), self.signing.signers_of(campus)
        document = _with_name(before, name, valid_from=format_timestamp(at))
        batch = Batch(signer=signers.embedded, jwt_signer=signers.jwt, at=at)
        # Before any write: a caller may continue if the texts cannot be signed.
        [unfit] = prepared_documents([document], batch)
        if isinstance(unfit, InvalidInput):
            raise unfit
        reissue(award, name, at=now, also_revoked=content is not None)
        assert award.reissued_at == at, "it was reissued just now"
        grounded = self.grounds.decide_again(campus, award, document, batch.signing_key)
        try:
            signed = batch.issue(grounded.document if grounded else document)
        except CredentialError as error:
            raise refusal_for_trainer(error) from error
        newer = NewerDocument(
            award_id=award.id,
            edition=award.edition,
            embedded=signed.embedded,
            token=signed.token,
            embedded_digest=hashlib.sha256(signed.embedded).hexdigest(),
            token_digest=hashlib.sha256(signed.token.encode()).hexdigest(),
            signed_at=award.reissued_at,
        )
        self.awards.add_newer(award, newer)
        notes = self.grounds.logged_events.log.notes
        notes.add_rows(campus, AWARDS, [award])
        notes.add_rows(campus, NEWER, [newer])
        if grounded:
            self.grounds.store.replace(grounded.row)
            notes.add_rows(campus, EVIDENCE, [grounded.row])
        self.history.write(
            by,
            "reissue",
            "award",
            award.id,
            at=self.clock(),
            campus_id=campus.id,
            edition=award.edition,
            why=why,
        )


@dataclass(frozen=True, eq=False)
class AwardAlignment:
    """Aligns awards with documents from earlier rules, or facts changed since, in chunks."""

    awards: AwardStore
    campuses: CampusStore
    reissuing: ReissueService
    clock: Clock

    def campuses_due(self) -> list[uuid.UUID]:
        return self.awards.campuses_to_align(self.clock())

    def count_waiting(self) -> int:
        """Awards of all campuses that could not be aligned yet."""
        return self.awards.count_to_align()

    def align_some(self, campus_id: uuid.UUID, *, by: Actor) -> int:
        """Returns how many were checked, 0 when done. Adults' private awards are aligned when made public."""
        self.campuses.lock(campus_id)
        if released := self.awards.release_closed(campus_id, limit=_AT_ONCE * 20):
            return released
        waiting = self.awards.to_align(campus_id, self.clock(), limit=_AT_ONCE)
        self.awards.lock_all(waiting, campus_id)
        for award_id in waiting:
            self.reissuing.align(award_id, by=by)
        return len(waiting)

    def mark_all(self, campus_id: uuid.UUID) -> None:
        """Mark every award that is public, or a minor's, to be checked again."""
        self.awards.mark_to_align(self.clock(), campus_id=campus_id)


class Fate(StrEnum):
    """What became of an award that a stolen key had signed."""

    SIGNED_AGAIN = "signed_again"
    WITHDRAWN = "withdrawn"
    """Stays so; it is not signed again."""
    EXPIRED = "expired"
    REFUSED = "refused"
    """Its texts may not be signed any more."""


@dataclass(frozen=True)
class KeyReportLine:
    """One award that a stolen key had signed."""

    record: AwardRecord
    address: str
    """Where its holder reads e-mail; empty: hand over another way."""
    was_after: bool
    """Awarded when the key may already have been stolen: compare it with what the campus remembers."""
    fate: Fate
    letter: LetterState | None
    """Of the notice to its holder; None where there is none."""


@dataclass(frozen=True, eq=False)
class StolenKeys:
    """Signs again what a stolen key had signed, a few badges at a time, and notifies each holder once."""

    awards: AwardStore
    holders: HolderStore
    people: PeopleStore
    letters: LetterStore
    reissuing: ReissueService
    clock: Clock

    def awards_by_holder(self, campus: Campus) -> list[list[uuid.UUID]]:
        """Every badge of the campus; those of one person are together."""
        rows = self.holders.awards_by_holder(campus.id)
        return [[award_id for award_id, _ in held] for _, held in groupby(rows, key=itemgetter(1))]

    def sign_again(self, campus: Campus, key: SealedKey, award_ids: Sequence[uuid.UUID], *, by: Actor) -> int:
        """Returns how many badges were signed again. Idempotent: what the key has not signed last stays.

        All are locked before the first is logged: who holds a badge may wait for the log.
        """
        signed: dict[uuid.UUID, list[Award]] = {}
        held = self.awards.lock_all(award_ids, campus.id)
        for award in (held[each] for each in award_ids if each in held):
            if not _is_signed_with(self.awards.document_of(award.id).embedded, key):
                continue
            if self.reissuing.replace_key(self.awards.get_record(award.id), by=by):
                signed.setdefault(award.person_id, []).append(award)
        for person_id, awards in signed.items():
            self._tell(person_id, awards)
        return sum(map(len, signed.values()))

    def _tell(self, person_id: uuid.UUID, signed: Sequence[Award]) -> None:
        """Skips badges not announced yet; renews an unsent notice of a corrected name."""
        address = self.people.addresses_of([person_id]).get(person_id, "")
        waiting = [
            letter
            for letter in self.letters.of_awards(award.id for award in signed)
            if letter.state is LetterState.WAITING
        ]
        unheard = {letter.award_id for letter in waiting if letter.occasion == Occasion.AWARDED}
        corrected = {
            letter.award_id: letter
            for letter in waiting
            if letter.occasion == Occasion.NAME_CORRECTED and letter.award_id is not None
        }
        notified = [award for award in signed if award.id not in unheard]
        if not address or not notified:
            return
        at = self.clock()
        letters = [
            letter_about(award, address, Occasion.KEY_REPLACED, once=str(award.edition), at=at)
            for award in notified
        ]
        for letter in letters:
            letter.envelope = letters[0].id
        renewed = [award for award in notified if award.id in corrected]
        self.letters.enqueue_many([*letters, *corrections_of(renewed, address, corrected, at=at)])

    def report(
        self, campus: Campus, key: SealedKey, award_ids: Sequence[uuid.UUID]
    ) -> Iterator[KeyReportLine]:
        """From what is stored, so that it is the same after an interruption."""
        assert key.revoked_at is not None, "a stolen key is revoked"
        records = {each.award.id: each for each in self.awards.records_among(award_ids, campus.id)}
        addresses = self.people.addresses_of({each.person.id for each in records.values()})
        for record in (records[each] for each in award_ids if each in records):
            is_signed = _is_signed_with(self.awards.document_of(record.award.id).embedded, key)
            earlier = (each.embedded for _edition, each in self.awards.earlier_editions(record.award))
            if not is_signed and not any(_is_signed_with(embedded, key) for embedded in earlier):
                continue
            notified = [
                letter.state
                for letter in self.letters.of_awards([record.award.id])
                if letter.occasion == Occasion.KEY_REPLACED
            ]
            yield KeyReportLine(
                record,
                addresses.get(record.person.id, ""),
                was_after=record.award.awarded_at >= key.revoked_at,
                fate=self._fate(record.award) if is_signed else Fate.SIGNED_AGAIN,
                letter=notified[-1] if notified else None,
            )

    def _fate(self, award: Award) -> Fate:
        if award.state is AwardState.REVOKED:
            return Fate.WITHDRAWN
        return Fate.EXPIRED if self.reissuing.has_expired(award) else Fate.REFUSED


def _is_signed_with(embedded: bytes, key: SealedKey) -> bool:
    proofs = parse_json_object(embedded).get("proof")
    return any(
        isinstance(proof, dict) and proof.get("verificationMethod") == key.method_id
        for proof in _listed(proofs)
    )


def _least(levels: Iterable[DisclosedContent]) -> DisclosedContent:
    """Missing lines disclose nothing."""
    found = list(levels)
    return least_shown(*found) if found else DisclosedContent.EXISTENCE


_DISCLOSED_PARTS = ("credentialSubject", "evidence")


def _without_spacing(value: JsonValue | None) -> JsonValue | None:
    """`value` with plain spaces: sentences were signed without no-break spaces until December 2026."""
    match value:
        case str():
            return value.replace("\u00a0", " ").replace("\u202f", " ")
        case list():
            return [_without_spacing(each) for each in value]
        case dict():
            return {name: _without_spacing(each) for name, each in value.items()}
        case _:
            return value


def name_to_write(award: Award, name: str) -> str:
    """`name` as written if the campus knows the person by it, else as the campus wrote or accepted it."""
    if not award.campus_name:
        raise Conflict(NAME_NOT_ACCEPTED)
    return name if are_spellings(award.campus_name, name) else award.campus_name


def name_in(document: JsonObject) -> str | None:
    """The holder's name in a signed badge."""
    subject = document.get("credentialSubject")
    for each in _listed(subject.get("identifier")) if isinstance(subject, dict) else ():
        if isinstance(each, dict) and each.get("identityType") == "name" and each.get("hashed") is False:
            return str(each.get("identityHash"))
    return None


def _with_name(document: JsonObject, name: str | None, *, valid_from: str) -> JsonObject:
    """The earlier edition's content without its proof, evidence digest and name."""
    kept = {key: value for key, value in document.items() if key not in ("proof", "relatedResource")}
    subject = kept["credentialSubject"]
    assert isinstance(subject, dict), "we signed one subject"
    others: list[JsonValue] = [
        each
        for each in _listed(subject.get("identifier"))
        if not (isinstance(each, dict) and each.get("identityType") == "name")
    ]
    if name is not None:
        others.append(
            {
                "type": "IdentityObject",
                "hashed": False,
                "identityHash": name_as_signed(name),
                "identityType": "name",
            }
        )
    said = {key: value for key, value in subject.items() if key != "identifier"}
    return {
        **kept,
        "validFrom": valid_from,
        "credentialSubject": {**said, "identifier": others} if others else said,
    }


def _listed(value: JsonValue) -> list[JsonValue]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
