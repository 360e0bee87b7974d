"""« Page consultée »: the holder reads how often others opened the page, by day, and turns it off."""

from __future__ import annotations

import json
import uuid
import zipfile
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.domain.awards import Visibility
from app.jobs.kinds import EVERYTHING, delete_some
from app.services.awards.awards import BatchResult
from tests.support.app import COMMAND, App, send

FIREFOX = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
PHONE = {"user-agent": "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0"}


@pytest.fixture
def given(app: App) -> BatchResult:
    result = app.award("Zoé N’Diaye; zoe@exemple.fr")
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_of(result), Visibility.OPEN, by=COMMAND)
    return result


@pytest.fixture
def zoe(app: App, given: BatchResult) -> TestClient:
    client = app.client()
    client.get(app.private_link(given))
    return client


def award_of(result: BatchResult) -> uuid.UUID:
    award_id = result.lines[0].award_id
    assert award_id
    return award_id


def stored(app: App) -> list[tuple[str, int]]:
    with app.owner.connect() as connection:
        rows = connection.execute(text("SELECT day, count FROM page_view_count ORDER BY day"))
        return [(str(day), count) for day, count in rows]


def visit(app: App, result: BatchResult) -> None:
    for headers in (FIREFOX, PHONE, PHONE, {"user-agent": "curl/8.5.0"}):
        answer = app.client().get(f"/attributions/{award_of(result)}", headers=headers)
        assert answer.status_code == 200
    ahead = {**FIREFOX, "user-agent": FIREFOX["user-agent"] + " x", "sec-purpose": "prefetch"}
    app.client().get(f"/attributions/{award_of(result)}", headers=ahead)


def test_openings_by_others_are_counted_by_day_for_the_holder(app: App, given: BatchResult, zoe: TestClient):
    visit(app, given)
    assert zoe.get(f"/attributions/{award_of(given)}", headers=FIREFOX).status_code == 200
    assert stored(app) == [], "nothing is written while a page is served"
    app.process.write_page_views()
    app.process.write_page_views()
    app.clock.move(hours=12)
    visit(app, given)
    app.process.write_page_views()
    assert stored(app) == [("2026-11-24", 2), ("2026-11-25", 2)]
    with app.unit_of_work(reading=True) as services:
        by_day = services.page_views.by_day(award_of(given))
    assert (len(by_day), [count for _, count in by_day if count]) == (30, [2, 2])
    page = zoe.get(f"/mes-badges/{award_of(given)}").text.replace("\xa0", " ")
    assert "4 fois en 30 jours" in page
    assert page.count("<rect x=") == 2
    for written in ("24 novembre 2026 : <b>2</b>", "25 novembre 2026 : <b>2</b>"):
        assert written in page


def test_counts_add_up_over_several_writes(app: App, given: BatchResult):
    visit(app, given)
    app.process.write_page_views()
    app.client().get(f"/attributions/{award_of(given)}", headers={"user-agent": "Mozilla/5.0 (other)"})
    app.process.write_page_views()
    assert stored(app) == [("2026-11-24", 3)]


def test_a_closed_page_counts_nothing(app: App, given: BatchResult):
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_of(given), Visibility.CLOSED, by=COMMAND)
    assert app.client().get(f"/attributions/{award_of(given)}", headers=FIREFOX).status_code == 403
    app.process.write_page_views()
    assert stored(app) == []


def test_the_holder_turns_it_off_and_on(app: App, given: BatchResult, zoe: TestClient):
    visit(app, given)
    app.process.write_page_views()
    privacy = f"/mes-badges/{award_of(given)}/confidentialite"
    form = f"/mes-badges/{award_of(given)}/consultations"
    assert send(zoe, form, {"compter": "non"}, seen_on=privacy).status_code == 303
    assert stored(app) == [], "the counts were deleted with the choice"
    app.clock.move(hours=12)
    visit(app, given)
    app.process.write_page_views()
    assert stored(app) == []
    assert "pas compté" in zoe.get(f"/mes-badges/{award_of(given)}").text
    assert send(zoe, form, {"compter": "oui"}, seen_on=privacy).status_code == 303
    app.clock.move(days=1)
    visit(app, given)
    app.process.write_page_views()
    assert [count for _, count in stored(app)] == [2]


def test_someone_else_does_not_turn_it_off(app: App, given: BatchResult):
    stranger = app.client()
    answer = send(
        stranger, f"/mes-badges/{award_of(given)}/consultations", {"compter": "non"}, seen_on="/connexion"
    )
    assert answer.status_code in (401, 403)


def test_counts_go_after_ninety_days(app: App, given: BatchResult):
    visit(app, given)
    app.process.write_page_views()
    app.clock.move(days=90)
    delete_some(app.process, EVERYTHING)
    assert len(stored(app)) == 1
    app.clock.move(days=1)
    delete_some(app.process, EVERYTHING)
    assert stored(app) == []


def test_counts_are_in_the_archive_without_anything_about_visitors(app: App, given: BatchResult):
    visit(app, given)
    app.process.write_page_views()
    with app.unit_of_work(reading=True) as services:
        person = services.awards.record(award_of(given)).person
        archive = services.archive.make(person.id)
    with zipfile.ZipFile(BytesIO(archive.body)) as files:
        rows = json.loads(files.read("donnees/page_view_count.json"))["rows"]
    assert rows == [{"award_id": str(award_of(given)), "day": "2026-11-24", "count": 2}]


def test_counts_wait_in_memory_while_the_database_refuses_them(app: App, given: BatchResult, monkeypatch):
    visit(app, given)

    def refuse(**_: object) -> None:
        raise OperationalError("", {}, Exception())

    monkeypatch.setattr(app.process, "unit_of_work", refuse)
    app.process.write_page_views()
    monkeypatch.undo()
    app.process.write_page_views()
    assert stored(app) == [("2026-11-24", 2)]
