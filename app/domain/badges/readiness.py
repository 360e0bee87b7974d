"""What a badge still lacks before it may be opened: its kind decides."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.badges.badges import Kind
from app.domain.people.people import name_key
from app.language import N_

LEAST_CRITERIA = {Kind.COMPETENCY: 3}
"""How many lines of criteria a kind asks for; the others ask for one sentence."""
_BULLET = re.compile(r"^\s*([-*+•]|\d+[.)])\s+", re.MULTILINE)
_JUDGED = re.compile(
    r"\n*\*\*\s*(?:Comment c[’']est jugé|How it is judged)\s*\.?\s*\*\*\s*(?P<how>.+)\Z", re.DOTALL
)
_JUDGED_HEAD = {"en": "How it is judged."}
_NEAR = 0.6


@dataclass(frozen=True)
class Lack:
    """One thing to add, and the field it belongs to."""

    field: str
    sentence: str


@dataclass(frozen=True)
class BadgeText:
    """The parts of a badge's wording that readiness is judged on."""

    kind: Kind
    name: str
    description: str
    criteria: str
    judging: str
    competencies: Sequence[tuple[int | None, int]]
    """For each competency attested: the level, and how many levels it has."""


def split_criteria(criteria: str) -> tuple[str, str]:
    """What was to be done, and how it was judged, out of the one text that a version keeps."""
    found = _JUDGED.search(criteria)
    if found is None:
        return criteria.strip(), ""
    return criteria[: found.start()].strip(), found["how"].strip()


def join_criteria(criteria: str, judging: str, language: str = "fr") -> str:
    """The one text that a version keeps; `split_criteria` gives both back."""
    if not judging.strip():
        return criteria.strip()
    head = _JUDGED_HEAD.get(language[:2], "Comment c’est jugé.")
    return f"{criteria.strip()}\n\n**{head}** {judging.strip()}".strip()


def count_criteria(criteria: str) -> int:
    """Bullets where there are bullets, else lines that say something."""
    bullets = len(_BULLET.findall(criteria))
    return bullets or sum(1 for line in criteria.splitlines() if line.strip())


def lacks_of(text: BadgeText) -> list[Lack]:
    """Everything to be added before the badge may be opened, in the order of the form."""
    found = []
    if not text.name.strip():
        found.append(Lack("nom", N_("Donnez un titre au badge.")))
    if not text.description.strip():
        found.append(Lack("description", N_("Dites en deux phrases ce que le badge reconnaît.")))
    least = LEAST_CRITERIA.get(text.kind, 1)
    if len(text.criteria.strip()) < 20:
        found.append(Lack("criteres", N_("Dites ce que la personne a fait : au moins une phrase.")))
    elif count_criteria(text.criteria) < least:
        found.append(Lack("criteres", N_("Un badge de compétence demande trois critères au moins.")))
    if text.kind.is_judged and len(text.judging.strip()) < 10:
        found.append(Lack("jugement", N_("Dites qui juge, et sur quoi : ce badge n’est pas une présence.")))
    if text.kind is Kind.COMPETENCY and not text.competencies:
        found.append(Lack("competences", N_("Un badge de compétence nomme au moins une compétence.")))
    if text.kind is Kind.COMPETENCY and any(levels and level is None for level, levels in text.competencies):
        found.append(Lack("competences", N_("Choisissez le niveau attesté de chaque compétence.")))
    return found


def are_near(one: str, other: str) -> bool:
    """Whether two names say nearly the same, so that somebody looks before there are two such badges."""
    left, right = _telling(one), _telling(other)
    return bool(left and right) and len(left & right) / len(left | right) >= _NEAR


def _telling(name: str) -> set[str]:
    words = name_key(name, "").split()
    return {word.rstrip("sx") for word in words if len(word) > 2 and word not in _COMMON}


_COMMON = frozenset(
    {"les", "des", "une", "aux", "avec", "pour", "dans", "sur", "son", "ses", "the", "and", "for"}
)
