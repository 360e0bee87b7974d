"""« Donner un badge à ce portefeuille ? »: the page shown before a wallet gets a code, and the issuance of the badge."""

from __future__ import annotations

import html
import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

import pytest
from fastapi.testclient import TestClient

from app.api.publishing import wallets as endpoints
from app.domain.awards import Visibility
from app.domain.learners.wallets import WalletFormat
from app.domain.people import AgeGroup, Person
from app.domain.people.consents import ParentNeeded
from app.services.learners import wallets as service
from tests.app.api.clients import anybody, stored
from tests.app.services.learners.test_wallet_consents import (
    BY,
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
from tests.app.services.learners.test_wallet_tokens import hold_back
from tests.app.services.learners.test_wallets import nonce, proof, request_for
from tests.app.services.people.test_guardians import asked as asked_of_parent
from tests.support.app import COMMAND, App, send

PLACE: Final = "/campus/itip/portefeuille"
ASK: Final = f"{PLACE}/autoriser"


def asking(**sent: str) -> str:
    return f"{ASK}?{urlencode(sent)}"


def answer_in(page: str) -> dict[str, list[str]]:
    """What the browser sends back to the wallet."""
    found = re.search(rf'url=({re.escape(REDIRECT)}\?[^"]+)"', page)
    assert found is not None, page
    return parse_qs(urlsplit(html.unescape(found[1])).query)


def test_wallet_gets_the_badge_by_pushed_request_consent_and_bound_token(app: App) -> None:
    person, award_id = learner(app)
    wallet, browser = anybody(app), app.client(person)
    state = offered_state(app, award_id)
    at = now(app)
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
    assert stored(app, award_id, "json") in got.content
    note = {"notification_id": got.json()["notification_id"], "event": "credential_accepted"}
    assert wallet.post(f"{PLACE}/notification", json=note, headers=shown("notification")).status_code == 204


def sealed(page: str) -> str:
    found = re.search(r'name="demande" value="([^"]+)"', page)
    assert found is not None
    return found[1]


def test_learner_refuses_and_the_wallet_is_informed(app: App) -> None:
    person, award_id = learner(app)
    browser, where = app.client(person), asking(**authorization(offered_state(app, award_id)))
    left = send(browser, ASK, {"geste": "refuser", "demande": sealed(browser.get(where).text)}, seen_on=where)
    answer = answer_in(left.text)
    assert (answer["error"], answer["state"]) == (["access_denied"], ["etat"])
    assert answer["iss"] == ["http://localhost:8000/campus/itip"]


def test_request_is_answered_once(app: App) -> None:
    person, award_id = learner(app)
    browser, where = app.client(person), asking(**authorization(offered_state(app, award_id)))
    form = {"geste": "donner", "badge": award_id, "demande": sealed(browser.get(where).text)}
    shown = browser.get(where).text
    csrf = re.search(r'name="jeton" value="([^"]+)"', shown)
    assert csrf is not None
    first, second = (browser.post(ASK, data={"jeton": csrf[1], **form}) for _ in range(2))
    assert answer_in(first.text)["code"]
    assert second.status_code == 400
    assert "a déjà reçu une réponse" in second.text
    assert REDIRECT not in second.text


def test_nothing_is_sent_to_a_wallet_that_this_service_does_not_know(app: App) -> None:
    person, award_id = learner(app)
    stranger, _theirs = learner(app)
    state = offered_state(app, award_id)
    other = authorization(state)
    for who, sent in (
        (person, authorization()),
        (stranger, other),
        (person, other | {"code_challenge_method": "plain"}),
        (person, other | {"redirect_uri": "javascript://%0aalert(1)"}),
        (person, {"client_id": CLIENT, "request_uri": "urn:ietf:params:oauth:request_uri:x"}),
    ):
        answer = app.client(who).get(asking(**sent))
        assert answer.status_code == 400
        assert "Rien n’a été autorisé" in answer.text
        for wrong in (REDIRECT, "javascript:", "http-equiv"):
            assert wrong not in answer.text
    twice = app.client(person).get(asking(**other) + "&state=x")
    assert twice.status_code == 400


def test_visitor_signs_in_first_and_comes_back_to_the_question(app: App) -> None:
    _person, award_id = learner(app)
    state = offered_state(app, award_id)
    answer = app.client().get(asking(**authorization(state)))
    assert answer.status_code == 401
    found = re.search(r'href="/connexion\?suite=([^"]+)"', answer.text)
    assert found is not None, answer.text[-3000:]
    assert urlsplit(unquote(html.unescape(found[1]))).path == ASK
    assert state in unquote(html.unescape(found[1]))


def test_pushed_request_is_refused_with_the_errors_of_the_protocol(app: App) -> None:
    wallet: TestClient = anybody(app)
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


def test_learner_asks_for_an_offer_without_a_code_to_type(app: App) -> None:
    person, award_id = learner(app)
    place = f"/mes-badges/{award_id}/partager/portefeuille"
    form = {"forme": WalletFormat.EMBEDDED.value, "voie": "connexion"}
    answer = send(app.client(person), place, form)
    assert "openid-credential-offer://" in answer.text
    assert "authorization_code" in html.unescape(answer.text)
    assert "big-code" not in answer.text
    assert "vous vous y connectez" in answer.text


# --- a proof is valid once, and keys are proved while nothing is locked


def bound_token(app: App, wanted: WalletFormat = WalletFormat.EMBEDDED) -> str:
    person, award_id = learner(app)
    sent = authorization(offered_state(app, award_id, wanted), scope=wanted.configuration)
    got = redeemed(app, redemption(code_for(app, person, award_id, sent)), dpop("jeton", at=now(app)))
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
    app: App, endpoint: str, wrong: dict[str, str], error: str
) -> None:
    wallet, token = anybody(app), bound_token(app)
    headers = {"authorization": f"DPoP {token}", "dpop": dpop(endpoint, at=now(app), token=token)}
    first, second = (wallet.post(f"{PLACE}/{endpoint}", json=wrong, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["error"]) == (400, error)
    assert (second.status_code, second.json()["error"]) == (401, "invalid_dpop_proof")


def test_keys_are_proved_outside_of_transactions_that_write(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet, token = anybody(app), bound_token(app, WalletFormat.SD_JWT)
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
    headers = {"authorization": f"DPoP {token}", "dpop": dpop("attestation", at=now(app), token=token)}
    asked = request_for(WalletFormat.SD_JWT, proof(app, nonce(app)))
    assert wallet.post(f"{PLACE}/attestation", json=asked, headers=headers).status_code == 200
    assert found == [0]


# --- consents that are refused or recorded


def left_open(app: App, person: Person, award_id: uuid.UUID) -> Person:
    """A person who is now a child under 15, with the page of the badge still open."""
    with app.unit_of_work() as services:
        services.guardians.set_age_group(app.campus, person.id, AgeGroup.UNDER_15, by=COMMAND)
    with app.unit_of_work() as services:
        services.awards.record(award_id).award.visibility = Visibility.OPEN
        return services.stores.people.get(person.id)


def test_child_gives_a_badge_to_a_wallet_with_a_parents_agreement_alone(app: App) -> None:
    person, award_id = learner(app)
    sent = authorization(offered_state(app, award_id))
    child = left_open(app, person, award_id)
    with app.unit_of_work() as services:
        asked = services.wallet_consents.read(app.campus, sent)
        with pytest.raises(ParentNeeded):
            services.wallet_consents.consent(app.campus, asked, child, award_id, by=BY)
        for needs_consent in (True, False):
            with pytest.raises(ParentNeeded):
                services.wallets.offer(
                    services.awards.record(award_id), WalletFormat.EMBEDDED, needs_consent=needs_consent
                )
    token = asked_of_parent(app, award_id)
    with app.unit_of_work() as services:
        services.guardians.answer(token, agreed=True)
        services.awards.set_visibility(award_id, Visibility.OPEN, by=BY)
    assert code_for(app, child, award_id, authorization(offered_state(app, award_id)))


def test_consent_is_a_line_in_the_history_of_the_badge(app: App) -> None:
    person, award_id = learner(app)
    code_for(app, person, award_id, authorization(offered_state(app, award_id)))
    with app.unit_of_work(reading=True) as services:
        entries = [each for each, _ in services.stores.history.list_of("award", award_id)]
    (given,) = [each for each in entries if each.action == "give_to_wallet"]
    assert (given.facts["place"], given.campus_id) == ("eudi-openid4ci:", app.campus.id)


def test_child_is_asked_for_a_parents_agreement_first(app: App) -> None:
    person, award_id = learner(app)
    where = asking(**authorization(offered_state(app, award_id)))
    browser = app.client(left_open(app, person, award_id))
    shown = browser.get(where)
    assert shown.status_code == 409
    assert "c’est un parent qui dit oui" in shown.text
    assert "Donner ce badge" not in shown.text
    form = {"geste": "donner", "badge": award_id, "demande": sealed(shown.text)}
    given = send(browser, ASK, form, seen_on=where)
    assert given.status_code == 409
    assert REDIRECT not in given.text
    offer = browser.get(f"/mes-badges/{award_id}/partager/portefeuille")
    assert "c’est un parent qui dit oui" in offer.text
    assert "Préparer le code" not in offer.text


@pytest.mark.parametrize(
    ("refused", "said", "status"),
    [
        ("none chosen", "Choisissez un badge", 422),
        ("closed", "La page de ce badge est fermée", 409),
        ("being signed", "signé de nouveau", 503),
    ],
)
def test_refused_consent_shows_the_page_again(app: App, refused: str, said: str, status: int) -> None:
    person, award_id = learner(app)
    browser, where = app.client(person), asking(**authorization(offered_state(app, award_id)))
    form = {"geste": "donner", "badge": str(award_id), "demande": sealed(browser.get(where).text)}
    if refused == "none chosen":
        del form["badge"]
    elif refused == "closed":
        with app.unit_of_work() as services:
            services.awards.set_visibility(award_id, Visibility.CLOSED, by=BY)
    else:
        hold_back(app, award_id)
    answer = send(browser, ASK, form, seen_on=where)
    assert answer.status_code == status
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert sealed(answer.text)


def test_badge_of_another_learner_is_not_counted_as_given(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    person, award_id = learner(app)
    _stranger, theirs = learner(app)
    browser, where = app.client(person), asking(**authorization(offered_state(app, award_id)))
    limits, counted = type(app.process.limiter), list[str]()
    hit: Callable[..., Any] = limits.hit

    def noted(limiter: object, name: str, who: str, *more: Any, **how: Any) -> Any:
        counted.append(who)
        return hit(limiter, name, who, *more, **how)

    monkeypatch.setattr(limits, "hit", noted)
    form = {"geste": "donner", "badge": theirs, "demande": sealed(browser.get(where).text)}
    assert send(browser, ASK, form, seen_on=where).status_code == 422
    assert str(theirs) not in counted
    assert answer_in(send(browser, ASK, form | {"badge": award_id}, seen_on=where).text)["code"]
    assert str(award_id) in counted
