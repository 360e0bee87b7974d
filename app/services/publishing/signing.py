"""A campus's signing keys: made, sealed, opened to sign, and published."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from app.adapters.secrets.key_vault import KekUnusable, KeyVault, SealedFor
from app.db.campus.campus import CampusStore
from app.domain.campus.campus import Campus
from app.domain.campus.keys import KeyPurpose, KeyState, SealedKey
from app.errors import Unavailable
from app.language import N_
from app.language import gettext as _
from sceau_credentials.dids import PublishedKey, jwt_method_id
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, SigningKey, VerificationKey


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
