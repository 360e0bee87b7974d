"""The ways a credential is hashed for an embedded proof, each under the name a proof gives it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.credentials.canonical import canonical_bytes, canonical_json
from app.credentials.errors import MalformedInput, ProofError
from app.credentials.json_text import JsonObject
from app.credentials.keys import Algorithm, VerificationKey, decode_multibase
from app.credentials.proofs.selective_disclosure import prepare_disclosure

DATA_INTEGRITY: Final = "DataIntegrityProof"


Check = Callable[[VerificationKey], bool]
"""Whether a proof, read and hashed by then, was made with this key."""


@dataclass(frozen=True)
class Cryptosuite:
    algorithm: Algorithm
    prepare: Callable[[JsonObject, JsonObject], Check]
    """From the document without its proof, and the proof; raises ProofError or UnsafeDocument."""


def suite_of(proof: JsonObject) -> Cryptosuite | None:
    """The suite a proof says it uses; None when it is not one read here."""
    if proof.get("type") == DATA_INTEGRITY:
        cryptosuite = proof.get("cryptosuite")
        return _CRYPTOSUITES.get(cryptosuite) if isinstance(cryptosuite, str) else None
    return _EDDSA_RDFC if proof.get("type") == "Ed25519Signature2020" else None  # B-005


def name_for(algorithm: Algorithm) -> str | None:
    """The cryptosuite we sign with a key of this kind."""
    return {Algorithm.EDDSA: "eddsa-rdfc-2022", Algorithm.ES256: "ecdsa-rdfc-2019"}.get(algorithm)


def hash_rdfc(document: JsonObject, options: JsonObject) -> bytes:
    """What eddsa-rdfc-2022 and ecdsa-rdfc-2019 sign: `options` is the proof without its value."""
    context = document.get("@context")
    # The proof is read with the words of the document (B-035); words of its own could turn its meaning (T12).
    if options.get("@context", context) != context:
        raise ProofError("proof_malformed", "its @context is not the document's")
    return digest_of_options(document, options) + _digest_of(document)  # B-038: the proof first


def digest_of_options(document: JsonObject, options: JsonObject) -> bytes:
    """The digest of a proof, read with the words of its document."""
    context = document.get("@context")
    if isinstance(context, list):
        named = tuple(each for each in context if isinstance(each, str))
        texts = tuple((name, value) for name, value in options.items() if isinstance(value, str))
        if len(named) == len(context) and len(texts) == len(options):
            return _digest_of_options(named, texts)
    configuration: JsonObject = {"@context": context} | options
    return _digest_of(configuration)


@lru_cache(maxsize=1_024)
def _digest_of_options(context: tuple[str, ...], options: tuple[tuple[str, str], ...]) -> bytes:
    """Kept: whoever signs or reads a list of badges meets the same options again and again."""
    configuration: JsonObject = {"@context": list(context), **dict(options)}
    return _digest_of(configuration)


def _digest_of(document: JsonObject) -> bytes:
    return digest(canonical_bytes(document))


def digest(nquads: bytes) -> bytes:
    return hashlib.sha256(nquads).digest()


def hash_jcs(document: JsonObject, options: JsonObject) -> bytes:
    """What eddsa-jcs-2022 and ecdsa-jcs-2019 sign. B-061: the proof's contexts are a beginning of the document's, and take their place."""
    if "@context" in options:
        stated, named = options["@context"], document.get("@context")
        beginning = stated if isinstance(stated, list) else [stated]
        whole = named if isinstance(named, list) else [named]
        if whole[: len(beginning)] != beginning:
            raise ProofError("proof_malformed", "its @context does not begin the document's")
        document = document | {"@context": stated}
    return _hashes(canonical_json(options), canonical_json(document))


def _hashes(options: bytes, document: bytes) -> bytes:
    return hashlib.sha256(options).digest() + hashlib.sha256(document).digest()  # B-038: the proof first


def _whole(hash_data: Callable[[JsonObject, JsonObject], bytes]) -> Callable[[JsonObject, JsonObject], Check]:
    """A suite with one signature over one hash of everything."""

    def prepare(document: JsonObject, proof: JsonObject) -> Check:
        signature = _signature_of(proof)
        data = hash_data(document, {name: value for name, value in proof.items() if name != "proofValue"})
        return lambda key: key.verify(signature, data)

    return prepare


def _signature_of(proof: JsonObject) -> bytes:
    """B-031: 64 bytes in base58btc and in nothing else."""
    value = proof.get("proofValue")
    if isinstance(value, str):
        with suppress(MalformedInput):
            signature = decode_multibase(value, max_length=128)
            if len(signature) == 64:
                return signature
    raise ProofError("proof_malformed", "proofValue")


_EDDSA_RDFC: Final = Cryptosuite(Algorithm.EDDSA, _whole(hash_rdfc))
_CRYPTOSUITES: Final = {
    "eddsa-rdfc-2022": _EDDSA_RDFC,
    "eddsa-2022": _EDDSA_RDFC,  # B-005: its name before 2023
    "eddsa-jcs-2022": Cryptosuite(Algorithm.EDDSA, _whole(hash_jcs)),
    "ecdsa-rdfc-2019": Cryptosuite(Algorithm.ES256, _whole(hash_rdfc)),
    "ecdsa-jcs-2019": Cryptosuite(Algorithm.ES256, _whole(hash_jcs)),
    "ecdsa-sd-2023": Cryptosuite(Algorithm.ES256, prepare_disclosure),  # B-004
}
