"""Resolve a verification method URL to its key, per Controlled Identifiers 1.0, section 3.3.

Every failure is KeyNotResolved with one of these reasons: `key_reference_malformed`, `key_method_not_read`,
`key_document_unreadable`, `key_document_malformed`, `key_not_found`, `key_not_bound_to_issuer`,
`key_not_for_assertion`, `key_expired`, `key_revoked`, `key_unusable`; or DocumentUnavailable, which proves
nothing either way.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from sceau_credentials.errors import KeyNotResolved, MalformedInput, UnusableKey
from sceau_credentials.keys import Algorithm, VerificationKey, decode_base64url
from sceau_credentials.values import (
    DocumentSource,
    JsonObject,
    JsonValue,
    check_aware,
    format_timestamp,
    parse_json_object,
    parse_timestamp,
)

__all__ = [
    "PublishedKey",
    "ResolvedKey",
    "did_document",
    "did_key",
    "did_web",
    "did_web_document_url",
    "jwk_set",
    "jwt_method_id",
    "key_of_did",
    "resolve_key",
    "resolve_method",
]

# T17: narrower than the DID grammar, so that one DID has one URL and no segment can traverse out of it.
_DID_WEB = re.compile(
    r"did:web:(?P<host>[A-Za-z0-9.-]{1,253})(?:%3[Aa](?P<port>[1-9]\d{0,4}))?(?P<path>(?::[A-Za-z0-9._-]+){0,16})",
    re.ASCII,
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII | re.IGNORECASE)
_NUMERIC_LABEL = re.compile(r"\d+|0x[0-9a-f]*", re.ASCII | re.IGNORECASE)
_MAX_DID = 1024


def did_web(base_url: str, *segments: str) -> str:
    """The DID of a path below `base_url`: `https://badges.example`, `campus`, `itip` give
    `did:web:badges.example:campus:itip`.

    Without segments and without a path in the URL, its document is the host's `/.well-known/did.json`.
    """
    parts = urlsplit(base_url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise MalformedInput("invalid_did", detail=base_url)
    port = f"%3A{parts.port}" if parts.port else ""
    path = [segment for segment in parts.path.split("/") if segment]
    did = ":".join((f"did:web:{parts.hostname}{port}", *path, *segments))
    did_web_document_url(did)
    return did


@lru_cache(maxsize=1_024)
def did_web_document_url(did: str) -> str:
    """The URL of a did:web document: always https, never an IP address (L-001, L-002).

    Raises MalformedInput("invalid_did") for anything but a plain host, port and path.
    """
    match = _DID_WEB.fullmatch(did) if len(did) <= _MAX_DID else None
    if match is None:
        raise MalformedInput("invalid_did", detail=did[:200])
    host, port, path = match["host"], match["port"], match["path"]
    segments = path.split(":")[1:]
    if not _is_host_name(host) or (port and int(port) > 65535) or not {".", ".."}.isdisjoint(segments):
        raise MalformedInput("invalid_did", detail=did[:200])
    authority = host.lower() + (f":{port}" if port else "")
    return "/".join(("https:/", authority, *(segments or [".well-known"]), "did.json"))


def did_key(key: VerificationKey) -> str:
    """The did:key identifier of this key."""
    return f"did:key:{key.to_multikey()}"


def key_of_did(did: str) -> VerificationKey:
    """The key that a did:key or did:jwk is, with or without a fragment; KeyNotResolved for any other DID."""
    named = did.partition("#")[0]
    try:
        if named.startswith("did:key:"):
            return VerificationKey.from_multikey(named.removeprefix("did:key:"))
        if named.startswith("did:jwk:"):
            encoded = decode_base64url(named.removeprefix("did:jwk:"))
            return VerificationKey.from_jwk(parse_json_object(encoded, max_bytes=4096, max_depth=4))
    except (MalformedInput, UnusableKey, ValueError):
        raise KeyNotResolved("key_unusable", named[:200]) from None
    raise KeyNotResolved("key_method_not_read", named[:200])


def _is_host_name(host: str) -> bool:
    labels = host.split(".")
    # Resolvers read a host that ends in a number as an IPv4 address, in decimal, octal or hexadecimal (M6).
    return all(map(_LABEL.fullmatch, labels)) and not _NUMERIC_LABEL.fullmatch(labels[-1])


_METHOD_URL = re.compile(r"(?:did:[a-z0-9]+:|https://)[\x21-\x7e]+", re.ASCII)
_MAX_URL = 2048
_MAX_DOCUMENT = 64 * 1024  # T17
_ACCEPT = "application/did+json, application/ld+json;q=0.9, application/json;q=0.8"
_METHODS = frozenset({"verificationMethod", "assertionMethod"})
_MULTIBASE_TYPES = ("Multikey", "Ed25519VerificationKey2020")
_JWK_TYPES = ("JsonWebKey", "JsonWebKey2020")


@dataclass(frozen=True)
class ResolvedKey:
    """A key, and the controller document that lists it."""

    key: VerificationKey
    method_id: str
    controller: str
    document: JsonObject = field(repr=False)
    lacks_fragment: bool = False
    """The reference was a bare did:key, which names an identifier and not a method: report a warning (B-051).
    """
    revoked_at: datetime | None = None
    """Set only where a revoked key was requested with `withdrawn`."""


def resolve_method(
    method_url: str,
    *,
    documents: DocumentSource,
    at: datetime,
    purpose: str = "assertionMethod",
    withdrawn: bool = False,
) -> ResolvedKey:
    """The key a proof may be checked with, from its controller's document and nowhere else.

    The fragment of the URL is only ever compared: a key written in it would be the signer's own claim to be
    the issuer (B-051a). did:key needs no document: there the identifier is the key. `withdrawn`: also return
    a key that its controller revoked, for callers with other evidence of when it was used. `at` must be
    timezone-aware, else ValueError.
    """
    check_aware(at)
    if len(method_url) > _MAX_URL or _METHOD_URL.fullmatch(method_url) is None:
        raise KeyNotResolved("key_reference_malformed", method_url[:200])
    controller, hash_sign, fragment = method_url.partition("#")
    if controller.startswith("did:key:"):
        return _expanded_did_key(controller, fragment if hash_sign else None)
    if not fragment or "#" in fragment:
        raise KeyNotResolved("key_reference_malformed", "no single fragment")
    body = documents.fetch(_document_url(controller), accept=_ACCEPT).body
    document, method = _method_published(body, controller, method_url, purpose)
    revoked_at = _end_of(method, "revoked") if withdrawn else None
    _check_in_force(method, at, but_for="revoked" if withdrawn else "")
    return ResolvedKey(
        _key_published(body, controller, method_url, purpose),
        method_url,
        controller,
        document,
        revoked_at=revoked_at,
    )


def resolve_key(
    key: VerificationKey, controller: str, *, documents: DocumentSource, at: datetime, withdrawn: bool = False
) -> ResolvedKey:
    """The method under which `controller` publishes this very key, found by its RFC 7638 thumbprint.

    For a token that embeds its key and names none. KeyNotResolved("key_not_found") where it is not published.
    """
    body = documents.fetch(_document_url(controller), accept=_ACCEPT).body
    for method_url in _methods_with(body, controller, key.thumbprint()):
        return resolve_method(method_url, documents=documents, at=at, withdrawn=withdrawn)
    raise KeyNotResolved("key_not_found", key.thumbprint())


@lru_cache(maxsize=64)
def _methods_with(body: bytes, controller: str, thumbprint: str) -> tuple[str, ...]:
    """The methods that hold this key, those for signing badges first."""
    document = _controller_document(body, controller)
    listed = [*_list(document, "assertionMethod"), *_list(document, "verificationMethod")]
    found = []
    for method in listed:
        method_id = method.get("id") if isinstance(method, dict) else None
        if isinstance(method, dict) and isinstance(method_id, str):
            with suppress(KeyNotResolved):
                if _key_of(method).thumbprint() == thumbprint:
                    found.append(method_id)
    return tuple(found)


def _expanded_did_key(did: str, fragment: str | None) -> ResolvedKey:
    multikey = did.removeprefix("did:key:")
    method_id = f"{did}#{multikey}"
    # L-009: the fragment of a did:key method repeats the multibase value, whatever the method's text
    # contains.
    if fragment is not None and fragment != multikey:
        raise KeyNotResolved("key_not_found", "fragment is not the key of this did:key")
    method: JsonObject = {
        "id": method_id,
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": multikey,
    }
    document: JsonObject = {"id": did, "verificationMethod": [method], "assertionMethod": [method_id]}
    return ResolvedKey(_key_of(method), method_id, did, document, lacks_fragment=fragment is None)


# Results that depend only on the bytes of a document are cached; whether the key is in force depends on the
# datetime and is checked each time. Callers must not mutate the cached document.


@lru_cache(maxsize=64)
def _method_published(
    body: bytes, controller: str, method_url: str, purpose: str
) -> tuple[JsonObject, JsonObject]:
    """The controller's document, and the method in it."""
    document = _controller_document(body, controller)
    method = _method_in(document, method_url, controller)
    _check_listed(document, method_url, purpose)
    return document, method


@lru_cache(maxsize=64)
def _key_published(body: bytes, controller: str, method_url: str, purpose: str) -> VerificationKey:
    return _key_of(_method_published(body, controller, method_url, purpose)[1])


def _controller_document(body: bytes, controller: str) -> JsonObject:
    try:
        document = parse_json_object(body, max_bytes=_MAX_DOCUMENT)
    except MalformedInput as malformed:
        raise KeyNotResolved("key_document_unreadable", malformed.reason) from None
    if document.get("id") != controller and document.keys().isdisjoint(_METHODS):
        raise KeyNotResolved("key_document_unreadable", "no key document")
    if document.get("id") != controller:
        raise KeyNotResolved("key_document_malformed", "its id is not the identifier it was asked for")
    return document


@lru_cache(maxsize=256)
def _document_url(controller: str) -> str:
    if controller.startswith("https://"):
        return controller
    if not controller.startswith("did:web:"):
        raise KeyNotResolved("key_method_not_read", controller.partition(":")[2].partition(":")[0])
    try:
        return did_web_document_url(controller)
    except MalformedInput as malformed:
        raise KeyNotResolved("key_reference_malformed", malformed.reason) from None


def _method_in(document: JsonObject, method_url: str, controller: str) -> JsonObject:
    listed = [*_list(document, "verificationMethod"), *_list(document, "assertionMethod")]
    found = [method for method in listed if isinstance(method, dict) and method.get("id") == method_url]
    if not found:
        raise KeyNotResolved("key_not_found", method_url)
    if any(method != found[0] for method in found):
        raise KeyNotResolved("key_document_malformed", "one id, two methods")
    if found[0].get("controller") != controller:
        raise KeyNotResolved("key_not_bound_to_issuer", "the method has another controller")
    return found[0]


def _check_listed(document: JsonObject, method_url: str, purpose: str) -> None:
    listed = _list(document, purpose)
    names = [method.get("id") if isinstance(method, dict) else method for method in listed]
    if method_url not in names:
        raise KeyNotResolved("key_not_for_assertion", purpose)


def _check_in_force(method: JsonObject, at: datetime, *, but_for: str) -> None:
    for member, reason in (("revoked", "key_revoked"), ("expires", "key_expired")):
        ended = _end_of(method, member)
        if ended is not None and ended <= at and member != but_for:
            raise KeyNotResolved(reason)


def _end_of(method: JsonObject, member: str) -> datetime | None:
    if member not in method:
        return None
    try:
        return parse_timestamp(method[member])
    except MalformedInput:
        raise KeyNotResolved("key_document_malformed", member) from None


def _key_of(method: JsonObject) -> VerificationKey:
    if "secretKeyMultibase" in method or "secretKeyJwk" in method or "privateKeyJwk" in method:
        raise KeyNotResolved("key_unusable", "private_key_published")
    if "publicKeyJwk" in method and "publicKeyMultibase" in method:
        raise KeyNotResolved("key_document_malformed", "one method, two keys")
    multibase, jwk = method.get("publicKeyMultibase"), method.get("publicKeyJwk")
    try:
        if method.get("type") in _MULTIBASE_TYPES and isinstance(multibase, str):
            return VerificationKey.from_multikey(multibase)
        if method.get("type") in _JWK_TYPES and isinstance(jwk, dict):
            return VerificationKey.from_jwk(jwk)
    except UnusableKey as unusable:
        unread = unusable.reason == "unsupported_key"
        raise KeyNotResolved("key_method_not_read" if unread else "key_unusable", unusable.reason) from None
    raise KeyNotResolved("key_method_not_read", str(method.get("type"))[:100])


def _list(document: JsonObject, member: str) -> list[JsonValue]:
    value = document.get(member, [])
    if not isinstance(value, list):
        raise KeyNotResolved("key_document_malformed", member)
    return value


_CONTEXTS: tuple[str, ...] = (
    "https://www.w3.org/ns/did/v1",
    "https://w3id.org/security/multikey/v1",
    "https://w3id.org/security/jwk/v1",
)


@dataclass(frozen=True)
class PublishedKey:
    """A key an issuer has published. `id` is the absolute DID URL its Data Integrity proofs name.

    A retired key is never unpublished: removing it would void every badge it signed (L-012, L-013).
    """

    id: str
    key: VerificationKey
    revoked_at: datetime | None = None

    @property
    def controller(self) -> str:
        return self.id.partition("#")[0]


def jwt_method_id(method_id: str) -> str:
    """The `kid` of a key: its JsonWebKey method, distinct from its Multikey method (L-006)."""
    return f"{method_id}-jwk"


def did_document(
    did: str,
    keys: Sequence[PublishedKey],
    *,
    also_known_as: Sequence[str] = (),
    authentication: Sequence[PublishedKey] = (),
) -> JsonObject:
    """Every key ever used, each once as Multikey and once as JsonWebKey, all for assertions (L-005, L-006).

    Those of `authentication` sign requests only, never a credential.
    """
    if any(published.controller != did for published in (*keys, *authentication)):
        raise ValueError("a DID document lists only the keys of its own DID")
    methods: list[JsonObject] = [method for published in keys for method in _methods(did, published)]
    document: JsonObject = {"@context": list(_CONTEXTS), "id": did}
    if also_known_as:
        document["alsoKnownAs"] = list(also_known_as)
    asking: list[JsonObject] = [method for published in authentication for method in _methods(did, published)]
    document["verificationMethod"] = list[JsonValue]([*methods, *asking])
    document["assertionMethod"] = [method["id"] for method in methods]
    if asking:
        document["authentication"] = [method["id"] for method in asking]
    return document


def jwk_set(keys: Sequence[PublishedKey]) -> JsonObject:
    """The keys as a JWK Set; `iss` on each names its issuer (B-026, B-027).

    Revoked keys are omitted: a JWK cannot express revocation.
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
