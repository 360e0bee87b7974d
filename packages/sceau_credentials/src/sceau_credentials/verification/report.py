"""What a verification found about one presented thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sceau_credentials.values.json_text import JsonObject
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
    """What was found about one endorsement inside the badge; it changes nothing about the badge (C-013)."""

    pointer: str
    about: str
    """The id of the thing it hangs on."""
    issuer: str | None
    """Who endorses, or would have it thought so: believe it where the outcome is passed."""
    comment: str
    outcome: Outcome
    reason: str
    """`endorsement_holds`, or what stands against it: a reason of a check, `endorses_another`, `too_many_endorsements`."""

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
    """What was found about one presented thing. The verdict is computed, never given."""

    at: datetime
    checks: tuple[CheckResult, ...]
    container: Container = "unknown"
    form: Form | None = None
    document: JsonObject | None = None
    """The credential as signed by a key of its issuer, without its proof; None unless that held (B-055).

    Of an older badge: the assertion as signed or hosted, with its badge class and issuer put inside it.
    """
    presented: JsonObject | None = None
    """The claims as they were read, whether or not anybody signed them. Never show them as verified."""
    issuer: str | None = None
    verification_method: str | None = None
    key: JsonObject | None = None
    """The public key that verified, as a JWK."""
    remarks: tuple[Remark, ...] = ()
    """What changes no verdict and should be known all the same: the warnings of C-017."""
    endorsements: tuple[EndorsementAnswer, ...] = ()
    """Read only inside a badge that its issuer is known to have signed."""
    verdict: Verdict = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "verdict", verdict_of(self.checks))

    def check(self, check_id: CheckId) -> CheckResult:
        return next(answer for answer in self.checks if answer.id == check_id)

    @property
    def signature(self) -> SignatureState:
        """Apart from the verdict: a badge may be invalid without its signature being false."""
        return signature_state_of(self.checks)

    def problems(self) -> tuple[JsonObject, ...]:
        """What stands against the badge, as the problem details of RFC 9457 (C-017, D-018)."""
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
