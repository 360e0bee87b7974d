"""The navigation of a campus stands on each of its pages, and offers nothing that a role may not open."""

from __future__ import annotations

import re

import pytest

from app.domain.people import Role
from tests.support.house import House
from tests.web.campus.test_desk_of_each_role import competency_request, hired

__all__ = ["competency_request"]
_FIRST = ["", "/activites", "/badges", "/competences", "/repertoire"]
EVERYONE = [*_FIRST, "/rapport"]
PARTS = {
    Role.CAMPUS_ADMIN: [*_FIRST, "/demandes", "/rapport", "/historique", "/reglages"],
    Role.TRAINER: EVERYONE,
    Role.DESIGNER: EVERYONE,
    Role.REVIEWER: [*_FIRST, "/demandes", "/rapport"],
    Role.AUDITOR: [*EVERYONE, "/historique"],
    Role.DPO: [*EVERYONE, "/donnees"],
}
_MENUS = re.compile(
    r'<nav (?:class="campus-parts" )?aria-label="(?:Campus|Campus, menu)">.*?</nav>', re.DOTALL
)


def menus(page: str) -> list[list[str]]:
    return [re.findall(r'href="/gestion/itip([^"]*)"', menu) for menu in _MENUS.findall(page)]


@pytest.mark.parametrize("role", list(Role))
def test_menu_holds_the_parts_of_the_role_on_each_of_them(house: House, role: Role) -> None:
    client = house.client(hired(house, role))
    for path in PARTS[role]:
        answer = client.get(f"/gestion/itip{path}")
        assert (answer.status_code, menus(answer.text)) == (200, [PARTS[role], PARTS[role]]), path
        here = f'<a href="/gestion/itip{path}" aria-current="page">'
        assert answer.text.count(here) == 2, path


def test_pages_below_a_part_and_refused_addresses_have_the_menu(house: House) -> None:
    client = house.client(hired(house, Role.TRAINER))
    below = client.get(f"/gestion/itip/activites/{house.activity.id}/attribuer").text
    assert below.count('<a href="/gestion/itip/activites" aria-current="page">') == 2
    designs = house.client(hired(house, Role.DESIGNER)).get("/gestion/itip/modules").text
    assert designs.count('<a href="/gestion/itip/competences" aria-current="page">') == 2
    pictures = house.client(house.admin).get("/gestion/itip/images").text
    assert pictures.count('<a href="/gestion/itip/reglages" aria-current="page">') == 2
    missing = client.get("/gestion/itip/historique?avant=0")
    assert (missing.status_code, menus(missing.text)) == (403, [EVERYONE, EVERYONE])


def test_menu_finds_people_without_a_script(house: House) -> None:
    house.award("Zoé Martin;zoe@exemple.fr")
    client = house.client(hired(house, Role.TRAINER))
    page = client.get("/gestion/itip/badges").text
    form = re.search(r'action="(/gestion/itip/recherche)".*?name="([^"]+)" value="([^"]+)"', page, re.DOTALL)
    assert form is not None
    sent = client.post(form[1], data={form[2]: form[3], "mots": "zoé"})
    found = client.get(sent.headers["location"])
    assert "Zoé Martin" in found.text


def test_requests_stand_with_their_number(house: House, competency_request) -> None:
    reviewer = house.client(hired(house, Role.REVIEWER, name="Nadia"))
    assert re.findall(r'class="count">(\d+)', reviewer.get("/gestion/itip/badges").text) == ["1", "1"]


def test_public_pages_carry_neither_menu_nor_its_styles(house: House) -> None:
    page = house.client(hired(house, Role.TRAINER)).get("/verifier").text
    assert menus(page) == []
    assert "workspace" not in page
