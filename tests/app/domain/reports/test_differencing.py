"""An attack on small counts of a network: every page ever shown is saved, and the sums are solved for one cell."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.activities import ActivityKind
from app.domain.campus.places import DEPARTEMENTS
from app.domain.reports.ledger import ActivityRow, Period
from app.domain.reports.network import countable, hides_places, people_by, people_figures, rows_of

CAMPUSES = tuple(uuid.UUID(int=number) for number in (1, 2, 3))
PERIODS = (Period.civil(2025), Period.school(2025), Period.civil(2026), Period.school(2026))
NETWORKS = tuple(map(frozenset, (CAMPUSES, CAMPUSES[:2], CAMPUSES[::2], CAMPUSES[1:])))
PLACES = ("21", "25", "71")
Vector = tuple[Fraction, ...]


def row(month: int, campuses: Iterable[int], people: int, place: str = "21", days: int = 1) -> ActivityRow:
    """`month`: since January 2025."""
    first = date(2025 + month // 12, month % 12 + 1, 9)
    return ActivityRow(
        uuid.uuid4(), "Forum", ActivityKind.EVENT, first, first + timedelta(days=days - 1), people,
        departement=place, campuses=tuple(CAMPUSES[each] for each in campuses),
    )  # fmt: skip


def month_ends(first: date, last: date) -> Iterator[date]:
    while first <= last:
        first = (first.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield first - timedelta(days=1)


def pages(rows: list[ActivityRow]) -> Iterator[tuple[list[ActivityRow], int]]:
    """Each number of people shown on any page of any month: the activities it sums (twice where co-organised)."""
    for network, period in product(NETWORKS, PERIODS):
        for day in month_ends(period.first, period.last):
            now = period.until(day)
            there = [
                each
                for each in rows
                if now.overlaps(each.starts_on, each.ends_on) and network.intersection(each.campuses)
            ]
            may = countable(there, now)
            if may.last is None:
                continue
            assert {each.id for each in may.rows} <= {each.id for each in there}
            figures = people_figures(may.rows, dict.fromkeys(network, 0), 0, left_out=may.campuses)
            people = figures[0]
            for campus in network:
                if (count := people.by_campus[campus]) is not None:
                    yield rows_of(may.rows, campus), count
            if people.total is not None:
                yield [one for each in network for one in rows_of(may.rows, each)], people.total
            if people.network is not None:
                yield list(may.rows), people.network
            if not may.hides_places and not hides_places(figures):
                for name, shown in people_by(may.rows, DEPARTEMENTS).items():
                    if shown is not None:
                        yield [one for one in may.rows if DEPARTEMENTS[one.departement] == name], shown


def solved(equations: list[Vector], target: Vector) -> bool:
    """Whether the target is a combination of the equations."""
    basis: list[tuple[int, Vector]] = []

    def reduced(vector: Vector) -> Vector:
        for lead, each in basis:
            if vector[lead]:
                factor = vector[lead] / each[lead]
                vector = tuple(one - factor * other for one, other in zip(vector, each, strict=True))
        return vector

    for equation in equations:
        rest = reduced(equation)
        lead = next((place for place, one in enumerate(rest) if one), None)
        if lead is not None:
            basis.append((lead, rest))
    return not any(reduced(target))


def rebuilt(rows: list[ActivityRow]) -> list[tuple[str, int]]:
    """Counts from 1 to 4 of a campus, a département or the network in one month that the attacker finds."""
    places = {each.id: number for number, each in enumerate(rows)}

    def vector(some: Iterable[ActivityRow]) -> Vector:
        found = [Fraction(0)] * len(rows)
        for each in some:
            found[places[each.id]] += 1
        return tuple(found)

    equations = []
    for summed, count in pages(rows):
        assert count == sum(each.people for each in summed)
        equations += [vector([each]) for each in summed] if count == 0 else [vector(summed)]
    found = []
    for month in range(24):
        here = [
            each for each in rows if (each.starts_on.year - 2025) * 12 + each.starts_on.month - 1 == month
        ]
        cells = {f"campus {each}": rows_of(here, each) for each in CAMPUSES}
        cells |= {place: [each for each in here if each.departement == place] for place in PLACES}
        cells["network"] = here
        for name, some in cells.items():
            small = sum(each.people for each in some)
            if 0 < small < 5 and solved(equations, vector(some)):
                found.append((f"{name}, month {month}", small))
    return found


ROWS = st.lists(
    st.builds(
        row,
        st.integers(0, 23),
        st.sets(st.integers(0, 2), min_size=1, max_size=2),
        st.integers(0, 9) | st.integers(5, 60),
        st.sampled_from(PLACES),
        st.sampled_from((1, 1, 1, 40)),
    ),
    max_size=9,
)


@given(ROWS)
@settings(max_examples=60)
def test_no_small_count_is_rebuilt_from_all_pages_of_all_months(rows: list[ActivityRow]) -> None:
    assert rebuilt(rows) == []


def test_a_month_with_one_small_action_waits_for_more() -> None:
    rows = [row(0, [0], 30), row(0, [1], 30), row(1, [0], 3)]
    january, february, march = (
        Period.civil(2025).until(date(2025, month, day)) for month, day in ((1, 31), (2, 28), (3, 31))
    )
    assert countable(rows[:2], january).last == date(2025, 1, 31)
    assert countable(rows, february).last == date(2025, 1, 31)
    found = countable([*rows, row(2, [0], 8)], march)
    assert (found.last, len(found.rows)) == (date(2025, 3, 31), 4)


def test_civil_and_school_years_share_their_blocks() -> None:
    rows = [
        row(5, [0], 20),
        row(5, [1], 20),
        row(9, [0], 20),
        row(9, [1], 20),
        row(11, [2], 2),
        row(11, [0], 9),
    ]
    assert rebuilt(rows) == []
    civil, school = countable(rows, Period.civil(2025)), countable(rows[2:], Period.school(2025))
    assert (len(civil.rows), len(school.rows)) == (5, 3), "all but the small one"
    assert civil.campuses == school.campuses == {CAMPUSES[2]}
    assert civil.last == date(2025, 11, 30)
    people = people_figures(civil.rows, dict.fromkeys(CAMPUSES, 0), 0, left_out=civil.campuses)[0]
    assert (people.by_campus[CAMPUSES[2]], people.total) == (None, 89), "0 would be false"


def test_a_campus_is_counted_alike_in_each_of_its_networks() -> None:
    """Whatever the other campuses did: the difference of two pages of one day would tell."""
    rows = [
        row(0, [0], 30), row(0, [1], 30), row(0, [2], 30), row(1, [0], 6), row(2, [0], 2),
        row(1, [1], 3), row(2, [1], 9), row(1, [2], 9),
    ]  # fmt: skip
    assert rebuilt(rows) == []
    march = Period.civil(2025).until(date(2025, 3, 31))
    for network in NETWORKS[:3]:
        there = [each for each in rows if network.intersection(each.campuses)]
        assert sum(each.people for each in rows_of(countable(there, march).rows, CAMPUSES[0])) == 36


def test_the_attack_finds_what_a_rule_by_page_alone_gives_away() -> None:
    """Without blocks, two pages differ by the month between them: the attack is worth its name."""
    rows = [row(0, [0], 30), row(1, [0], 3)]
    equations = [(Fraction(1), Fraction(0)), (Fraction(1), Fraction(1))]
    assert solved(equations, (Fraction(0), Fraction(1)))
    assert rebuilt(rows) == []
