"""Figures of a network: duplicates are subtracted once, and small cells cannot be rebuilt."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import ActivityKind
from app.domain.campus.places import DEPARTEMENTS
from app.domain.reports.ledger import ActivityRow
from app.domain.reports.network import (
    ACADEMY_OF,
    action_figures,
    by_academy,
    figure,
    hides_places,
    people_by,
    people_figures,
)

ONE, TWO, THREE = (uuid.UUID(int=number) for number in (1, 2, 3))
DAY = date(2026, 3, 9)


def row(*campuses: uuid.UUID, size: int = 0, departement: str = "") -> ActivityRow:
    return ActivityRow(
        uuid.uuid4(), "Forum", ActivityKind.EVENT, DAY, DAY, size, departement=departement, campuses=campuses
    )


def test_an_action_of_two_campuses_counts_once_in_the_network() -> None:
    (actions,) = action_figures([row(ONE), row(ONE, TWO), row(TWO, THREE), row(THREE)], [ONE, TWO, THREE])
    assert (actions.total, actions.duplicates, actions.network) == (6, 2, 4)
    assert actions.by_campus == {ONE: 2, TWO: 2, THREE: 2}


@given(st.lists(st.integers(0, 30), min_size=1, max_size=6), st.integers(0, 8))
def test_no_hidden_cell_follows_from_the_shown_ones(counts: list[int], duplicates: int) -> None:
    by_campus = {uuid.UUID(int=number + 1): count for number, count in enumerate(counts)}
    total = sum(counts)
    shown = figure("Personnes", by_campus, max(0, total - duplicates), of_people=True)
    hidden = [each for each, count in shown.by_campus.items() if count is None]
    assert all(count is None or count == 0 or count >= 5 for count in shown.by_campus.values())
    if shown.total is not None:
        assert len(hidden) != 1
        assert not 0 < sum(by_campus[each] for each in hidden) < 5
    if shown.network is not None:
        assert not 0 < (shown.duplicates or 0) < 5


@given(st.lists(st.tuples(st.sampled_from(["21", "25", "71", "75", ""]), st.integers(0, 30)), max_size=8))
def test_an_academy_with_a_hidden_departement_is_hidden(sizes: list[tuple[str, int]]) -> None:
    rows = [row(ONE, size=size, departement=code) for code, size in sizes]
    places = people_by(rows, DEPARTEMENTS)
    academies = by_academy(places, DEPARTEMENTS)
    for name, count in places.items():
        code = next((code for code, each in DEPARTEMENTS.items() if each == name), "")
        if count is None:
            assert academies[ACADEMY_OF.get(code, "")] is None
    shown = [count for count in academies.values() if count is not None]
    assert all(count == 0 or count >= 5 for count in shown)


def test_each_departement_of_metropolitan_france_has_an_academy() -> None:
    assert len(ACADEMY_OF) == len(set(ACADEMY_OF)) >= 96
    assert {"2A", "21", "25", "71", "974"} <= set(ACADEMY_OF) <= set(DEPARTEMENTS)


def test_hours_and_places_do_not_give_hidden_participants_back() -> None:
    few, many = row(ONE, size=3), row(TWO, size=40)
    rows = [replace(few, hours=6.0), replace(many, hours=80.0), replace(row(THREE, size=9), hours=9.0)]
    participants, _, hours = people_figures(rows, {ONE: 5, TWO: 40, THREE: 9}, 54)
    assert [participants.by_campus[each] for each in (ONE, TWO, THREE)] == [None, 40, None]
    assert [hours.by_campus[each] for each in (ONE, TWO, THREE)] == [None, 80, None]
    assert hides_places([participants])
    assert not hides_places(people_figures([many], {TWO: 40}, 40))
    shared = [row(ONE, TWO, size=3), row(ONE, size=30), row(TWO, size=30)]
    assert hides_places(people_figures(shared, {ONE: 30, TWO: 30}, 60)), "the sum of places is the network"
