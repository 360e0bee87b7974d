"""A sign-in link: once, for ten minutes, by a button, in the browser that asked for it (T32)."""

from __future__ import annotations

import re

import pytest

from tests.support.house import House, send

TRAINER = "le.goff@exemple.fr"


def asked_link(house: House, client) -> str:
    """The path in the letter that this browser asked for."""
    assert send(client, "/connexion", {"adresse": TRAINER}).status_code == 200
    found = re.search(r"http://localhost:8000(/connexion/\S+)", house.letters.letters[-1].text)
    assert found
    return found[1]


def is_in(client) -> bool:
    return client.get("/gestion").status_code == 303


def test_a_link_opens_one_session_where_it_was_asked_for(house: House):
    client = house.client()
    link = asked_link(house, client)
    assert send(client, link).status_code == 303
    assert is_in(client)
    other = house.client()
    again = other.get(link)
    assert again.status_code == 401
    assert "déjà servi" in again.text


def test_programs_that_follow_links_do_not_use_them_up(house: House):
    client = house.client()
    link = asked_link(house, client)
    scanner = house.client()
    for method in ("HEAD", "GET") * 3:
        scanner.request(method, link)
    assert send(client, link).status_code == 303


def test_a_link_is_dead_after_ten_minutes(house: House):
    client = house.client()
    link = asked_link(house, client)
    house.clock.move(minutes=10)
    assert "a expiré" in client.get(link).text
    assert client.get(link).status_code == 401


def test_another_browser_is_shown_a_code_and_no_session(house: House):
    asking, reading = house.client(), house.client()
    link = asked_link(house, asking)
    shown = reading.get(link)
    assert f'action="{link}"' not in shown.text
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", shown.text)
    assert code
    # Even a browser that sends the form that the page did not show.
    assert send(reading, link, seen_on="/connexion").status_code == 409
    assert not is_in(reading)

    assert (
        send(asking, "/connexion/code", {"code": f" {code[0].lower()} "}, seen_on="/connexion").status_code
        == 303
    )
    assert is_in(asking)
    assert reading.get(link).status_code == 401


def test_the_code_is_good_in_no_other_browser(house: House):
    asking, thief = house.client(), house.client()
    link = asked_link(house, asking)
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", thief.get(link).text)
    assert code
    assert send(thief, "/connexion/code", {"code": code[0]}, seen_on="/connexion").status_code == 401
    assert not is_in(thief)


def test_nobody_tries_codes_for_long(house: House):
    asking = house.client()
    link = asked_link(house, asking)
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", house.client().get(link).text)
    assert code
    for _ in range(5):
        assert send(asking, "/connexion/code", {"code": "AAAA-AAAA"}, seen_on="/connexion").status_code == 401
    assert send(asking, "/connexion/code", {"code": code[0]}, seen_on="/connexion").status_code == 401
    # The link itself is as good as before.
    assert send(asking, link).status_code == 303


def test_an_operators_link_opens_in_any_browser(house: House):
    client = house.client()
    assert send(client, house.sign_in_path(house.trainer)).status_code == 303
    assert is_in(client)


def test_a_form_of_a_browser_that_was_given_no_cookie_signs_nobody_in(house: House):
    """Login CSRF: another site's form brings none of our cookies."""
    link = house.sign_in_path(house.trainer)
    victim = house.client()
    token = re.search(r'name="jeton" value="([^"]+)"', victim.get("/verifier").text)
    assert token
    answer = victim.post(link, data={"jeton": token[1]})
    assert answer.status_code == 403
    assert not is_in(victim)


@pytest.mark.parametrize("secret", ["x", "%00", "A" * 500, "../gestion"])
def test_what_is_no_link_opens_nothing(house: House, secret: str):
    assert house.client().get(f"/connexion/{secret}").status_code in (401, 404)
