"""Lines of an activity log in words: what happened, and each field that a line holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from app.domain.activity_log.activity_log import EntryKind
from app.domain.activity_log.artefact_facts import is_artefact
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.http.pages.words import ACTIVITY_KINDS, PARTS
from app.language import N_
from app.services.verification.verdicts import duration, plain

KINDS: Final = {
    EntryKind.PARTICIPATION: N_("Participation inscrite"),
    EntryKind.CORRECTION: N_("Participation corrigée"),
    EntryKind.CONTRIBUTION: N_("Contribution"),
    EntryKind.ASSESSMENT: N_("Appréciation"),
    EntryKind.AWARD: N_("Badge attribué"),
    EntryKind.REVOCATION: N_("Badge retiré"),
    EntryKind.DEFINITION: N_("Définition du badge"),
    EntryKind.KEY: N_("Clé de signature"),
    EntryKind.ERASURE: N_("Effacement"),
}
_PIECE: Final = N_("Pièce jointe")
_LABELS: Final = {
    "title": N_("Titre"),
    "artefact": N_("Pièce"),
    "link": N_("Lien"),
    "activity": N_("Activité"),
    "activityKind": N_("Sorte"),
    "startsOn": N_("Du"),
    "endsOn": N_("Au"),
    "place": N_("Lieu"),
    "minutes": N_("Durée"),
    "part": N_("Rôle"),
    "present": N_("Présence"),
    "contribution": N_("Contribution"),
    "reason": N_("Motif"),
    "corrects": N_("Remplace la ligne"),
    "text": N_("Appréciation"),
    "badge": N_("Badge"),
    "words": N_("Ce que montre la photo"),
    "removed": N_("Retirée"),
    "contentDigest": N_("Empreinte SHA-256"),
}
_KIND_WORDS: Final = {kind.value: words for kind, words in ACTIVITY_KINDS.items()}
_PART_WORDS: Final = {part.value: words for part, words in PARTS.items()}


def kind_of(kind: EntryKind, facts: Mapping[str, object]) -> str:
    return say(_PIECE if is_artefact(facts) else KINDS[kind])


def facts_of(facts: Mapping[str, object]) -> list[tuple[str, str]]:
    """Every field that says something to a person, with its label."""
    found = []
    for name, label in _LABELS.items():
        words = _value(name, facts.get(name))
        if words:
            found.append((say(label), words))
    return found


def _value(name: str, value: object) -> str:
    match name, value:
        case "minutes", int():
            return duration(value)
        case "present" | "removed", bool():
            return say(N_("oui")) if value else say(N_("non"))
        case "corrects", int():
            return str(value + 1)
        case "activityKind", str():
            return say(_KIND_WORDS[value]) if value in _KIND_WORDS else value
        case "part", str():
            return say(_PART_WORDS[value]) if value in _PART_WORDS else value
        case "reason", str():
            # What the house itself gave as a reason is in its catalogues; what a person typed is not.
            return say(plain(value, 1000)) if value else ""
        case "startsOn" | "endsOn", str():
            return day(date.fromisoformat(value))
        case _, str():
            return plain(value, 1000)
    return ""
