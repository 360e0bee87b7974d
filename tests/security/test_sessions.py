"""Sessions end by themselves, go on where they are used, and change their secret when a proof is added (T30)."""

from __future__ import annotations

import uuid

import pytest

from app.domain.sessions import FRESH, Proof, ProofNeeded, Session, check_proved
from app.errors import NotSignedIn
from app.services.sessions import Browser
from tests.support.house import NOON, House, SettableClock, send


def session(proof: Proof) -> Session:
    return Session(
        secret_digest="", person_id=uuid.uuid4(), created_at=NOON, expires_at=NOON, seen_at=NOON,
        proved_by=proof, proved_at=NOON,
    )  # fmt: skip


@pytest.mark.parametrize("proof", [Proof.LINK, Proof.PASSWORD, Proof.OIDC])
def test_whoever_has_a_passkey_proves_by_it(proof: Proof):
    with pytest.raises(ProofNeeded) as needed:
        check_proved(session(proof), needs_passkey=True, fresh=False, at=NOON)
    assert needed.value.by_passkey
    check_proved(session(proof), needs_passkey=False, fresh=False, at=NOON + 10 * FRESH)
    check_proved(session(Proof.PASSKEY), needs_passkey=True, fresh=False, at=NOON + 10 * FRESH)


@pytest.mark.parametrize("proof", list(Proof))
def test_a_dangerous_act_asks_for_a_fresh_proof(proof: Proof):
    has_passkey = proof is Proof.PASSKEY
    check_proved(session(proof), needs_passkey=has_passkey, fresh=True, at=NOON + FRESH)
    late = SettableClock(NOON + FRESH)
    late.move(seconds=1)
    with pytest.raises(ProofNeeded):
        check_proved(session(proof), needs_passkey=has_passkey, fresh=True, at=late.now)


def test_a_session_nobody_uses_ends_and_one_in_use_goes_on(house: House):
    idle, used = house.client(house.trainer), house.client(house.trainer)
    for _ in range(4):
        house.clock.move(minutes=50)
        assert used.get("/gestion/itip").status_code == 200
    assert idle.get("/gestion/itip").status_code == 401


def test_no_session_outlives_its_day_however_much_it_is_used(house: House):
    client = house.client(house.trainer)
    for _ in range(11):
        house.clock.move(hours=1)
        assert client.get("/gestion/itip").status_code == 200
    house.clock.move(hours=1)
    assert client.get("/gestion/itip").status_code == 401


def test_proving_again_changes_the_secret_and_keeps_the_session(house: House):
    secret = house.sign_in_path(house.trainer).rpartition("/")[2]
    with house.unit_of_work() as services:
        first = services.sign_in.by_link(secret, Browser())
    house.clock.move(minutes=5)
    secret = house.sign_in_path(house.trainer).rpartition("/")[2]
    with house.unit_of_work() as services:
        here = services.sessions.signed_in(first.secret)
        again = services.sign_in.by_link(secret, Browser(secret=first.secret, here=here))
        assert again.session.id == first.session.id
        assert again.session.proved_at == house.clock.now
    with house.unit_of_work() as services:
        services.sessions.signed_in(again.secret)
        with pytest.raises(NotSignedIn):
            services.sessions.signed_in(first.secret)


def test_signing_in_as_somebody_else_ends_the_session_that_was_here(house: House):
    client = house.client(house.trainer)
    before = dict(client.cookies)
    with house.unit_of_work(reading=True) as services:
        session_id = services.sessions.signed_in(before["sid"]).session.id
    assert send(client, house.sign_in_path(house.admin)).status_code == 303
    assert "Marc Œuvrard" in client.get("/aide").text
    ghost = house.client()
    ghost.cookies.set("sid", before["sid"])
    assert ghost.get("/gestion").status_code == 401
    with house.unit_of_work(reading=True) as services:
        deeds = [entry.deed for entry, _ in services.people.history.list_of("session", session_id)]
    assert sorted(deeds) == ["sign_in", "sign_out"]
