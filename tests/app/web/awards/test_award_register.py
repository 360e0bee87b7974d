"""The register of awards as a page: filters in its address, columns, and the same lines as CSV and workbook."""

from __future__ import annotations

import csv
import io
import re

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from app.domain.campus.audit_log import Actor
from tests.support.app import App

HERE = "/gestion/itip/attributions"


@pytest.fixture
def admin(app: App) -> TestClient:
    def give() -> None:
        app.award("ÉCRIN Zoé;zoe@exemple.fr", "AZUR Bob")
        result = app.award("=MOREAU Ola;ola@exemple.fr", badge=app.role, evidence="A aidé.")
        with app.unit_of_work() as services:
            award_id = result.lines[0].award_id
            assert award_id is not None
            services.awards.revoke(app.campus, award_id, "Erreur.", by=Actor(app.admin.id))

    app.once((__name__, "given"), give)
    return app.client(app.admin)


def names(text: str) -> list[str]:
    return re.findall(r'rowheader" scope="row"><a href="[^"]+"><b>([^<]+)', text)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Bob Azur", "Zoé Écrin", "Ola =Moreau"]),
        ("?etat=retire", ["Ola =Moreau"]),
        ("?etat=valable&recupere=non&tri=personne", ["Bob Azur", "Zoé Écrin"]),
        ("?recupere=oui", []),
        ("?periode=semaine&tri=-personne&etat=valable", ["Zoé Écrin", "Bob Azur"]),
        ("?periode=annee-passee", []),
        ("?du=2026-11-24&au=2026-11-24&etat=retire", ["Ola =Moreau"]),
        ("?du=2026-11-25", []),
        ("?badge={role}", ["Ola =Moreau"]),
        ("?activite={activity}&par={trainer}&etat=retire", ["Ola =Moreau"]),
        ("?par={admin}", []),
    ],
)
def test_filters_stand_in_the_address_and_in_the_form(
    app: App, admin: TestClient, query: str, found: list[str]
):
    filled = query.format(
        role=app.role.badge.id, activity=app.activity.id, trainer=app.trainer.id, admin=app.admin.id
    )
    page = admin.get(HERE + filled)
    assert page.status_code == 200
    assert sorted(names(page.text)) == sorted(found)
    if "tri" in query:
        assert names(page.text) == found
    for name, value in re.findall(r"(\w+)=([^&]+)", filled):
        if name in ("etat", "recupere", "badge", "activite", "par", "periode"):
            field = re.search(rf'(?s)<select id="f-{name}".*?</select>', page.text)
            assert field, name
            assert f'value="{value}" selected' in field[0], name


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?etat=parti", "n’a pas ce choix"),
        ("?recupere=peut-etre", "n’a pas ce choix"),
        ("?badge=00000000-0000-0000-0000-000000000000", "n’a pas ce choix"),
        ("?badge=%00", "n’a pas ce choix"),
        ("?periode=siecle", "n’a pas ce choix"),
        ("?du=24/11/2026", "Écrivez les dates ainsi"),
        ("?du=2026-11-24&au=2026-11-23", "échangez les deux dates"),
        ("?tri=taille", "ne se trie pas par"),
        ("?colonne=taille", "n’a pas de colonne"),
        ("?couleur=bleu", "n’a pas de filtre"),
        ("?apres=hier", "n’existe pas"),
    ],
)
def test_an_unknown_value_is_refused_with_a_sentence(admin: TestClient, query: str, sentence: str):
    page = admin.get(HERE + query)
    assert page.status_code == 422
    assert sentence in page.text
    assert names(page.text) == []
    for table in ("attributions.csv", "attributions.xlsx"):
        refused = admin.get(f"{HERE}/{table}{query}")
        assert refused.status_code == 422, table
        assert sentence in refused.text, table


def test_a_heading_sorts_and_marks_its_order(admin: TestClient):
    shown = admin.get(HERE).text
    assert shown.count("aria-sort") == 1
    assert 'aria-sort="descending"><a href="?tri=date">' in shown
    by_name = admin.get(f"{HERE}?tri=personne&etat=valable").text
    assert 'aria-sort="ascending"><a href="?etat=valable&amp;tri=-personne">' in by_name
    assert 'href="?etat=valable&amp;tri=badge"' in by_name
    assert '<input type="hidden" name="tri" value="personne">' in by_name


def test_a_table_holds_the_lines_and_columns_of_the_page(admin: TestClient):
    query = "?etat=retire&colonne=badge&colonne=motif&colonne=date&colonne=heures"
    text = admin.get(f"{HERE}/attributions.csv{query}").content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=";"))
    answer = admin.get(f"{HERE}/attributions.xlsx{query}")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
    heading = ["Nom", "Prénom", "Badge", "Attribué le", "Heures", "Motif du retrait"]
    assert rows[0] == book[0] == heading
    assert rows[1:] == [["'=Moreau", "Ola", rows[1][2], "24/11/2026", "3", "Erreur."]]
    assert book[1][:2] == ["'=Moreau", "Ola"]
    assert f"{book[1][3]:%d/%m/%Y}" == "24/11/2026"
    assert len(book) == 2
    page = admin.get(HERE + query).text
    assert f"attributions.csv{query}".replace("&", "&amp;") in page or "attributions.csv?etat=retire" in page


def test_tables_are_noted_and_only_for_those_who_export(app: App, admin: TestClient):
    trainer = app.client(app.trainer)
    assert "attributions.csv" not in trainer.get(HERE).text
    for name in ("attributions.csv", "attributions.xlsx"):
        assert trainer.get(f"{HERE}/{name}").status_code == 403
        assert admin.get(f"{HERE}/{name}").status_code == 200
    assert admin.get("/gestion/itip/historique").text.count("Tableau des attributions") == 2


def test_a_long_list_is_counted_up_to_a_bound(admin: TestClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("app.http.pages.registers._MOST_LINES", 1)
    monkeypatch.setattr("app.web.campus.registers.COUNTED_LINES", 2)
    monkeypatch.setattr("app.web.campus.registers.A_PAGE", 1)
    every, valid, withdrawn = (
        read_text(admin.get(f"{HERE}{query}").text) for query in ("", "?etat=valable", "?etat=retire")
    )
    assert "Plus de 1 attributions" in every
    assert "Choisir toute la liste" in every
    assert "Plus de 1 attributions Tout montrer" in valid
    assert "1 attribution sur plus de 1. Tout montrer" in withdrawn
    assert "Choisir" not in withdrawn.split("Exporter")[0].rsplit("Choisies", 1)[-1]
    table = admin.get(f"{HERE}/attributions.csv?etat=valable").content.decode("utf-8-sig")
    assert len(table.splitlines()) == 3, "a table holds every line"


def read_text(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).replace("\xa0", " ").split())
