"""A network's own key: made when it first signs, sealed as those of campuses are, and published."""

from __future__ import annotations

from datetime import datetime

from app.adapters.key_vault import KeyVault, SealedFor
from app.credentials.dids import PublishedKey, did_document, did_web, jwt_method_id
from app.credentials.json_text import JsonObject
from app.credentials.keys import Algorithm, LocalSigningKey, Signer, VerificationKey
from app.db.recognition import RecognitionStore
from app.domain.addresses import Addresses
from app.domain.campus import Network
from app.domain.recognition import NetworkKey
from app.services.signing import Signers

_PURPOSE = "network"


class NetworkSigning:
    def __init__(self, store: RecognitionStore, vault: KeyVault, addresses: Addresses) -> None:
        self.store = store
        self.vault = vault
        self.addresses = addresses

    def did_of(self, network: Network) -> str:
        key = self.store.key_of(network.id)
        return key.did if key else did_web(self.addresses.base_url, "reseau", network.slug)

    def signers_of(self, network: Network, *, at: datetime) -> Signers:
        row = self.store.key_of(network.id) or self._make_key(network, at=at)
        key = self.vault.open(row.sealed, _owner(network, row.method_id), kek_id=row.kek_id)
        if key.public.thumbprint() != VerificationKey.from_jwk(row.public_jwk).thumbprint():
            raise ValueError("the sealed key is not the published key")
        return Signers(Signer(row.method_id, key), Signer(jwt_method_id(row.method_id), key))

    def public_key_of(self, network: Network) -> VerificationKey | None:
        row = self.store.key_of(network.id)
        return VerificationKey.from_jwk(row.public_jwk) if row else None

    def document_of(self, network: Network) -> JsonObject:
        """The DID document: empty of keys as long as the network signed nothing."""
        keys = [
            PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk))
            for row in self.store.keys_of(network.id)
        ]
        return did_document(self.did_of(network), keys, also_known_as=(self.addresses.network(network.slug),))

    def _make_key(self, network: Network, *, at: datetime) -> NetworkKey:
        key = LocalSigningKey.generate(Algorithm.EDDSA)
        method_id = f"{self.did_of(network)}#{key.public.thumbprint()}"
        row = NetworkKey(
            network_id=network.id,
            method_id=method_id,
            public_jwk=key.public.to_jwk(),
            sealed=self.vault.seal(key, _owner(network, method_id)),
            kek_id=self.vault.kek.id,
            kek_version=self.vault.kek.version,
            created_at=at,
        )
        self.store.add(row)
        return row


def _owner(network: Network, method_id: str) -> SealedFor:
    return SealedFor(str(network.id), method_id, Algorithm.EDDSA.value, _PURPOSE)
