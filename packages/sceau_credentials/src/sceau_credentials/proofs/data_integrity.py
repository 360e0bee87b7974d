"""Embedded proof: DataIntegrityProof with eddsa-rdfc-2022, and the older suites still found on badges."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Final

from sceau_credentials.canonical import canonical_bytes, canonical_digest, canonical_json
from sceau_credentials.errors import (
    CanonicalizationTooHard,
    CredentialError,
    DocumentUnavailable,
    KeyNotResolved,
    MalformedInput,
    ProofError,
    UnusableKey,
)
from sceau_credentials.keys import Algorithm, Signer, VerificationKey, decode_multibase, encode_multibase
from sceau_credentials.proofs.selective_disclosure import prepare_disclosure
from sceau_credentials.values import (
    JsonObject,
    JsonValue,
    format_timestamp,
    objects_in,
    parse_timestamp,
    shifted,
)

# --- How a credential is hashed for an embedded proof, by cryptosuite name

DATA_INTEGRITY: Final = "DataIntegrityProof"


Check = Callable[[VerificationKey], bool]
"""Whether a proof, already read and hashed, was made with this key."""


@dataclass(frozen=True)
class Cryptosuite:
    algorithms: frozenset[Algorithm]
    prepare: Callable[[JsonObject, JsonObject], Check]
    """From the document without its proof, and the proof; raises ProofError or UnsafeDocument."""


def suite_of(proof: JsonObject) -> Cryptosuite | None:
    """The suite that a proof names; None for one not supported here."""
    if proof.get("type") == DATA_INTEGRITY:
        cryptosuite = proof.get("cryptosuite")
        return _CRYPTOSUITES.get(cryptosuite) if isinstance(cryptosuite, str) else None
    return _EDDSA_RDFC if proof.get("type") == "Ed25519Signature2020" else None  # B-005


def name_for(algorithm: Algorithm) -> str | None:
    """The cryptosuite we sign with a key of this kind."""
    return {Algorithm.EDDSA: "eddsa-rdfc-2022", Algorithm.ES256: "ecdsa-rdfc-2019"}.get(algorithm)


def hash_rdfc(document: JsonObject, options: JsonObject) -> bytes:
    """What eddsa-rdfc-2022 and ecdsa-rdfc-2019 with P-256 sign: `options` is the proof without its value."""
    _check_context(document, options)
    return digest_of_options(document, options) + canonical_digest(document)  # B-038: the proof first


def _hash_rdfc_384(document: JsonObject, options: JsonObject) -> bytes:
    """What ecdsa-rdfc-2019 signs with P-384."""
    _check_context(document, options)
    configuration: JsonObject = {"@context": document.get("@context")} | options
    hashed = [hashlib.sha384(canonical_bytes(each)).digest() for each in (configuration, document)]
    return b"".join(hashed)


def _check_context(document: JsonObject, options: JsonObject) -> None:
    context = document.get("@context")
    # The proof is read with the document's contexts (B-035); contexts of its own could change its meaning
    # (T12).
    if options.get("@context", context) != context:
        raise ProofError("proof_malformed", "its @context is not the document's")


def digest_of_options(document: JsonObject, options: JsonObject) -> bytes:
    """The digest of a proof, read with the contexts of its document."""
    context = document.get("@context")
    if isinstance(context, list):
        named = tuple(each for each in context if isinstance(each, str))
        texts = tuple((name, value) for name, value in options.items() if isinstance(value, str))
        if len(named) == len(context) and len(texts) == len(options):
            return _digest_of_options(named, texts)
    configuration: JsonObject = {"@context": context} | options
    return canonical_digest(configuration)


@lru_cache(maxsize=1_024)
def _digest_of_options(context: tuple[str, ...], options: tuple[tuple[str, str], ...]) -> bytes:
    """Cached: signing or reading a list of badges repeats the same options."""
    configuration: JsonObject = {"@context": list(context), **dict(options)}
    return canonical_digest(configuration)


def digest(nquads: bytes) -> bytes:
    return hashlib.sha256(nquads).digest()


def hash_jcs(document: JsonObject, options: JsonObject, hash_name: str = "sha256") -> bytes:
    """The data that eddsa-jcs-2022 and ecdsa-jcs-2019 sign, the latter with P-384 over `sha384`. B-061: the
    proof's contexts are a prefix of the document's, and replace them.
    """
    if "@context" in options:
        stated, named = options["@context"], document.get("@context")
        beginning = stated if isinstance(stated, list) else [stated]
        whole = named if isinstance(named, list) else [named]
        if whole[: len(beginning)] != beginning:
            raise ProofError("proof_malformed", "its @context does not begin the document's")
        document = document | {"@context": stated}
    # B-038: the proof first
    return b"".join(hashlib.new(hash_name, canonical_json(each)).digest() for each in (options, document))


def _whole(hash_data: Callable[[JsonObject, JsonObject], bytes]) -> Callable[[JsonObject, JsonObject], Check]:
    """A suite with one signature over one hash of everything."""

    def prepare(document: JsonObject, proof: JsonObject) -> Check:
        signature = _signature_of(proof)
        data = hash_data(document, {name: value for name, value in proof.items() if name != "proofValue"})
        return lambda key: key.verify(signature, data)

    return prepare


def _of_either_curve(
    hash_256: Callable[[JsonObject, JsonObject], bytes], hash_384: Callable[[JsonObject, JsonObject], bytes]
) -> Callable[[JsonObject, JsonObject], Check]:
    """The same for ECDSA: the signature's length determines the curve, and the curve the hash."""
    by_length = {64: (Algorithm.ES256, hash_256), 96: (Algorithm.ES384, hash_384)}

    def prepare(document: JsonObject, proof: JsonObject) -> Check:
        signature = _signature_of(proof, tuple(by_length))
        algorithm, hash_data = by_length[len(signature)]
        data = hash_data(document, {name: value for name, value in proof.items() if name != "proofValue"})

        def check(key: VerificationKey) -> bool:
            if key.algorithm is not algorithm:
                raise ProofError("algorithm_not_allowed", f"the key is one for {key.algorithm}")
            return key.verify(signature, data)

        return check

    return prepare


def _signature_of(proof: JsonObject, lengths: tuple[int, ...] = (64,)) -> bytes:
    """B-031: 64 bytes (96 with P-384) in base58btc only."""
    value = proof.get("proofValue")
    if isinstance(value, str):
        with suppress(MalformedInput):
            signature = decode_multibase(value, max_length=160)
            if len(signature) in lengths:
                return signature
    raise ProofError("proof_malformed", "proofValue")


_EDDSA: Final = frozenset({Algorithm.EDDSA})
_ECDSA: Final = frozenset({Algorithm.ES256, Algorithm.ES384})
_EDDSA_RDFC: Final = Cryptosuite(_EDDSA, _whole(hash_rdfc))
_CRYPTOSUITES: Final = {
    "eddsa-rdfc-2022": _EDDSA_RDFC,
    "eddsa-2022": _EDDSA_RDFC,  # B-005: its name before 2023
    "eddsa-jcs-2022": Cryptosuite(_EDDSA, _whole(hash_jcs)),
    "ecdsa-rdfc-2019": Cryptosuite(_ECDSA, _of_either_curve(hash_rdfc, _hash_rdfc_384)),
    "ecdsa-jcs-2019": Cryptosuite(_ECDSA, _of_either_curve(hash_jcs, partial(hash_jcs, hash_name="sha384"))),
    "ecdsa-sd-2023": Cryptosuite(frozenset({Algorithm.ES256}), prepare_disclosure),  # B-004
}


# --- data integrity

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
