"""Status lists: slots reserved at signing, bits set on revocation, lists signed for publication."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol

import structlog

from app.adapters import Unusable
from app.adapters.secrets import KekUnusable, KeyVault, SealedFor
from app.db.awards.batches import SigningClockStore
from app.db.campus import CampusStore, HistoryStore
from app.db.publishing import PublishedSlot, StatusStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus, KeyPurpose, KeyState, SealedKey, is_in_hsm
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
from app.errors import Conflict, InvalidInput, Unavailable
from app.language import N_
from sceau_credentials.dids import PublishedKey, jwt_method_id
from sceau_credentials.keys import Algorithm, Signer, SigningKey, VerificationKey
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_claims, sign_jwt
from sceau_credentials.status_list import (
    STATUS_TOKEN,
    Purpose,
    status_entry,
    status_list_credential,
    token_list_claims,
)
from sceau_credentials.status_list import StatusList as Bits
from sceau_credentials.values import JsonObject, dump_json


@dataclass(frozen=True)
class Signers:
    """Two verification methods of one key: Multikey for embedded proofs, JWK for JWTs (L-006)."""

    embedded: Signer
    jwt: Signer


class KeyRow(Protocol):
    """A row with an encrypted key: of a campus, a network or an organisation."""

    method_id: str
    public_jwk: dict[str, Any]
    sealed: bytes
    kek_id: str
    kek_version: int


@dataclass(frozen=True)
class KeyOwner:
    """Owner and purpose of a key: a sealed key can only be decrypted for these."""

    id: uuid.UUID
    did: str
    purpose: str
    algorithm: Algorithm = Algorithm.EDDSA

    def sealed_anew(self, vault: KeyVault) -> dict[str, Any]:
        """The columns of a row with a new key."""
        key = vault.generate(self._sealed_for(""))
        method_id = f"{self.did}#{key.public.thumbprint()}"
        stored = vault.store(key, self._sealed_for(method_id))
        return {"method_id": method_id, "public_jwk": key.public.to_jwk(), **asdict(stored)}

    def opened(self, vault: KeyVault, row: KeyRow) -> SigningKey:
        key = vault.open(row.sealed, self._sealed_for(row.method_id), kek_id=row.kek_id)
        # Database write access must not be enough to make us sign with an unpublished key (T35).
        if key.public.thumbprint() != VerificationKey.from_jwk(row.public_jwk).thumbprint():
            raise Unavailable("La clé de signature ne s’ouvre pas. Rien n’a été signé.")
        return key

    def rewrap(self, vault: KeyVault, row: KeyRow) -> bool:
        """Seals the key under the current key-encryption key; whether it was sealed under another. A key in a
        token stays there."""
        if row.kek_id == vault.kek.id or is_in_hsm(row.kek_id):
            return False
        row.sealed = vault.rewrap(row.sealed, self._sealed_for(row.method_id), kek_id=row.kek_id)
        row.kek_id, row.kek_version = vault.kek.id, vault.kek.version
        return True

    def signers(self, vault: KeyVault, row: KeyRow) -> Signers:
        key = self.opened(vault, row)
        return Signers(Signer(row.method_id, key), Signer(jwt_method_id(row.method_id), key))

    def _sealed_for(self, method_id: str) -> SealedFor:
        return SealedFor(str(self.id), method_id, self.algorithm.value, self.purpose)


def fingerprint_of(secret: bytes) -> str:
    """Stored in databases and backups: where the secret differs, private links already sent no longer open."""
    return hmac.digest(secret, b"sceau-backup", hashlib.sha256).hex()[:16]


class SecretReplaced(Unusable):
    """Private links, codes and the secrets of webhooks were derived from another SCEAU_SECRET."""


@dataclass(frozen=True, eq=False)
class Signing:
    campuses: CampusStore
    clocks: SigningClockStore
    history: HistoryStore
    vault: KeyVault

    def make_key(
        self, campus: Campus, *, at: datetime, purpose: KeyPurpose = KeyPurpose.CREDENTIAL
    ) -> SealedKey:
        """A new key, active immediately: as the campus's first, no cached document can lack it."""
        row = SealedKey(
            campus_id=campus.id,
            purpose=purpose,
            algorithm=purpose.algorithm.value,
            state=KeyState.ACTIVE,
            created_at=at,
            activated_at=at,
            **_owner(campus, purpose).sealed_anew(self.vault),
        )
        self.campuses.add(row)
        return row

    @property
    def has_hsm(self) -> bool:
        return self.vault.hsm is not None

    def check_kek(self) -> None:
        """Raises KekUnusable unless every signing key opens with the key-encryption keys, or is in the token."""
        others = self.campuses.sealed_under() - self.vault.kek_ids
        if elsewhere := sorted(filter(is_in_hsm, others)):
            raise KekUnusable(
                "Des clés de signature de cette base sont dans le module de clés {tokens}. Indiquez ce module "
                "dans SCEAU_HSM. Le service ne démarre pas.",
                tokens=", ".join(elsewhere),
            )
        if others:
            raise KekUnusable(
                "SCEAU_KEK n’est pas la clé maîtresse de cette base : ses clés de signature ont été scellées par "
                "{sealed}, et celle-ci est {given}. Le service ne démarre pas. Remettez l’ancienne dans "
                "SCEAU_OTHER_KEKS si vous la remplacez, sinon dans SCEAU_KEK.",
                sealed=", ".join(sorted(others)),
                given=self.vault.kek.id,
            )

    def check_secret(self, secret: bytes) -> None:
        """Raises SecretReplaced where the database is used with another secret. Unknown before a worker's first beat."""
        known = self.clocks.find().secret_fingerprint
        if known and not hmac.compare_digest(known, fingerprint_of(secret)):
            raise SecretReplaced(
                "SCEAU_SECRET n’est pas celui de cette base : les liens privés déjà envoyés ne s’ouvriraient plus. "
                "Remettez l’ancien. S’il est perdu, ou remplacé exprès, lancez : sceau keys accept-secret"
            )

    def note_secret(self, secret: bytes) -> None:
        self.clocks.note_secret(fingerprint_of(secret))

    def accept_secret(self, secret: bytes, reason: str, *, at: datetime, by: Actor) -> bool:
        """Whether another one was in use."""
        if len(reason.strip()) < 5:
            raise InvalidInput("Dites en quelques mots pourquoi le secret change : l’historique le garde.")
        row, fingerprint = self.clocks.lock(), fingerprint_of(secret)
        if row.secret_fingerprint == fingerprint:
            return False
        row.secret_fingerprint = fingerprint
        self.clocks.save(row)
        self.history.write(by, "replace", "secret", uuid.UUID(int=1), at=at, reason=reason.strip()[:500])
        return True

    def rewrap(self) -> int:
        """How many keys of campuses were sealed under another key-encryption key."""
        return sum(
            _owner(campus, row.purpose).rewrap(self.vault, row) for row, campus in self.campuses.all_keys()
        )

    def keys_for_hsm(self) -> list[tuple[SealedKey, Campus]]:
        """Active keys that are still sealed in the database; their successors will be in the token."""
        if self.vault.hsm is None:
            raise Unavailable("SCEAU_HSM est vide : il n’y a pas de module de clés.")
        return [
            (row, campus)
            for row, campus in self.campuses.active_keys()
            if not is_in_hsm(row.kek_id) and row.purpose.algorithm is Algorithm.EDDSA
        ]

    def keys_that_do_not_open(self) -> list[str]:
        """Identifiers of active campus keys that the correct key-encryption key cannot decrypt."""
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
        return [published_key(row) for row in rows if row.purpose.is_published]

    def disclosure_signer(self, campus: Campus) -> Signer:
        """Of badges that a learner shows in part; its key was made when the campus switched that on."""
        row = self.campuses.find_active_key(campus.id, KeyPurpose.DISCLOSURE)
        if row is None:
            raise Unavailable("Ce campus n’a pas de clé pour montrer une partie d’un badge.")
        return Signer(row.method_id, self._open(row, campus))

    def log_signer(self, campus: Campus, *, at: datetime) -> SigningKey:
        """The key of the campus's activity log, created at the first signature."""
        return self._open(self.log_key(campus, at=at), campus)

    def log_key(self, campus: Campus, *, at: datetime) -> SealedKey:
        row = self.campuses.find_active_key(campus.id, KeyPurpose.ACTIVITY_LOG)
        return row or self.make_key(campus, at=at, purpose=KeyPurpose.ACTIVITY_LOG)


def published_key(row: SealedKey) -> PublishedKey:
    return PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk), revoked_at=row.revoked_at)


def _owner(campus: Campus, purpose: KeyPurpose) -> KeyOwner:
    return KeyOwner(campus.id, campus.did, purpose.value, purpose.algorithm)


logger = structlog.get_logger(__name__)


class OlderThanAnchor(Unavailable):
    """The database is older than its published lists: signing would revalidate revoked badges."""


class ListAnchors(Protocol):
    """The newest edition of each list, stored apart from the database and its backups."""

    def list_of(self, list_id: uuid.UUID) -> AnchoredList | None: ...

    def advance_lists(self, lists: Sequence[AnchoredList]) -> None:
        """Store these unless newer ones are stored; durable when it returns."""
        ...


@dataclass(frozen=True)
class StatusSlots:
    """The slot of each award in a status list."""

    by_award: Mapping[uuid.UUID, PublishedSlot]
    addresses: Addresses

    def only(self, award_ids: Collection[uuid.UUID]) -> StatusSlots:
        return StatusSlots({award_id: self.by_award[award_id] for award_id in award_ids}, self.addresses)

    def rows(self) -> list[dict[str, Any]]:
        """The slots, by column."""
        return [
            {
                "list_id": place.list_id,
                "position": place.position,
                "award_id": award_id,
                "raised_at": None,
                "suspended_until": None,
            }
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
        """Lists this unit of work signed; anchors advance after the commit."""
        self.addresses = addresses
        self.clock = clock

    def reserve(self, campus: Campus, award_ids: Sequence[uuid.UUID], *, at: datetime) -> StatusSlots:
        """A random free slot for each award, in the campus's open list or a new one (D-012, K-002)."""
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
        """Random draws until enough are free: in a list at most half full, a few draws."""
        drawn: set[int] = set()
        while len(drawn) < count:
            more = {secrets.randbelow(status_list.size) for _ in range(count - len(drawn))} - drawn
            drawn |= more - self.status.taken(status_list.id, more)
        return drawn

    def keep(self, places: StatusSlots) -> None:
        """Write the slots, after their awards."""
        self.status.add_slots(places.by_award)

    def _open_list(self, campus: Campus, *, at: datetime) -> StatusList:
        status_list = self.status.lock_open(campus.id)
        if status_list is None:
            status_list = StatusList(campus_id=campus.id, created_at=at)
            self.status.add(status_list)
            self._sign(campus, status_list, at=at)
        return status_list

    def raise_for(self, campus: Campus, award_ids: Sequence[uuid.UUID], *, at: datetime) -> None:
        """Revoke these awards: set their bits and sign the lists again, in the same transaction."""
        slots = self.status.slots_of(award_ids)
        for list_id in sorted({slot.list_id for slot in slots}):
            status_list = self.status.lock(list_id)
            self.status.raise_slots([slot for slot in slots if slot.list_id == list_id], at=at)
            self._sign(campus, status_list, at=at)

    def suspend(self, campus: Campus, award_id: uuid.UUID, until: datetime | None, *, at: datetime) -> None:
        """Suspend this award until then, or no longer, and sign its list again in the same transaction."""
        for slot in self.status.slots_of([award_id]):
            status_list = self.status.lock(slot.list_id)
            self.status.suspend_slot(slot, until)
            self._sign(campus, status_list, at=at)

    def suspension_entry(self, award_id: uuid.UUID) -> JsonObject:
        """The status entry of an edition that is suspended."""
        (slot,) = self.status.slots_of([award_id])
        return status_entry(self.addresses.suspension_list(slot.list_id), slot.position, "suspension")

    def revocation_entry(self, award_id: uuid.UUID) -> JsonObject:
        (slot,) = self.status.slots_of([award_id])
        return status_entry(self.addresses.status_list(slot.list_id), slot.position)

    def sign_all(self, campus: Campus, *, at: datetime) -> None:
        """Sign every list of the campus again, with the current key."""
        for list_id in self.status.ids_of(campus.id):
            self._sign(campus, self.status.lock(list_id), at=at)

    def settle(self) -> None:
        """After the commit: advance the anchors, so that no older edition is signed or served again."""
        if not self.signed:
            return
        try:
            self.anchors.advance_lists(list(self.signed.values()))
        except (OSError, Unavailable) as error:
            # The commit stands. Readiness reports the lag, and the next check catches up.
            logger.error("anchor not moved", kind=type(error).__name__, lists=len(self.signed))
        self.signed.clear()

    def published(self, list_id: uuid.UUID) -> SignedList:
        """The newest signed list, from the database or the anchor."""
        anchored, row = self._anchored(list_id), self.status.find(list_id)
        newest = newest_of(anchored, signed_form(row) if row else None)
        return newest or signed_form(self.status.get(list_id))

    def _anchored(self, list_id: uuid.UUID) -> AnchoredList | None:
        """Without one, rows of an older copy are refused with those of its campus."""
        anchored, row = self.anchors.list_of(list_id), self.status.find(list_id)
        if anchored is None and row is not None:
            self.status.check_not_refused(row)
        return anchored

    def check_newest(self, status_list: StatusList) -> None:
        """Raises OlderThanAnchor if a newer edition was published than the database has."""
        anchored = self._anchored(status_list.id)
        if anchored is not None and anchored.is_newer_than(signed_form(status_list)):
            raise OlderThanAnchor(
                N_(
                    "La base est plus ancienne que la liste de statuts déjà publiée : une ancienne sauvegarde a été "
                    "restaurée. Rien n’est signé avant « sceau restore »."
                )
            )

    def sign_after(self, campus: Campus, status_list: StatusList, anchored: AnchoredList | None) -> None:
        """Sign the edition after the newest published one, once the database has all its revocations."""
        if anchored is not None:
            status_list.sequence = max(status_list.sequence, anchored.signed.sequence)
            self.signed[status_list.id] = anchored
        self._sign(campus, status_list, at=self.clock())

    def refresh(self, list_id: uuid.UUID) -> SignedList:
        """The signed list, renewed first if half its lifetime has passed."""
        anchored, row = self._anchored(list_id), self.status.find(list_id)
        if anchored is not None and anchored.is_newer_than(signed_form(row) if row else None):
            return anchored.signed
        status_list = self.status.get(list_id)
        if signed_form(status_list).is_due(at=self.clock()):
            status_list = self.status.lock(list_id)
            self._sign(self.campuses.get_by_id(status_list.campus_id), status_list, at=self.clock())
        return signed_form(status_list)

    def final_edition(self, list_id: uuid.UUID) -> SignedList:
        """Signed without expiry, for a campus leaving the service; not stored.

        It remains valid forever for any holder: later revocations are not in it, and a suspension would never end.
        """
        status_list, at = self.status.get(list_id), self.clock()
        if self.status.suspended(list_id, at=at):
            raise Conflict(
                "Un badge de cette liste est suspendu : l’édition définitive le suspendrait pour toujours. Levez la suspension, attendez sa fin ou retirez le badge."
            )
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
        status_list.status_token = signed.status_token
        status_list.suspensions = signed.suspensions
        status_list.suspensions_token = signed.suspensions_token
        status_list.published_at = at
        self.status.add(status_list)
        self.signed[status_list.id] = anchored_form(status_list)

    def _signed(
        self, campus: Campus, status_list: StatusList, *, at: datetime, until: datetime | None
    ) -> SignedList:
        bits, paused = Bits(status_list.size), Bits(status_list.size)
        for position in self.status.raised(status_list.id):
            bits.set(position)
            paused.set(position)  # an edition signed while suspended has no other entry
        for position in self.status.suspended(status_list.id, at=at):
            paused.set(position)

        def document_of(url: str, status_list_bits: Bits, purpose: Purpose) -> JsonObject:
            return status_list_credential(
                url,
                issuer=campus.did,
                status_list=status_list_bits,
                purpose=purpose,
                valid_from=at,
                valid_until=until,
                ttl=LIST_TTL,
                sequence=status_list.sequence,
            )

        document = document_of(self.addresses.status_list(status_list.id), bits, "revocation")
        suspensions = document_of(self.addresses.suspension_list(status_list.id), paused, "suspension")
        signers = self.signing.signers_of(campus)
        claims = token_list_claims(
            self.addresses.token_list(status_list.id),
            issuer=self.addresses.campus(campus.slug),
            status_list=bits,
            valid_from=at,
            valid_until=until,
            ttl=LIST_TTL,
            suspended=paused,
        )
        return SignedList(
            dump_json(add_proof(document, signer=signers.embedded, created=at)),
            sign_jwt(document, signer=signers.jwt, kind="vc+jwt"),
            at,
            status_list.sequence,
            sign_claims(claims, signer=signers.jwt, kind=STATUS_TOKEN),
            dump_json(add_proof(suspensions, signer=signers.embedded, created=at)),
            sign_jwt(suspensions, signer=signers.jwt, kind="vc+jwt"),
        )
