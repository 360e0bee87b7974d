"""The order of the checks, and where a failure leaves nothing to ask the next ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.credentials.documents import DocumentSource
from app.credentials.json_text import JsonObject
from app.credentials.verification.checks.issuer import issuer, issuer_of
from app.credentials.verification.checks.recipient import recipient
from app.credentials.verification.checks.shape import context, schema
from app.credentials.verification.checks.signature import SignatureFindings, claims, signature
from app.credentials.verification.checks.status import StatusQuestion, status
from app.credentials.verification.checks.validity import validity
from app.credentials.verification.fetching import FetchBudget
from app.credentials.verification.older import verify_older
from app.credentials.verification.policy import Policy
from app.credentials.verification.reading import Reading, read
from app.credentials.verification.reasons import Reason, found, not_reached
from app.credentials.verification.report import CheckId, CheckResult, Outcome, Report
from app.credentials.verification.secured import Secured

DEFAULT_POLICY = Policy()


def verify(
    presented: bytes | str, *, documents: DocumentSource, at: datetime, policy: Policy = DEFAULT_POLICY
) -> Report:
    """Is this credential genuine, and still good, at this moment?

    Takes JSON or compact JWS text, or the bytes of a PNG or SVG that carries one. Whatever it holds,
    the answer is a report, never an exception; and no more than `policy.max_fetches` documents are
    asked for, none at all for what is no badge.
    """
    if at.tzinfo is None:
        raise ValueError("the moment of checking needs a time zone")
    reading = read(presented)
    if reading.older is not None:
        return verify_older(reading.older, reading.answer, documents=documents, at=at, policy=policy)
    if reading.secured is None or reading.answer.outcome is not Outcome.PASSED:
        return _unread(reading, at)
    tools = _Tools(FetchBudget(documents, policy.max_fetches), at, policy)
    return _climb(reading, reading.secured, tools)


@dataclass(frozen=True)
class _Tools:
    documents: DocumentSource
    at: datetime
    policy: Policy

    def signature(self, secured: Secured, issuer_id: str) -> SignatureFindings:
        return signature(secured, issuer_id, documents=self.documents, at=self.at, policy=self.policy)

    def authenticate_list(self, listed: Secured) -> CheckResult | None:
        """A status list is believed on the same terms as a badge: signed by a key its issuer publishes."""
        findings = self.signature(listed, issuer_of(listed.document) or "")
        if findings.by_the_issuer:
            return None
        if findings.key.reason == Reason.KEY_DOCUMENT_UNAVAILABLE:
            return found(Reason.STATUS_LIST_UNAVAILABLE, cause=findings.key.reason)
        against = findings.key if findings.proof.outcome is Outcome.PASSED else findings.proof
        return found(Reason.STATUS_LIST_NOT_AUTHENTIC, cause=against.reason)


def _climb(reading: Reading, secured: Secured, tools: _Tools) -> Report:
    document = secured.document
    issuer_id = issuer_of(document)
    answers = [reading.answer, context(document), schema(document)]
    findings = _signature(secured, issuer_id, answers, tools)
    answers += [findings.proof, findings.key]
    answers.append(_issuer(issuer_id, findings, tools))
    answers.append(_validity(document, findings, tools))
    answers.append(_status(document, issuer_id, findings, tools))
    answers.append(recipient(document, tools.policy.recipient))
    return Report(
        at=tools.at,
        checks=tuple(answers),
        container=reading.container,
        form=secured.form,
        document=document if findings.by_the_issuer else None,
        presented=secured.claims,
        issuer=issuer_id,
        verification_method=findings.resolved.method_id if findings.resolved else None,
        key=findings.resolved.key.to_jwk() if findings.resolved else None,
    )


def _signature(
    secured: Secured, issuer_id: str | None, before: list[CheckResult], tools: _Tools
) -> SignatureFindings:
    """Asked only of what is a badge: for anything else nothing is fetched."""
    spoilt = next((answer for answer in before if answer.outcome is not Outcome.PASSED), None)
    if spoilt is not None or issuer_id is None:
        because = spoilt.id if spoilt else CheckId.SCHEMA
        return SignatureFindings(not_reached(CheckId.PROOF, because), not_reached(CheckId.KEY, because))
    against = claims(secured.jws) if secured.jws else None
    findings = tools.signature(secured, issuer_id)
    if against is not None and findings.proof.outcome is Outcome.PASSED:
        return SignatureFindings(against, findings.key, findings.resolved)
    return findings


def _issuer(issuer_id: str | None, findings: SignatureFindings, tools: _Tools) -> CheckResult:
    if issuer_id is None or not findings.by_the_issuer:
        return not_reached(CheckId.ISSUER, _first_open(findings))
    return issuer(issuer_id, tools.policy)


def _validity(document: JsonObject, findings: SignatureFindings, tools: _Tools) -> CheckResult:
    """Asked whatever the signature is worth, so that "expired" shows beside it (C-024)."""
    answer = validity(document, tools.at, tools.policy)
    hides_end = findings.discloses_part and "validUntil" not in document
    return found(Reason.END_MAY_BE_WITHHELD) if hides_end and answer.outcome is Outcome.PASSED else answer


def _status(
    document: JsonObject, issuer_id: str | None, findings: SignatureFindings, tools: _Tools
) -> CheckResult:
    """The status entry of what nobody signed could point anywhere, so it is not followed."""
    if issuer_id is None or not findings.by_the_issuer:
        return not_reached(CheckId.STATUS, _first_open(findings))
    question = StatusQuestion(
        issuer_id, tools.documents, tools.at, tools.policy, authenticate=tools.authenticate_list
    )
    answer = status(document, question)
    return found(Reason.STATUS_MAY_BE_WITHHELD) if findings.discloses_part and answer.void else answer


def _first_open(findings: SignatureFindings) -> CheckId:
    return CheckId.KEY if findings.proof.outcome is Outcome.PASSED else CheckId.PROOF


def _unread(reading: Reading, at: datetime) -> Report:
    rest = tuple(not_reached(check, CheckId.READABLE) for check in CheckId if check is not CheckId.READABLE)
    secured = reading.secured
    return Report(
        at=at,
        checks=(reading.answer, *rest),
        container=reading.container,
        form=secured.form if secured else None,
        presented=secured.claims if secured else None,
        issuer=issuer_of(secured.document) if secured else None,
    )
