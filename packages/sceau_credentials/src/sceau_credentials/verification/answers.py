"""The questions asked of a badge, their answers, and the verdict these add up to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

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
