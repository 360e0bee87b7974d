"""Passwords: no enumeration of accounts, and other sessions end when the password changes (T19, T31)."""

from __future__ import annotations

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from app.adapters.secrets import PasswordHashes
from app.adapters.slots import Slots
from app.domain.accounts.sign_in import check_password
from app.errors import InvalidInput
from tests.support.app import App, send

GOOD = "canard violet sous la pluie"
TRAINER = "le.goff@exemple.fr"
QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


@pytest.fixture(autouse=True)
def quick_hashes(app: App) -> None:
    app.process.passwords = PasswordHashes(Argon2Hasher(**QUICK))


def give_password(app: App, hashes: PasswordHashes | None = None) -> None:
    secret = app.sign_in_path(app.trainer).rpartition("/")[2]
    from app.services.accounts.sessions import Browser

    with app.unit_of_work() as services:
        opened = services.sign_in.by_link(secret, Browser())
        who = services.sessions.signed_in(opened.secret)
        services.sign_in.set_password(who, (hashes or app.process.passwords).of(GOOD))


def try_password(client, address: str, password: str):
    return send(
        client,
        "/connexion/mot-de-passe",
        {"adresse": address, "mot-de-passe": password},
        seen_on="/connexion",
    )


def test_a_password_opens_a_session(app: App):
    give_password(app)
    client = app.client()
    assert try_password(client, " Le.Goff@exemple.fr", GOOD).status_code == 303
    assert client.get("/gestion").status_code == 303


def test_the_answer_does_not_reveal_who_has_a_password(app: App):
    give_password(app)
    pages = []
    for address in (TRAINER, "œuvrard@exemple.fr", "personne@exemple.fr"):
        answer = try_password(app.client(), address, "faux mot de passe")
        assert answer.status_code == 401
        pages.append(answer.text.replace(address, "").partition("<main")[2].partition('name="jeton"')[0])
    assert len(set(pages)) == 1


class CountingHashes(PasswordHashes):
    def __init__(self) -> None:
        super().__init__(Argon2Hasher(**QUICK))
        self.compared: list[bool] = []

    def compare(self, password: str, kept: str | None) -> tuple[bool, str | None]:
        self.compared.append(kept is not None)
        return super().compare(password, kept)


def test_an_unknown_address_costs_as_much_work_as_a_known_one(app: App):
    hashes = app.process.passwords = CountingHashes()
    give_password(app)
    for address in (TRAINER, "personne@exemple.fr"):
        try_password(app.client(), address, "faux mot de passe")
    assert hashes.compared == [True, False]


class FullHashes(PasswordHashes):
    """All slots for password verification are taken."""

    def __init__(self) -> None:
        super().__init__(Argon2Hasher(**QUICK))
        self.is_full = True

    def _turn(self):
        self._slots = Slots(0 if self.is_full else 1, waiting=0, seconds=0)
        return super()._turn()


def test_without_a_free_slot_sign_in_returns_429_with_the_typed_address(app: App):
    give_password(app)
    hashes = app.process.passwords = FullHashes()
    client = app.client()
    answer = try_password(client, TRAINER, GOOD)
    assert answer.status_code == 429
    assert "Trop de mots de passe sont vérifiés en ce moment." in answer.text
    assert f'value="{TRAINER}"' in answer.text
    assert GOOD not in answer.text
    assert ("mistype", "password") not in app_history(app), "no password was compared"
    hashes.is_full = False
    assert try_password(client, TRAINER, GOOD).status_code == 303


def test_without_a_free_slot_confirming_and_choosing_return_429(app: App):
    give_password(app)
    client = app.client(app.trainer)
    hashes = app.process.passwords = FullHashes()
    typed = {"mot-de-passe": GOOD}
    confirmed = send(client, "/confirmer/mot-de-passe", typed, seen_on="/confirmer")
    chosen = send(client, "/compte/mot-de-passe", typed, seen_on="/compte/mot-de-passe")
    for answer in (confirmed, chosen):
        assert answer.status_code == 429
        assert "Trop de mots de passe sont vérifiés en ce moment." in answer.text
    hashes.is_full = False
    assert send(client, "/confirmer/mot-de-passe", typed, seen_on="/confirmer").status_code == 303


def test_a_hash_with_older_parameters_is_renewed(app: App):
    give_password(app, PasswordHashes(Argon2Hasher(time_cost=2, memory_cost=8, parallelism=1)))
    with app.unit_of_work(reading=True) as services:
        before = services.sign_in.password_of(app.trainer.id)
    assert before
    assert "t=2" in before.hash
    assert try_password(app.client(), TRAINER, GOOD).status_code == 303
    with app.unit_of_work(reading=True) as services:
        after = services.sign_in.password_of(app.trainer.id)
    assert after
    assert "t=1" in after.hash
    assert try_password(app.client(), TRAINER, GOOD).status_code == 303


def test_a_new_password_ends_the_sessions_opened_before(app: App):
    other = app.client(app.trainer)
    give_password(app)
    assert other.get("/gestion").status_code == 401


def test_a_wrong_password_is_logged_without_its_text(app: App):
    give_password(app)
    try_password(app.client(), TRAINER, "faux mot de passe")
    entries = app_history(app)
    assert ("mistype", "password") in entries


def app_history(app: App) -> list[tuple[str, str]]:
    from sqlalchemy import text

    with app.owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT action, noun FROM history_entry"))]


def test_default_hashes_are_argon2id():
    kept = PasswordHashes().of(GOOD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PasswordHashes().compare(GOOD, kept) == (True, None)


def test_a_password_of_a_megabyte_is_refused():
    hashes = PasswordHashes(Argon2Hasher(**QUICK))
    kept = hashes.of(GOOD)
    assert hashes.compare(GOOD + "x" * 1_000_000, kept)[0] is False
    assert hashes.compare("x" * 1_000_000, None)[0] is False


OWN = ("Anaïs", "Le Goff", "anais.legoff@exemple.fr", "ITIP")


@pytest.mark.parametrize(
    "password",
    [
        GOOD,
        "correct horse battery staple",
        "Kx9#vTq2!mZr",
        "mon chat dort sur le radiateur",
        "zwei kleine Fische schwimmen",
    ],
)
def test_long_and_uncommon_passwords_are_accepted(password: str):
    check_password(password, context=OWN)


@pytest.mark.parametrize(
    "password",
    [
        "court",
        "onze signes",
        "motdepasse2026",
        "M0tdepa$$e2026!",
        "azertyuiop123456",
        "123456789012345",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "anais.legoff2026",
        "AnaïsLeGoff!2026",
        "Bienvenue-Campus-2026",
        "administrateur1234",
        "Septembre2026!!",
        "qwertyuiopqwertyuiop",
        "exemple.fr-exemple",
        "x" * 1025,
    ],
)
def test_obvious_passwords_are_refused(password: str):
    with pytest.raises(InvalidInput):
        check_password(password, context=OWN)
