"""Signed documents other than badges: endorsements, trust lists, status lists, key documents, key sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import CredentialError, DocumentUnavailable, MalformedInput
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object
from sceau_credentials.verification.answers import CheckResult, Outcome
from sceau_credentials.verification.checks import issuer_of
from sceau_credentials.verification.run_checks import DEFAULT_POLICY, asked_of_document
from sceau_credentials.verification.secured import Secured, secured_from_text

MOST_BYTES: Final = 1024 * 1024


class DocumentKind(StrEnum):
    ENDORSEMENT = "endorsement"
    TRUST_LIST = "trust_list"
    STATUS_LIST = "status_list"
    KEY_DOCUMENT = "key_document"
    KEY_SET = "key_set"


_BY_TYPE: Final = {
    "EndorsementCredential": DocumentKind.ENDORSEMENT,
    "RecognisedIssuersCredential": DocumentKind.TRUST_LIST,
    "BitstringStatusListCredential": DocumentKind.STATUS_LIST,
    "StatusList2021Credential": DocumentKind.STATUS_LIST,
}


@dataclass(frozen=True)
class OtherDocument:
    """Type, issuer and validity: signed by a key of the issuer, within its dates, not revoked.

    A key document is not signed: it is good if its own URL serves it; a key set (RFC 7517) if the host of the
    issuers that it names publishes each of its keys.
    """

    kind: DocumentKind
    issuer: str
    outcome: Outcome
    reason: str
    """The failed check's, or `document_holds`, `published`, `published_differently`, `publisher_not_named`.
    """
    about: str = ""
    comment: str = ""
    issuer_name: str = ""
    """The issuer's own name for itself in the signed document."""

    def to_document(self) -> JsonObject:
        return {
            "kind": self.kind.value,
            "issuer": self.issuer,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "about": self.about,
            "comment": self.comment,
            "issuerName": self.issuer_name,
        }


def verify_other(
    presented: bytes | str, *, documents: DocumentSource, at: datetime, served_by: str = ""
) -> OtherDocument | None:
    """None for any other document. `served_by`: the URL that it was read from, if any."""
    try:
        text = presented.decode() if isinstance(presented, bytes) else presented
        secured = secured_from_text(text.removeprefix("\ufeff"), max_bytes=MOST_BYTES)
    except (MalformedInput, UnicodeDecodeError):
        return None
    if "verificationMethod" in secured.claims and not secured.jws:
        return _key_document(secured.claims, documents)
    keys = secured.claims.get("keys")
    if isinstance(keys, list) and keys and not secured.jws and all(map(_is_jwk, keys)):
        return _key_set(keys, served_by, documents)
    types = secured.document.get("type")
    named = types if isinstance(types, list) else [types]
    kind = next((_BY_TYPE[each] for each in named if isinstance(each, str) and each in _BY_TYPE), None)
    return _signed(kind, secured, documents, at) if kind else None


def _signed(kind: DocumentKind, secured: Secured, documents: DocumentSource, at: datetime) -> OtherDocument:
    checks = asked_of_document(secured, documents=documents, at=at, policy=DEFAULT_POLICY)
    against = _first_against(checks)
    subject = secured.document.get("credentialSubject")
    about = subject if isinstance(subject, dict) and against is None else {}
    return OtherDocument(
        kind,
        issuer_of(secured.document) or "",
        against.outcome if against else Outcome.PASSED,
        against.reason if against else "document_holds",
        _text(about.get("id")) if kind is DocumentKind.ENDORSEMENT else "",
        _text(about.get("endorsementComment")),
        _issuer_name(secured.document) if against is None else "",
    )


def _first_against(checks: Sequence[CheckResult]) -> CheckResult | None:
    """Signature and key come before period and status, which are unauthenticated without them."""
    proof, key, *others = checks
    for group in ((proof, key), (key, proof), others):
        wanted = {Outcome.FAILED} if group == (proof, key) else set(Outcome) - {Outcome.PASSED}
        for check in sorted(group, key=lambda each: each.outcome is not Outcome.FAILED):
            if check.outcome in wanted and not check.void:
                return check
    return None


def _key_document(document: JsonObject, documents: DocumentSource) -> OtherDocument | None:
    """Compared with what its URL serves: its content does not prove its owner."""
    did = document.get("id")
    if not isinstance(did, str) or not did.startswith("did:"):
        return None
    kind = DocumentKind.KEY_DOCUMENT
    try:
        served = parse_json_object(documents.fetch(did_web_document_url(did)).body)
    except DocumentUnavailable as error:
        return OtherDocument(kind, did, Outcome.UNKNOWN, error.reason)
    except CredentialError:
        return OtherDocument(kind, did, Outcome.UNKNOWN, "key_method_not_read")
    if served == document:
        return OtherDocument(kind, did, Outcome.PASSED, "published")
    return OtherDocument(kind, did, Outcome.FAILED, "published_differently")


def _is_jwk(value: JsonValue) -> bool:
    return isinstance(value, dict) and isinstance(value.get("kty"), str)


def _key_set(keys: list[JsonValue], served_by: str, documents: DocumentSource) -> OtherDocument:
    """Compared with what its issuers' host publishes; a set that names none is trusted for its own URL."""
    kind = DocumentKind.KEY_SET
    named = {each.get("iss") for each in keys if isinstance(each, dict)}
    places = {_key_set_of(issuer) for issuer in named} if named != {None} else {served_by}
    place = places.pop() if len(places) == 1 else ""
    if not place:
        return OtherDocument(kind, "", Outcome.UNKNOWN, "publisher_not_named")
    issuer = f"https://{urlsplit(place).netloc}"
    try:
        published = parse_json_object(documents.fetch(place).body, max_bytes=MOST_BYTES).get("keys")
    except DocumentUnavailable as error:
        return OtherDocument(kind, issuer, Outcome.UNKNOWN, error.reason)
    except CredentialError:
        return OtherDocument(kind, issuer, Outcome.UNKNOWN, "key_document_unreadable")
    if isinstance(published, list) and all(each in published for each in keys):
        return OtherDocument(kind, issuer, Outcome.PASSED, "published")
    return OtherDocument(kind, issuer, Outcome.FAILED, "published_differently")


def _key_set_of(issuer: JsonValue) -> str:
    """Where the host of an issuer publishes its keys; empty where it names no host."""
    try:
        place = issuer if isinstance(issuer, str) else ""
        place = place if place.startswith("https://") else did_web_document_url(place)
        return f"https://{urlsplit(place).netloc}/.well-known/jwks.json"
    except (CredentialError, ValueError):
        return ""


def _issuer_name(document: JsonObject) -> str:
    issuer = document.get("issuer")
    return _text(issuer.get("name")) if isinstance(issuer, dict) else ""


def _text(value: JsonValue) -> str:
    return value[:4000] if isinstance(value, str) else ""
