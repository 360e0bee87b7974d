"""A list is shown as it was parsed, and can be corrected, before any person is recorded."""

from __future__ import annotations

import io
import re

import pytest
import xlsxwriter
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.activities import Activity, disambiguated
from tests.app.web.activities.test_activities_pages import people_of
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with, read_on

READ, RECORD, CHANGE = ("geste", "lire"), ("geste", "inscrire"), ("geste", "changer")
# As Excel saves it in French; the second Zoé is another person.
EXPORT = (
    "Nom;Prénom;Courriel;Contribution\r\n"
    'LE BŒUF;Anne-Gaëlle;ag@exemple.fr;"A tenu le stand, puis l’accueil"\r\n'
    "MARTIN;Zoé;zoe.a@ecole.example;\r\n"
    ";;;\r\n"
    "MARTIN;Zoé;zoe.b@ecole.example;\r\n"
    "JAOUEN;Nolwenn;nolwenn@exemple,fr;\r\n"
    "DÉJÀ;Paul;paul@exemple.fr;\r\n"
    "KEÏTA;Moussa;;\r\n"
    "D’ARCY;Inès;ines@exemple.fr;\r\n"
).encode("cp1252")


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def here(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}"


def read(trainer: TestClient, here: str, text: str = "", **sent) -> Response:
    return send(trainer, f"{here}/participants", {"liste": text}, seen_on=here, **sent)


def test_a_list_is_shown_line_by_line_before_anything_is_written(app: App, trainer: TestClient, here: str):
    app.record("DUPONT Zoé")

    page = read(
        trainer,
        here,
        "MARTIN Chloé; chloe@exemple.fr\nDupont Zoé\nMartin Chloé; chloe@exemple.fr\nLEROY Anne; x@exemple,fr",
    )

    assert page.status_code == 200
    for outcome in ("Prête", "Déjà inscrite", "Déjà plus haut", "À corriger"):
        assert f"</svg>{outcome}</span>" in page.text, outcome
    assert list(people_of(app)) == ["Zoé Dupont"]


def test_a_french_export_is_read_line_by_line_and_twice_changes_nothing(
    app: App, trainer: TestClient, here: str
):
    file = {"fichier": ("liste.csv", EXPORT, "text/csv")}
    page = read(trainer, here, files=file)
    assert "À corriger (1)" in page.text
    assert "Lues (6)" in page.text

    done = form_with(page, "vu").press(trainer, page, RECORD)
    back = trainer.get(done.headers["location"])

    assert sorted(people_of(app)) == [
        "Anne-Gaëlle Le Bœuf", "Inès D’Arcy", "Moussa Keïta", "Paul Déjà", "Zoé Martin",
    ]  # fmt: skip
    with app.unit_of_work(reading=True) as services:
        addresses = services.activities.page(app.campus, app.activity.id).addresses.values()
    assert {"zoe.a@ecole.example", "zoe.b@ecole.example"} <= set(addresses)
    assert form_with(back, "liste").fields["liste"] == [
        "Nom;Prénom;Courriel;Contribution\nJAOUEN;Nolwenn;nolwenn@exemple,fr;"
    ]
    again = read(trainer, here, files=file)
    assert "Inscrire la liste" in again.text
    form_with(again, "vu").press(trainer, again, RECORD)
    with app.unit_of_work(reading=True) as services:
        assert len(services.activities.page(app.campus, app.activity.id).participants) == 6


def test_a_workbook_gives_the_same_lines(app: App, trainer: TestClient, here: str):
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.merge_range(0, 0, 0, 2, "Feuille de présence")
    for number, row in enumerate([["Nom", "Prénom", "Heures"], ["LE BŒUF", "Anne", 2.5]], start=1):
        sheet.write_row(number, 0, row)
    book.close()

    page = read(trainer, here, files={"fichier": ("liste.xlsx", data.getvalue(), "application/octet-stream")})
    assert "Ligne 1" in page.text.replace("\u00a0", " ")
    form_with(page, "vu").press(trainer, page, RECORD)

    assert people_of(app) == {"Anne Le Bœuf": ("", 2.5, "")}


def test_a_wrong_reading_is_corrected_from_its_review(app: App, trainer: TestClient, here: str):
    page = read(trainer, here, "Nom;Prénom\nPetit;Zoé\nDurand;Paul")

    table = form_with(page, "vu").press(trainer, page, ("geste-liste", "verifier"))
    form = form_with(table, "lecture").fill(colonne_lue_0="prenom", colonne_lue_1="nom")
    shown = form.press(trainer, table, ("geste-liste", "relire"))
    assert people_of(app) == {}
    again = form_with(shown, "lecture").press(trainer, shown, ("geste-liste", "inverser"))
    form_with(again, "lecture").press(trainer, again, ("geste-liste", "suite"))
    assert people_of(app) == {}


def test_swapped_names_stay_swapped_when_the_parsing_is_opened_again(
    app: App, trainer: TestClient, here: str
):
    page = read(trainer, here, "MARTIN Zoé\nLEROY Anne")
    for _ in range(2):
        table = form_with(page, "vu").press(trainer, page, ("geste-liste", "verifier"))
        form = form_with(table, "lecture").fill(t_nom_1="Durand")
        page = form.press(trainer, table, ("geste-liste", "suite"))
    assert "Durand" in page.text
    form_with(page, "vu").press(trainer, page, RECORD)
    assert sorted(people_of(app)) == ["Anne Durand", "Zoé Martin"]


def test_the_list_can_be_changed_from_its_review(trainer: TestClient, here: str):
    page = read(trainer, here, "MARTIN Chloé")
    back = form_with(page, "vu").press(trainer, page, CHANGE)
    assert form_with(back, "liste").fields["liste"] == ["MARTIN Chloé"]


def test_a_pasted_list_of_thousands_of_lines_is_taken(trainer: TestClient, here: str):
    letters = "abcdefghijk"
    names = [f"Ba{a}{b}{c}o" for a in letters for b in letters for c in letters]
    lines = [f"{name};Zoé;{'x' * 900}" for name in names[:1300]]
    text = "\n".join(["Nom;Prénom;Contribution", *lines])
    answer = trainer.post(
        f"{here}/participants",
        data={"jeton": form_with(trainer.get(here), "liste").fields["jeton"][0], "liste": text},
        files={"fichier": ("", b"", "application/octet-stream")},
    )
    page = read_on(trainer, answer)
    assert page.status_code == 200
    assert "Lues (1" in page.text


def test_the_age_band_is_read_and_no_birth_date_is(app: App, trainer: TestClient, here: str):
    text = "Nom;Prénom;Né le;Tranche d’âge\nMartin;Zoé;02/03/2014;moins de 15 ans\nPetit;Paul;01/01/2001;15 ans ou plus"
    page = read(trainer, here, text)
    assert "2014" not in form_with(page, "vu").fields["lues"][0].replace(text.splitlines()[1], "")
    form_with(page, "vu").press(trainer, page, RECORD)
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
    assert {person.given_name: person.under_15_on is not None for _, person in there} == {
        "Zoé": True, "Paul": False,
    }  # fmt: skip


def hours_of(app: App) -> list[tuple[str, float | None]]:
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
    return sorted((disambiguated(part, person.name), part.hours) for part, person in there)


def test_which_of_two_people_of_one_name_is_asked_in_the_review_and_answered_there(
    app: App, trainer: TestClient, here: str
):
    app.record("MOREAU Camille", "MOREAU Camille (2)")
    text = "Nom;Prénom;Heures\nMoreau;Camille;3\nKeïta;Moussa;2"
    page = read(trainer, here, text)
    assert "Laquelle des deux personnes du nom de Camille Moreau" in page.text
    form = form_with(page, "qui-2")
    assert form.fields["qui-2"] == []

    done = form.press(trainer, page, RECORD)

    assert done.status_code == 303
    back = trainer.get(done.headers["location"])
    assert "1 personne ajoutée" in back.text.replace("\u00a0", " ")
    assert hours_of(app) == [("Camille Moreau", None), ("Camille Moreau (2)", None), ("Moussa Keïta", 2.0)]

    choices = re.findall(r'name="qui-2" value="([^"]+)"', back.text)
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
    second = next(str(person.id) for part, person in there if part.line_key.endswith("#2"))
    assert second in choices
    assert form_with(back, "qui-2").fill(qui_2=second).press(trainer, back, RECORD).status_code == 303
    assert hours_of(app) == [("Camille Moreau", None), ("Camille Moreau (2)", 3.0), ("Moussa Keïta", 2.0)]
    again = read(trainer, here, text)
    assert "Laquelle" not in again.text
    assert "Lues (2)" in again.text


def test_a_second_line_answered_as_another_person_is_not_asked_about_again(
    app: App, trainer: TestClient, here: str
):
    text = "Moreau Camille\nMoreau Camille"
    page = read(trainer, here, text)
    shown = form_with(page, "autre").fill(autre=["2"]).press(trainer, page, READ)
    assert form_with(shown, "autre").press(trainer, shown, RECORD).status_code == 303
    assert len(hours_of(app)) == 2

    again = read(trainer, here, text)

    assert "Laquelle" not in again.text
    assert form_with(again, "vu").press(trainer, again, RECORD).status_code == 303
    assert len(hours_of(app)) == 2


def test_people_the_campus_knows_by_name_alone_are_taken_again_with_one_tick(
    app: App, trainer: TestClient, here: str
):
    app.record("MOREAU Camille", "KEÏTA Moussa")
    with app.unit_of_work() as services:
        known = {
            person.id for _, person in services.activities.page(app.campus, app.activity.id).participants
        }
        copy = Activity(**app.activity.model_dump(exclude={"id"}))
        made = services.activities.create(copy, [app.campus], by=COMMAND)
    place = f"/gestion/itip/activites/{made.id}"
    page = read(trainer, place, "Moreau Camille\nKeïta Moussa\nHaddad Yasmine")
    assert "Noms déjà connus du campus (2)" in page.text

    ticked = form_with(page, "vu").press(trainer, page, ("geste", "memes"))
    form_with(ticked, "vu").press(trainer, ticked, RECORD)

    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, made.id).participants
    assert len(there) == 3
    assert known < {person.id for _, person in there}


@pytest.mark.parametrize("words", ["Total", "TOTAL GÉNÉRAL", "Sous-total", "Moyenne"])
def test_a_total_below_the_last_line_is_not_a_person(app: App, trainer: TestClient, here: str, words: str):
    page = read(trainer, here, f"Nom;Prénom;Heures\nKeïta;Moussa;3\n{words};;3")
    assert "Lignes laissées de côté (1)" in page.text
    assert "C’est un total" in page.text
    form_with(page, "vu").press(trainer, page, RECORD)
    assert sorted(people_of(app)) == ["Moussa Keïta"]


def test_a_family_name_never_keeps_the_comma_before_a_given_name(app: App, trainer: TestClient, here: str):
    page = read(trainer, here, "Petit, Zoé\nDurand, Paul")
    form_with(page, "vu").press(trainer, page, RECORD)
    assert sorted(people_of(app)) == ["Paul Durand", "Zoé Petit"]


def test_review_shows_only_columns_that_have_content(trainer: TestClient, here: str):
    plain = read(trainer, here, "MARTIN Chloé; chloe@exemple.fr\nLEROY Anne").text
    assert 'data-l="État"' in plain
    assert 'data-l="Noté"' not in plain
    assert 'data-l="Même nom"' not in plain
    noted = read(trainer, here, "Nom;Prénom;Heures\nMARTIN;Chloé;3\nLEROY;Anne;").text
    assert noted.count('data-l="Noté"') == 2
