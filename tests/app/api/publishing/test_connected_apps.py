"""Applications that learners connect: consent, one use for each secret, and only what the learner shows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.learners.connected_apps import (
    ACCESS_LIFE,
    CODE_LIFE,
    CONNECTION_LIFE,
    REFRESH_LIFE,
    AppScope,
    RegistrationRefused,
    TokenRefusal,
    identity_of,
    proves_challenge,
    read_registration,
)
from app.domain.people import Person
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound, NotSignedIn
from app.services.learners.connected_apps import AppAccess
from app.services.learners.imported_badges import Upserted
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.values import dump_json
from tests.app.api.clients import (
    REGISTRATION,
    application,
    authorization,
    code_for,
    connected,
    redemption,
    registered,
    stored,
)
from tests.app.services.learners.test_imported_badges import Elsewhere
from tests.support.app import COMMAND, App, build_app
from tests.support.badges.credentials import CREDENTIAL_ID, NOON, badge_document

API: Final = "/ims/ob/v3p0"
CREDENTIALS: Final = f"{API}/credentials"
_number = count()


def learner(app: App, *, opened: bool = True) -> tuple[Person, list[uuid.UUID]]:
    """A new person with two open pages, and the identifiers of the awards, oldest first."""
    who, ids = f"Zoé N’Diaye; zoe.apps.{next(_number)}@exemple.fr", []
    for badge, evidence in ((app.presence, ""), (app.role, "A tenu le poste de soudure.")):
        award_id = app.award(who, badge=badge, evidence=evidence).lines[0].award_id
        assert award_id is not None
        ids.append(award_id)
        app.clock.move(minutes=1)
    with app.unit_of_work() as services:
        for award_id in ids if opened else ():
            services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        return services.awards.record(ids[0]).person, ids


def access(app: App, token: str, scope: AppScope = AppScope.READ) -> AppAccess:
    with app.unit_of_work(reading=True) as services:
        return services.connected_apps.access(token, scope)


def tokens(app: App, registration: dict[str, Any], form: dict[str, str]) -> Any:
    with app.unit_of_work() as services:
        client = services.connected_apps.client(registration["client_id"], registration["client_secret"])
        assert client is not None
        return services.connected_apps.tokens(client, form)


# --- registration


@pytest.mark.parametrize(
    "changes",
    [
        {"client_name": ""},
        {"software_id": None},
        {"redirect_uris": "https://portefeuille.exemple.fr/retour"},
        {"redirect_uris": []},
        {"redirect_uris": ["https://ailleurs.exemple.fr/retour"]},
        {"redirect_uris": ["http://portefeuille.exemple.fr/retour"]},
        {"redirect_uris": ["https://portefeuille.exemple.fr/retour#ici"]},
        {"redirect_uris": ["https://moi@portefeuille.exemple.fr/retour"]},
        {"redirect_uris": ["javascript:alert(1)"]},
        {"redirect_uris": [{"a": 1}]},
        {"logo_uri": "https://images.exemple.fr/logo.png"},
        {"policy_uri": "https://127.0.0.1/donnees"},
        {"scope": "read"},
        {"scope": ""},
        {"token_endpoint_auth_method": "none"},
        {"grant_types": ["client_credentials"]},
    ],
)
def test_registration_refuses_what_the_profile_does_not_allow(changes: dict[str, Any]) -> None:
    with pytest.raises(RegistrationRefused):
        read_registration(REGISTRATION | changes, secret_digest="", registered_itself=True, at=NOON)


def test_challenge_is_the_digest_of_its_verifier() -> None:
    """The example of RFC 7636, appendix B."""
    verifier, challenge = (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
        "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    )
    assert proves_challenge(challenge, verifier)
    assert not any(
        proves_challenge(challenge, each) for each in ("", verifier[:-1], verifier + "a", "é" * 43)
    )


# --- secrets


def test_each_secret_is_valid_for_one_kind_of_use(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    code = code_for(app, registration, person)
    waiting = code_for(app, registration, learner(app)[0])
    got = tokens(app, registration, redemption(code))
    for secret in (waiting, got["refresh_token"], registration["client_secret"], code, ""):
        with pytest.raises(NotSignedIn):
            access(app, secret)
    for secret in (got["access_token"], waiting, code, registration["client_secret"]):
        form = {"grant_type": "refresh_token", "refresh_token": secret}
        assert tokens(app, registration, form) is TokenRefusal.INVALID_GRANT
    for secret in (got["access_token"], got["refresh_token"]):
        assert tokens(app, registration, redemption(secret)) is TokenRefusal.INVALID_GRANT
    assert access(app, got["access_token"]).person.id == person.id


def test_reusing_a_code_revokes_its_tokens(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    code = code_for(app, registration, person)
    got = tokens(app, registration, redemption(code))
    assert tokens(app, registration, redemption(code)) is TokenRefusal.INVALID_GRANT
    with pytest.raises(NotSignedIn):
        access(app, got["access_token"])


def test_code_is_bound_to_verifier_and_redirect_uri(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    for changes in (
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": "https://ailleurs.fr"},
    ):
        code = code_for(app, registration, person)
        assert tokens(app, registration, redemption(code, **changes)) is TokenRefusal.INVALID_GRANT
        assert tokens(app, registration, redemption(code)) is TokenRefusal.INVALID_GRANT


def test_secrets_of_one_application_are_invalid_for_another(app: App) -> None:
    person, _ids = learner(app)
    registration, other = registered(app), registered(app)
    code = code_for(app, registration, person)
    assert tokens(app, other, redemption(code)) is TokenRefusal.INVALID_GRANT
    got = tokens(app, registration, redemption(code))
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    assert tokens(app, other, form) is TokenRefusal.INVALID_GRANT
    with app.unit_of_work() as services:
        stranger = services.connected_apps.client(other["client_id"], other["client_secret"])
        assert stranger is not None
        services.connected_apps.revoke(stranger, got["refresh_token"])
        assert services.connected_apps.client(registration["client_id"], other["client_secret"]) is None
        assert services.connected_apps.client("", "") is None
    assert access(app, got["access_token"])


def test_secrets_expire_and_refreshing_prolongs_them(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    late = code_for(app, registration, person)
    app.clock.move(seconds=CODE_LIFE.total_seconds())
    assert tokens(app, registration, redemption(late)) is TokenRefusal.INVALID_GRANT
    got = connected(app, person, registration=registration)
    app.clock.move(seconds=ACCESS_LIFE.total_seconds())
    with pytest.raises(NotSignedIn):
        access(app, got["access_token"])
    refresh = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    app.clock.move(seconds=REFRESH_LIFE.total_seconds() / 2)
    got = tokens(app, registration, refresh)
    assert access(app, got["access_token"])
    app.clock.move(seconds=REFRESH_LIFE.total_seconds() - 1)
    got = tokens(app, registration, refresh | {"refresh_token": got["refresh_token"]})
    assert access(app, got["access_token"])
    app.clock.move(seconds=REFRESH_LIFE.total_seconds())
    assert (
        tokens(app, registration, refresh | {"refresh_token": got["refresh_token"]})
        is TokenRefusal.INVALID_GRANT
    )


def test_refresh_token_is_used_once_and_its_second_use_ends_the_connection(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    first = connected(app, person, registration=registration)
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = tokens(app, registration, form)
    assert second["refresh_token"] != first["refresh_token"]
    assert access(app, second["access_token"])
    assert tokens(app, registration, form) is TokenRefusal.INVALID_GRANT
    for one in (first, second):
        with pytest.raises(NotSignedIn):
            access(app, one["access_token"])
    last = form | {"refresh_token": second["refresh_token"]}
    assert tokens(app, registration, last) is TokenRefusal.INVALID_GRANT
    with app.unit_of_work() as services:
        assert services.connected_apps.connected(person.id) == []


def test_refused_scopes_do_not_consume_the_refresh_token(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    got = tokens(app, registration, redemption(code_for(app, registration, person, AppScope.READ)))
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    assert tokens(app, registration, form | {"scope": AppScope.PROFILE.value}) is TokenRefusal.INVALID_SCOPE
    assert access(app, tokens(app, registration, form)["access_token"])


def test_connection_ends_two_years_after_its_consent_however_often_it_is_refreshed(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    got = connected(app, person, registration=registration)
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    for _ in range(CONNECTION_LIFE // REFRESH_LIFE + 1):
        app.clock.move(seconds=REFRESH_LIFE.total_seconds() - 3600)
        got = tokens(app, registration, form)
        if got is TokenRefusal.INVALID_GRANT:
            break
        form["refresh_token"] = got["refresh_token"]
    assert got is TokenRefusal.INVALID_GRANT


def test_refreshing_narrows_scopes_and_never_widens_them(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    got = tokens(
        app, registration, redemption(code_for(app, registration, person, AppScope.READ, AppScope.ADD))
    )
    form = {"grant_type": "refresh_token", "refresh_token": got["refresh_token"]}
    narrow = tokens(app, registration, form | {"scope": AppScope.READ.value})
    with pytest.raises(NotAllowed):
        access(app, narrow["access_token"], AppScope.ADD)
    form["refresh_token"] = narrow["refresh_token"]
    assert tokens(app, registration, form | {"scope": AppScope.PROFILE.value}) is TokenRefusal.INVALID_SCOPE
    assert access(app, tokens(app, registration, form)["access_token"], AppScope.ADD)
    assert tokens(app, registration, {"grant_type": "password"}) is TokenRefusal.UNSUPPORTED_GRANT


def test_disconnecting_and_revoking_end_every_token(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    got = connected(app, person, registration=registration)
    with app.unit_of_work() as services:
        client = services.connected_apps.client(registration["client_id"], registration["client_secret"])
        assert client is not None
        services.connected_apps.revoke(client, got["refresh_token"])
        services.connected_apps.revoke(client, got["refresh_token"])
        assert services.connected_apps.connected(person.id) == []
    again = connected(app, person, registration=registration)
    with app.unit_of_work() as services:
        ((grant, _app),) = services.connected_apps.connected(person.id)
        services.connected_apps.disconnect(person.id, grant.app_id, by=COMMAND)
    for each in (got, again):
        with pytest.raises(NotSignedIn):
            access(app, each["access_token"])


def test_new_connection_replaces_the_former(app: App) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    former = connected(app, person, registration=registration)
    connected(app, person, registration=registration)
    with pytest.raises(NotSignedIn):
        access(app, former["access_token"])


@pytest.fixture
def shared(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def test_concurrent_redemptions_of_a_code_leave_no_connection(shared: App) -> None:
    """On both engines one succeeds, and the replays end it."""
    person, _ids = learner(shared)
    registration = registered(shared)
    code = code_for(shared, registration, person)
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(lambda _: tokens(shared, registration, redemption(code)), range(8)))
    won = [each for each in got if not isinstance(each, TokenRefusal)]
    assert len(won) == 1
    with pytest.raises(NotSignedIn):
        access(shared, won[0]["access_token"])


# --- requests


def test_unknown_application_or_redirect_gets_no_answer(app: App) -> None:
    registration = registered(app)
    with app.unit_of_work(reading=True) as services:
        with pytest.raises(NotFound):
            services.connected_apps.request({"client_id": "inconnue"})
        with pytest.raises(InvalidInput):
            services.connected_apps.request(
                authorization(registration) | {"redirect_uri": "https://ailleurs.fr"}
            )


def test_request_is_refused_with_the_codes_of_oauth(app: App) -> None:
    refused: dict[str | None, list[dict[str, str]]] = {
        "unsupported_response_type": [{"response_type": "token"}],
        "invalid_request": [{"state": ""}, {"code_challenge_method": "plain"}, {"code_challenge": "court"}],
        "invalid_scope": [{"scope": ""}, {"scope": "tout"}],
        None: [{}, {"scope": f"{AppScope.READ} offline_access"}],
    }
    registration = registered(app)
    with app.unit_of_work(reading=True) as services:
        for error, each in ((error, one) for error, many in refused.items() for one in many):
            asked = services.connected_apps.request(authorization(registration) | each)
            assert (asked.refusal and asked.refusal.value) == error, each


# --- badges


def test_only_open_badges_in_force_are_read_as_they_were_signed(app: App) -> None:
    person, (first, second) = learner(app)
    client = application(app, person, AppScope.READ)
    before = client.get(CREDENTIALS)
    assert all(stored(app, each, "json") in before.content for each in (first, second))
    with app.unit_of_work() as services:
        services.awards.set_visibility(first, Visibility.CLOSED, by=COMMAND)
    assert [each["id"] for each in client.get(CREDENTIALS).json()["credential"]] == [_address(second)]
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, second, "Attribué par erreur.", by=COMMAND)
    assert client.get(CREDENTIALS).json() == {}


def _address(award_id: uuid.UUID) -> str:
    return f"http://localhost:8000/attributions/{award_id}"


def test_pages_follow_one_another_by_their_links(app: App) -> None:
    person, ids = learner(app)
    client = application(app, person, AppScope.READ)
    page = client.get(CREDENTIALS, params={"limit": 1})
    assert page.headers["x-total-count"] == "2"
    links = page.links
    assert set(links) == {"first", "last", "next"}
    following = client.get(links["next"]["url"].removeprefix("http://localhost:8000"))
    assert set(following.links) == {"first", "last", "prev"}
    found = [each.json()["credential"][0]["id"] for each in (page, following)]
    assert found == [_address(each) for each in ids]
    since = page.json()["credential"][0]["awardedDate"]
    newer = client.get(CREDENTIALS, params={"since": since, "limit": 1})
    assert [each["id"] for each in newer.json()["credential"]] == [_address(ids[1])]
    assert "since=" in newer.links["first"]["url"]


def test_errors_are_in_the_shape_of_the_standard(app: App, world: TestClient) -> None:
    person, _ids = learner(app)
    client = application(app, person, AppScope.READ)
    answers = {
        (401, "unauthorizedrequest"): world.get(CREDENTIALS),
        (403, "forbidden"): client.get(f"{API}/profile"),
        (404, "not_found"): client.get(f"{API}/rien"),
        (405, "not_allowed"): client.delete(CREDENTIALS),
        (400, "invalid_data"): client.get(CREDENTIALS, params={"limit": 0}),
        (400, "invalid_query_parameter"): client.get(CREDENTIALS, params={"since": "hier"}),
    }
    for (status, minor), answer in answers.items():
        assert answer.status_code == status
        body = answer.json()
        assert (body["imsx_codeMajor"], body["imsx_severity"]) == ("failure", "error")
        (field,) = body["imsx_codeMinor"]["imsx_codeMinorField"]
        assert field["imsx_codeMinorFieldValue"] == minor
    assert answers[401, "unauthorizedrequest"].headers["www-authenticate"] == "Bearer"


def test_profile_has_a_different_identifier_for_each_application(app: App) -> None:
    person, _ids = learner(app)
    with app.unit_of_work() as services:
        address = services.stores.people.addresses_of([person.id])[person.id]
        services.stores.own_addresses.verify(person, address, at=app.clock())
    one, other = (application(app, person, AppScope.PROFILE).get(f"{API}/profile").json() for _ in "ab")
    assert one["id"] != other["id"]
    assert str(person.id) not in one["id"]
    assert (one["type"], one["name"], one["email"]) == (["Profile"], person.name, address)


# --- badges from elsewhere


@pytest.fixture(scope="module")
def elsewhere(app: App) -> Iterator[Elsewhere]:
    made = Elsewhere(app)
    yield made
    made.process.engine.dispose()


def _reader(elsewhere: Elsewhere, token: str) -> AppAccess:
    with elsewhere.process.unit_of_work(reading=True) as services:
        return services.connected_apps.access(token, AppScope.READ)


def _upserted(elsewhere: Elsewhere, token: str, presented: bytes) -> Upserted:
    with elsewhere.process.unit_of_work(reading=True) as services:
        apps = services.connected_apps
        allowed = apps.access(token, AppScope.ADD)
        found = apps.read_to_add(allowed, presented)
    with elsewhere.process.unit_of_work() as services:
        return services.connected_apps.add(allowed, found)


def test_newer_version_of_the_same_badge_replaces_it_byte_for_byte(app: App, elsewhere: Elsewhere) -> None:
    token = connected(app, elsewhere.person)["access_token"]
    versions = []
    for day, spelling in (
        (30, CREDENTIAL_ID),
        (29, CREDENTIAL_ID),
        (31, f" {CREDENTIAL_ID.replace('-', '%2D')}"),
    ):
        document = badge_document() | {
            "id": spelling.strip(),
            "validFrom": f"2026-0{7 if day == 31 else 6}-{day}T12:00:00Z",
        }
        versions.append(dump_json(add_proof(document, signer=elsewhere.issuer.signer, created=NOON)))
    first, older, newer = versions
    assert _upserted(elsewhere, token, first) is Upserted.CREATED
    assert _upserted(elsewhere, token, first) is Upserted.REPLACED
    assert _upserted(elsewhere, token, older) is Upserted.NOT_NEWER
    assert _upserted(elsewhere, token, newer) is Upserted.REPLACED
    with elsewhere.process.unit_of_work(reading=True) as services:
        reader = _reader(elsewhere, token)
        page = services.connected_apps.credentials(reader, limit=10, offset=0, since=None)
    assert [each for each in page.objects if each in versions] == [newer]
    # Another application reads it only once an open portfolio shows it.
    other = _reader(elsewhere, connected(app, elsewhere.person)["access_token"])
    (badge,) = elsewhere.kept()
    for is_shown, is_open in ((True, None), (True, False), (False, True), (True, True)):
        with elsewhere.process.unit_of_work() as services:
            if is_open is not None:
                services.portfolios.set_open(services.portfolios.start(elsewhere.person, []), is_open)
            services.imported_badges.show(services.imported_badges.get(badge.id), is_shown)
            page = services.connected_apps.credentials(other, limit=10, offset=0, since=None)
            read = services.connected_apps.badges_to_read(elsewhere.person, other.grant.app_id)
        assert (newer in page.objects) is (badge.title in read.titles) is bool(is_shown and is_open)
    with elsewhere.process.unit_of_work() as services:
        services.portfolios.set_open(services.portfolios.start(elsewhere.person, []), False)
    newest = badge_document() | {"id": CREDENTIAL_ID, "validFrom": "2026-08-01T12:00:00Z"}
    signed = dump_json(add_proof(newest, signer=elsewhere.issuer.signer, created=NOON))
    assert _upserted(elsewhere, token, signed) is Upserted.REPLACED
    assert [each.is_shown for each in elsewhere.kept()] == [False]


def test_a_badge_of_another_person_or_of_this_service_is_not_added(app: App, elsewhere: Elsewhere) -> None:
    token = connected(app, elsewhere.person)["access_token"]
    with pytest.raises(InvalidInput):
        _upserted(elsewhere, token, elsewhere.badge_for("autre@exemple.fr").encode())
    with pytest.raises(Conflict):
        _upserted(elsewhere, token, stored(app, learner(app)[1][0], "json"))


def test_token_and_objects_are_distinguished(elsewhere: Elsewhere) -> None:
    issued = elsewhere.issuer.issue()
    as_object, as_token = identity_of(issued.embedded.decode()), identity_of(issued.token)
    assert as_object is not None
    assert as_token is not None
    assert as_object.key == as_token.key
    assert (as_object.token, as_token.token) == ("", issued.token)
    envelope = dump_json(
        {
            "@context": "https://www.w3.org/ns/credentials/v2",
            "type": "EnvelopedVerifiableCredential",
            "id": f"data:application/vc+jwt,{issued.token}",
        }
    )
    assert identity_of(envelope.decode()) == as_token
    assert identity_of("{}") is identity_of("rien") is None


def test_forged_badge_is_refused_over_http(app: App) -> None:
    client = application(app, learner(app)[0], AppScope.ADD)
    answer = client.post(CREDENTIALS, json=badge_document())
    assert (answer.status_code, answer.json()["imsx_codeMajor"]) == (400, "failure")
    assert client.post(CREDENTIALS, content=b"x", headers={"content-type": "image/png"}).status_code == 400


# --- endpoints


def test_discovery_lists_exactly_what_is_supported(world: TestClient) -> None:
    found = world.get(f"{API}/discovery").json()
    assert found["openapi"].startswith("3.0")
    assert {each["get"]["operationId"] for each in found["paths"].values()} == {
        "getCredentials",
        "getProfile",
    }
    scheme = found["components"]["securitySchemes"]["OAuth2ACG"]
    flow = scheme["flows"]["authorizationCode"]
    assert set(flow["scopes"]) == set(AppScope)
    assert "x-imssf-registrationUrl" not in scheme
    for url in (flow["tokenUrl"], flow["authorizationUrl"], found["info"]["termsOfService"]):
        assert url.startswith("http://localhost:8000/")


def test_token_endpoint_accepts_the_secret_in_the_header_only(app: App, world: TestClient) -> None:
    person, _ids = learner(app)
    registration = registered(app)
    form = redemption(code_for(app, registration, person))
    named = {"client_id": registration["client_id"], "client_secret": registration["client_secret"]}
    assert world.post(f"{API}/token", data=form | named).json() == {"error": "invalid_client"}
    basic = (registration["client_id"], registration["client_secret"])
    got = world.post(f"{API}/token", data=form, auth=basic)
    assert got.headers["cache-control"] == "no-store"
    assert set(got.json()) == {"access_token", "token_type", "expires_in", "scope", "refresh_token"}
    ended = world.post(f"{API}/revoke", data={"token": got.json()["access_token"]}, auth=basic)
    assert ended.status_code == 200
    bearer = {"authorization": f"Bearer {got.json()['access_token']}"}
    assert world.get(CREDENTIALS, headers=bearer).status_code == 401
    assert world.post(f"{API}/revoke", data={"token": "inconnu"}, auth=basic).status_code == 200
    for body in (b"\xff", b"grant_type=a&grant_type=a"):
        assert world.post(f"{API}/token", content=body, auth=basic).json() == {"error": "invalid_request"}


def test_registration_is_closed_by_default_and_answers_with_the_secret_once(
    app: App, world: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.post(f"{API}/clients", json=REGISTRATION).status_code == 403
    allowed = app.process.settings.model_copy(update={"app_registration": True})
    monkeypatch.setattr(app.process, "settings", allowed)
    answer = world.post(f"{API}/clients", json=REGISTRATION)
    assert answer.status_code == 201
    assert {**answer.json(), **REGISTRATION} == answer.json()
    assert answer.json()["client_secret_expires_at"] == 0
    refused = world.post(f"{API}/clients", json=REGISTRATION | {"redirect_uris": []})
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_redirect_uri")
