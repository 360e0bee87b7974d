"""One person who works for several campuses changes between them, as something else in each."""

from __future__ import annotations

import html

import pytest

from app.domain.people import Person, Role
from tests.support.house import COMMAND, House


@pytest.fixture
def everywhere(house: House) -> Person:
    """Trains at ITIP, decides on requests at AGT."""
    with house.unit_of_work() as services:
        person, given = house.trainer, services.people.people.addresses_of([house.trainer.id])
        services.people.add_staff(
            house.other_campus,
            given_name=person.given_name,
            family_name=person.family_name,
            address=given[person.id],
            role=Role.REVIEWER,
            by=COMMAND,
        )
    return house.trainer


def test_the_desk_leads_to_the_other_campuses_and_says_what_one_is_here(house: House, everywhere: Person):
    client = house.client(everywhere)
    assert client.get("/gestion").status_code == 200
    desk = html.unescape(client.get("/gestion/itip").text)
    assert '<a href="/gestion?tous=oui">Changer de campus</a>' in desk
    assert 'href="/gestion/agt"' in client.get("/gestion?tous=oui").text
    assert "Votre rôle ici\u00a0: Formation" in desk
    assert "Votre rôle ici\u00a0: Examen des demandes" in html.unescape(client.get("/gestion/agt").text)


def test_a_browser_goes_on_in_the_campus_it_was_in_last(house: House, everywhere: Person):
    client = house.client(everywhere)
    for slug in ("agt", "itip", "agt"):
        client.get(f"/gestion/{slug}")
        assert client.get("/gestion").headers["location"] == f"/gestion/{slug}"
    shown = client.get("/gestion?tous=oui")
    assert ('href="/gestion/itip"' in shown.text, 'href="/gestion/agt"' in shown.text) == (True, True)

    other = house.client(house.admin)
    other.cookies.set("campus", "agt", path="/gestion")
    assert other.get("/gestion").headers["location"] == "/gestion/itip"


def test_who_works_for_one_campus_is_offered_no_change(house: House):
    client = house.client(house.trainer)
    assert client.get("/gestion").headers["location"] == "/gestion/itip"
    assert "Changer de campus" not in client.get("/gestion/itip").text


def test_roles_of_one_campus_open_nothing_in_the_other(house: House, everywhere: Person):
    client = house.client(everywhere)
    assert client.get("/gestion/itip/activites/nouvelle").status_code == 200
    assert client.get("/gestion/agt/activites/nouvelle").status_code == 403
    assert client.get("/gestion/agt/demandes").status_code == 200
    assert client.get("/gestion/itip/demandes").status_code == 403
