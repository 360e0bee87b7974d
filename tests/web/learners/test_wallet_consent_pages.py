"""« Donner un badge à ce portefeuille ? »: what the page says before a wallet gets a code, and the way to the badge."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient

from app.api.publishing import wallets as endpoints
from app.domain.learners.wallets import WalletFormat
from app.services.learners import wallets as service
from tests.api.clients import anybody, stored
from tests.services.learners.test_wallet_consents import (
    CLIENT,
    EMBEDDED,
    REDIRECT,
    authorization,
    code_for,
    dpop,
    learner,
    now,
    offered_state,
    redeemed,
    redemption,
)
from tests.services.learners.test_wallets import nonce, proof, request_for
from tests.support.house import House, send

PLACE: Final = "/campus/itip/portefeuille"
ASK: Final = f"{PLACE}/autoriser"


def asking(**sent: str) -> str:
    return f"{ASK}?{urlencode(sent)}"


def answer_in(page: str) -> dict[str, list[str]]:
    """What the browser takes back to the wallet."""
    found = re.search(rf'url=({re.escape(REDIRECT)}\?[^"]+)"', page)
    assert found is not None, page
    return parse_qs(urlsplit(html.unescape(found[1])).query)


def test_wallet_gets_the_badge_by_pushed_request_consent_and_bound_token(house: House) -> None:
    person, award_id = learner(house)
    wallet, browser = anybody(house), house.client(person)
    state = offered_state(house, award_id)
    at = now(house)
    pushed = wallet.post(
        f"{PLACE}/demande", data=authorization(state), headers={"dpop": dpop("demande", at=at)}
    )
    assert (pushed.status_code, pushed.headers["cache-control"]) == (201, "no-store")
    where = asking(client_id=CLIENT, request_uri=pushed.json()["request_uri"])
    page = browser.get(where).text
    assert "Connaissez-vous eudi-openid4ci:" in page
    assert "Ce que le portefeuille reçoit" in page
    assert "N’Diaye" in page
    assert state not in page
    assert str(award_id) in page
    left = send(browser, ASK, {"geste": "donner", "badge": award_id, "demande": sealed(page)}, seen_on=where)
    (code,) = answer_in(left.text)["code"]
    token = wallet.post(
        f"{PLACE}/jeton", data=redemption(code), headers={"dpop": dpop("jeton", at=at)}
    ).json()
    assert token["token_type"] == "DPoP"
    secret = token["access_token"]
    as_bearer = wallet.post(
        f"{PLACE}/attestation", json=EMBEDDED, headers={"authorization": f"Bearer {secret}"}
    )
    assert (as_bearer.status_code, as_bearer.json()["error"]) == (401, "invalid_token")
    assert "DPoP" in as_bearer.headers["www-authenticate"]

    def shown(endpoint: str) -> dict[str, str]:
        return {"authorization": f"DPoP {secret}", "dpop": dpop(endpoint, at=at, token=secret)}

    wrong = wallet.post(f"{PLACE}/attestation", json=EMBEDDED, headers=shown("notification"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_dpop_proof")
    assert 'error="invalid_dpop_proof"' in wrong.headers["www-authenticate"]
    headers = shown("attestation")
    two = [*headers.items(), ("dpop", dpop("attestation", at=at, token=secret))]
    assert wallet.post(f"{PLACE}/attestation", json=EMBEDDED, headers=two).status_code == 401
    got = wallet.post(f"{PLACE}/attestation", json=EMBEDDED, headers=headers)
    assert stored(house, award_id, "json") in got.content
    note = {"notification_id": got.json()["notification_id"], "event": "credential_accepted"}
    assert wallet.post(f"{PLACE}/notification", json=note, headers=shown("notification")).status_code == 204


def sealed(page: str) -> str:
    found = re.search(r'name="demande" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_learner_refuses_and_the_wallet_is_told_so(house: House) -> None:
    person, award_id = learner(house)
    browser, where = house.client(person), asking(**authorization(offered_state(house, award_id)))
    left = send(browser, ASK, {"geste": "refuser", "demande": sealed(browser.get(where).text)}, seen_on=where)
    answer = answer_in(left.text)
    assert (answer["error"], answer["state"]) == (["access_denied"], ["etat"])
    assert answer["iss"] == ["http://localhost:8000/campus/itip"]


def test_request_is_answered_once(house: House) -> None:
    person, award_id = learner(house)
    browser, where = house.client(person), asking(**authorization(offered_state(house, award_id)))
    form = {"geste": "donner", "badge": award_id, "demande": sealed(browser.get(where).text)}
    shown = browser.get(where).text
    csrf = re.search(r'name="jeton" value="([^"]+)"', shown)
    assert csrf is not None
    first, second = (browser.post(ASK, data={"jeton": csrf[1], **form}) for _ in range(2))
    assert answer_in(first.text)["code"]
    assert second.status_code == 400
    assert "Cette offre n’existe plus" in second.text
    assert REDIRECT not in second.text


def test_nothing_is_sent_to_a_wallet_that_this_service_does_not_know(house: House) -> None:
    person, award_id = learner(house)
    stranger, _theirs = learner(house)
    state = offered_state(house, award_id)
    other = authorization(state)
    for who, sent in (
        (person, authorization()),
        (stranger, other),
        (person, other | {"code_challenge_method": "plain"}),
        (person, other | {"redirect_uri": "javascript://%0aalert(1)"}),
        (person, {"client_id": CLIENT, "request_uri": "urn:ietf:params:oauth:request_uri:x"}),
    ):
        answer = house.client(who).get(asking(**sent))
        assert answer.status_code == 400
        assert "Rien n’a été autorisé" in answer.text
        for wrong in (REDIRECT, "javascript:", "http-equiv"):
            assert wrong not in answer.text
    twice = house.client(person).get(asking(**other) + "&state=x")
    assert twice.status_code == 400


def test_visitor_signs_in_first_and_comes_back_to_the_question(house: House) -> None:
    _person, award_id = learner(house)
    state = offered_state(house, award_id)
    answer = house.client().get(asking(**authorization(state)))
    assert answer.status_code == 401
    found = re.search(r'href="/connexion\?suite=([^"]+)"', answer.text)
    assert found is not None, answer.text[-3000:]
    assert urlsplit(unquote(html.unescape(found[1]))).path == ASK
    assert state in unquote(html.unescape(found[1]))


def test_pushed_request_is_refused_with_the_errors_of_the_protocol(house: House) -> None:
    wallet: TestClient = anybody(house)
    for sent, headers, error in (
        ({}, {}, "invalid_request"),
        (authorization(), {}, "unauthorized_client"),
        (authorization("x") | {"scope": "tout"}, {}, "invalid_scope"),
        (authorization("x"), {"dpop": "x"}, "invalid_dpop_proof"),
    ):
        answer = wallet.post(f"{PLACE}/demande", data=sent, headers=headers)
        assert (answer.status_code, answer.json()["error"]) == (400, error)
    twice = wallet.post(f"{PLACE}/demande", content=b"scope=a&scope=b")
    assert (twice.status_code, twice.json()["error"]) == (400, "invalid_request")
    assert wallet.post(f"{PLACE}/demande", content=b"x" * 40_000).status_code == 413


def test_learner_asks_for_an_offer_without_a_code_to_type(house: House) -> None:
    person, award_id = learner(house)
    place = f"/mes-badges/{award_id}/partager/portefeuille"
    form = {"forme": WalletFormat.EMBEDDED.value, "voie": "connexion"}
    answer = send(house.client(person), place, form)
    assert "openid-credential-offer://" in answer.text
    assert "authorization_code" in html.unescape(answer.text)
    assert "big-code" not in answer.text
    assert "vous vous y connectez" in answer.text


# --- a proof counts once, and keys are proved while nothing is locked


def bound_token(house: House, wanted: WalletFormat = WalletFormat.EMBEDDED) -> str:
    person, award_id = learner(house)
    sent = authorization(offered_state(house, award_id, wanted), scope=wanted.configuration)
    got = redeemed(house, redemption(code_for(house, person, award_id, sent)), dpop("jeton", at=now(house)))
    assert isinstance(got, dict)
    return str(got["access_token"])


@pytest.mark.parametrize(
    ("endpoint", "wrong", "error"),
    [
        ("attestation", {"credential_configuration_id": "x"}, "unknown_credential_configuration"),
        ("differee", {"transaction_id": "x"}, "invalid_transaction_id"),
        ("notification", {"event": "x"}, "invalid_notification_request"),
    ],
)
def test_proof_of_a_refused_request_is_used_up(
    house: House, endpoint: str, wrong: dict[str, str], error: str
) -> None:
    wallet, token = anybody(house), bound_token(house)
    headers = {"authorization": f"DPoP {token}", "dpop": dpop(endpoint, at=now(house), token=token)}
    first, second = (wallet.post(f"{PLACE}/{endpoint}", json=wrong, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["error"]) == (400, error)
    assert (second.status_code, second.json()["error"]) == (401, "invalid_dpop_proof")


def test_keys_are_proved_outside_of_transactions_that_write(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, token = anybody(house), bound_token(house, WalletFormat.SD_JWT)
    writing, opened = endpoints.write_transaction, [0]
    proving: Callable[..., Any] = service.keys_proved
    found: list[int] = []

    @contextmanager
    def counted(request: Any) -> Iterator[Any]:
        with writing(request) as services:
            opened[0] += 1
            try:
                yield services
            finally:
                opened[0] -= 1

    def noted(*sent: Any, **how: Any) -> Any:
        found.append(opened[0])
        return proving(*sent, **how)

    monkeypatch.setattr(endpoints, "write_transaction", counted)
    monkeypatch.setattr(service, "keys_proved", noted)
    headers = {"authorization": f"DPoP {token}", "dpop": dpop("attestation", at=now(house), token=token)}
    asked = request_for(WalletFormat.SD_JWT, proof(house, nonce(house)))
    assert wallet.post(f"{PLACE}/attestation", json=asked, headers=headers).status_code == 200
    assert found == [0]
