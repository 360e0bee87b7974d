"""The map of campuses: pins inside the drawing, one for each department, and no map without departments."""

from __future__ import annotations

import re

from app.domain.campus.campus import Campus
from app.domain.campus.places import DEPARTMENTS, REGIONS, region_of
from app.http.pages.maps import HEIGHT, LARGEST_DISC, WIDTH, map_of, map_of_counts
from tests.support.app import NOON


def campus(slug: str, department: str) -> Campus:
    return Campus(
        slug=slug, short_name=slug.upper(), name=slug, did="", department=department, created_at=NOON
    )


def test_every_department_is_in_a_region_and_on_the_map():
    assert len(DEPARTMENTS) == 101
    assert {each.region for each in DEPARTMENTS.values()} == set(REGIONS)
    shown = map_of([campus(f"c{code.lower()}", code) for code in DEPARTMENTS])
    assert shown
    assert len(shown.pins) == 101
    assert all(0 < pin.x < WIDTH and 0 < pin.y < HEIGHT for pin in shown.pins)


def test_campuses_of_one_department_share_a_pin():
    shown = map_of([campus("itip", "71"), campus("fb", "71"), campus("ti", "21"), campus("x", "")])
    assert shown
    assert [(pin.place, pin.count) for pin in shown.pins] == [("Côte-d’Or", 1), ("Saône-et-Loire", 2)]


def test_a_closer_map_names_campuses_if_no_name_covers_another_pin():
    shown = map_of(
        [campus("ae", "70"), campus("amf", "90"), campus("itip", "71"), campus("fb", "71")], closer=True
    )
    assert shown
    pins = {pin.label: pin for pin in shown.pins}
    assert set(pins) == {"AE", "AMF", "ITIP, FB"}
    assert pins["AE"].is_on_left
    assert not pins["ITIP, FB"].is_on_left
    whole = map_of([campus("ae", "70"), campus("amf", "90")])
    assert whole
    apart = [abs(each.pins[0].x - each.pins[1].x) for each in (whole, shown)]
    assert apart[1] > 2 * apart[0]
    assert all(0 < pin.x < WIDTH and 0 < pin.y < HEIGHT for pin in shown.pins)


def test_a_campus_overseas_prevents_a_closer_map():
    shown = map_of([campus("itip", "71"), campus("run", "974")], closer=True)
    assert shown == map_of([campus("itip", "71"), campus("run", "974")])


def test_without_a_department_there_is_no_map():
    assert map_of([campus("x", ""), campus("y", "99")]) is None
    assert region_of("99") == ""


def test_the_outline_stays_in_the_drawing():
    shown = map_of([campus("itip", "71")])
    assert shown
    numbers = [float(each) for each in re.findall(r"-?\d+", shown.land + shown.rivers)]
    assert all(0 <= number <= max(WIDTH, HEIGHT) for number in numbers)


def test_discs_of_a_region_fill_the_map_and_their_area_is_the_number():
    shown = map_of_counts({"71": 400, "21": 100, "89": 25, "90": None, "974": 30})
    assert shown is not None
    discs = {each.place: each for each in shown.discs}
    assert set(discs) == {"Saône-et-Loire", "Côte-d’Or", "Yonne", "Territoire de Belfort"}
    assert [discs[name].radius for name in ("Saône-et-Loire", "Côte-d’Or", "Yonne")] == [
        LARGEST_DISC,
        LARGEST_DISC / 2,
        LARGEST_DISC / 4,
    ]
    assert all(0 < each.x < WIDTH and 0 < each.y < HEIGHT for each in shown.discs)
    assert max(each.x for each in shown.discs) - min(each.x for each in shown.discs) > WIDTH / 2
    assert discs["Territoire de Belfort"].count is None
    assert discs["Territoire de Belfort"].is_on_left


def test_a_single_department_is_shown_in_the_whole_country():
    """Enlarged five times, only three rivers were visible around it."""
    shown, whole = map_of_counts({"71": 201}), map_of_counts(dict.fromkeys(DEPARTMENTS, 10))
    assert shown is not None
    assert whole is not None
    assert (shown.land, shown.rivers) == (whole.land, whole.rivers)


def test_a_map_of_the_whole_country_is_not_moved_and_names_do_not_cover_each_other():
    every = dict.fromkeys(DEPARTMENTS, 10)
    shown = map_of_counts(every)
    assert shown is not None
    pins = map_of([campus("x", "71")])
    assert pins is not None
    (there,) = [each for each in shown.discs if each.place == "Saône-et-Loire"]
    assert (there.x, there.y) == (pins.pins[0].x, pins.pins[0].y)
    named = [each for each in shown.discs if each.is_named]
    assert 0 < len(named) < len(shown.discs)
    assert map_of_counts({}) is None
    assert map_of_counts({"974": 12}) is None
