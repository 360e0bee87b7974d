"""The keys one issuer publishes, looked for nowhere but where that issuer can be held to them."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from app.credentials.dids import ResolvedKey, did_web_document_url, resolve_method
from app.credentials.documents import DocumentSource
from app.credentials.errors import KeyNotResolved, MalformedInput, UnusableKey
from app.credentials.json_text import JsonObject, JsonValue, parse_json_object
from app.credentials.keys import VerificationKey
from app.credentials.proofs.vc_jwt import ParsedJws

_ACCEPT: Final = "application/jwk-set+json, application/json;q=0.9"
_MAX_JWK_SET: Final = 64 * 1024


class IssuerKeys:
    """Resolves key references of a badge that names this issuer, and remembers what it resolved.

    A reference to anybody else's document is not followed: it could not prove the issuer's hand, and
    whoever wrote the badge would choose where we go (T07, C-026). did:key needs no document.
    """

    def __init__(
        self, issuer_id: str, documents: DocumentSource, at: datetime, *, withdrawn: bool = False
    ) -> None:
        self.issuer_id = issuer_id
        self.resolved: dict[str, ResolvedKey] = {}
        self._documents = documents
        self._at = at
        self._withdrawn = withdrawn

    def key_for(self, method_url: str) -> VerificationKey:
        controller = method_url.partition("#")[0]
        if controller != self.issuer_id and not controller.startswith("did:key:"):
            raise KeyNotResolved("key_not_bound_to_issuer", f"named under {controller[:200]}")
        if not controller.startswith("did:"):
            self._authority()
        resolved = resolve_method(
            method_url, documents=self._documents, at=self._at, withdrawn=self._withdrawn
        )
        self.resolved[method_url] = resolved
        return resolved.key

    def of_token(self, jws: ParsedJws) -> ResolvedKey:
        """By `kid` in the issuer's own document, else in the JWK Set of its host; `jwk` is only compared."""
        named = jws.kid or (self.issuer_id if self.issuer_id.startswith("did:key:") else "")
        controller, hash_sign, _ = named.partition("#")
        if named.startswith("did:key:") or (hash_sign and controller == self.issuer_id):
            self.key_for(named)
            resolved = self.resolved[named]
        else:
            resolved = self._in_jwk_set(jws)
        if jws.jwk is not None and not _is_same_key(jws.jwk, resolved.key):
            raise KeyNotResolved("key_not_bound_to_issuer", "jwk is not the key that kid names")
        self.resolved[resolved.method_id] = resolved
        return resolved

    def _in_jwk_set(self, jws: ParsedJws) -> ResolvedKey:
        """B-026. Several issuers may share a host: then each key must say whose it is."""
        if jws.kid is None and jws.jwk is None:
            raise KeyNotResolved("key_reference_malformed", "neither kid nor jwk")
        url = self._jwk_set_url()
        for listed in _keys_in(self._documents.fetch(url, accept=_ACCEPT).body):
            if not self._may_be_the_issuers(listed):
                continue
            if listed.get("kid") == jws.kid if jws.kid is not None else _is_same_jwk(jws.jwk, listed):
                method = jws.kid or f"{url}#{_key(listed).thumbprint()}"
                return ResolvedKey(_key(listed), method, self.issuer_id, listed)
        raise KeyNotResolved("key_not_bound_to_issuer", url)

    def _may_be_the_issuers(self, listed: JsonObject) -> bool:
        owner = listed.get("iss", None if self.issuer_id.startswith("did:") else self.issuer_id)
        return owner == self.issuer_id

    def _jwk_set_url(self) -> str:
        return f"https://{self._authority()}/.well-known/jwks.json"

    def _authority(self) -> str:
        """The host that answers for the issuer; a name with user and password in it names no host."""
        try:
            is_did_web = self.issuer_id.startswith("did:web:")
            parts = urlsplit(did_web_document_url(self.issuer_id) if is_did_web else self.issuer_id)
            if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc:
                return parts.netloc
        except (MalformedInput, ValueError):
            pass
        raise KeyNotResolved("key_method_not_read", self.issuer_id[:200])


def _keys_in(body: bytes) -> list[JsonObject]:
    try:
        listed = parse_json_object(body, max_bytes=_MAX_JWK_SET).get("keys")
    except MalformedInput as error:
        raise KeyNotResolved("key_document_malformed", error.reason) from None
    if not isinstance(listed, list):
        raise KeyNotResolved("key_document_malformed", "keys")
    return [each for each in listed if isinstance(each, dict)]


def _key(jwk: JsonObject) -> VerificationKey:
    try:
        return VerificationKey.from_jwk(jwk)
    except UnusableKey as unusable:
        raise KeyNotResolved("key_unusable", unusable.reason) from None


def _is_same_jwk(brought: JsonObject | None, listed: JsonObject) -> bool:
    try:
        return brought is not None and _is_same_key(brought, VerificationKey.from_jwk(listed))
    except UnusableKey:
        return False


def _is_same_key(brought: JsonValue, key: VerificationKey) -> bool:
    try:
        return (
            isinstance(brought, dict) and VerificationKey.from_jwk(brought).thumbprint() == key.thumbprint()
        )
    except UnusableKey:
        return False
