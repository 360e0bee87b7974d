"""The checks of a badge, one function each."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import md5, sha256
from typing import Final
from urllib.parse import urlsplit

import orjson

from sceau_credentials.dids import ResolvedKey, did_web_document_url
from sceau_credentials.errors import (
    CanonicalizationTooHard,
    CredentialError,
    DocumentUnavailable,
    KeyNotResolved,
    MalformedInput,
    ProofError,
    UnsafeDocument,
)
from sceau_credentials.evidence.judging import EvidenceOutcome, judge_evidence
from sceau_credentials.keys import decode_multibase
from sceau_credentials.model.conforming import check_conforms, in_version_2, period_members
from sceau_credentials.proofs.data_integrity import MOST_OBJECTS, ProofResult, verify_proofs
from sceau_credentials.proofs.sd_jwt import SD_JWT_VC_TYPES
from sceau_credentials.proofs.vc_jwt import ParsedJws, check_header, claim_problems, verify_jws
from sceau_credentials.values import (
    CONTEXT_OB_3_0_3,
    CONTEXT_V1,
    CONTEXT_V2,
    DocumentSource,
    JsonObject,
    JsonValue,
    allowed_context_array,
    format_timestamp,
    known_context_urls,
    known_schema_urls,
    objects_in,
    parse_timestamp,
    pointer_to,
    shifted,
)
from sceau_credentials.verification.answers import FetchBudget, Identity, Policy, Secured
from sceau_credentials.verification.findings import Reason, found, not_reached, reason_of
from sceau_credentials.verification.issuer_keys import IssuerKeys
from sceau_credentials.verification.legacy import ADDED_WORDS, is_answered_safely, may_be_older, without_words
from sceau_credentials.verification.report import CheckId, CheckResult, Outcome


def issuer_of(document: JsonObject) -> str | None:
    """The issuer's identifier; a bare string is accepted as well as a Profile (A-024, X-11)."""
    named = document.get("issuer")
    identifier = named.get("id") if isinstance(named, dict) else named
    return identifier if isinstance(identifier, str) else None


def issuer(issuer_id: str, policy: Policy) -> CheckResult:
    """Runs once the key is known to be the issuer's: who vouches for the name (C-027, T50)?

    Name, logo and address in the Profile are always the issuer's own claims; the domain is not.
    """
    if issuer_id in policy.trusted_issuers:
        return found(Reason.ISSUER_TRUSTED, issuer=issuer_id)
    if policy.only_trusted_issuers:
        return found(Reason.ISSUER_NOT_TRUSTED, issuer=issuer_id[:500])
    if issuer_id.startswith("did:key:"):
        return found(Reason.ISSUER_IS_ONLY_A_KEY)
    domain = domain_of(issuer_id)
    if domain is None:
        return found(Reason.ISSUER_NOT_IDENTIFIED, issuer=issuer_id[:500])
    return found(Reason.ISSUER_IDENTIFIED, domain=domain)


def domain_of(issuer_id: str) -> str | None:
    """The web domain of an issuer's identifier, in ASCII form so that lookalikes show."""
    find = _domain_of if len(issuer_id) <= _LONGEST_KEPT else _domain_of.__wrapped__
    return find(issuer_id)


_LONGEST_KEPT: Final = 256


@lru_cache(maxsize=1_024)
def _domain_of(issuer_id: str) -> str | None:
    try:
        url = did_web_document_url(issuer_id) if issuer_id.startswith("did:web:") else issuer_id
        parts = urlsplit(url)
        if not is_answered_safely(parts) or not parts.hostname or "@" in parts.netloc:
            return None
        return parts.hostname.encode("idna").decode()
    except (MalformedInput, UnicodeError, ValueError):
        return None


def recipient(document: JsonObject, asked: Identity | None) -> CheckResult:
    """C-008, C-014, C-015: equality with the subject's id, else with an identifier of the requested type."""
    if asked is None:
        return found(Reason.RECIPIENT_NOT_ASKED)
    subject = document.get("credentialSubject")
    if not isinstance(subject, dict):
        return found(Reason.RECIPIENT_NOT_NAMED)
    if _same(str(subject.get("id", "")), asked.value):
        return found(Reason.RECIPIENT_MATCHES)
    listed = subject.get("identifier")
    entries = listed if isinstance(listed, list) else [listed]
    comparable = [e for e in entries if isinstance(e, dict) and e.get("identityType") == asked.type]
    if not comparable:
        return found(Reason.RECIPIENT_NOT_NAMED, type=asked.type)
    # Every entry is compared, so that timing does not reveal which one matched.
    matches = [_names(entry, asked.value) for entry in comparable]
    return found(Reason.RECIPIENT_MATCHES if any(matches) else Reason.RECIPIENT_DIFFERS, type=asked.type)


def _names(entry: JsonObject, value: str) -> bool:
    written = entry.get("identityHash")
    if not isinstance(written, str):
        return False
    if entry.get("hashed") is not True:
        return _same(written, value)
    algorithm, _, digest = written.partition("$")
    computed = _digest(algorithm, value, entry.get("salt"))
    return computed is not None and _same(digest.lower(), computed)


def _digest(algorithm: str, value: str, salt: JsonValue) -> str | None:
    """A-050: the salt is appended; these two algorithms and no other."""
    salted = (value + (salt if isinstance(salt, str) else "")).encode(errors="replace")
    if algorithm == "sha256":
        return sha256(salted).hexdigest()
    if algorithm == "md5":
        return md5(salted, usedforsecurity=False).hexdigest()
    return None


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(errors="replace"), right.encode(errors="replace"))


_MULTIHASHES: Final = {0x12: "sha256", 0x13: "sha512", 0x20: "sha384"}


def resources_against(document: JsonObject, at_hand: Mapping[str, bytes]) -> CheckResult | None:
    """The first mismatch with the given files; None when each matches its digest, or has none."""
    for named in _with_digests(document):
        identifier = named["id"]
        assert isinstance(identifier, str)
        if identifier not in at_hand:
            continue
        for member, matches in (("digestSRI", _is_sri), ("digestMultibase", _is_multihash)):
            written = named.get(member)
            agrees = matches(written, at_hand[identifier]) if written is not None else True
            if agrees is not True:
                reason = Reason.RESOURCE_DIFFERS if agrees is False else Reason.RESOURCE_DIGEST_NOT_READ
                return found(reason, url=identifier[:500], cause=member)
    return None


def _with_digests(document: JsonObject) -> Iterator[JsonObject]:
    """`relatedResource`, evidence and any other object that names a file together with its digest."""
    waiting: list[JsonValue] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("id"), str) and not {"digestSRI", "digestMultibase"}.isdisjoint(value):
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _is_sri(written: JsonValue, body: bytes) -> bool | None:
    """Subresource Integrity: only the strongest kind of digest counts; one match of that kind is enough."""
    if not isinstance(written, str):
        return None
    parts = [part.partition("?")[0].partition("-") for part in written.split()]
    for name in ("sha512", "sha384", "sha256"):
        digests = [digest for algorithm, _, digest in parts if algorithm == name]
        if digests:
            try:
                decoded = [base64.b64decode(digest, validate=True) for digest in digests]
            except (binascii.Error, ValueError):
                return None
            return any(hmac.compare_digest(each, hashlib.new(name, body).digest()) for each in decoded)
    return None


def _is_multihash(written: JsonValue, body: bytes) -> bool | None:
    if not isinstance(written, str):
        return None
    try:
        data = decode_multibase(written, "u" if written.startswith("u") else "z", max_length=200)
    except MalformedInput:
        return None
    name = _MULTIHASHES.get(data[0]) if data else None
    if name is None or len(data) < 2 or data[1] != len(data) - 2:
        return None
    return hmac.compare_digest(data[2:], hashlib.new(name, body).digest())


_OB_CONTEXT: Final = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json"
)
_SCHEMA_TYPE: Final = "1EdTechJsonSchemaValidator2019"


def context(document: JsonObject, *, holds_one: bool = False) -> CheckResult:
    """Order counts even where no JSON-LD is processed (A-014); terms are never redefined inside (M1).

    `holds_one`: the document is known to contain no other context.
    """
    contexts = document.get("@context")
    if not isinstance(contexts, list) or len(contexts) < 2:
        return found(Reason.CONTEXT_ORDER)
    second = contexts[1]
    if (
        contexts[0] not in (CONTEXT_V2, CONTEXT_V1)
        or not isinstance(second, str)
        or not _is_open_badges(second)
    ):
        return found(Reason.CONTEXT_ORDER)
    if not all(isinstance(each, str) for each in contexts):
        return found(Reason.CONTEXT_NOT_ALLOWED)
    nested = None if holds_one or not _may_hold_context(document) else _nested_context(document)
    if nested is not None:
        return found(Reason.CONTEXT_NOT_ALLOWED, pointer=nested)
    unknown = [str(each) for each in contexts if each not in known_context_urls()]
    if unknown:
        return found(Reason.CONTEXT_NOT_HELD, url=unknown[0][:500])
    if not allowed_context_array(contexts):
        return found(Reason.CONTEXT_NOT_ALLOWED)
    return found(Reason.CONTEXT_KNOWN)


def _is_open_badges(url: str) -> bool:
    return url == CONTEXT_OB_3_0_3 or _OB_CONTEXT.fullmatch(url) is not None


def _may_hold_context(document: JsonObject) -> bool:
    """Whether an object below the root may have its own @context: searching the text is faster than a walk."""
    try:
        return orjson.dumps(document).count(b'"@context":') > 1
    except TypeError:
        return True


def _nested_context(document: JsonObject) -> str | None:
    """Where an inner object has its own @context; an embedded endorsement may repeat known ones (A-078)."""
    waiting: list[tuple[str, JsonValue]] = [(f"/{name}", value) for name, value in document.items()]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            if "@context" in value and not _is_endorsement(value):
                return pointer
            waiting += [(f"{pointer}/{name}", each) for name, each in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", each) for index, each in enumerate(value)]
    return None


def _is_endorsement(value: JsonObject) -> bool:
    types, contexts = value.get("type"), value.get("@context")
    named = isinstance(types, list) and "EndorsementCredential" in types
    return named and isinstance(contexts, list) and allowed_context_array(contexts)


def schema(document: JsonObject) -> CheckResult:
    """Our model enforces the published schema, and the rules no schema can express (I-007, I-008)."""
    try:
        check_conforms(in_version_2(document))
    except MalformedInput as error:
        return found(Reason.SCHEMA_VIOLATION, cause=error.reason, pointer=error.pointer)
    for url in _schemas_to_obey(document):
        if url not in known_schema_urls():
            return found(Reason.SCHEMA_NOT_HELD, url=url[:500])
    return found(Reason.SCHEMA_CONFORMS)


def _schemas_to_obey(document: JsonObject) -> list[str]:
    """C-002: schemas of this one type are mandatory; others are ignored (I-006)."""
    named = document.get("credentialSchema")
    entries = named if isinstance(named, list) else [named]
    return [
        str(entry.get("id"))
        for entry in entries
        if isinstance(entry, dict) and entry.get("type") == _SCHEMA_TYPE
    ]


@dataclass(frozen=True)
class SignatureFindings:
    proof: CheckResult
    key: CheckResult
    resolved: ResolvedKey | None = None
    discloses_part: bool = False
    """Selective disclosure: an absent member proves nothing."""
    not_covered: frozenset[str] = frozenset()
    """Terms that were undefined when the document was signed: the signature does not cover them (A-017)."""

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
    """`withdrawn`: a key that the issuer revoked is tried as well; the caller decides whether it counts."""
    keys = IssuerKeys(issuer_id, documents, at, withdrawn=withdrawn)
    try:
        if secured.jws is not None:
            if secured.form == "sd_jwt":
                return _token_signature(secured.jws, keys, kinds=SD_JWT_VC_TYPES)
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
    # Only the issuer's own proofs count: a holder may add one over a selective disclosure.
    issuers = [each for each in holding if keys.resolved[_method(each)].controller == keys.issuer_id]
    whole = any(not each.discloses_part for each in issuers or holding)
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
    """Whether the rest was signed: most signers drop a term that no context defines, and sign what remains.

    The result is still `undefined_term`; if the signature holds, it also names the controller of the key.
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
    """The document without the member at this JSON pointer; None where there is none, or it is in the proof."""
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


def _token_signature(
    jws: ParsedJws, keys: IssuerKeys, *, kinds: Collection[str] | None = None
) -> SignatureFindings:
    """`kinds`: one of these has to be the `typ`, so that no token is read as one of another type."""
    if kinds is None:
        check_header(jws)
        resolved = keys.of_token(jws)
        verify_jws(jws, resolved.key)
    else:
        check_header(jws, kinds=kinds)
        if "typ" not in jws.header:
            raise ProofError("header_not_allowed", "typ")
        resolved = keys.of_token(jws)
        verify_jws(jws, resolved.key, kinds=kinds)
    return _bound(keys, [resolved.method_id])


def _method(result: ProofResult) -> str:
    return result.verification_method or ""


def _bound(keys: IssuerKeys, methods: list[str]) -> SignatureFindings:
    """B-051: at least one valid signature must be by a key with the issuer as controller."""
    resolved = [keys.resolved[method] for method in methods]
    issuers = [each for each in resolved if each.controller == keys.issuer_id]
    chosen = (issuers or resolved)[0]
    key = found(Reason.KEY_BOUND if issuers else Reason.KEY_NOT_BOUND_TO_ISSUER, method=chosen.method_id)
    return SignatureFindings(found(Reason.SIGNATURE_HOLDS), key, chosen)


def claims(jws: ParsedJws) -> CheckResult | None:
    """B-020 to B-025: claims must equal the badge's members; None if they do."""
    for problem in claim_problems(jws.payload):
        return found(reason_of(problem.reason, Reason.CLAIMS_DISAGREE), claim=problem.claim)
    return None


_UNREAD_KEY: Final = found(Reason.KEY_NOT_AT_HAND)


def _against(error: CredentialError) -> SignatureFindings:
    """Attribute an error to its check: the proof's, or the key's."""
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


def validity(document: JsonObject, at: datetime, policy: Policy) -> CheckResult:
    start, end = period_members(document)
    try:
        begins = parse_timestamp(document.get(start), zone_required=True)
        ends = parse_timestamp(document[end], zone_required=True) if end in document else None
    except MalformedInput:
        return found(Reason.PERIOD_UNREADABLE)
    return period(begins, ends, at, policy)


def period(begins: datetime, ends: datetime | None, at: datetime, policy: Policy) -> CheckResult:
    period = {"valid_from": format_timestamp(begins)}
    if ends is not None:
        period["valid_until"] = format_timestamp(ends)
    if ends is not None and ends < begins:  # C-018
        return found(Reason.PERIOD_REVERSED, **period)
    if shifted(at, policy.clock_skew) < begins:
        return found(Reason.NOT_YET_VALID, **period)
    if ends is not None and at > ends:
        return found(Reason.EXPIRED, **period)
    return found(Reason.IN_FORCE, **period)


_MOST_FETCHES: Final = 12
"""The evidence, the log's key, its former keys; and of a stolen one the edge tiles of two trees."""
_A_MINUTE: Final = timedelta(minutes=1)
"""The log records minutes only, and the whole minute must precede the revocation."""
_NOT_THERE: Final = "not_found"


def withdrawn_key(document: JsonObject, revoked_at: datetime, documents: DocumentSource) -> CheckResult:
    """For a document with a valid signature by a revoked key. A thief can sign anything, but not backdate a
    log entry.

    The log has a key of its own: that one must still be the issuer's (I09).
    """
    asked = FetchBudget(documents, _MOST_FETCHES)
    report = judge_evidence(document, documents=asked, with_what_stands_beside=False)
    withdrawn = format_timestamp(revoked_at)
    if report is None:
        return found(Reason.KEY_REVOKED, withdrawn=withdrawn, cause="not_logged")
    if report.outcome is EvidenceOutcome.UNREAD and report.reason != _NOT_THERE:
        return found(Reason.KEY_REVOKED_LOG_UNREAD, withdrawn=withdrawn, cause=report.reason)
    if report.outcome is not EvidenceOutcome.PROVED or report.decided_at is None:
        return found(Reason.KEY_REVOKED, withdrawn=withdrawn, cause=report.reason)
    decided = format_timestamp(report.decided_at)
    if shifted(report.decided_at, _A_MINUTE) > revoked_at:
        return found(Reason.KEY_REVOKED_BEFORE, withdrawn=withdrawn, decided=decided)
    return found(Reason.KEY_REVOKED_SINCE, withdrawn=withdrawn, decided=decided)
