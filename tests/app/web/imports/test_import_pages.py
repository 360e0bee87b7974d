"""Files dropped on « Importer des activités »: every format is previewed first and written once confirmed."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import pytest

from app.domain.imports.imports import ImportLineOutcome
from app.services.campus.dashboard import Start
from app.services.imports import calendar_imports, imports
from app.web.imports import import_preview
from tests.journeys.test_takes_over_activities import CALENDAR, STATEMENTS, TABLE
from tests.support.app import App, may_write
from tests.support.forms import form_with

DESK = "/gestion/itip/reprises"


@pytest.mark.parametrize(
    ("content", "result", "created"),
    [
        (CALENDAR, "05/10/2026, 2 h 30", 3),
        (STATEMENTS, "Prise en main", 1),
        (TABLE.replace("Coach", "Ressource"), "Fabrication additive", 2),
    ],
    ids=["calendar", "statements", "table"],
)
def test_every_format_is_previewed_before_it_is_written(
    app: App, content: str, result: str, created: int
) -> None:
    trainer = app.client(app.trainer)
    start = trainer.get(DESK)
    dropped = form_with(start, "tableau").fill(source="Agenda", tableau=content).press(trainer, start)
    here = dropped.headers["location"]
    shown = trainer.get(here)
    assert result in shown.text.replace("\xa0", " ").replace("\u202f", " ")
    with app.unit_of_work(reading=True) as services:
        assert services.imports.reports(app.campus) == []
    form_with(shown, "geste").press(trainer, shown, ("geste", "confirmer"))
    with app.unit_of_work(reading=True) as services:
        [report] = services.imports.reports(app.campus)
        assert report.counts[ImportLineOutcome.CREATED] == created


@pytest.mark.parametrize(
    ("module", "parser", "content"),
    [
        (calendar_imports, "read_calendar", CALENDAR),
        (imports, "statements_in", STATEMENTS),
        (import_preview, "blocks_of", TABLE),
    ],
    ids=["calendar", "statements", "table"],
)
def test_a_dropped_file_is_parsed_while_another_person_may_write(
    app: App, monkeypatch: pytest.MonkeyPatch, module: ModuleType, parser: str, content: str
) -> None:
    parse, free = getattr(module, parser), list[bool]()

    def parsed(*given: Any, **more: Any) -> Any:
        free.append(may_write(app))
        return parse(*given, **more)

    monkeypatch.setattr(module, parser, parsed)
    trainer = app.client(app.trainer)
    start = trainer.get(DESK)
    form_with(start, "tableau").fill(source="Agenda", tableau=content).press(trainer, start)
    assert free == [True]


def test_statements_are_shown_and_confirmed_while_another_person_may_write(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = app.client(app.trainer)
    start = trainer.get(DESK)
    dropped = form_with(start, "tableau").fill(source="LRS", tableau=STATEMENTS).press(trainer, start)
    parse, free = imports.statements_in, list[bool]()

    def parsed(*given: Any) -> Any:
        free.append(may_write(app))
        return parse(*given)

    monkeypatch.setattr(imports, "statements_in", parsed)
    shown = trainer.get(dropped.headers["location"])
    form_with(shown, "geste").press(trainer, shown, ("geste", "confirmer"))
    assert len(free) == 3
    assert all(free)
    with app.unit_of_work(reading=True) as services:
        assert services.imports.reports(app.campus)


def test_an_unreadable_calendar_retains_the_typed_text_and_explains_what_to_do(app: App) -> None:
    trainer = app.client(app.trainer)
    start = trainer.get(DESK)
    result = (
        form_with(start, "tableau")
        .fill(source="Agenda", tableau="BEGIN:VCALENDAR\nEND:VCALENDAR")
        .press(trainer, start)
    )
    assert result.status_code == 422
    assert "aucun événement" in result.text
    assert 'value="Agenda"' in result.text


def test_doubtful_and_known_people_of_a_table_are_asked_about_before_they_are_written(app: App) -> None:
    app.record("Louise Marchand louise.marchand@exemple.fr", "Jules Fabre jules.fabre@exemple.fr")
    table = (
        "Activité;Type;Date;Nom;Prénom;Courriel\n"
        "Forum;Événement;03/10/2025;Marchand;Louise;louise@exemple.org\n"
        "Salon;Événement;04/10/2025;Marchand;Louise;louise@exemple.org\n"
        "Forum;Événement;03/10/2025;Fabre;Jules;j.fabre@exemple.org\n"
        "Forum;Événement;03/10/2025;Colin;Emma;emma.colin@gmial.com\n"
        "Forum;Événement;03/10/2025;Aubry;Solène;solene.aubry@exemple.fr\n"
    )
    trainer = app.client(app.trainer)
    start = trainer.get(DESK)
    dropped = form_with(start, "tableau").fill(source="Suivi", tableau=table).press(trainer, start)
    here = dropped.headers["location"]
    shown = trainer.get(here)
    assert "À vérifier (3)" in shown.text.replace("\xa0", " ")
    form = form_with(shown, "geste")
    known = re.findall(r'name="meme-2" value="([^"]+)"', shown.text)
    form.fill(**{"meme-2": known[0], "meme-4": "autre"}).press(trainer, shown, ("geste", "lire"))
    again = trainer.get(here)
    form_with(again, "geste").press(trainer, again, ("geste", "confirmer"))
    with app.unit_of_work(reading=True) as services:
        [report] = services.imports.reports(app.campus)
        assert report.counts == {ImportLineOutcome.CREATED: 4, ImportLineOutcome.REFUSED: 1}
        people = services.directory.find_people(app.campus, "", Start(limit=50))
        names = sorted(person.name for person in people)
    assert names == ["Jules Fabre", "Jules Fabre", "Louise Marchand", "Solène Aubry"]


def test_one_tap_takes_the_suggested_address_of_a_line_or_of_all(app: App) -> None:
    table = (
        "Activité;Type;Date;Nom;Prénom;Courriel\n"
        "Forum;Événement;03/10/2025;Colin;Emma;emma.colin@gmial.com\n"
        "Forum;Événement;03/10/2025;Picard;Noé;noe.picard@laposte.nte\n"
        "Forum;Événement;03/10/2025;Aubry;Solène;solene.aubry@exemple.fr\n"
    )
    trainer = app.client(app.trainer)
    start = trainer.get(DESK)
    here = (
        form_with(start, "tableau")
        .fill(source="Suivi", tableau=table)
        .press(trainer, start)
        .headers["location"]
    )
    shown = trainer.get(here)
    assert "Mettre emma.colin@gmail.com" in shown.text
    one = form_with(shown, "geste").press(trainer, shown, ("geste", "adresses-2"))
    assert one.status_code == 303
    shown = trainer.get(here)
    assert "emma.colin@gmail.com" in shown.text
    assert "Mettre noe.picard@laposte.net" in shown.text
    form_with(shown, "geste").press(trainer, shown, ("geste", "adresses"))
    shown = trainer.get(here)
    form_with(shown, "geste").press(trainer, shown, ("geste", "confirmer"))
    with app.unit_of_work(reading=True) as services:
        [report] = services.imports.reports(app.campus)
        assert report.counts == {ImportLineOutcome.CREATED: 3}
        found = services.directory.find_people(app.campus, "", Start(limit=50))
        addresses = services.stores.people.addresses_of(person.id for person in found)
    assert set(addresses.values()) == {
        "emma.colin@gmail.com",
        "noe.picard@laposte.net",
        "solene.aubry@exemple.fr",
    }


def test_known_people_of_statements_are_asked_about_before_they_are_written(app: App) -> None:
    app.record("Ousmane Petit autre@exemple.org")
    trainer = app.client(app.trainer)
    start = trainer.get(DESK)
    here = (
        form_with(start, "tableau")
        .fill(source="Moodle", tableau=STATEMENTS)
        .press(trainer, start)
        .headers["location"]
    )
    shown = trainer.get(here)
    assert "À vérifier (1)" in shown.text.replace("\xa0", " ")
    [known, _other] = re.findall(r'name="meme-\d+" value="([^"]+)"', shown.text)
    number = re.findall(r'name="meme-(\d+)"', shown.text)[0]
    form = form_with(shown, "geste").fill(**{f"meme-{number}": known})
    assert form.press(trainer, shown, ("geste", "lire")).status_code == 303
    shown = trainer.get(here)
    form_with(shown, "geste").press(trainer, shown, ("geste", "confirmer"))
    with app.unit_of_work(reading=True) as services:
        [report] = services.imports.reports(app.campus)
        assert report.counts[ImportLineOutcome.CREATED] == 1
        assert len(services.directory.find_people(app.campus, "Petit", Start(limit=50))) == 1
