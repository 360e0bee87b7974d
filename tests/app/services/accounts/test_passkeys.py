"""A passkey opens the account of its holder, on this site only, once for each challenge (T30)."""

from __future__ import annotations

import uuid
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.accounts.sessions import Proof, ReauthRequired
from app.domain.accounts.sign_in import CHALLENGE_LIFE, MOST_PASSKEYS, CopiedKey, Passkey, PasskeyRefused
from app.domain.campus.audit_log import HistoryEntry
from app.domain.people import Person, Role
from app.errors import Conflict, InvalidInput, NotFound, NotSignedIn
from app.services.accounts.sessions import Browser, NewSession
from tests.support.app import BASE_URL, COMMAND, App
from tests.support.running.every import for_each
from tests.support.servers.authenticator import Authenticator

PHONE = Browser(asking="a phone")


def by_link(app: App, person: Person) -> str:
    with app.unit_of_work() as services:
        secret = services.sign_in.make_link(person.id, by=COMMAND)
        return services.sign_in.by_link(secret, Browser()).secret


def enrol(app: App, person: Person, key: Authenticator, name: str = "Téléphone") -> NewSession:
    secret = by_link(app, person)
    with app.unit_of_work() as services:
        who = services.sessions.signed_in(secret)
        response = key.create(services.passkeys.ask_for_new(who))
        return services.passkeys.enrol(who, name, response, Browser(secret=secret, here=who))


def enter(app: App, key: Authenticator, *, asked: Browser = PHONE, answered: Browser = PHONE) -> Person:
    with app.unit_of_work() as services:
        question = services.passkeys.ask(asked)
    with app.unit_of_work() as services:
        opened = services.passkeys.answer(key.get(question), answered)
    with app.unit_of_work() as services:
        who = services.sessions.signed_in(opened.secret)
        assert who.session.proved_by is Proof.PASSKEY
        return who.person


@pytest.mark.parametrize(("bits", "is_taken"), [(1024, False), (2048, True)])
def test_an_rsa_passkey_has_2048_bits_or_more(app: App, bits: int, is_taken: bool):
    key = Authenticator(BASE_URL, key=rsa.generate_private_key(public_exponent=65537, key_size=bits))
    if is_taken:
        enrol(app, app.trainer, key)
        key.count += 1
        assert enter(app, key).id == app.trainer.id
    else:
        with pytest.raises(PasskeyRefused):
            enrol(app, app.trainer, key)


def passkey_actions(app: App) -> list[str]:
    with Transaction(app.owner) as everything:
        return list(everything.exec(select(HistoryEntry.action).where(HistoryEntry.noun == "passkey")).all())


@pytest.fixture
def key(app: App) -> Authenticator:
    made = Authenticator(BASE_URL)
    enrol(app, app.trainer, made)
    return made


def test_enrolled_passkey_opens_a_session_of_its_holder(app: App, key: Authenticator):
    for _ in range(2):
        key.count += 1
        assert enter(app, key).id == app.trainer.id
    with app.unit_of_work(reading=True) as services:
        (kept,) = services.passkeys.list_of(app.trainer.id)
        assert (kept.name, kept.sign_count, kept.used_at) == ("Téléphone", 3, app.clock.now)


def test_enrolment_proves_the_session_and_does_not_end_it(app: App):
    opened = enrol(app, app.trainer, Authenticator(BASE_URL))
    with app.unit_of_work() as services:
        services.sessions.check_proved(services.sessions.signed_in(opened.secret), fresh=True)
    other = by_link(app, app.trainer)
    with app.unit_of_work() as services, pytest.raises(ReauthRequired):
        services.sessions.check_proved(services.sessions.signed_in(other))


def test_passkey_without_a_counter_can_be_used_repeatedly(app: App):
    key = Authenticator(BASE_URL, count=0)
    enrol(app, app.trainer, key)
    assert [enter(app, key).id for _ in range(2)] == [app.trainer.id] * 2


def other_site(key: Authenticator) -> None:
    key.origin = "http://localhost.example:8000"


def other_key(key: Authenticator) -> None:
    key.key = Authenticator(BASE_URL).key


def nobody_checked(key: Authenticator) -> None:
    key.is_verified = False


def other_person(key: Authenticator) -> None:
    key.handle = uuid.uuid4().bytes


def unknown_key(key: Authenticator) -> None:
    key.credential_id = b"never kept here"


@pytest.mark.parametrize(
    "change", [other_site, other_key, nobody_checked, other_person, unknown_key], ids=lambda f: f.__name__
)
def test_altered_assertion_is_refused(app: App, key: Authenticator, change: Callable[[Authenticator], None]):
    key.count += 1
    change(key)
    with pytest.raises(PasskeyRefused):
        enter(app, key)


@pytest.mark.parametrize("change", [other_site, nobody_checked], ids=lambda f: f.__name__)
def test_passkey_for_another_site_or_without_user_verification_is_refused(
    app: App, change: Callable[[Authenticator], None]
):
    key = Authenticator(BASE_URL)
    change(key)
    with pytest.raises(PasskeyRefused):
        enrol(app, app.trainer, key)


@pytest.mark.parametrize("counted", [0, 1])
def test_counter_that_does_not_grow_is_refused_as_a_copy(app: App, key: Authenticator, counted: int):
    key.count = counted
    with pytest.raises(CopiedKey) as copied:
        enter(app, key)
    with app.unit_of_work() as services:
        services.passkeys.note_copy(copied.value)
    assert sorted(passkey_actions(app)) == ["enrol", "suspect_copy"]


def test_challenge_is_valid_once_in_time_and_in_its_browser(app: App, key: Authenticator):
    with pytest.raises(NotSignedIn):
        enter(app, key, answered=Browser(asking="a computer"))
    with app.unit_of_work() as services:
        question = services.passkeys.ask(PHONE)
        late = services.passkeys.ask(PHONE)
    key.count += 1
    with app.unit_of_work() as services:
        services.passkeys.answer(key.get(question), PHONE)
    key.count += 1
    with app.unit_of_work() as services, pytest.raises(NotSignedIn):
        services.passkeys.answer(key.get(question), PHONE)
    with app.unit_of_work() as services, pytest.raises(NotSignedIn):
        services.passkeys.answer(key.get({**late, "challenge": "bmV2ZXIgYXNrZWQ"}), PHONE)
    app.clock.move(seconds=CHALLENGE_LIFE.total_seconds())
    with app.unit_of_work() as services, pytest.raises(NotSignedIn):
        services.passkeys.answer(key.get(late), PHONE)


def test_enrolment_challenge_opens_no_session_and_serves_no_other_person(app: App, key: Authenticator):
    here, elsewhere = by_link(app, app.trainer), by_link(app, app.admin)
    with app.unit_of_work() as services:
        options = services.passkeys.ask_for_new(services.sessions.signed_in(here))
    key.count += 1
    with app.unit_of_work() as services, pytest.raises(NotSignedIn):
        services.passkeys.answer(key.get({**options, "rpId": "localhost"}), PHONE)
    with app.unit_of_work() as services:
        options = services.passkeys.ask_for_new(services.sessions.signed_in(here))
    with app.unit_of_work() as services:
        who, response = services.sessions.signed_in(elsewhere), Authenticator(BASE_URL).create(options)
        with pytest.raises(NotSignedIn):
            services.passkeys.enrol(who, "Clé", response, Browser())


def test_reauthentication_accepts_only_own_passkeys(app: App, key: Authenticator):
    secret = by_link(app, app.admin)
    with app.unit_of_work() as services:
        question = services.passkeys.ask(PHONE, services.sessions.signed_in(secret))
    key.count += 1
    with app.unit_of_work() as services, pytest.raises(PasskeyRefused, match="autre personne"):
        services.passkeys.answer(key.get(question), PHONE, services.sessions.signed_in(secret))


@for_each("response", ["", "{}", "[]", "null", '{"id": 3}', "\x00", '{"response": {}}'])
def test_malformed_response_is_refused(app: App, key: Authenticator, response: str):
    secret = by_link(app, app.trainer)
    with app.unit_of_work() as services:
        with pytest.raises(PasskeyRefused):
            services.passkeys.answer(response, PHONE)
        with pytest.raises(PasskeyRefused):
            services.passkeys.enrol(services.sessions.signed_in(secret), "Clé", response, Browser())


def test_passkey_is_stored_once_and_changed_only_by_its_holder(app: App, key: Authenticator):
    with pytest.raises(Conflict):
        enrol(app, app.admin, key)
    mine, theirs = by_link(app, app.trainer), by_link(app, app.admin)
    with app.unit_of_work() as services:
        who, other = services.sessions.signed_in(mine), services.sessions.signed_in(theirs)
        (kept,) = services.passkeys.list_of(who.person.id)
        with pytest.raises(NotFound):
            services.passkeys.rename(other, kept.id, "À moi")
        with pytest.raises(NotFound):
            services.passkeys.remove(other, kept.id)
        with pytest.raises(InvalidInput):
            services.passkeys.rename(who, kept.id, "  ")
        services.passkeys.rename(who, kept.id, " Clé du bureau ")
        assert [each.name for each in services.passkeys.list_of(who.person.id)] == ["Clé du bureau"]
        services.passkeys.remove(who, kept.id)
    key.count += 1
    with pytest.raises(PasskeyRefused):
        enter(app, key)


def test_number_of_passkeys_is_limited(app: App):
    secret = by_link(app, app.trainer)
    with app.unit_of_work() as services:
        for number in range(MOST_PASSKEYS):
            services.stores.passkeys.add(
                Passkey(
                    person_id=app.trainer.id, credential_id=f"{number}", public_key=b"", name="Clé",
                    created_at=app.clock.now,
                )
            )  # fmt: skip
        with pytest.raises(Conflict):
            services.passkeys.ask_for_new(services.sessions.signed_in(secret))


def test_reset_removes_passkeys_and_sessions_and_is_in_each_campus_history(app: App, key: Authenticator):
    secret = by_link(app, app.trainer)
    with app.unit_of_work() as services:
        services.team.memberships.give(app.other_campus, app.trainer, Role.REVIEWER, by=COMMAND)
    with app.unit_of_work() as services:
        services.passkeys.reset(app.trainer.id, by=COMMAND)
    assert sorted(passkey_actions(app)) == ["enrol", "reset", "reset"]
    with app.unit_of_work() as services:
        assert not services.passkeys.list_of(app.trainer.id)
        with pytest.raises(NotSignedIn):
            services.sessions.signed_in(secret)
        with pytest.raises(Conflict):
            services.passkeys.reset(app.trainer.id, by=COMMAND)
    again = by_link(app, app.trainer)
    with app.unit_of_work() as services:
        services.sessions.check_proved(services.sessions.signed_in(again), fresh=True)
