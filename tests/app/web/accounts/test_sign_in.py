"""Signing in: a link works once, opening it with GET consumes nothing, and the pages do not reveal who works here."""

from __future__ import annotations

import re

import pytest

from app.domain.people import Role
from tests.support.app import COMMAND, App, send


def test_opening_a_link_does_not_use_it_up(app: App):
    link, scanner, trainer = app.sign_in_path(app.trainer), app.client(), app.client()

    assert scanner.get(link).status_code == 200
    assert scanner.get("/gestion").status_code == 401

    answer = send(trainer, link)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/gestion"
    assert trainer.get("/gestion").headers["location"] == "/gestion/itip"


def test_a_link_opens_one_session_only(app: App):
    link = app.sign_in_path(app.trainer)
    send(app.client(), link)

    late = app.client()
    answer = late.get(link)

    assert answer.status_code == 401
    assert "déjà servi" in answer.text
    assert "sid" not in late.cookies


def test_a_link_opens_nothing_after_ten_minutes(app: App):
    link = app.sign_in_path(app.trainer)
    app.clock.move(minutes=10)

    answer = app.client().get(link)

    assert answer.status_code == 401
    assert "a expiré" in answer.text


def test_the_session_cookie_is_out_of_reach_of_scripts_and_of_other_sites(app: App):
    cookie = send(app.client(), app.sign_in_path(app.trainer)).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie


def test_asking_for_a_link_gets_the_same_answer_for_every_address(app: App):
    def answer_to(address: str) -> str:
        page = send(app.client(), "/connexion", {"adresse": address})
        assert page.status_code == 200
        return re.sub(r'value="[^"]*"', "", page.text)

    assert answer_to("le.goff@exemple.fr") == answer_to("personne@exemple.fr")


def test_signing_in_leads_back_to_the_requested_page(app: App):
    wanted = f"/gestion/itip/activites/{app.activity.id}"
    client = app.client()

    client.get("/connexion", params={"suite": wanted})

    assert send(client, app.sign_in_path(app.trainer)).headers["location"] == wanted


@pytest.mark.parametrize("elsewhere", ["https://mal.example/", "//mal.example", "/\\mal.example", "/rien"])
def test_signing_in_redirects_to_no_other_site(app: App, elsewhere: str):
    client = app.client()

    client.get("/connexion", params={"suite": elsewhere})

    assert send(client, app.sign_in_path(app.trainer)).headers["location"] == "/gestion"


def test_signing_out_ends_the_session_and_not_only_the_cookie(app: App):
    client = app.client(app.trainer)
    secret = client.cookies["sid"]

    assert send(client, "/deconnexion", seen_on="/gestion/itip").status_code == 303

    thief = app.client()
    thief.cookies.set("sid", secret)
    assert thief.get("/gestion/itip").status_code == 401


def test_a_link_is_not_used_by_a_form_of_another_site(app: App):
    link, client = app.sign_in_path(app.trainer), app.client()

    assert client.post(link, data={"jeton": "faux"}).status_code == 403
    assert client.post(link, headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert send(client, link).status_code == 303


def test_a_person_at_two_campuses_chooses_between_them(app: App):
    with app.unit_of_work() as services:
        services.people.add_staff(
            app.other_campus,
            given_name="Anaïs",
            family_name="Le Goff",
            address="le.goff@exemple.fr",
            role=Role.TRAINER,
            by=COMMAND,
        )

    page = app.client(app.trainer).get("/gestion")

    assert "/gestion/itip" in page.text
    assert "/gestion/agt" in page.text


def test_a_staff_member_gets_a_letter_with_a_link_that_signs_them_in(app: App):
    client = app.client()
    send(client, "/connexion", {"adresse": " Le.Goff@exemple.fr "})

    [letter] = app.letters.letters

    assert letter.to == "le.goff@exemple.fr"
    link = re.search(r"http://localhost:8000(/connexion/\S+)", letter.text)
    assert link
    assert send(client, link[1]).status_code == 303
    assert "Anaïs Le Goff" in client.get("/gestion/itip").text


def test_other_addresses_get_no_letter(app: App):
    app.record("MARTIN Chloé; chloe@exemple.fr")
    for address in ("chloe@exemple.fr", "inconnue@exemple.fr", "pas une adresse", ""):
        send(app.client(), "/connexion", {"adresse": address})
    assert app.letters.letters == []


def test_asking_again_at_once_sends_another_message(app: App):
    """The page states that a message is on its way: the limit per address bounds them (tests/security)."""
    for _ in range(2):
        send(app.client(), "/connexion", {"adresse": "le.goff@exemple.fr"})
    assert len(app.letters.letters) == 2


@pytest.mark.parametrize("path", ["/parcours/0a3187df-d820-4bfb-a7f3-5159a1d8c36a", "/mes-badges"])
def test_sign_in_page_for_a_learner_path_names_no_work(app: App, path: str):
    client = app.client()
    first = client.get(f"/connexion?suite={path}").text
    for text in (first, send(client, "/connexion", {"adresse": "zoe@exemple.fr"}).text):
        assert "Votre adresse e-mail</label>" in text
        assert "professionnelle" not in text
        assert "travaillent pour un campus" not in text
        assert "travaille pour un campus" not in text


def test_sign_in_page_for_a_workplace_asks_for_the_address_of_work(app: App):
    text = app.client().get("/connexion?suite=/gestion/itip/badges").text
    assert "Votre adresse e-mail professionnelle" in text
