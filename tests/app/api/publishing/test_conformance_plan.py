"""The issuer's plan of the OpenID conformance suite (`oid4vci-1_0-issuer-test-plan`), in our own code.

Each test has the name of its module there, with underscores. A wallet that proves its key (DPoP) and sends its request
ahead, as the plan without HAIP asks for. Modules on attested clients and keys ask for what is not offered; what the
endpoints answer to them is tested all the same.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.learners.wallets import BATCH_SIZE, WalletFormat
from sceau_credentials.keys import Algorithm, LocalSigningKey, VerificationKey
from sceau_credentials.proofs.sd_jwt import parse_sd_jwt
from sceau_credentials.proofs.vc_jwt import parse_compact_jws, verify_jws
from sceau_credentials.values import JsonObject
from tests.app.services.learners.test_wallet_consents import (
    BY,
    CLIENT,
    authorization,
    dpop,
    learner,
    now,
    offered_state,
    redemption,
)
from tests.app.services.learners.test_wallets import signed_proof
from tests.support.app import App

ISSUER = "http://localhost:8000/campus/itip"
WELL_KNOWN = "/.well-known/openid-credential-issuer/campus/itip"
CONFIGURATION = WalletFormat.SD_JWT.configuration


@dataclass
class Wallet:
    """A client of its own, with a key for its requests and keys for its badges."""

    app: App
    world: TestClient
    client: str = CLIENT
    key: LocalSigningKey = field(default_factory=lambda: LocalSigningKey.generate(Algorithm.ES256))
    token: str = ""

    def metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self.world.get(WELL_KNOWN).json()
        return found

    def shown(self, endpoint: str) -> dict[str, str]:
        proof = dpop(endpoint, at=now(self.app), key=self.key, token=self.token)
        return {"dpop": proof} | ({"authorization": f"DPoP {self.token}"} if self.token else {})

    def authorize(self, *, by_details: bool = False) -> dict[str, Any]:
        """Pushed request, the learner's consent, token."""
        person, award_id = learner(self.app)
        state = offered_state(self.app, award_id, WalletFormat.SD_JWT)
        sent = authorization(state, client_id=self.client, scope=CONFIGURATION)
        if by_details:
            wanted = {"type": "openid_credential", "credential_configuration_id": CONFIGURATION}
            sent = {name: value for name, value in sent.items() if name != "scope"}
            sent["authorization_details"] = json.dumps([wanted])
        pushed = self.world.post(place("demande"), data=sent, headers=self.shown("demande"))
        assert pushed.status_code == 201, pushed.text
        with self.app.unit_of_work() as services:
            named = {"client_id": self.client, "request_uri": pushed.json()["request_uri"]}
            request = services.wallet_consents.read(self.app.campus, named)
            where = services.wallet_consents.consent(self.app.campus, request, person, award_id, by=BY)
        code = where.partition("code=")[2].partition("&")[0]
        form = redemption(code, client_id=self.client)
        answer = self.world.post(place("jeton"), data=form, headers=self.shown("jeton"))
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        self.token = answer.json()["access_token"]
        found: dict[str, Any] = answer.json()
        return found

    def nonce(self) -> str:
        answer = self.world.post(place("nonce"))
        assert answer.headers["cache-control"] == "no-store"
        return str(answer.json()["c_nonce"])

    def proof(self, nonce: str, key: LocalSigningKey | None = None, **header: Any) -> str:
        claims: JsonObject = {"iss": self.client, "aud": ISSUER, "iat": int(now(self.app)), "nonce": nonce}
        return signed_proof(claims, header or None, key=key or self.key)

    def request(self, body: dict[str, Any], **headers: str) -> Response:
        shown = self.shown("attestation") | headers
        answer: Response = self.world.post(place("attestation"), json=body, headers=shown)
        return answer

    def wanted(self, *proofs: str, **changes: Any) -> dict[str, Any]:
        asked = {"credential_configuration_id": CONFIGURATION, "proofs": {"jwt": [*proofs]}} | changes
        return {name: value for name, value in asked.items() if value is not None}

    def receive(self) -> dict[str, Any]:
        answer = self.request(self.wanted(self.proof(self.nonce())))
        assert answer.status_code == 200, answer.text
        (one,) = answer.json()["credentials"]
        assert bound_keys([one]) == [self.key.public.to_jwk()]
        found: dict[str, Any] = answer.json()
        return found

    def notify(self, received: dict[str, Any], event: str = "credential_accepted") -> Response:
        report = {"notification_id": received["notification_id"], "event": event}
        shown = self.shown("notification")
        answer: Response = self.world.post(place("notification"), json=report, headers=shown)
        return answer


def place(endpoint: str) -> str:
    return f"/campus/itip/portefeuille/{endpoint}"


def bound_keys(credentials: list[dict[str, Any]]) -> list[object]:
    found: list[object] = []
    for each in credentials:
        claims = parse_sd_jwt(each["credential"]).jws.payload
        assert claims["iss"] == ISSUER
        confirmed = claims["cnf"]
        assert isinstance(confirmed, dict)
        found.append(confirmed["jwk"])
    return found


def assert_refused(answer: Response, error: str, status: int = 400) -> None:
    """The error of the protocol, with members that it knows."""
    assert (answer.status_code, answer.json()["error"]) == (status, error), answer.text
    assert answer.json().keys() <= {"error", "error_description"}
    assert answer.headers["cache-control"] == "no-store"


@pytest.fixture
def wallet(app: App, world: TestClient) -> Wallet:
    return Wallet(app, world)


# --- what is to succeed


def test_oid4vci_1_0_issuer_metadata_test(wallet: Wallet) -> None:
    answer = wallet.world.get(WELL_KNOWN, headers={"accept": "application/json"})
    assert answer.headers["content-type"].startswith("application/json")
    metadata = answer.json()
    assert metadata["credential_issuer"] == ISSUER
    endpoints = {name: value for name, value in metadata.items() if name.endswith("_endpoint")}
    assert {"credential_endpoint", "nonce_endpoint"} <= endpoints.keys()
    assert all(value.startswith(f"{ISSUER}/") for value in endpoints.values())
    for supported in metadata["credential_configurations_supported"].values():
        assert supported["format"] != "vc+sd-jwt"
        has_keys = "cryptographic_binding_methods_supported" in supported
        assert has_keys == ("proof_types_supported" in supported)
        assert all(each["name"] and each["locale"] for each in supported["credential_metadata"]["display"])
    (server,) = metadata["authorization_servers"]
    found = wallet.world.get("/.well-known/oauth-authorization-server/campus/itip").json()
    assert found["issuer"] == server
    assert "S256" in found["code_challenge_methods_supported"]


def test_oid4vci_1_0_issuer_metadata_test_signed(wallet: Wallet) -> None:
    answer = wallet.world.get(WELL_KNOWN, headers={"accept": "application/jwt"})
    assert answer.headers["content-type"].startswith("application/jwt")
    signed = parse_compact_jws(answer.text)
    assert signed.header["typ"] == "openidvci-issuer-metadata+jwt"
    assert (signed.payload["sub"], "iat" in signed.payload) == (ISSUER, True)
    keys = wallet.world.get("/.well-known/jwt-vc-issuer/campus/itip").json()["jwks"]["keys"]
    verify_jws(signed, VerificationKey.from_jwk(keys[0]), kinds=(str(signed.header["typ"]),))
    assert wallet.metadata().items() <= signed.payload.items()


def test_oid4vci_1_0_issuer_happy_flow(wallet: Wallet) -> None:
    assert wallet.authorize()["token_type"] == "DPoP"
    assert wallet.notify(wallet.receive()).status_code == 204


def test_oid4vci_1_0_issuer_happy_flow_additional_requests(wallet: Wallet) -> None:
    """Headers of any kind are accepted, and a second badge is given with the same token."""
    wallet.authorize()
    received = []
    for accept, network in (("application/json; charset=utf-8", "2001:db8::1"), ("*/*", "192.0.2.1")):
        body = wallet.wanted(wallet.proof(wallet.nonce()))
        answer = wallet.request(body, accept=accept, **{"x-fapi-customer-ip-address": network})
        assert answer.status_code == 200, answer.text
        received.append(answer.json())
    first, second = received
    assert first["credentials"] != second["credentials"]
    assert bound_keys(first["credentials"]) == bound_keys(second["credentials"])
    assert [wallet.notify(each).status_code for each in received] == [204, 204]


def test_oid4vci_1_0_issuer_happy_flow_multiple_clients(app: App, world: TestClient) -> None:
    first, second = Wallet(app, world, "portefeuille-a"), Wallet(app, world, "portefeuille-b")
    for each in (first, second):
        each.authorize()
    for each in (second, first):
        assert each.notify(each.receive()).status_code == 204
    theirs, second.token = second.token, first.token
    assert_refused(second.request(second.wanted(second.proof(second.nonce()))), "invalid_token", 401)
    assert theirs != first.token


def test_oid4vci_1_0_issuer_happy_flow_skip_notification(wallet: Wallet) -> None:
    wallet.authorize()
    wallet.receive()
    wallet.token = ""
    wallet.authorize()
    wallet.receive()


def test_oid4vci_1_0_issuer_batch_issuance(wallet: Wallet) -> None:
    assert wallet.metadata()["batch_credential_issuance"] == {"batch_size": BATCH_SIZE}
    wallet.authorize()
    keys = [LocalSigningKey.generate(Algorithm.ES256) for _ in range(BATCH_SIZE)]
    nonce = wallet.nonce()
    answer = wallet.request(wallet.wanted(*(wallet.proof(nonce, key) for key in keys)))
    assert answer.status_code == 200
    credentials = answer.json()["credentials"]
    assert bound_keys(credentials) == [key.public.to_jwk() for key in keys]
    disclosed = [set(each["credential"].split("~")[1:]) - {""} for each in credentials]
    assert all(disclosed)
    assert len(set.union(*disclosed)) == sum(map(len, disclosed)), "no salt is used twice"


# --- what is to be refused


def test_oid4vci_1_0_issuer_fail_invalid_nonce(wallet: Wallet) -> None:
    wallet.authorize()
    for unknown in ("x" * 43, wallet.nonce()[::-1]):
        assert_refused(wallet.request(wallet.wanted(wallet.proof(unknown))), "invalid_nonce")


def test_oid4vci_1_0_issuer_fail_replay_nonce(wallet: Wallet) -> None:
    wallet.authorize()
    body = wallet.wanted(wallet.proof(wallet.nonce()))
    assert wallet.request(body).status_code == 200
    assert_refused(wallet.request(body), "invalid_nonce")
    wallet.token = ""
    wallet.authorize()
    assert_refused(wallet.request(body), "invalid_nonce")


def test_oid4vci_1_0_issuer_fail_invalid_jwt_proof_signature(wallet: Wallet) -> None:
    wallet.authorize()
    head, claims, signature = wallet.proof(wallet.nonce()).split(".")
    broken = ("B" if signature[4] == "A" else "A").join((signature[:4], signature[5:]))
    assert_refused(wallet.request(wallet.wanted(f"{head}.{claims}.{broken}")), "invalid_proof")


def test_oid4vci_1_0_issuer_fail_missing_proof(wallet: Wallet) -> None:
    wallet.authorize()
    missing: tuple[object, ...] = (None, {}, {"jwt": []})
    for proofs in missing:
        assert_refused(wallet.request(wallet.wanted(proofs=proofs)), "invalid_proof")


def test_oid4vci_1_0_issuer_fail_unsupported_encryption_algorithm(wallet: Wallet) -> None:
    assert "credential_response_encryption" not in wallet.metadata()
    wallet.authorize()
    jwk = wallet.key.public.to_jwk() | {"alg": "UNSUPPORTED"}
    body = wallet.wanted(
        wallet.proof(wallet.nonce()), credential_response_encryption={"jwk": jwk, "enc": "A128GCM"}
    )
    assert_refused(wallet.request(body), "invalid_encryption_parameters")


@pytest.mark.parametrize("by_details", [False, True])
def test_oid4vci_1_0_issuer_fail_unknown_credential_configuration(wallet: Wallet, by_details: bool) -> None:
    wallet.authorize(by_details=by_details)
    body = wallet.wanted(wallet.proof(wallet.nonce()), credential_configuration_id="inconnue")
    assert_refused(wallet.request(body), "unknown_credential_configuration")


@pytest.mark.parametrize("by_details", [False, True])
def test_oid4vci_1_0_issuer_fail_unknown_credential_identifier(wallet: Wallet, by_details: bool) -> None:
    wallet.authorize(by_details=by_details)
    body = wallet.wanted(
        wallet.proof(wallet.nonce()), credential_configuration_id=None, credential_identifier="inconnu"
    )
    assert_refused(wallet.request(body), "unknown_credential_identifier")


def test_oid4vci_1_0_issuer_fail_on_access_token_in_query(wallet: Wallet) -> None:
    wallet.authorize()
    body = wallet.wanted(wallet.proof(wallet.nonce()))
    headers = {"dpop": wallet.shown("attestation")["dpop"]}
    answer = wallet.world.post(
        f"{place('attestation')}?access_token={wallet.token}", json=body, headers=headers
    )
    assert_refused(answer, "invalid_token", 401)


# --- attested keys and clients: HAIP, not offered


def test_oid4vci_1_0_issuer_fail_invalid_key_attestation_signature(wallet: Wallet) -> None:
    (kept,) = [
        each
        for each in wallet.metadata()["credential_configurations_supported"].values()
        if each["format"] == WalletFormat.SD_JWT
    ]
    assert "attestation" not in kept["proof_types_supported"]
    assert all("key_attestations_required" not in each for each in kept["proof_types_supported"].values())
    wallet.authorize()
    attested = wallet.proof(wallet.nonce(), typ="key-attestation+jwt")
    assert_refused(wallet.request(wallet.wanted(proofs={"attestation": [attested]})), "invalid_proof")
    assert_refused(wallet.request(wallet.wanted(attested)), "invalid_proof")
