"""The sessions of a series, moved and cancelled by a program."""

from __future__ import annotations

from datetime import date

from fastapi.testclient import TestClient

from app.domain.activity_plans import ActivitySession
from tests.api.doors import V1
from tests.support.house import House


def test_a_session_is_added_moved_cancelled_and_the_activity_follows(house: House, program: TestClient):
    here = f"{V1}/activities/{house.activity.id}"
    alone = program.post(f"{here}/sessions", json={"held_on": "2026-12-08"})
    assert alone.status_code == 409, "an activity that is held once has no sessions"
    with house.unit_of_work() as services:
        first = ActivitySession(activity_id=house.activity.id, held_on=date(2026, 12, 1), hours=2)
        services.activity_plans.plans.add_sessions([first])
    made = program.post(f"{here}/sessions", json={"held_on": "2026-12-08", "hours": 3})
    assert made.status_code == 201, made.text
    session = f"{here}/sessions/{made.json()['id']}"
    told = {"held_on": "2026-12-10", "hours": 3, "place": "Fablab"}
    for _ in range(2):
        moved = program.put(session, json=told).json()
        assert (moved["held_on"], moved["planned_for"], moved["place"]) == (
            "2026-12-10",
            "2026-12-08",
            "Fablab",
        )
    assert program.get(here).json()["ends_on"] == "2026-12-10"
    assert program.put(session, json={**told, "cancelled": True}).json()["cancelled"] is True
    assert program.get(here).json()["hours"] == 2
    assert program.put(session, json={**told, "held_on": "2026-12-01"}).status_code == 409
    assert [one["held_on"] for one in program.get(f"{here}/sessions").json()] == ["2026-12-01", "2026-12-10"]
