"""Sessions expire when idle, and change their secret after a new authentication (T30)."""

from __future__ import annotations

import re
import uuid

import pytest

from app.domain.accounts.sessions import FRESH, Proof, ReauthRequired, Session, SessionKind, check_proved
from app.domain.awards import LineOutcome
from app.domain.people import Person
from app.errors import NotSignedIn
from app.services.accounts.sessions import Browser
from tests.support.app import NOON, App, SettableClock, send


def session(proof: Proof) -> Session:
    return Session(
        kind=SessionKind.ACCOUNT, secret_digest="", person_id=uuid.uuid4(), created_at=NOON, expires_at=NOON, seen_at=NOON,
        proved_by=proof, proved_at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize("proof", [Proof.LINK, Proof.PASSWORD, Proof.OIDC])
def test_people_with_a_passkey_must_use_it(proof: Proof):
    with pytest.raises(ReauthRequired) as needed:
        check_proved(session(proof), needs_passkey=True, fresh=False, at=NOON)
    assert needed.value.by_passkey
    check_proved(session(proof), needs_passkey=False, fresh=False, at=NOON + 10 * FRESH)
    check_proved(session(Proof.PASSKEY), needs_passkey=True, fresh=False, at=NOON + 10 * FRESH)


@pytest.mark.parametrize("proof", list(Proof))
def test_a_dangerous_action_requires_recent_authentication(proof: Proof):
    has_passkey = proof is Proof.PASSKEY
    check_proved(session(proof), needs_passkey=has_passkey, fresh=True, at=NOON + FRESH)
    late = SettableClock(NOON + FRESH)
    late.move(seconds=1)
    with pytest.raises(ReauthRequired):
        check_proved(session(proof), needs_passkey=has_passkey, fresh=True, at=late.now)


def test_an_idle_session_expires_and_an_active_one_continues(app: App):
    idle, used = app.client(app.trainer), app.client(app.trainer)
    for _ in range(4):
        app.clock.move(minutes=50)
        assert used.get("/gestion/itip").status_code == 200
    assert idle.get("/gestion/itip").status_code == 401


def test_an_active_session_expires_after_twelve_hours(app: App):
    client = app.client(app.trainer)
    for _ in range(11):
        app.clock.move(hours=1)
        assert client.get("/gestion/itip").status_code == 200
    app.clock.move(hours=1)
    assert client.get("/gestion/itip").status_code == 401


def test_reauthentication_changes_the_secret_of_the_session(app: App):
    secret = app.sign_in_path(app.trainer).rpartition("/")[2]
    with app.unit_of_work() as services:
        first = services.sign_in.by_link(secret, Browser())
    app.clock.move(minutes=5)
    secret = app.sign_in_path(app.trainer).rpartition("/")[2]
    with app.unit_of_work() as services:
        here = services.sessions.signed_in(first.secret)
        again = services.sign_in.by_link(secret, Browser(secret=first.secret, here=here))
        assert again.session.id == first.session.id
        assert again.session.proved_at == app.clock.now
    with app.unit_of_work() as services:
        services.sessions.signed_in(again.secret)
        with pytest.raises(NotSignedIn):
            services.sessions.signed_in(first.secret)


def test_signing_in_as_another_person_ends_the_previous_session(app: App):
    client = app.client(app.trainer)
    before = dict(client.cookies)
    with app.unit_of_work(reading=True) as services:
        session_id = services.sessions.signed_in(before["sid"]).session.id
    assert send(client, app.sign_in_path(app.admin)).status_code == 303
    assert "Marc Œuvrard" in client.get("/aide").text
    ghost = app.client()
    ghost.cookies.set("sid", before["sid"])
    assert ghost.get("/gestion").status_code == 401
    with app.unit_of_work(reading=True) as services:
        actions = [entry.action for entry, _ in services.people.history.list_of("session", session_id)]
    assert sorted(actions) == ["sign_in", "sign_out"]


def private_link_of(app: App, person: Person) -> str:
    """A leaked private link to a badge of a person with an account."""
    with app.unit_of_work() as services:
        address = services.people.people.addresses_of([person.id])[person.id]
    result = app.award(f"{person.family_name} {person.given_name}; {address}")
    assert result.lines[0].outcome is LineOutcome.AWARDED
    return app.private_link(result)


def test_the_session_of_a_private_link_opens_no_account(app: App):
    """The value of cookie `badges` in cookie `sid` does not open the account of the badge's holder."""
    client = app.client()
    client.get(private_link_of(app, app.admin))
    thief = app.client()
    thief.cookies.set("sid", client.cookies["badges"])
    assert thief.get("/compte").status_code == 401
    assert thief.get("/compte/mot-de-passe").status_code == 401
    assert thief.get("/gestion").status_code == 401
    assert thief.get("/mes-badges/portfolio").status_code == 200
    signed_in = app.client(app.admin)
    thief = app.client()
    thief.cookies.set("badges", signed_in.cookies["sid"])
    assert "1 badge" not in thief.get("/mes-badges").text


def test_signing_out_everywhere_ends_sessions_of_private_links(app: App):
    opened = app.client()
    page = opened.get(private_link_of(app, app.admin)).headers["location"]
    assert opened.get(page).status_code == 200
    client = app.client(app.admin)
    assert "par un lien privé" in client.get("/compte").text
    send(client, "/compte/sessions/fermer-partout", seen_on="/compte")
    assert opened.get(page).status_code == 401


def test_a_session_of_a_private_link_can_be_ended_from_the_account(app: App):
    opened = app.client()
    page = opened.get(private_link_of(app, app.admin)).headers["location"]
    client = app.client(app.admin)
    (form,) = re.findall(r'action="(/compte/sessions/[\w-]{36}/fermer)"', client.get("/compte").text)
    assert send(client, form, seen_on="/compte").status_code == 303
    assert opened.get(page).status_code == 401


def test_private_links_can_be_disabled_by_the_person(app: App):
    link, opened = private_link_of(app, app.admin), app.client()
    page = opened.get(link).headers["location"]
    client = app.client(app.admin)
    assert send(client, "/compte/liens", {"liens": "refuses"}, seen_on="/compte").status_code == 303
    assert opened.get(page).status_code == 401
    # The link redirects to the badge, which requires sign-in.
    newcomer = app.client()
    assert newcomer.get(link).headers["location"] == page
    assert "connexion?suite=" + page in newcomer.get(page).text
    assert client.get(page).status_code == 200
    send(client, "/compte/liens", {"liens": "acceptes"}, seen_on="/compte")
    assert newcomer.get(link).headers["location"] == page
    assert newcomer.get(page).status_code == 200
