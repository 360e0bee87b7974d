"""Every reason a check can give, with its check, its outcome and its meaning."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final

import orjson

from sceau_credentials.model.conforming import is_version_1
from sceau_credentials.proofs.vc_jwt import other_header_members
from sceau_credentials.values import JsonObject, JsonValue, pointer_to
from sceau_credentials.verification.answers import CheckId, CheckResult, Outcome, Secured, SignatureState

_READABLE, _CONTEXT, _SCHEMA, _PROOF, _KEY, _ISSUER, _VALIDITY, _STATUS, _RECIPIENT = CheckId
_GOOD, _BAD, _VOID, _OPEN = Outcome


class Reason(StrEnum):
    """A stable code; its meaning never changes. Each interface has one sentence per code."""

    check: CheckId | None
    outcome: Outcome
    meaning: str

    def __new__(cls, code: str, check: CheckId | None, outcome: Outcome, meaning: str) -> Reason:
        reason = str.__new__(cls, code)
        reason._value_ = code
        reason.check = check
        reason.outcome = outcome
        reason.meaning = meaning
        return reason

    NOT_REACHED = "not_reached", None, _VOID, "An earlier answer left nothing to ask about."

    READABLE = "readable", _READABLE, _GOOD, "A credential was found and read."
    VERIFIER_FAULT = "verifier_fault", _READABLE, _OPEN, "The verifier itself failed; nothing is known of it."
    UNRECOGNISED_FORMAT = (
        "unrecognised_format",
        _READABLE,
        _OPEN,
        "Neither JSON, JWT, PNG nor SVG.",
    )
    PRESENTED_IS_URL = "presented_is_url", _READABLE, _OPEN, "Only a link was given; the badge is behind it."
    TOO_LARGE = "too_large", _READABLE, _OPEN, "Larger or deeper than what is read here."
    IMAGE_WITHOUT_BADGE = "image_without_badge", _READABLE, _OPEN, "The picture carries no badge (any more)."
    IMAGE_NOT_READ = "image_not_read", _READABLE, _OPEN, "The picture is damaged or not of a kind read here."
    IMAGE_AMBIGUOUS = "image_ambiguous", _READABLE, _BAD, "The picture carries more than one badge."
    PDF_WITHOUT_BADGE = "pdf_without_badge", _READABLE, _OPEN, "No badge is attached to the document."
    PDF_NOT_READ = "pdf_not_read", _READABLE, _OPEN, "The document is damaged, locked or not read here."
    MALFORMED_JSON = "malformed_json", _READABLE, _BAD, "Not strict JSON: two readers could differ."
    MALFORMED_JWT = "malformed_jwt", _READABLE, _BAD, "Not a strict compact JWS with a JSON object inside."
    OPEN_BADGE_2 = "open_badge_2", _READABLE, _GOOD, "Open Badges 2.0, checked by the rules of 2.0."
    OPEN_BADGE_1 = "open_badge_1", _READABLE, _GOOD, "Open Badges 1.x, checked by the rules of 1.x."
    OLDER_BADGE_ADDRESS = (
        "older_badge_address",
        _READABLE,
        _GOOD,
        "The address of a badge that its issuer hosts.",
    )
    NOT_AN_OPEN_BADGE_3 = "not_an_open_badge_3", _READABLE, _OPEN, "JSON, but no Open Badges 3.0 badge."

    CONTEXT_KNOWN = "context_known", _CONTEXT, _GOOD, "Its vocabularies are the published ones."
    CONTEXT_NOT_USED = "context_not_used", _CONTEXT, _GOOD, "Older than vocabularies: its words are fixed."
    CONTEXT_ORDER = "context_order", _CONTEXT, _BAD, "The vocabularies are absent or out of order."
    CONTEXT_NOT_ALLOWED = "context_not_allowed", _CONTEXT, _BAD, "It redefines words itself."
    CONTEXT_NOT_HELD = "context_not_held", _CONTEXT, _OPEN, "It uses a vocabulary not kept here."

    SCHEMA_CONFORMS = "schema_conforms", _SCHEMA, _GOOD, "It has the shape the standard demands."
    SCHEMA_VIOLATION = "schema_violation", _SCHEMA, _BAD, "It lacks or misuses what the standard demands."
    BADGE_CLASS_UNAVAILABLE = (
        "badge_class_unavailable",
        _SCHEMA,
        _OPEN,
        "What the badge is for was out of reach.",
    )
    PART_WITHHELD = (
        "part_withheld",
        _SCHEMA,
        _OPEN,
        "Only a part is shown, without what every badge must say.",
    )
    SCHEMA_NOT_HELD = "schema_not_held", _SCHEMA, _OPEN, "It names a schema not kept here."

    SIGNATURE_HOLDS = "signature_holds", _PROOF, _GOOD, "Nothing was changed since it was signed."
    HOSTED = "hosted", _PROOF, _GOOD, "Read where it is hosted, as it stands there now; nobody signed it."
    HOSTED_UNAVAILABLE = "hosted_unavailable", _PROOF, _OPEN, "The address that hosts it was out of reach."
    HOSTED_DIFFERS = "hosted_differs", _PROOF, _BAD, "The address that should host it does not."
    HOSTED_NO_MORE = "hosted_no_more", _PROOF, _BAD, "The address that hosted it has withdrawn it."
    NO_PROOF = "no_proof", _PROOF, _BAD, "Nobody signed it."
    SIGNATURE_MISMATCH = (
        "signature_mismatch",
        _PROOF,
        _BAD,
        "Changed since, or signed by another key.",
    )
    PROOF_MALFORMED = "proof_malformed", _PROOF, _BAD, "The signature is not written as it must be."
    PROOF_NOT_READ = "proof_not_read", _PROOF, _OPEN, "Signed in a way that is not read here."
    TOO_MANY_PROOFS = "too_many_proofs", _PROOF, _BAD, "More signatures than a badge has use for."
    PROOF_PURPOSE = "proof_purpose", _PROOF, _BAD, "The signature was made for another purpose."
    PROOF_EXPIRED = "proof_expired", _PROOF, _BAD, "The signature itself has expired."
    PROOF_FROM_THE_FUTURE = "proof_from_the_future", _PROOF, _BAD, "The signature is dated in the future."
    ALGORITHM_NOT_ALLOWED = "algorithm_not_allowed", _PROOF, _BAD, "No algorithm, or not the key's."
    HEADER_NOT_ALLOWED = "header_not_allowed", _PROOF, _BAD, "The signature's header holds refused members."
    UNDEFINED_TERM = "undefined_term", _PROOF, _BAD, "A word in it is defined, and signed, nowhere."
    DATA_NOT_SIGNED = "data_not_signed", _PROOF, _BAD, "Something in it cannot be covered by a signature."
    TOO_HARD = "too_hard", _PROOF, _OPEN, "The signature would take too much work to check."
    RESOURCE_DIFFERS = "resource_differs", _PROOF, _BAD, "A file it vouches for is not the file at hand."
    RESOURCE_DIGEST_NOT_READ = (
        "resource_digest_not_read",
        _PROOF,
        _OPEN,
        "The digest of a file at hand is not read here.",
    )
    CLAIM_MISSING = "claim_missing", _PROOF, _BAD, "The token lacks a claim it must have."
    CLAIMS_DISAGREE = "claims_disagree", _PROOF, _BAD, "Token and badge contradict each other."
    KEY_NOT_AT_HAND = "key_not_at_hand", _PROOF, _OPEN, "Without the key nobody can tell."

    KEY_BOUND = "key_bound", _KEY, _GOOD, "The issuer publishes the key that signed."
    HOSTED_IN_SCOPE = "hosted_in_scope", _KEY, _GOOD, "Its address is one that speaks for the issuer."
    HOSTED_OUT_OF_SCOPE = "hosted_out_of_scope", _KEY, _BAD, "Its address does not speak for the issuer."
    KEY_NOT_BOUND_TO_ISSUER = "key_not_bound_to_issuer", _KEY, _BAD, "The key is not the issuer's."
    KEY_NOT_FOUND = "key_not_found", _KEY, _BAD, "The document that should hold the key does not."
    KEY_NOT_FOR_ASSERTION = "key_not_for_assertion", _KEY, _BAD, "The key is not meant for badges."
    KEY_REVOKED = "key_revoked", _KEY, _BAD, "The issuer has withdrawn this key."
    KEY_REVOKED_SINCE = (
        "key_revoked_since",
        _KEY,
        _GOOD,
        "The issuer has withdrawn this key since; its log held the award before.",
    )
    KEY_REVOKED_BEFORE = (
        "key_revoked_before",
        _KEY,
        _BAD,
        "The issuer had withdrawn this key before its log held the award.",
    )
    KEY_REVOKED_LOG_UNREAD = (
        "key_revoked_log_unread",
        _KEY,
        _OPEN,
        "The issuer has withdrawn this key; the log that could say when it signed was out of reach.",
    )
    KEY_EXPIRED = "key_expired", _KEY, _BAD, "The issuer gave this key an end, which is past."
    KEY_UNUSABLE = "key_unusable", _KEY, _BAD, "The key is too weak or malformed to prove anything."
    KEY_DOCUMENT_MALFORMED = "key_document_malformed", _KEY, _BAD, "No proper key document."
    KEY_REFERENCE_MALFORMED = "key_reference_malformed", _KEY, _BAD, "Which key signed is not said properly."
    KEY_METHOD_NOT_READ = "key_method_not_read", _KEY, _OPEN, "The key is published in a way not read here."
    KEY_DOCUMENT_UNREADABLE = (
        "key_document_unreadable",
        _KEY,
        _OPEN,
        "What the issuer's address serves is no key document.",
    )
    KEY_NOT_AUTHENTICATED = (
        "key_not_authenticated",
        _KEY,
        _OPEN,
        "The key comes with the badge; nothing outside the package vouches for it.",
    )
    KEY_WITNESSED = (
        "key_witnessed",
        _KEY,
        _GOOD,
        "A known witness saw these contents in the log of the issuer.",
    )
    KEY_DOCUMENT_UNAVAILABLE = "key_document_unavailable", _KEY, _OPEN, "The key document was out of reach."

    ISSUER_IDENTIFIED = "issuer_identified", _ISSUER, _GOOD, "The issuer's domain answers for the key."
    ISSUER_TRUSTED = "issuer_trusted", _ISSUER, _GOOD, "The issuer is one the verifier vouches for."
    ISSUER_IS_ONLY_A_KEY = "issuer_is_only_a_key", _ISSUER, _GOOD, "No domain answers for its name."
    ISSUER_PROFILE_UNAVAILABLE = (
        "issuer_profile_unavailable",
        _ISSUER,
        _OPEN,
        "The issuer's profile was out of reach.",
    )
    ISSUER_NOT_TRUSTED = "issuer_not_trusted", _ISSUER, _OPEN, "The verifier does not vouch for this issuer."
    ISSUER_NOT_IDENTIFIED = "issuer_not_identified", _ISSUER, _OPEN, "Who it is cannot be told."

    IN_FORCE = "in_force", _VALIDITY, _GOOD, "It is within its period of validity."
    NOT_YET_VALID = "not_yet_valid", _VALIDITY, _BAD, "Its period of validity has not begun."
    EXPIRED = "expired", _VALIDITY, _BAD, "Its period of validity is over."
    PERIOD_REVERSED = "period_reversed", _VALIDITY, _BAD, "Its period of validity ends before it begins."
    END_MAY_BE_WITHHELD = "end_may_be_withheld", _VALIDITY, _OPEN, "Only a part is shown: it may have an end."
    PERIOD_UNREADABLE = "period_unreadable", _VALIDITY, _BAD, "Its period of validity is not readable."

    NOT_REVOKED = "not_revoked", _STATUS, _GOOD, "The issuer's status list says that it stands."
    STILL_HOSTED = (
        "still_hosted",
        _STATUS,
        _GOOD,
        "Its issuer still hosts it, and does not call it withdrawn.",
    )
    NOT_LISTED = "not_listed", _STATUS, _GOOD, "The issuer's list, which nobody signs, does not name it."
    REVOKED = "revoked", _STATUS, _BAD, "The issuer has revoked it."
    SUSPENDED = "suspended", _STATUS, _BAD, "The issuer has suspended it for the time being."
    NO_STATUS_ENTRY = "no_status_entry", _STATUS, _VOID, "It names no status list: nobody can withdraw it."
    STATUS_INFORMATIVE = "status_informative", _STATUS, _VOID, "Its status list cannot withdraw it."
    STATUS_LEFT_OUT = "status_left_out", _STATUS, _VOID, "The status was left out on demand."
    STATUS_MAY_BE_WITHHELD = (
        "status_may_be_withheld",
        _STATUS,
        _OPEN,
        "Only a part is shown: it may have a status.",
    )
    STATUS_REQUIRED = "status_required", _STATUS, _OPEN, "A status was asked for, and it names none."
    STATUS_ENTRY_MALFORMED = "status_entry_malformed", _STATUS, _OPEN, "Its status entry is malformed."
    STATUS_TYPE_NOT_READ = "status_type_not_read", _STATUS, _OPEN, "Its status is of a kind not read here."
    STATUS_PURPOSE_NOT_READ = "status_purpose_not_read", _STATUS, _OPEN, "Its status has an unknown purpose."
    STATUS_LIST_UNAVAILABLE = "status_list_unavailable", _STATUS, _OPEN, "The status list was out of reach."
    STATUS_LIST_MALFORMED = "status_list_malformed", _STATUS, _OPEN, "The status list is malformed."
    STATUS_LIST_NOT_AUTHENTIC = (
        "status_list_not_authentic",
        _STATUS,
        _OPEN,
        "Its list is not authentic.",
    )
    STATUS_LIST_OF_ANOTHER_ISSUER = (
        "status_list_of_another_issuer",
        _STATUS,
        _OPEN,
        "Another issuer made it.",
    )
    STATUS_LIST_STALE = "status_list_stale", _STATUS, _OPEN, "The status list is out of date."
    STATUS_PURPOSE_DIFFERS = "status_purpose_differs", _STATUS, _OPEN, "The list has another purpose."
    STATUS_LIST_TOO_SHORT = "status_list_too_short", _STATUS, _OPEN, "The list is shorter than allowed."
    STATUS_INDEX_OUT_OF_RANGE = "status_index_out_of_range", _STATUS, _OPEN, "The list has no such place."

    RECIPIENT_NOT_ASKED = "recipient_not_asked", _RECIPIENT, _VOID, "Nobody asked whose badge it is."
    RECIPIENT_MATCHES = "recipient_matches", _RECIPIENT, _GOOD, "It names the person asked about."
    RECIPIENT_DIFFERS = "recipient_differs", _RECIPIENT, _BAD, "It names somebody else."
    RECIPIENT_NOT_NAMED = "recipient_not_named", _RECIPIENT, _OPEN, "It names nobody in that way."


_NOTHING_TO_ASK = frozenset({Reason.NO_STATUS_ENTRY, Reason.STATUS_INFORMATIVE, Reason.RECIPIENT_NOT_ASKED})


_BY_CODE = {reason.value: reason for reason in Reason}


def reason_of(code: str, otherwise: Reason) -> Reason:
    """The reason with the same code as a lower-level error."""
    return _BY_CODE.get(code, otherwise)


_ANSWERS = {
    reason: CheckResult(
        reason.check, reason.outcome, reason.value, void=reason in _NOTHING_TO_ASK, meaning=reason.meaning
    )
    for reason in Reason
    if reason.check is not None
}


def found(reason: Reason, **details: str) -> CheckResult:
    """The result for this reason; check and outcome come from the table."""
    answer = _ANSWERS.get(reason)
    if answer is None:
        raise ValueError(f"{reason.value} belongs to no single check")
    if not details:
        return answer
    return CheckResult(answer.id, answer.outcome, answer.reason, details, answer.void, answer.meaning)


def not_reached(check: CheckId, because: CheckId) -> CheckResult:
    return CheckResult(check, Outcome.SKIPPED, Reason.NOT_REACHED.value, {"because": because.value})


_SIGNED_ALL_THE_SAME = frozenset(
    {Reason.CLAIM_MISSING, Reason.CLAIMS_DISAGREE, Reason.UNDEFINED_TERM, Reason.RESOURCE_DIFFERS}
)
"""Determined once a signature held: they count against the document, not against the signature."""
_MAY_ANSWER_LATER = frozenset(
    {
        Reason.KEY_DOCUMENT_UNAVAILABLE,
        Reason.KEY_DOCUMENT_UNREADABLE,
        Reason.KEY_REVOKED_LOG_UNREAD,
        Reason.HOSTED_UNAVAILABLE,
        Reason.BADGE_CLASS_UNAVAILABLE,
        Reason.ISSUER_PROFILE_UNAVAILABLE,
        Reason.VERIFIER_FAULT,
    }
)


def signature_state_of(checks: Iterable[CheckResult]) -> SignatureState:
    """Whether a signature was checked, and the result; never false unless one was checked and failed."""
    answers = {answer.id: answer for answer in checks}
    proof, key = answers.get(CheckId.PROOF), answers.get(CheckId.KEY)
    if proof is not None and proof.reason == Reason.SIGNATURE_MISMATCH:
        return SignatureState.FALSE
    if proof is not None and key is not None and key.outcome is Outcome.PASSED:
        if proof.reason in _SIGNED_ALL_THE_SAME:
            return SignatureState.HOLDS_NOT_CONFORMANT
        if proof.outcome is Outcome.PASSED:
            form = [answers[check] for check in (CheckId.CONTEXT, CheckId.SCHEMA) if check in answers]
            bad = any(answer.outcome is Outcome.FAILED for answer in form)
            return SignatureState.HOLDS_NOT_CONFORMANT if bad else SignatureState.HOLDS
    if any(answer.reason in _MAY_ANSWER_LATER for answer in answers.values()):
        return SignatureState.NOT_YET_CHECKED
    return SignatureState.NOT_CHECKABLE


_VC: Final = "https://www.w3.org/TR/vc-data-model#"
_SECURITY: Final = "https://w3id.org/security#"
_PROBLEMS_STATUS: Final = "https://www.w3.org/ns/credentials/status-list#"

PARSING: Final = f"{_VC}PARSING_ERROR"
CRYPTOGRAPHIC: Final = f"{_VC}CRYPTOGRAPHIC_SECURITY_ERROR"
MALFORMED_VALUE: Final = f"{_VC}MALFORMED_VALUE_ERROR"
RANGE: Final = f"{_VC}RANGE_ERROR"
PROOF_VERIFICATION: Final = f"{_SECURITY}PROOF_VERIFICATION_ERROR"
PROOF_TRANSFORMATION: Final = f"{_SECURITY}PROOF_TRANSFORMATION_ERROR"
DATA_LOSS: Final = f"{_SECURITY}DATA_LOSS_DETECTION_ERROR"
METHOD_URL: Final = f"{_SECURITY}INVALID_VERIFICATION_METHOD_URL"
METHOD: Final = f"{_SECURITY}INVALID_VERIFICATION_METHOD"
CONTROLLER_DOCUMENT: Final = f"{_SECURITY}INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"
RELATIONSHIP: Final = f"{_SECURITY}INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"
STATUS_RETRIEVAL: Final = f"{_PROBLEMS_STATUS}STATUS_RETRIEVAL_ERROR"
STATUS_VERIFICATION: Final = f"{_PROBLEMS_STATUS}STATUS_VERIFICATION_ERROR"
STATUS_LENGTH: Final = f"{_PROBLEMS_STATUS}STATUS_LIST_LENGTH_ERROR"
NO_IDENTIFIER: Final = "about:blank"

_BY_CHECK: Final = {
    CheckId.READABLE: PARSING,
    CheckId.CONTEXT: MALFORMED_VALUE,
    CheckId.SCHEMA: MALFORMED_VALUE,
    CheckId.PROOF: PROOF_VERIFICATION,
    CheckId.KEY: METHOD,
    CheckId.STATUS: STATUS_VERIFICATION,
}
_BY_REASON: Final = {
    "signature_mismatch": CRYPTOGRAPHIC,
    "undefined_term": DATA_LOSS,
    "data_not_signed": DATA_LOSS,
    "too_hard": PROOF_TRANSFORMATION,
    "claim_missing": MALFORMED_VALUE,
    "claims_disagree": MALFORMED_VALUE,
    "resource_differs": CRYPTOGRAPHIC,
    "key_reference_malformed": METHOD_URL,
    "key_document_malformed": CONTROLLER_DOCUMENT,
    "key_document_unreadable": CONTROLLER_DOCUMENT,
    "key_document_unavailable": CONTROLLER_DOCUMENT,
    "key_not_for_assertion": RELATIONSHIP,
    "period_reversed": RANGE,
    "period_unreadable": MALFORMED_VALUE,
    "verifier_fault": NO_IDENTIFIER,
    "revoked": NO_IDENTIFIER,
    "suspended": NO_IDENTIFIER,
    "status_required": NO_IDENTIFIER,
    "status_may_be_withheld": NO_IDENTIFIER,
    "status_entry_malformed": MALFORMED_VALUE,
    "status_list_malformed": MALFORMED_VALUE,
    "status_list_unavailable": STATUS_RETRIEVAL,
    "status_list_too_short": STATUS_LENGTH,
    "status_index_out_of_range": RANGE,
}


def problem_of(answer: CheckResult) -> JsonObject | None:
    """The problem details for this result; None if it does not count against the badge."""
    if answer.outcome not in (Outcome.FAILED, Outcome.UNKNOWN):
        return None
    problem: JsonObject = {
        "type": _BY_REASON.get(answer.reason) or _BY_CHECK.get(answer.id, NO_IDENTIFIER),
        "title": answer.meaning,
        "check": answer.id.value,
        "outcome": answer.outcome.value,
        "reason": answer.reason,
    }
    if answer.details:
        problem["detail"] = "; ".join(f"{name}: {value}" for name, value in answer.details.items())
    return problem


_SCHEMA_TYPE: Final = "1EdTechJsonSchemaValidator2019"


class RemarkCode(StrEnum):
    """A stable code for each; `meaning` is one sentence."""

    meaning: str

    def __new__(cls, code: str, meaning: str) -> RemarkCode:
        remark = str.__new__(cls, code)
        remark._value_ = code
        remark.meaning = meaning
        return remark

    VERSION_1 = "version_1", "Written on version 1.1 of the W3C data model, which new badges no longer use."
    TOKEN_TYPE = "token_type", "Its token has a type other than JWT."
    HEADER_MEMBERS = "header_members", "Its header holds more than Open Badges allows; none of it was used."
    KEY_WITHOUT_FRAGMENT = "key_without_fragment", "Its key is named by an identifier, not by a method."
    OLDER_CONTEXT = (
        "older_context",
        "Signed under an earlier content of its context: some members are not covered.",
    )
    STATUS_UNSIGNED = "status_unsigned", "The status list is one that nobody signs."
    STATUS_MESSAGE = "status_message", "The issuer says something more about its status."
    SCHEMA_NOT_CHECKED = "schema_not_checked", "It names a schema of a type that binds nobody."
    KEY_REVOKED_SINCE = "key_revoked_since", "Its key was withdrawn since; the issuer's log held it before."
    LINK_SCHEME = "link_scheme", "An address in it is neither https nor a name: do not open it."
    HIDDEN_CHARACTERS = (
        "hidden_characters",
        "A text in it holds characters that are unseen or turn the reading.",
    )
    PART_SHOWN = "part_shown", "Its holder chose to show a part of what was signed."
    REFRESH_NOT_FOLLOWED = "refresh_not_followed", "A newer version may exist at its refresh service."


@dataclass(frozen=True)
class Remark:
    code: RemarkCode
    details: Mapping[str, str] = field(default_factory=dict)

    def to_document(self) -> JsonObject:
        return {"code": self.code.value, "meaning": self.code.meaning, "details": dict(self.details)}


def remarks_on(
    secured: Secured,
    status: CheckResult,
    *,
    key: CheckResult,
    bare_key: bool,
    not_covered: frozenset[str],
    is_part: bool = False,
) -> tuple[Remark, ...]:
    found = [
        *_on_document(secured.document),
        *remarks_on_text(secured.document),
        *_on_token(secured),
        *_on_status(status),
    ]
    if key.reason == RemarkCode.KEY_REVOKED_SINCE.value:
        found.append(Remark(RemarkCode.KEY_REVOKED_SINCE, key.details))
    if is_part:
        found.append(Remark(RemarkCode.PART_SHOWN))
    if bare_key:
        found.append(Remark(RemarkCode.KEY_WITHOUT_FRAGMENT))
    if not_covered:
        found.append(Remark(RemarkCode.OLDER_CONTEXT, {"members": ", ".join(sorted(not_covered))}))
    return tuple(found)


def _on_document(document: JsonObject) -> Iterator[Remark]:
    if is_version_1(document):
        yield Remark(RemarkCode.VERSION_1)
    if "credentialSchema" in document:
        named = document["credentialSchema"]
        entries = named if isinstance(named, list) else [named]
        types = [str(entry.get("type")) for entry in entries if isinstance(entry, dict)]
        if others := [each for each in types if each != _SCHEMA_TYPE]:
            yield Remark(RemarkCode.SCHEMA_NOT_CHECKED, {"type": ", ".join(others)[:200]})
    if "refreshService" in document:
        yield Remark(RemarkCode.REFRESH_NOT_FOLLOWED)


_LINKS: Final = frozenset({"id", "url", "targetUrl", "image", "criteria", "badge", "issuer", "evidence"})
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_OPENED_SAFELY: Final = frozenset({"https", "http", "urn", "did", "mailto", "tel"})
_HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def remarks_on_text(document: JsonObject) -> Iterator[Remark]:
    """Warnings about a badge's links and texts, independent of its signer: the first occurrence of each."""
    if _is_harmless(document):
        return
    links, hidden = "", ""
    waiting: list[tuple[str, str, JsonValue]] = [("", "", document)]
    while waiting:
        pointer, member, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [(pointer + pointer_to(name), name, item) for name, item in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", member, item) for index, item in enumerate(value)]
        elif isinstance(value, str):
            if _HIDDEN.search(value):
                hidden = pointer
            if member in _LINKS and not _is_safe_link(value):
                links = pointer
    if links:
        yield Remark(RemarkCode.LINK_SCHEME, {"pointer": links[:200]})
    if hidden:
        yield Remark(RemarkCode.HIDDEN_CHARACTERS, {"pointer": hidden[:200]})


def _is_harmless(document: JsonObject) -> bool:
    """Whether the serialised text proves that a walk would find nothing; false where only a walk can tell."""
    own = dict(document)
    subject = document.get("credentialSubject")
    try:
        # The shared part of one class's badges is checked once.
        shared = [orjson.dumps(own.pop("issuer"))] if isinstance(own.get("issuer"), dict) else []
        if isinstance(subject, dict) and isinstance(subject.get("achievement"), dict):
            own["credentialSubject"] = rest = dict(subject)
            shared.append(orjson.dumps(rest.pop("achievement")))
        written = orjson.dumps(own)
    except TypeError:
        return False
    return _is_harmless_text(written) and all(map(_is_harmless_part, shared))


def _is_harmless_text(written: bytes) -> bool:
    text = written.decode()
    if _ESCAPED_CONTROL.search(text) or not (text.isprintable() or _HIDDEN.search(text) is None):
        return False
    return all(scheme.lower() in _OPENED_SAFELY for scheme in set(_SCHEMES_WRITTEN.findall(text)))


@lru_cache(maxsize=256)
def _is_harmless_kept(written: bytes) -> bool:
    return _is_harmless_text(written)


def _is_harmless_part(written: bytes) -> bool:
    return (_is_harmless_kept if len(written) <= _LONGEST_KEPT else _is_harmless_text)(written)


_LONGEST_KEPT: Final = 16 * 1024
_ESCAPED_CONTROL: Final = re.compile(r"\\[bfu]")
_SCHEMES_WRITTEN: Final = re.compile(r'"([A-Za-z][A-Za-z0-9+.-]*+):')
"""The start of every text that has a scheme: JSON escapes none of these characters."""


def _is_safe_link(text: str) -> bool:
    scheme = _SCHEME.match(text)
    if scheme is None:
        return True
    name = scheme[1].lower()
    return name in _OPENED_SAFELY or (name == "data" and text[:11].lower() == "data:image/")


def _on_token(secured: Secured) -> Iterator[Remark]:
    if secured.jws is None:
        return
    kind = secured.jws.header.get("typ", "JWT")
    if kind != "JWT" and secured.form == "vc_jwt":
        yield Remark(RemarkCode.TOKEN_TYPE, {"type": str(kind)[:100]})
    if others := other_header_members(secured.jws):
        yield Remark(RemarkCode.HEADER_MEMBERS, {"members": ", ".join(others)[:200]})


def _on_status(status: CheckResult) -> Iterator[Remark]:
    if status.details.get("signed") == "no":
        yield Remark(RemarkCode.STATUS_UNSIGNED, {"url": status.details.get("url", "")})
    if "message" in status.details:
        yield Remark(RemarkCode.STATUS_MESSAGE, {"message": status.details["message"]})
