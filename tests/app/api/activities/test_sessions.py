"""The sessions of a series, moved and cancelled by a program."""

from __future__ import annotations

from datetime import date

from fastapi.testclient import TestClient

from app.domain.activities import ActivitySession
from tests.app.api.clients import V1
from tests.support.app import App


def test_a_session_is_added_moved_cancelled_and_the_activity_follows(app: App, program: TestClient):
    here = f"{V1}/activities/{app.activity.id}"
    with app.unit_of_work() as services:
        first = ActivitySession(activity_id=app.activity.id, held_on=date(2026, 12, 1), hours=2)
        services.activity_plans.plans.save(first)
    made = program.post(f"{here}/sessions", json={"held_on": "2026-12-08", "hours": 3})
    assert made.status_code == 201, made.text
    session = f"{here}/sessions/{made.json()['id']}"
    result = {"held_on": "2026-12-10", "hours": 3, "place": "Fablab"}
    for _ in range(2):
        moved = program.put(session, json=result).json()
        assert (moved["held_on"], moved["planned_for"], moved["place"]) == (
            "2026-12-10",
            "2026-12-08",
            "Fablab",
        )
    assert program.get(here).json()["ends_on"] == "2026-12-10"
    assert program.put(session, json={**result, "cancelled": True}).json()["cancelled"] is True
    assert program.get(here).json()["hours"] == 2
    assert program.put(session, json={**result, "held_on": "2026-12-01"}).status_code == 409
    assert [one["held_on"] for one in program.get(f"{here}/sessions").json()["items"]] == [
        "2026-12-01",
        "2026-12-10",
    ]


def test_an_activity_held_once_becomes_a_series_and_one_of_several_days_does_not(program: TestClient):
    once = {
        "kind": "workshop",
        "title": "Soudure",
        "starts_on": "2026-11-24",
        "ends_on": "2026-11-24",
        "hours": 3,
    }
    here = f"{V1}/activities/{program.post(f'{V1}/activities', json=once).json()['id']}"
    people = [{"given_name": "Zoé", "family_name": "Martin"}]
    assert program.post(f"{here}/participations", json=people).status_code in (200, 201)
    assert program.get(f"{here}/sessions").json()["items"] == []
    made = program.post(f"{here}/sessions", json={"held_on": "2026-12-01", "hours": 2})
    assert (made.status_code, made.json()["people"]) == (201, 0)
    result = [
        (one["held_on"], one["hours"], one["people"])
        for one in program.get(f"{here}/sessions").json()["items"]
    ]
    assert result == [("2026-11-24", 3, 1), ("2026-12-01", 2, 0)]
    assert (program.get(here).json()["ends_on"], program.get(here).json()["hours"]) == ("2026-12-01", 5)

    week = program.post(
        f"{V1}/activities",
        json={"kind": "immersion", "title": "Semaine", "starts_on": "2026-11-23", "ends_on": "2026-11-27"},
    ).json()
    refused = program.post(f"{V1}/activities/{week['id']}/sessions", json={"held_on": "2026-12-01"})
    assert refused.status_code == 409
