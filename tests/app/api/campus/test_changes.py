"""The feed of changes over HTTP: pages, cursors, kinds."""

from __future__ import annotations

from fastapi.testclient import TestClient

from tests.app.api.clients import V1, closed_award
from tests.support.app import App

FEED = f"{V1}/changes"


def test_pages_are_followed_by_their_link_or_their_cursor(program: TestClient, app: App):
    award = closed_award(app)
    first = program.get(FEED, params={"limit": 2})
    linked = program.get(first.links["next"]["url"]).json()
    assert linked == program.get(FEED, params={"limit": 2, "after": first.json()["next"]}).json()
    assert first.json()["more"]
    everything = program.get(FEED, params={"limit": 1000}).json()
    assert not everything["more"]
    (of_award,) = (each for each in everything["items"] if each["id"] == str(award))
    assert (of_award["kind"], of_award["change"]) == ("award", "created")
    assert program.get(of_award["url"]).json()["id"] == str(award)
    later = program.get(FEED, params={"after": everything["next"]}).json()
    assert (later["items"], later["next"]) == ([], everything["next"])


def test_only_the_kinds_that_are_asked_for(program: TestClient, app: App):
    closed_award(app)
    kinds = program.get(FEED, params={"kind": ["award", "badge"], "limit": 1000}).json()["items"]
    assert {each["kind"] for each in kinds} == {"award", "badge"}
    assert program.get(FEED, params={"kind": "letter"}).status_code == 422


def test_a_cursor_from_before_a_restore_answers_410_and_a_foreign_one_is_refused(
    program: TestClient, app: App
):
    cursor = program.get(FEED).json()["next"]
    app.process.restart_feeds()
    gone = program.get(FEED, params={"after": cursor})
    assert (gone.status_code, gone.json()["kind"]) == (410, "FeedRestarted")
    assert program.get(FEED, params={"after": "0123AAAA"}).status_code == 422
