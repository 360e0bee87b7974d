"""The first page and the campuses' colours, over the real services."""

from __future__ import annotations

from tests.support.house import House


def test_the_first_page_leads_to_every_campus_in_its_colours(house: House):
    client = house.client()
    page = client.get("/")
    assert page.status_code == 200
    for campus in (house.campus, house.other_campus):
        assert f'<li data-campus="{campus.slug}"><a href="/campus/{campus.slug}"' in page.text
    styles = client.get("/couleurs/tous.css")
    assert styles.headers["content-type"].startswith("text/css")
    assert '[data-campus="itip"]{--accent:#' in styles.text
    assert '[data-campus="agt"]{--accent:#' in styles.text


def test_a_campus_has_its_own_stylesheet_and_nobody_else_s(house: House):
    styles = house.client().get("/couleurs/itip.css").text
    assert '[data-campus="itip"]' in styles
    assert "agt" not in styles


def test_a_campus_that_is_not_there_has_no_colours(house: House):
    assert house.client().get("/couleurs/lune.css").status_code == 404


def test_a_visitor_is_shown_the_door(house: House):
    page = house.client().get("/").text
    assert "Espace campus" in page
    assert "Se déconnecter" not in page


def test_staff_are_shown_their_desk(house: House):
    page = house.client(house.trainer).get("/")
    assert "Gérer" in page.text
    assert "Vous êtes Anaïs Le Goff." in page.text
    assert page.headers["cache-control"] == "no-store"


def test_an_error_page_still_knows_who_is_reading(house: House):
    assert "Vous êtes Anaïs Le Goff." in house.client(house.trainer).get("/nulle-part").text


def test_a_cookie_nobody_gave_is_nobody(house: House):
    client = house.client()
    client.cookies.set("sid", "made-up")
    assert "Espace campus" in client.get("/").text
