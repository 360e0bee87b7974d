"""Signed documents other than badges: endorsements, trust lists, status lists, key documents, key sets."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import CredentialError, DocumentUnavailable, MalformedInput
from sceau_credentials.model import EndorsementCredential
from sceau_credentials.model.conforming import period_members
from sceau_credentials.status_list import read_list
from sceau_credentials.values import (
    CONTEXT_V1,
    CONTEXT_V2,
    DocumentSource,
    JsonObject,
    JsonValue,
    allowed_context_array,
    is_absolute_iri,
    known_context_urls,
    parse_json_object,
    parse_timestamp,
    pointer_to,
)
from sceau_credentials.verification.answers import (
    CheckResult,
    FetchBudget,
    Outcome,
    Policy,
    Secured,
    secured_from_text,
)
from sceau_credentials.verification.checks import claims, issuer, issuer_of, recipient, signature, validity
from sceau_credentials.verification.findings import Reason, found, not_reached
from sceau_credentials.verification.report import CheckId, Report
from sceau_credentials.verification.run_checks import DEFAULT_POLICY, asked_of_document, authentic_list
from sceau_credentials.verification.status import StatusQuestion, status

MOST_BYTES: Final = 1024 * 1024
_LOGGER: Final = logging.getLogger(__name__)


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
        return _other(presented, documents, at, served_by)
    except Exception:
        # As in `verify`: one failing input must not lose the results of the others.
        _LOGGER.exception("verification of another document failed")
        return None


def _other(
    presented: bytes | str, documents: DocumentSource, at: datetime, served_by: str
) -> OtherDocument | None:
    try:
        text = presented.decode() if isinstance(presented, bytes) else presented
        secured = secured_from_text(text.removeprefix("\ufeff"), max_bytes=MOST_BYTES)
    except (MalformedInput, UnicodeDecodeError):
        return None
    if "verificationMethod" in secured.claims and not secured.jws:
        return _key_document(secured.claims, documents)
    keys = secured.claims.get("keys")
    if isinstance(keys, list) and keys and not secured.jws and all(map(_is_jwk, keys)):
        return _key_set(secured.claims, keys, served_by, documents)
    types = secured.document.get("type")
    named = types if isinstance(types, list) else [types]
    kind = next((_BY_TYPE[each] for each in named if isinstance(each, str) and each in _BY_TYPE), None)
    return _signed(kind, secured, documents, at) if kind else None


def _signed(kind: DocumentKind, secured: Secured, documents: DocumentSource, at: datetime) -> OtherDocument:
    checks = asked_of_document(secured, documents=documents, at=at, policy=DEFAULT_POLICY)
    against = _first_against(checks) or _content_fault(kind, secured.document)
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


def _content_fault(kind: DocumentKind, document: JsonObject) -> CheckResult | None:
    """A signed list or recommendation must be usable too."""
    try:
        if kind is DocumentKind.STATUS_LIST:
            read_list(document)
        elif kind is DocumentKind.TRUST_LIST:
            _check_trust_list(document)
        else:
            EndorsementCredential.from_document(document)
    except CredentialError:
        return found(Reason.SCHEMA_VIOLATION)
    return None


def _check_trust_list(document: JsonObject) -> None:
    """The required members; `trust` reads the rest of a list that is followed."""
    subject = document.get("credentialSubject")
    entries = subject.get("issuers") if isinstance(subject, dict) else None
    _require(
        isinstance(entries, list)
        and all(isinstance(each, dict) and isinstance(each.get("id"), str) for each in entries),
        "/credentialSubject/issuers",
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


def _key_set(
    given: JsonObject, keys: list[JsonValue], served_by: str, documents: DocumentSource
) -> OtherDocument:
    """Compared with what its issuers' host publishes; a set that names none is trusted for its own URL."""
    kind = DocumentKind.KEY_SET
    named = [each.get("iss") for each in keys if isinstance(each, dict)]
    places = {_key_set_of(issuer) for issuer in named} if any(named) else {served_by}
    place = places.pop() if len(places) == 1 else ""
    if not place:
        return OtherDocument(kind, "", Outcome.UNKNOWN, "publisher_not_named")
    issuer = f"https://{urlsplit(place).netloc}"
    try:
        published = parse_json_object(documents.fetch(place).body, max_bytes=MOST_BYTES)
    except DocumentUnavailable as error:
        return OtherDocument(kind, issuer, Outcome.UNKNOWN, error.reason)
    except CredentialError:
        return OtherDocument(kind, issuer, Outcome.UNKNOWN, "key_document_unreadable")
    listed, beside = published.get("keys"), given.keys() - {"keys"}
    is_published = isinstance(listed, list) and all(each in listed for each in keys)
    if is_published and all(published.get(name) == given[name] for name in beside):
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


# --- A verifiable credential of any kind: the rules of the W3C data model and its proof only

_TYPED: Final = ("credentialStatus", "termsOfUse", "evidence", "refreshService", "credentialSchema")
_NAMED: Final = ("credentialSchema",)  # each entry must have an id
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII)
_DIGESTS: Final = frozenset({"digestSRI", "digestMultibase"})
_DEFAULT: Final = Policy()


def verify_credential(
    presented: str, *, documents: DocumentSource, at: datetime, policy: Policy = _DEFAULT
) -> Report:
    """Whether this credential (JSON or compact JWS) conforms, is signed by its issuer and in force."""
    try:
        secured = secured_from_text(presented)
    except MalformedInput as error:
        return Report(at, (found(Reason.MALFORMED_JSON, cause=error.reason),))
    document, issuer_id = secured.document, issuer_of(secured.document)
    checks = [found(Reason.READABLE), *shape_of(document)]
    against = next((each for each in checks if each.outcome is not Outcome.PASSED), None)
    if against is not None or issuer_id is None:
        because = against.id if against else CheckId.SCHEMA
        asked = (CheckId.PROOF, CheckId.KEY, CheckId.VALIDITY, CheckId.STATUS)
        return Report(
            at, (*checks, *(not_reached(each, because) for each in asked)), presented=secured.claims
        )
    budget = FetchBudget(documents, policy.max_fetches)
    findings = signature(secured, issuer_id, documents=budget, at=at, policy=policy)
    disagreeing = claims(secured.jws) if secured.jws else None
    proof = disagreeing if disagreeing and findings.proof.outcome is Outcome.PASSED else findings.proof
    checks += [proof, findings.key, _in_force(document, at, policy), recipient(document, policy.recipient)]
    if findings.by_the_issuer:
        question = StatusQuestion(
            issuer_id, budget, at, policy, authenticate=authentic_list(budget, at, policy)
        )
        checks += [issuer(issuer_id, policy), status(document, question)]
    else:
        checks += [not_reached(each, CheckId.PROOF) for each in (CheckId.ISSUER, CheckId.STATUS)]
    return Report(
        at,
        tuple(checks),
        form=secured.form,
        document=document if findings.by_the_issuer else None,
        presented=secured.claims,
        issuer=issuer_id,
        verification_method=findings.resolved.method_id if findings.resolved else None,
    )


def shape_of(document: JsonObject) -> tuple[CheckResult, CheckResult]:
    """The checks of contexts and shape of a credential, signed or not."""
    return _context(document), _schema(document)


def _context(document: JsonObject) -> CheckResult:
    contexts = document.get("@context")
    if not isinstance(contexts, list) or not contexts or contexts[0] not in (CONTEXT_V2, CONTEXT_V1):
        return found(Reason.CONTEXT_ORDER)
    if not all(isinstance(each, str) for each in contexts):
        return found(Reason.CONTEXT_NOT_ALLOWED)
    unknown = [str(each) for each in contexts if each not in known_context_urls()]
    if unknown:
        return found(Reason.CONTEXT_NOT_HELD, url=unknown[0][:500])
    return found(Reason.CONTEXT_KNOWN if allowed_context_array(contexts) else Reason.CONTEXT_NOT_ALLOWED)


def _schema(document: JsonObject) -> CheckResult:
    try:
        _check_members(document)
    except MalformedInput as error:
        return found(Reason.SCHEMA_VIOLATION, cause=error.reason, pointer=error.pointer)
    return found(Reason.SCHEMA_CONFORMS)


def _check_members(document: JsonObject) -> None:
    _require("VerifiableCredential" in _types(document, ""), "/type")
    if "id" in document:
        _check_id(document["id"], "/id")
    named = document.get("issuer")
    _check_id(named.get("id") if isinstance(named, dict) else named, "/issuer")
    for pointer, subject in _objects(document, "credentialSubject", required=True):
        _require(bool(subject), pointer)
        if "id" in subject:
            _check_id(subject["id"], f"{pointer}/id")
    for member in _TYPED:
        for pointer, entry in _objects(document, member):
            _types(entry, pointer)
            if "id" in entry or member in _NAMED:
                _check_id(entry.get("id"), f"{pointer}/id")
    for member in ("name", "description"):
        _check_words(document, member, "")
        if isinstance(named, dict):
            _check_words(named, member, "/issuer")
    _check_period(document)
    _check_related(document)


def _types(thing: JsonObject, pointer: str) -> list[str]:
    written = thing.get("type")
    listed = written if isinstance(written, list) else [written]
    types = [each for each in listed if isinstance(each, str) and each]
    _require(len(types) == len(listed) > 0, f"{pointer}/type")
    return types


def _objects(document: JsonObject, member: str, *, required: bool = False) -> list[tuple[str, JsonObject]]:
    if member not in document:
        _require(not required, f"/{member}")
        return []
    written = document[member]
    listed = written if isinstance(written, list) else [written]
    _require(bool(listed), f"/{member}")
    objects = []
    for index, each in enumerate(listed):
        pointer = pointer_to(member, index) if isinstance(written, list) else f"/{member}"
        if not isinstance(each, dict):
            raise MalformedInput("wrong_type", pointer)
        objects.append((pointer, each))
    return objects


def _check_id(written: JsonValue, pointer: str) -> None:
    _require(isinstance(written, str) and is_absolute_iri(written), pointer)


def _check_words(thing: JsonObject, member: str, before: str) -> None:
    """Plain text, or language values: `@value` with, at most, its language and direction."""
    if member not in thing:
        return
    written, pointer = thing[member], f"{before}/{member}"
    for each in written if isinstance(written, list) else [written]:
        if isinstance(each, str):
            continue
        if not isinstance(each, dict) or not isinstance(each.get("@value"), str):
            raise MalformedInput("wrong_type", pointer)
        _require(each.keys() <= {"@value", "@language", "@direction"}, pointer)
        language = each.get("@language", "fr")
        _require(isinstance(language, str) and bool(_LANGUAGE.fullmatch(language)), pointer)
        _require(each.get("@direction", "ltr") in ("ltr", "rtl"), pointer)


def _check_period(document: JsonObject) -> None:
    for member in period_members(document):
        if member in document:
            try:
                parse_timestamp(document[member], zone_required=True)
            except MalformedInput:
                raise MalformedInput("timestamp", f"/{member}") from None


def _check_related(document: JsonObject) -> None:
    seen = set()
    for pointer, entry in _objects(document, "relatedResource"):
        _check_id(entry.get("id"), f"{pointer}/id")
        _require(not _DIGESTS.isdisjoint(entry), pointer)
        _require(entry["id"] not in seen, f"{pointer}/id")
        seen.add(entry["id"])


def _require(holds: bool, pointer: str) -> None:
    if not holds:
        raise MalformedInput("wrong_type", pointer)


def _in_force(document: JsonObject, at: datetime, policy: Policy) -> CheckResult:
    """Unlike a badge, a credential may omit its start."""
    start, _ = period_members(document)
    since_ever = {start: "0001-01-01T00:00:00Z"} if start not in document else {}
    return validity({**document, **since_ever}, at, policy)
