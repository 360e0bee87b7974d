"""Copies of awards for a CV: dates of the campus, names as they were signed."""

from __future__ import annotations

from datetime import UTC, datetime

from app.domain.awards import Visibility
from tests.app.web.learners.test_portfolio_pages import start
from tests.support.app import BASE_URL, COMMAND, App


def test_copy_for_a_cv_dates_the_award_where_its_campus_is(app: App):
    with app.unit_of_work() as services:
        services.campuses.get("itip").time_zone = "America/Guadeloupe"
    app.clock.now = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)
    result = app.award("MARTIN Zoé;zoe@exemple.fr")
    with app.unit_of_work() as services:
        services.awards.set_visibility(result.lines[0].award_id, Visibility.OPEN, by=COMMAND)
    client = app.client()
    client.get(app.private_link(result))
    [certificate] = client.get(f"{start(client)}/fichiers/cv.json").json()["certificates"]
    assert certificate["date"] == "2026-11-24"


def test_copies_name_the_campus_as_the_badge_does(app: App):
    result = app.award("MARTIN Zoé;zoe@exemple.fr")
    award_id = result.lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        signed = services.campuses.get("itip").name
        services.campuses.get("itip").name = "Tout autre chose"
    client = app.client()
    client.get(app.private_link(result))
    files = f"{start(client)}/fichiers"
    [certificate] = client.get(f"{files}/cv.json").json()["certificates"]
    assert certificate["issuer"] == signed
    [claim] = client.get(f"{files}/europass.json").json()["credentialSubject"]["hasClaim"]
    assert claim["awardedBy"]["awardingBody"][0]["legalName"] == {"fr": [signed]}
    embedded = client.get(f"/oembed?url={BASE_URL}/attributions/{award_id}").json()
    assert embedded["author_name"] == signed
    assert "Tout autre chose" not in client.get(f"/mes-badges/{award_id}/partager").text.partition("<main")[2]
