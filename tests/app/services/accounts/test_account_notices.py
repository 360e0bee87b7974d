"""Whoever reads an address of somebody learns that a way into the account came, changed or went."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.container import Services
from app.domain.accounts.sign_in import Identity, address_code
from app.domain.campus.audit_log import Actor
from app.domain.people import Person, Role
from app.errors import Conflict
from app.services.accounts.sessions import Browser, SignedIn
from tests.support.house import BASE_URL, COMMAND, House
from tests.support.servers.authenticator import Authenticator

MAIN, SECOND, LISTED = "le.goff@exemple.fr", "anais@maison.example", "anais@liste.example"
ELSEWHERE = Identity(issuer="https://idp.example", subject="u-1789")


@pytest.fixture
def trainer(house: House) -> Person:
    """With two addresses of her own, and one that a list wrote beside her name."""
    with house.unit_of_work() as services:
        for address in (SECOND, LISTED):
            services.stores.people.add_address(house.trainer, address)
        for address in (MAIN, SECOND):
            services.stores.own_addresses.verify(house.trainer, address, at=house.clock())
    return house.trainer


def enter(house: House, person: Person) -> str:
    with house.unit_of_work() as services:
        secret = services.sign_in.make_link(person.id, by=COMMAND)
        return services.sign_in.by_link(secret, Browser()).secret


def told(house: House) -> list[tuple[str, str]]:
    """To whom letters left since last asked, and what they are about."""
    post = house.process.post
    for envelope in post.due():
        post.send(envelope)
    left = [(letter.to, letter.subject) for letter in house.letters.letters]
    house.letters.letters.clear()
    return sorted(left)


def read(house: House) -> str:
    """What the letters to the main address say that left since last asked."""
    post = house.process.post
    for envelope in post.due():
        post.send(envelope)
    left = [letter for letter in house.letters.letters if letter.to == MAIN]
    house.letters.letters.clear()
    assert not any("<b>" in letter.html for letter in left), "a name is text"
    return "\n".join(letter.text for letter in left).replace("\u00a0", " ").replace("\u202f", " ")


def both(subject: str) -> list[tuple[str, str]]:
    return [(SECOND, subject), (MAIN, subject)]


def as_trainer(house: House, trainer: Person, action: Callable[[Services, SignedIn], object]) -> None:
    secret = enter(house, trainer)
    with house.unit_of_work() as services:
        action(services, services.sessions.signed_in(secret))


def test_a_password_that_comes_changes_and_goes_is_told_to_each_proved_address(house: House, trainer: Person):
    as_trainer(house, trainer, lambda services, who: services.sign_in.set_password(who, "first hash"))
    assert told(house) == both("Votre compte a maintenant un mot de passe")
    as_trainer(house, trainer, lambda services, who: services.sign_in.set_password(who, "second hash"))
    assert told(house) == both("Votre mot de passe a changé")
    as_trainer(house, trainer, lambda services, who: services.sign_in.drop_password(who))
    assert told(house) == both("Votre mot de passe a été retiré")
    as_trainer(house, trainer, lambda services, who: services.sign_in.drop_password(who))
    assert told(house) == [], "there was none left to drop"


def test_a_passkey_that_comes_and_goes_is_told(house: House, trainer: Person):
    key = Authenticator(BASE_URL)

    def enrol(services: Services, who: SignedIn) -> None:
        response = key.create(services.passkeys.ask_for_new(who))
        services.passkeys.enrol(who, "Téléphone", response, Browser(here=who))

    def remove(services: Services, who: SignedIn) -> None:
        (kept,) = services.passkeys.list_of(who.person.id)
        services.passkeys.rename(who, kept.id, "Ancien téléphone")
        services.passkeys.remove(who, kept.id)

    as_trainer(house, trainer, enrol)
    assert told(house) == both("Une clé d’accès de plus ouvre votre compte")
    as_trainer(house, trainer, remove)
    assert told(house) == both("Une clé d’accès a été retirée de votre compte")
    as_trainer(house, trainer, enrol)
    told(house)
    with house.unit_of_work() as services:
        services.passkeys.reset(trainer.id, by=Actor(house.admin.id))
    assert told(house) == both("Vos clés d’accès ont été retirées")


def test_the_letter_names_the_key_as_its_owner_does_and_as_it_was_called_when_it_went(
    house: House, trainer: Person
):
    def enrol(name: str) -> None:
        response_of = Authenticator(BASE_URL)

        def deed(services: Services, who: SignedIn) -> None:
            response = response_of.create(services.passkeys.ask_for_new(who))
            services.passkeys.enrol(who, name, response, Browser(here=who))

        as_trainer(house, trainer, deed)

    def remove_first(services: Services, who: SignedIn) -> None:
        kept = services.passkeys.list_of(who.person.id)[0]
        services.passkeys.rename(who, kept.id, "Ancien téléphone")
        services.passkeys.remove(who, kept.id)

    enrol("Téléphone")
    assert "La clé d’accès « Téléphone » a été enregistrée" in read(house)
    as_trainer(house, trainer, remove_first)
    assert "La clé d’accès « Ancien téléphone » a été retirée" in read(house)
    enrol("Portable & <b>bureau</b>")
    enrol("Clé USB")
    read(house)
    with house.unit_of_work() as services:
        services.passkeys.reset(trainer.id, by=Actor(house.admin.id))
    assert "toutes vos clés d’accès (« Clé USB », « Portable & <b>bureau</b> »)" in read(house)


def test_the_letter_names_the_service_even_one_that_is_offered_no_longer(house: House, trainer: Person):
    as_trainer(house, trainer, lambda services, who: services.federation.link(who, ELSEWHERE))
    assert "Un compte du service « idp.example » a été relié au vôtre" in read(house)

    def unlink(services: Services, who: SignedIn) -> None:
        (linked,) = services.federation.list_of(who.person.id)
        services.federation.unlink(who, linked.id)

    as_trainer(house, trainer, unlink)
    assert "Un compte du service « idp.example » n’est plus relié" in read(house)


def test_the_letter_says_which_address_came_rose_or_went_and_writes_it_out_for_nobody(
    house: House, trainer: Person
):
    def keep(services: Services, who: SignedIn) -> None:
        challenge = services.own_addresses.ask(who, LISTED)
        code = address_code(services.own_addresses.secret, challenge.id)
        services.own_addresses.confirm_by_code(who, challenge.id, code)

    as_trainer(house, trainer, keep)
    assert "L’adresse a•••@liste.example a été confirmée dans votre compte" in read(house)
    as_trainer(house, trainer, lambda services, who: services.own_addresses.make_main(who, LISTED))
    assert "L’adresse a•••@liste.example est maintenant la principale" in read(house)
    as_trainer(house, trainer, lambda services, who: services.own_addresses.remove(who, LISTED))
    text = read(house)
    assert "L’adresse a•••@liste.example a été retirée de votre compte" in text
    assert LISTED not in text


def test_who_was_only_listed_reads_which_address_was_confirmed_first(house: House):
    house.award(f"Petit, Zoé ; {SECOND}")
    with house.unit_of_work() as services:
        ((zoe, _),) = services.stores.own_addresses.people_at(SECOND)
        services.stores.people.add_address(zoe, MAIN)
    browser = Browser(asking="a browser")
    with house.unit_of_work() as services:
        secret = services.sign_in.make_link(zoe.id, by=COMMAND, browser_digest=browser.digest, address=SECOND)
        services.sign_in.by_link(secret, browser)
    assert "a confirmé l’adresse a•••@maison.example pour rassembler" in read(house)


def test_an_account_elsewhere_that_is_linked_and_unlinked_is_told_once_each(house: House, trainer: Person):
    for _ in range(2):
        as_trainer(house, trainer, lambda services, who: services.federation.link(who, ELSEWHERE))
    assert told(house) == both("Un compte d’un autre service ouvre le vôtre")

    def unlink(services: Services, who: SignedIn) -> None:
        (linked,) = services.federation.list_of(who.person.id)
        services.federation.unlink(who, linked.id)

    as_trainer(house, trainer, unlink)
    assert told(house) == both("Un compte d’un autre service a été délié du vôtre")


def test_what_the_administration_did_to_somebody_s_place_is_told_to_them_once(house: House, trainer: Person):
    by = Actor(house.admin.id)
    for roles in ([Role.TRAINER, Role.REVIEWER], [Role.REVIEWER, Role.TRAINER], [Role.AUDITOR]):
        with house.unit_of_work() as services:
            services.team.set_roles(house.campus, trainer.id, roles, by=by)
    assert told(house) == sorted(2 * both("Vos rôles dans un campus ont changé"))
    with house.unit_of_work() as services:
        services.team.remove(house.campus, trainer.id, by=by)
    text = read(house)
    assert f"du campus « {house.campus.name} » vous a retiré de son équipe" in text
    assert "Demandez à l’administration de ce campus" in text


def test_who_changes_their_own_place_is_not_written_to(house: House):
    both = [Role.CAMPUS_ADMIN, Role.TRAINER]
    with house.unit_of_work() as services:
        services.team.set_roles(house.campus, house.admin.id, both, by=COMMAND)
    told(house)
    with house.unit_of_work() as services:
        services.team.set_roles(house.campus, house.admin.id, [Role.CAMPUS_ADMIN], by=Actor(house.admin.id))
    assert told(house) == []


def test_the_letter_says_when_what_to_do_and_no_secret(house: House, trainer: Person):
    as_trainer(
        house, trainer, lambda services, who: services.sign_in.set_password(who, "a hash like no other")
    )
    house.clock.move(days=1)
    told_of = house.process.post
    for envelope in told_of.due():
        told_of.send(envelope)
    letter = house.letters.letters[0]
    assert "24\u00a0novembre 2026 à 13\u00a0h\u00a000" in letter.text, "when it happened, not when it left"
    assert "Ce n’était pas vous" in letter.text
    assert f"{BASE_URL}/compte\n" in letter.text
    for form in (letter.text, letter.html):
        assert "a hash like no other" not in form
        assert "/connexion/" not in form


def test_what_is_undone_is_told_to_nobody(house: House, trainer: Person):
    def link_and_fail(services: Services, who: SignedIn) -> None:
        services.federation.link(who, ELSEWHERE)
        raise Conflict("something else went wrong")

    with pytest.raises(Conflict):
        as_trainer(house, trainer, link_and_fail)
    assert told(house) == []


def test_the_letter_is_in_the_language_of_its_reader(house: House, trainer: Person):
    with house.unit_of_work() as services:
        kept = services.stores.people.get(trainer.id)
        kept.language = "en"
        services.stores.people.save(kept)
    as_trainer(house, trainer, lambda services, who: services.sign_in.set_password(who, "first hash"))
    assert told(house) == both("Your account now has a password")
