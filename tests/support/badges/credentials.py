"""A campus that issues badges: its keys, key document and status list, and one complete badge."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sceau_credentials.dids import PublishedKey, did_document, did_web_document_url, jwk_set, jwt_method_id
from sceau_credentials.issuing import SignedCredential, issue
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.status_list import StatusList, status_entry, status_list_credential
from tests.support.badges.documents import Documents

NOON = datetime(2026, 6, 30, 12, tzinfo=UTC)
HOST = "https://badges.example"
DID = "did:web:badges.example:campus:itip"
DID_URL = did_web_document_url(DID)
JWKS_URL = f"{HOST}/.well-known/jwks.json"
LIST_URL = f"{HOST}/statuts/1"
LIST_INDEX = 94_567
CREDENTIAL_ID = f"{HOST}/attributions/3f1c7b1e-52a4-4c8e-9d55-0b6f8f6a9d21"
SUBJECT_ID = "urn:uuid:7e3cb2f0-0a53-4a43-8f0b-6d5d1f1f6c52"
ACHIEVEMENT_ID = f"{HOST}/badges/robotique-pour-tous/v2"


def badge_document() -> dict[str, Any]:
    """Issuer, achievement, three alignments, three pieces of evidence, a result, an identifier, a status entry."""
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json",
        ],
        "id": CREDENTIAL_ID,
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": "Robotique pour tous",
        "description": "Attribué à l'issue de l'atelier « Robotique pour tous » du VRAI.",
        "issuer": {
            "id": DID,
            "type": ["Profile"],
            "name": "École des Trois-Rivières",
            "url": f"{HOST}/campus/itip",
            "email": "contact@campus.example",
            "description": "Campus des Métiers et des Qualifications d'Excellence, Le Creusot.",
            "image": {
                "id": f"{HOST}/static/itip.png",
                "type": "Image",
                "caption": "Le hall du VRAI, au Creusot",
            },
        },
        "validFrom": "2026-06-30T12:00:00Z",
        "validUntil": "2029-06-30T12:00:00Z",
        "awardedDate": "2026-06-30T11:30:00Z",
        "credentialSubject": {
            "id": SUBJECT_ID,
            "type": ["AchievementSubject"],
            "identifier": [
                {
                    "type": "IdentityObject",
                    "hashed": False,
                    "identityHash": "Zoé Lefèvre-N'Diaye",
                    "identityType": "name",
                }
            ],
            "activityStartDate": "2026-06-29T07:00:00Z",
            "activityEndDate": "2026-06-30T11:00:00Z",
            "role": "apprenante-ressource",
            "achievement": {
                "id": ACHIEVEMENT_ID,
                "type": ["Achievement"],
                "achievementType": "Competency",
                "name": "Robotique pour tous",
                "description": "Programmer un bras robotisé et le présenter au public.",
                "criteria": {
                    "narrative": "- Programmer une trajectoire.\n- Expliquer ses choix à un groupe."
                },
                "image": {"id": f"{ACHIEVEMENT_ID}/image.png", "type": "Image"},
                "inLanguage": "fr",
                "version": "2",
                "tag": ["robotique", "médiation"],
                "alignment": [
                    {
                        "type": ["Alignment"],
                        "targetName": "Réaliser un programme",
                        "targetUrl": "https://competences.example/rome/M1805",
                        "targetCode": "M1805",
                        "targetFramework": "ROME 4.0",
                    },
                    {
                        "type": ["Alignment"],
                        "targetName": "program an industrial robot",
                        "targetUrl": "http://data.europa.eu/esco/skill/0b2a0b5c-0000-4000-8000-2f3d7c1c0001",
                        "targetFramework": "ESCO",
                    },
                    {
                        "type": ["Alignment"],
                        "targetName": "En lien avec le bloc 2",
                        "targetUrl": "https://competences.example/rncp/35340#bloc2",
                        "targetCode": "RNCP35340BC02",
                        "targetFramework": "RNCP",
                    },
                ],
                "resultDescription": [
                    {
                        "id": f"{ACHIEVEMENT_ID}#niveau",
                        "type": ["ResultDescription"],
                        "name": "Niveau d'autonomie",
                        "resultType": "RawScore",
                        "valueMin": "0",
                        "valueMax": "4",
                    }
                ],
            },
            "result": [
                {"type": ["Result"], "resultDescription": f"{ACHIEVEMENT_ID}#niveau", "value": "3"},
            ],
        },
        "evidence": [
            {
                "id": f"{HOST}/activites/5f0d4f86-76b3-4a5e-8a52-1a3f9a3c000{number}",
                "type": ["Evidence"],
                "name": name,
                "narrative": narrative,
                "genre": "atelier",
            }
            for number, (name, narrative) in enumerate(
                [
                    ("Atelier du 29 juin", "Deux journées au VRAI, huit heures, en groupe de douze."),
                    ("Démonstration", "A présenté le bras robotisé à trente collégiens."),
                    ("Programme", "Trajectoire en six points, relue par deux animateurs."),
                ],
                start=1,
            )
        ],
        "credentialStatus": status_entry(LIST_URL, LIST_INDEX),
    }


def without_status() -> dict[str, Any]:
    return {name: value for name, value in badge_document().items() if name != "credentialStatus"}


@dataclass
class Campus:
    """An issuer with one Ed25519 key per proof format, and its published documents."""

    jwt_algorithm: Algorithm = Algorithm.EDDSA
    did: str = DID
    key: LocalSigningKey = field(default_factory=lambda: LocalSigningKey.generate(Algorithm.EDDSA))
    revoked: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        same = self.jwt_algorithm is Algorithm.EDDSA
        self.jwt_key = self.key if same else LocalSigningKey.generate(self.jwt_algorithm)
        self.published = [self._published(self.key)] + ([] if same else [self._published(self.jwt_key)])

    def _published(self, key: LocalSigningKey) -> PublishedKey:
        return PublishedKey(f"{self.did}#{key.public.thumbprint()}", key.public)

    @property
    def signer(self) -> Signer:
        return Signer(self.published[0].id, self.key)

    @property
    def jwt_signer(self) -> Signer:
        return Signer(jwt_method_id(self.published[-1].id), self.jwt_key)

    @property
    def did_document(self) -> dict[str, Any]:
        return did_document(self.did, self.published)

    def issue(self, document: dict[str, Any] | None = None, *, at: datetime = NOON) -> SignedCredential:
        credential = OpenBadgeCredential.from_document(document or badge_document())
        return issue(credential, signer=self.signer, jwt_signer=self.jwt_signer, at=at)

    def status_list(self, *, at: datetime = NOON, **changed: Any) -> dict[str, Any]:
        bits = StatusList()
        for index in self.revoked:
            bits.set(index)
        unsigned = status_list_credential(
            LIST_URL,
            issuer=self.did,
            status_list=bits,
            purpose="revocation",
            valid_from=at - timedelta(hours=1),
            valid_until=at + timedelta(days=2),
            ttl=timedelta(minutes=15),
        )
        return add_proof({**copy.deepcopy(unsigned), **changed}, signer=self.signer, created=at)

    def documents(self, **kept: Any) -> Documents:
        """All published documents of this campus."""
        held = {DID_URL: self.did_document, LIST_URL: self.status_list(), JWKS_URL: jwk_set(self.published)}
        return Documents({**held, **kept})
