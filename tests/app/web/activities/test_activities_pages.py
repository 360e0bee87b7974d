"""A trainer's dashboard and activities: created, filled from real lists, corrected; closed to other campuses."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from tests.support.app import App, send
from tests.support.forms import form_with


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def here(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}"


def people_of(app: App) -> dict[str, tuple[str, float | None, str]]:
    with app.unit_of_work(reading=True) as services:
        page = services.activities.page(app.campus, app.activity.id)
        return {
            person.name: (page.addresses.get(person.id, ""), part.hours, part.contribution)
            for part, person in page.participants
        }


def test_the_home_shows_today_and_the_latest_awards(app: App, trainer: TestClient):
    app.award("MARTIN Chloé")

    page = trainer.get("/gestion/itip").text

    assert "Aujourd’hui" in page
    assert "Atelier robotique" in page
    assert "1 personne inscrite" in page.replace("\u00a0", " ")
    assert "Chloé Martin" in page


def test_only_the_administration_sees_keys(app: App, trainer: TestClient):
    settings = "/gestion/itip/reglages"
    assert "Clés de signature" in app.client(app.admin).get(settings).text
    assert "Clés de signature" not in trainer.get(settings).text
    assert "Clés de signature" not in trainer.get("/gestion/itip").text


def test_activities_are_found_by_terms_of_title_and_location(trainer: TestClient):
    assert "Atelier robotique" in trainer.get("/gestion/itip/activites?q=creusot+ROBOT").text
    assert "Atelier robotique" not in trainer.get("/gestion/itip/activites?q=100%25").text


def test_an_activity_is_created_from_its_form(app: App, trainer: TestClient):
    page = trainer.get("/gestion/itip/activites/nouvelle")
    form = form_with(page, "titre").fill(
        titre="Hack to Horizon",
        type="event",
        debut="2026-11-25",
        fin="2026-11-27",
        heures="14,5",
        campus="agt",
    )

    made = form.press(trainer, page)

    assert made.status_code == 303
    shown = trainer.get(made.headers["location"]).text
    assert "Hack to Horizon" in shown
    assert "25–27 novembre 2026" in shown.replace("\u00a0", " ")
    assert "AGT" in shown


def test_a_form_that_cannot_be_read_comes_back_with_what_was_typed(trainer: TestClient):
    typed = {
        "titre": "Hack",
        "debut": "2026-11-25",
        "fin": "2026-11-20",
        "heures": "beaucoup",
        "lieu": "Dijon",
    }

    page = send(trainer, "/gestion/itip/activites/nouvelle", typed)

    assert page.status_code == 422
    assert "L’activité finirait avant d’avoir commencé." in page.text
    assert "écrivez 14 ou 14,5" in page.text
    form = form_with(page, "titre")
    assert {name: form.fields[name] for name in typed} == {name: [value] for name, value in typed.items()}


def test_good_lines_are_recorded_and_bad_ones_come_back_as_they_were_typed(
    app: App, trainer: TestClient, here: str
):
    typed = "MARTIN Chloé; chloe@exemple.fr\n\nJAOUEN-PELTIER   Nolwenn; nolwenn@exemple,fr\nKEÏTA Moussa"

    done = send(trainer, f"{here}/participants", {"liste": typed, "geste": "inscrire"}, seen_on=here)

    assert done.status_code == 303
    page = trainer.get(done.headers["location"])
    assert trainer.get(done.headers["location"]).status_code == 200, "the page reloads"
    assert "2 personnes ajoutées" in page.text.replace("\u00a0", " ")
    assert people_of(app) == {
        "Chloé Martin": ("chloe@exemple.fr", None, ""),
        "Moussa Keïta": ("", None, ""),
    }
    assert "Cette adresse e-mail n’est pas valable." in page.text
    assert form_with(page, "liste").fields["liste"] == ["JAOUEN-PELTIER   Nolwenn; nolwenn@exemple,fr"]


def test_the_heading_of_a_table_comes_back_with_its_bad_lines(trainer: TestClient, here: str):
    typed = "Nom;Prénom;Heures\nMartin;Chloé;2\nIzarn;Théodore;douze"

    done = send(trainer, f"{here}/participants", {"liste": typed, "geste": "inscrire"}, seen_on=here)

    page = trainer.get(done.headers["location"])
    assert form_with(page, "liste").fields["liste"] == ["Nom;Prénom;Heures\nIzarn;Théodore;douze"]


def test_a_french_spreadsheet_is_read_as_excel_saves_it(app: App, trainer: TestClient, here: str):
    table = 'Nom;Prénom;Courriel;Heures;Rôle;Contribution\r\nLE BŒUF;Anne-Gaëlle;ag@exemple.fr;2,5;ressource;"Stand ; accueil"\r\n;;;;;\r\n'
    file = {"fichier": ("liste.csv", table.encode("cp1252"), "text/csv")}

    done = send(trainer, f"{here}/participants", {"geste": "inscrire"}, seen_on=here, files=file)

    assert done.headers["location"] == f"{here}?ajoutees=1&connues=0"
    assert people_of(app) == {"Anne-Gaëlle Le Bœuf": ("ag@exemple.fr", 2.5, "Stand ; accueil")}


def test_the_same_list_again_changes_nothing(app: App, trainer: TestClient, here: str):
    typed = {"liste": "MARTIN Chloé; chloe@exemple.fr\nDUPONT Zoé", "geste": "inscrire"}
    send(trainer, f"{here}/participants", typed, seen_on=here)

    again = send(trainer, f"{here}/participants", typed, seen_on=here)

    assert again.headers["location"] == f"{here}?ajoutees=0&connues=2"
    assert len(people_of(app)) == 2


def test_a_later_list_fills_in_what_was_not_noted_and_changes_nothing_else(app: App):
    app.record("Nom;Prénom;Courriel;Contribution", "Martin;Chloé;chloe@exemple.fr;Guide")

    app.record("Nom;Prénom;Courriel;Heures;Contribution", "Martin;Chloé;chloe@exemple.fr;12;Stand")

    assert people_of(app) == {"Chloé Martin": ("chloe@exemple.fr", 12.0, "Guide")}


def test_an_address_that_comes_later_is_reported_and_stored(app: App, trainer: TestClient, here: str):
    app.record("MARTIN Chloé")
    typed = {"liste": "Nom;Prénom;Courriel\nMartin;Chloé;chloe@exemple.fr"}
    review = send(trainer, f"{here}/participants", typed, seen_on=here)
    assert "Déjà inscrite, à compléter" in review.text
    done = send(trainer, f"{here}/participants", {**typed, "geste": "inscrire"}, seen_on=here)
    assert "ce qui manquait d’elle est noté" in trainer.get(done.headers["location"]).text
    assert people_of(app) == {"Chloé Martin": ("chloe@exemple.fr", None, "")}

    again = send(trainer, f"{here}/participants", {**typed, "geste": "inscrire"}, seen_on=here)
    assert again.headers["location"] == f"{here}?ajoutees=0&connues=1"


def test_two_of_one_name_without_an_address_are_distinguished_wherever_they_are_chosen(
    app: App, trainer: TestClient, here: str
):
    app.record("MARTIN Zoé", "MARTIN Zoé (2)")
    for path in (here, f"{here}/attribuer", f"{here}/presences"):
        page = trainer.get(path).text
        assert page.count("Zoé Martin (2)") == 1, path
    chosen = {"badge": str(app.presence.badge.id), "qui": "toutes", "geste": "voir"}
    preview = send(trainer, f"{here}/attribuer", chosen, seen_on=f"{here}/attribuer")
    assert "Zoé Martin (2)" in preview.text


def test_attendance_lists_names_in_alphabetical_order_whatever_their_accents(
    app: App, trainer: TestClient, here: str
):
    app.record("ZIMMER Aline", "ÇELIK Élodie", "D’HÉROUVILLE Ange", "BÉRENGER Loïc", "BERNARD Hugo")
    page = trainer.get(f"{here}/presences").text
    names = ["Bérenger", "Bernard", "Çelik", "Hérouville", "Zimmer"]

    assert sorted(names, key=page.rindex) == names


def test_a_broken_workbook_is_refused_with_what_to_do_and_the_typed_text_stays(
    trainer: TestClient, here: str
):
    file = {"fichier": ("liste.xlsx", b"PK\x03\x04...", "application/vnd.ms-excel")}

    page = send(trainer, f"{here}/participants", {"liste": "MARTIN Chloé"}, seen_on=here, files=file)

    assert page.status_code == 422
    assert "Ce fichier est abîmé" in page.text
    assert form_with(page, "liste").fields["liste"] == ["MARTIN Chloé"]


def test_a_participation_is_corrected_and_an_unreadable_correction_comes_back(
    app: App, trainer: TestClient, here: str
):
    app.record("MARTIN Chloé")
    with app.unit_of_work(reading=True) as services:
        [(part, _)] = services.activities.page(app.campus, app.activity.id).participants
    address = f"{here}/participants/{part.id}"

    refused = send(trainer, address, {"role": "ressource", "heures": "peu", "contribution": "Guide"})
    assert refused.status_code == 422
    assert form_with(refused, "heures").fields["contribution"] == ["Guide"]

    minutes = {"role": "ressource", "heures": "90", "contribution": "Guide", "motif": "Mal noté."}
    asked = send(trainer, address, minutes)
    assert asked.status_code == 422
    assert "Ou plutôt : 90 min ?" in asked.text.replace("\u00a0", " ").replace("\u202f", " ")
    (take,) = (each for each in form_with(asked, "heures").buttons if each[1].startswith("corriger"))
    assert form_with(asked, "heures").press(trainer, asked, take).status_code == 303
    assert people_of(app) == {"Chloé Martin": ("", 1.5, "Guide")}

    done = send(
        trainer,
        address,
        {"role": "ressource", "heures": "2h30", "contribution": "Guide", "motif": "Mal noté."},
    )
    assert done.status_code == 303
    assert people_of(app) == {"Chloé Martin": ("", 2.5, "Guide")}


def test_another_campus_finds_nothing_here(app: App, here: str):
    app.record("MARTIN Chloé")
    stranger = app.client(app.stranger)

    for path in ("/gestion/itip", "/gestion/itip/activites", "/gestion/itip/activites/nouvelle", here):
        assert stranger.get(path).status_code == 404, path
    under_their_own_name = here.replace("itip", "agt")
    assert stranger.get(under_their_own_name).status_code == 404
    sent = send(
        stranger,
        f"{under_their_own_name}/participants",
        {"liste": "INTRUS Jean"},
        seen_on="/gestion/agt/activites/nouvelle",
    )
    assert sent.status_code == 404
    assert list(people_of(app)) == ["Chloé Martin"]


def test_a_visitor_who_is_not_signed_in_is_asked_to_sign_in(app: App, here: str):
    page = app.client().get(here)
    assert page.status_code == 401
    assert "/connexion?suite=" in page.text


def test_a_form_of_another_site_records_no_participant(app: App, trainer: TestClient, here: str):
    trainer.get(here)
    assert trainer.post(f"{here}/participants", data={"liste": "MARTIN Chloé"}).status_code == 403
    assert people_of(app) == {}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ({"heures": "100000"}, "Le nombre d’heures est compris entre 0 et 10 000."),
        ({"heures": "-5"}, "Le nombre d’heures est compris entre 0 et 10 000."),
        ({"heures": "90"}, "90 h : c’est beaucoup pour cette activité."),
        ({"debut": "0026-11-25"}, "Une activité a lieu entre 1990 et 2100"),
        ({"debut": "25/11/2126"}, "Une activité a lieu entre 1990 et 2100"),
        ({"heure-debut": "13:30", "heure-fin": "13:30"}, "L’heure de fin est celle du début"),
    ],
)
def test_a_readable_value_out_of_range_is_not_called_unreadable(
    trainer: TestClient, typed: dict[str, str], expected: str
):
    fields = {"titre": "Hack", "debut": "2026-11-25", **typed}
    page = send(trainer, "/gestion/itip/activites/nouvelle", fields)
    shown = page.text.replace("\u00a0", " ").replace("\u202f", " ")
    assert page.status_code == 422
    assert expected in shown
    assert "lisible" not in shown
    assert "finirait avant" not in shown
