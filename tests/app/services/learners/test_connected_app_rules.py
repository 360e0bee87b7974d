"""Applications that learners connect: a parent agrees first; connections end with the sessions of the account."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import pytest

from app.adapters.accounts import limits_in
from app.domain.accounts.rate_limits import LIMITS, Limit
from app.domain.accounts.sessions import Proof
from app.domain.learners.connected_apps import (
    AppScope,
    RegistrationRefused,
    TokenRefusal,
    read_registration,
    registration_answer,
)
from app.domain.learners.wallet_authorization import is_redirect
from app.domain.people import AgeGroup, Person
from app.domain.people.consents import ParentNeeded
from app.domain.publishing import BADGES_API
from app.errors import NotSignedIn
from app.services.accounts.sessions import Browser
from sceau_credentials.values import dump_json
from tests.app.api.clients import (
    REGISTRATION,
    V1,
    anybody,
    application,
    authorization,
    code_for,
    connected,
    program,
    redemption,
    registered,
)
from tests.app.services.people.test_guardians import asked
from tests.support.app import COMMAND, App
from tests.support.badges.credentials import NOON


def holder(app: App) -> tuple[Person, uuid.UUID]:
    award_id = app.award(f"Zoé N’Diaye; zoe.{uuid.uuid4().hex[:8]}@exemple.fr").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        return services.awards.record(award_id).person, award_id


def reads(app: App, tokens: Mapping[str, Any]) -> bool:
    with app.unit_of_work(reading=True) as services:
        try:
            services.connected_apps.access(tokens["access_token"], AppScope.READ)
        except NotSignedIn:
            return False
        return True


def protect(app: App, person: Person) -> None:
    with app.unit_of_work() as services:
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)


def grants(app: App, person: Person) -> Sequence[object]:
    with app.unit_of_work(reading=True) as services:
        return services.connected_apps.connected(person.id)


def test_child_connects_with_a_parents_agreement_alone(app: App) -> None:
    person, award_id = holder(app)
    protect(app, person)
    with app.unit_of_work(reading=True) as services:
        person = services.stores.people.get(person.id)
    with pytest.raises(ParentNeeded):
        code_for(app, registered(app), person)
    token = asked(app, award_id)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
    got = connected(app, person)
    assert reads(app, got)
    app.clock.move(minutes=1)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=False)
    assert not reads(app, got)
    assert grants(app, person) == []


def test_protection_of_a_child_ends_connections_and_tokens_they_left(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    person, _award_id = holder(app)
    registration = registered(app)
    got, code = connected(app, person, registration=registration), code_for(app, registered(app), person)
    with monkeypatch.context() as patch, app.unit_of_work() as services:
        patch.setattr(type(services.stores.connected_apps), "end_all_of", lambda *_: None)
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
    assert code
    assert not reads(app, got)
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    with app.unit_of_work() as services:
        client = services.connected_apps.client(registration["client_id"], registration["client_secret"])
        assert client is not None
        assert services.connected_apps.tokens(client, form) is TokenRefusal.INVALID_GRANT
    protect(app, person)


def test_new_consent_ends_earlier_tokens_before_its_code_is_used(app: App) -> None:
    person, _award_id = holder(app)
    registration = registered(app)
    got = connected(app, person, registration=registration)
    code_for(app, registration, person, AppScope.PROFILE)
    assert not reads(app, got)
    assert len(grants(app, person)) == 1


@pytest.mark.parametrize("way", ["everywhere", "others", "password"])
def test_applications_end_with_the_sessions_of_the_account(app: App, way: str) -> None:
    person, _award_id = holder(app)
    got = connected(app, person)
    with app.unit_of_work() as services:
        opened = services.sessions.enter(person.id, Proof.PASSWORD, Browser())
        who = services.sessions.signed_in(opened.secret)
        if way == "password":
            services.sign_in.set_password(who, "x")
        else:
            services.sessions.end_all(who, but_this=way == "others")
    assert not reads(app, got)


def test_person_is_informed_of_a_connection(app: App) -> None:
    person, _award_id = holder(app)
    with app.unit_of_work() as services:
        address = services.stores.people.addresses_of([person.id])[person.id]
        services.stores.own_addresses.verify(person, address, at=app.clock())
    code_for(app, registered(app), person)
    for envelope in app.process.post.due():
        app.process.post.send(envelope)
    letter = next(each for each in reversed(app.letters.letters) if each.to == address)
    assert f"{REGISTRATION['client_name']} (portefeuille.exemple.fr)" in letter.text


def test_badge_verified_while_the_learner_disconnects_is_not_added(app: App) -> None:
    person, _award_id = holder(app)
    token = connected(app, person)["access_token"]
    with app.unit_of_work() as services:
        access = services.connected_apps.access(token, AppScope.ADD)
        services.connected_apps.disconnect(person.id, access.grant.app_id, by=COMMAND)
    with app.unit_of_work() as services, pytest.raises(NotSignedIn):
        services.connected_apps.add(access, None)  # type: ignore[arg-type]


_VALUES: Final[tuple[Any, ...]] = (
    None, True, 0, 1.5, "", "x", "\ud800", [], [None], [[]], [["x"]], [{}], [0], {}, {"a": []},
)  # fmt: skip


@pytest.mark.parametrize(
    "member", [*REGISTRATION, "token_endpoint_auth_method", "grant_types", "response_types"]
)
def test_registration_answers_or_refuses_every_type_of_member(member: str) -> None:
    for value in _VALUES:
        try:
            registration = read_registration(
                REGISTRATION | {member: value}, secret_digest="", registered_itself=True, at=NOON
            )
        except RegistrationRefused:
            continue
        assert dump_json(registration_answer(registration, "x"))


@pytest.mark.parametrize("token", ["", "a" * 43, "x"])
def test_failed_tokens_of_applications_leave_programs_and_other_learners_alone(
    app: App, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr(app.process, "limiter", limits_in("memory://", b"key"))
    person, _award_id = holder(app)
    learner, campus, failing = application(app, person, AppScope.READ), program(app), anybody(app)
    if token:
        failing.headers["authorization"] = f"Bearer {token}"
    last = [failing.get(f"{BADGES_API}/credentials").status_code for _ in range(31)][-1]
    assert last == (429 if token == "x" else 401)
    assert campus.get(f"{V1}/awards").status_code == 200
    if token != "x":
        assert learner.get(f"{BADGES_API}/credentials").status_code == 200


def test_refused_grants_count_for_their_application_alone(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app.process, "limiter", limits_in("memory://", b"key"))
    monkeypatch.setitem(LIMITS, "refused grant of an application", Limit(2, timedelta(minutes=5)))
    apps, client = [registered(app) for _ in range(2)], anybody(app)

    def refused(registration: Mapping[str, Any], form: Mapping[str, str]) -> int:
        basic = (registration["client_id"], registration["client_secret"])
        return client.post(f"{BADGES_API}/token", data=form, auth=basic).status_code

    ended = {"grant_type": "refresh_token", "refresh_token": "a" * 43}
    assert [refused(apps[0], ended) for _ in range(4)] == [400] * 4
    assert [refused(apps[0], redemption("x")) for _ in range(3)] == [400, 400, 429]
    assert refused(apps[1], redemption("x")) == 400


@pytest.mark.parametrize(("registered_itself", "status"), [(True, 400), (False, 303)])
def test_erroneous_request_redirects_for_applications_of_the_operator_alone(
    app: App, *, registered_itself: bool, status: int
) -> None:
    person, _award_id = holder(app)
    registration = registered(app)
    with app.unit_of_work() as services:
        known = next(
            each for each in services.connected_apps.list_all() if str(each.id) == registration["client_id"]
        )
        known.registered_itself = registered_itself
    wrong = urlencode(authorization(registration) | {"response_type": "token"})
    answer = app.client(person).get(f"/compte/applications/autoriser?{wrong}")
    assert answer.status_code == status
    assert 'http-equiv="refresh"' not in answer.text


def test_code_of_a_child_is_not_redeemed(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    person, _award_id = holder(app)
    registration = registered(app)
    code = code_for(app, registration, person)
    with monkeypatch.context() as patch, app.unit_of_work() as services:
        patch.setattr(type(services.stores.connected_apps), "end_all_of", lambda *_: None)
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
    with app.unit_of_work() as services:
        client = services.connected_apps.client(registration["client_id"], registration["client_secret"])
        assert client is not None
        assert services.connected_apps.tokens(client, redemption(code)) is TokenRefusal.INVALID_GRANT


@pytest.mark.parametrize(
    "name", ["Sceau", "Scеau", "S c e a u", "Campus ITIP", "lTlP", "Porte-feuille de l’Académie", "P0rtefeuille de l’Academie"]
)  # fmt: skip
def test_application_that_registers_itself_takes_no_name_like_a_known_one(app: App, name: str) -> None:
    of_operator = json.loads(
        json.dumps(REGISTRATION | {"client_name": "Portefeuille de l’Académie"}).replace(
            "portefeuille.exemple.fr", "academie.exemple.fr"
        )
    )
    with app.unit_of_work() as services:
        apps = replace(
            services.connected_apps, options=replace(services.connected_apps.options, app_registration=True)
        )
        apps.register(of_operator, by_operator=True)
        with pytest.raises(RegistrationRefused, match="client_name: not like"):
            apps.register(REGISTRATION | {"client_name": name})
        assert apps.register(REGISTRATION | {"client_name": "Carnet de voyage"})["client_id"]
        assert apps.register(of_operator | {"client_name": "Portefeuille de l’Academie"})["client_id"]


@pytest.mark.parametrize(
    "host",
    [
        "0x7f.1", "0x7f000001.", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "localhost.", "exemple.fr.", "a..fr",
        ".fr", "evil.fr%2f.exemple.fr", "ex%65mple.fr", "exemple.fr;x", "*.fr", "-a.fr", "a_b.fr",
    ],
)  # fmt: skip
def test_host_reads_as_what_a_browser_opens(host: str) -> None:
    sent = json.loads(json.dumps(REGISTRATION).replace("portefeuille.exemple.fr", host))
    with pytest.raises(RegistrationRefused):
        read_registration(sent, secret_digest="", registered_itself=True, at=NOON)
    assert not is_redirect(f"https://{host}/retour")


@pytest.mark.parametrize("end", ["#", "#ici", "?a=1#"])
def test_code_is_never_in_a_fragment(end: str) -> None:
    (redirect,) = REGISTRATION["redirect_uris"]
    sent = REGISTRATION | {"redirect_uris": [redirect + end]}
    with pytest.raises(RegistrationRefused):
        read_registration(sent, secret_digest="", registered_itself=True, at=NOON)
    assert not is_redirect(redirect + end)
