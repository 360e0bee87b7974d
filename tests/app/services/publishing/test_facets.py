"""Facets of the catalogue are counted with bit sets: the same counts as reading every entry, updated after changes."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from dataclasses import replace

from app.db.publishing.catalogue import Facts
from app.domain.publishing.catalogue import AUDIENCES, CatalogueQuery, EntryKind
from app.services.publishing.facets import CampusFacets, CatalogueFacets, count
from tests.support.running.every import for_each

CAMPUSES = [uuid.UUID(int=number) for number in (1, 2, 3)]
CHOICES = {
    "campuses": CAMPUSES,
    "badge_kinds": ["participation", "engagement"],
    "levels": [1, 2, 3],
    "places": ["Dole", "Sens"],
    "audiences": ["lyceens", "etudiants"],
    "competencies": ["a", "b", "c"],
}
COLUMNS = dict(
    zip(CHOICES, ("campus_id", "badge_kind", "level", "place", "audiences", "competencies"), strict=True)
)


def entries(chosen: random.Random) -> list[Facts]:
    def several(values: list[str]) -> str:
        taken = chosen.sample(values, chosen.randrange(3))
        return f" {' '.join(taken)} " if taken else ""

    return [
        Facts(
            chosen.choice((EntryKind.BADGE, EntryKind.BADGE, EntryKind.ACTIVITY)),
            chosen.choice(CAMPUSES),
            chosen.choice(("", "participation", "engagement")),
            chosen.choice((None, 1, 2, 3)),
            chosen.choice(("", "Dole", "Sens")),
            several([*AUDIENCES]),
            several(["a", "b", "c"]),
            number,
        )
        for number in range(1, chosen.randrange(2, 60))
    ]


def has_one(each: Facts, name: str, values: object) -> bool:
    value = getattr(each, COLUMNS[name])
    held = value.split() if isinstance(value, str) and name in ("audiences", "competencies") else [value]
    return not set(values).isdisjoint(held)


def by_campus(facts: list[Facts]) -> dict[uuid.UUID, CampusFacets]:
    return {each: CampusFacets.of(1, [one for one in facts if one.campus_id == each]) for each in CAMPUSES}


@for_each("seed", range(150))
def test_counts_are_those_of_reading_every_entry(seed: int) -> None:
    chosen = random.Random(seed)
    facts = entries(chosen)
    asked = {
        name: chosen.sample(values, chosen.randrange(1, 3))
        for name, values in CHOICES.items()
        if chosen.random() < 0.4
    }
    found = count(CatalogueQuery(kinds=(EntryKind.BADGE,), **asked), by_campus(facts))
    badges = [each for each in facts if each.kind is EntryKind.BADGE]
    left = [each for each in badges if all(has_one(each, name, values) for name, values in asked.items())]
    assert (found.total, sorted(found.numbers())) == (len(left), [each.number for each in left])
    for name, values in CHOICES.items():
        beside = [
            each
            for each in badges
            if all(has_one(each, other, asked[other]) for other in asked if other != name)
        ]
        expected = {value: sum(has_one(each, name, [value]) for each in beside) for value in values}
        got = found.facets[COLUMNS[name]]
        assert {value: got.get(value, 0) for value in values} == expected, name


@for_each("seed", range(150))
def test_counts_among_matches_are_those_of_the_matches_alone(seed: int) -> None:
    """Also with a match not known yet; links to other kinds filter by text only."""
    chosen = random.Random(seed)
    facts = entries(chosen)
    asked = {
        name: chosen.sample(values, chosen.randrange(1, 3))
        for name, values in CHOICES.items()
        if chosen.random() < 0.4
    }
    matching = chosen.sample(facts, chosen.randrange(len(facts) + 1))
    matches: dict[uuid.UUID, list[int]] = {uuid.UUID(int=9): [7]}
    for each in matching:
        matches.setdefault(each.campus_id, [10_000]).append(each.number)
    query = CatalogueQuery(kinds=(EntryKind.BADGE,), **asked)
    found, alone = (
        count(query, by_campus(facts), matches),
        count(query, by_campus(sorted(matching, key=lambda each: each.number))),
    )
    assert (found.total, sorted(found.numbers())) == (alone.total, sorted(alone.numbers()))
    assert {**found.facets, "kind": 0} == {**alone.facets, "kind": 0}
    assert found.facets["kind"] == Counter(each.kind for each in matching)


def test_only_campuses_that_changed_are_read_again() -> None:
    facts = entries(random.Random(5))
    read: list[set[uuid.UUID]] = []

    def of(campuses: object) -> dict[uuid.UUID, list[Facts]]:
        read.append(set(campuses))
        return {each: [one for one in facts if one.campus_id == each] for each in campuses}

    facets, versions = CatalogueFacets(), dict.fromkeys(CAMPUSES, 1)
    before = facets.of(versions, of)
    assert facets.of(versions, of) is before
    facts[0] = facts[0]._replace(kind=EntryKind.BADGE, place="Dole", campus_id=CAMPUSES[0])
    after = facets.of({**versions, CAMPUSES[0]: 2}, of)
    assert read == [set(CAMPUSES), {CAMPUSES[0]}]
    assert after[CAMPUSES[1]] is before[CAMPUSES[1]]
    query = CatalogueQuery(kinds=(EntryKind.BADGE,), places=["Dole"], campuses=[CAMPUSES[0]])
    assert 1 in count(query, after).numbers()
    assert facets.of({CAMPUSES[1]: 1}, of).keys() == {CAMPUSES[1]}
    assert count(replace(query, campuses=[]), {}).total == 0
