"""« Agendas suivis »: an address is added once; new entries are chosen on the page of imports."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.adapters.accounts import limits_in
from app.domain.accounts.rate_limits import LIMITS, Limit
from tests.app.services.imports.test_calendar_imports import ONCE, activities, calendar
from tests.app.services.imports.test_calendar_subscriptions import URL, Agenda, agenda, lines, read  # noqa: F401
from tests.support.app import App, send
from tests.support.forms import form_with

HERE = "/gestion/itip/reprises/agendas"
FORM = {"source": "Agenda", "adresse": URL, "type": "event"}


def follow(app: App) -> TestClient:
    trainer = app.client(app.trainer)
    assert send(trainer, HERE, FORM).status_code == 303
    return trainer


def test_a_calendar_is_followed_and_its_address_is_not_shown_again(app: App, agenda: Agenda) -> None:  # noqa: F811
    trainer = follow(app)
    shown = trainer.get(HERE).text
    assert "agenda.exemple.fr" in shown
    assert "secret" not in shown
    assert f'href="{HERE}"' in trainer.get("/gestion/itip/reprises").text


def test_new_entries_are_chosen_on_the_page_of_imports(app: App, agenda: Agenda) -> None:  # noqa: F811
    trainer = follow(app)
    with app.unit_of_work(reading=True) as services:
        [followed] = services.calendar_subscriptions.list_of(app.campus)
    agenda.body = calendar(ONCE)
    read(app, followed)
    trainer = app.client(app.trainer)
    assert "1 nouvelle ligne à choisir" in trainer.get(HERE).text.replace("\u00a0", " ")
    chosen = send(trainer, f"{HERE}/{followed.id}/choisir", {})
    assert chosen.status_code == 303, chosen.text
    page = trainer.get(chosen.headers["location"])
    assert "Forum des métiers" in page.text
    form_with(page, "importer").press(trainer, page, ("geste", "confirmer"))
    assert [one.title for one in activities(app)] == ["Forum des métiers"]


def test_entries_that_cannot_be_imported_are_on_the_page(app: App, agenda: Agenda) -> None:  # noqa: F811
    trainer = follow(app)
    with app.unit_of_work(reading=True) as services:
        [followed] = services.calendar_subscriptions.list_of(app.campus)
    agenda.body = calendar("UID:x@exemple.fr\nSUMMARY:Forum\nDTSTART;TZID=Ville inconnue:20261210T090000")
    followed = read(app, followed)
    trainer = app.client(app.trainer)
    assert "1 événement à venir n’est pas repris" in trainer.get(HERE).text.replace("\u00a0", " ")
    assert "Ville inconnue" in trainer.get(f"/gestion/itip/reprises/{followed.run_id}").text


def test_an_unreadable_calendar_shows_the_reason(app: App, agenda: Agenda) -> None:  # noqa: F811
    trainer = follow(app)
    with app.unit_of_work(reading=True) as services:
        [followed] = services.calendar_subscriptions.list_of(app.campus)
    agenda.fault = "timeout"
    assert send(trainer, f"{HERE}/{followed.id}/choisir", {}).status_code == 503
    read(app, followed)
    trainer = app.client(app.trainer)
    assert "L’agenda a mis trop de temps à répondre." in trainer.get(HERE).text
    for fault, said in (
        ("redirect_refused", "Cette adresse renvoie à une autre"),
        ("http_status", "refuse de répondre"),
    ):
        agenda.fault = fault
        read(app, followed)
        assert said in app.client(app.trainer).get(HERE).text
    trainer = app.client(app.trainer)
    for step, wanted in (("pause", "En pause"), ("reprise", "Suivi"), ("lire", "Suivi")):
        assert send(trainer, f"{HERE}/{followed.id}/{step}", {}).status_code == 303
        assert wanted in trainer.get(HERE).text
    assert send(trainer, f"{HERE}/{followed.id}/retrait", {}).status_code == 303
    assert "Aucun agenda suivi" in trainer.get(HERE).text


def test_an_address_that_is_not_a_calendar_is_refused_beside_its_field(app: App) -> None:
    trainer = app.client(app.trainer)
    refused = send(trainer, HERE, FORM | {"adresse": "ftp://agenda.exemple.fr"})
    assert refused.status_code == 422
    assert "Donnez l’adresse https de l’agenda" in refused.text


@pytest.mark.parametrize("step", ["lire", "pause", "reprise", "retrait", ""])
def test_each_step_that_asks_another_service_is_limited(
    app: App,
    agenda: Agenda,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    step: str,
) -> None:
    trainer = follow(app)
    with app.unit_of_work(reading=True) as services:
        [followed] = services.calendar_subscriptions.list_of(app.campus)
    monkeypatch.setattr(app.process, "limiter", limits_in("memory://", b"key"))
    monkeypatch.setitem(LIMITS, "calendars of a campus", Limit(1, timedelta(hours=1)))
    assert send(trainer, f"{HERE}/{followed.id}/lire", {}).status_code == 303
    where, form = (f"{HERE}/{followed.id}/{step}", {}) if step else (HERE, FORM | {"source": "B"})
    assert send(trainer, where, form).status_code == 429
