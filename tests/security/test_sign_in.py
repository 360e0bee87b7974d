"""Nobody gets into a campus by way of what a list of participants says."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from app.domain.activities import Activity, ActivityKind
from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from tests.support.house import COMMAND, House, listed, send

OWN = "jean.dupont@exemple.fr"
FOREIGN = "mechant@ailleurs.example"


def list_at_the_other_campus(house: House, *lists: str) -> None:
    """A trainer of the other campus records these lists, one after the other, in an activity there."""
    workshop = Activity(
        kind=ActivityKind.WORKSHOP, title="Dégustation", starts_on=date(2026, 11, 24),
        ends_on=date(2026, 11, 24), created_at=house.clock.now,
    )  # fmt: skip
    by = Actor(house.stranger.id)
    with house.unit_of_work() as services:
        activity = services.activities.create(workshop, [house.other_campus], by=by)
        for each in lists:
            services.activities.record(house.other_campus, activity.id, listed(each), by=by)


def hire(house: House, *, given_name: str = "Jean", family_name: str = "Dupont"):
    with house.unit_of_work() as services:
        return services.people.add_staff(
            house.campus, given_name=given_name, family_name=family_name, address=OWN, role=Role.TRAINER,
            by=COMMAND,
        )  # fmt: skip


def test_an_address_that_a_trainer_listed_signs_nobody_in(house: House):
    """Somebody recorded by name, then with an address, then with another, is hired later under the first."""
    list_at_the_other_campus(house, "DUPONT Jean", f"DUPONT Jean; {OWN}", f"DUPONT Jean; {FOREIGN}")
    hire(house)

    send(house.client(), "/connexion", {"adresse": FOREIGN})
    assert house.letters.letters == []

    send(house.client(), "/connexion", {"adresse": OWN})
    assert [letter.to for letter in house.letters.letters] == [OWN]


def test_who_works_here_no_more_gets_no_letter_and_hides_nobody_who_does(house: House):
    gone = hire(house)
    with house.unit_of_work() as services:
        [(membership, _)] = services.people.people.memberships_of(gone.id)
        membership.until = house.clock.now
    send(house.client(), "/connexion", {"adresse": OWN})
    assert house.letters.letters == []

    hire(house, given_name="Jeanne")
    send(house.client(), "/connexion", {"adresse": OWN})
    [letter] = house.letters.letters
    assert "Jeanne Dupont" in letter.text


def test_who_works_here_from_tomorrow_gets_no_letter_today(house: House):
    person = hire(house)
    with house.unit_of_work() as services:
        [(membership, _)] = services.people.people.memberships_of(person.id)
        membership.since = house.clock.now + timedelta(days=1)
    send(house.client(), "/connexion", {"adresse": OWN})
    assert house.letters.letters == []


class RefusingMailer:
    """An SMTP server that knows the addressee and says so in its refusal."""

    def send(self, letter) -> None:
        raise OSError(f"550 no mailbox for {letter.to}")


def test_a_letter_that_cannot_leave_names_nobody_in_the_log(house: House, capfd, caplog):
    house.process.mailer = RefusingMailer()
    answer = send(house.client(), "/connexion", {"adresse": "le.goff@exemple.fr"})
    assert answer.status_code == 200
    written = capfd.readouterr()
    assert "le.goff@exemple.fr" not in written.out + written.err + caplog.text


# --- sign-in links

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
