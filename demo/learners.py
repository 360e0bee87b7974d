"""Invented learners: a pure function of a seed and of the lists of names, the same on every machine."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.people import AgeGroup

SEED = "sceau-2026"
DOMAINS = ("courriel.example", "courriel.example", "messagerie.example", "boite.example")
_WITHOUT_DECOMPOSITION = str.maketrans(
    {"đ": "d", "ł": "l", "ı": "i", "œ": "oe", "æ": "ae", "ø": "o", "ß": "ss"}
)
_AGE_GROUPS = {"collegiens": AgeGroup.UNDER_15, "lyceens": AgeGroup.FROM_15}


@dataclass(frozen=True)
class Learner:
    """One invented person; `addresses` may be empty, and siblings may share one."""

    slug: str
    given: str
    family: str
    addresses: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    @property
    def age_group(self) -> AgeGroup:
        return _AGE_GROUPS.get(self.slug.rpartition("-")[0], AgeGroup.ADULT)


def invent(
    cohorts: Mapping[str, int], given: Sequence[str], family: Sequence[str], *, seed: str = SEED
) -> dict[str, tuple[Learner, ...]]:
    """The learners of each cohort, with unique names: `lyceens-001`, `lyceens-002`…"""
    taken: set[str] = set()
    people: dict[str, tuple[Learner, ...]] = {}
    for cohort, count in cohorts.items():
        members: list[Learner] = []
        for number in range(1, count + 1):
            learner = _learner(cohort, number, members, given, family, taken, seed)
            taken.update((learner.name, *learner.addresses))
            members.append(learner)
        people[cohort] = tuple(members)
    return people


def _learner(
    cohort: str,
    number: int,
    members: Sequence[Learner],
    given: Sequence[str],
    family: Sequence[str],
    taken: set[str],
    seed: str,
) -> Learner:
    slug = f"{cohort}-{number:03}"
    sibling = members[-1] if number % 29 == 8 and members[-1].addresses else None
    for attempt in range(1000):
        key = f"{seed}/{slug}/{attempt}"
        first = given[_draw(f"{key}/given", len(given))]
        last = sibling.family if sibling else _family_name(key, family)
        learner = Learner(slug, first, last, _addresses(key, number, first, last, taken, sibling))
        if learner.name not in taken:
            return learner
    raise ValueError(f"the lists of names are too short for {slug}")


def _family_name(key: str, family: Sequence[str]) -> str:
    """One name, or two with a hyphen for about one person in six."""
    first = family[_draw(f"{key}/family", len(family))]
    second = family[_draw(f"{key}/second", len(family))]
    may_be_joined = "-" not in first + second and first != second
    return f"{first}-{second}" if may_be_joined and _draw(f"{key}/double", 6) == 0 else first


def _addresses(
    key: str, number: int, given: str, family: str, taken: set[str], sibling: Learner | None
) -> tuple[str, ...]:
    if sibling:
        return sibling.addresses
    if number % 11 == 5:
        return ()
    local = f"{ascii_letters(given)}.{ascii_letters(family)}"
    domain = DOMAINS[_draw(f"{key}/domain", len(DOMAINS))]
    plain = f"{local}@{domain}"
    return (f"{local}{number}@{domain}" if plain in taken else plain,)


def ascii_letters(name: str) -> str:
    """`Nguyễn-L’Écuyer` becomes `nguyen-lecuyer`: the local part of an address."""
    lowered = unicodedata.normalize("NFKD", name.casefold().translate(_WITHOUT_DECOMPOSITION))
    return "".join(letter for letter in lowered.replace(" ", "-") if letter.isascii() and letter not in "'’")


def _draw(key: str, below: int) -> int:
    """A number from 0 to `below` - 1, derived from the key alone: Python's own generators may change."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:8]) % below
