"""A small Open Badges credential, the keys to sign it with, and how it is verified once signed."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import KeyNotResolved
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, VerificationKey, encode_multibase
from sceau_credentials.proofs.data_integrity import verify_proofs

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
DID = "did:web:badges.example:campus:itip"


def credential(**changes: Any) -> dict[str, Any]:
    document = {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": "https://badges.example/attributions/7b1e7f0e-6f8c-4a53-9c5e-2f1f8f0f3c11",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "issuer": {"id": DID, "type": ["Profile"], "name": "Campus Bâtiment Durable"},
        "validFrom": "2026-06-30T09:00:00Z",
        "name": "Câblage d'un réseau",
        "credentialSubject": {
            "id": "urn:uuid:0d8a4f0c-52a5-4c63-8a3e-0f6a1c9d2b77",
            "type": ["AchievementSubject"],
            "achievement": {
                "id": "https://badges.example/badges/cablage/v1",
                "type": ["Achievement"],
                "name": "Câblage d'un réseau",
                "description": "Relier dix postes & un serveur.",
                "criteria": {"narrative": "Dix postes répondent."},
            },
        },
    }
    return document | changes


class KeyRing:
    """Signers under one DID, resolved from method to key, recording what was requested."""

    def __init__(self) -> None:
        self.keys: dict[str, VerificationKey] = {}
        self.asked: list[str] = []

    def signer(self, algorithm: Algorithm = Algorithm.EDDSA, method: str | None = None) -> Signer:
        key = LocalSigningKey.generate(algorithm)
        signer = Signer(method or f"{DID}#{key.public.thumbprint()}", key)
        self.keys[signer.verification_method] = key.public
        return signer

    def key_for(self, method: str) -> VerificationKey:
        self.asked.append(method)
        if method not in self.keys:
            raise KeyNotResolved("key_not_found", method)
        return self.keys[method]


def verified(document, ring, at=NOON):
    return verify_proofs(document, key_for=ring.key_for, at=at)


def reason(document, ring, at=NOON):
    outcome = verified(document, ring, at)
    assert outcome.accepted is None
    return outcome.error.reason


def resigned(document, signer, hash_data=None, **changes):
    """A proof with these members, correctly signed: as a careless or hostile issuer would make it."""
    options = {
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-rdfc-2022",
        "created": "2026-06-30T12:00:00Z",
        "verificationMethod": signer.verification_method,
        "proofPurpose": "assertionMethod",
    } | changes
    options = {name: value for name, value in options.items() if value is not None}
    configuration = {"@context": document["@context"]} | options
    data = hash_data or sha(canonical_nquads(configuration)) + sha(canonical_nquads(without_proof(document)))
    return options | {"proofValue": encode_multibase(signer.key.sign(data))}


def sha(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def without_proof(document):
    return {name: value for name, value in document.items() if name != "proof"}
