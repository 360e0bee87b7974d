"""Each proved address of an account is notified when a sign-in method is added, changed or removed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.container import Services
from app.domain.accounts.sign_in import Identity, Password, address_code
from app.domain.campus.audit_log import Actor
from app.domain.people import Person, Role
from app.errors import Conflict, NotSignedIn
from app.services.accounts.sessions import Browser, SignedIn
from tests.support.app import BASE_URL, COMMAND, App
from tests.support.servers.authenticator import Authenticator

MAIN, SECOND, LISTED = "le.goff@exemple.fr", "anais@maison.example", "anais@liste.example"
ELSEWHERE = Identity(issuer="https://idp.example", subject="u-1789")


@pytest.fixture
def trainer(app: App) -> Person:
    """A trainer with two proved addresses and one from a list."""
    with app.unit_of_work() as services:
        for address in (SECOND, LISTED):
            services.stores.people.add_address(app.trainer, address)
        for address in (MAIN, SECOND):
            services.stores.own_addresses.verify(app.trainer, address, at=app.clock())
    return app.trainer


def enter(app: App, person: Person) -> str:
    with app.unit_of_work() as services:
        secret = services.sign_in.make_link(person.id, by=COMMAND)
        return services.sign_in.by_link(secret, Browser()).secret


def sent_letters(app: App) -> list[tuple[str, str]]:
    """Address and subject of the letters sent since the last call."""
    post = app.process.post
    for envelope in post.due():
        post.send(envelope)
    left = [(letter.to, letter.subject) for letter in app.letters.letters]
    app.letters.letters.clear()
    return sorted(left)


def read(app: App) -> str:
    """The text of the letters sent to the main address since the last call."""
    post = app.process.post
    for envelope in post.due():
        post.send(envelope)
    left = [letter for letter in app.letters.letters if letter.to == MAIN]
    app.letters.letters.clear()
    assert not any("<b>" in letter.html for letter in left), "a name is text"
    return "\n".join(letter.text for letter in left).replace("\u00a0", " ").replace("\u202f", " ")


def both(subject: str) -> list[tuple[str, str]]:
    return [(SECOND, subject), (MAIN, subject)]


def as_trainer(app: App, trainer: Person, action: Callable[[Services, SignedIn], object]) -> None:
    secret = enter(app, trainer)
    with app.unit_of_work() as services:
        action(services, services.sessions.signed_in(secret))


def test_each_proved_address_is_notified_of_a_new_changed_and_removed_password(app: App, trainer: Person):
    as_trainer(app, trainer, lambda services, who: services.sign_in.set_password(who, "first hash"))
    assert sent_letters(app) == both("Votre compte a maintenant un mot de passe")
    as_trainer(app, trainer, lambda services, who: services.sign_in.set_password(who, "second hash"))
    assert sent_letters(app) == both("Votre mot de passe a changé")
    as_trainer(app, trainer, lambda services, who: services.sign_in.drop_password(who))
    assert sent_letters(app) == both("Votre mot de passe a été retiré")
    as_trainer(app, trainer, lambda services, who: services.sign_in.drop_password(who))
    assert sent_letters(app) == [], "there was none left to drop"


def test_new_and_removed_passkeys_are_notified(app: App, trainer: Person):
    key = Authenticator(BASE_URL)

    def enrol(services: Services, who: SignedIn) -> None:
        response = key.create(services.passkeys.ask_for_new(who))
        services.passkeys.enrol(who, "Téléphone", response, Browser(here=who))

    def remove(services: Services, who: SignedIn) -> None:
        (kept,) = services.passkeys.list_of(who.person.id)
        services.passkeys.rename(who, kept.id, "Ancien téléphone")
        services.passkeys.remove(who, kept.id)

    as_trainer(app, trainer, enrol)
    assert sent_letters(app) == both("Une clé d’accès de plus ouvre votre compte")
    as_trainer(app, trainer, remove)
    assert sent_letters(app) == both("Une clé d’accès a été retirée de votre compte")
    as_trainer(app, trainer, enrol)
    sent_letters(app)
    with app.unit_of_work() as services:
        services.passkeys.reset(trainer.id, by=Actor(app.admin.id))
    assert sent_letters(app) == both("Vos clés d’accès ont été retirées")


def test_letter_has_the_name_of_the_passkey_at_that_time(app: App, trainer: Person):
    def enrol(name: str) -> None:
        response_of = Authenticator(BASE_URL)

        def enrol_passkey(services: Services, who: SignedIn) -> None:
            response = response_of.create(services.passkeys.ask_for_new(who))
            services.passkeys.enrol(who, name, response, Browser(here=who))

        as_trainer(app, trainer, enrol_passkey)

    def remove_first(services: Services, who: SignedIn) -> None:
        kept = services.passkeys.list_of(who.person.id)[0]
        services.passkeys.rename(who, kept.id, "Ancien téléphone")
        services.passkeys.remove(who, kept.id)

    enrol("Téléphone")
    assert "La clé d’accès « Téléphone » a été enregistrée" in read(app)
    as_trainer(app, trainer, remove_first)
    assert "La clé d’accès « Ancien téléphone » a été retirée" in read(app)
    enrol("Portable & <b>bureau</b>")
    enrol("Clé USB")
    read(app)
    with app.unit_of_work() as services:
        services.passkeys.reset(trainer.id, by=Actor(app.admin.id))
    assert "toutes vos clés d’accès (« Clé USB », « Portable & <b>bureau</b> »)" in read(app)


def drop_key(services: Services, who: SignedIn) -> None:
    key = Authenticator(BASE_URL)
    response = key.create(services.passkeys.ask_for_new(who))
    services.passkeys.enrol(who, "Téléphone", response, Browser(here=who))
    (kept,) = services.passkeys.list_of(who.person.id)
    services.passkeys.remove(who, kept.id)


def drop_password(services: Services, who: SignedIn) -> None:
    services.sign_in.store.add(Password(person_id=who.person.id, hash="old", set_at=services.clock()))
    services.sign_in.drop_password(who)


def drop_service(services: Services, who: SignedIn) -> None:
    services.federation.link(who, ELSEWHERE)
    (linked,) = services.federation.list_of(who.person.id)
    services.federation.unlink(who, linked.id)


def drop_address(services: Services, who: SignedIn) -> None:
    services.own_addresses.remove(who, SECOND)


@pytest.mark.parametrize("drop", [drop_key, drop_password, drop_service, drop_address])
def test_sessions_opened_by_a_removed_sign_in_method_end(
    app: App, trainer: Person, drop: Callable[..., None]
):
    """Sessions opened before the stolen key, password, account or mailbox was removed."""
    other, here = enter(app, trainer), enter(app, trainer)
    with app.unit_of_work() as services:
        drop(services, services.sessions.signed_in(here))
    with app.unit_of_work() as services, pytest.raises(NotSignedIn):
        services.sessions.signed_in(other)
    with app.unit_of_work(reading=True) as services:
        living = services.sessions.sessions.list_living(
            trainer.id, idle=services.sessions.options.session_idle, at=services.clock()
        )
        assert len(living) == 1, "the one that did it"


def test_removal_of_an_address_that_opened_no_session_ends_none(app: App, trainer: Person):
    other, here = enter(app, trainer), enter(app, trainer)
    with app.unit_of_work() as services:
        services.own_addresses.remove(services.sessions.signed_in(here), LISTED)
    with app.unit_of_work() as services:
        assert services.sessions.signed_in(other).person.id == trainer.id


def test_letter_names_the_sign_in_service_even_if_no_longer_offered(app: App, trainer: Person):
    as_trainer(app, trainer, lambda services, who: services.federation.link(who, ELSEWHERE))
    assert "Un compte du service « idp.example » a été relié au vôtre" in read(app)

    def unlink(services: Services, who: SignedIn) -> None:
        (linked,) = services.federation.list_of(who.person.id)
        services.federation.unlink(who, linked.id)

    as_trainer(app, trainer, unlink)
    assert "Un compte du service « idp.example » n’est plus relié" in read(app)


def test_letter_about_an_address_masks_it(app: App, trainer: Person):
    def keep(services: Services, who: SignedIn) -> None:
        challenge = services.own_addresses.ask(who, LISTED)
        code = address_code(services.own_addresses.secret, challenge.id)
        services.own_addresses.confirm_by_code(who, challenge.id, code)

    as_trainer(app, trainer, keep)
    assert "L’adresse a•••@liste.example a été confirmée dans votre compte" in read(app)
    as_trainer(app, trainer, lambda services, who: services.own_addresses.make_main(who, LISTED))
    assert "L’adresse a•••@liste.example est maintenant la principale" in read(app)
    as_trainer(app, trainer, lambda services, who: services.own_addresses.remove(who, LISTED))
    text = read(app)
    assert "L’adresse a•••@liste.example a été retirée de votre compte" in text
    assert LISTED not in text


def test_listed_person_is_notified_of_the_first_confirmed_address(app: App):
    app.award(f"Petit, Zoé ; {SECOND}")
    with app.unit_of_work() as services:
        ((zoe, _),) = services.stores.own_addresses.people_at(SECOND)
        services.stores.people.add_address(zoe, MAIN)
    browser = Browser(asking="a browser")
    with app.unit_of_work() as services:
        secret = services.sign_in.make_link(zoe.id, by=COMMAND, browser_digest=browser.digest, address=SECOND)
        services.sign_in.by_link(secret, browser)
    assert "a confirmé l’adresse a•••@maison.example pour rassembler" in read(app)


def test_linked_and_unlinked_external_account_is_notified_once_each(app: App, trainer: Person):
    for _ in range(2):
        as_trainer(app, trainer, lambda services, who: services.federation.link(who, ELSEWHERE))
    assert sent_letters(app) == both("Un compte d’un autre service ouvre le vôtre")

    def unlink(services: Services, who: SignedIn) -> None:
        (linked,) = services.federation.list_of(who.person.id)
        services.federation.unlink(who, linked.id)

    as_trainer(app, trainer, unlink)
    assert sent_letters(app) == both("Un compte d’un autre service a été délié du vôtre")


def test_change_of_roles_by_an_administrator_is_notified_once(app: App, trainer: Person):
    by = Actor(app.admin.id)
    for roles in ([Role.TRAINER, Role.REVIEWER], [Role.REVIEWER, Role.TRAINER], [Role.AUDITOR]):
        with app.unit_of_work() as services:
            services.team.set_roles(app.campus, trainer.id, roles, by=by)
    assert sent_letters(app) == sorted(2 * both("Vos rôles dans un campus ont changé"))
    with app.unit_of_work() as services:
        services.team.remove(app.campus, trainer.id, by=by)
    text = read(app)
    assert f"du campus « {app.campus.name} » vous a retiré de son équipe" in text
    assert "Demandez à l’administration de ce campus" in text


def test_change_of_own_roles_is_not_notified(app: App):
    both = [Role.CAMPUS_ADMIN, Role.TRAINER]
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.admin.id, both, by=COMMAND)
    sent_letters(app)
    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.admin.id, [Role.CAMPUS_ADMIN], by=Actor(app.admin.id))
    assert sent_letters(app) == []


def test_letter_has_the_time_and_advice_but_no_secret(app: App, trainer: Person):
    as_trainer(app, trainer, lambda services, who: services.sign_in.set_password(who, "a hash like no other"))
    app.clock.move(days=1)
    post = app.process.post
    for envelope in post.due():
        post.send(envelope)
    letter = app.letters.letters[0]
    assert "24\u00a0novembre 2026 à 13\u00a0h\u00a000" in letter.text, "time of the event, not of the letter"
    assert "Ce n’était pas vous" in letter.text
    assert f"{BASE_URL}/compte\n" in letter.text
    for form in (letter.text, letter.html):
        assert "a hash like no other" not in form
        assert "/connexion/" not in form


def test_rolled_back_change_is_not_notified(app: App, trainer: Person):
    def link_and_fail(services: Services, who: SignedIn) -> None:
        services.federation.link(who, ELSEWHERE)
        raise Conflict("something else went wrong")

    with pytest.raises(Conflict):
        as_trainer(app, trainer, link_and_fail)
    assert sent_letters(app) == []


def test_the_letter_is_in_the_language_of_its_reader(app: App, trainer: Person):
    with app.unit_of_work() as services:
        kept = services.stores.people.get(trainer.id)
        kept.language = "en"
        services.stores.people.save(kept)
    as_trainer(app, trainer, lambda services, who: services.sign_in.set_password(who, "first hash"))
    assert sent_letters(app) == both("Your account now has a password")
