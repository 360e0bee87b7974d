"""How a credential is hashed for an embedded proof, by cryptosuite name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Final

from sceau_credentials.canonical import canonical_bytes, canonical_digest, canonical_json
from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import Algorithm, VerificationKey, decode_multibase
from sceau_credentials.proofs.selective_disclosure import prepare_disclosure
from sceau_credentials.values.json_text import JsonObject

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
