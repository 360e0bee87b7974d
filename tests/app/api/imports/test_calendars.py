"""A program imports a calendar, and follows one at an address."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.adapters.accounts import limits_in
from app.domain.accounts.rate_limits import LIMITS, Limit
from app.http.programs import Scope
from app.services.imports import calendar_imports
from tests.app.api.clients import V1
from tests.app.api.clients import program as program_of
from tests.app.services.imports.test_calendar_imports import ONCE, SERIES, activities, calendar, days
from tests.support.app import App, may_write

CALENDARS = f"{V1}/calendars"
ICS = {"content-type": "text/calendar; charset=utf-8"}
BODY = {"source": "Agenda d’un programme", "url": "webcal://agenda.exemple.fr/secret.ics", "creates": True}


def titles(app: App) -> set[str]:
    return {one.title for one in activities(app)}


def test_calendar_is_imported_with_a_receipt_for_each_entry_and_once(program: TestClient, app: App):
    before = len(activities(app))
    here = f"{CALENDARS}/import?source=API&kind=course"
    tried = program.post(f"{here}&dry_run=true", content=calendar(SERIES, ONCE), headers=ICS).json()
    assert (tried["report"], tried["created"]) == (None, 4)
    assert len(activities(app)) == before
    made = program.post(here, content=calendar(SERIES, ONCE), headers=ICS)
    assert made.status_code == 200, made.text
    receipt = made.json()
    assert (receipt["created"], receipt["refused"]) == (4, 0)
    assert receipt["lines"][0]["uid"] == "serie@exemple.fr"
    assert receipt["lines"][0]["occurrence"] == "20261005T070000Z"
    assert {"Robotique pour tous", "Forum des métiers"} <= titles(app)
    again = program.post(here, content=calendar(SERIES, ONCE), headers=ICS).json()
    assert (again["created"], again["same"]) == (0, 4)
    off = SERIES + "\nEXDATE;TZID=Europe/Paris:20261012T090000"
    changed = program.post(here, content=calendar(off, ONCE), headers=ICS).json()
    assert [one["changes"] for one in changed["lines"] if one["outcome"] == "changed"] == [["removed"]]
    assert days(app) == ["05/10", "19/10"]


def test_entry_similar_to_an_activity_of_that_day_is_refused_until_the_program_insists(
    program: TestClient, app: App
):
    on = f"{app.activity.starts_on:%Y%m%d}"
    entry = calendar(f"UID:semblable@exemple.fr\nSUMMARY:Grand atelier robotique\nDTSTART;VALUE=DATE:{on}")
    here = f"{CALENDARS}/import?source=Semblables"
    (line,) = program.post(here, content=entry, headers=ICS).json()["lines"]
    assert line["outcome"] == "refused"
    assert line["problem"]["status"] == 422
    (line,) = program.post(f"{here}&create_similar=true", content=entry, headers=ICS).json()["lines"]
    assert line["outcome"] == "created"


def test_same_key_imports_once(program: TestClient):
    key = ICS | {"idempotency-key": "agenda-1"}
    entry = calendar(ONCE.replace("une-fois", "une-cle").replace("20261110", "20261215"))
    first = program.post(f"{CALENDARS}/import?source=Clés", content=entry, headers=key)
    again = program.post(f"{CALENDARS}/import?source=Clés", content=entry, headers=key)
    assert first.json() == again.json()
    assert first.json()["created"] == 1
    other = program.post(f"{CALENDARS}/import?source=Clés", content=calendar(SERIES), headers=key)
    assert other.status_code == 422


def test_calendar_is_parsed_while_another_program_may_write(
    program: TestClient, app: App, monkeypatch: pytest.MonkeyPatch
):
    parse, free = calendar_imports.read_calendar, list[bool]()

    def parsed(*given, **more):
        free.append(may_write(app))
        return parse(*given, **more)

    monkeypatch.setattr(calendar_imports, "read_calendar", parsed)
    entry = calendar(ONCE.replace("une-fois", "a-cote").replace("20261110", "20261217"))
    answer = program.post(f"{CALENDARS}/import?source=Libre", content=entry, headers=ICS)
    assert (answer.json()["created"], free) == (1, [True])


def test_calendar_of_a_program_that_may_not_import_it_is_not_parsed(
    app: App, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(calendar_imports, "read_calendar", lambda *given, **more: pytest.fail("parsed"))
    reader = program_of(app, Scope.READ.value)
    assert reader.post(f"{CALENDARS}/import", content=calendar(ONCE), headers=ICS).status_code == 403
    nobody = reader.post(f"{CALENDARS}/import", content=calendar(ONCE), headers=ICS | {"authorization": ""})
    assert nobody.status_code == 401


@pytest.mark.parametrize(
    ("content", "media_type", "status"),
    [
        (b"BEGIN:VCALENDAR\nEND:VCALENDAR", "text/calendar", 422),
        (b"no calendar", "text/calendar", 422),
        (b"", "text/calendar", 422),
        (b"\xff\xfe", "text/calendar", 422),
        (b"{}", "application/json", 415),
    ],
)
def test_body_that_is_not_a_calendar_is_refused(
    program: TestClient, content: bytes, media_type: str, status: int
):
    answer = program.post(f"{CALENDARS}/import", content=content, headers={"content-type": media_type})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert status != 415 or "text/calendar" in answer.json()["detail"]


def test_followed_calendar_from_creation_to_deletion(program: TestClient, app: App):
    made = program.post(CALENDARS, json=BODY)
    assert made.status_code == 201, made.text
    calendar_ = made.json()
    assert calendar_["host"] == "agenda.exemple.fr"
    assert "secret.ics" not in made.text, "its address may be a secret"
    here = f"{CALENDARS}/{calendar_['id']}"
    assert calendar_ in program.get(CALENDARS).json()["items"]
    assert program.post(f"{here}/pause").json()["next_at"] is None
    assert program.post(f"{here}/read").status_code == 409
    assert program.post(f"{here}/resume").json()["state"] == "active"
    assert program.post(f"{here}/read").status_code == 202
    assert program.post(CALENDARS, json=BODY).status_code == 409
    assert program.delete(here).json()["id"] == calendar_["id"]
    assert program.get(here).status_code == 404


def test_calendars_are_for_programs_that_write_activities(app: App):
    assert program_of(app, Scope.READ.value).get(CALENDARS).status_code == 403


def test_importing_has_a_limit_of_its_own_for_each_token(
    program: TestClient, app: App, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(app.process, "limiter", limits_in("memory://", b"key"))
    monkeypatch.setitem(LIMITS, "calendars of a token", Limit(2, timedelta(minutes=1)))
    here = f"{CALENDARS}/import?source=Souvent&dry_run=true"
    asked = [program.post(here, content=calendar(ONCE), headers=ICS).status_code for _ in range(3)]
    assert asked == [200, 200, 429]
    assert program.get(CALENDARS).status_code == 200


@pytest.mark.parametrize("step", ["read", "pause", "resume", "delete", "follow"])
def test_each_step_that_asks_another_service_is_limited(
    program: TestClient, app: App, monkeypatch: pytest.MonkeyPatch, step: str
):
    body = BODY | {"source": f"Limite {step}", "url": f"https://agenda.exemple.fr/{step}.ics"}
    here = f"{CALENDARS}/{program.post(CALENDARS, json=body).json()['id']}"
    monkeypatch.setattr(app.process, "limiter", limits_in("memory://", b"key"))
    monkeypatch.setitem(LIMITS, "calendars of a campus", Limit(1, timedelta(hours=1)))
    assert program.post(f"{here}/read").status_code == 202
    refused = {
        "delete": lambda: program.delete(here),
        "follow": lambda: program.post(CALENDARS, json=body | {"source": "Autre"}),
    }.get(step, lambda: program.post(f"{here}/{step}"))()
    assert refused.status_code == 429
