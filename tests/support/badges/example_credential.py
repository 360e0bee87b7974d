"""A complete credential of a fictional learner, before signing."""

from __future__ import annotations

from datetime import UTC, datetime

from sceau_credentials.model import (
    Achievement,
    AchievementSubject,
    Address,
    Alignment,
    BitstringStatusListEntry,
    Criteria,
    Evidence,
    IdentityObject,
    Image,
    OpenBadgeCredential,
    Profile,
    Result,
    ResultDescription,
)
from sceau_credentials.values import JsonObject

BASE = "https://badges.campus-exemple.fr"
AWARDED = datetime(2022, 11, 27, 16, 30, tzinfo=UTC)
LEVELS = "urn:uuid:6f0f0a6e-5b0e-4f52-8ed4-5a4c2b8d3f10"


def example_credential() -> OpenBadgeCredential:
    """Issuer, achievement with three alignments, three pieces of evidence, a result and a status entry."""
    achievement = Achievement(
        id=f"{BASE}/badges/7b1f2c9e-98c4-4b26-9a4e-0d8f63c0a2f1/v2",
        name="Opérateur matériaux composites",
        description="Prépare, moule et contrôle une pièce composite en suivant une gamme.",
        criteria=Criteria(
            id=f"{BASE}/badges/7b1f2c9e-98c4-4b26-9a4e-0d8f63c0a2f1/v2",
            narrative="A réalisé **trois pièces** conformes sous le regard d'un tuteur.",
        ),
        achievement_type="Competency",
        image=Image(id=f"{BASE}/badges/7b1f2c9e-98c4-4b26-9a4e-0d8f63c0a2f1/v2/image.png", caption="Insigne"),
        in_language="fr",
        version="2",
        tag=("composites", "moulage"),
        alignment=tuple(_alignment(code) for code in ("prepare", "moule", "controle")),
        result_description=(
            ResultDescription(
                id=LEVELS,
                name="Pièces conformes",
                result_type="RawScore",
                allowed_value=("0", "1", "2", "3"),
                required_value="3",
            ),
        ),
    )
    return OpenBadgeCredential(
        id=f"{BASE}/attributions/2f3c1d1e-60a3-4f4e-8d0a-3a4b5c6d7e8f",
        name="Opérateur matériaux composites",
        issuer=_issuer(),
        valid_from=AWARDED,
        valid_until=datetime(2027, 11, 27, tzinfo=UTC),
        awarded_date=AWARDED,
        credential_subject=AchievementSubject(
            id="urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e",
            identifier=(
                IdentityObject(hashed=False, identity_hash="Maëlys Grosjean-Huot", identity_type="name"),
            ),
            achievement=achievement,
            activity_start_date=datetime(2022, 11, 25, 8, tzinfo=UTC),
            credits_earned=1.5,
            role="apprenante",
            result=(Result(result_description=LEVELS, value="3"),),
        ),
        evidence=tuple(_evidence(number) for number in (1, 2, 3)),
        credential_status=BitstringStatusListEntry(
            id=f"{BASE}/statuts/4#94567",
            status_purpose="revocation",
            status_list_index="94567",
            status_list_credential=f"{BASE}/statuts/4",
        ),
    )


def example_document() -> JsonObject:
    return example_credential().to_document()


def _issuer() -> Profile:
    return Profile(
        id="did:web:badges.campus-exemple.fr:campus:amf",
        name="Automobile et Mobilités du Futur",
        url=f"{BASE}/campus/amf",
        description="Campus des métiers et des qualifications",
        email="badges@campus-exemple.fr",
        image=Image(id=f"{BASE}/campus/amf/logo.svg"),
        address=Address(address_locality="Montbéliard", postal_code="25200", address_country="France"),
    )


def _alignment(code: str) -> Alignment:
    return Alignment(
        target_name=f"Compétence « {code} »",
        target_url=f"{BASE}/campus/amf#composites-{code}",
        target_code=code,
        target_description="Niveau 2 : sous contrôle",
        target_framework="Composites",
    )


def _evidence(number: int) -> Evidence:
    return Evidence(
        id=f"{BASE}/attributions/2f3c1d1e-60a3-4f4e-8d0a-3a4b5c6d7e8f/preuves/{number}",
        name=f"Pièce n° {number}",
        genre="Observation",
        narrative="Démoulée sans défaut, cotes relevées et notées.",
    )
