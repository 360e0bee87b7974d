"""Has the issuer withdrawn it? The answer stands in a list the issuer publishes, or there is no answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.verification.answers import CheckResult, Outcome
from sceau_credentials.verification.checks.status.bits import bit_status
from sceau_credentials.verification.checks.status.names import named_status
from sceau_credentials.verification.checks.status.question import Authenticate, StatusQuestion
from sceau_credentials.verification.findings.reasons import Reason, found

__all__ = ["Authenticate", "StatusQuestion", "status"]

_WORST_FIRST: Final = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED, Outcome.SKIPPED)
_MOST_ENTRIES: Final = 8  # T49: each may cost a list; nobody has use for more than one of each purpose
_BITS: Final = ("BitstringStatusListEntry", "StatusList2021Entry")


def status(document: JsonObject, question: StatusQuestion) -> CheckResult:
    """One entry, or several that must all be good (X-6)."""
    if not question.policy.check_status:
        return found(Reason.STATUS_LEFT_OUT)
    named = document.get("credentialStatus")
    entries = named if isinstance(named, list) else [] if named is None else [named]
    answers = [_entry_status(entry, document, question) for entry in entries[:_MOST_ENTRIES]]
    if len(entries) > _MOST_ENTRIES:
        answers.append(found(Reason.STATUS_ENTRY_MALFORMED, pointer=f"/credentialStatus/{_MOST_ENTRIES}"))
    if not answers:
        return found(Reason.STATUS_REQUIRED if question.policy.require_status else Reason.NO_STATUS_ENTRY)
    worst = min(answers, key=lambda answer: _WORST_FIRST.index(answer.outcome))
    if question.policy.require_status and worst.outcome is Outcome.SKIPPED:
        return found(Reason.STATUS_REQUIRED)
    messages = [answer.details["message"] for answer in answers if "message" in answer.details]
    if not messages:
        return worst
    return replace(worst, details={**worst.details, "message": "; ".join(dict.fromkeys(messages))[:500]})


def _entry_status(written: JsonValue, document: JsonObject, question: StatusQuestion) -> CheckResult:
    if not isinstance(written, dict):
        return found(Reason.STATUS_ENTRY_MALFORMED)
    kind = written.get("type")
    if isinstance(kind, list) and len(kind) == 1:
        kind = kind[0]
    if kind in _BITS:
        return bit_status(written, question)
    if kind == "1EdTechRevocationList":
        return named_status(written, document.get("id"), question)
    return found(Reason.STATUS_TYPE_NOT_READ, type=str(kind)[:200])
