"""The order of the checks, and which failures make later ones void."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.model import EndorsementCredential
from sceau_credentials.model.conforming import period_members
from sceau_credentials.proofs.data_integrity import shows_a_part
from sceau_credentials.proofs.sd_jwt import may_withhold_claims
from sceau_credentials.values import DocumentSource, JsonObject, JsonValue, check_aware, pointer_to
from sceau_credentials.verification.answers import FetchBudget, Policy, Secured, secured_from_text
from sceau_credentials.verification.checks import (
    SignatureFindings,
    claims,
    context,
    issuer,
    issuer_of,
    recipient,
    resources_against,
    schema,
    signature,
    validity,
    withdrawn_key,
)
from sceau_credentials.verification.findings import Reason, found, not_reached, remarks_on
from sceau_credentials.verification.legacy import without_words
from sceau_credentials.verification.reading import Reading, read, verify_older
from sceau_credentials.verification.report import CheckId, CheckResult, EndorsementAnswer, Outcome, Report
from sceau_credentials.verification.status import Authenticate, StatusQuestion, status, token_status

# --- Endorsements inside a badge: each verified and reported on its own, bound to its subject (C-009 to
# C-013)

MOST: Final = 10  # T49: each may cost a key document and a signature
HOLDS: Final = "endorsement_holds"
ENDORSES_ANOTHER: Final = "endorses_another"
TOO_MANY: Final = "too_many_endorsements"
_LONGEST_COMMENT: Final = 4000

Ask = Callable[[Secured], Sequence[CheckResult]]
"""Runs the checks of a credential on an endorsement: signature, key, period, status."""


@dataclass(frozen=True)
class _Place:
    """An endorsement as found, and the object that contains it."""

    pointer: str
    about: str | None
    written: JsonValue


def endorsements_in(document: JsonObject, ask: Ask) -> tuple[EndorsementAnswer, ...]:
    """One result for each endorsement of the credential, its achievement and its profiles.

    None of them affects the verdict on the badge (C-013).
    """
    answers = []
    for count, place in enumerate(_places(document)):
        if count == MOST:
            answers.append(_answer(place, None, Outcome.UNKNOWN, TOO_MANY))
            break
        answers.append(_judged(place, ask))
    return tuple(answers)


def judge_endorsement(secured: Secured, about: str | None, ask: Ask) -> EndorsementAnswer:
    """A single endorsement; `about` is the subject it must endorse, None for any."""
    place = _Place("", about, None)
    against = _first_against((_shape(secured.document), *ask(secured)))
    if against is not None:
        return _answer(place, secured.document, against.outcome, against.reason)
    if about is not None and _subject(secured.document).get("id") != about:  # C-012
        return _answer(place, secured.document, Outcome.FAILED, ENDORSES_ANOTHER)
    return _answer(place, secured.document, Outcome.PASSED, HOLDS)


def _judged(place: _Place, ask: Ask) -> EndorsementAnswer:
    try:
        secured = _secured(place.written)
    except MalformedInput:
        is_token = isinstance(place.written, str)
        reason = Reason.MALFORMED_JWT if is_token else Reason.MALFORMED_JSON
        return _answer(place, None, Outcome.FAILED, reason.value)
    answer = judge_endorsement(secured, place.about or "", ask)
    return _answer(place, secured.document, answer.outcome, answer.reason)


def _secured(written: JsonValue) -> Secured:
    if isinstance(written, str):
        return secured_from_text(written)
    if not isinstance(written, dict):
        raise MalformedInput("not_an_object")
    unsigned = {name: value for name, value in written.items() if name != "proof"}
    return Secured("data_integrity", written, unsigned)


def _places(document: JsonObject) -> Iterator[_Place]:
    subject = _object(document.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    endorsed = (
        (document, ()),
        (achievement, ("credentialSubject", "achievement")),
        *_organisations(document.get("issuer"), "issuer"),
        *_organisations(achievement.get("creator"), "credentialSubject", "achievement", "creator"),
        *_organisations(subject.get("source"), "credentialSubject", "source"),
    )
    for thing, path in endorsed:
        about = thing.get("id")
        for member in ("endorsement", "endorsementJwt"):
            for index, written in enumerate(_listed(thing.get(member))):
                pointer = pointer_to(*path, member, index)
                yield _Place(pointer, about if isinstance(about, str) else None, written)


def _organisations(profile: JsonValue, *path: str) -> Iterator[tuple[JsonObject, tuple[str, ...]]]:
    """A profile, the organisation it is part of, and so on upwards."""
    while isinstance(profile, dict):
        yield profile, path
        profile, path = profile.get("parentOrg"), (*path, "parentOrg")


def _shape(document: JsonObject) -> CheckResult:
    try:
        EndorsementCredential.from_document(document)
    except MalformedInput:
        return found(Reason.SCHEMA_VIOLATION)
    return found(Reason.SCHEMA_CONFORMS)


def _first_against(answers: Sequence[CheckResult]) -> CheckResult | None:
    """A failed check first, then an undetermined one, then a skipped one."""
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN, Outcome.SKIPPED):
        for answer in answers:
            # The reason why the key was unavailable is more specific.
            if answer.outcome is outcome and not answer.void and answer.reason != Reason.KEY_NOT_AT_HAND:
                return answer
    return None


def _answer(place: _Place, document: JsonObject | None, outcome: Outcome, reason: str) -> EndorsementAnswer:
    """Issuer and comment are reported only where it holds: unsigned text is not an endorsement."""
    verified = document if document is not None and outcome is Outcome.PASSED else {}
    comment = _subject(verified).get("endorsementComment")
    return EndorsementAnswer(
        pointer=place.pointer,
        about=place.about or str(_subject(verified).get("id", "")),
        issuer=issuer_of(document) if document is not None else None,
        comment=comment[:_LONGEST_COMMENT] if isinstance(comment, str) else "",
        outcome=outcome,
        reason=reason,
    )


def _subject(document: JsonObject) -> JsonObject:
    return _object(document.get("credentialSubject"))


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [] if value is None else [value]


# --- run checks

DEFAULT_POLICY = Policy()
_LOGGER: Final = logging.getLogger(__name__)


def verify(
    presented: bytes | str, *, documents: DocumentSource, at: datetime, policy: Policy = DEFAULT_POLICY
) -> Report:
    """Whether this credential is genuine and valid at `at`.

    Takes JSON or compact JWS text, or the bytes of a PNG, SVG or (extra `pdf`) PDF with one baked in; at most
    512 KiB of text, 2 MiB of picture. `at` must be timezone-aware, else ValueError. Any other input gives a
    report, never an exception; at most `policy.max_fetches` documents are fetched (`max_fetches_signed_older`
    for the signed badges of 2.0 and 1.x), none for input that is not a badge.
    """
    check_aware(at)
    try:
        return _report(presented, documents, at, policy)
    except Exception:
        # One failing input must not lose the results of the others. It is a bug of ours, and logged as one.
        _LOGGER.exception("verification failed")
        return _unread(Reading(found(Reason.VERIFIER_FAULT)), at)


def _report(presented: bytes | str, documents: DocumentSource, at: datetime, policy: Policy) -> Report:
    reading = read(presented)
    if reading.older is not None:
        return verify_older(reading.older, reading.answer, documents=documents, at=at, policy=policy)
    if reading.secured is None or reading.answer.outcome is not Outcome.PASSED:
        return _unread(reading, at)
    tools = _Tools(FetchBudget(documents, policy.max_fetches), at, policy, beyond=documents)
    return run_checks(reading, reading.secured, tools)


def verify_endorsement(
    presented: str,
    *,
    documents: DocumentSource,
    at: datetime,
    about: str | None = None,
    policy: Policy = DEFAULT_POLICY,
) -> EndorsementAnswer:
    """C-011: a single endorsement, as JSON or compact JWS; MalformedInput for other text.

    `at` must be timezone-aware, else ValueError.
    """
    check_aware(at)
    tools = _Tools(FetchBudget(documents, policy.max_fetches), at, policy)
    return judge_endorsement(secured_from_text(presented), about, tools.asked_of_endorsement)


def asked_of_document(
    secured: Secured, *, documents: DocumentSource, at: datetime, policy: Policy = DEFAULT_POLICY
) -> list[CheckResult]:
    """For a signed document other than a badge: signature, key, period and status."""
    tools = _Tools(FetchBudget(documents, policy.max_fetches), at, policy)
    issuer_id = issuer_of(secured.document)
    findings = _signature(secured, issuer_id, [], tools)
    status_answer = _status(secured.document, issuer_id, findings, tools)
    return [findings.proof, findings.key, _validity(secured.document, findings, tools), status_answer]


@dataclass(frozen=True)
class _Tools:
    documents: DocumentSource
    at: datetime
    policy: Policy
    beyond: DocumentSource | None = None
    """Source for the extra checks of a badge under a revoked key; None where these are not run."""

    def signature(self, secured: Secured, issuer_id: str) -> SignatureFindings:
        return signature(secured, issuer_id, documents=self.documents, at=self.at, policy=self.policy)

    def recheck_with_log_evidence(
        self, secured: Secured, issuer_id: str, findings: SignatureFindings
    ) -> SignatureFindings:
        """For a document signed with a revoked key: valid where the issuer's log held it before that."""
        if findings.key.reason != Reason.KEY_REVOKED or self.beyond is None:
            return findings
        again = signature(
            secured, issuer_id, documents=self.documents, at=self.at, policy=self.policy, withdrawn=True
        )
        if not again.by_the_issuer or again.resolved is None or again.resolved.revoked_at is None:
            return findings
        key = withdrawn_key(secured.document, again.resolved.revoked_at, self.beyond)
        return replace(again, key=key)

    def asked_of_endorsement(self, secured: Secured) -> list[CheckResult]:
        """The checks of a badge, in their order, except the recipient (C-011)."""
        document, issuer_id = secured.document, issuer_of(secured.document)
        answers = [context(document)]
        findings = _signature(secured, issuer_id, answers, self)
        answers += [findings.proof, findings.key, _validity(document, findings, self)]
        return [*answers, _status(document, issuer_id, findings, self)]

    def authenticate_list(self, listed: Secured) -> CheckResult | None:
        """A status list must be signed by a key its issuer publishes, like a badge."""
        findings = self.signature(listed, issuer_of(listed.document) or "")
        if findings.by_the_issuer:
            return _against_claims(listed)
        if findings.key.reason == Reason.KEY_DOCUMENT_UNAVAILABLE:
            return found(Reason.STATUS_LIST_UNAVAILABLE, cause=findings.key.reason)
        against = findings.key if findings.proof.outcome is Outcome.PASSED else findings.proof
        return found(Reason.STATUS_LIST_NOT_AUTHENTIC, cause=against.reason)


def authentic_list(documents: DocumentSource, at: datetime, policy: Policy) -> Authenticate:
    return _Tools(documents, at, policy).authenticate_list


def _against_claims(listed: Secured) -> CheckResult | None:
    """A list need not repeat itself in its claims, but may not name another issuer there."""
    named = listed.claims.get("iss") if listed.jws else None
    if named in (None, issuer_of(listed.document)):
        return None
    return found(Reason.STATUS_LIST_NOT_AUTHENTIC, cause=Reason.CLAIMS_DISAGREE)


def run_checks(reading: Reading, secured: Secured, tools: _Tools) -> Report:
    document = secured.document
    issuer_id = issuer_of(document)
    words = context(document, holds_one=not secured.may_say(b'@context":', more_than=1))
    answers = [reading.answer, words, _schema(secured)]
    findings = _signature(secured, issuer_id, answers, tools)
    if findings.not_covered:
        document = without_words(document, findings.not_covered)
    answers += [_with_resources(document, findings, tools), findings.key]
    answers.append(_issuer(issuer_id, findings, tools))
    answers.append(_validity(document, findings, tools))
    token = secured if secured.form == "sd_jwt" else None
    status_answer = _status(document, issuer_id, findings, tools, token=token)
    answers += [status_answer, recipient(document, tools.policy.recipient)]
    resolved = findings.resolved
    return Report(
        at=tools.at,
        checks=tuple(answers),
        container=reading.container,
        form=secured.form,
        endorsements=endorsements_in(document, tools.asked_of_endorsement)
        if findings.by_the_issuer and secured.may_say(b"endorsement")
        else (),
        document=document if findings.by_the_issuer else None,
        presented=secured.claims,
        issuer=issuer_id,
        verification_method=resolved.method_id if resolved else None,
        key=resolved.key.to_jwk() if resolved else None,
        remarks=remarks_on(
            secured,
            status_answer,
            key=findings.key,
            bare_key=resolved is not None and resolved.lacks_fragment,
            not_covered=findings.not_covered,
            is_part=findings.discloses_part,
        )
        if tools.policy.remarks
        else (),
    )


def _schema(secured: Secured) -> CheckResult:
    """B-059: a member the holder left out may have been signed; without it, neither a badge nor a forgery."""
    answer = schema(secured.document)
    is_part = secured.form == "sd_jwt" or shows_a_part(secured.claims)
    if answer.details.get("cause") in _ABSENT and is_part:
        return found(Reason.PART_WITHHELD, **answer.details)
    return answer


_ABSENT: Final = frozenset({"missing_member", "recipient_missing", "result_not_described"})


def _with_resources(document: JsonObject, findings: SignatureFindings, tools: _Tools) -> CheckResult:
    """Checks only the given files, and only where a key of the issuer signed it."""
    if not tools.policy.resources or not findings.by_the_issuer:
        return findings.proof
    return resources_against(document, tools.policy.resources) or findings.proof


def _signature(
    secured: Secured, issuer_id: str | None, before: list[CheckResult], tools: _Tools
) -> SignatureFindings:
    """Runs for any document that names its contexts and its issuer: for anything else nothing is fetched.

    Runs for a badge of the wrong shape too: badly written and altered are two different results (C-024).
    """
    spoilt = next((a for a in before if a.outcome is not Outcome.PASSED and a.id is not CheckId.SCHEMA), None)
    if spoilt is not None or issuer_id is None:
        because = spoilt.id if spoilt else CheckId.SCHEMA
        return SignatureFindings(not_reached(CheckId.PROOF, because), not_reached(CheckId.KEY, because))
    against = claims(secured.jws) if secured.jws and secured.form == "vc_jwt" else None
    findings = tools.recheck_with_log_evidence(secured, issuer_id, tools.signature(secured, issuer_id))
    if against is not None and findings.proof.outcome is Outcome.PASSED:
        return replace(findings, proof=against)
    return findings


def _issuer(issuer_id: str | None, findings: SignatureFindings, tools: _Tools) -> CheckResult:
    if issuer_id is None or not findings.by_the_issuer:
        return not_reached(CheckId.ISSUER, _first_open(findings))
    return issuer(issuer_id, tools.policy)


def _validity(document: JsonObject, findings: SignatureFindings, tools: _Tools) -> CheckResult:
    """Runs whatever the signature's result, so that "expired" is reported beside it (C-024)."""
    start, end = period_members(document)
    if findings.discloses_part and start not in document:
        return not_reached(CheckId.VALIDITY, CheckId.SCHEMA)
    answer = validity(document, tools.at, tools.policy)
    hides_end = findings.discloses_part and end not in document
    return found(Reason.END_MAY_BE_WITHHELD) if hides_end and answer.outcome is Outcome.PASSED else answer


def _status(
    document: JsonObject,
    issuer_id: str | None,
    findings: SignatureFindings,
    tools: _Tools,
    *,
    token: Secured | None = None,
) -> CheckResult:
    """The status entry of an unsigned document could point anywhere, so it is not followed.

    `token`: an SD-JWT, of which the claims name a Token Status List.
    """
    if issuer_id is None or not findings.by_the_issuer:
        return not_reached(CheckId.STATUS, _first_open(findings))
    question = StatusQuestion(
        issuer_id, tools.documents, tools.at, tools.policy, authenticate=tools.authenticate_list
    )
    answer = status(document, question) if token is None else token_status(token.claims, question)
    hides = findings.discloses_part if token is None else _may_withhold(token)
    return found(Reason.STATUS_MAY_BE_WITHHELD) if hides and answer.void else answer


def _may_withhold(token: Secured) -> bool:
    return token.jws is not None and may_withhold_claims(token.jws.payload, token.claims)


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
