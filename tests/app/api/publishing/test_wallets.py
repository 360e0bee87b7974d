"""The endpoints for wallets as a wallet uses them: metadata at well-known paths, answers and errors of the protocol."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from app.domain.learners.wallets import AUTHORIZATION_CODE, PRE_AUTHORIZED, WalletFormat
from app.domain.people import AgeGroup
from app.domain.people.consents import parent_token
from app.language import known_locales
from app.services.learners import wallet_authorization as wallet_consents
from app.services.learners.wallets import OfferShown
from sceau_credentials.keys import Signer, VerificationKey
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, verify_jws
from sceau_credentials.values import JsonObject
from tests.app.api.clients import open_award, stored
from tests.support.app import COMMAND, App

BASE = "http://localhost:8000"
ISSUER = f"{BASE}/campus/itip"
PLACE = "/campus/itip/portefeuille"
FORM = "application/x-www-form-urlencoded"


def offered(app: App, award_id: uuid.UUID, wanted: WalletFormat) -> OfferShown:
    with app.unit_of_work() as services:
        return services.wallets.offer(services.awards.record(award_id), wanted)


def form_of(offer: OfferShown) -> dict[str, str]:
    (content,) = parse_qs(urlsplit(offer.by_value).query)["credential_offer"]
    code = json.loads(content)["grants"][PRE_AUTHORIZED]["pre-authorized_code"]
    return {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": code, "tx_code": offer.typed}


def test_metadata_is_at_the_well_known_paths_and_names_itself(world: TestClient) -> None:
    issuer = world.get("/.well-known/openid-credential-issuer/campus/itip").json()
    server = world.get("/.well-known/oauth-authorization-server/campus/itip").json()
    keys = world.get("/.well-known/jwt-vc-issuer/campus/itip").json()
    assert (issuer["credential_issuer"], server["issuer"], keys["issuer"]) == (ISSUER, ISSUER, ISSUER)
    assert issuer["authorization_servers"] == [ISSUER]
    supported = issuer["credential_configurations_supported"]
    assert {each["format"] for each in supported.values()} == {each.value for each in WalletFormat}
    assert server["grant_types_supported"] == [AUTHORIZATION_CODE, PRE_AUTHORIZED, "refresh_token"]
    assert all(each["scope"] in server["scopes_supported"] for each in supported.values())
    for name in ("authorization_endpoint", "pushed_authorization_request_endpoint", "token_endpoint"):
        assert server[name].startswith(f"{ISSUER}/portefeuille/")
    (kept,) = [each for each in supported.values() if each["format"] == "dc+sd-jwt"]
    assert kept["vct"] == world.get("/types/badge").json()["vct"] == f"{BASE}/types/badge"
    published = world.get("/.well-known/jwks.json").json()["keys"]
    assert all(each in published for each in keys["jwks"]["keys"])
    assert issuer["batch_credential_issuance"]["batch_size"] > 1
    assert set(kept["proof_types_supported"]) == {"jwt", "di_vp"}
    for name in (
        "credential_endpoint",
        "deferred_credential_endpoint",
        "nonce_endpoint",
        "notification_endpoint",
    ):
        assert issuer[name].startswith(f"{ISSUER}/portefeuille/")
    for kind in ("openid-credential-issuer", "oauth-authorization-server", "jwt-vc-issuer"):
        assert world.get(f"/.well-known/{kind}/campus/rien").status_code == 404
        headers = world.get(f"/.well-known/{kind}/campus/itip").headers
        assert headers["content-type"] == "application/json"
        assert headers["access-control-allow-origin"] == "*"


def test_metadata_is_signed_by_the_campus_for_wallets_that_ask_for_it(app: App, world: TestClient) -> None:
    where = "/.well-known/openid-credential-issuer/campus/itip"
    plain = world.get(where)
    for accept in ("application/jwt", "application/jwt, application/json"):
        signed = world.get(where, headers={"accept": accept})
        assert (signed.headers["content-type"], signed.headers["vary"]) == ("application/jwt", "Accept")
        jws = parse_compact_jws(signed.text)
        keys = world.get("/.well-known/jwt-vc-issuer/campus/itip").json()["jwks"]["keys"]
        (key,) = [each for each in keys if each["kid"] == jws.kid]
        verify_jws(jws, VerificationKey.from_jwk(key), kinds=("openidvci-issuer-metadata+jwt",))
        assert (jws.payload["sub"], jws.payload["iat"]) == (
            ISSUER,
            int(app.clock().timestamp()) // 300 * 300,
        )
        assert jws.payload == jws.payload | plain.json()
    for accept in ("*/*", "application/json", "application/jwt;q=0.5, application/json"):
        assert world.get(where, headers={"accept": accept}).headers["content-type"] == "application/json"


def test_metadata_of_the_authorization_server_contains_itself_signed(app: App, world: TestClient) -> None:
    plain = world.get("/.well-known/oauth-authorization-server/campus/itip").json()
    jws = parse_compact_jws(plain.pop("signed_metadata"))
    keys = world.get("/.well-known/jwt-vc-issuer/campus/itip").json()["jwks"]["keys"]
    (key,) = [each for each in keys if each["kid"] == jws.kid]
    verify_jws(jws, VerificationKey.from_jwk(key), kinds=("JWT",))
    at = int(app.clock().timestamp()) // 300 * 300
    assert jws.payload == plain | {"iss": jws.payload["iss"], "iat": at}
    assert str(jws.payload["iss"]).startswith("did:web:")


def test_metadata_is_signed_once_in_five_minutes(
    app: App, world: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed: list[str] = []
    signing = wallet_consents.sign_claims

    def noted(claims: JsonObject, *, signer: Signer, kind: str) -> str:
        signed.append(kind)
        return signing(claims, signer=signer, kind=kind)

    monkeypatch.setattr(wallet_consents, "sign_claims", noted)
    app.clock.move(minutes=7, seconds=3)
    for query in range(4):
        world.get(f"/.well-known/oauth-authorization-server/campus/itip?x={query}")
        world.get(
            f"/.well-known/openid-credential-issuer/campus/itip?x={query}",
            headers={"accept": "application/jwt"},
        )
    assert sorted(signed) == ["JWT", "openidvci-issuer-metadata+jwt"]


@pytest.mark.parametrize("accept", ["application/json", "application/jwt"])
def test_metadata_names_campus_and_badge_in_every_language_for_every_client(
    world: TestClient, accept: str
) -> None:
    where = "/.well-known/openid-credential-issuer/campus/itip"
    french, english = (
        world.get(where, headers={"accept": accept, "accept-language": each}).text for each in ("fr", "en")
    )
    assert french == english
    metadata = json.loads(french) if accept.endswith("json") else parse_compact_jws(french).payload
    assert [each["locale"] for each in metadata["display"]] == [*known_locales()]
    for each in metadata["credential_configurations_supported"].values():
        names = {shown["locale"]: shown["name"] for shown in each["credential_metadata"]["display"]}
        assert (names["fr"], names["en"]) == ("Badge du campus ITIP", "Badge of the campus ITIP")
        assert names.keys() == set(known_locales())


WEB = {"origin": "https://portefeuille.exemple"}


@pytest.mark.parametrize("endpoint", ["jeton", "demande", "nonce", "attestation", "differee", "notification"])
def test_wallet_that_is_a_web_page_may_call_every_endpoint(world: TestClient, endpoint: str) -> None:
    asked = WEB | {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,dpop",
    }
    allowed = world.options(f"{PLACE}/{endpoint}", headers=asked)
    assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "*")
    names = {each.strip().lower() for each in allowed.headers["access-control-allow-headers"].split(",")}
    assert names >= {"authorization", "content-type", "dpop"}
    assert "POST" in allowed.headers["access-control-allow-methods"]
    answer = world.post(f"{PLACE}/{endpoint}", headers=WEB)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "WWW-Authenticate" in answer.headers["access-control-expose-headers"]


def test_type_of_badges_names_its_claims_in_every_language(world: TestClient) -> None:
    kind = world.get("/types/badge").json()
    assert {each["locale"] for each in kind["display"]} >= {"fr", "en"}
    (name,) = [each for each in kind["claims"] if each["path"] == ["awardedDate"]]
    assert {each["locale"]: each["label"] for each in name["display"]}["fr"] == "Attribué le"


def test_stored_badge_passes_through_byte_for_byte(app: App, world: TestClient) -> None:
    award_id = open_award(app)
    offer = offered(app, award_id, WalletFormat.EMBEDDED)
    (where,) = parse_qs(urlsplit(offer.by_reference).query)["credential_offer_uri"]
    by_reference = world.get(where.removeprefix(BASE))
    assert by_reference.headers["cache-control"] == "no-store"
    assert form_of(offer)["pre-authorized_code"] in by_reference.text
    answer = world.post(f"{PLACE}/jeton", data=form_of(offer))
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 600)
    assert world.get(where.removeprefix(BASE)).status_code == 404
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    body = {"credential_configuration_id": WalletFormat.EMBEDDED.configuration}
    got = world.post(f"{PLACE}/attestation", json=body, headers=bearer)
    assert stored(app, award_id, "json") in got.content
    note = {"notification_id": got.json()["notification_id"], "event": "credential_accepted"}
    assert world.post(f"{PLACE}/notification", json=note, headers=bearer).status_code == 204
    again = world.post(f"{PLACE}/attestation", json=body, headers=bearer)
    assert again.json()["credentials"] == got.json()["credentials"]


@pytest.mark.parametrize(
    ("path", "sent", "status", "error"),
    [
        ("jeton", {"data": {}}, 400, "invalid_request"),
        ("jeton", {"content": b"\xff\xfe"}, 400, "invalid_request"),
        ("jeton", {"content": b"grant_type=a&grant_type=a"}, 400, "invalid_request"),
        ("jeton", {"content": b"&".join([b"a=b"] * 40)}, 400, "invalid_request"),
        ("jeton", {"data": {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        (
            "jeton",
            {"data": {"grant_type": PRE_AUTHORIZED, "pre-authorized_code": "x", "tx_code": "1"}},
            400,
            "invalid_grant",
        ),
        ("attestation", {"content": b"["}, 401, "invalid_token"),
        ("attestation", {"json": {}}, 401, "invalid_token"),
        ("differee", {"json": {"transaction_id": "x"}}, 401, "invalid_token"),
        ("notification", {"content": b""}, 401, "invalid_token"),
        ("notification", {"json": {}}, 401, "invalid_token"),
    ],
)
def test_refusals_are_those_of_the_protocol(
    world: TestClient, path: str, sent: dict[str, object], status: int, error: str
) -> None:
    answer = world.post(f"{PLACE}/{path}", **sent)  # type: ignore[arg-type]
    assert answer.status_code == status
    assert answer.json().keys() == {"error", "error_description"}
    assert answer.json()["error"] == error
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    ("path", "content", "error"),
    [
        ("attestation", b"[", "invalid_credential_request"),
        ("notification", b"", "invalid_notification_request"),
    ],
)
def test_unreadable_requests_with_a_valid_token_are_refused(
    app: App, world: TestClient, path: str, content: bytes, error: str
) -> None:
    offer = offered(app, open_award(app), WalletFormat.EMBEDDED)
    token = world.post(f"{PLACE}/jeton", data=form_of(offer)).json()["access_token"]
    bearer = {"authorization": f"Bearer {token}"}
    answer = world.post(f"{PLACE}/{path}", content=content, headers=bearer)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_badge_that_is_being_signed_is_fetched_later(app: App, world: TestClient) -> None:
    award_id = open_award(app)
    token = world.post(f"{PLACE}/jeton", data=form_of(offered(app, award_id, WalletFormat.EMBEDDED))).json()
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    with app.unit_of_work() as services:
        services.awards.record(award_id).award.align_due_at = app.clock()
    body = {"credential_configuration_id": WalletFormat.EMBEDDED.configuration}
    answer = world.post(f"{PLACE}/attestation", json=body, headers=bearer)
    assert (answer.status_code, answer.headers["cache-control"]) == (202, "no-store")
    waiting = answer.json()
    assert waiting.keys() == {"transaction_id", "interval"}
    named = {"transaction_id": waiting["transaction_id"]}
    early = world.post(f"{PLACE}/differee", json=named, headers=bearer)
    assert (early.status_code, early.json()["error"]) == (429, "slow_down")
    assert early.headers["retry-after"] == str(waiting["interval"])
    app.clock.move(seconds=waiting["interval"])
    again = world.post(f"{PLACE}/differee", json=named, headers=bearer)
    assert (again.status_code, again.json()) == (202, waiting)
    app.clock.move(seconds=waiting["interval"])
    app.process.align_award(award_id)
    got = world.post(f"{PLACE}/differee", json=named, headers=bearer)
    assert stored(app, award_id, "json") in got.content
    after = world.post(f"{PLACE}/differee", json=named, headers=bearer)
    assert (after.status_code, after.json()["error"]) == (400, "invalid_transaction_id")


def test_long_bodies_and_unknown_paths_are_refused(world: TestClient) -> None:
    for path in ("jeton", "attestation", "differee", "notification"):
        assert world.post(f"{PLACE}/{path}", content=b"x" * 40_000).status_code == 413
        assert world.post(f"/campus/rien/portefeuille/{path}", json={}).status_code in (400, 404)
    assert world.post("/campus/rien/portefeuille/nonce").status_code == 404
    assert world.get(f"{PLACE}/offres/x").status_code == 404


def test_nonces_differ_and_are_not_stored_by_caches(world: TestClient) -> None:
    answers = [world.post(f"{PLACE}/nonce") for _ in range(5)]
    assert len({answer.json()["c_nonce"] for answer in answers}) == 5
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


# --- a badge that ends, at each step of a wallet


def suspended(app: App, award_id: uuid.UUID) -> None:
    until = app.clock() + timedelta(days=10)
    with app.unit_of_work() as services:
        services.suspensions.suspend(app.campus, award_id, "On vérifie la présence.", until=until, by=COMMAND)


def erased(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        services.erasures.process_chunk(app.campus, person.id, "À sa demande.", by=COMMAND)


def protected(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        services.guardians.set_age_group(
            app.campus, services.awards.record(award_id).person.id, AgeGroup.UNDER_15, by=COMMAND
        )


def refused_by_a_parent(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        agreement = services.guardians.ask(services.awards.record(award_id), "parent@exemple.fr", by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=False)


@pytest.mark.parametrize("ends", [(suspended,), (erased,), (protected,), (protected, refused_by_a_parent)])
def test_badge_that_ends_meanwhile_is_refused_at_each_step(
    app: App, world: TestClient, ends: tuple[Callable[[App, uuid.UUID], None], ...]
) -> None:
    award_id, wanted = open_award(app), WalletFormat.EMBEDDED
    token = world.post(f"{PLACE}/jeton", data=form_of(offered(app, award_id, wanted))).json()
    bearer = {"authorization": f"Bearer {token['access_token']}"}
    asked = {"credential_configuration_id": wanted.configuration}
    assert world.post(f"{PLACE}/attestation", json=asked, headers=bearer).status_code == 200
    waiting = form_of(offered(app, award_id, wanted))
    for end in ends:
        end(app, award_id)
    redeemed = world.post(f"{PLACE}/jeton", data=waiting)
    again = world.post(f"{PLACE}/attestation", json=asked, headers=bearer)
    assert (redeemed.status_code, redeemed.json()["error"]) == (400, "invalid_grant")
    is_gone = erased in ends
    refusal = (401, "invalid_token") if is_gone else (400, "credential_request_denied")
    assert (again.status_code, again.json()["error"]) == refusal


def test_refusals_at_a_resource_are_described(app: App, world: TestClient) -> None:
    described = world.get("/api/v1/openapi.json").json()["paths"]
    for step in ("attestation", "differee", "notification"):
        refused = world.post(f"{PLACE}/{step}", json={})
        told = described[f"/campus/{{slug}}/portefeuille/{step}"]["post"]["responses"]
        assert (refused.status_code, "401" in told) == (401, True), step
    twice = world.post("/presentations/x/demande", content="a=1&a=2", headers={"Content-Type": FORM})
    told = described["/presentations/{reference}/demande"]["post"]["responses"]
    assert (twice.status_code, "400" in told) == (400, True)
