"""A list is shown as it was understood, and can be corrected, before anybody is recorded."""

from __future__ import annotations

import io

import pytest
import xlsxwriter
from fastapi.testclient import TestClient
from httpx import Response

from tests.support.forms import form_with
from tests.support.house import House, send
from tests.web.test_activities_pages import people_of

READ, RECORD, CHANGE = ("geste", "lire"), ("geste", "inscrire"), ("geste", "changer")
# As Excel saves it in French; the second Zoé is somebody else.
EXPORT = (
    "Nom;Prénom;Courriel;Contribution\r\n"
    'LE BŒUF;Anne-Gaëlle;ag@exemple.fr;"A tenu le stand, puis l’accueil"\r\n'
    "MARTIN;Zoé;zoe.a@exemple.fr;\r\n"
    ";;;\r\n"
    "MARTIN;Zoé;zoe.b@exemple.fr;\r\n"
    "JAOUEN;Nolwenn;nolwenn@exemple,fr;\r\n"
    "DÉJÀ;Paul;paul@exemple.fr;\r\n"
    "KEÏTA;Moussa;;\r\n"
    "D’ARCY;Inès;ines@exemple.fr;\r\n"
).encode("cp1252")


@pytest.fixture
def trainer(house: House) -> TestClient:
    return house.client(house.trainer)


@pytest.fixture
def here(house: House) -> str:
    return f"/gestion/itip/activites/{house.activity.id}"


def read(trainer: TestClient, here: str, text: str = "", **sent) -> Response:
    return send(trainer, f"{here}/participants", {"liste": text}, seen_on=here, **sent)


def test_a_list_is_shown_line_by_line_before_anything_is_written(
    house: House, trainer: TestClient, here: str
):
    house.record("DUPONT Zoé")

    page = read(
        trainer,
        here,
        "MARTIN Chloé; chloe@exemple.fr\nDupont Zoé\nMartin Chloé; chloe@exemple.fr\nX; x@exemple,fr",
    )

    assert page.status_code == 200
    for outcome in ("Prête", "Déjà inscrite", "Déjà plus haut", "À corriger"):
        assert f"</svg>{outcome}</span>" in page.text, outcome
    assert list(people_of(house)) == ["Zoé Dupont"]


def test_a_french_export_is_read_line_by_line_and_twice_changes_nothing(
    house: House, trainer: TestClient, here: str
):
    file = {"fichier": ("liste.csv", EXPORT, "text/csv")}
    page = read(trainer, here, files=file)
    assert form_with(page, "colonne-0").fields["colonne-2"] == ["adresse"]
    assert "À corriger (1)" in page.text
    assert "Lues (6)" in page.text

    back = form_with(page, "colonne-0").press(trainer, page, RECORD)

    assert sorted(people_of(house)) == [
        "Anne-Gaëlle Le Bœuf", "Inès D’Arcy", "Moussa Keïta", "Paul Déjà", "Zoé Martin",
    ]  # fmt: skip
    with house.unit_of_work(reading=True) as services:
        addresses = services.activities.page(house.campus, house.activity.id).addresses.values()
    assert {"zoe.a@exemple.fr", "zoe.b@exemple.fr"} <= set(addresses)
    assert form_with(back, "liste").fields["liste"] == [
        "Nom;Prénom;Courriel;Contribution\nJAOUEN;Nolwenn;nolwenn@exemple,fr;"
    ]
    again = read(trainer, here, files=file)
    assert "Inscrire la liste" in again.text
    form_with(again, "colonne-0").press(trainer, again, RECORD)
    with house.unit_of_work(reading=True) as services:
        assert len(services.activities.page(house.campus, house.activity.id).participants) == 6


def test_a_workbook_gives_the_same_lines(house: House, trainer: TestClient, here: str):
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 2, "Feuille de présence")
    for number, row in enumerate([["Nom", "Prénom", "Heures"], ["LE BŒUF", "Anne", 14.5]], start=1):
        sheet.write_row(number, 0, row)
    book.close()

    page = read(trainer, here, files={"fichier": ("liste.xlsx", data.getvalue(), "application/octet-stream")})
    assert "Ligne 1" in page.text.replace("\u00a0", " ")
    form_with(page, "colonne-0").press(trainer, page, RECORD)

    assert people_of(house) == {"Anne Le Bœuf": ("", 14.5, "")}


def test_a_wrong_guess_of_the_columns_is_corrected_and_shown_again_first(
    house: House, trainer: TestClient, here: str
):
    page = read(trainer, here, "Chloé;Martin\nZoé;Dupont")
    form = form_with(page, "colonne-0").fill(colonne_0="prenom", colonne_1="nom")

    shown = form.press(trainer, page, RECORD)
    assert shown.status_code == 200
    assert "voici la liste relue" in shown.text
    assert people_of(house) == {}

    form_with(shown, "colonne-0").press(trainer, shown, RECORD)
    assert sorted(people_of(house)) == ["Chloé Martin", "Zoé Dupont"]


def test_a_name_in_one_piece_can_be_turned_round(house: House, trainer: TestClient, here: str):
    page = read(trainer, here, "Le Bœuf Anne\nMartin Zoé\nDe Sousa Tomé")
    form = form_with(page, "colonne-0")
    assert form.fields["colonne-0"] == ["nom-prenom"]

    shown = form.fill(inverser=["2"]).press(trainer, page, READ)
    form_with(shown, "colonne-0").press(trainer, shown, RECORD)

    assert sorted(people_of(house)) == ["Anne Le Bœuf", "Martin Zoé", "Tomé De Sousa"]


def test_two_columns_cannot_say_the_same_thing(house: House, trainer: TestClient, here: str):
    page = read(trainer, here, "Chloé;Martin")

    refused = form_with(page, "colonne-0").fill(colonne_0="nom", colonne_1="nom").press(trainer, page, RECORD)

    assert refused.status_code == 422
    assert "Deux colonnes disent la même chose" in refused.text
    assert people_of(house) == {}


def test_the_list_can_be_changed_from_its_review(trainer: TestClient, here: str):
    page = read(trainer, here, "MARTIN Chloé")
    back = form_with(page, "colonne-0").press(trainer, page, CHANGE)
    assert form_with(back, "liste").fields["liste"] == ["MARTIN Chloé"]


def test_a_pasted_list_of_thousands_of_lines_is_taken(trainer: TestClient, here: str):
    lines = [f"Personne-{number};Zoé;{'x' * 900}" for number in range(1300)]
    text = "\n".join(["Nom;Prénom;Contribution", *lines])
    page = trainer.post(
        f"{here}/participants",
        data={"jeton": form_with(trainer.get(here), "liste").fields["jeton"][0], "liste": text},
        files={"fichier": ("", b"", "application/octet-stream")},
    )
    assert page.status_code == 200
    assert "Lues (1" in page.text


def test_the_age_band_is_read_and_no_birth_date_is(house: House, trainer: TestClient, here: str):
    text = "Nom;Prénom;Né le;Tranche d’âge\nMartin;Zoé;02/03/2014;moins de 15 ans\nPetit;Paul;01/01/2001;15 ans ou plus"
    page = read(trainer, here, text)
    assert form_with(page, "colonne-0").fields["colonne-2"] == ["rien"]
    assert form_with(page, "colonne-0").fields["colonne-3"] == ["age"]
