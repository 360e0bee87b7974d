"""A password: the same answer for whoever has none, and nobody else left inside when it changes (T19, T31)."""

from __future__ import annotations

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from app.adapters.secrets import PasswordHashes
from app.adapters.slots import Slots
from app.domain.accounts.sign_in import check_password
from app.errors import InvalidInput
from tests.support.house import House, send

GOOD = "canard violet sous la pluie"
TRAINER = "le.goff@exemple.fr"
QUICK = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


@pytest.fixture(autouse=True)
def quick_hashes(house: House) -> None:
    house.process.passwords = PasswordHashes(Argon2Hasher(**QUICK))


def give_password(house: House, hashes: PasswordHashes | None = None) -> None:
    secret = house.sign_in_path(house.trainer).rpartition("/")[2]
    from app.services.accounts.sessions import Browser

    with house.unit_of_work() as services:
        opened = services.sign_in.by_link(secret, Browser())
        who = services.sessions.signed_in(opened.secret)
        services.sign_in.set_password(who, (hashes or house.process.passwords).of(GOOD))


def try_password(client, address: str, password: str):
    return send(
        client,
        "/connexion/mot-de-passe",
        {"adresse": address, "mot-de-passe": password},
        seen_on="/connexion",
    )


def test_a_password_opens_a_session(house: House):
    give_password(house)
    client = house.client()
    assert try_password(client, " Le.Goff@exemple.fr", GOOD).status_code == 303
    assert client.get("/gestion").status_code == 303


def test_the_answer_does_not_tell_who_has_a_password(house: House):
    give_password(house)
    pages = []
    for address in (TRAINER, "œuvrard@exemple.fr", "personne@exemple.fr"):
        answer = try_password(house.client(), address, "faux mot de passe")
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


def test_an_unknown_address_costs_as_much_work_as_a_known_one(house: House):
    hashes = house.process.passwords = CountingHashes()
    give_password(house)
    for address in (TRAINER, "personne@exemple.fr"):
        try_password(house.client(), address, "faux mot de passe")
    assert hashes.compared == [True, False]


class FullHashes(PasswordHashes):
    """As many passwords are verified as may be."""

    def __init__(self) -> None:
        super().__init__(Argon2Hasher(**QUICK))
        self.is_full = True

    def _turn(self):
        self._slots = Slots(0 if self.is_full else 1, waiting=0, seconds=0)
        return super()._turn()


def test_whoever_finds_no_slot_is_told_so_and_keeps_their_address(house: House):
    give_password(house)
    hashes = house.process.passwords = FullHashes()
    client = house.client()
    answer = try_password(client, TRAINER, GOOD)
    assert answer.status_code == 429
    assert "Trop de mots de passe sont vérifiés en ce moment." in answer.text
    assert f'value="{TRAINER}"' in answer.text
    assert GOOD not in answer.text
    assert ("mistype", "password") not in house_history(house), "nothing was compared"
    hashes.is_full = False
    assert try_password(client, TRAINER, GOOD).status_code == 303


def test_confirming_and_choosing_a_password_wait_no_longer(house: House):
    give_password(house)
    client = house.client(house.trainer)
    hashes = house.process.passwords = FullHashes()
    typed = {"mot-de-passe": GOOD}
    confirmed = send(client, "/confirmer/mot-de-passe", typed, seen_on="/confirmer")
    chosen = send(client, "/compte/mot-de-passe", typed, seen_on="/compte/mot-de-passe")
    for answer in (confirmed, chosen):
        assert answer.status_code == 429
        assert "Trop de mots de passe sont vérifiés en ce moment." in answer.text
    hashes.is_full = False
    assert send(client, "/confirmer/mot-de-passe", typed, seen_on="/confirmer").status_code == 303


def test_a_hash_of_older_parameters_is_renewed(house: House):
    give_password(house, PasswordHashes(Argon2Hasher(time_cost=2, memory_cost=8, parallelism=1)))
    with house.unit_of_work(reading=True) as services:
        before = services.sign_in.password_of(house.trainer.id)
    assert before
    assert "t=2" in before.hash
    assert try_password(house.client(), TRAINER, GOOD).status_code == 303
    with house.unit_of_work(reading=True) as services:
        after = services.sign_in.password_of(house.trainer.id)
    assert after
    assert "t=1" in after.hash
    assert try_password(house.client(), TRAINER, GOOD).status_code == 303


def test_a_new_password_ends_the_sessions_opened_before(house: House):
    other = house.client(house.trainer)
    give_password(house)
    assert other.get("/gestion").status_code == 401


def test_a_wrong_password_is_written_down_without_it(house: House):
    give_password(house)
    try_password(house.client(), TRAINER, "faux mot de passe")
    entries = house_history(house)
    assert ("mistype", "password") in entries


def house_history(house: House) -> list[tuple[str, str]]:
    from sqlalchemy import text

    with house.owner.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT action, noun FROM history_entry"))]


def test_the_hashes_of_the_house_are_argon2id():
    kept = PasswordHashes().of(GOOD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert PasswordHashes().compare(GOOD, kept) == (True, None)


def test_a_megabyte_is_no_password_and_takes_no_longer():
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
def test_long_and_unlikely_passwords_are_good(password: str):
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
