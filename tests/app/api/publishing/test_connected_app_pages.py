"""Pages on which a learner connects an application, refuses it, and ends the connection."""

from __future__ import annotations

import html
import re
from urllib.parse import parse_qs, urlencode, urlsplit

from app.domain.learners.connected_apps import (
    AppScope,
)
from app.domain.people import AgeGroup
from app.domain.people.consents import About, By, consent
from tests.app.api.clients import (
    application,
    authorization,
    redemption,
    registered,
)
from tests.app.api.publishing.test_connected_apps import API, learner, tokens
from tests.support.app import App, send


def test_learner_reads_who_asks_and_decides(app: App) -> None:
    person, _ids = learner(app)
    registration, browser = registered(app), app.client(person)
    asked = "/compte/applications/autoriser?" + urlencode(
        authorization(registration, AppScope.READ, AppScope.ADD)
    )
    shown = browser.get(asked).text
    assert "portefeuille.exemple.fr" in shown
    assert "Sceau ne l’a pas vérifié" in html.unescape(shown)
    fields = authorization(registration, AppScope.READ, AppScope.ADD)
    nothing = send(browser, "/compte/applications/autoriser", fields | {"geste": "autoriser"}, seen_on=asked)
    assert nothing.status_code == 422
    chosen = fields | {"geste": "autoriser", "droit": AppScope.READ.value}
    left = send(browser, "/compte/applications/autoriser", chosen, seen_on=asked)
    back = urlsplit(html.unescape(re.findall(r'content="0;url=([^"]+)"', left.text)[0]))
    sent = parse_qs(back.query)
    assert (back.netloc, sent["state"], sent["scope"]) == (
        "portefeuille.exemple.fr", ["etat"], [AppScope.READ.value],
    )  # fmt: skip
    assert tokens(app, registration, redemption(sent["code"][0]))["scope"] == AppScope.READ.value
    listed = browser.get("/compte/applications").text
    assert "Portefeuille d" in listed
    (end,) = re.findall(r'action="(/compte/applications/[^"]+/deconnecter)"', listed)
    assert send(browser, end, seen_on="/compte/applications").status_code == 303
    assert "deconnecter" not in browser.get("/compte/applications").text


def test_consent_is_worded_for_a_child_and_shows_badges_only_where_they_would_be_read(app: App) -> None:
    person, (award_id, _) = learner(app)
    with app.unit_of_work() as services:
        child = services.stores.people.get(person.id)
        child.age_group = AgeGroup.UNDER_15
        services.stores.people.save(child)
    registration, browser = registered(app), app.client(person)
    asked = "/compte/applications/autoriser?" + urlencode(authorization(registration, AppScope.PROFILE))
    shown = html.unescape(browser.get(asked).text)
    assert "te demande une autorisation" in shown
    assert "Ni l’un ni l’autre n’est envoyé tant qu’il te faut l’accord d’un parent." in shown
    assert "elle lirait aujourd’hui" not in shown
    fields = authorization(registration, AppScope.PROFILE) | {"geste": "autoriser"}
    ticked = fields | {"droit": AppScope.PROFILE.value}
    alone = html.unescape(send(browser, "/compte/applications/autoriser", ticked, seen_on=asked).text)
    for each in (shown, alone):
        assert "c’est un parent qui dit oui d’abord" in each
        assert 'value="autoriser"' not in each
    with app.unit_of_work() as services:
        agreed = consent(About.PARENT, person.id, given=True, at=app.clock(), award_id=award_id, by=By.PARENT)
        services.stores.consents.add(agreed)
    nothing = send(browser, "/compte/applications/autoriser", fields, seen_on=asked)
    assert "Coche au moins une ligne" in nothing.text
    assert set(application(app, person, AppScope.PROFILE).get(f"{API}/profile").json()) == {"id", "type"}


def test_refusal_goes_back_without_a_code(app: App) -> None:
    person, _ids = learner(app)
    registration, browser = registered(app), app.client(person)
    asked = "/compte/applications/autoriser?" + urlencode(authorization(registration))
    left = send(
        browser,
        "/compte/applications/autoriser",
        authorization(registration) | {"geste": "refuser"},
        seen_on=asked,
    )
    back = html.unescape(re.findall(r'content="0;url=([^"]+)"', left.text)[0])
    assert parse_qs(urlsplit(back).query) == {
        "error": ["access_denied"], "state": ["etat"], "iss": ["http://localhost:8000"],
    }  # fmt: skip
    wrong = browser.get(asked + "&response_type=token")
    assert wrong.headers["location"].endswith(
        "error=unsupported_response_type&state=etat&iss=http%3A%2F%2Flocalhost%3A8000"
    )
    assert browser.get("/compte/applications/autoriser?client_id=x").status_code == 400
