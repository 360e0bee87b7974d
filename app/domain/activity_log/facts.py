"""What the activity log keeps of each deed: the fields that are committed to, one by one."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.activities.activities import Activity, Participation, hours_of
from app.domain.activity_log.activity_log import EntryKind, Fact, minutes_of
from app.domain.activity_log.integrity import picture_digests
from app.domain.awards.awards import Award
from app.domain.badges.badges import BadgeVersion
from app.domain.campus.keys import SealedKey
from app.domain.privacy.erasures import reference_of
from app.domain.publishing.addresses import Addresses
from sceau_credentials.evidence.judging import SIGNING_KEY, content_digest
from sceau_credentials.keys import VerificationKey, encode_base64url
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.values.timestamps import format_timestamp

PARTICIPATION, AWARD, ASSESSMENT, DEFINITION, KEY, ERASURE = (
    "participation",
    "award",
    "assessment",
    "badge_version",
    "signing_key",
    "erasure",
)
LAST_SIZES = "lastSizes"


def participation_fact(
    activity: Activity, participation: Participation, practised: Sequence[uuid.UUID] = ()
) -> Fact:
    """`practised` are the competencies that the activity practises, as they are now."""
    return Fact(
        EntryKind.PARTICIPATION,
        PARTICIPATION,
        participation.id,
        told_of(activity, participation, practised),
        participation.person_id,
    )


def correction_fact(
    activity: Activity,
    participation: Participation,
    practised: Sequence[uuid.UUID] = (),
    *,
    corrects: int,
    reason: str,
) -> Fact:
    """All of it anew, and which entry it takes the place of."""
    return Fact(
        EntryKind.CORRECTION,
        PARTICIPATION,
        participation.id,
        {**told_of(activity, participation, practised), "corrects": corrects, "reason": reason},
        participation.person_id,
    )


def told_of(
    activity: Activity, participation: Participation, practised: Sequence[uuid.UUID]
) -> dict[str, Any]:
    """All that a line says of somebody's part."""
    said: dict[str, Any] = {
        "activity": activity.title,
        "activityKind": activity.kind.value,
        "startsOn": activity.starts_on.isoformat(),
        "endsOn": activity.ends_on.isoformat(),
        "place": activity.place,
        "minutes": minutes_of(hours_of(participation, activity)),
        "part": participation.part.value,
        "present": participation.is_present,
        "contribution": participation.contribution,
        "person": str(participation.person_id),
    }
    return said | {"practised": [str(each) for each in practised]} if practised else said


def assessment_fact(award: Award, version: BadgeVersion) -> Fact:
    """What the giver says of what the person did, in the words that the credential carries."""
    return Fact(
        EntryKind.ASSESSMENT,
        ASSESSMENT,
        award.id,
        {
            "text": award.evidence,
            "badge": version.name,
            "by": str(award.awarded_by or ""),
            "person": str(award.person_id),
        },
        award.person_id,
    )


def award_fact(
    award: Award,
    credential: JsonObject,
    entries: Sequence[int],
    addresses: Addresses,
    signing_key: VerificationKey,
) -> Fact:
    """The decision: which credential, to the letter, which entries of this log it rests on, and the key that will sign it."""
    return Fact(
        EntryKind.AWARD,
        AWARD,
        award.id,
        {
            "award": addresses.award(award.id),
            "credential": content_digest(credential),
            "entries": list(entries),
            SIGNING_KEY: signing_key.thumbprint(),
        },
        award.person_id,
    )


def revocation_fact(award: Award, reason: str, addresses: Addresses) -> Fact:
    return Fact(
        EntryKind.REVOCATION,
        AWARD,
        award.id,
        {"award": addresses.award(award.id), "reason": reason},
        award.person_id,
    )


def definition_fact(version: BadgeVersion, addresses: Addresses) -> Fact:
    return Fact(
        EntryKind.DEFINITION,
        DEFINITION,
        version.id,
        {
            "definition": addresses.version(version.badge_id, version.number),
            "digest": encode_base64url(hashlib.sha256(version.definition).digest()),
            **picture_digests(version),
        },
    )


def key_fact(key: SealedKey, last_sizes: Mapping[str, int] | None = None) -> Fact:
    """A key as it is from now on; of a log's key that ended also, by the log's epoch, the last tree it vouches for."""
    return Fact(
        EntryKind.KEY,
        KEY,
        key.id,
        {
            "method": key.method_id,
            "purpose": key.purpose.value,
            "state": key.state.value,
            "thumbprint": VerificationKey.from_jwk(key.public_jwk).thumbprint(),
        }
        | ({"stolenSince": format_timestamp(key.revoked_at)} if key.revoked_at else {})
        | ({LAST_SIZES: dict(last_sizes)} if last_sizes is not None else {}),
    )


def erasure_fact(erasure_id: uuid.UUID, entries: int) -> Fact:
    """That somebody's data went at their request; of how many entries, under which reference, and nothing of whom."""
    facts = {"entries": entries, "reference": reference_of(erasure_id)}
    return Fact(EntryKind.ERASURE, ERASURE, erasure_id, facts)
