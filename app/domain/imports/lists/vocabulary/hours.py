"""Hours as lists and people write them: « 7 h 30 », « 7,5 », « 118 min »."""

from __future__ import annotations

import re
from typing import Final

from app.domain.imports.lists.vocabulary.names import fold
from app.language import N_

HOURS = re.compile(
    r"(?<![\w.,])\d{1,3}(?:[.,]\d{1,2})?\s?(?:h(?:eures?)?\s?\d{0,2}|min(?:ute)?s?)(?![\w])", re.IGNORECASE
)


HOURS_UNREADABLE: Final = N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5.")
HOURS_OUT_OF_RANGE: Final = N_("Le nombre d’heures est compris entre 0 et 10 000.")


def hours_in(cell: str) -> tuple[float | None, bool]:
    """Hours as French people and meeting programs write them, and whether the cell could be read."""
    text = re.sub(r"\s+", "", cell.strip().lower())
    if not text or text in ("-", "—", "–", "/"):
        return None, True
    if found := re.fullmatch(
        r"(\d{1,5})(?:[.,](\d{1,2}))?(?:h(?:eures?|rs?)?(\d{1,2})?(?:m(?:in|n)?)?)?", text
    ):
        whole, decimals, minutes = found.groups()
        return float(f"{whole}.{decimals or 0}") + int(minutes or 0) / 60, True
    if found := re.fullmatch(r"(\d{1,3}):(\d{2})(?::\d{2})?", text):
        return int(found[1]) + int(found[2]) / 60, True
    spans = re.fullmatch(r"(?:(\d{1,3})h(?:ours?|eures?|rs?)?)?,?(?:(\d{1,4})m(?:in(?:ute)?s?|n)?)?,?(?:(\d{1,5})s(?:ec(?:ondes?)?)?)?\.?", text)  # fmt: skip
    if spans and any(spans.groups()):
        hours, minutes, seconds = (int(part or 0) for part in spans.groups())
        return round(hours + minutes / 60 + seconds / 3600, 2), True
    return None, False


_STATED = re.compile(
    r"(?:(?:nombre|nb|total)(?: total)? d['’ ]?heures?|heures?|volume horaire|dur[ée]e(?: totale)?(?=[^:]*:\s*[\d.,]+\s*h))"
    r"(?: (?:de|par) (?:la |l['’])?(?:formation|atelier|stage|session|module|stagiaire|personne))?\s*:\s*([\d.,]+\s*(?:h(?:eures?)?\s?(?:\d\d)?)?)",
    re.IGNORECASE,
)


def stated_hours(text: str) -> float | None:
    """« Heures : 14 », « Durée : 7 h 00 » above the people who have them."""
    found = _STATED.fullmatch(text.strip(' ;,|\t"'))
    return hours_in(found[1])[0] if found else None


_UNITS = {
    "min": frozenset(("min", "mn", "minute", "minutes", "mins")),
    "s": frozenset(("s", "sec", "secs", "seconde", "secondes", "seconds")),
}
_OF_HOURS = frozenset(("h", "heure", "heures", "hour", "hours"))


def with_unit(cell: str, heading: str) -> str:
    """« 118 » under « Durée (minutes) » is 118 min."""
    words = set(fold(heading).split())
    if words & _OF_HOURS or not (number := re.fullmatch(r"(\d{1,5})(?:[.,]\d{1,3})?", cell.strip())):
        return cell
    unit = next((unit for unit, names in _UNITS.items() if words & names), "")
    return f"{number[1]} {unit}" if unit else cell


DURATIONS = frozenset(("duree", "durees", "temps", "duration", "minutes", "connexion"))


def may_be_minutes(cell: str, heading: str) -> bool:
    """« 118 » under « Durée »: more than a day, and no unit."""
    words = set(fold(heading).split())
    return bool(words & DURATIONS) and not words & _OF_HOURS and cell.strip().isdecimal() and int(cell) > 24


_MANY_HOURS = 100


def is_much(hours: float, limit: float | None, typical: float, count: int) -> bool:
    """Whether a person has more hours than the activity, or far more than the `count` others have as a rule."""
    if limit:
        return hours > limit
    if hours > _MANY_HOURS:
        return count < 3 or hours > 1.5 * typical
    return count >= 3 and hours > 24 and hours > 3 * typical


def hours_fault(cell: str, *, most: float = 10_000, out_of_range: str = HOURS_OUT_OF_RANGE) -> str:
    """The sentence about hours that cannot be stored, or nothing; a number too large is not « unreadable »."""
    hours, readable = hours_in(cell)
    if readable:
        return "" if hours is None or 0 < hours <= most else out_of_range
    is_number = re.fullmatch(r"[-–−+]?[\d\s.,]*\d\s*(?:h(?:eures?|rs?)?)?", cell.strip().lower())
    return out_of_range if is_number else HOURS_UNREADABLE
