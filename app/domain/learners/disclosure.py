"""Badges shown in part: which members every reader sees, and which ones their holder shows or not.

One table for both forms, ecdsa-sd-2023 and SD-JWT VC. A member that is in neither table is never in a presentation.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.domain.badges import BadgeKind
from app.language import N_
from sceau_credentials.values import JsonObject, format_timestamp, parse_timestamp

PRESENTATION_LIFE: Final = timedelta(days=90)
"""What is left out of a derived proof may have been signed: a verifier accepts no such proof without an end. Every
presentation therefore has one, and a badge without end needs no exception."""

_JUDGED: Final = frozenset(kind for kind in BadgeKind if kind.is_judged)
_COMPETENCY: Final = frozenset({BadgeKind.COMPETENCY})


@dataclass(frozen=True)
class MandatoryMembers:
    """JSON pointers into a badge of one of `kinds`, and why its holder cannot leave them out."""

    pointers: tuple[str, ...]
    label: str
    reason: str
    kinds: frozenset[BadgeKind] = frozenset(BadgeKind)


@dataclass(frozen=True)
class DisclosableMembers:
    """JSON pointers that are shown or left out together; `name` is that of the form's field."""

    name: str
    pointers: tuple[str, ...]
    label: str


def _of_achievement(*names: str) -> tuple[str, ...]:
    return tuple(f"/credentialSubject/achievement/{name}" for name in names)


MANDATORY: Final = (
    MandatoryMembers(
        ("/name", *_of_achievement("name", "description", "criteria", "achievementType")),
        N_("Ce qui est attesté"),
        N_("Un titre sans ce qu’il veut dire pourrait passer pour autre chose."),
    ),
    MandatoryMembers(
        _of_achievement("image", "inLanguage", "version", "tag"),
        N_("L’image, la langue, la version et les mots-clés du badge"),
        N_("Ils disent de quel badge il s’agit, et rien de la personne."),
    ),
    MandatoryMembers(("/issuer",), N_("Le campus"), N_("On n’atteste pas sans dire qui atteste.")),
    MandatoryMembers(
        ("/id",),
        N_("L’adresse du badge"),
        N_("Le fichier la contient toujours : c’est là que le badge se vérifie."),
    ),
    MandatoryMembers(("/validFrom", "/validUntil"), N_("Le début et la fin"), N_("Une fin ne se cache pas.")),
    MandatoryMembers(
        ("/credentialStatus",), N_("Le statut"), N_("Un retrait ou une suspension ne se cache pas.")
    ),
    MandatoryMembers(
        ("/credentialSubject/narrative", "/credentialSubject/source"),
        N_("Comment c’est jugé"),
        N_("Un badge jugé ne veut rien dire si l’on ne sait pas comment il a été jugé."),
        _JUDGED,
    ),
    MandatoryMembers(
        _of_achievement("alignment"),
        N_("Les compétences visées"),
        N_("Un badge de compétence nomme sa compétence."),
        _COMPETENCY,
    ),
)

DISCLOSABLE: Final = (
    DisclosableMembers("nom", ("/credentialSubject/identifier",), N_("Le nom de la personne")),
    DisclosableMembers("date", ("/awardedDate",), N_("La date d’attribution")),
    DisclosableMembers(
        "activite",
        ("/credentialSubject/activityStartDate", "/credentialSubject/activityEndDate"),
        N_("Les dates de l’activité"),
    ),
    DisclosableMembers("role", ("/credentialSubject/role",), N_("Le rôle dans l’activité")),
    DisclosableMembers(
        "resultats",
        ("/credentialSubject/result", *_of_achievement("resultDescription")),
        N_("Les heures et les résultats"),
    ),
    DisclosableMembers("preuves", ("/evidence", "/relatedResource"), N_("Les preuves")),
    DisclosableMembers(
        "jugement", ("/credentialSubject/narrative", "/credentialSubject/source"), N_("Comment c’est jugé")
    ),
    DisclosableMembers("competences", _of_achievement("alignment"), N_("Les compétences visées")),
)


def mandatory_of(kind: BadgeKind) -> tuple[MandatoryMembers, ...]:
    return tuple(each for each in MANDATORY if kind in each.kinds)


def mandatory_pointers(kind: BadgeKind) -> frozenset[str]:
    return frozenset(pointer for each in mandatory_of(kind) for pointer in each.pointers)


def mandatory_in(document: JsonObject, kind: BadgeKind) -> list[str]:
    """Those of this document, in the order of the table."""
    named = [pointer for each in mandatory_of(kind) for pointer in each.pointers]
    return [pointer for pointer in named if _has(document, pointer)]


def disclosable_in(document: JsonObject, kind: BadgeKind) -> list[DisclosableMembers]:
    """What the holder of this document shows or leaves out."""
    always = mandatory_pointers(kind)
    return [
        each
        for each in DISCLOSABLE
        if always.isdisjoint(each.pointers) and any(_has(document, pointer) for pointer in each.pointers)
    ]


def selected_in(document: JsonObject, kind: BadgeKind, names: Collection[str]) -> list[str]:
    """The pointers of the chosen members; names that this document does not have are ignored."""
    return [
        pointer
        for each in disclosable_in(document, kind)
        if each.name in names
        for pointer in each.pointers
        if _has(document, pointer)
    ]


def presented(document: JsonObject, *, at: datetime) -> JsonObject:
    """The badge as its holder discloses it today, without its proof, until the end of a presentation."""
    end = at + PRESENTATION_LIFE
    if "validUntil" in document:
        end = min(end, parse_timestamp(document["validUntil"]))
    bare = {name: value for name, value in document.items() if name != "proof"}
    return bare | {"validUntil": format_timestamp(end)}


def _has(document: JsonObject, pointer: str) -> bool:
    value: object = document
    for name in pointer.split("/")[1:]:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
