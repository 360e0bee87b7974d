"""Lists of participants give no access to accounts; sign-in links."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from app.domain.activities import Activity, ActivityKind
from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from tests.support.app import COMMAND, App, listed, send

OWN = "jean.dupont@exemple.fr"
FOREIGN = "mechant@ailleurs.example"


def list_at_the_other_campus(app: App, *lists: str) -> None:
    """Record these lists in an activity of the other campus, as its trainer."""
    workshop = Activity(
        kind=ActivityKind.WORKSHOP, title="Dégustation", starts_on=date(2026, 11, 24),
        ends_on=date(2026, 11, 24), created_at=app.clock.now,
    )  # fmt: skip
    by = Actor(app.stranger.id)
    with app.unit_of_work() as services:
        activity = services.activities.create(workshop, [app.other_campus], by=by)
        for each in lists:
            services.activities.record(app.other_campus, activity.id, listed(each), by=by)


def hire(app: App, *, given_name: str = "Jean", family_name: str = "Dupont"):
    with app.unit_of_work() as services:
        return services.people.add_staff(
            app.campus, given_name=given_name, family_name=family_name, address=OWN, role=Role.TRAINER,
            by=COMMAND,
        )  # fmt: skip


def test_an_address_listed_by_a_trainer_gets_no_sign_in_link(app: App):
    """A person listed by name, then with two addresses, is later hired with the first address."""
    list_at_the_other_campus(app, "DUPONT Jean", f"DUPONT Jean; {OWN}", f"DUPONT Jean; {FOREIGN}")
    hire(app)

    send(app.client(), "/connexion", {"adresse": FOREIGN})
    assert app.letters.letters == []

    send(app.client(), "/connexion", {"adresse": OWN})
    assert [letter.to for letter in app.letters.letters] == [OWN]


def test_former_staff_get_no_link_and_do_not_block_current_staff(app: App):
    gone = hire(app)
    with app.unit_of_work() as services:
        [(membership, _)] = services.people.people.memberships_of(gone.id)
        membership.until = app.clock.now
    send(app.client(), "/connexion", {"adresse": OWN})
    assert app.letters.letters == []

    hire(app, given_name="Jeanne")
    send(app.client(), "/connexion", {"adresse": OWN})
    [letter] = app.letters.letters
    assert "Jeanne Dupont" in letter.text


def test_future_staff_get_no_link_before_their_first_day(app: App):
    person = hire(app)
    with app.unit_of_work() as services:
        [(membership, _)] = services.people.people.memberships_of(person.id)
        membership.since = app.clock.now + timedelta(days=1)
    send(app.client(), "/connexion", {"adresse": OWN})
    assert app.letters.letters == []


class RefusingMailer:
    """An SMTP server with the recipient's address in its error message."""

    def send(self, letter) -> None:
        raise OSError(f"550 no mailbox for {letter.to}")


def test_a_refused_letter_is_logged_without_the_address(app: App, capfd, caplog):
    app.process.mailer = RefusingMailer()
    answer = send(app.client(), "/connexion", {"adresse": "le.goff@exemple.fr"})
    assert answer.status_code == 200
    written = capfd.readouterr()
    assert "le.goff@exemple.fr" not in written.out + written.err + caplog.text


# --- sign-in links

TRAINER = "le.goff@exemple.fr"


def asked_link(app: App, client) -> str:
    """The path of the sign-in link requested by this browser."""
    assert send(client, "/connexion", {"adresse": TRAINER}).status_code == 200
    found = re.search(r"http://localhost:8000(/connexion/\S+)", app.letters.letters[-1].text)
    assert found
    return found[1]


def is_in(client) -> bool:
    return client.get("/gestion").status_code == 303


def test_a_link_opens_one_session_in_the_requesting_browser(app: App):
    client = app.client()
    link = asked_link(app, client)
    assert send(client, link).status_code == 303
    assert is_in(client)
    other = app.client()
    again = other.get(link)
    assert again.status_code == 401
    assert "déjà servi" in again.text


def test_link_scanners_do_not_use_up_links(app: App):
    client = app.client()
    link = asked_link(app, client)
    scanner = app.client()
    for method in ("HEAD", "GET") * 3:
        scanner.request(method, link)
    assert send(client, link).status_code == 303


def test_a_link_expires_after_ten_minutes(app: App):
    client = app.client()
    link = asked_link(app, client)
    app.clock.move(minutes=10)
    assert "a expiré" in client.get(link).text
    assert client.get(link).status_code == 401


def test_a_link_in_another_browser_shows_a_code_and_opens_no_session(app: App):
    asking, reading = app.client(), app.client()
    link = asked_link(app, asking)
    shown = reading.get(link)
    assert f'action="{link}"' not in shown.text
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", shown.text)
    assert code
    # Even if the browser submits a form that the page did not contain.
    assert send(reading, link, seen_on="/connexion").status_code == 409
    assert not is_in(reading)

    assert (
        send(asking, "/connexion/code", {"code": f" {code[0].lower()} "}, seen_on="/connexion").status_code
        == 303
    )
    assert is_in(asking)
    assert reading.get(link).status_code == 401


def test_the_code_is_refused_in_another_browser(app: App):
    asking, thief = app.client(), app.client()
    link = asked_link(app, asking)
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", thief.get(link).text)
    assert code
    assert send(thief, "/connexion/code", {"code": code[0]}, seen_on="/connexion").status_code == 401
    assert not is_in(thief)


def test_five_wrong_codes_disable_the_code(app: App):
    asking = app.client()
    link = asked_link(app, asking)
    code = re.search(r"[A-Z2-7]{4}-[A-Z2-7]{4}", app.client().get(link).text)
    assert code
    for _ in range(5):
        assert send(asking, "/connexion/code", {"code": "AAAA-AAAA"}, seen_on="/connexion").status_code == 401
    assert send(asking, "/connexion/code", {"code": code[0]}, seen_on="/connexion").status_code == 401
    # The link itself still works.
    assert send(asking, link).status_code == 303


def test_an_operators_link_opens_in_any_browser(app: App):
    client = app.client()
    assert send(client, app.sign_in_path(app.trainer)).status_code == 303
    assert is_in(client)


def test_a_sign_in_form_without_our_cookie_is_refused(app: App):
    """Login CSRF: a form of another site has no cookie of ours."""
    link = app.sign_in_path(app.trainer)
    victim = app.client()
    token = re.search(r'name="jeton" value="([^"]+)"', victim.get("/verifier").text)
    assert token
    answer = victim.post(link, data={"jeton": token[1]})
    assert answer.status_code == 403
    assert not is_in(victim)


@pytest.mark.parametrize("secret", ["x", "%00", "A" * 500, "../gestion"])
def test_an_invalid_link_opens_nothing(app: App, secret: str):
    assert app.client().get(f"/connexion/{secret}").status_code in (401, 404)
