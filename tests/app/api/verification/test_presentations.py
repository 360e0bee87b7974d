"""Requests for a badge as a wallet uses them: the signed request, the answer, and errors of the protocol."""

from __future__ import annotations

from fastapi.testclient import TestClient

from app.domain.learners.presentations import REQUEST_LIFE
from sceau_credentials.proofs.vc_jwt import parse_compact_jws
from sceau_credentials.values import JsonObject
from tests.app.services.learners.test_wallets import open_award
from tests.app.services.verification.test_presentations import (
    asked,
    content,
    encrypted,
    presentation,
    sd_jwt,
    view,
)
from tests.support.app import App


def form(app: App, request: JsonObject) -> dict[str, str]:
    text = presentation(app, sd_jwt(app, open_award(app)), request)
    return encrypted(request, content(request, "badge_sd_jwt", text))


def test_wallet_reads_the_request_and_answers_once(app: App, world: TestClient) -> None:
    made = asked(app)
    place = f"/presentations/{made.reference}"
    read = world.get(f"{place}/demande")
    assert read.headers["content-type"] == "application/oauth-authz-req+jwt"
    assert read.headers["cache-control"] == "no-store"
    assert "wallet_nonce" not in parse_compact_jws(read.text).payload
    posted = world.post(f"{place}/demande", data={"wallet_nonce": "n1", "wallet_metadata": "{}"})
    request = parse_compact_jws(posted.text).payload
    assert request["wallet_nonce"] == "n1"
    assert request["response_uri"].endswith(f"{place}/reponse")
    answer = form(app, request)
    taken = world.post(f"{place}/reponse", data=answer)
    assert (taken.status_code, taken.json()) == (200, {})
    assert view(app, made).answer is not None
    again = world.post(f"{place}/reponse", data=answer)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_request")
    assert "answered" in again.json()["error_description"]
    assert world.get(f"{place}/demande").status_code == 410


def test_expired_unknown_and_unreadable_requests_are_refused(app: App, world: TestClient) -> None:
    made = asked(app)
    place = f"/presentations/{made.reference}"
    request = parse_compact_jws(world.get(f"{place}/demande").text).payload
    for body in ("response=a&response=b", "response=", "response=é", "%", "error=access_denied&state=x"):
        refused = world.post(
            f"{place}/reponse",
            content=body.encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request"), body
    assert world.post(f"{place}/demande", data={"wallet_nonce": "x" * 300}).status_code == 400
    assert world.post("/presentations/rien/reponse", data={"response": "x"}).status_code == 404
    assert world.get("/presentations/rien/demande").status_code == 404
    app.clock.move(seconds=REQUEST_LIFE.total_seconds())
    late = world.post(f"{place}/reponse", data=form(app, request))
    assert (late.status_code, late.json()["error"]) == (400, "invalid_request")
    assert world.get(f"{place}/demande").status_code == 410


def test_wallet_that_is_a_web_page_may_ask_and_answer(app: App, world: TestClient) -> None:
    web = {"origin": "https://portefeuille.exemple", "access-control-request-method": "POST"}
    for step in ("demande", "reponse"):
        allowed = world.options(f"/presentations/{asked(app).reference}/{step}", headers=web)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (204, "*")
