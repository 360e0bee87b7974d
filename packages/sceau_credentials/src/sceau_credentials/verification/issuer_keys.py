"""The keys one issuer publishes, searched only where the issuer itself is accountable."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from sceau_credentials.dids import ResolvedKey, did_web_document_url, resolve_key, resolve_method
from sceau_credentials.errors import (
    CredentialError,
    DocumentUnavailable,
    KeyNotResolved,
    MalformedInput,
    UnusableKey,
)
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.vc_jwt import ParsedJws
from sceau_credentials.values import DocumentSource, JsonObject, JsonValue, parse_json_object

_ACCEPT: Final = "application/jwk-set+json, application/json;q=0.9"
_MAX_JWK_SET: Final = 64 * 1024
_ENDED: Final = ("key_revoked", "key_expired", "key_not_for_assertion")


class IssuerKeys:
    """Resolves key references of a badge that names this issuer, and caches the results.

    A reference to another party's document is not followed: it could not prove that the issuer signed, and
    the badge's author would choose which URLs are fetched (T07, C-026). did:key needs no document.
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
        """By `kid` in the issuer's own document, else in the JWK Set of its host; `jwk` is only compared.

        Without `kid`, the published key with the thumbprint of `jwk` (RFC 7638), in either.
        """
        named = jws.kid or (self.issuer_id if self.issuer_id.startswith("did:key:") else "")
        controller, hash_sign, _ = named.partition("#")
        if named.startswith("did:key:") or (hash_sign and controller == self.issuer_id):
            self.key_for(named)
            resolved = self.resolved[named]
        else:
            if self._names_another(controller):
                raise KeyNotResolved("key_not_bound_to_issuer", f"named under {controller[:200]}")
            resolved = self._with_thumbprint(jws) if jws.kid is None else self._in_jwk_set(jws)
        if jws.jwk is not None and not _is_same_key(jws.jwk, resolved.key):
            raise KeyNotResolved("key_not_bound_to_issuer", "jwk is not the key that kid names")
        self.resolved[resolved.method_id] = resolved
        return resolved

    def _with_thumbprint(self, jws: ParsedJws) -> ResolvedKey:
        """In the key set first. If either was unavailable, it may hold the key: then undetermined."""
        if jws.jwk is None:
            raise KeyNotResolved("key_reference_malformed", "neither kid nor jwk")
        try:
            return self._in_jwk_set(jws)
        except (DocumentUnavailable, KeyNotResolved) as error:
            missed = error
        try:
            key = VerificationKey.from_jwk(jws.jwk)
            return resolve_key(
                key, self.issuer_id, documents=self._documents, at=self._at, withdrawn=self._withdrawn
            )
        except UnusableKey:
            raise missed from None
        except DocumentUnavailable as error:
            raise (missed if _is_out_of_reach(missed) else error) from None
        except KeyNotResolved as error:
            if error.reason == "key_not_found":
                raise (missed if not _is_absent(missed) else self._not_published(key)) from None
            if error.reason == "key_document_unreadable" and _is_out_of_reach(missed):
                raise missed from None
            raise

    def _not_published(self, key: VerificationKey) -> KeyNotResolved:
        return KeyNotResolved("key_not_bound_to_issuer", key.thumbprint())

    def _in_jwk_set(self, jws: ParsedJws) -> ResolvedKey:
        """B-026. Several issuers may share a host: then each key must name its issuer."""
        url = self._jwk_set_url()
        for listed in _keys_in(self._documents.fetch(url, accept=_ACCEPT).body):
            if not self._may_be_the_issuers(listed):
                continue
            if listed.get("kid") == jws.kid if jws.kid is not None else _is_same_jwk(jws.jwk, listed):
                method = jws.kid or f"{url}#{_key(listed).thumbprint()}"
                return self._with_its_end(ResolvedKey(_key(listed), method, self.issuer_id, listed))
        raise KeyNotResolved("key_not_bound_to_issuer", url)

    def _with_its_end(self, found: ResolvedKey) -> ResolvedKey:
        """A key set has no member for the end of a key, or for another purpose: the DID document has."""
        if not self.issuer_id.startswith("did:web:"):
            return found
        try:
            resolved = resolve_key(
                found.key, self.issuer_id, documents=self._documents, at=self._at, withdrawn=self._withdrawn
            )
        except DocumentUnavailable:
            return found
        except KeyNotResolved as error:
            if error.reason in _ENDED:
                raise
            return found
        return found if resolved.revoked_at is None else resolved

    def _names_another(self, controller: str) -> bool:
        """Whether a `kid` is a URL of another controller; plain names are searched for in the key set."""
        if controller.startswith("did:"):
            return controller != self.issuer_id
        if not controller.startswith(("https://", "http://")):
            return False
        try:
            return urlsplit(controller).netloc.lower() != self._authority().lower()
        except ValueError:
            return True

    def _may_be_the_issuers(self, listed: JsonObject) -> bool:
        owner = listed.get("iss", None if self.issuer_id.startswith("did:") else self.issuer_id)
        return owner == self.issuer_id

    def _jwk_set_url(self) -> str:
        return f"https://{self._authority()}/.well-known/jwks.json"

    def _authority(self) -> str:
        """The issuer's host; a URL with user and password has none."""
        try:
            is_did_web = self.issuer_id.startswith("did:web:")
            parts = urlsplit(did_web_document_url(self.issuer_id) if is_did_web else self.issuer_id)
            if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc:
                return parts.netloc
        except (MalformedInput, ValueError):
            pass
        raise KeyNotResolved("key_method_not_read", self.issuer_id[:200])


def _is_out_of_reach(error: CredentialError) -> bool:
    unreadable = isinstance(error, KeyNotResolved) and error.reason == "key_document_unreadable"
    return unreadable or isinstance(error, DocumentUnavailable)


def _is_absent(error: CredentialError) -> bool:
    """The host answered that it has no key set, which is not an outage."""
    return isinstance(error, DocumentUnavailable) and error.reason in ("not_found", "gone")


def _keys_in(body: bytes) -> list[JsonObject]:
    try:
        listed = parse_json_object(body, max_bytes=_MAX_JWK_SET).get("keys")
    except MalformedInput as error:
        raise KeyNotResolved("key_document_unreadable", error.reason) from None
    if not isinstance(listed, list):
        raise KeyNotResolved("key_document_unreadable", "keys")
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
