"""A calendar's entries are chosen one by one; probable duplicates are not ticked."""

from __future__ import annotations

import re
from datetime import date

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.activities import Activity, ActivityKind
from tests.app.services.imports.test_calendar_imports import ONCE, SERIES, calendar, days
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with

HERE = "/gestion/itip/reprises"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


def dropped(trainer: TestClient, *events: str) -> Response:
    file = {"fichier": ("agenda.ics", calendar(*events), "text/calendar")}
    made = send(trainer, HERE, {"source": "Agenda"}, files=file)
    assert made.status_code == 303, made.text
    return trainer.get(made.headers["location"])


def titles(app: App) -> list[str]:
    with app.unit_of_work(reading=True) as services:
        return sorted(one.title for one, _ in services.activities.list_in(app.campus))


def test_only_ticked_entries_are_imported_and_the_report_lists_the_others(
    app: App, trainer: TestClient
) -> None:
    page = dropped(trainer, SERIES, ONCE)
    form = form_with(page, "importer")
    ticks = form.fields["importer"]
    assert len(ticks) == len(form.fields["montree"]) == 4
    names = re.findall(r'name="importer" value="(\w+)" checked><span>([^<]+)', page.text)
    once = next(value for value, name in names if name == "Forum des métiers")
    second = [value for value, name in names if name != "Forum des métiers"][1]
    form.fill(importer=[tick for tick in ticks if tick not in (once, second)])
    done = form.press(trainer, page, ("geste", "confirmer"))
    assert done.status_code == 303
    assert titles(app) == ["Atelier robotique", "Robotique pour tous"]
    assert days(app) == ["05/10", "19/10"]
    report = trainer.get(done.headers["location"]).text
    assert report.count("Vous ne l’avez pas cochée.") == 2
    again = form_with(dropped(trainer, SERIES, ONCE), "importer")
    assert len(again.fields["importer"]) == 2, "entries left out can be chosen later"


def test_probable_duplicates_are_shown_and_not_ticked(app: App, trainer: TestClient) -> None:
    on = date(2026, 11, 10)
    with app.unit_of_work() as services:
        known = Activity(kind=ActivityKind.EVENT, title="Grand forum des métiers", starts_on=on, ends_on=on)
        activity_id = services.activities.create(known, [app.campus], by=COMMAND).id
    other = "UID:autre@exemple.fr\nSUMMARY:Conseil de perfectionnement\nDTSTART;VALUE=DATE:20261110"
    page = dropped(trainer, ONCE, other)
    form = form_with(page, "importer")
    assert len(form.fields["importer"]) == 1
    assert f"/gestion/itip/activites/{activity_id}" in page.text
    assert "1 ligne ressemble à une activité déjà là" in page.text.replace("\u00a0", " ")
    form.press(trainer, page, ("geste", "confirmer"))
    assert titles(app) == ["Atelier robotique", "Conseil de perfectionnement", "Grand forum des métiers"]
    page = dropped(trainer, ONCE, other)
    form = form_with(page, "importer").fill(importer=form_with(page, "montree").fields["montree"])
    form.press(trainer, page, ("geste", "confirmer"))
    assert "Forum des métiers" in titles(app), "a tick imports it all the same"


def test_an_entry_of_the_same_title_and_day_joins_the_existing_activity(
    app: App, trainer: TestClient
) -> None:
    on = date(2026, 11, 10)
    with app.unit_of_work() as services:
        known = Activity(kind=ActivityKind.EVENT, title="Forum des métiers", starts_on=on, ends_on=on)
        services.activities.create(known, [app.campus], by=COMMAND)
    page = dropped(trainer, ONCE)
    assert "Forum des métiers, 10/11/2026" in page.text
    form_with(page, "geste").press(trainer, page, ("geste", "confirmer"))
    assert titles(app) == ["Atelier robotique", "Forum des métiers"]
