"""The keys that an issuer of Open Badges 2.0 or 1.x links from its profile (H-006)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sceau_credentials.errors import CredentialError, DocumentUnavailable, KeyNotResolved, MalformedInput
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.vc_jwt import ParsedJws, verify_jws
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonValue, parse_json_object
from sceau_credentials.verification.legacy.authority import is_same_origin, linked_keys, read_key, read_pem
from sceau_credentials.verification.legacy.documents import Assertion, Issuer

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
                if not _is_out_of_reach(refused):  # that key may be the one
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
