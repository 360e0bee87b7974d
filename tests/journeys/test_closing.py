"""A learner shuts a badge: whatever address it was to be had at, made for people or for programs, has it no more, at once."""

from __future__ import annotations

import re
import uuid

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.learners.portfolios import Grouping, Naming
from app.domain.publishing import short_code
from app.http.request_scope import policies
from app.services.learners.portfolios import Wishes
from tests.support.app import BASE_URL, COMMAND, App

pytestmark = pytest.mark.both_engines
"""On both databases: each tells in its own way that an answer is not ready any more."""

FORMS = ("json", "jwt", "png", "svg", "zip")
ABOUT_ONE_AWARD = ("/attributions/", "/preuves/", "/ob2/attributions/")
ASKED_AS = ("text/html", "application/json", "application/vc+jwt", "image/png")


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    award_id = app.award("Zoé N’Diaye; zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    return award_id


def turn(app: App, award_id: uuid.UUID, wanted: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, wanted, by=COMMAND)


def portfolio_with(app: App, award_id: uuid.UUID) -> str:
    with app.unit_of_work() as services:
        kept = services.portfolios.start(services.awards.record(award_id).person, [award_id])
        services.portfolios.wish(kept, Wishes("", Naming.FULL, Grouping.NONE, is_findable=True))
        services.portfolios.set_open(kept, True)
        services.awards.set_findable(award_id, True, by=COMMAND)
        return f"/portfolio/{kept.id}"


def addresses_of(client: TestClient, award_id: uuid.UUID) -> list[str]:
    """Every address that the service has of one award for everybody, those of tomorrow too."""
    result = policies(client.app.routes)  # type: ignore[attr-defined]
    paths = {
        re.sub(r"\{award_id(:uuid)?\}", str(award_id), path)
        for method, _, path in (each.partition(" ") for each in result)
        if method == "GET" and path.startswith(ABOUT_ONE_AWARD) and "{award_id" in path
    }
    whole = {path.replace("{extension}", form) for path in paths for form in FORMS}
    return sorted(path for path in whole if "{" not in path)


def test_a_shut_badge_is_shut_at_every_address_it_was_open_at(app: App, award_id: uuid.UUID) -> None:
    turn(app, award_id, Visibility.OPEN)
    portfolio, client = portfolio_with(app, award_id), app.client()
    own = f"/attributions/{award_id}"
    around = [portfolio, f"{portfolio}/integrer", f"{portfolio}/carte.png", "/sitemap.xml"]
    about = [*addresses_of(client, award_id), f"/oembed?url={BASE_URL}{own}"]
    assert len(about) > 15
    asked = [(path, accept) for path in about for accept in ASKED_AS]
    for _ in range(3):  # so that whatever can be ready is
        before = {each: client.get(each[0], headers={"Accept": each[1]}) for each in asked}
    assert (
        before[own, "text/html"].status_code == before[f"{own}.json", "application/json"].status_code == 200
    )
    assert all(str(award_id) in client.get(path).text for path in (portfolio, "/sitemap.xml"))
    card = client.get(f"{portfolio}/carte.png").content

    turn(app, award_id, Visibility.CLOSED)

    for path, accept in asked:
        answer = client.get(path, headers={"Accept": accept})
        if before[path, accept].status_code == 200 and not path.startswith("/preuves/"):
            assert answer.status_code == 403, (path, accept)
        # What the log proves names nobody, and whoever holds the file may go on checking it.
        assert "N’Diaye".encode() not in answer.content, (path, accept)
        assert app.presence.version.name.encode() not in answer.content, (path, accept)
    for path in around:
        assert str(award_id) not in client.get(path).text, path
    assert client.get(f"{portfolio}/carte.png").content != card
    led = client.get(f"/v/{short_code(award_id)}", follow_redirects=True, headers={"Accept": "text/html"})
    assert led.status_code == 403
