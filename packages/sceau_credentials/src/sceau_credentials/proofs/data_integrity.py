"""Embedded proof: DataIntegrityProof with eddsa-rdfc-2022, and the older suites still found on badges."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sceau_credentials.errors import (
    CanonicalizationTooHard,
    CredentialError,
    DocumentUnavailable,
    KeyNotResolved,
    MalformedInput,
    ProofError,
    UnusableKey,
)
from sceau_credentials.keys import Algorithm, Signer, VerificationKey, encode_multibase
from sceau_credentials.proofs.cryptosuites import (
    DATA_INTEGRITY,
    Cryptosuite,
    hash_jcs,
    hash_rdfc,
    name_for,
    suite_of,
)
from sceau_credentials.values.json_text import JsonObject, JsonValue, objects_in
from sceau_credentials.values.timestamps import format_timestamp, parse_timestamp, shifted

MAX_PROOFS: Final = 4  # T12
MOST_OBJECTS: Final = 600  # T13: read again for each proof; one of our badges has about twenty
PURPOSE: Final = "assertionMethod"
_DISCLOSURE: Final = "ecdsa-sd-2023"

KeyFor = Callable[[str], VerificationKey]
"""From a verification method URL to its key; raises KeyNotResolved, DocumentUnavailable or UnusableKey."""


@dataclass(frozen=True)
class ProofResult:
    """The outcome of one proof: it holds if and only if `error` is None."""

    proof: JsonObject
    verification_method: str | None = None
    key: VerificationKey | None = field(default=None, repr=False)
    error: CredentialError | None = None

    @property
    def holds(self) -> bool:
        return self.error is None

    @property
    def discloses_part(self) -> bool:
        """Selective disclosure: an absent member, such as a status entry, may have been signed."""
        return self.proof.get("cryptosuite") == _DISCLOSURE

    @property
    def contradicts(self) -> bool:
        """The proof was read and is bad; false if it could not be read, or its key was unavailable."""
        return self.error is not None and not _is_open(self.error)


# A partner may sign beside the issuer: a proof by another controller neither helps nor harms (B-001).
_UNREAD: Final = (
    "proof_not_read",
    "key_method_not_read",
    "key_document_unreadable",
    "key_not_bound_to_issuer",
)


def _is_open(error: CredentialError) -> bool:
    """Whether the proof may still be good."""
    return isinstance(error, DocumentUnavailable) or (
        isinstance(error, ProofError | KeyNotResolved) and error.reason in _UNREAD
    )


@dataclass(frozen=True)
class ProofSet:
    """All the proofs of a document. One good proof is enough (B-001), but not beside a bad one (C-022)."""

    results: tuple[ProofResult, ...]
    document: JsonObject
    """The document without its proofs, which they cover (B-055)."""

    @property
    def accepted(self) -> ProofResult | None:
        if any(result.contradicts for result in self.results):
            return None
        return next((result for result in self.results if result.holds), None)

    @property
    def error(self) -> CredentialError | None:
        """Why none was accepted: a bad proof first, then an unreadable one, then one by another controller."""
        if self.accepted:
            return None
        errors = [result.error for result in self.results if result.error is not None]
        return min(errors, key=_gravity)


def _gravity(error: CredentialError) -> int:
    if not _is_open(error):
        return 0
    is_a_strangers = isinstance(error, KeyNotResolved) and error.reason == "key_not_bound_to_issuer"
    return 3 if is_a_strangers else 1 if isinstance(error, DocumentUnavailable) else 2


def add_proof(document: JsonObject, *, signer: Signer, created: datetime) -> JsonObject:
    """The document with one more proof, beside existing ones (a proof set, B-052).

    Raises UnsafeDocument where the signature would not cover all of it (B-040).
    """
    options = proof_options(signer, created)
    signature = signer.key.sign(hash_rdfc(_without(document, "proof"), options))
    return _with_proof(document, options | {"proofValue": encode_multibase(signature)})


def add_plain_proof(document: JsonObject, *, signer: Signer, created: datetime) -> JsonObject:
    """The document with one more proof, of eddsa-jcs-2022: verifies without JSON-LD expansion."""
    if signer.key.public.algorithm is not Algorithm.EDDSA:
        raise UnusableKey("key_algorithm_mismatch", "eddsa-jcs-2022 takes an Ed25519 key")
    unsecured = _without(document, "proof")
    options = proof_options(signer, created) | {"cryptosuite": "eddsa-jcs-2022"}
    options |= {"@context": unsecured["@context"]} if "@context" in unsecured else {}
    signature = signer.key.sign(hash_jcs(unsecured, options))
    return _with_proof(document, options | {"proofValue": encode_multibase(signature)})


def _with_proof(document: JsonObject, proof: JsonObject) -> JsonObject:
    earlier = document.get("proof")
    return document | {
        "proof": [*(earlier if isinstance(earlier, list) else [earlier]), proof] if earlier else proof
    }


def proof_options(signer: Signer, created: datetime) -> JsonObject:
    """The proof that this signer will make, without its value."""
    cryptosuite = name_for(signer.key.public.algorithm)
    if cryptosuite is None:
        raise UnusableKey("key_algorithm_mismatch", "no cryptosuite for this kind of key")
    return {
        "type": DATA_INTEGRITY,
        "cryptosuite": cryptosuite,
        "created": format_timestamp(created),
        "verificationMethod": signer.verification_method,
        "proofPurpose": PURPOSE,
    }


def proofs_of(document: JsonObject) -> tuple[JsonObject, ...]:
    """The proofs of a document, one to four; ProofError otherwise."""
    proof = document.get("proof")
    listed: list[JsonValue] = proof if isinstance(proof, list) else [proof]
    if "proof" not in document or not listed:
        raise ProofError("no_proof")
    if len(listed) > MAX_PROOFS:
        raise ProofError("too_many_proofs", str(len(listed)))
    proofs = tuple(item for item in listed if isinstance(item, dict))
    if len(proofs) != len(listed):
        raise ProofError("proof_malformed", "a proof is an object")
    ids = [proof["id"] for proof in proofs if "id" in proof]
    if any(ids.count(proof_id) > 1 for proof_id in ids):
        raise ProofError("proof_malformed", "two proofs with one id")
    return proofs


def shows_a_part(document: JsonObject) -> bool:
    """Whether a proof claims, true or not, to be a selective disclosure."""
    proof = document.get("proof")
    listed = proof if isinstance(proof, list) else [proof]
    return any(isinstance(each, dict) and each.get("cryptosuite") == _DISCLOSURE for each in listed)


_MOST_HELD: Final = 4096
_held: dict[tuple[bytes, int], VerificationKey] = {}
"""The key under which a proof holds, by the SHA-256 of the document's text and the proof's index in it.

Text and key alone decide that, so it is cached; whether the key counts, and whether the proof's time has
come, is checked each time.
"""


def verify_proofs(
    document: JsonObject,
    *,
    key_for: KeyFor,
    at: datetime,
    clock_skew: timedelta = timedelta(minutes=5),
    digest: bytes | None = None,
    purpose: str = PURPOSE,
) -> ProofSet:
    """Check every proof of the document (Data Integrity 4.4 and 4.5).

    With another `purpose`, the caller compares `challenge` and `domain`.
    `digest`: the SHA-256 of the text that contains this document only. Raises what `proofs_of` raises, and
    CanonicalizationTooHard for several proofs on a document larger than any badge needs.
    """
    proofs = proofs_of(document)
    if len(proofs) > 1 and len(proofs) * objects_in(document) > MOST_OBJECTS:
        raise CanonicalizationTooHard("several proofs of so large a document")
    unsecured = _without(document, "proof")
    checker = _Checker(unsecured, proofs, key_for, at, clock_skew, digest, purpose)
    alone: list[ProofResult] = []
    for position, proof in enumerate(proofs):
        alone.append(checker.result_of(proof, position))
        if isinstance(alone[-1].error, CanonicalizationTooHard):
            # Decides the result whatever the others are; and each of them would take as long.
            return ProofSet(tuple(alone), unsecured)
    return ProofSet(_with_chains(alone), unsecured)


@dataclass(frozen=True)
class _Checker:
    unsecured: JsonObject
    proofs: Sequence[JsonObject]
    key_for: KeyFor
    at: datetime
    clock_skew: timedelta
    digest: bytes | None
    purpose: str = PURPOSE

    def result_of(self, proof: JsonObject, position: int) -> ProofResult:
        method, key = None, None
        try:
            suite, method = self._read(proof)
            held_under = _held.get((self.digest, position)) if self.digest else None
            if held_under is not None and self.key_for(method) == held_under:
                return ProofResult(proof, method, held_under)
            # Hashed before the key is fetched: a document that cannot be signed whole is not worth a request.
            made_with = suite.prepare(self._secured_by(proof), proof)
            key = self.key_for(method)
            if key.algorithm not in suite.algorithms:
                raise ProofError("algorithm_not_allowed", f"the key is one for {key.algorithm}")
            if not made_with(key):
                raise ProofError("signature_mismatch")
            self._remember(position, key)
        except CredentialError as error:
            return ProofResult(proof, method, key, error)
        return ProofResult(proof, method, key)

    def _remember(self, position: int, key: VerificationKey) -> None:
        if self.digest is None:
            return
        if len(_held) >= _MOST_HELD:
            _held.clear()
        _held[self.digest, position] = key

    def _read(self, proof: JsonObject) -> tuple[Cryptosuite, str]:
        for member in ("type", "verificationMethod", "proofPurpose"):  # B-046
            if not isinstance(proof.get(member), str):
                raise ProofError("proof_malformed", member)
        suite = suite_of(proof)
        if proof["type"] == DATA_INTEGRITY and not isinstance(proof.get("cryptosuite"), str):
            raise ProofError("proof_malformed", "cryptosuite")
        if suite is None:
            raise ProofError("proof_not_read", str(proof.get("cryptosuite", proof["type"]))[:100])
        if proof["proofPurpose"] != self.purpose:  # B-047
            raise ProofError("proof_purpose", str(proof["proofPurpose"])[:100])
        self._check_times(proof)
        return suite, str(proof["verificationMethod"])

    def _check_times(self, proof: JsonObject) -> None:
        try:
            latest = shifted(self.at, self.clock_skew)
            if "created" in proof and parse_timestamp(proof["created"]) > latest:
                raise ProofError("proof_from_the_future", str(proof["created"]))
            if "expires" in proof and parse_timestamp(proof["expires"]) <= self.at:
                raise ProofError("proof_expired", str(proof["expires"]))
        except MalformedInput:
            raise ProofError("proof_malformed", "created or expires") from None

    def _secured_by(self, proof: JsonObject) -> JsonObject:
        """The document covered by this proof: bare, or with the proofs it was chained to (B-052)."""
        if "previousProof" not in proof:
            return self.unsecured
        by_id = {earlier["id"]: earlier for earlier in self.proofs if isinstance(earlier.get("id"), str)}
        wanted = _previous_of(proof)
        if not wanted or any(proof_id not in by_id for proof_id in wanted):
            raise ProofError("proof_malformed", "previousProof names no proof of this document")
        return self.unsecured | {"proof": [by_id[proof_id] for proof_id in wanted]}


def _with_chains(results: Sequence[ProofResult]) -> tuple[ProofResult, ...]:
    """A proof holds only while every proof it is chained to holds."""
    if not any("previousProof" in result.proof for result in results):
        return tuple(results)
    by_id = {str(result.proof["id"]): result for result in results if "id" in result.proof}
    settled: dict[str, CredentialError | None] = {}
    faults = [_fault_under(result, by_id, settled) for result in results]
    return tuple(
        ProofResult(result.proof, result.verification_method, result.key, fault)
        if fault is not None
        else result
        for result, fault in zip(results, faults, strict=True)
    )


def _fault_under(
    result: ProofResult, by_id: Mapping[str, ProofResult], settled: dict[str, CredentialError | None]
) -> CredentialError | None:
    """Why a proof does not hold: its own fault, or that of a proof it is chained to."""
    if result.error is not None:
        return result.error
    under = []
    for proof_id in _previous_of(result.proof):
        if proof_id not in settled:
            settled[proof_id] = _FALLEN  # a cyclic chain is invalid
            settled[proof_id] = _fault_under(by_id[proof_id], by_id, settled)
        if (fault := settled[proof_id]) is not None:
            under.append(fault)
    if not under:
        return None
    # Chained to one that may be good: neither good nor bad itself.
    return _ON_ONE_NOT_READ if all(map(_is_open, under)) else _FALLEN


_FALLEN: Final = ProofError("proof_malformed", "previousProof fails")
_ON_ONE_NOT_READ: Final = ProofError("proof_not_read", "made upon a proof that was not read")


def _previous_of(proof: JsonObject) -> list[str]:
    previous = proof.get("previousProof", [])
    listed = previous if isinstance(previous, list) else [previous]
    if len(listed) > MAX_PROOFS or not all(isinstance(proof_id, str) for proof_id in listed):
        raise ProofError("proof_malformed", "previousProof")
    return [str(proof_id) for proof_id in listed]


def _without(document: JsonObject, member: str) -> JsonObject:
    rest = dict(document)
    rest.pop(member, None)
    return rest
