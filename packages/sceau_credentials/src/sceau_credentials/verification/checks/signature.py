"""Did a key of the issuer sign this? Two answers: does the signature hold, and whose is the key?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sceau_credentials.dids import ResolvedKey
from sceau_credentials.errors import (
    CanonicalizationTooHard,
    CredentialError,
    DocumentUnavailable,
    KeyNotResolved,
    ProofError,
    UnsafeDocument,
)
from sceau_credentials.proofs.data_integrity import MOST_OBJECTS, ProofResult, verify_proofs
from sceau_credentials.proofs.vc_jwt import ParsedJws, check_header, claim_problems, verify_jws
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonObject, JsonValue, objects_in, pointer_to
from sceau_credentials.verification.findings.reasons import Reason, found, not_reached, reason_of
from sceau_credentials.verification.issuer_keys import IssuerKeys
from sceau_credentials.verification.legacy.context import ADDED_WORDS, may_be_older, without_words
from sceau_credentials.verification.policy import Policy
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome
from sceau_credentials.verification.secured import Secured


@dataclass(frozen=True)
class SignatureFindings:
    proof: CheckResult
    key: CheckResult
    resolved: ResolvedKey | None = None
    discloses_part: bool = False
    """A holder chose what to show of what was signed, so that what is not there proves nothing."""
    not_covered: frozenset[str] = frozenset()
    """Words of the document that were unknown when it was signed: what they hold is nobody's word (A-017)."""

    @property
    def by_the_issuer(self) -> bool:
        return self.proof.outcome is Outcome.PASSED and self.key.outcome is Outcome.PASSED


def signature(
    secured: Secured,
    issuer_id: str,
    *,
    documents: DocumentSource,
    at: datetime,
    policy: Policy,
    withdrawn: bool = False,
) -> SignatureFindings:
    """`withdrawn`: a key that the issuer revoked is tried as well; whether it counts is for the caller to find out."""
    keys = IssuerKeys(issuer_id, documents, at, withdrawn=withdrawn)
    try:
        if secured.jws is not None:
            return _token_signature(secured.jws, keys)
        return _embedded_signature(secured.claims, keys, at, policy, secured.digest)
    except CredentialError as error:
        return _against(error)


def _embedded_signature(
    claims: JsonObject, keys: IssuerKeys, at: datetime, policy: Policy, digest: bytes | None = None
) -> SignatureFindings:
    proofs = verify_proofs(claims, key_for=keys.key_for, at=at, clock_skew=policy.clock_skew, digest=digest)
    if proofs.accepted is None:
        error = proofs.error or ProofError("no_proof")
        if isinstance(error, UnsafeDocument) and error.reason == "undefined_term":
            return _without_undefined_terms(error, claims, keys, at, policy)
        older = _under_older_context(claims, keys, at, policy) if _may_be_older(error, claims) else None
        return older or _against(error)
    holding = [result for result in proofs.results if result.holds]
    findings = _bound(keys, [_method(result) for result in holding])
    # Only the issuer's own proofs count: a holder may add one over the little that is shown.
    issuers = [each for each in holding if keys.resolved[_method(each)].controller == keys.issuer_id]
    whole = any(not each.discloses_part for each in issuers)
    return findings if whole else replace(findings, discloses_part=True)


def _may_be_older(error: CredentialError, claims: JsonObject) -> bool:
    return isinstance(error, ProofError) and error.reason == "signature_mismatch" and may_be_older(claims)


def _under_older_context(
    claims: JsonObject, keys: IssuerKeys, at: datetime, policy: Policy
) -> SignatureFindings | None:
    if without_words(claims, ADDED_WORDS[-1]) is not claims and objects_in(claims) > MOST_OBJECTS:
        raise CanonicalizationTooHard(
            "a document as large as this, read again for each content of its context"
        )
    as_signed = claims
    for words in ADDED_WORDS:
        tried, as_signed = as_signed, without_words(as_signed, words)
        if (
            as_signed is not tried
            and verify_proofs(as_signed, key_for=keys.key_for, at=at, clock_skew=policy.clock_skew).accepted
        ):
            return replace(_embedded_signature(as_signed, keys, at, policy), not_covered=words)
    return None


def _without_undefined_terms(
    error: UnsafeDocument, claims: JsonObject, keys: IssuerKeys, at: datetime, policy: Policy
) -> SignatureFindings:
    """Whether the rest was signed: most signers leave out a term that no context defines, and sign what remains.

    The answer is `undefined_term` all the same; beside it stands whose key it is where the signature holds.
    """
    left, tries, refused = claims, MOST_OBJECTS // objects_in(claims), error
    for _ in range(min(tries, _MOST_TERMS)):
        rest = _without_member(left, refused.pointer)
        if rest is None:
            break
        left = rest
        proofs = verify_proofs(left, key_for=keys.key_for, at=at, clock_skew=policy.clock_skew)
        if proofs.accepted is not None:
            methods = [_method(result) for result in proofs.results if result.holds]
            return replace(_bound(keys, methods), proof=_proof_answer(error))
        if not isinstance(proofs.error, UnsafeDocument) or proofs.error.reason != "undefined_term":
            if isinstance(proofs.error, DocumentUnavailable | KeyNotResolved):
                return replace(_against(proofs.error), proof=_proof_answer(error))
            break
        refused = proofs.error
    return _against(error)


_MOST_TERMS: Final = 20


def _without_member(document: JsonObject, pointer: str) -> JsonObject | None:
    """The document without the member that this JSON pointer names; None where there is none, or it is in the proof."""
    name, *below = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]] or [""]
    if name not in document or name == "proof":
        return None
    if not below:
        return {member: value for member, value in document.items() if member != name}
    inside = _without_part(document[name], below)
    return None if inside is None else document | {name: inside}


def _without_part(value: JsonValue, path: list[str]) -> JsonValue:
    if isinstance(value, dict):
        return _without_member(value, pointer_to(*path)) if path[0] != "proof" else None
    if isinstance(value, list) and path[0].isdecimal() and int(path[0]) < len(value) and len(path) > 1:
        inside = _without_part(value[int(path[0])], path[1:])
        return None if inside is None else [*value[: int(path[0])], inside, *value[int(path[0]) + 1 :]]
    return None


def _token_signature(jws: ParsedJws, keys: IssuerKeys) -> SignatureFindings:
    check_header(jws)
    resolved = keys.of_token(jws)
    verify_jws(jws, resolved.key)
    return _bound(keys, [resolved.method_id])


def _method(result: ProofResult) -> str:
    return result.verification_method or ""


def _bound(keys: IssuerKeys, methods: list[str]) -> SignatureFindings:
    """B-051: of the signatures that hold, one must be by a key whose controller is the issuer."""
    resolved = [keys.resolved[method] for method in methods]
    issuers = [each for each in resolved if each.controller == keys.issuer_id]
    chosen = (issuers or resolved)[0]
    key = found(Reason.KEY_BOUND if issuers else Reason.KEY_NOT_BOUND_TO_ISSUER, method=chosen.method_id)
    return SignatureFindings(found(Reason.SIGNATURE_HOLDS), key, chosen)


def claims(jws: ParsedJws) -> CheckResult | None:
    """B-020 to B-025: what the token repeats of the badge must be the same; None when it is."""
    for problem in claim_problems(jws.payload):
        return found(reason_of(problem.reason, Reason.CLAIMS_DISAGREE), claim=problem.claim)
    return None


_UNREAD_KEY: Final = found(Reason.KEY_NOT_AT_HAND)


def _against(error: CredentialError) -> SignatureFindings:
    """Sort an error by the question it answers: the proof's, or the key's."""
    if isinstance(error, DocumentUnavailable):
        key = found(Reason.KEY_DOCUMENT_UNAVAILABLE, url=error.url, cause=error.reason)
        return SignatureFindings(_UNREAD_KEY, key)
    if isinstance(error, KeyNotResolved):
        reason = reason_of(error.reason, Reason.KEY_UNUSABLE)
        return SignatureFindings(_UNREAD_KEY, found(reason, cause=error.detail[:300]))
    return SignatureFindings(_proof_answer(error), not_reached(CheckId.KEY, CheckId.PROOF))


def _proof_answer(error: CredentialError) -> CheckResult:
    if isinstance(error, ProofError):
        return found(reason_of(error.reason, Reason.PROOF_MALFORMED), cause=error.detail)
    if isinstance(error, UnsafeDocument):
        reason = Reason.UNDEFINED_TERM if error.reason == "undefined_term" else Reason.DATA_NOT_SIGNED
        return found(reason, cause=error.reason, pointer=error.pointer)
    if isinstance(error, CanonicalizationTooHard):
        return found(Reason.TOO_HARD)
    return found(Reason.PROOF_MALFORMED, cause=str(error))
