"""Reminders stopped: by the one click of a mail program, by the page in the letter, by a campus."""

from __future__ import annotations

import re

import pytest

from tests.support.app import App, send
from tests.support.forms import form_with
from tests.support.letters import awarded


@pytest.fixture
def wish(app: App) -> str:
    (award_id,) = awarded(app, "Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        return "/rappels/" + services.reminders.token_of(services.awards.record(award_id).person.id)


def wants(app: App, wish: str) -> bool:
    with app.unit_of_work(reading=True) as services:
        return services.reminders.person_of(wish.rpartition("/")[2]).wants_reminders


def test_get_stops_no_reminder_and_a_one_click_post_stops_them(app: App, wish: str):
    client = app.client()
    assert client.get(wish).status_code == 200
    assert wants(app, wish)
    answer = client.post(wish, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 204
    assert not wants(app, wish)
    assert "Aucun campus ne vous envoie de rappel" in client.get(wish).text


def test_the_page_stops_them_and_takes_it_back(app: App, wish: str):
    client = app.client()
    send(client, f"{wish}/choix", {"rappels": "non"}, seen_on=wish)
    assert not wants(app, wish)
    send(client, f"{wish}/choix", {"rappels": "oui"}, seen_on=wish)
    assert wants(app, wish)


def test_an_invented_wish_is_not_found(app: App, wish: str):
    client = app.client()
    for invented in (wish[:-3] + "000", "/rappels/x", wish.partition(".")[0] + "."):
        assert client.get(invented).status_code == 404
        assert client.post(invented, data={}).status_code == 404
    assert wants(app, wish)


def test_a_campus_switches_its_reminders_off_and_on(app: App):
    admin = app.client(app.admin)
    for choice, words in (("non", "Aucun rappel"), ("oui", "Rappels en service")):
        answer = send(admin, "/gestion/itip/rappels", {"rappels": choice})
        assert words in admin.get(answer.headers["location"]).text
        with app.unit_of_work(reading=True) as services:
            assert services.campuses.get("itip").sends_reminders is (choice == "oui")


def test_a_trainer_stops_the_reminders_of_their_activity_where_badges_are_handed_over(app: App):
    awarded(app, "Zoé Martin;zoe@exemple.fr")
    trainer = app.client(app.trainer)
    activity = f"/gestion/itip/activites/{app.activity.id}"
    for choice, words in (("non", "Aucun rappel ne part"), ("oui", "deux au plus")):
        page = trainer.get(f"{activity}/remise")
        assert form_with(page, "rappels").press(trainer, page, ("rappels", choice)).status_code == 303
        assert words in trainer.get(f"{activity}/remise").text
        with app.unit_of_work(reading=True) as services:
            assert services.activities.get(app.campus, app.activity.id).sends_reminders is (choice == "oui")


def test_a_staff_member_finds_the_reminder_setting_in_their_account(app: App):
    client = app.client(app.trainer)
    wish = re.search(r'href="(/rappels/[^"]+)"', client.get("/compte").text)
    assert wish
    send(client, f"{wish[1]}/choix", {"rappels": "non"}, seen_on=wish[1])
    assert "Vous ne recevez pas de rappels" in client.get("/compte").text
