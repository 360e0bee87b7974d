"""The result of verifying one presented document."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sceau_credentials.values import JsonObject
from sceau_credentials.verification.answers import (
    CheckId,
    CheckResult,
    Container,
    Form,
    Outcome,
    SignatureState,
    Verdict,
    verdict_of,
)
from sceau_credentials.verification.findings import Remark, problem_of, signature_state_of

__all__ = [
    "CheckId",
    "CheckResult",
    "Container",
    "Form",
    "Outcome",
    "Report",
    "SignatureState",
    "Verdict",
    "verdict_of",
]


@dataclass(frozen=True)
class EndorsementAnswer:
    """The result for one endorsement inside the badge; it does not affect the badge (C-013)."""

    pointer: str
    about: str
    """The id of the endorsed subject."""
    issuer: str | None
    """The endorser it names: trust it only where the outcome is passed."""
    comment: str
    outcome: Outcome
    reason: str
    """`endorsement_holds`, or the fault: a reason of a check, `endorses_another`, `too_many_endorsements`."""

    def to_document(self) -> JsonObject:
        return {
            "pointer": self.pointer,
            "about": self.about,
            "issuer": self.issuer,
            "comment": self.comment,
            "outcome": self.outcome.value,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class Report:
    """The result for one presented document. The verdict is computed, never set."""

    at: datetime
    checks: tuple[CheckResult, ...]
    container: Container = "unknown"
    form: Form | None = None
    document: JsonObject | None = None
    """The credential as signed by a key of its issuer, without its proof; None unless that held (B-055).

    For an older badge: the assertion as signed or hosted, with its badge class and issuer embedded.
    """
    presented: JsonObject | None = None
    """The claims as they were read, signed or not. Never show them as verified."""
    issuer: str | None = None
    verification_method: str | None = None
    key: JsonObject | None = None
    """The public key that verified, as a JWK."""
    remarks: tuple[Remark, ...] = ()
    """Findings that change no verdict but should be shown: the warnings of C-017."""
    endorsements: tuple[EndorsementAnswer, ...] = ()
    """Read only inside a badge that its issuer is known to have signed."""
    verdict: Verdict = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", verdict_of(self.checks))

    def check(self, check_id: CheckId) -> CheckResult:
        return next(answer for answer in self.checks if answer.id == check_id)

    @property
    def signature(self) -> SignatureState:
        """Independent of the verdict: a badge may be invalid without its signature being false."""
        return signature_state_of(self.checks)

    def problems(self) -> tuple[JsonObject, ...]:
        """The faults of the badge, as the problem details of RFC 9457 (C-017, D-018)."""
        return tuple(problem for answer in self.checks if (problem := problem_of(answer)))

    def to_document(self) -> JsonObject:
        return {
            "verdict": self.verdict.value,
            "signature": self.signature.value,
            "at": self.at.isoformat().replace("+00:00", "Z"),
            "container": self.container,
            "form": self.form,
            "issuer": self.issuer,
            "verificationMethod": self.verification_method,
            "key": self.key,
            "checks": [answer.to_document() for answer in self.checks],
            "problems": list(self.problems()),
            "warnings": [remark.to_document() for remark in self.remarks],
            "endorsements": [answer.to_document() for answer in self.endorsements],
            "document": self.document,
            "presented": self.presented,
        }
