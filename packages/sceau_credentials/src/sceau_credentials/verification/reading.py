"""Extract the claims from any input, text or picture, and detect the kind of badge."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from sceau_credentials.baking import unbake
from sceau_credentials.errors import (
    CredentialError,
    DocumentUnavailable,
    ImageError,
    KeyNotResolved,
    MalformedInput,
    ProofError,
)
from sceau_credentials.keys import VerificationKey
from sceau_credentials.model.conforming import is_version_1
from sceau_credentials.proofs.vc_jwt import ParsedJws
from sceau_credentials.values import DocumentSource, JsonObject, JsonValue, members_in, parse_json_object
from sceau_credentials.verification.answers import (
    FetchBudget,
    Policy,
    Secured,
    looks_secured,
    secured_from_json,
    secured_from_sd_jwt,
    secured_from_text,
)
from sceau_credentials.verification.checks import issuer as issuer_check
from sceau_credentials.verification.checks import period
from sceau_credentials.verification.checks import recipient as recipient_check
from sceau_credentials.verification.findings import Reason, found, not_reached, reason_of, remarks_on_text
from sceau_credentials.verification.legacy import (
    CONTEXT_1,
    CONTEXT_2,
    Assertion,
    BadgeClass,
    Issuer,
    LinkedKeys,
    address_in,
    generation_of,
    is_in_scope,
    is_revoked,
    objects,
    read_assertion,
    read_badge_class,
    read_issuer,
)
from sceau_credentials.verification.report import CheckId, CheckResult, Container, Form, Outcome, Report

# --- Open Badges 2.0 and 1.x, checked by their own rules: hosted by their issuer, or signed with a key it
# links

_ACCEPT: Final = "application/ld+json, application/json;q=0.9"
_FORMS: Final[dict[int, Form]] = {1: "open_badges_1", 2: "open_badges_2"}
KINDS: Final = {1: Reason.OPEN_BADGE_1, 2: Reason.OPEN_BADGE_2}
_Read = TypeVar("_Read")
# A document without any of these is not an assertion but, for example, an error in JSON, which proves
# nothing.
_SOME_OF_AN_ASSERTION: Final = frozenset(
    {"@context", "id", "type", "uid", "recipient", "badge", "verify", "verification", "revoked", "issuedOn"}
)
_SOME_OF_A_DEFINITION: Final = frozenset({"@context", "id", "type", "name", "criteria", "issuer", "url"})


@dataclass(frozen=True)
class OlderBadge:
    """The presented badge: its claims, or only the URL of a hosted assertion."""

    container: Container
    claims: JsonObject | None = None
    address: str | None = None
    jws: ParsedJws | None = None


@dataclass
class _Findings:
    """The results so far; a check without one was not reached."""

    answers: dict[CheckId, CheckResult]
    generation: int = 2
    document: JsonObject | None = None
    issuer: Issuer | None = None
    method: str | None = None
    key: VerificationKey | None = None

    def add(self, answer: CheckResult) -> None:
        self.answers[answer.id] = answer

    def passed(self, check: CheckId) -> bool:
        return check in self.answers and self.answers[check].outcome is Outcome.PASSED


class _Stop(Exception):
    """Ends the checks, with the result that explains why."""

    def __init__(self, *answers: CheckResult) -> None:
        self.answers = answers


def verify_older(
    badge: OlderBadge, readable: CheckResult, *, documents: DocumentSource, at: datetime, policy: Policy
) -> Report:
    most = policy.max_fetches if badge.jws is None else policy.max_fetches_signed_older
    budget = FetchBudget(documents, most)
    findings = _Findings({CheckId.READABLE: readable})
    try:
        _Climb(badge, budget, at, policy, findings).to_the_top()
    except _Stop as stop:
        for answer in stop.answers:
            findings.add(answer)
    return _report(badge, findings, at)


def _report(badge: OlderBadge, findings: _Findings, at: datetime) -> Report:
    first_open = next(
        (a.id for a in findings.answers.values() if a.outcome in (Outcome.FAILED, Outcome.UNKNOWN)),
        CheckId.PROOF,
    )
    believed = findings.passed(CheckId.PROOF) and findings.passed(CheckId.KEY)
    return Report(
        at=at,
        checks=tuple(findings.answers.get(check) or not_reached(check, first_open) for check in CheckId),
        container=badge.container,
        form=_FORMS[findings.generation],
        document=findings.document if believed else None,
        presented=badge.claims,
        issuer=findings.issuer.url if findings.issuer else None,
        verification_method=findings.method,
        key=findings.key.to_jwk() if findings.key and believed else None,
        remarks=tuple(remarks_on_text(findings.document)) if believed and findings.document else (),
    )


@dataclass(frozen=True)
class _Climb:
    badge: OlderBadge
    documents: DocumentSource
    at: datetime
    policy: Policy
    findings: _Findings

    @property
    def generation(self) -> int:
        return self.findings.generation

    def to_the_top(self) -> None:
        assertion = self._assertion()
        self.findings.add(_context(assertion.document, self.generation))
        self.findings.add(period(assertion.issued_on, assertion.expires, self.at, self.policy))
        self.findings.add(_recipient(assertion, self.policy))
        badge_class, issuer = self._definition(assertion)
        self.findings.add(found(Reason.SCHEMA_CONFORMS))
        self.findings.document = assertion.document | {
            "badge": badge_class.document
            | {"id": badge_class.url, "issuer": issuer.document | {"id": issuer.url}}
        }
        if assertion.is_signed:
            self._signed(assertion, issuer)
        else:
            self.findings.add(_scope(assertion, badge_class, issuer))
        if not (self.findings.passed(CheckId.PROOF) and self.findings.passed(CheckId.KEY)):
            return
        self.findings.add(issuer_check(issuer.url, self.policy))
        self.findings.add(self._status(assertion, issuer))

    def _assertion(self) -> Assertion:
        """H-003: of a hosted badge, the presented document serves only to find its URL."""
        claims, address = self.badge.claims, self.badge.address
        if claims is not None:
            self.findings.generation = generation_of(claims) or self.generation
            address = _reading(lambda: address_in(claims, self.generation))
            if address is None and self.badge.jws is None:
                raise _Stop(found(Reason.NO_PROOF))
        if address is None:
            return _reading(lambda: read_assertion(claims or {}, self.generation))
        return self._hosted(address)

    def _hosted(self, address: str) -> Assertion:
        document = self._retrieved(address)
        if document.keys().isdisjoint(_SOME_OF_AN_ASSERTION):
            raise _Stop(found(Reason.HOSTED_UNAVAILABLE, url=address[:2000], cause="not_a_badge"))
        is_withdrawn = document.get("revoked") is True
        self.findings.generation = generation_of(document) or self.generation
        try:
            assertion = read_assertion(document, self.generation)
        except MalformedInput as error:
            if is_withdrawn:  # H-005: the body may contain only this
                raise _withdrawn(address, "revoked") from None
            raise _Stop(_violation("assertion", error)) from None
        if assertion.is_signed or assertion.address != address:
            raise _Stop(found(Reason.HOSTED_DIFFERS, url=address[:2000]))
        self.findings.method = address
        self.findings.add(found(Reason.HOSTED, url=address[:2000]))
        return assertion

    def _retrieved(self, address: str) -> JsonObject:
        try:
            return _object(self.documents.fetch(address, accept=_ACCEPT).body)
        except DocumentUnavailable as error:
            if error.reason == "gone":
                raise _withdrawn(address, "gone") from None
            raise _Stop(found(Reason.HOSTED_UNAVAILABLE, url=address[:2000], cause=error.reason)) from None
        except MalformedInput as error:  # an error page, not another badge
            raise _Stop(found(Reason.HOSTED_UNAVAILABLE, url=address[:2000], cause=error.reason)) from None

    def _definition(self, assertion: Assertion) -> tuple[BadgeClass, Issuer]:
        """H-007: the class and the issuer are each authoritative only at their own URL."""
        badge_class = self._described(
            assertion.badge, read_badge_class, "badge", Reason.BADGE_CLASS_UNAVAILABLE
        )
        issuer = self._described(badge_class.issuer, read_issuer, "issuer", Reason.ISSUER_PROFILE_UNAVAILABLE)
        self.findings.issuer = issuer
        return badge_class, issuer

    def _described(
        self, url: str, read: Callable[[JsonObject, str, int], _Read], what: str, unavailable: Reason
    ) -> _Read:
        try:
            document = _object(self.documents.fetch(url, accept=_ACCEPT).body)
        except DocumentUnavailable as error:
            raise _Stop(found(unavailable, url=url[:2000], cause=error.reason)) from None
        except MalformedInput as error:  # an error page
            raise _Stop(found(unavailable, url=url[:2000], cause=error.reason)) from None
        if document.keys().isdisjoint(_SOME_OF_A_DEFINITION):
            raise _Stop(found(unavailable, url=url[:2000], cause="not_a_definition"))
        try:
            return read(document, url, self.generation)
        except MalformedInput as error:
            raise _Stop(_violation(what, error)) from None

    def _signed(self, assertion: Assertion, issuer: Issuer) -> None:
        jws = self.badge.jws
        assert jws is not None  # apart from a token, only hosted badges come this far
        try:
            signers = LinkedKeys(issuer, self.documents, self.generation)
            self.findings.method, self.findings.key = signers.key_that_signed(jws, assertion)
        except DocumentUnavailable as error:
            key = found(Reason.KEY_DOCUMENT_UNAVAILABLE, url=error.url, cause=error.reason)
            raise _Stop(found(Reason.KEY_NOT_AT_HAND), key) from None
        except KeyNotResolved as error:
            key = found(reason_of(error.reason, Reason.KEY_UNUSABLE), cause=error.detail[:300])
            raise _Stop(found(Reason.KEY_NOT_AT_HAND), key) from None
        except CredentialError as error:
            reason = error.reason if isinstance(error, ProofError | MalformedInput) else ""
            raise _Stop(found(reason_of(reason, Reason.PROOF_MALFORMED))) from None
        self.findings.add(found(Reason.SIGNATURE_HOLDS))
        self.findings.add(found(Reason.KEY_BOUND, method=self.findings.method))

    def _status(self, assertion: Assertion, issuer: Issuer) -> CheckResult:
        if not assertion.is_signed:
            reason = Reason.REVOKED if assertion.is_revoked else Reason.STILL_HOSTED
            return found(reason, url=(assertion.address or "")[:2000])
        url = issuer.revocation_list
        if url is None:
            return found(Reason.NO_STATUS_ENTRY)
        if not self.policy.check_status:
            return found(Reason.STATUS_LEFT_OUT)
        try:
            listed = _object(self.documents.fetch(url, accept=_ACCEPT).body)
            revoked = is_revoked(listed, url, issuer, assertion)
        except DocumentUnavailable as error:
            return found(Reason.STATUS_LIST_UNAVAILABLE, url=url[:2000], cause=error.reason)
        except MalformedInput as error:
            others = error.reason == "another_issuer"
            reason = Reason.STATUS_LIST_OF_ANOTHER_ISSUER if others else Reason.STATUS_LIST_MALFORMED
            return found(reason, url=url[:2000], cause=error.reason)
        return found(Reason.REVOKED if revoked else Reason.NOT_REVOKED, url=url[:2000])


_Value = TypeVar("_Value")


def _reading(read: Callable[[], _Value]) -> _Value:
    try:
        return read()
    except MalformedInput as error:
        raise _Stop(_violation("assertion", error)) from None


def _violation(what: str, error: MalformedInput) -> CheckResult:
    return found(Reason.SCHEMA_VIOLATION, cause=error.reason, pointer=error.pointer, document=what)


def _withdrawn(address: str, how: str) -> _Stop:
    return _Stop(
        found(Reason.HOSTED_NO_MORE, url=address[:2000], cause=how),
        found(Reason.REVOKED, url=address[:2000]),
    )


def _object(body: bytes) -> JsonObject:
    return parse_json_object(body.removeprefix(b"\xef\xbb\xbf"))


def _context(document: JsonObject, generation: int) -> CheckResult:
    """Members are read by plain name: a non-standard context could give them another meaning."""
    others = [each for each in objects(document.get("@context")) if each not in (CONTEXT_1, CONTEXT_2)]
    if any(not isinstance(each, str) for each in others):
        return found(Reason.CONTEXT_NOT_ALLOWED)
    if others:
        return found(Reason.CONTEXT_NOT_HELD, url=str(others[0])[:500])
    if generation == 1 and "@context" not in document:
        return found(Reason.CONTEXT_NOT_USED)
    return found(Reason.CONTEXT_KNOWN)


def _scope(assertion: Assertion, badge_class: BadgeClass, issuer: Issuer) -> CheckResult:
    address = assertion.address or ""
    is_theirs = is_in_scope(address, badge_class.url, issuer)
    return found(Reason.HOSTED_IN_SCOPE if is_theirs else Reason.HOSTED_OUT_OF_SCOPE, url=address[:2000])


def _recipient(assertion: Assertion, policy: Policy) -> CheckResult:
    """H-008: the same comparison as in 3.0, where the type of an e-mail address has another name."""
    written = assertion.recipient
    kinds = {
        "emailAddress" if kind == "email" else kind
        for kind in objects(written["type"])
        if isinstance(kind, str)
    }
    entry = {
        "identityHash": written["identity"],
        "hashed": written["hashed"],
        "salt": written.get("salt"),
    }
    entries: list[JsonValue] = [entry | {"identityType": kind} for kind in sorted(kinds)]
    return recipient_check({"credentialSubject": {"identifier": entries}}, policy.recipient)


# --- reading

_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PDF: Final = b"%PDF-"
_OTHER_PICTURE: Final = re.compile(rb"\xff\xd8\xff|GIF8[79]a|RIFF.{4}WEBP", re.DOTALL)
"""Formats into which no badge is baked."""
_XML_IN_UTF_16: Final = (b"\xff\xfe<", b"\xfe\xff\0<")
_BLANK: Final = b"\xef\xbb\xbf \t\r\n"
_URL: Final = re.compile('https?://[^\\s"<>\ud800-\udfff]+', re.IGNORECASE)
_MAX_TEXT: Final = 512 * 1024  # M10: the limit of text from a picture too

_MOST_MEMBERS: Final = 20_000  # T13: each is validated on its own
_SHORT: Final = 2 * _MOST_MEMBERS  # shorter text cannot contain more of them

_BADGE_TYPES: Final = frozenset({"OpenBadgeCredential", "AchievementCredential"})  # A-021, C-001


@dataclass(frozen=True)
class Reading:
    """`answer` passed if and only if there is a badge to check further: `secured` for 3.0, else `older`."""

    answer: CheckResult
    container: Container = "unknown"
    secured: Secured | None = None
    older: OlderBadge | None = None


def read(presented: bytes | str) -> Reading:
    """Detects the format by content, never by file name or media type (E-003)."""
    if isinstance(presented, str):
        if presented.lstrip("\ufeff \t\r\n").startswith("<"):
            return _from_picture(presented.encode(errors="replace"), "svg")
        return _from_text(presented)
    if presented.startswith(b"{"):
        try:
            return _of_kind(secured_from_json(presented), "json", len(presented))
        except MalformedInput:
            pass  # text before or after it may be the fault, and is reported below
    if presented.startswith(_PNG):
        return _from_picture(presented, "png")
    if presented.startswith(_PDF):
        return _from_picture(presented, "pdf")
    if presented.lstrip(_BLANK).startswith(b"<") or presented.startswith(_XML_IN_UTF_16):
        return _from_picture(presented, "svg")
    if _OTHER_PICTURE.match(presented):
        return Reading(found(Reason.IMAGE_WITHOUT_BADGE))
    if len(presented) > _MAX_TEXT:
        return Reading(found(Reason.TOO_LARGE))
    try:
        return _from_text(presented.decode())
    except UnicodeDecodeError:
        return Reading(found(Reason.UNRECOGNISED_FORMAT))


_IMAGE_REASONS: Final = {
    "no_credential": Reason.IMAGE_WITHOUT_BADGE,
    "several_credentials": Reason.IMAGE_AMBIGUOUS,
    "too_large": Reason.TOO_LARGE,
}


def _from_picture(data: bytes, container: Container) -> Reading:
    try:
        unbaked = unbake(data)
    except ImageError as error:
        reason = _refusal_of(error, container)
        return Reading(found(reason, cause=error.reason), container)
    text = unbaked.text.strip()
    if unbaked.generation == "2.0" and _URL.fullmatch(text):  # E-016, E-017
        answer = found(Reason.OLDER_BADGE_ADDRESS, url=text[:2000])
        return Reading(answer, container, older=OlderBadge(container, address=text))
    inside = _from_text(text)
    older = replace(inside.older, container=container) if inside.older else None
    return Reading(inside.answer, container, inside.secured, older)


def _refusal_of(error: ImageError, container: Container) -> Reason:
    if container == "pdf" and error.reason == "no_credential":
        return Reason.PDF_WITHOUT_BADGE
    unread = Reason.PDF_NOT_READ if container == "pdf" else Reason.IMAGE_NOT_READ
    return _IMAGE_REASONS.get(error.reason, unread)


def _from_text(text: str) -> Reading:
    text = text.removeprefix("\ufeff").strip()  # a byte order mark that some editors add
    if len(text) > _MAX_TEXT:
        return Reading(found(Reason.TOO_LARGE))
    if _URL.fullmatch(text):
        return Reading(found(Reason.PRESENTED_IS_URL, url=text[:2000]), "url")
    container: Container = "json" if text.startswith(("{", "[")) else "jwt"
    try:
        # Only a badge may be an SD-JWT: its claims name the issuer and the status elsewhere than a document does.
        secured = secured_from_sd_jwt(text) if "~" in text and container == "jwt" else secured_from_text(text)
    except MalformedInput as error:
        if not looks_secured(text):
            return Reading(found(Reason.UNRECOGNISED_FORMAT))
        return Reading(_refusal(error, container), container)
    except ProofError:  # disclosures with a digest of another kind
        return Reading(found(Reason.UNRECOGNISED_FORMAT), container)
    return _of_kind(secured, container, len(text))


def _of_kind(secured: Secured, container: Container, length: int) -> Reading:
    if length > _SHORT and members_in(secured.claims) > _MOST_MEMBERS:
        return Reading(found(Reason.TOO_LARGE, cause="too_many_members"), container)
    answer = kind_of(secured)
    if answer.reason in KINDS.values():
        return Reading(answer, container, older=OlderBadge(container, secured.claims, jws=secured.jws))
    return Reading(answer, container, secured)


def _refusal(error: MalformedInput, container: Container) -> CheckResult:
    if error.reason == "not_a_badge":
        return found(Reason.UNRECOGNISED_FORMAT)
    if error.reason in ("too_large", "too_deep"):
        return found(Reason.TOO_LARGE, cause=error.reason)
    if error.reason == "not_an_object" and container == "json":
        return found(Reason.NOT_AN_OPEN_BADGE_3)
    return found(Reason.MALFORMED_JWT if container == "jwt" else Reason.MALFORMED_JSON, cause=error.reason)


def kind_of(secured: Secured) -> CheckResult:
    """The kind of document, from its claims alone."""
    claims = secured.claims
    wrapped = secured.form == "vc_jwt" and not claims.keys().isdisjoint(("vc", "vp"))
    of_version_1 = wrapped and "@context" not in claims and is_version_1(secured.document)
    in_document = of_version_1 or secured.form == "sd_jwt"
    types = _strings((secured.document if in_document else claims).get("type"))
    if not _BADGE_TYPES.isdisjoint(types):
        if wrapped and not of_version_1:
            return found(Reason.MALFORMED_JWT, cause="vc_claim")  # B-012, B-025
        return found(Reason.READABLE)
    generation = generation_of(claims)
    if generation is not None:
        return found(KINDS[generation])
    return found(Reason.NOT_AN_OPEN_BADGE_3, types=", ".join(types)[:200])


def _strings(value: JsonValue) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]
