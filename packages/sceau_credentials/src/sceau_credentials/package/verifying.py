"""Verify a package: nothing inside it authenticates itself, so keys and witnesses must be known from elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from sceau_credentials.errors import CredentialError, MalformedInput
from sceau_credentials.evidence.judging import EvidenceOutcome, EvidenceReport, judge_evidence
from sceau_credentials.keys import VerificationKey
from sceau_credentials.package.reading import Package
from sceau_credentials.values.documents import DocumentSource, FetchedDocument
from sceau_credentials.values.json_text import JsonObject, JsonValue, dump_json, parse_json_object
from sceau_credentials.verification.answers import EVIDENCE_FETCHES, FetchBudget, Policy
from sceau_credentials.verification.checks import issuer_of, validity
from sceau_credentials.verification.findings import Reason, found, not_reached
from sceau_credentials.verification.reading import read
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome, Report
from sceau_credentials.verification.run_checks import verify

_OLDER: Final = ("open_badges_1", "open_badges_2")
_KEY_MEMBERS: Final = ("publicKeyJwk", "publicKeyMultibase", "publicKeyBase58", "publicKeyPem", "kty")


@dataclass(frozen=True)
class Anchors:
    """What the verifier knows without the package: keys, and witnesses of activity logs.

    `keys` are SHA-256 thumbprints (RFC 7638) by issuer identifier; those under the empty string count for any
    issuer. `witnesses` are verifier keys in the C2SP signed-note format.
    """

    keys: Mapping[str, frozenset[str]] = field(default_factory=dict)
    witnesses: frozenset[str] = frozenset()

    def of(self, issuer: str) -> frozenset[str]:
        return self.keys.get(issuer, frozenset()) | self.keys.get("", frozenset())

    def __bool__(self) -> bool:
        return bool(self.keys or self.witnesses)

    def with_keys(self, keys: Mapping[str, Collection[str]]) -> Anchors:
        """A copy with more keys by issuer."""
        issuers = {*self.keys, *keys}
        every = {each: self.keys.get(each, frozenset()) | frozenset(keys.get(each, ())) for each in issuers}
        return replace(self, keys={issuer: known for issuer, known in every.items() if known})


@dataclass(frozen=True)
class PackageAnswer:
    """The report on the badge, and on its evidence: None where the badge names none."""

    report: Report
    evidence: EvidenceReport | None
    """Proved only if the key of the badge is known; lists only witnesses that the verifier knows."""


def verify_package(
    package: Package, *, anchors: Anchors, at: datetime, policy: Policy | None = None
) -> PackageAnswer:
    """Verify a package's badge by the documents in it, as of the day it was made; its dates as of `at`.

    The verdict is undetermined unless `anchors` hold the issuer's key, or the log of the issuer holds the
    award in a tree that a known witness signed. Even then the revocation list must be signed by a known key.
    """
    made = min(package.made_at, at)
    answer = verify_anchored(
        package.badge, documents=package.documents, anchors=anchors, at=made, policy=policy
    )
    document = answer.report.document
    if document is None or made == at:
        return answer
    today = validity(document, at, policy or Policy())
    if today.outcome is not Outcome.FAILED:
        return answer
    checks = tuple(today if each.id is CheckId.VALIDITY else each for each in answer.report.checks)
    return replace(answer, report=replace(answer.report, checks=checks))


def verify_anchored(
    presented: bytes | str,
    *,
    documents: DocumentSource,
    anchors: Anchors,
    at: datetime,
    policy: Policy | None = None,
) -> PackageAnswer:
    """As `verify_package`, for a badge with documents of unknown origin."""
    policy = policy or Policy()
    issuer = _issuer_in(presented)
    known = anchors.of(issuer)
    if known:
        policy = replace(policy, trusted_issuers=policy.trusted_issuers | {issuer})
    believed = _KnownKeysOnly(documents, known)
    report = verify(presented, documents=believed, at=at, policy=policy)
    evidence = _evidence(report.document, documents, anchors)
    if report.document is None or report.form in _OLDER or _thumbprint(report) not in known:
        seen = _witnessed(presented, documents, anchors, at, policy)
        if seen is not None:
            return seen
        return PackageAnswer(_unauthenticated(report), None)
    return PackageAnswer(report, evidence)


def _issuer_in(presented: bytes | str) -> str:
    secured = read(presented).secured
    return (issuer_of(secured.document) or "") if secured else ""


class _KnownKeysOnly:
    """Key documents without unknown keys: a signature by an unknown key counts as none."""

    def __init__(self, documents: DocumentSource, known: frozenset[str]) -> None:
        self._documents = documents
        self._known = known

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        fetched = self._documents.fetch(url, accept=accept)
        try:
            document = parse_json_object(fetched.body)
        except MalformedInput:
            return fetched
        filtered = {name: self._without_unknown(value) for name, value in document.items()}
        return fetched if filtered == document else replace(fetched, body=dump_json(filtered), holds=None)

    def _without_unknown(self, value: JsonValue) -> JsonValue:
        if isinstance(value, list):
            return [each for each in value if not _holds_key(each) or _key_in(each) in self._known]
        return None if _holds_key(value) and _key_in(value) not in self._known else value


def _holds_key(value: JsonValue) -> bool:
    return isinstance(value, dict) and any(member in value for member in _KEY_MEMBERS)


def _key_in(value: JsonValue) -> str:
    """The thumbprint of a verification method or JWK; empty where it cannot be read."""
    method = value if isinstance(value, dict) else {}
    jwk, multikey = (
        method.get("publicKeyJwk", method if "kty" in method else None),
        method.get("publicKeyMultibase"),
    )
    prints = set()
    try:
        if isinstance(jwk, dict):
            prints.add(VerificationKey.from_jwk(jwk).thumbprint())
        if isinstance(multikey, str):
            prints.add(VerificationKey.from_multikey(multikey).thumbprint())
    except CredentialError:
        return ""
    return prints.pop() if len(prints) == 1 else ""


def _thumbprint(report: Report) -> str:
    try:
        return VerificationKey.from_jwk(report.key).thumbprint() if report.key else ""
    except CredentialError:
        return ""


def _evidence(
    document: JsonObject | None, documents: DocumentSource, anchors: Anchors
) -> EvidenceReport | None:
    """The package names its witnesses itself: only known ones are counted."""
    if document is None:
        return None
    asked = FetchBudget(documents, EVIDENCE_FETCHES)
    evidence = judge_evidence(document, documents=asked, known_witnesses=anchors.witnesses)
    return replace(evidence, witnesses=None) if evidence and not evidence.witnesses else evidence


def _witnessed(
    presented: bytes | str, documents: DocumentSource, anchors: Anchors, at: datetime, policy: Policy
) -> PackageAnswer | None:
    """A known witness saw these contents in the log of the issuer.

    Where the log's decision names the key that signs the award, that key is known, and with it the revocation
    list that it signs. Decisions of earlier versions name none: an attacker re-signing logged content could
    add a list of their own, so the status stays undetermined.
    """
    if not anchors.witnesses:
        return None
    report = verify(presented, documents=documents, at=at)
    evidence = _evidence(report.document, documents, anchors)
    if evidence is None or evidence.outcome is not EvidenceOutcome.PROVED or not evidence.witnesses:
        return None
    named = evidence.signing_key
    if named is not None:
        if _thumbprint(report) != named:
            return None
        report = verify(
            presented, documents=_KnownKeysOnly(documents, frozenset({named})), at=at, policy=policy
        )
    key = found(Reason.KEY_WITNESSED, witness=evidence.witnesses[0].name)
    checks = []
    for each in report.checks:
        is_key = each.id is CheckId.KEY and (named is None or each.outcome is Outcome.PASSED)
        answered = key if is_key else each
        if each.id is CheckId.STATUS and not each.void and named is None:
            answered = found(Reason.STATUS_LIST_NOT_AUTHENTIC, cause=Reason.KEY_NOT_AUTHENTICATED)
        checks.append(answered)
    return PackageAnswer(replace(report, checks=tuple(checks)), evidence)


def _unauthenticated(report: Report) -> Report:
    """Discard every finding that rests on a document of the package, for the badge or against it."""
    key = found(Reason.KEY_NOT_AUTHENTICATED, issuer=(report.issuer or "")[:500])
    readable = report.check(CheckId.READABLE).outcome is Outcome.PASSED
    if not readable:
        return report
    checks = tuple(_but_for_key(each, key, report) for each in report.checks)
    return replace(report, checks=checks, document=None, endorsements=(), remarks=())


def _but_for_key(check: CheckResult, key: CheckResult, report: Report) -> CheckResult:
    proof = report.check(CheckId.PROOF)
    if check.id is CheckId.KEY:
        # A fault in the badge itself is one under any key.
        return check if _is_false_itself(proof, report) else key
    if check.id is CheckId.PROOF and not _is_false_itself(check, report):
        return check if check.reason == Reason.SIGNATURE_HOLDS else found(Reason.KEY_NOT_AT_HAND)
    if check.id is CheckId.SCHEMA and report.form in _OLDER:
        return not_reached(CheckId.SCHEMA, CheckId.KEY)
    if check.id in (CheckId.ISSUER, CheckId.STATUS, CheckId.RECIPIENT) and not check.void:
        return not_reached(check.id, CheckId.KEY)
    return check


def _is_false_itself(proof: CheckResult, report: Report) -> bool:
    """The proof failed independently of any document of the package."""
    if proof.outcome is not Outcome.FAILED:
        return False
    return report.form not in _OLDER or proof.reason == Reason.NO_PROOF
