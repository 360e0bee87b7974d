"""Terms and members of signed badges that readers need without the rows behind them: no table here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from app.language import N_, current_locale, local
from sceau_credentials.values import JsonObject


class BadgeKind(StrEnum):
    """What a badge recognises; the kind decides which evidence an award must rest on."""

    BELONGING = "appartenance"
    PARTICIPATION = "participation"
    ENGAGEMENT = "engagement"
    ATTITUDE = "savoir-etre"
    COMPETENCY = "competence"
    REALISATION = "realisation"

    @property
    def is_assessed(self) -> bool:
        """Presence is not competence: for these kinds a person must assess what was done."""
        return self not in (BadgeKind.BELONGING, BadgeKind.PARTICIPATION)


class ActivityKind(StrEnum):
    WORKSHOP = "workshop"
    EVENT = "event"
    PROJECT = "project"
    COURSE = "course"
    IMMERSION = "immersion"
    MEETING = "meeting"
    COUNCIL = "council"
    INTERVIEW = "interview"
    COMMUNICATION = "communication"
    MOBILITY = "mobility"


class PartKind(StrEnum):
    """Everyone learns and everyone is a resource; a person has one part per activity."""

    LEARNER = "apprenant"
    RESOURCE = "ressource"


class LabelCategory(StrEnum):
    STANDARD = "standard"
    EXCELLENCE = "excellence"


class LabelState(StrEnum):
    CURRENT = "current"
    FUTURE = "future"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


LABEL_NAMES: Final = {
    LabelCategory.STANDARD: N_("Label Campus des métiers et des qualifications"),
    LabelCategory.EXCELLENCE: N_("Label Campus des métiers et des qualifications d’excellence"),
}


def name_said_of(subject: JsonObject) -> str | None:
    """The holder's name in clear; a hashed name could only be compared, not shown."""
    identifiers = subject.get("identifier")
    for entry in identifiers if isinstance(identifiers, list) else [identifiers]:
        if not isinstance(entry, dict) or entry.get("identityType") != "name":
            continue
        named = entry.get("identityHash")
        if entry.get("hashed") is False and isinstance(named, str):
            return named
    return None


def is_artefact(facts: Mapping[str, object]) -> bool:
    return "contentDigest" in facts or "link" in facts


def day_in_france(at: datetime) -> date:
    return local(at).date()


_NO_BREAK: Final = "\u00a0"


def duration(minutes: int) -> str:
    """2 h 30, in other languages 2 h 30 min; 14 h, 45 min."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours}{_NO_BREAK}h"] if hours else []
    if rest:
        is_short = bool(hours) and current_locale() == "fr"
        parts.append(str(rest) if is_short else f"{rest}{_NO_BREAK}min")
    return _NO_BREAK.join(parts) or f"0{_NO_BREAK}h"
