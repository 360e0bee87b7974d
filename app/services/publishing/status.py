"""Status lists: places reserved when awards are signed, bits raised on withdrawal, lists signed for the world."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from app.adapters.secrets import KekUnusable, KeyVault, SealedFor
from app.db.campus.campus import CampusStore
from app.db.publishing import PublishedSlot, StatusStore
from app.domain.campus.campus import Campus, KeyPurpose, KeyState, SealedKey
from app.domain.core import Clock
from app.domain.publishing import (
    LIST_LIFE,
    LIST_TTL,
    Addresses,
    AnchoredList,
    SignedList,
    StatusList,
    anchored_form,
    has_room,
    newest_of,
    signed_form,
)
from app.errors import Unavailable
from app.language import N_
from app.language import gettext as _
from sceau_credentials.dids import PublishedKey, jwt_method_id
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, SigningKey, VerificationKey
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.status_list import StatusList as Bits
from sceau_credentials.status_list import status_entry, status_list_credential
from sceau_credentials.values.json_text import JsonObject, dump_json


@dataclass(frozen=True)
class Signers:
    """The two names of one key: a Multikey method for embedded proofs, a JWK method for JWTs (L-006)."""

    embedded: Signer
    jwt: Signer


class KeyRow(Protocol):
    """A row that keeps a sealed key: of a campus, a network or an organisation."""

    method_id: str
    public_jwk: dict[str, Any]
    sealed: bytes
    kek_id: str


@dataclass(frozen=True)
class KeyOwner:
    """Whose key, and what for: a sealed key opens for nothing else."""

    id: uuid.UUID
    did: str
    purpose: str

    def sealed_anew(self, vault: KeyVault) -> dict[str, Any]:
        """The columns of a row with a new key."""
        key = LocalSigningKey.generate(Algorithm.EDDSA)
        method_id = f"{self.did}#{key.public.thumbprint()}"
        return {
            "method_id": method_id,
            "public_jwk": key.public.to_jwk(),
            "sealed": vault.seal(key, self._sealed_for(method_id)),
            "kek_id": vault.kek.id,
            "kek_version": vault.kek.version,
        }

    def opened(self, vault: KeyVault, row: KeyRow) -> SigningKey:
        key = vault.open(row.sealed, self._sealed_for(row.method_id), kek_id=row.kek_id)
        # Whoever can write to the database must not be able to make us sign with a key nobody published (T35).
        if key.public.thumbprint() != VerificationKey.from_jwk(row.public_jwk).thumbprint():
            raise Unavailable(N_("La clé de signature ne s’ouvre pas. Rien n’a été signé."))
        return key

    def signers(self, vault: KeyVault, row: KeyRow) -> Signers:
        key = self.opened(vault, row)
        return Signers(Signer(row.method_id, key), Signer(jwt_method_id(row.method_id), key))

    def _sealed_for(self, method_id: str) -> SealedFor:
        return SealedFor(str(self.id), method_id, Algorithm.EDDSA.value, self.purpose)


class Signing:
    def __init__(self, campuses: CampusStore, vault: KeyVault) -> None:
        self.campuses = campuses
        self.vault = vault

    def make_key(
        self, campus: Campus, *, at: datetime, purpose: KeyPurpose = KeyPurpose.CREDENTIAL
    ) -> SealedKey:
        """A new key, active at once: the campus's first, which no cached document can be missing."""
        row = SealedKey(
            campus_id=campus.id,
            purpose=purpose,
            algorithm=Algorithm.EDDSA.value,
            state=KeyState.ACTIVE,
            created_at=at,
            activated_at=at,
            **_owner(campus, purpose).sealed_anew(self.vault),
        )
        self.campuses.add(row)
        return row

    def check_kek(self) -> None:
        """Raises KekUnusable unless every key that still signs is sealed under the key-encryption key at hand."""
        if others := self.campuses.sealed_under() - {self.vault.kek.id}:
            raise KekUnusable(
                _(
                    "SCEAU_KEK n’est pas la clé maîtresse de cette base : ses clés de signature ont été scellées par "
                    "{sealed}, et celle-ci est {given}. Rien ne démarre. Remettez la bonne clé maîtresse."
                ).format(sealed=", ".join(sorted(others)), given=self.vault.kek.id)
            )

    def keys_that_do_not_open(self) -> list[str]:
        """The active keys of campuses that the right key-encryption key does not open, by their identifiers."""
        damaged = []
        for row, campus in self.campuses.active_keys():
            try:
                self._open(row, campus)
            except Unavailable:
                damaged.append(row.method_id)
        return damaged

    def signers_of(self, campus: Campus) -> Signers:
        row = self.campuses.active_key(campus.id)
        return _owner(campus, row.purpose).signers(self.vault, row)

    def _open(self, row: SealedKey, campus: Campus) -> SigningKey:
        return _owner(campus, row.purpose).opened(self.vault, row)

    def published_keys(self, campus: Campus) -> Sequence[PublishedKey]:
        rows = self.campuses.keys_of(campus.id)
        return [published_key(row) for row in rows if row.purpose is KeyPurpose.CREDENTIAL]

    def log_signer(self, campus: Campus, *, at: datetime) -> SigningKey:
        """The key of the campus's activity log, made when the log is first signed."""
        return self._open(self.log_key(campus, at=at), campus)

    def log_key(self, campus: Campus, *, at: datetime) -> SealedKey:
        row = self.campuses.find_active_key(campus.id, KeyPurpose.ACTIVITY_LOG)
        return row or self.make_key(campus, at=at, purpose=KeyPurpose.ACTIVITY_LOG)


def published_key(row: SealedKey) -> PublishedKey:
    return PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk), revoked_at=row.revoked_at)


def _owner(campus: Campus, purpose: KeyPurpose) -> KeyOwner:
    return KeyOwner(campus.id, campus.did, purpose.value)


logger = structlog.get_logger(__name__)


class OlderThanAnchor(Unavailable):
    """The database is older than what was published from it: signing would make withdrawn badges good again."""


class ListAnchors(Protocol):
    """The newest edition of each list, kept apart from the database and its backups."""

    def list_of(self, list_id: uuid.UUID) -> AnchoredList | None: ...

    def advance_lists(self, lists: Sequence[AnchoredList]) -> None:
        """Keep these unless newer ones are there already; on disk when it returns."""
        ...


@dataclass(frozen=True)
class StatusSlots:
    """The place of each award in a status list."""

    by_award: Mapping[uuid.UUID, PublishedSlot]
    addresses: Addresses

    def only(self, award_ids: Collection[uuid.UUID]) -> StatusSlots:
        return StatusSlots({award_id: self.by_award[award_id] for award_id in award_ids}, self.addresses)

    def rows(self) -> list[dict[str, Any]]:
        """The slots, by column."""
        return [
            {"list_id": place.list_id, "position": place.position, "award_id": award_id, "raised_at": None}
            for award_id, place in self.by_award.items()
        ]

    def entry_of(self, award_id: uuid.UUID) -> JsonObject:
        """The status entry of the award's credential."""
        place = self.by_award[award_id]
        return status_entry(self.addresses.status_list(place.list_id), place.position)


class StatusService:
    def __init__(
        self,
        status: StatusStore,
        campuses: CampusStore,
        signing: Signing,
        anchors: ListAnchors,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.status = status
        self.campuses = campuses
        self.signing = signing
        self.anchors = anchors
        self.signed: dict[uuid.UUID, AnchoredList] = {}
        """What this unit of work signed; the anchors move once it is committed."""
        self.addresses = addresses
        self.clock = clock

    def reserve(self, campus: Campus, award_ids: Sequence[uuid.UUID], *, at: datetime) -> StatusSlots:
        """A random free place for each award, in the campus's open list or in a new one (D-012, K-002)."""
        places: dict[uuid.UUID, PublishedSlot] = {}
        waiting = list(award_ids)
        while waiting:
            status_list = self._open_list(campus, at=at)
            count = min(len(waiting), status_list.size // 2 - status_list.used)
            for position in self._free_places(status_list, count):
                places[waiting.pop()] = PublishedSlot(status_list.id, position)
            status_list.used += count
            if not has_room(status_list):
                status_list.closed_at = at
            self.status.add(status_list)
        return StatusSlots(places, self.addresses)

    def _free_places(self, status_list: StatusList, count: int) -> set[int]:
        """Drawn at random until that many are nobody's: in a list at most half full, a few draws."""
        drawn: set[int] = set()
        while len(drawn) < count:
            more = {secrets.randbelow(status_list.size) for _ in range(count - len(drawn))} - drawn
            drawn |= more - self.status.taken(status_list.id, more)
        return drawn

    def keep(self, places: StatusSlots) -> None:
        """Write the places, once the awards they belong to are written."""
        self.status.add_slots(places.by_award)

    def _open_list(self, campus: Campus, *, at: datetime) -> StatusList:
        status_list = self.status.lock_open(campus.id)
        if status_list is None:
            status_list = StatusList(campus_id=campus.id, created_at=at)
            self.status.add(status_list)
            self._sign(campus, status_list, at=at)
        return status_list

    def raise_for(self, campus: Campus, award_ids: Sequence[uuid.UUID], *, at: datetime) -> None:
        """These awards no longer count: raise their bits and sign the lists anew, in the same transaction."""
        slots = self.status.slots_of(award_ids)
        for list_id in sorted({slot.list_id for slot in slots}):
            status_list = self.status.lock(list_id)
            self.status.raise_slots([slot for slot in slots if slot.list_id == list_id], at=at)
            self._sign(campus, status_list, at=at)

    def sign_all(self, campus: Campus, *, at: datetime) -> None:
        """Every list of the campus anew, with the key that is in service now."""
        for list_id in self.status.ids_of(campus.id):
            self._sign(campus, self.status.lock(list_id), at=at)

    def settle(self) -> None:
        """After the commit: from now on no older edition may be signed or served."""
        if not self.signed:
            return
        try:
            self.anchors.advance_lists(list(self.signed.values()))
        except (OSError, Unavailable) as error:
            # Committed all the same. Readiness says that the folder lags, and the next look catches up.
            logger.error("anchor not moved", kind=type(error).__name__, lists=len(self.signed))
        self.signed.clear()

    def published(self, list_id: uuid.UUID) -> SignedList:
        """The newest signed list, wherever it lies."""
        row = self.status.find(list_id)
        newest = newest_of(self.anchors.list_of(list_id), signed_form(row) if row else None)
        return newest or signed_form(self.status.get(list_id))

    def check_newest(self, status_list: StatusList) -> None:
        """Raises OlderThanAnchor where a newer edition was published than the database knows."""
        anchored = self.anchors.list_of(status_list.id)
        if anchored is not None and anchored.is_newer_than(signed_form(status_list)):
            raise OlderThanAnchor(
                N_(
                    "La base est plus ancienne que la liste de statuts déjà publiée : une ancienne sauvegarde a été "
                    "restaurée. Rien n’est signé avant « sceau restore »."
                )
            )

    def sign_after(self, campus: Campus, status_list: StatusList, anchored: AnchoredList | None) -> None:
        """Sign the edition that follows the newest one published, once the database holds all that was withdrawn."""
        if anchored is not None:
            status_list.sequence = max(status_list.sequence, anchored.signed.sequence)
            self.signed[status_list.id] = anchored
        self._sign(campus, status_list, at=self.clock())

    def refresh(self, list_id: uuid.UUID) -> SignedList:
        """The signed list, signed again first when half its life has passed."""
        anchored, row = self.anchors.list_of(list_id), self.status.find(list_id)
        if anchored is not None and anchored.is_newer_than(signed_form(row) if row else None):
            return anchored.signed
        status_list = self.status.get(list_id)
        if signed_form(status_list).is_due(at=self.clock()):
            status_list = self.status.lock(list_id)
            self._sign(self.campuses.get_by_id(status_list.campus_id), status_list, at=self.clock())
        return signed_form(status_list)

    def final_edition(self, list_id: uuid.UUID) -> SignedList:
        """Signed without an end, for a campus whose service stops; kept nowhere.

        Whoever holds it can show it for ever: what is withdrawn later is not in it.
        """
        status_list, at = self.status.get(list_id), self.clock()
        self.check_newest(status_list)
        campus = self.campuses.get_by_id(status_list.campus_id)
        return self._signed(campus, status_list, at=at, until=None)

    def _sign(self, campus: Campus, status_list: StatusList, *, at: datetime) -> None:
        if status_list.id not in self.signed:
            self.check_newest(status_list)
        status_list.sequence += 1
        at = max(at, status_list.published_at or at)
        signed = self._signed(campus, status_list, at=at, until=at + LIST_LIFE)
        status_list.published = signed.embedded
        status_list.token = signed.token
        status_list.published_at = at
        self.status.add(status_list)
        self.signed[status_list.id] = anchored_form(status_list)

    def _signed(
        self, campus: Campus, status_list: StatusList, *, at: datetime, until: datetime | None
    ) -> SignedList:
        bits = Bits(status_list.size)
        for position in self.status.raised(status_list.id):
            bits.set(position)
        document = status_list_credential(
            self.addresses.status_list(status_list.id),
            issuer=campus.did,
            status_list=bits,
            purpose="revocation",
            valid_from=at,
            valid_until=until,
            ttl=LIST_TTL,
            sequence=status_list.sequence,
        )
        signers = self.signing.signers_of(campus)
        embedded = dump_json(add_proof(document, signer=signers.embedded, created=at))
        return SignedList(
            embedded, sign_jwt(document, signer=signers.jwt, kind="vc+jwt"), at, status_list.sequence
        )
