"""After the award: the files of a result, the register, revocation, and other campuses that see nothing."""

from __future__ import annotations

import json
import re

import pytest
from fastapi.testclient import TestClient

from app.domain.imports.lists.model import REASON_HEADING
from tests.app.web.awards.awarding_steps import GIVE, awards_given, counts, give, preview, rows_of
from tests.support.app import App, send
from tests.support.forms import form_with


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def award(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}/attribuer"


def test_the_refused_lines_come_as_a_table_that_can_be_corrected_and_dropped_again(
    app: App, trainer: TestClient, award: str
):
    refused = trainer.get(give(app, trainer, award) + "/refus.csv")
    assert "Lignes refusées d’une liste" in app.client(app.admin).get("/gestion/itip/historique").text

    assert rows_of(refused) == [
        ["Nom", "Prénom", "E-mail", "Heures", "Rôle", "Contribution", REASON_HEADING],
        [
            "Jaouen-Peltier",
            "Nolwenn",
            "nolwenn.jaouen@exemple,fr",
            "2",
            "apprenant",
            "Stand",
            "Cette adresse e-mail n’est pas valable.",
        ],
        [
            "Izarn",
            "Théodore",
            "",
            "douze",
            "apprenant",
            "",
            "Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5.".replace(" :", "\u00a0:"),
        ],
    ]
    corrected = refused.content.replace(b"exemple,fr", b"exemple.fr").replace(b"douze", b"2h30")
    page = preview(trainer, award, app.presence, table=corrected)
    assert counts(page) == {"Prêtes": 2}


def test_the_refused_lines_are_corrected_from_the_result_itself(app: App, trainer: TestClient, award: str):
    result = trainer.get(give(app, trainer, award))

    again = form_with(result, "liste").press(trainer, result)

    assert counts(again) == {"Prêtes": 0, "Adresses invalides": 1, "Lignes illisibles": 1}


def test_each_awarded_line_has_its_private_link_on_the_page_and_in_a_table(
    app: App, trainer: TestClient, award: str
):
    place = give(app, trainer, award)
    app.clock.move(minutes=5)

    on_page = set(re.findall(r'readonly value="([^"]+)"', trainer.get(place).text))
    rows = rows_of(trainer.get(place + "/liens.csv"))

    assert rows[0] == ["Nom", "Prénom", "E-mail", "Badge", "Lien privé"]
    assert {row[4] for row in rows[1:]} == on_page
    assert len(on_page) == 4
    assert all(link.startswith("http://localhost:8000/recevoir/") for link in on_page)


def test_no_cell_of_a_table_is_a_formula(app: App, trainer: TestClient, award: str):
    formula = '"=HYPERLINK(""http://mal.example"")"'
    table = f"Nom;Prénom;Courriel;Contribution\nDUPONT;Zoé;pas une adresse;{formula}\nMARTIN;Chloé;;".encode()

    refused = trainer.get(give(app, trainer, award, table) + "/refus.csv")

    assert any(cell.startswith("'=HYPERLINK") for cell in rows_of(refused)[1])
    page = preview(trainer, award, app.presence, table=refused.content)
    carried = json.loads(form_with(page, "lues").fields["lues"][0])
    assert carried[0][7].startswith("=HYPERLINK")


def test_another_campus_finds_no_award_no_result_and_no_file(app: App, trainer: TestClient, award: str):
    place = give(app, trainer, award)
    with app.unit_of_work(reading=True) as services:
        [record, *_] = services.awards.list_in(app.campus)
    stranger = app.client(app.stranger)

    for path in (
        award,
        place,
        f"{place}/refus.csv",
        f"{place}/liens.csv",
        "/gestion/itip/attributions",
        f"/gestion/itip/attributions/{record.award.id}",
        f"/gestion/itip/attributions/{record.award.id}/retirer",
    ):
        assert stranger.get(path).status_code == 404, path
        assert stranger.get(path.replace("/itip", "/agt")).status_code == (
            200 if path == "/gestion/itip/attributions" else 404
        ), path
    assert record.person.name not in stranger.get("/gestion/agt/attributions").text


def test_another_campus_cannot_give_our_badge_nor_take_it_back(app: App, trainer: TestClient, award: str):
    give(app, trainer, award)
    with app.unit_of_work(reading=True) as services:
        [record, *_] = services.awards.list_in(app.campus)
    stranger = app.client(app.stranger)
    theirs = "/gestion/agt/activites/nouvelle"
    made = send(stranger, theirs, {"titre": "Atelier", "debut": "2026-11-24"})

    stolen = send(
        stranger,
        made.headers["location"] + "/attribuer",
        {"badge": str(app.presence.badge.id), "qui": "liste", "liste": "MARTIN Chloé"},
    )
    taken = send(
        stranger,
        f"/gestion/agt/attributions/{record.award.id}/retirer",
        {"motif": "Pour voir"},
        seen_on=theirs,
    )

    assert (stolen.status_code, taken.status_code) == (404, 404)


def test_a_badge_is_taken_back_with_a_reason_only_and_for_good(app: App, trainer: TestClient):
    result = app.award("MARTIN Chloé; chloe@exemple.fr")
    place = f"/gestion/itip/attributions/{result.lines[0].award_id}"

    refused = send(trainer, f"{place}/retirer", {"motif": " non "})
    assert refused.status_code == 422
    assert "pourquoi le badge est retiré" in refused.text
    assert "Retirer ce badge" in trainer.get(place).text

    assert send(trainer, f"{place}/retirer", {"motif": "Erreur de personne."}).status_code == 303
    shown = trainer.get(place).text
    assert "Erreur de personne." in shown
    assert "Anaïs Le Goff" in shown
    assert "retirer" not in shown
    assert "déjà retiré" in trainer.get(f"{place}/retirer").text


def test_a_form_of_another_site_gives_nothing_and_takes_nothing_back(
    app: App, trainer: TestClient, award: str
):
    result = app.award("MARTIN Chloé")
    place = f"/gestion/itip/attributions/{result.lines[0].award_id}/retirer"
    page = preview(trainer, award, app.presence, liste="DUPONT Zoé")
    form = form_with(page, "cle").fill(jeton="faux")

    assert form.press(trainer, page, GIVE).status_code == 403
    assert trainer.post(place, data={"motif": "Pour voir", "jeton": "faux"}).status_code == 403
    assert awards_given(app) == 1


def test_the_register_goes_page_by_page_without_losing_or_repeating_an_award(app: App, trainer: TestClient):
    app.award(*(f"PERSONNE{number} Zoé" for number in range(70)))
    app.clock.move(minutes=1)
    app.award(*(f"AUTRE{number} Zoé" for number in range(40)), badge=app.role, evidence="Ont aidé.")

    seen, path = [], "/gestion/itip/attributions"
    while path:
        page = trainer.get(path).text
        seen += re.findall(r'rowheader" scope="row"><a [^>]*>(?:<b>)?([^<]+)', page)
        following = re.search(r'href="([^"]+)" rel="next"', page)
        path = "/gestion/itip/attributions" + following[1].replace("&amp;", "&") if following else ""

    assert len(seen) == len(set(seen)) == 110
    only = trainer.get(f"/gestion/itip/attributions?badge={app.role.badge.id}").text
    assert "Autre1" in only
    assert "Personne1" not in only


def test_result_names_e_mails_only_where_some_leave(app: App, trainer: TestClient, award: str):
    mixed = b"Nom;Courriel\r\nVIAN Lou;lou@exemple.fr\r\nBOUVET Rose;\r\n"
    shown = trainer.get(give(app, trainer, award, mixed)).text
    assert "Un bulletin par personne, même avec une adresse" in shown
    assert "les e-mails partent aussi" in shown
    unaddressed = b"Nom;Courriel\r\nPETIT Louis;\r\nROUX Paul;\r\n"
    shown = trainer.get(give(app, trainer, award, unaddressed)).text
    assert "Imprimer clôt l’annulation." in shown
    assert "les e-mails partent aussi" not in shown


def test_undoing_offers_to_remove_what_only_this_list_brought(app: App, trainer: TestClient, award: str):
    place = give(app, trainer, award)
    result = trainer.get(place)
    assert "4 personnes, 4 présences" in result.text.replace("\u00a0", " ")
    form = form_with(result, "aussi")
    assert form.fields["aussi"] == ["oui"], "ticked"

    assert form.press(trainer, result).status_code == 303

    undone = trainer.get(place)
    assert "Retiré aussi : 4 personnes, 4 présences." in undone.text.replace("\u00a0", " ")
    with app.unit_of_work(reading=True) as services:
        assert services.activities.page(app.campus, app.activity.id).participants == []
