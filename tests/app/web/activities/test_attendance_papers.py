"""The participants of an activity as a table, and the sheet that they sign."""

from __future__ import annotations

import csv
import io
from datetime import date

import pytest
from fastapi.testclient import TestClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from app.domain.activities import ActivitySession
from app.domain.campus.audit_log import Actor
from app.domain.imports.lists.model import State
from app.services.imports.lists import read_list_text
from tests.support.app import App

LONG = "Lefèvre-De-La-Tour" * 6


@pytest.fixture
def here(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


def sheet(client: TestClient, here: str) -> PdfReader:
    answer = client.get(f"{here}/emargement.pdf")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/pdf"
    return PdfReader(io.BytesIO(answer.content))


def words(reader: PdfReader) -> str:
    return "".join("".join(page.extract_text() for page in reader.pages).split())


def test_the_table_of_participants_can_be_read_as_a_list_again(app: App, trainer: TestClient, here: str):
    app.award("ÉCRIN Zoé;zoe@exemple.fr")
    app.record("=MOREAU Ola;ola@exemple.fr", "AZUR Bob")
    with app.unit_of_work() as services:
        bob = services.activities.page(app.campus, app.activity.id).participants[0][0]
        services.activities.note_presences(
            app.campus, app.activity.id, set(), shown={bob.id}, by=Actor(app.trainer.id)
        )
    text = trainer.get(f"{here}/participants.csv").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    answer = trainer.get(f"{here}/participants.xlsx").content
    assert CalamineWorkbook.from_filelike(io.BytesIO(answer)).get_sheet_by_index(0).to_python()[0] == rows[0]
    by_name = {row[1]: row for row in rows[1:]}
    assert set(by_name) == {"Zoé", "Ola", "Bob"}
    assert by_name["Zoé"][-1] == app.presence.version.name
    assert by_name["Ola"][0] == "'=Moreau"
    assert [row[6] for row in rows[1:]].count("Absent") == 1
    again = {(line.given_name, line.address) for line in read_list_text(text).in_state(State.ASK)}
    again |= {(line.given_name, line.address) for line in read_list_text(text).in_state(State.READY)}
    assert again == {("Zoé", "zoe@exemple.fr"), ("Ola", "ola@exemple.fr"), ("Bob", "")}
    admin = app.client(app.admin)
    assert admin.get("/gestion/itip/historique").text.count("Tableau des participants") == 2


def test_thirty_people_sign_on_one_tagged_page_in_order(app: App, trainer: TestClient, here: str):
    app.record("ÉCRIN Zoé", *(f"NOM{number:02} Alice" for number in range(28)), f"{LONG};Anne")
    reader = sheet(trainer, here)
    text = words(reader)
    assert len(reader.pages) == 1
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"].startswith("fr")
    assert text.index("ÉcrinZoé") < text.index("Lefèvre") < text.index("Nom00Alice")
    assert LONG[-20:].casefold() in text.casefold(), "a long name is not cut"
    assert "Signature" in text


def test_a_sheet_of_a_series_names_the_nearest_session(app: App, trainer: TestClient, here: str):
    days = (date(2026, 11, 20), date(2026, 11, 25), date(2026, 12, 9))
    with app.unit_of_work() as services:
        services.stores.session.add_all(
            ActivitySession(activity_id=app.activity.id, held_on=day) for day in days
        )
    assert "25novembre2026" in words(sheet(trainer, here))


def test_two_hundred_people_are_all_on_the_sheet(app: App, trainer: TestClient, here: str):
    app.record(*(f"NOM{number:03} Alice" for number in range(200)))
    reader = sheet(trainer, here)
    text = words(reader)
    assert [number for number in range(200) if f"Nom{number:03}Alice" not in text] == []
    assert 5 <= len(reader.pages) <= 7


def test_the_printed_code_leads_to_the_projected_one_while_the_check_in_is_open(
    app: App, trainer: TestClient
):
    with app.unit_of_work(reading=True) as services:
        token = services.attendance_sheets.token_of(app.activity.id)
        foreign = services.attendance_sheets.token_of(app.trainer.id)
    phone = app.client()
    path = f"/presence/feuille/{token}"
    closed = phone.get(path)
    assert closed.status_code == 404
    assert "Signez la feuille" in closed.text
    with app.unit_of_work() as services:
        services.rooms.open(app.campus, app.activity.id, capacity=None, by=Actor(app.trainer.id))
    opened = phone.get(path)
    assert opened.status_code == 303
    assert app.activity.title in phone.get(opened.headers["location"]).text
    for other in (foreign, token[:-2] + "AA", token[:-1], "é", "%00", "A" * 34):
        assert phone.get(f"/presence/feuille/{other}").status_code == 404, other
    with app.unit_of_work() as services:
        services.rooms.close(app.campus, app.activity.id, by=Actor(app.trainer.id))
    assert phone.get(path).status_code == 404


def test_participants_stand_in_the_order_of_the_attendance_sheet_whatever_their_accents(app: App):
    app.record("Byron;Ada", "Bâ;Mariama", "Banach;Stefan")
    trainer = app.client(app.trainer)
    here = f"/gestion/itip/activites/{app.activity.id}"
    text = trainer.get(f"{here}/participants.csv").content.decode("utf-8-sig")
    assert text.startswith("Nom;Prénom;E-mail;")
    for shown in (text, trainer.get(here).text):
        assert shown.index("Mariama") < shown.index("Stefan") < shown.index("Ada")
