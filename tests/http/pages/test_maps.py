"""The map of campuses: pins inside the drawing, one for each department, and nothing without one."""

from __future__ import annotations

import re

from app.domain.campus.campus import Campus
from app.domain.campus.places import DEPARTMENTS, REGIONS, region_of
from app.http.pages.maps import HEIGHT, WIDTH, map_of
from tests.support.house import NOON


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


def test_without_a_department_there_is_no_map():
    assert map_of([campus("x", ""), campus("y", "99")]) is None
    assert region_of("99") == ""


def test_the_outline_stays_in_the_drawing():
    shown = map_of([campus("itip", "71")])
    assert shown
    numbers = [float(each) for each in re.findall(r"-?\d+", shown.land + shown.rivers)]
    assert all(0 <= number <= max(WIDTH, HEIGHT) for number in numbers)
