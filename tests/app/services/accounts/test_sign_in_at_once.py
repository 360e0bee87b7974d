"""Concurrent sign-ins to one account, and a sign-in method removed while it is used."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.container import Services
from app.domain.accounts.sessions import Session
from app.domain.accounts.sign_in import FederatedAccount, Identity, Password
from app.domain.people import Person
from app.services.accounts.sessions import Browser, SignedIn
from app.services.accounts.sign_in import KnownPassword
from tests.app.services.accounts.test_passkeys import enrol
from tests.support.app import BASE_URL, COMMAND, App
from tests.support.databases.engines import on_postgres
from tests.support.running import at_once
from tests.support.running.at_once import Operation, done_meanwhile
from tests.support.servers.authenticator import Authenticator

pytestmark = on_postgres
ANAIS = Identity("https://service.example", "u-1789", "le.goff@exemple.fr")
ELSEWHERE = Browser("y" * 43)


@dataclass(frozen=True)
class Service:
    """A sign-in service with only the members used here."""

    name: str = "academie"
    label: str = "Compte académique"
    issuer: str = ANAIS.issuer

    def vouches_for(self, address: str) -> bool:
        return address.endswith("@exemple.fr")


def enter(identity: Identity = ANAIS) -> Operation:
    return lambda services: services.federation.enter(Service(), identity, ELSEWHERE)


def signed_in(app: App) -> SignedIn:
    with app.unit_of_work() as services:
        link = services.sign_in.make_link(app.trainer.id, by=COMMAND)
        opened = services.sign_in.by_link(link, Browser("z" * 43))
    with app.unit_of_work(reading=True) as services:
        return services.sessions.signed_in(opened.secret)


def test_two_first_sign_ins_by_a_service_open_two_sessions_of_one_account(app: App) -> None:
    assert done_meanwhile(app, enter(), enter()) == ("", "")
    with app.unit_of_work(reading=True) as services:
        (account,) = services.stores.session.exec(select(FederatedAccount)).all()
        assert account.person_id == app.trainer.id
        assert len(services.stores.session.exec(select(Session)).all()) == 2


def test_of_two_accounts_of_a_service_with_one_address_one_is_linked(app: App) -> None:
    other = Identity(ANAIS.issuer, "u-2000", ANAIS.address)
    assert sorted(done_meanwhile(app, enter(), enter(other))) == ["", "Conflict"]


def unlink(app: App, who: SignedIn) -> tuple[Operation, Operation]:
    with app.unit_of_work() as services:
        services.federation.link(who, ANAIS)
        (account,) = services.federation.list_of(who.person.id)
    no_address = Identity(ANAIS.issuer, ANAIS.subject)  # would link it again
    return enter(no_address), lambda services: services.federation.unlink(who, account.id)


def remove_passkey(app: App, who: SignedIn) -> tuple[Operation, Operation]:
    key, here = Authenticator(BASE_URL), Browser("z" * 43)
    with app.unit_of_work() as services:
        made = key.create(services.passkeys.ask_for_new(who))
        services.passkeys.enrol(who, "Téléphone", made, replace(here, here=who))
        (passkey,) = services.passkeys.list_of(who.person.id)
        key.count += 1
        response = key.get(services.passkeys.ask(ELSEWHERE))
    return (
        lambda services: services.passkeys.answer(response, ELSEWHERE),
        lambda services: services.passkeys.remove(who, passkey.id),
    )


def _with_password(app: App, who: SignedIn) -> Operation:
    with app.unit_of_work() as services:
        services.sign_in.set_password(who, "$argon2id$one")
    with app.unit_of_work(reading=True) as services:
        known = services.sign_in.password_of(who.person.id)
    assert known is not None
    return lambda services: services.sign_in.by_password(known, ELSEWHERE, newer_hash=None)


def replace_password(app: App, who: SignedIn) -> tuple[Operation, Operation]:
    by_password = _with_password(app, who)
    return by_password, lambda services: services.sign_in.set_password(who, "$argon2id$other")


def drop_password(app: App, who: SignedIn) -> tuple[Operation, Operation]:
    return _with_password(app, who), lambda services: services.sign_in.drop_password(who)


FORMER, NEW = "le.goff@exemple.fr", "anais@exemple.fr"


def _two_addresses(app: App, who: SignedIn) -> str:
    """The secret of a link sent to the first of two addresses."""
    with app.unit_of_work() as services:
        own = services.own_addresses.own
        for address in (FORMER, NEW):
            own.people.add_address(who.person, address)
            own.verify(who.person, address, at=app.clock())
        return services.sign_in.make_link(
            who.person.id, by=COMMAND, browser_digest=ELSEWHERE.digest, address=FORMER
        )


def remove_address(app: App, who: SignedIn) -> tuple[Operation, Operation]:
    secret = _two_addresses(app, who)
    return (
        lambda services: services.sign_in.by_link(secret, ELSEWHERE),
        lambda services: services.own_addresses.remove(who, FORMER),
    )


def remove_address_beside_code(app: App, who: SignedIn) -> tuple[Operation, Operation]:
    secret = _two_addresses(app, who)
    with app.unit_of_work(reading=True) as services:
        code = services.sign_in.code_for(secret, Browser("x" * 43))
    return (
        lambda services: services.sign_in.by_code(code, ELSEWHERE),
        lambda services: services.own_addresses.remove(who, FORMER),
    )


STOPS = {
    "before it opens": re.compile(r"\s*INSERT INTO session\b"),
    "before it holds them": re.compile(r"\s*SELECT person\.id\b.*FOR NO KEY UPDATE", re.DOTALL),
}
WAYS = [unlink, remove_passkey, replace_password, drop_password, remove_address, remove_address_beside_code]


@pytest.mark.parametrize("way", WAYS, ids=lambda each: each.__name__)
@pytest.mark.parametrize("stops", ["before it writes", "before it opens", "before it holds them"])
@pytest.mark.parametrize("is_used_first", [True, False])
def test_removed_sign_in_method_leaves_no_session_opened_meanwhile(
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    way: Callable[[App, SignedIn], tuple[Operation, Operation]],
    stops: str,
    is_used_first: bool,
) -> None:
    who = signed_in(app)
    use, take_away = way(app, who)
    if stops in STOPS:
        monkeypatch.setattr(at_once, "_WRITES", STOPS[stops])
    both = (use, take_away) if is_used_first else (take_away, use)
    refusals: set[str] = set(done_meanwhile(app, *both)) - {""}
    assert refusals <= {"NotSignedIn", "Conflict", "Unlinked", "PasskeyRefused"}
    with app.unit_of_work(reading=True) as services:
        assert services.stores.session.exec(select(Session.id)).all() == [who.session.id]
        own = {each.address for each in services.own_addresses.list_of(who.person.id)}
    assert own == ({NEW} if NEW in own else {FORMER})


def by_service(app: App, zoe: Person) -> Operation:
    account = FederatedAccount(
        person_id=zoe.id, issuer=ANAIS.issuer, subject=ANAIS.subject, linked_at=app.clock()
    )
    with app.unit_of_work() as services:
        services.stores.session.add(account)
    return enter(Identity(ANAIS.issuer, ANAIS.subject))


def by_password(app: App, zoe: Person) -> Operation:
    with app.unit_of_work() as services:
        services.stores.session.add(Password(person_id=zoe.id, hash="$argon2id$one", set_at=app.clock()))
    known = KnownPassword(zoe.id, "$argon2id$one")
    return lambda services: services.sign_in.by_password(known, ELSEWHERE, newer_hash="$argon2id$two")


def by_passkey(app: App, zoe: Person) -> Operation:
    key = Authenticator(BASE_URL)
    enrol(app, zoe, key)
    key.count += 1
    with app.unit_of_work() as services:
        services.sessions.sessions.end_all_of(zoe.id)
        response = key.get(services.passkeys.ask(ELSEWHERE))
    return lambda services: services.passkeys.answer(response, ELSEWHERE)


@pytest.mark.parametrize("way_in", [by_service, by_password, by_passkey], ids=lambda each: each.__name__)
@pytest.mark.parametrize("end", ["erase", "merge"])
@pytest.mark.parametrize("stops", ["before it writes", "before it opens"])
@pytest.mark.parametrize("is_used_first", [True, False])
def test_person_erased_or_merged_while_signing_in_leaves_no_session(
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    way_in: Callable[[App, Person], Operation],
    end: str,
    stops: str,
    is_used_first: bool,
) -> None:
    app.record("Zoé Martin;zoe@exemple.fr", "Lou Martin")
    with app.unit_of_work(reading=True) as services:
        (_, lou), (_, zoe) = sorted(
            services.activities.page(app.campus, app.activity.id).participants,
            key=lambda pair: pair[1].given_name,
        )
    enters = way_in(app, zoe)

    def remove(services: Services) -> None:
        if end == "erase":
            services.erasures.process_chunk(app.campus, zoe.id, "Demandé.", by=COMMAND)
        else:
            services.merging.merge_in_campus(app.campus, lou.id, zoe.id, "Même personne.", by=COMMAND)

    if stops in STOPS:
        monkeypatch.setattr(at_once, "_WRITES", STOPS[stops])
    done_meanwhile(app, *((enters, remove) if is_used_first else (remove, enters)))
    with Transaction(app.owner) as everything:
        assert zoe.id not in everything.exec(select(Session.person_id)).all()
