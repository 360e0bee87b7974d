"""A small Open Badges credential and the keys to sign it with, for tests of what signing means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.credentials.errors import KeyNotResolved
from app.credentials.keys import Algorithm, LocalSigningKey, Signer, VerificationKey

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
    """Signers under one DID, and the way back from a method to its key, remembering what was asked."""

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
