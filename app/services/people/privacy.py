"""Data export « Mes données » (a person's rows, badges, files and log), erasure, access log, retention."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from app.db.activity_log import ActivityLogStore
from app.db.awards import AwardRecord, AwardStore
from app.db.awards.batches import BatchStore
from app.db.campus import CampusStore, HistoryStore
from app.db.imports import ImportStore
from app.db.messages import LetterStore
from app.db.people import PeopleStore
from app.db.people.privacy import (
    GONE,
    AccessLogStore,
    ConsentStore,
    DataOwner,
    ErasureStore,
    PersonalDataStore,
    RetentionStore,
    held_tables,
    owner_of,
)
from app.domain.accounts.sign_in import Wish, mailbox_token_time, read_mailbox_token
from app.domain.activity_log.recovery import ERASURES
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock
from app.domain.messages import Occasion, letter_to
from app.domain.people import Person
from app.domain.people.consents import (
    KEPT_FOR,
    AccessEvent,
    AccessRecord,
    Erasure,
    StillWorksHere,
    check_reason,
    sentence_of,
)
from app.domain.people.personal_data import HELD, KEPT, DataSubjectMatter
from app.errors import NotFound, NotSignedIn
from app.language import N_, gettext, known_locales, speaking, translated
from app.services.activity_log import ActivityLog, LoggedEvents, LogOutOfStep
from app.services.activity_log.evidence import LogPublication
from app.services.activity_log.personal_log import PersonalLog
from app.services.people.upserts import ApiAnswers
from app.services.publishing import PublicationService, Published
from app.services.publishing.status import StatusService
from app.services.trust.endorsement_requests import EndorsementsTakenBack
from sceau_credentials.keys import encode_base64url
from sceau_credentials.values import JsonObject, dump_json, format_timestamp

ZIP = "application/zip"
_READ_ME: Final = N_("LISEZMOI.txt")
_FORMS = ("json", "jwt", "png", "svg")
Row = Mapping[str, Any]
_INTRO: Final = (
    N_("Mes données"),
    N_("Archive faite le {moment}. Campus qui ont des données sur vous : {campuses}."),
    N_(
        "Tout ce que ce service garde de vous est ici, tel qu’il est rangé : un fichier JSON pour chaque sorte de "
        "données, dans le dossier « donnees ». Les dates sont en temps universel (UTC)."
    ),
)
_OUTRO: Final = (
    N_(
        "Dossier « badges » : chaque badge signé, en JSON et en JWT, et son image en PNG et en SVG. Ils se vérifient "
        "partout. Si ce service fermait, il faudrait connaître la clé du campus."
    ),
    N_(
        "Dossier « journal » : ce que le journal du campus dit de vous, et pour chaque ligne la preuve qu’elle est "
        "dans le journal signé (format C2SP tlog-proof)."
    ),
    N_(
        "Ce qui manque, et pourquoi : l’identité d’autres personnes, et les empreintes de mots de passe, de "
        "clés, de sessions ou de codes. Elles donneraient accès à votre compte à qui trouverait cette archive."
    ),
)


def _check_mailbox(
    letters: LetterStore, people: PeopleStore, record: AwardRecord, occasion: Occasion, token: str
) -> None:
    """A link that was sent to an address which has been corrected since opens nothing."""
    address = letters.address_of(record.award.id, occasion, mailbox_token_time(token))
    if address is not None and address not in people.all_addresses(record.person.id):
        raise NotSignedIn("L’adresse de cet e-mail a été corrigée depuis : ce lien n’ouvre plus rien.")


@dataclass(frozen=True, eq=False)
class ArchiveService:
    personal: PersonalDataStore
    people: PeopleStore
    awards: AwardStore
    campuses: CampusStore
    consents: ConsentStore
    log: ActivityLogStore
    personal_log: PersonalLog
    log_publication: LogPublication
    publication: PublicationService
    letters: LetterStore
    secret: bytes
    clock: Clock

    def ask(self, record: AwardRecord) -> bool:
        """E-mail an archive link to the person's addresses. Returns False if none is known."""
        person, at = record.person, self.clock()
        address = self.people.addresses_of([person.id]).get(person.id, "")
        if address:
            letter = letter_to(
                address,
                Occasion.ARCHIVE,
                record.award.id,
                once=f"{Wish.ARCHIVE.value}/{int(at.timestamp())}",
                campus_id=record.campus.id,
                person_id=person.id,
                at=at,
            )
            self.letters.enqueue_many([letter])
        return bool(address)

    def asked(self, token: str) -> AwardRecord:
        award_id, wish = read_mailbox_token(self.secret, token, at=self.clock())
        if wish is not Wish.ARCHIVE:
            raise NotFound("Ce lien n’ouvre pas d’archive.")
        record = self.awards.get_record(award_id)
        _check_mailbox(self.letters, self.people, record, Occasion.ARCHIVE, token)
        return record

    def make(self, person_id: uuid.UUID, campus: Campus | None = None) -> Published:
        """The data of one campus, or of all; the same rows that an erasure would delete."""
        self.personal.check_knows_every_table()
        reach = {campus.id} if campus else None
        owner = owner_of(self.people.get(person_id), self.people.all_addresses(person_id), reach)
        at, out = self.clock(), io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self._files(owner):
                info = zipfile.ZipInfo(name, date_time=at.timetuple()[:6])
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
        return Published.of(out.getvalue(), ZIP)

    def _files(self, owner: DataOwner) -> Iterator[tuple[str, bytes]]:
        rows = {table.name: self.personal.rows(table, owner) for table in reversed(held_tables())}
        known = self.personal.campuses_of(owner.person_id)
        reached = known if owner.campus_ids is None else known & owner.campus_ids
        campuses = [self.campuses.get_by_id(each) for each in sorted(reached)]
        for language in known_locales():
            with speaking(language):
                yield gettext(_READ_ME), self._readme(rows, campuses).encode()
        for name, found in rows.items():
            yield from _table(name, found)
        yield "consentements.json", dump_json({"consents": self._consents(owner.person_id)})
        for row in rows["award"]:
            yield from self._badge(row["id"])
        yield from self._log(owner.person_id, rows["log_payload"], campuses)

    def _consents(self, person_id: uuid.UUID) -> list[Any]:
        """With the exact text that was shown."""
        return [
            {
                "about": each.about.value,
                "given": each.given,
                "by": each.by.value,
                "at": format_timestamp(each.at),
                "sentence": sentence_of(each),
            }
            for each in self.consents.of_person(person_id)
        ]

    def _badge(self, award_id: uuid.UUID) -> Iterator[tuple[str, bytes]]:
        record = self.awards.find_record(award_id)
        if record is None:
            return
        for form in _FORMS:
            yield f"badges/{award_id}.{form}", self.publication.award_file(record, form).body
        for edition, signed in self.awards.earlier_editions(record.award):
            yield f"badges/{award_id}-edition-{edition}.json", signed.embedded

    def _log(
        self, person_id: uuid.UUID, payloads: list[Row], campuses: list[Campus]
    ) -> Iterator[tuple[str, bytes]]:
        """The log entries, each with its proof of inclusion in the signed log."""
        yield "journal/journal.json", self.personal_log.document(person_id, {each.id for each in campuses})
        by_id = {each.id: each for each in campuses}
        for payload in payloads:
            log = self.log.get(payload["log_id"])
            campus = by_id.get(log.campus_id)
            public = self.log_publication.published(campus, log) if campus else None
            proof = self.log_publication.proof(public, payload["number"]) if public else None
            if campus and proof:
                name = f"journal/{campus.slug}-{log.epoch}-{payload['number']}.tlog-proof"
                yield name, proof.to_text().encode()

    def _readme(self, rows: Mapping[str, list[Row]], campuses: list[Campus]) -> str:
        counts = dict.fromkeys(DataSubjectMatter, 0)
        tables: dict[DataSubjectMatter, list[str]] = {}
        for name, found in rows.items():
            if found:
                counts[HELD[name].matter] += len(found)
                tables.setdefault(HELD[name].matter, []).append(name)
        lines = [translated(each) for each in _INTRO]
        lines[1] = lines[1].format(
            moment=format_timestamp(self.clock()), campuses=", ".join(each.name for each in campuses)
        )
        for matter, keeping in KEPT.items():
            if not counts[matter]:
                continue
            lines.append(
                f"{translated(keeping.what)}\n  donnees/{', '.join(f'{name}.json' for name in tables[matter])}\n"
                f"  {translated(keeping.why)}\n  {translated(keeping.how_long)}. {translated(keeping.right)}."
            )
        return "\n\n".join([*lines, *(translated(each) for each in _OUTRO)]) + "\n"


def _table(name: str, rows: list[Row]) -> Iterator[tuple[str, bytes]]:
    """The rows as JSON; binary values become separate files, referenced by name in the JSON."""
    printed = []
    for number, row in enumerate(rows, 1):
        said: dict[str, Any] = {}
        for column, value in row.items():
            if isinstance(value, bytes | memoryview) and len(value) > 64:
                path = f"donnees/{name}/{number}-{column}"
                said[column] = path
                yield path, bytes(value)
            else:
                said[column] = _said(value)
        printed.append(said)
    if printed:
        yield f"donnees/{name}.json", dump_json({"rows": printed})


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return format_timestamp(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes | memoryview):
        return encode_base64url(bytes(value))
    if isinstance(value, uuid.UUID | date):
        return str(value)
    return value


JSON = "application/json"
MOST_LISTED, _MOST_LOOKS = 200, 100


@dataclass(frozen=True)
class ErasureNotice:
    """An erasure, the responsible campus, and whether its entry is already in a signed tree."""

    erasure: Erasure
    campus: Campus
    is_signed: bool


@dataclass(frozen=True, eq=False)
class ErasureProofs:
    erasures: ErasureStore
    campuses: CampusStore
    log: ActivityLog
    publication: LogPublication

    def get(self, erasure_id: uuid.UUID) -> ErasureNotice:
        erasure = self.erasures.get(erasure_id)
        campus = self.campuses.get_by_id(erasure.campus_id)
        return ErasureNotice(erasure, campus, self._proof(erasure, campus) is not None)

    def of_request(self, erasure_id: uuid.UUID) -> list[ErasureNotice]:
        """This erasure, and those of other campuses from the same request."""
        request_id = self.erasures.get(erasure_id).request_id
        return [self.get(each.id) for each in self.erasures.of_request(request_id)]

    def list_of(self, campus: Campus) -> Sequence[Erasure]:
        return self.erasures.list_of(campus.id, limit=MOST_LISTED)

    def origin_of(self, erasure: Erasure) -> str:
        """The name of the log with the erasure entry."""
        return self.log.store.get(erasure.log_id).origin

    def document(self, notice: ErasureNotice) -> Published:
        """Everything needed to verify, without this service, that the campus recorded the erasure by then."""
        erasure, campus = notice.erasure, notice.campus
        document: JsonObject = {
            "type": "ErasureProof",
            "reference": erasure.reference,
            "campus": {"name": campus.name, "did": campus.did},
            "askedBy": "person" if erasure.by_person else "campus",
            "reach": "everywhere" if erasure.everywhere else "campus",
            "reason": erasure.reason,
            "doneAt": format_timestamp(erasure.done_at),
            "erased": {"badges": erasure.badges, "rows": erasure.erased},
            "log": self._line(erasure, campus),
        }
        return Published.of(dump_json(document), JSON)

    def _line(self, erasure: Erasure, campus: Campus) -> JsonObject:
        """The log entry in clear, its key, and its inclusion proof in a signed checkpoint."""
        log, payload = (
            self.log.store.get(erasure.log_id),
            self.log.store.payload(erasure.log_id, erasure.number),
        )
        (entry,) = self.log.store.numbered(erasure.log_id, [erasure.number])
        line: JsonObject = {
            "origin": log.origin,
            "line": erasure.number,
            "kind": entry.kind.value,
            "at": format_timestamp(entry.at),
        }
        if payload is not None:
            line |= {"says": payload.facts, "key": encode_base64url(payload.key)}
        if proof := self._proof(erasure, campus):
            line["proof"] = proof
        return line

    def _proof(self, erasure: Erasure, campus: Campus) -> str | None:
        public = self.publication.published(campus, self.log.store.get(erasure.log_id))
        found = self.publication.proof(public, erasure.number) if public else None
        return found.to_text() if found else None


@dataclass(frozen=True)
class Foreseen:
    """What an erasure would delete: rows by kind, badges, and the campuses with data."""

    by_matter: Mapping[DataSubjectMatter, int]
    badges: int
    campuses: Sequence[Campus]
    address: str
    """Address for a confirmation; empty if none is known."""
    works: bool  # Has a role there, which has to end first.


_OF_A_LISTED_PERSON = frozenset(
    (
        "person", "person_address", "campus_person", "log_payload", "award", "signed_credential", "award_evidence",
        "newer_credential", "evidence_disclosure", "award_batch", "award_batch_line", "letter", "history_entry",
    )
)  # fmt: skip
"""Tables that a line of a bulk award fills by itself, or a correction of its name."""


@dataclass(frozen=True, eq=False)
class ErasureService:
    personal: PersonalDataStore
    erasures: ErasureStore
    people: PeopleStore
    awards: AwardStore
    campuses: CampusStore
    letters: LetterStore
    imports: ImportStore
    api_answers: ApiAnswers
    batches: BatchStore
    history: HistoryStore
    status: StatusService
    endorsements: EndorsementsTakenBack
    logged_events: LoggedEvents
    log: ActivityLog
    secret: bytes
    clock: Clock

    # --- preview

    def foresee(self, person_id: uuid.UUID, campus: Campus | None = None) -> Foreseen:
        """At one campus, or at all that know the person."""
        person = self.people.get(person_id)
        known = self.personal.campuses_of(person_id)
        reached = known if campus is None else {campus.id}
        counts = self.personal.counts(self._owner(person, reached, whole=reached >= known))
        return Foreseen(
            by_matter(counts),
            counts["award"],
            [self.campuses.get_by_id(each) for each in sorted(reached)],
            self.people.addresses_of([person_id]).get(person_id, ""),
            self.personal.works_at(person_id, None if reached >= known else reached, at=self.clock()),
        )

    def ask(self, record: AwardRecord, *, everywhere: bool) -> bool:
        """The holder of the private link asks; the person confirms by e-mail. False: no known address."""
        person, campus_id, at = record.person, record.campus.id, self.clock()
        self._check_does_not_work(person.id, None if everywhere else {campus_id}, asks=True)
        address = self.people.addresses_of([person.id]).get(person.id, "")
        if not address:
            return False
        wish = Wish.ERASURE_EVERYWHERE if everywhere else Wish.ERASURE_HERE
        once, award_id = f"{wish.value}/{int(at.timestamp())}", record.award.id
        letter = letter_to(
            address, Occasion.ERASURE, award_id, once=once, campus_id=campus_id, person_id=person.id, at=at
        )
        self.letters.enqueue_many([letter])
        return True

    def asked(self, token: str) -> tuple[AwardRecord, bool]:
        """The request behind an e-mail's link: the award, and whether for all campuses."""
        award_id, wish = read_mailbox_token(self.secret, token, at=self.clock())
        if wish is Wish.ARCHIVE:
            raise NotFound("Ce lien n’efface rien : il ouvre une archive.")
        record = self.awards.get_record(award_id)
        _check_mailbox(self.letters, self.people, record, Occasion.ERASURE, token)
        return record, wish is Wish.ERASURE_EVERYWHERE

    # --- erasure

    def confirm(self, token: str) -> list[Erasure]:
        record, everywhere = self.asked(token)
        campus = None if everywhere else record.campus
        return self._erase(record.person, campus, by_person=True, reason="", by=Actor(label=GONE))

    def process_chunk(self, campus: Campus, person_id: uuid.UUID, reason: str, *, by: Actor) -> Erasure:
        """By the campus, for its own data only: it may not erase another campus's data."""
        self.campuses.lock(campus.id)
        person = self.people.get(person_id)
        if campus.id not in self.personal.campuses_of(person_id):
            raise NotFound("Cette personne n’existe pas ici.")
        addresses = self.people.all_addresses(person.id)
        reason = check_reason(reason, [person.given_name, person.family_name, *addresses])
        return self._erase(person, campus, by_person=False, reason=reason, by=by)[0]

    def forget_listed(
        self, campus: Campus, person_id: uuid.UUID, batch_id: uuid.UUID, reason: str, *, by: Actor
    ) -> bool:
        """Erase a person of whom nothing is known but a line of one undone bulk award.

        Returns whether that was so; otherwise nothing changes.
        """
        person = self.people.get(person_id)
        counts = self.personal.counts(self._owner(person, {campus.id}, whole=True))
        traces = {name for name, number in counts.items() if number and name not in _OF_A_LISTED_PERSON}
        known = self.personal.campuses_of(person_id)
        if traces or counts["award"] > 1 or known - {campus.id}:
            return False
        self.batches.unname_lines(batch_id, person_id)
        self._erase(
            person, campus, by_person=False, reason=reason, by=by, leaves_totals=False, known={campus.id}
        )
        return True

    def _erase(
        self,
        person: Person,
        campus: Campus | None,
        *,
        by_person: bool,
        reason: str,
        by: Actor,
        leaves_totals: bool = True,
        known: set[uuid.UUID] | None = None,
    ) -> list[Erasure]:
        """`known`: the campuses with data about the person, if already read."""
        if known is None:
            # No badge is awarded meanwhile, and two erasures do not wait for each other.
            self.campuses.lock_all(self.personal.campuses_of(person.id) if campus is None else {campus.id})
            self.people.lock_all([person.id], to_erase=True)
            known = self.personal.campuses_of(person.id)
            if not known:
                raise NotFound("Ces données viennent d’être effacées.")
        reached = known if campus is None else {campus.id}
        whole = reached >= known
        self._check_does_not_work(person.id, None if whole else reached)
        at, request_id = self.clock(), uuid.uuid4()
        awards = self.erasures.awards_of(person.id, reached)
        campuses = [self.campuses.get_by_id(each) for each in sorted(reached)]
        done = []
        for each in campuses:
            theirs = [award_id for award_id, campus_id in awards.items() if campus_id == each.id]
            counts = self.personal.counts(self._owner(person, {each.id}, whole=len(campuses) == 1 and whole))
            self.status.raise_for(each, theirs, at=at)
            self.endorsements.raise_for(theirs)
            erasure = Erasure(
                campus_id=each.id,
                request_id=request_id,
                everywhere=campus is None,
                by_person=by_person,
                reason=reason,
                done_at=at,
                erased={matter.value: number for matter, number in by_matter(counts).items()},
                badges=len(theirs),
                log_id=uuid.UUID(int=0),
                number=0,
            )
            line = self.logged_events.forget(person.id, each, erasure.id)
            erasure.log_id, erasure.number = line.log_id, line.number
            done.append(erasure)
        owner = self._owner(person, reached, whole=whole)
        self._delete(person, awards, owner, reached)
        self.personal.erase(owner, leaves_totals=leaves_totals)
        self.awards.forget_objects(awards)
        for each, erasure in zip(campuses, done, strict=True):
            self.keep(each, erasure, at=at, by=by)
            self._sign(each)
        return done

    def erase_in_copy(self, campus: Campus, person_id: uuid.UUID) -> None:
        """Once more, in a restored copy: roles had ended, and lists are signed afterwards."""
        here, known = {campus.id}, self.personal.campuses_of(person_id)
        if campus.id not in known:
            return
        person = self.people.get(person_id)
        awards = self.erasures.awards_of(person_id, here)
        self.status.status.raise_slots(self.status.status.slots_of(list(awards)), at=self.clock())
        self.endorsements.raise_for(list(awards))
        owner = self._owner(person, here, whole=known == here)
        self._delete(person, awards, owner, here)
        self.personal.erase(owner)
        self.awards.forget_objects(awards)

    def _delete(
        self, person: Person, awards: dict[uuid.UUID, uuid.UUID], owner: DataOwner, here: set[uuid.UUID]
    ) -> None:
        self.erasures.bury(awards, at=self.clock())
        if owner.campus_ids is None:
            self.erasures.bury_portfolios(person.id, at=self.clock())
        self.imports.forget_person(person, owner.addresses, here)
        self.api_answers.forget_person(person, owner.addresses, here)

    def keep(self, campus: Campus, erasure: Erasure, *, at: datetime, by: Actor) -> None:
        self.erasures.add(erasure)
        self.log.notes.add_rows(campus, ERASURES, [erasure.model_dump()])
        self.history.write(by, "erase", "erasure", erasure.id, at=at, campus_id=campus.id)

    def _sign(self, campus: Campus) -> None:
        """Completes the proof immediately; a log that must not be signed does not block the erasure."""
        with suppress(LogOutOfStep):
            self.log.checkpoint(campus)

    def _owner(self, person: Person, campus_ids: Collection[uuid.UUID], *, whole: bool) -> DataOwner:
        return owner_of(person, self.people.all_addresses(person.id), None if whole else campus_ids)

    def _check_does_not_work(
        self, person_id: uuid.UUID, campus_ids: Collection[uuid.UUID] | None, *, asks: bool = False
    ) -> None:
        """Staff data is the campus's responsibility: roles must be removed first. `asks`: the person reads it."""
        if self.personal.works_at(person_id, campus_ids, at=self.clock()):
            raise StillWorksHere(_YOU_WORK if asks else _THEY_WORK)


_YOU_WORK = N_("Vous travaillez encore pour un campus : son administration retire d’abord vos rôles.")
_THEY_WORK = N_("Cette personne travaille encore pour un campus : retirez d’abord ses rôles, à « L’équipe ».")


def by_matter(counts: Mapping[str, int]) -> dict[DataSubjectMatter, int]:
    """Row counts by kind, without zeros; history rows are anonymised, not deleted."""
    found = dict.fromkeys(DataSubjectMatter, 0)
    for table, number in counts.items():
        found[HELD[table].matter] += number
    return {
        matter: number
        for matter, number in found.items()
        if number and matter is not DataSubjectMatter.HISTORY
    }


@dataclass(frozen=True, eq=False)
class AccessLog:
    looks: AccessLogStore
    clock: Clock

    def note(
        self, campus_id: uuid.UUID, person_id: uuid.UUID, viewer_id: uuid.UUID, looked_at: AccessRecord
    ) -> None:
        if viewer_id != person_id:  # people may view their own data unnoted
            self.looks.note(campus_id, person_id, viewer_id, looked_at, day_in_france(self.clock()))

    def of(self, person: Person, campus: Campus) -> Sequence[tuple[AccessEvent, Person | None]]:
        return self.looks.of(campus.id, person.id, limit=_MOST_LOOKS)

    def forget_old(self) -> None:
        self.looks.forget_before((self.clock() - KEPT_FOR).date())


@dataclass(frozen=True, eq=False)
class RetentionService:
    store: RetentionStore
    clock: Clock

    def is_due(self) -> bool:
        return self.store.is_due(self.clock())

    def delete_some(self) -> bool:
        return self.store.delete_some(self.clock()) > 0  # whether more remain
