"""A campus's signing keys: made, sealed, opened to sign, and published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.adapters.key_vault import KeyVault, SealedFor
from app.credentials.dids import PublishedKey, jwt_method_id
from app.credentials.keys import Algorithm, LocalSigningKey, Signer, SigningKey, VerificationKey
from app.db.campus import CampusStore
from app.domain.campus import Campus
from app.domain.keys import KeyPurpose, KeyState, SealedKey


@dataclass(frozen=True)
class Signers:
    """The two names of one key: a Multikey method for embedded proofs, a JWK method for JWTs (L-006)."""

    embedded: Signer
    jwt: Signer


class Signing:
    def __init__(self, campuses: CampusStore, vault: KeyVault) -> None:
        self.campuses = campuses
        self.vault = vault

    def make_key(
        self, campus: Campus, *, at: datetime, purpose: KeyPurpose = KeyPurpose.CREDENTIAL
    ) -> SealedKey:
        """A new key, active at once: the campus's first, which no cached document can be missing."""
        key = LocalSigningKey.generate(Algorithm.EDDSA)
        method_id = f"{campus.did}#{key.public.thumbprint()}"
        row = SealedKey(
            campus_id=campus.id,
            purpose=purpose,
            algorithm=Algorithm.EDDSA.value,
            method_id=method_id,
            public_jwk=key.public.to_jwk(),
            sealed=self.vault.seal(key, _owner(campus, method_id, purpose)),
            kek_id=self.vault.kek.id,
            kek_version=self.vault.kek.version,
            state=KeyState.ACTIVE,
            created_at=at,
            activated_at=at,
        )
        self.campuses.add(row)
        return row

    def signers_of(self, campus: Campus) -> Signers:
        row = self.campuses.active_key(campus.id)
        key = self._open(row, campus)
        return Signers(Signer(row.method_id, key), Signer(jwt_method_id(row.method_id), key))

    def _open(self, row: SealedKey, campus: Campus) -> SigningKey:
        key = self.vault.open(row.sealed, _owner(campus, row.method_id, row.purpose), kek_id=row.kek_id)
        # Whoever can write to the database must not be able to make us sign with a key nobody published (T35).
        if key.public.thumbprint() != VerificationKey.from_jwk(row.public_jwk).thumbprint():
            raise ValueError("the sealed key is not the published key")
        return key

    def published_keys(self, campus: Campus) -> Sequence[PublishedKey]:
        rows = self.campuses.keys_of(campus.id)
        return [published_key(row) for row in rows if row.purpose is KeyPurpose.CREDENTIAL]

    def find_log_key(self, campus: Campus) -> VerificationKey | None:
        """The public key of the campus's activity log; None where nothing was ever signed."""
        row = self.campuses.find_active_key(campus.id, KeyPurpose.ACTIVITY_LOG)
        return VerificationKey.from_jwk(row.public_jwk) if row else None

    def log_signer(self, campus: Campus, *, at: datetime) -> SigningKey:
        """The key of the campus's activity log, made when the log is first signed."""
        return self._open(self.log_key(campus, at=at), campus)

    def log_key(self, campus: Campus, *, at: datetime) -> SealedKey:
        row = self.campuses.find_active_key(campus.id, KeyPurpose.ACTIVITY_LOG)
        return row or self.make_key(campus, at=at, purpose=KeyPurpose.ACTIVITY_LOG)


def published_key(row: SealedKey) -> PublishedKey:
    return PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk), revoked_at=row.revoked_at)


def _owner(campus: Campus, method_id: str, purpose: KeyPurpose) -> SealedFor:
    return SealedFor(str(campus.id), method_id, Algorithm.EDDSA.value, purpose.value)
