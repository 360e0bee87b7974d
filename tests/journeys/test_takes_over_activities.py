"""From a French spreadsheet to activities: dropped, understood, its words explained on the page, confirmed, reported."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.domain.imports.imports import ImportLineOutcome
from tests.support.app import App, build_app
from tests.support.servers.browser import PHONE, OpenPage, assert_accessible, assert_no_sideways_scroll
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser
TABLE = """Suivi des activités 2025;;;;;;;;;
Identifiant;Activité;Type;Date;Lieu;Nom;Prénom;Courriel;Rôle;Heures
P-1;Fabrication additive, découverte;Atelier;03/10/2025;Le Creusot;LE BŒUF;Anne-Gaëlle;ag.leboeuf@exemple.fr;Apprenant;2,5
P-2;Fabrication additive, découverte;Atelier;03/10/2025;Le Creusot;MARTIN;Zoé;;Coach;3
P-3;Fabrication additive, découverte;Atelier;31/02/2025;Le Creusot;PETIT;Ousmane;;Apprenant;3
"""


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[App]:
    built = build_app(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    yield built
    built.process.engine.dispose()


@pytest.fixture
def server(app: App, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(app.process.settings, listener, process=app.process) as running:
        yield running


def drop(page: Page, server: LiveServer) -> None:
    page.goto(server.url("/gestion/itip/reprises"))
    page.get_by_label("D’où viennent ces activités").fill("Suivi 2025")
    page.locator("#fichier").set_input_files(
        {"name": "suivi.csv", "mimeType": "text/csv", "buffer": TABLE.encode("cp1252")}
    )
    page.get_by_role("button", name="Lire sans rien enregistrer").click()


def test_a_spreadsheet_becomes_activities_once_its_words_are_explained(
    server: LiveServer, app: App, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    page.goto(server.url(app.sign_in_path(app.trainer)))
    page.get_by_role("button", name="Se connecter").click()
    drop(page, server)
    expect(page.get_by_role("heading", level=1)).to_have_text("Voici ce qui serait importé")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_label("« Coach »").select_option("ressource")
    page.get_by_role("button", name="Relire ainsi").click()
    page.get_by_role("button", name=re.compile("Importer 2 lignes")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compte rendu de l’import")
    expect(page.get_by_text("n’est pas une date")).to_be_visible()
    assert_accessible(page)
    drop(page, server)
    expect(page.get_by_text("Ce même fichier a déjà été importé")).to_be_visible()
    expect(page.get_by_label("« Coach »")).to_have_value("ressource")
    expect(page.get_by_role("button", name="Garder le compte rendu")).to_be_visible()


CALENDAR = """BEGIN:VCALENDAR
VERSION:2.0
BEGIN:VEVENT
UID:robotique@exemple.fr
SUMMARY:Robotique pour tous
LOCATION:VRAI, Le Creusot
DTSTART;TZID=Europe/Paris:20261005T090000
DTEND;TZID=Europe/Paris:20261005T113000
RRULE:FREQ=WEEKLY;COUNT=3
END:VEVENT
BEGIN:VEVENT
UID:annule@exemple.fr
SUMMARY:Forum reporté
STATUS:CANCELLED
DTSTART;VALUE=DATE:20261110
END:VEVENT
END:VCALENDAR
"""
STATEMENTS = """[{"id": "0f0e0d0c-0b0a-4908-8706-050403020100", "timestamp": "2026-11-20T14:00:00+01:00",
"actor": {"name": "Ousmane Petit", "mbox": "mailto:ousmane.petit@exemple.fr"},
"verb": {"id": "http://adlnet.gov/expapi/verbs/attended"},
"object": {"id": "https://cours.exemple.fr/7", "definition": {"name": {"fr": "Prise en main"}}}}]"""


@pytest.mark.parametrize(
    ("name", "content", "result", "count"),
    [("agenda.ics", CALENDAR, "Robotique pour tous", 3), ("xapi.json", STATEMENTS, "Ousmane Petit", 1)],
    ids=["calendar", "statements"],
)
def test_calendars_and_statements_are_shown_before_they_are_written(
    server: LiveServer, app: App, open_page: OpenPage, name: str, content: str, result: str, count: int
) -> None:
    page = open_page(PHONE)
    page.goto(server.url(app.sign_in_path(app.trainer)))
    page.get_by_role("button", name="Se connecter").click()
    page.goto(server.url("/gestion/itip/reprises"))
    page.get_by_label("D’où viennent ces activités").fill("Agenda du VRAI")
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content.encode()}
    page.locator("#fichier").set_input_files(file)
    page.get_by_role("button", name="Lire sans rien enregistrer").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Voici ce qui serait importé")
    expect(page.get_by_text(result).first).to_be_visible()
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    page.get_by_role("button", name=re.compile(rf"Importer (?:{count} ligne|les lignes cochées)")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Compte rendu de l’import")
    assert_accessible(page)
    with app.unit_of_work(reading=True) as services:
        [report] = services.imports.reports(app.campus)
        assert report.counts.get(ImportLineOutcome.CREATED) == count
