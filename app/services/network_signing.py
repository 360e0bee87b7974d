"""A network's own key: made when it first signs, sealed as those of campuses are, and published."""

from __future__ import annotations

from datetime import datetime

from app.adapters.key_vault import KeyVault
from app.credentials.dids import PublishedKey, did_document, did_web
from app.credentials.json_text import JsonObject
from app.credentials.keys import VerificationKey
from app.db.recognition import RecognitionStore
from app.domain.addresses import Addresses
from app.domain.campus import Network
from app.domain.recognition import NetworkKey
from app.services.signing import KeyOwner, Signers

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
        return self._owner(network).signers(self.vault, row)

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
        row = NetworkKey(network_id=network.id, created_at=at, **self._owner(network).sealed_anew(self.vault))
        self.store.add(row)
        return row

    def _owner(self, network: Network) -> KeyOwner:
        return KeyOwner(network.id, self.did_of(network), _PURPOSE)
