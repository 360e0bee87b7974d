"""The questions asked of a badge, their answers, and the verdict these add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Final, Literal

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.values.documents import DocumentSource, FetchedDocument
from sceau_credentials.values.json_text import JsonObject

Form = Literal["data_integrity", "vc_jwt", "open_badges_1", "open_badges_2"]
Container = Literal["json", "jwt", "png", "svg", "pdf", "url", "unknown"]


class Outcome(StrEnum):
    """The answer to one question."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"  # nothing to ask, or an earlier answer made the question void
    UNKNOWN = "unknown"  # the question stands, and could not be answered


class Verdict(StrEnum):
    """What the answers add up to; what could not be known is never shown as valid."""

    VALID = "valid"
    INVALID = "invalid"
    UNDETERMINED = "undetermined"


class SignatureState(StrEnum):
    """What is known of the signature: what could not be checked is neither true nor false."""

    HOLDS = "holds"
    """A key of the issuer signed it, or of a hosted badge: its issuer serves it so."""
    HOLDS_NOT_CONFORMANT = "holds_not_conformant"
    """The same, of a document that is not what the standard demands."""
    FALSE = "false"
    """Checked with the key it names, and it does not hold."""
    NOT_CHECKABLE = "not_checkable"
    """Nothing to check it with: there is none, or it is malformed, of a kind not read here, or of a key not the issuer's."""
    NOT_YET_CHECKED = "not_yet_checked"
    """What is needed was out of reach this time."""


class CheckId(StrEnum):
    """The questions, in the order in which they are asked. Every report answers every one of them."""

    READABLE = "readable"
    CONTEXT = "context"
    SCHEMA = "schema"
    PROOF = "proof"
    KEY = "key"
    ISSUER = "issuer"
    VALIDITY = "validity"
    STATUS = "status"
    RECIPIENT = "recipient"


# The only questions that may go without an answer in a valid report: a badge that names no status list
# cannot be withdrawn, and nobody may have asked whose badge it is.
_MAY_BE_VOID = frozenset({CheckId.STATUS, CheckId.RECIPIENT})


@dataclass(frozen=True)
class CheckResult:
    """One answer. `reason` is a stable code; `verification.reasons` says what each one means."""

    id: CheckId
    outcome: Outcome
    reason: str
    details: Mapping[str, str] = field(default_factory=dict)
    void: bool = False
    """Skipped because there was nothing to ask, not because the question was left unanswered."""
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
    """Valid needs every question answered well (I18): an absent or unanswered one is never a yes."""
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
    """Whose badge it should be: a plain identifier of one type of A-054, compared exactly as given."""

    value: str
    type: str = "emailAddress"


@dataclass(frozen=True)
class Policy:
    """What is asked for besides, and how far: the defaults ask for what the standard asks of everybody."""

    recipient: Identity | None = None
    clock_skew: timedelta = timedelta(minutes=5)
    """How far in the future a beginning may lie before it is "not yet"; an end gets no such grace."""
    trusted_issuers: frozenset[str] = frozenset()
    """Issuer identifiers this verifier vouches for; being on it says more, not being on it proves nothing."""
    only_trusted_issuers: bool = False
    """Leave the verdict open for any issuer not among them."""
    require_status: bool = False
    """Leave the verdict open for a badge that nobody could withdraw."""
    check_status: bool = True
    """False leaves the status out, and then the verdict is undetermined at best."""
    remarks: bool = True
    """False leaves out what changes no verdict."""
    max_fetches: int = 3  # T49, I24: a badge decides how few documents are read for it, never how many
    max_fetches_signed_older: int = 4
    """The same for a signed badge of 2.0 or 1.x, which may need its class, issuer, key and revocation list."""
    resources: Mapping[str, bytes] = field(default_factory=dict)
    """Files at hand by the address the badge gives them: where it states their digest, it is compared (C-020)."""


EVIDENCE_FETCHES: Final = 30
"""For the evidence of anybody's badge: its documents, the keys of the log, and of a stolen one the tiles of some trees."""


class FetchBudget:
    """Each URL is asked for once, whatever the answer; after `limit` URLs nothing more is (T49, I24)."""

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
