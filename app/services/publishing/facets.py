"""How many catalogue entries each value of each facet has beside the other facets: one bit an entry."""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import and_, or_
from typing import Any, Final

from app.db.publishing.catalogue import Facts
from app.domain.publishing.catalogue import CatalogueQuery

_LISTS: Final = ("audiences", "competencies")
"""Facets with several values an entry, between spaces."""
_FEW: Final = 8
_COUNTED: Final = ("kind", "badge_kind", "level", "place", *_LISTS)


@dataclass(frozen=True)
class CampusFacets:
    """The entries of one campus, by number; `bits` has those with each value of each facet."""

    version: int
    numbers: Sequence[int]
    bits: Mapping[str, Mapping[Any, int]]

    @classmethod
    def of(cls, version: int, facts: Sequence[Facts]) -> CampusFacets:
        bits: dict[str, Mapping[Any, int]] = {}
        for name in _COUNTED:
            place_of = Facts._fields.index(name)
            written: defaultdict[Any, list[int]] = defaultdict(list)
            for place, each in enumerate(facts):
                written[each[place_of]].append(place)
            found: defaultdict[Any, int] = defaultdict(int)
            for value, places in written.items():
                for one in value.split() if name in _LISTS else (value,):
                    found[one] |= _bits(places)
            bits[name] = {value: has for value, has in found.items() if value}
        return cls(version, [each.number for each in facts], bits)

    @property
    def every(self) -> int:
        return (1 << len(self.numbers)) - 1

    def bits_of(self, numbers: Iterable[int]) -> int:
        """Of those that are known here."""
        size = len(self.numbers)
        places = [(bisect_left(self.numbers, number), number) for number in sorted(numbers)]
        return _bits([at for at, number in places if at < size and self.numbers[at] == number])

    def with_any(self, name: str, values: Collection[Any]) -> int:
        known = self.bits[name]
        return reduce(or_, (known.get(value, 0) for value in values), 0)


@dataclass(frozen=True)
class Counted:
    """The total; for each facet, how many entries each value has beside the other facets; which entries are left."""

    total: int
    facets: Mapping[str, Mapping[Any, int]]
    left: Sequence[tuple[CampusFacets, int]]

    def numbers(self) -> Iterator[int]:
        for campus, bits in self.left:
            while bits:
                lowest = bits & -bits
                yield campus.numbers[lowest.bit_length() - 1]
                bits ^= lowest


@dataclass(eq=False)
class CatalogueFacets:
    """Of every campus, read again where they changed; for all requests of a process."""

    known: Mapping[uuid.UUID, CampusFacets] = field(default_factory=dict)

    def of(
        self,
        versions: Mapping[uuid.UUID, int],
        read: Callable[[Collection[uuid.UUID]], Mapping[uuid.UUID, Sequence[Facts]]],
    ) -> Mapping[uuid.UUID, CampusFacets]:
        known = self.known
        changed = {
            campus_id: version
            for campus_id, version in versions.items()
            if campus_id not in known or known[campus_id].version != version
        }
        if changed or known.keys() != versions.keys():
            facts = read(changed.keys()) if changed else {}
            new = {
                campus_id: CampusFacets.of(version, facts.get(campus_id, ()))
                for campus_id, version in changed.items()
            }
            # Replaced as a whole: other threads go on with the one they have.
            known = self.known = {each: new.get(each) or known[each] for each in versions}
        return known


def _bits(places: Sequence[int]) -> int:
    if len(places) < _FEW:
        return sum(1 << place for place in places)
    has = bytearray(places[-1] // 8 + 1)
    for place in places:
        has[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(has, "little")


def count(
    query: CatalogueQuery,
    campuses: Mapping[uuid.UUID, CampusFacets],
    matches: Mapping[uuid.UUID, Sequence[int]] | None = None,
) -> Counted:
    """`matches`: the numbers that a text finds, by campus; links to another kind then have the text alone."""
    chosen = _chosen(query)
    total, left = 0, []
    facets: dict[str, defaultdict[Any, int]] = {name: defaultdict(int) for name in (*_COUNTED, "campus_id")}
    for campus_id, campus in campuses.items() if matches is None else _matched(campuses, matches):
        found = campus.every if matches is None else campus.bits_of(matches[campus_id])
        kept = {name: campus.with_any(name, values) for name, values in chosen.items()}
        every = reduce(and_, kept.values(), found)
        if every:
            facets["campus_id"][campus_id] = every.bit_count()
        is_wanted = not query.campuses or campus_id in query.campuses
        if every and is_wanted:
            total += every.bit_count()
            left.append((campus, every))
        for name, values in campus.bits.items():
            if name == "kind":
                beside = found if matches is not None else every if is_wanted else 0
            elif not is_wanted:
                continue
            elif name in kept:
                beside = reduce(and_, (bits for other, bits in kept.items() if other != name), found)
            else:
                beside = every
            tally = facets[name]
            for value, bits in values.items() if beside else ():
                if shared := (bits & beside).bit_count():
                    tally[value] += shared
    return Counted(total, facets, left)


def _matched(
    campuses: Mapping[uuid.UUID, CampusFacets], matches: Mapping[uuid.UUID, Sequence[int]]
) -> Iterator[tuple[uuid.UUID, CampusFacets]]:
    return ((each, campuses[each]) for each in matches if each in campuses)


def _chosen(query: CatalogueQuery) -> dict[str, Collection[Any]]:
    wanted: dict[str, Collection[Any]] = {
        "kind": query.kinds,
        "badge_kind": query.badge_kinds,
        "level": query.levels,
        "place": query.places,
        "audiences": query.audiences,
        "competencies": query.competencies,
    }
    return {name: values for name, values in wanted.items() if values}
