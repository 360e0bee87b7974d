"""« Mes données » as one file to take along: every row about somebody, their badges, their files and their log."""

from __future__ import annotations

import io
import uuid
import zipfile
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any, Final

from app.db.activity_log.activity_log import ActivityLogStore
from app.db.awards.awards import AwardRecord, AwardStore
from app.db.campus.campus import CampusStore
from app.db.messages.letters import LetterStore
from app.db.people.people import PeopleStore
from app.db.privacy.consents import ConsentStore
from app.db.privacy.personal_data import PersonalDataStore, Whose, held_tables, whose_of
from app.domain.accounts.mailbox_links import Wish, read_mailbox_token
from app.domain.campus.campus import Campus
from app.domain.core.clock import Clock
from app.domain.messages.letters import Occasion, letter_to
from app.domain.privacy.consents import sentence_of
from app.domain.privacy.personal_data import HELD, Matter
from app.domain.privacy.retention import KEPT
from app.errors import NotFound
from app.language import N_, speaking
from app.language.typography import say
from app.services.activity_log.publication import LogPublication
from app.services.learners.personal_log import PersonalLog
from app.services.publishing.publication import PublicationService, Published
from sceau_credentials.keys import encode_base64url
from sceau_credentials.values.json_text import dump_json
from sceau_credentials.values.timestamps import format_timestamp

ZIP = "application/zip"
_FORMS = ("json", "jwt", "png", "svg")
Row = Mapping[str, Any]
_INTRO: Final = (
    N_("Mes données"),
    N_("Archive faite le {moment}. Campus qui tiennent quelque chose de vous : {campuses}."),
    N_(
        "Tout ce que ce service garde de vous est ici, tel qu’il est rangé : un fichier JSON pour chaque sorte de "
        "données, dans le dossier « donnees ». Les dates sont en temps universel (UTC)."
    ),
)
_OUTRO: Final = (
    N_(
        "Dossier « badges » : chaque badge signé, en JSON et en JWT, et son image en PNG et en SVG. Ils se vérifient "
        "partout, même si ce service fermait."
    ),
    N_(
        "Dossier « journal » : ce que le journal du campus dit de vous, et pour chaque ligne la preuve qu’elle est "
        "dans le journal signé (format C2SP tlog-proof)."
    ),
    N_(
        "Ce qui manque, et pourquoi : l’identité d’autres personnes, et les empreintes de mots de passe, de clés, de "
        "sessions ou de codes, qui ouvriraient une porte à qui trouverait cette archive."
    ),
)


class ArchiveService:
    def __init__(
        self,
        personal: PersonalDataStore,
        people: PeopleStore,
        awards: AwardStore,
        campuses: CampusStore,
        consents: ConsentStore,
        log: ActivityLogStore,
        personal_log: PersonalLog,
        log_publication: LogPublication,
        publication: PublicationService,
        letters: LetterStore,
        secret: bytes,
        clock: Clock,
    ) -> None:
        self.personal = personal
        self.people = people
        self.awards = awards
        self.campuses = campuses
        self.consents = consents
        self.log = log
        self.personal_log = personal_log
        self.log_publication = log_publication
        self.publication = publication
        self.letters = letters
        self.secret = secret
        self.clock = clock

    def ask(self, record: AwardRecord) -> bool:
        """Whoever reads the person's letters gets the archive. False: nowhere to write."""
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
            self.letters.promise_many([letter])
        return bool(address)

    def asked(self, token: str) -> AwardRecord:
        award_id, wish = read_mailbox_token(self.secret, token, at=self.clock())
        if wish is not Wish.ARCHIVE:
            raise NotFound(N_("Ce lien n’ouvre pas d’archive."))
        return self.awards.get_record(award_id)

    def make(self, person_id: uuid.UUID, campus: Campus | None = None) -> Published:
        """What one campus holds, or everything; the same rows that an erasure would take."""
        reach = {campus.id} if campus else None
        whose = whose_of(self.people.get(person_id), self.people.all_addresses(person_id), reach)
        at, out = self.clock(), io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in self._files(whose):
                info = zipfile.ZipInfo(name, date_time=at.timetuple()[:6])
                info.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(info, content)
        return Published.of(out.getvalue(), ZIP)

    def _files(self, whose: Whose) -> Iterator[tuple[str, bytes]]:
        rows = {table.name: self.personal.rows(table, whose) for table in reversed(held_tables())}
        known = self.personal.campuses_of(whose.person_id)
        reached = known if whose.campus_ids is None else known & whose.campus_ids
        campuses = [self.campuses.get_by_id(each) for each in sorted(reached)]
        for language, name in (("fr", "LISEZMOI.txt"), ("en", "README.txt")):
            with speaking(language):
                yield name, self._readme(rows, campuses).encode()
        for name, found in rows.items():
            yield from _table(name, found)
        yield "consentements.json", dump_json({"consents": self._consents(whose.person_id)})
        for row in rows["award"]:
            yield from self._badge(row["id"])
        yield from self._log(whose.person_id, rows["log_payload"], campuses)

    def _consents(self, person_id: uuid.UUID) -> list[Any]:
        """With the very sentence that was read."""
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
            yield f"badges/{award_id}-edition-{edition}.json", signed

    def _log(
        self, person_id: uuid.UUID, payloads: list[Row], campuses: list[Campus]
    ) -> Iterator[tuple[str, bytes]]:
        """What the logs say, and for each line the proof that it is in the signed log."""
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
        counts = dict.fromkeys(Matter, 0)
        tables: dict[Matter, list[str]] = {}
        for name, found in rows.items():
            if found:
                counts[HELD[name].matter] += len(found)
                tables.setdefault(HELD[name].matter, []).append(name)
        lines = [say(each) for each in _INTRO]
        lines[1] = lines[1].format(
            moment=format_timestamp(self.clock()), campuses=", ".join(each.name for each in campuses)
        )
        for matter, keeping in KEPT.items():
            if not counts[matter]:
                continue
            lines.append(
                f"{say(keeping.what)}\n  donnees/{', '.join(f'{name}.json' for name in tables[matter])}\n"
                f"  {say(keeping.why)}\n  {say(keeping.how_long)}. {say(keeping.right)}."
            )
        return "\n\n".join([*lines, *(say(each) for each in _OUTRO)]) + "\n"


def _table(name: str, rows: list[Row]) -> Iterator[tuple[str, bytes]]:
    """The rows as JSON; what is no text lies beside them, and the JSON names its file."""
    told = []
    for number, row in enumerate(rows, 1):
        said: dict[str, Any] = {}
        for column, value in row.items():
            if isinstance(value, bytes | memoryview) and len(value) > 64:
                path = f"donnees/{name}/{number}-{column}"
                said[column] = path
                yield path, bytes(value)
            else:
                said[column] = _said(value)
        told.append(said)
    if told:
        yield f"donnees/{name}.json", dump_json({"rows": told})


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
