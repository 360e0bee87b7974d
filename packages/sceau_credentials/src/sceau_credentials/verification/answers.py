"""The checks of a badge, their outcomes, and the verdict computed from them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.proofs.sd_jwt import (
    check_always_disclosed,
    disclosed_claims,
    document_of_claims,
    parse_sd_jwt,
)
from sceau_credentials.proofs.vc_jwt import MAX_TOKEN, ParsedJws, credential_of, parse_compact_jws
from sceau_credentials.values import (
    MAX_BYTES,
    DocumentSource,
    FetchedDocument,
    JsonObject,
    parse_with_text,
    pointer_to,
)

Form = Literal["data_integrity", "vc_jwt", "sd_jwt", "open_badges_1", "open_badges_2"]
Container = Literal["json", "jwt", "png", "svg", "pdf", "url", "unknown"]


class Outcome(StrEnum):
    """The outcome of one check."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # not applicable, or made void by an earlier outcome
    UNKNOWN = "unknown"  # applicable, but could not be determined


class Verdict(StrEnum):
    """The overall result; anything undetermined is never shown as valid."""

    VALID = "valid"
    INVALID = "invalid"
    UNDETERMINED = "undetermined"


class SignatureState(StrEnum):
    """The state of the signature: what could not be checked is neither true nor false."""

    HOLDS = "holds"
    """A key of the issuer signed it; for a hosted badge: its issuer serves this content."""
    HOLDS_NOT_CONFORMANT = "holds_not_conformant"
    """The same, for a document that does not conform to the standard."""
    FALSE = "false"
    """Checked with the key it names, and it does not hold."""
    NOT_CHECKABLE = "not_checkable"
    """Nothing to check it with: no signature, a malformed or unsupported one, or another issuer's key."""
    NOT_YET_CHECKED = "not_yet_checked"
    """A needed document was unavailable this time."""


class CheckId(StrEnum):
    """The checks, in their order. Every report has an outcome for every one of them."""

    READABLE = "readable"
    CONTEXT = "context"
    SCHEMA = "schema"
    PROOF = "proof"
    KEY = "key"
    ISSUER = "issuer"
    VALIDITY = "validity"
    STATUS = "status"
    RECIPIENT = "recipient"


# The only checks that may be skipped in a valid report: a badge that names no status list cannot be revoked,
# and the caller may not have given a recipient.
_MAY_BE_VOID = frozenset({CheckId.STATUS, CheckId.RECIPIENT})


@dataclass(frozen=True)
class CheckResult:
    """One outcome. `reason` is a stable code; `verification.findings` defines what each one means."""

    id: CheckId
    outcome: Outcome
    reason: str
    details: Mapping[str, str] = field(default_factory=dict)
    void: bool = False
    """Skipped because not applicable, not because it was left undetermined."""
    meaning: str = ""
    """What the reason means, in one English sentence."""

    def to_document(self) -> JsonObject:
        return {
            "id": self.id.value,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "details": dict(self.details),
        }


def verdict_of(checks: Iterable[CheckResult]) -> Verdict:
    """Valid needs every check passed (I18): a missing or undetermined one is never a pass."""
    answers = tuple(checks)
    if Outcome.FAILED in [answer.outcome for answer in answers]:
        return Verdict.INVALID
    if len(answers) != len(CheckId) or len({answer.id for answer in answers}) != len(answers):
        return Verdict.UNDETERMINED
    return Verdict.VALID if all(map(_is_good, answers)) else Verdict.UNDETERMINED


def _is_good(answer: CheckResult) -> bool:
    if answer.outcome is Outcome.PASSED:
        return True
    return answer.outcome is Outcome.SKIPPED and answer.void and answer.id in _MAY_BE_VOID


@dataclass(frozen=True)
class Identity:
    """The expected recipient: a plain identifier of one type of A-054, compared exactly as given."""

    value: str
    type: str = "emailAddress"


@dataclass(frozen=True)
class Policy:
    """Additional checks and limits: the defaults require what the standard requires of every badge."""

    recipient: Identity | None = None
    clock_skew: timedelta = timedelta(minutes=5)
    """Tolerance for a validity that begins in the future; an end has none."""
    trusted_issuers: frozenset[str] = frozenset()
    """Issuer identifiers this verifier vouches for; absence from the list proves nothing."""
    only_trusted_issuers: bool = False
    """The verdict is undetermined for any issuer not among them."""
    require_status: bool = False
    """The verdict is undetermined for a badge that cannot be revoked."""
    check_status: bool = True
    """False skips the status, and then the verdict is undetermined at best."""
    remarks: bool = True
    """False omits findings that change no verdict."""
    max_fetches: int = 3  # T49, I24: a badge may need fewer documents, never more
    max_fetches_signed_older: int = 4
    """The same for a signed badge of 2.0 or 1.x, which may need its class, issuer, key and revocation list.
    """
    resources: Mapping[str, bytes] = field(default_factory=dict)
    """Files by the URL the badge gives them: where it states their digest, it is compared (C-020)."""


EVIDENCE_FETCHES: Final = 30
"""For the evidence of any badge: its documents, the log's keys, and tiles where one was stolen."""


class FetchBudget:
    """Fetches each URL once, whatever the result; after `limit` URLs no more (T49, I24)."""

    def __init__(self, documents: DocumentSource, limit: int) -> None:
        self._documents = documents
        self._limit = limit
        self._answers: dict[tuple[str, str], FetchedDocument | DocumentUnavailable] = {}

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        asked = (url, accept)
        if asked not in self._answers:
            self._answers[asked] = self._ask(url, accept)
        answer = self._answers[asked]
        if isinstance(answer, DocumentUnavailable):
            raise answer
        return answer

    def _ask(self, url: str, accept: str) -> FetchedDocument | DocumentUnavailable:
        if len(self._answers) >= self._limit:
            return DocumentUnavailable(url, "too_many_fetches")
        try:
            return self._documents.fetch(url, accept=accept)
        except DocumentUnavailable as error:
            return error


# --- A signed document as serialised: JSON with its proof inside, a compact JWS around it, or an SD-JWT VC

# Looser than the strict parser behind it, so that a padded or mistyped token is rejected as a token.
_IN_A_JWS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+/=-."


@dataclass(frozen=True)
class Secured:
    form: Form
    claims: JsonObject
    """Everything that was read, including proof or token claims."""
    document: JsonObject
    """The credential alone, as the proof covers it."""
    jws: ParsedJws | None = None
    digest: bytes | None = None
    """SHA-256 of the text that all of this was read from; None for a part of a larger document."""
    text: bytes | None = field(default=None, repr=False, compare=False)
    """The text of the claims, where it equals the output of `dump_json`."""

    def may_say(self, member: bytes, *, more_than: int = 0) -> bool:
        """Whether it may contain members with this prefix in their names, more often than `more_than`."""
        return self.text is None or self.text.count(b'"' + member) > more_than


def looks_secured(text: str) -> bool:
    return text.startswith(("{", "[")) or _is_like_a_jws(text)


def _is_like_a_jws(text: str) -> bool:
    text = text.partition("~")[0]
    in_parts = text.startswith("e") and text.count(".") == 2 and text.isascii()
    return in_parts and not text.encode().translate(None, _IN_A_JWS)


def secured_from_text(text: str, *, max_bytes: int | None = None) -> Secured:
    """Detect and read either form; MalformedInput where it is neither, or longer than a badge may be."""
    text = text.strip()
    if text.startswith(("{", "[")):
        return secured_from_json(text, max_bytes=max_bytes)
    jws = parse_compact_jws(text, max_length=max_bytes or MAX_TOKEN)
    return Secured("vc_jwt", jws.payload, credential_of(jws.payload), jws, text=jws.text)


def secured_from_sd_jwt(text: str) -> Secured:
    """A badge with what its holder disclosed of it; key binding is for the verifier who asked for it."""
    parsed = parse_sd_jwt(text)
    claims = disclosed_claims(parsed)
    check_always_disclosed(parsed, claims)
    return Secured("sd_jwt", claims, document_of_claims(claims), parsed.jws)


def secured_from_json(text: bytes | str, *, max_bytes: int | None = None) -> Secured:
    claims, compact = parse_with_text(text, max_bytes=max_bytes or MAX_BYTES)
    token = _enveloped(claims)
    if token is not None:
        jws = parse_compact_jws(token, max_length=max_bytes or MAX_TOKEN)
        return Secured("vc_jwt", jws.payload, credential_of(jws.payload), jws, text=jws.text)
    unsecured = dict(claims)
    unsecured.pop("proof", None)
    encoded = text if isinstance(text, bytes) else text.encode()
    digest = hashlib.sha256(encoded).digest()
    return Secured("data_integrity", claims, unsecured, digest=digest, text=compact)


def _enveloped(claims: JsonObject) -> str | None:
    """The token inside an EnvelopedVerifiableCredential (VCDM 2.0, 4.13), from its data URL; else None.

    What stands beside the token is not signed, and other readers may show it: MalformedInput.
    """
    types, where = claims.get("type"), claims.get("id")
    named = types if isinstance(types, list) else [types]
    if _ENVELOPE not in named:
        return None
    beside = claims.keys() - {"@context", "type", "id"}
    if beside or any(each != _ENVELOPE for each in named):
        raise MalformedInput("envelope_holds_more", pointer_to(min(beside, default="type")))
    kind, comma, token = where.partition(",") if isinstance(where, str) else ("", "", "")
    if not comma or kind.partition(";")[0].lower() not in _ENVELOPES:
        raise MalformedInput("envelope_not_read", "/id")
    return token


_ENVELOPE: Final = "EnvelopedVerifiableCredential"
_ENVELOPES: Final = frozenset(
    {
        "data:application/vc+jwt",
        "data:application/vc-ld+jwt",
        "data:application/vc+ld+jwt",
        "data:application/jwt",
    }
)
