"""An award that no backup and no journal holds any more, registered again from its holder's signed file."""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime
from typing import Final

from app.db.activity_log.recovery import RecoveryStore
from app.db.badges.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.db.publishing.status import StatusStore
from app.domain.activity_log.activity_log import EntryKind, Fact
from app.domain.activity_log.facts import AWARD
from app.domain.activity_log.recovery import AWARDS, DOCUMENTS, PEOPLE, SLOTS
from app.domain.awards.awards import Award, SignedDocument
from app.domain.badges.badges import BadgeVersion
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.campus.keys import KeyPurpose, KeyState
from app.domain.core.clock import Clock
from app.domain.people.people import Person
from app.domain.publishing.addresses import Addresses
from app.domain.publishing.status import StatusSlot
from app.errors import Conflict, InvalidInput, NotFound
from app.language import N_
from app.services.activity_log.activity_log import ActivityLog
from app.services.publishing.signing import Signing, published_key
from sceau_credentials.baking import unbake
from sceau_credentials.errors import CredentialError
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import StatusEntry, read_entry
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object
from sceau_credentials.values.timestamps import parse_timestamp

_VERSION: Final = re.compile(r"/badges/([0-9a-f-]{36})/v([1-9][0-9]{0,5})")
NAMELESS: Final = "Titulaire sans nom"


class AwardRegistration:
    def __init__(
        self,
        store: RecoveryStore,
        statuses: StatusStore,
        campuses: CampusStore,
        badges: BadgeStore,
        log: ActivityLog,
        signing: Signing,
        history: HistoryStore,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.store = store
        self.statuses = statuses
        self.campuses = campuses
        self.badges = badges
        self.log = log
        self.signing = signing
        self.history = history
        self.addresses = addresses
        self.clock = clock

    def register(self, content: bytes, *, by: Actor) -> Award:
        """From the signed JSON, alone or inside a picture or a PDF. From then on the award can be withdrawn."""
        embedded = _embedded_in(content)
        document = parse_json_object(embedded)
        award_id, campus = self._named(document)
        self._check_signed(document, campus)
        self.campuses.lock(campus.id)
        if self.store.there(AWARDS, [award_id]):
            raise Conflict(N_("Cette attribution est déjà dans la base."))
        if self.store.erased([award_id]):
            raise Conflict(N_("Cette attribution a été effacée à la demande de son titulaire."))
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
            raise InvalidInput(N_("Ce fichier n’est pas un badge donné par un campus de ce service."))
        return award_id, campus

    def _check_signed(self, document: JsonObject, campus: Campus) -> None:
        """By a key of the campus that is not known to be stolen."""
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
            raise InvalidInput(
                N_("La signature de ce fichier ne vaut pas, ou n’est pas d’une clé du campus.")
            )

    def _version(self, document: JsonObject, campus: Campus) -> BadgeVersion:
        achievement = _object(_object(document.get("credentialSubject")).get("achievement")).get("id")
        found = _VERSION.fullmatch(str(achievement).removeprefix(self.addresses.base_url))
        try:
            version = self.badges.get_version(uuid.UUID(found[1]), int(found[2])) if found else None
        except (NotFound, ValueError):
            version = None
        if version is None or self.badges.get(version.badge_id).campus_id != campus.id:
            raise InvalidInput(
                N_("Le badge de ce fichier n’est plus dans la base : il ne peut pas y revenir.")
            )
        return version

    def _slot(self, document: JsonObject, campus: Campus, award_id: uuid.UUID) -> StatusSlot:
        """The place that was signed; refused where it belongs to another award, or was withdrawn."""
        entry = self._entry(document)
        lists = {self.addresses.status_list(each.id): each for each in self.store.lists_of(campus.id)}
        status_list = lists.get(entry.list_url)
        if status_list is None or not 0 <= entry.index < status_list.size:
            raise InvalidInput(N_("La liste de statuts de ce fichier n’est pas du campus."))
        for taken in self.statuses.slots_at(status_list.id, [entry.index]):
            if taken.raised_at is not None and not self.store.there(AWARDS, [taken.award_id]):
                raise Conflict(N_("Ce badge a été retiré : il n’est pas enregistré de nouveau."))
            raise Conflict(N_("La place de ce fichier dans la liste de statuts est celle d’un autre badge."))
        status_list.used += 1
        self.store.add(status_list)
        return StatusSlot(list_id=status_list.id, position=entry.index, award_id=award_id)

    @staticmethod
    def _entry(document: JsonObject) -> StatusEntry:
        try:
            return read_entry(_object(document.get("credentialStatus")))
        except CredentialError as error:
            raise InvalidInput(N_("Ce fichier n’a pas de place dans une liste de statuts.")) from error


def _embedded_in(content: bytes) -> bytes:
    try:
        text = content if content.lstrip()[:1] == b"{" else unbake(content).text.encode()
        parse_json_object(text)
    except (CredentialError, UnicodeDecodeError) as error:
        raise InvalidInput(N_("Donnez le badge signé en JSON, ou son image, ou son PDF.")) from error
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
