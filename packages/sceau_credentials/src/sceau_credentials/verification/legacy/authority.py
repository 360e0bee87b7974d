"""What an issuer of Open Badges 2.0 authorises: URLs, keys, and its revocation list."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from sceau_credentials.errors import (
    CredentialError,
    DocumentUnavailable,
    KeyNotResolved,
    MalformedInput,
    UnusableKey,
)
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.vc_jwt import ParsedJws, verify_jws
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object
from sceau_credentials.verification.legacy.documents import Assertion, Issuer, objects, strings, web_address

_MOST_REVOKED: Final = 100_000
_LONGEST_PEM: Final = 8 * 1024


def is_in_scope(assertion_url: str, class_url: str, issuer: Issuer) -> bool:
    """H-004: within what the issuer's profile allows, else all three on one origin.

    `startsWith` is compared after the origin, not as bare text: `https://a.example` must not authorise
    `https://a.example.elsewhere.example`.
    """
    prefixes, origins = strings(issuer.scope.get("startsWith")), strings(issuer.scope.get("allowedOrigins"))
    if not prefixes and not origins:
        return is_same_origin(assertion_url, issuer.url) and is_same_origin(class_url, issuer.url)
    in_prefixes = not prefixes or any(_starts_with(assertion_url, prefix) for prefix in prefixes)
    return in_prefixes and (not origins or any(_comes_from(assertion_url, each) for each in origins))


def is_same_origin(left: str, right: str) -> bool:
    return _origin(left) is not None and _origin(left) == _origin(right)


def _origin(url: str) -> tuple[str, str | None, int] | None:
    parts = web_address(url)
    if parts is None:
        return None
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _starts_with(url: str, prefix: str) -> bool:
    parts, allowed = web_address(url), web_address(prefix)
    return (
        parts is not None
        and allowed is not None
        and _origin(url) == _origin(prefix)
        and f"{parts.path}?{parts.query}".startswith(
            f"{allowed.path}?{allowed.query}" if allowed.query else allowed.path
        )
    )


def _comes_from(url: str, allowed: str) -> bool:
    """`allowedOrigins` holds registered names, which some issuers write as whole origins."""
    parts = web_address(url)
    if parts is None:
        return False
    return _origin(url) == _origin(allowed) if "://" in allowed else parts.hostname == allowed.lower()


def linked_keys(issuer: Issuer, creator: str | None) -> list[JsonValue]:
    """H-006: the keys an issuer's profile links, by name or embedded; only the creator's where there is one."""
    named = [each for each in issuer.keys if creator is None or _name_of(each) == creator]
    if not named:
        raise KeyNotResolved("key_not_bound_to_issuer", creator or "no publicKey in the issuer's profile")
    return named[:2]


def _name_of(key: JsonValue) -> JsonValue:
    return key.get("id") if isinstance(key, dict) else key


def read_key(document: JsonObject, url: str, issuer: Issuer) -> VerificationKey:
    """A CryptographicKey that names this issuer as its owner."""
    if document.get("id", url) != url or document.get("owner") != issuer.url:
        raise KeyNotResolved("key_not_bound_to_issuer", "id or owner")
    pem = document.get("publicKeyPem")
    if not isinstance(pem, str):
        raise KeyNotResolved("key_document_malformed", "publicKeyPem")
    return read_pem(pem)


def read_pem(pem: str) -> VerificationKey:
    if len(pem) > _LONGEST_PEM:
        raise KeyNotResolved("key_document_malformed", "too_large")
    try:
        public = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise KeyNotResolved("key_document_malformed", "PEM") from None
    if not isinstance(public, rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey):
        raise KeyNotResolved("key_unusable", "unsupported_key")
    try:
        return VerificationKey.of(public)
    except UnusableKey as unusable:
        raise KeyNotResolved("key_unusable", unusable.reason) from None


_NOT_OF_A_LIST_OF_1_0: Final = frozenset({"type", "@context", "error", "errors", "message", "detail"})
"""Members of 2.0, or of documents that are not a list."""


def is_revoked(document: JsonObject, url: str, issuer: Issuer, assertion: Assertion) -> bool:
    """Whether the issuer's list names it; MalformedInput `another_issuer` for another issuer's list."""
    if assertion.names & document.keys() and "revokedAssertions" not in document:
        return True  # Open Badges 1.0: an object from `uid` to the reason
    if "revokedAssertions" not in document:
        if not document.keys().isdisjoint(_NOT_OF_A_LIST_OF_1_0):
            raise MalformedInput("missing", "/revokedAssertions")
        return False
    if document.get("id", url) != url:
        raise MalformedInput("another_id", "/id")
    if _name_of(document.get("issuer", issuer.url)) != issuer.url:
        raise MalformedInput("another_issuer", "/issuer")
    listed = objects(document["revokedAssertions"])
    if len(listed) > _MOST_REVOKED:
        raise MalformedInput("too_large", "/revokedAssertions")
    return any(_names_it(entry, assertion.names) for entry in listed)


def _names_it(entry: JsonValue, names: frozenset[str]) -> bool:
    """H-006: `id`, the `uid` of 1.0, or a bare string."""
    if isinstance(entry, dict):
        return any(each in names for each in strings([entry.get("id"), entry.get("uid")]))
    return isinstance(entry, str) and entry in names


_ACCEPT: Final = "application/ld+json, application/json;q=0.9"
_KEY_MEMBERS: Final = frozenset({"@context", "id", "owner", "publicKeyPem", "type"})
_ACCEPT_PEM: Final = "text/plain, application/x-pem-file;q=0.9"

_Named = tuple[str, Callable[[], VerificationKey]]


@dataclass(frozen=True)
class LinkedKeys:
    issuer: Issuer
    documents: DocumentSource
    generation: int

    def key_that_signed(self, jws: ParsedJws, assertion: Assertion) -> tuple[str, VerificationKey]:
        refused: CredentialError = KeyNotResolved("key_not_found")
        for url, read in self._keys(assertion):
            try:
                key = read()
                verify_jws(jws, key)
            except CredentialError as error:
                if not _is_out_of_reach(refused):  # that key may be the right one
                    refused = error
            else:
                return url, key
        raise refused

    def _keys(self, assertion: Assertion) -> list[_Named]:
        if self.generation == 1:
            address = assertion.address or ""
            if not is_same_origin(address, self.issuer.url):
                raise KeyNotResolved("key_not_bound_to_issuer", address)
            return [(address, lambda: self._pem_at(address))]
        return [self._linked(key) for key in linked_keys(self.issuer, assertion.creator)]

    def _linked(self, key: JsonValue) -> _Named:
        if isinstance(key, dict):
            url = str(key.get("id") or f"{self.issuer.url}#publicKey")
            return url, lambda: read_key(key, url, self.issuer)
        if not isinstance(key, str):
            raise KeyNotResolved("key_document_malformed", "publicKey")
        return key, lambda: self._key_at(key)

    def _key_at(self, url: str) -> VerificationKey:
        try:
            document = parse_json_object(self.documents.fetch(url, accept=_ACCEPT).body)
        except MalformedInput as error:
            raise KeyNotResolved("key_document_unreadable", error.reason) from None
        if document.keys().isdisjoint(_KEY_MEMBERS):
            raise KeyNotResolved("key_document_unreadable", "no key")
        return read_key(document, url, self.issuer)

    def _pem_at(self, url: str) -> VerificationKey:
        text = self.documents.fetch(url, accept=_ACCEPT_PEM).body.decode(errors="replace")
        if "-----BEGIN" not in text:
            raise KeyNotResolved("key_document_unreadable", "PEM")
        return read_pem(text)


def _is_out_of_reach(error: CredentialError) -> bool:
    unread = isinstance(error, KeyNotResolved) and error.reason == "key_document_unreadable"
    return unread or isinstance(error, DocumentUnavailable)
