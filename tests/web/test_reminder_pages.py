"""Reminders stopped: by the one click of a mail program, by the page in the letter, by a campus."""

from __future__ import annotations

import pytest

from tests.support.house import House, send
from tests.support.letters import awarded


@pytest.fixture
def wish(house: House) -> str:
    (award_id,) = awarded(house, "Zoé Martin;zoe@exemple.fr")
    with house.unit_of_work(reading=True) as services:
        return "/rappels/" + services.reminders.token_of(services.awards.record(award_id).person.id)


def wants(house: House, wish: str) -> bool:
    with house.unit_of_work(reading=True) as services:
        return services.reminders.person_of(wish.rpartition("/")[2]).wants_reminders


def test_looking_stops_nothing_and_one_click_stops_them(house: House, wish: str):
    client = house.client()
    assert client.get(wish).status_code == 200
    assert wants(house, wish)
    answer = client.post(wish, data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 204
    assert not wants(house, wish)
    assert "Aucun campus ne vous envoie de rappel" in client.get(wish).text


def test_the_page_stops_them_and_takes_it_back(house: House, wish: str):
    client = house.client()
    send(client, f"{wish}/choix", {"rappels": "non"}, seen_on=wish)
    assert not wants(house, wish)
    send(client, f"{wish}/choix", {"rappels": "oui"}, seen_on=wish)
    assert wants(house, wish)


def test_an_invented_wish_is_nobody_s(house: House, wish: str):
    client = house.client()
    for invented in (wish[:-3] + "000", "/rappels/x", wish.partition(".")[0] + "."):
        assert client.get(invented).status_code == 404
        assert client.post(invented, data={}).status_code == 404
    assert wants(house, wish)


def test_a_campus_switches_its_reminders_off_and_on(house: House):
    admin = house.client(house.admin)
    for choice, words in (("non", "Aucun rappel"), ("oui", "Rappels en service")):
        answer = send(admin, "/gestion/itip/rappels", {"rappels": choice})
        assert words in admin.get(answer.headers["location"]).text
        with house.unit_of_work(reading=True) as services:
            assert services.campuses.get("itip").sends_reminders is (choice == "oui")
