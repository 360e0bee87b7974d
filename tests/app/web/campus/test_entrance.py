"""The first page and the campuses' colours, with the real services."""

from __future__ import annotations

from tests.support.app import App


def test_the_first_page_leads_to_every_campus_in_its_colours(app: App):
    client = app.client()
    page = client.get("/")
    assert page.status_code == 200
    for campus in (app.campus, app.other_campus):
        assert f'<li data-campus="{campus.slug}"><a href="/campus/{campus.slug}"' in page.text
    styles = client.get("/couleurs/tous.css")
    assert styles.headers["content-type"].startswith("text/css")
    assert '[data-campus="itip"]{--accent:#' in styles.text
    assert '[data-campus="agt"]{--accent:#' in styles.text


def test_the_stylesheet_of_a_campus_contains_no_other_campus(app: App):
    styles = app.client().get("/couleurs/itip.css").text
    assert '[data-campus="itip"]' in styles
    assert "agt" not in styles


def test_an_unknown_campus_has_no_stylesheet(app: App):
    assert app.client().get("/couleurs/lune.css").status_code == 404


def test_a_visitor_is_offered_the_sign_in_of_staff(app: App):
    page = app.client().get("/").text
    assert "Espace campus" in page
    assert "Se déconnecter" not in page


def test_staff_are_shown_their_desk(app: App):
    page = app.client(app.trainer).get("/")
    assert "Gérer" in page.text
    assert "Vous êtes Anaïs Le Goff." in page.text
    assert page.headers["cache-control"] == "no-store"


def test_an_error_page_still_shows_the_signed_in_reader(app: App):
    assert "Vous êtes Anaïs Le Goff." in app.client(app.trainer).get("/nulle-part").text


def test_an_invented_session_cookie_is_not_a_session(app: App):
    client = app.client()
    client.cookies.set("sid", "made-up")
    assert "Espace campus" in client.get("/").text


# --- the page for recruiters


def test_recruiters_read_what_a_campus_attests_and_how_it_judges(app: App):
    app.award("Zoé N’Diaye; zoe@exemple.fr")
    app.award("Zoé N’Diaye; zoe@exemple.fr", badge=app.role, evidence="Elle a animé l’atelier.")
    page = app.client().get("/campus/itip/atteste").text
    assert f'href="/badges/{app.presence.badge.id}"' in page
    assert f'href="/badges/{app.role.badge.id}"' in page
    assert f'href="/badges/{app.long_haul.badge.id}"' not in page
    assert "Avoir tenu un rôle." in page
    assert "http://localhost:8000/campus/itip</code>" in page
    assert "Clé de signature" in page
    assert 'href="/verifier"' in page
    assert "Diaye" not in page
    assert "/campus/itip/atteste" in app.client().get("/campus/itip").text


def test_a_campus_without_badges_has_the_page_too(app: App):
    assert "encore publié aucun badge" in app.client().get("/campus/agt/atteste").text
    assert app.client().get("/campus/nulle-part/atteste").status_code == 404
