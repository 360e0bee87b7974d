"""The key documents an issuer serves: its DID document and its JWK Set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sceau_credentials.keys import Algorithm, VerificationKey
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.timestamps import format_timestamp

_CONTEXTS: tuple[str, ...] = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://w3id.org/security/jwk/v1",
)


@dataclass(frozen=True)
class PublishedKey:
    """A key an issuer answers for. `id` is the absolute DID URL its Data Integrity proofs name.

    A retired key stays published for ever: taking it away would void every badge it signed (L-012, L-013).
    """

    id: str
    key: VerificationKey
    revoked_at: datetime | None = None

    @property
    def controller(self) -> str:
        return self.id.partition("#")[0]


def jwt_method_id(method_id: str) -> str:
    """The `kid` of a key: its JsonWebKey method, apart from its Multikey method (L-006)."""
    return f"{method_id}-jwk"


def did_document(did: str, keys: Sequence[PublishedKey], *, also_known_as: Sequence[str] = ()) -> JsonObject:
    """Every key ever used, each once as Multikey and once as JsonWebKey, all for assertions (L-005, L-006)."""
    if any(published.controller != did for published in keys):
        raise ValueError("a DID document lists only the keys of its own DID")
    methods: list[JsonObject] = [method for published in keys for method in _methods(did, published)]
    document: JsonObject = {"@context": list(_CONTEXTS), "id": did}
    if also_known_as:
        document["alsoKnownAs"] = list(also_known_as)
    document["verificationMethod"] = list[JsonValue](methods)
    document["assertionMethod"] = [method["id"] for method in methods]
    return document


def jwk_set(keys: Sequence[PublishedKey]) -> JsonObject:
    """The keys as a JWK Set, each saying with `iss` whose it is (B-026, B-027).

    A revoked key is left out: a JWK cannot say that it was revoked.
    """
    return {"keys": [_jwk_of(published) for published in keys if published.revoked_at is None]}


def _jwk_of(published: PublishedKey) -> JsonObject:
    return published.key.to_jwk() | {
        "kid": jwt_method_id(published.id),
        "use": "sig",
        "alg": published.key.algorithm.value,
        "iss": published.controller,
    }


def _methods(did: str, published: PublishedKey) -> Iterator[JsonObject]:
    end: JsonObject = {"revoked": format_timestamp(published.revoked_at)} if published.revoked_at else {}
    if published.key.algorithm is not Algorithm.RS256:  # CID 2.2.2 defines no Multikey form of RSA keys.
        multikey: JsonObject = {"id": published.id, "type": "Multikey", "controller": did}
        yield multikey | {"publicKeyMultibase": published.key.to_multikey()} | end
    json_web_key: JsonObject = {"id": jwt_method_id(published.id), "type": "JsonWebKey", "controller": did}
    yield json_web_key | {"publicKeyJwk": published.key.to_jwk()} | end
