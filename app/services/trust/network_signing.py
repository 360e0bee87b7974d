"""A network's own key: made when it first signs, sealed as those of campuses are, and published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.adapters.secrets.key_vault import KeyVault
from app.db.trust.recognition import RecognitionStore
from app.domain.campus.campus import Network
from app.domain.campus.keys import end_key
from app.domain.publishing.addresses import Addresses
from app.domain.trust.recognition import ANNOUNCED_FOR, NetworkKey
from app.services.publishing.signing import KeyOwner, Signers
from sceau_credentials.dids import PublishedKey, did_document, did_web
from sceau_credentials.keys import Signer, VerificationKey
from sceau_credentials.values.json_text import JsonObject

_PURPOSE = "network"


class NetworkSigning:
    def __init__(self, store: RecognitionStore, vault: KeyVault, addresses: Addresses) -> None:
        self.store = store
        self.vault = vault
        self.addresses = addresses

    def did_of(self, network: Network) -> str:
        key = next(iter(self.store.keys_of(network.id)), None)
        return key.did if key else did_web(self.addresses.base_url, "reseau", network.slug)

    def signers_of(self, network: Network, *, at: datetime) -> Signers:
        row = self.store.key_of(network.id) or self._make_key(network, at=at)
        return self._owner(network).signers(self.vault, row)

    def leaving_signer_of(self, network: Network, *, at: datetime) -> Signer | None:
        """The key that gave way lately: it signs the list beside the next one, for those who know only it."""
        row = self.store.leaving_key_of(network.id, retired_after=at - ANNOUNCED_FOR)
        return self._owner(network).signers(self.vault, row).embedded if row else None

    def keys_of(self, network: Network) -> Sequence[NetworkKey]:
        return self.store.keys_of(network.id)

    def end(self, network: Network, row: NetworkKey, *, since: datetime | None, at: datetime) -> None:
        """The next key is in service at once, where this one was."""
        was_in_service = row.retired_at is None
        end_key(row, since=since, at=at)
        self.store.add(row)
        if was_in_service:
            self._make_key(network, at=at)

    def public_key_of(self, network: Network) -> VerificationKey | None:
        row = self.store.key_of(network.id)
        return VerificationKey.from_jwk(row.public_jwk) if row else None

    def document_of(self, network: Network) -> JsonObject:
        """The DID document: empty of keys as long as the network signed nothing."""
        keys = [
            PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk), revoked_at=row.revoked_at)
            for row in self.store.keys_of(network.id)
        ]
        return did_document(self.did_of(network), keys, also_known_as=(self.addresses.network(network.slug),))

    def _make_key(self, network: Network, *, at: datetime) -> NetworkKey:
        row = NetworkKey(network_id=network.id, created_at=at, **self._owner(network).sealed_anew(self.vault))
        self.store.add(row)
        return row

    def _owner(self, network: Network) -> KeyOwner:
        return KeyOwner(network.id, self.did_of(network), _PURPOSE)
