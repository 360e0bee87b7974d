"""A badge of 3.0 converted to Open Badges 2.0, hosted, for platforms that read nothing newer.

It proves nothing that the signed badge does not: its trust comes from the URL that serves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.verification.legacy.documents import CONTEXT_2

_ALIGNMENT: Final = ("targetName", "targetUrl", "targetDescription", "targetFramework", "targetCode")
_EVIDENCE: Final = ("id", "name", "narrative", "description", "genre", "audience")


@dataclass(frozen=True)
class LegacyPointers:
    """Where the three documents are served; `all_assertions` is the prefix of every assertion's URL."""

    assertion: str
    badge_class: str
    issuer: str
    all_assertions: str


def assertion_of(
    credential: JsonObject, places: LegacyPointers, *, image: str, recipient: JsonObject | None = None
) -> JsonObject:
    """H-003, H-008: the recipient is the URN of the signed badge, in plain text, never the holder's e-mail
    address.

    `recipient` is the identity the holder chose instead: the hash of an e-mail address, never the address.
    """
    subject = _object(credential.get("credentialSubject"))
    written: JsonObject = {
        "@context": CONTEXT_2,
        "type": "Assertion",
        "id": places.assertion,
        "recipient": recipient or {"type": "url", "hashed": False, "identity": subject.get("id")},
        "badge": places.badge_class,
        "issuedOn": credential.get("awardedDate") or credential.get("validFrom"),
        "verification": {"type": "HostedBadge"},
        "image": image,
        "evidence": _evidence(credential),
    }
    if "validUntil" in credential:
        written["expires"] = credential["validUntil"]
    return written


def revoked_assertion(places: LegacyPointers, *, reason: str = "") -> JsonObject:
    """H-005: the body served with 410 Gone."""
    told: JsonObject = {"revocationReason": reason} if reason else {}
    return {"@context": CONTEXT_2, "type": "Assertion", "id": places.assertion, "revoked": True, **told}


def badge_class_of(achievement: JsonObject, places: LegacyPointers) -> JsonObject:
    written: JsonObject = {
        "@context": CONTEXT_2,
        "type": "BadgeClass",
        "id": places.badge_class,
        "name": achievement.get("name"),
        "description": achievement.get("description"),
        "image": _object(achievement.get("image")).get("id"),
        "criteria": {
            name: value
            for name, value in _object(achievement.get("criteria")).items()
            if name in ("id", "narrative")
        },
        "issuer": places.issuer,
    }
    alignments = [_only(each, _ALIGNMENT) for each in _objects(achievement.get("alignment"))]
    more: JsonObject = {
        "alignment": [*alignments],
        "tags": achievement.get("tag"),
        "version": achievement.get("version"),
        "@language": achievement.get("inLanguage"),
    }
    return written | {name: value for name, value in more.items() if value}


def issuer_of(profile: JsonObject, places: LegacyPointers) -> JsonObject:
    written = _only(profile, ("name", "url", "email", "description"))
    return {
        "@context": CONTEXT_2,
        "type": "Issuer",
        "id": places.issuer,
        **written,
        "verification": {"type": "VerificationObject", "startsWith": places.all_assertions},
    }


def _evidence(credential: JsonObject) -> list[JsonValue]:
    """The award's evidence, with the signed badge itself as the first item."""
    signed: JsonObject = {
        "id": credential.get("id"),
        "name": "Open Badges 3.0",
        "genre": "OpenBadgeCredential",
    }
    return [signed, *(_only(each, _EVIDENCE) for each in _objects(credential.get("evidence")))]


def _only(value: JsonObject, members: tuple[str, ...]) -> JsonObject:
    return {name: value[name] for name in members if name in value}


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
