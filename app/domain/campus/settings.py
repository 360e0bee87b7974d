"""What a campus says of itself and may change: everything but its address, its keys and its labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from typing import Final

from app.domain.campus.campus import Campus
from app.domain.campus.colours import MOST_LIVELY
from app.domain.people.people import is_address, normal_address
from app.errors import InvalidInput
from app.language import N_

ZONES: Final = (
    "Europe/Paris",
    "America/Guadeloupe",
    "America/Martinique",
    "America/Cayenne",
    "America/Miquelon",
    "Indian/Reunion",
    "Indian/Mayotte",
    "Pacific/Noumea",
    "Pacific/Tahiti",
)
_LONGEST: Final = {
    "name": 200,
    "short_name": 20,
    "sector": 200,
    "carrier": 200,
    "site": 200,
    "description": 2000,
    "contact_email": 254,
}


@dataclass(frozen=True)
class CampusSettings:
    """Named as the columns of a campus are."""

    name: str
    short_name: str
    sector: str
    carrier: str
    site: str
    description: str
    contact_email: str
    linkedin_id: str
    language: str
    time_zone: str
    hue: float
    liveliness: float
    names_in_credentials: bool

    @staticmethod
    def of(campus: Campus) -> CampusSettings:
        return CampusSettings(
            **{each.name: getattr(campus, each.name) for each in fields(CampusSettings)}
        )  # fmt: skip


def faults_of(
    settings: CampusSettings, before: Campus, *, languages: tuple[str, ...]
) -> dict[str, InvalidInput]:
    """What is wrong with each setting, by its name; nothing where all may be kept."""
    found: dict[str, InvalidInput] = {}
    for name, most in _LONGEST.items():
        if len(getattr(settings, name)) > most:
            found[name] = InvalidInput(N_("C’est trop long : {most} signes au plus."), most=most)
    if not settings.name:
        found["name"] = InvalidInput(N_("Le campus a un nom."))
    if not settings.short_name:
        found["short_name"] = InvalidInput(N_("Le campus a un nom court, par exemple « ITIP »."))
    if settings.contact_email and not is_address(normal_address(settings.contact_email)):
        found["contact_email"] = InvalidInput(
            N_("Cette adresse n’est pas complète. Exemple : prenom.nom@lycee.fr")
        )
    if settings.linkedin_id and not re.fullmatch(r"[0-9]{1,20}", settings.linkedin_id):
        found["linkedin_id"] = InvalidInput(
            N_("C’est un nombre, par exemple 1234567. Il est dans l’adresse d’administration de votre page.")
        )
    if settings.language not in languages:
        found["language"] = InvalidInput(N_("Ce service ne parle pas encore cette langue."))
    if settings.time_zone not in (*ZONES, before.time_zone):
        found["time_zone"] = InvalidInput(N_("Choisissez l’heure dans la liste."))
    if not (0 <= settings.hue < 360 and 0 <= settings.liveliness <= MOST_LIVELY):
        found["hue"] = InvalidInput(N_("Choisissez la couleur dans la liste."))
    return found


def take_over(campus: Campus, settings: CampusSettings) -> list[str]:
    """The settings become the campus's; the names of those that changed."""
    changed = []
    for each in fields(settings):
        value = getattr(settings, each.name)
        if getattr(campus, each.name) != value:
            setattr(campus, each.name, value)
            changed.append(each.name)
    return changed
