"""The table of a doubtful list: settled, corrected, swapped, removed and restored before the next step."""

from __future__ import annotations

import json

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from starlette.datastructures import FormData

from app.domain.imports.lists.model import NOT_A_PERSON, SENTENCES
from app.web.imports.list_table import ASKED_APART, OF_SEVERAL, changed_row
from tests.app.web.awards.awarding_steps import preview
from tests.lists.documents import ods
from tests.support.app import App, send
from tests.support.forms import form_with

DOUBTFUL = (
    "Nom;Prénom;Mail;Présent\n"
    "Marchand;Louise;louise.marchand@exemple.fr;x\n"
    "Fabre;Jules;jules.fabre@gmial.com;x\n"
    "Colin;Emma;emma.colin@exemple.fr;\n"
    "Élève;Marie;;x\n"
    "Signature du formateur;;;\n"
)


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def award(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}/attribuer"


def step(trainer: TestClient, page: Response, name: str, **fields: str) -> Response:
    return form_with(page, "lecture").fill(**fields).press(trainer, page, ("geste-liste", name))


def carried_by(page: Response) -> str:
    """The people of the list that the form of a page contains, one per line."""
    people = json.loads(form_with(page, "lues").fields["lues"][0])
    return "\n".join(
        f"{family};{given};{address}" for number, given, family, _, address, *_ in people if number
    )


def test_doubtful_lines_come_first_with_their_reason_and_original(
    app: App, trainer: TestClient, award: str
) -> None:
    page = preview(trainer, award, app.presence, liste=DOUBTFUL)
    text = page.text.replace("\xa0", " ")
    assert "Vérifier la liste" in text
    assert "À vérifier (3)" in text
    assert text.index("À vérifier (3)") < text.index("Prêtes (1)") < text.index("Lignes laissées de côté")
    assert "gmial.com" in text
    assert "vouliez-vous écrire" in text
    assert "n’est pas cochée comme présente" in text
    assert "Signature du formateur;;;" in text
    assert "Continuer avec 1 personne" in text


def test_a_list_without_ready_people_has_no_button_to_continue(
    app: App, trainer: TestClient, award: str
) -> None:
    page = preview(trainer, award, app.presence, liste="Absents :\nLéa Martin\nTom Petit")
    assert "À vérifier (2)" in page.text.replace("\xa0", " ")
    assert "Continuer avec" not in page.text


def test_only_ready_people_continue_and_the_others_stay_visible(
    app: App, trainer: TestClient, award: str
) -> None:
    page = preview(trainer, award, app.presence, liste=DOUBTFUL)
    going = step(trainer, page, "suite")
    carried = carried_by(going)
    assert "Marchand;Louise" in carried
    assert "Fabre" not in carried
    for text in ("Fabre;Jules", "Colin;Emma", "Élève;Marie", "Signature du formateur"):
        assert text in going.text


def test_a_suggested_address_is_taken_for_all_and_a_doubt_confirmed(
    app: App, trainer: TestClient, award: str
) -> None:
    page = preview(trainer, award, app.presence, liste=DOUBTFUL)
    taken = step(trainer, page, "adresses")
    assert "Continuer avec 2 personnes" in taken.text.replace("\xa0", " ")
    confirmed = step(trainer, taken, "verifier", **{"t-sur-3": "oui"})
    going = step(trainer, confirmed, "suite")
    carried = carried_by(going)
    assert "jules.fabre@gmail.com" in carried
    assert "Colin;Emma" in carried
    assert "Élève" not in carried


def test_a_wrong_name_is_corrected_or_removed(app: App, trainer: TestClient, award: str) -> None:
    page = preview(trainer, award, app.presence, liste="Nom;Prénom\nDupont2;Marie\nDurand3;Paul\nPetit;Léa")
    refused = step(trainer, page, "verifier", **{"t-sur-1": "oui"})
    assert "À vérifier (2)" in refused.text.replace("\xa0", " ")
    corrected = step(trainer, page, "suite", **{"t-nom-1": "Dupont", "t-retirer-2": "oui"})
    carried = carried_by(corrected)
    assert "Dupont;Marie" in carried
    assert "Durand" not in carried
    assert "Durand3;Paul" in corrected.text


def test_names_are_swapped_for_all_or_for_one(app: App, trainer: TestClient, award: str) -> None:
    page = preview(trainer, award, app.presence, liste="Thomas Martin\nRobert Vincent")
    assert "Où est le prénom" in page.text
    swapped = step(trainer, page, "inverser")
    carried = carried_by(step(trainer, swapped, "suite"))
    assert "Thomas;Martin" in carried
    assert "Robert;Vincent" in carried
    one = step(trainer, page, "inverser-0")
    carried = carried_by(step(trainer, one, "suite"))
    assert "Thomas;Martin" in carried
    assert "Robert" not in carried


@pytest.mark.parametrize(
    ("button", "anchor"),
    [
        ("adresses-1", "ligne-1"),
        ("inverser-20", "ligne-20"),
        ("inverser", "verifier"),
        ("adresses", "verifier"),
        ("confirmer-order", "verifier"),
        ("page-2", "verifier"),
        ("verifier", ""),
        ("suite", ""),
        ("inverser-<b>", "verifier"),
    ],
)
def test_the_page_comes_back_to_the_row_or_part_that_its_button_changed(button: str, anchor: str) -> None:
    assert changed_row(FormData([("geste-liste", button)])) == anchor


def test_an_anchor_of_a_changed_row_is_on_the_page(app: App, trainer: TestClient, award: str) -> None:
    page = preview(trainer, award, app.presence, liste=DOUBTFUL)
    form = form_with(page, "lecture")
    answer = trainer.post(form.action or str(page.url), data={**form.fields, "geste-liste": "inverser-2"})
    assert answer.headers["location"].endswith("#ligne-2")
    assert 'id="ligne-2"' in trainer.get(answer.headers["location"]).text


def test_lines_of_one_reason_are_confirmed_or_left_out_together(
    app: App, trainer: TestClient, award: str
) -> None:
    page = preview(
        trainer, award, app.presence, liste="Thomas Martin\nRobert Vincent\nAbsents : Léa PETIT, Tom ROUX"
    )
    assert "Confirmer les 2\xa0lignes" in page.text
    settled = step(trainer, page, "confirmer-order")
    assert "Continuer avec 2 personnes" in settled.text.replace("\xa0", " ")
    # The decision is retained, and lines of another reason are left out.
    left = step(trainer, step(trainer, settled, "verifier"), "ecarter-absent")
    assert "À vérifier" not in left.text
    carried = carried_by(step(trainer, left, "suite"))
    assert carried.splitlines() == ["Martin;Thomas;", "Vincent;Robert;"]


@pytest.mark.parametrize(("second", "offered"), [("Vo;", True), (";Kévin", False)])
def test_lines_are_confirmed_together_where_that_settles_each_of_them(
    app: App, trainer: TestClient, award: str, second: str, offered: bool
) -> None:
    """A family name may be a whole name; a given name waits for the other half."""
    page = preview(trainer, award, app.presence, liste=f"Nom;Prénom\nSukarno;\n{second}\nRoux;Tom")
    assert "Ne pas inscrire les 2\xa0lignes" in page.text
    assert ("Confirmer les 2\xa0lignes" in page.text) is offered


def test_misspelt_addresses_are_corrected_or_confirmed_by_two_distinct_buttons(
    app: App, trainer: TestClient, award: str
) -> None:
    page = preview(
        trainer,
        award,
        app.presence,
        liste="Martin;Zoé;zoe@gmial.com\nRoux;Tom;tom@gmial.com\nPetit;Léa;lea@exemple.fr",
    )
    assert "Accepter toutes les adresses proposées" in page.text
    assert "Garder les 2\xa0lignes telles quelles" in page.text
    assert "Confirmer les 2\xa0lignes" not in page.text
    assert "zoe@gmial.com" in carried_by(
        step(trainer, step(trainer, page, "confirmer-address-typo"), "suite")
    )


def test_a_column_of_parents_addresses_is_one_question(app: App, trainer: TestClient, award: str) -> None:
    page = preview(
        trainer,
        award,
        app.presence,
        liste="Nom;Prénom;Mail parent\nMartin;Zoé;eva.martin@exemple.fr\nRoux;Tom;luc.roux@exemple.fr",
    )
    assert "ces adresses sont celles d’autres personnes" in page.text
    assert "Confirmer les 2\xa0lignes" in page.text
    carried = carried_by(step(trainer, step(trainer, page, "confirmer-address-of-other"), "suite"))
    assert carried.splitlines() == ["Martin;Zoé;", "Roux;Tom;"]


def test_sentences_about_several_lines_contain_no_text_of_a_single_line() -> None:
    left = [reason for reason, sentence in SENTENCES.items() if "{" in OF_SEVERAL.get(reason, sentence)]
    assert set(left) <= NOT_A_PERSON | ASKED_APART


def test_columns_are_reported_by_a_person(app: App, trainer: TestClient, award: str) -> None:
    page = preview(trainer, award, app.presence, liste="Vo;Ki\nZu;Pa")
    read = step(trainer, page, "relire", **{"colonne-lue-0": "prenom", "colonne-lue-1": "nom"})
    going = step(trainer, read, "suite")
    carried = carried_by(going)
    assert "Ki;Vo" in carried


def test_changing_gives_back_what_was_pasted(app: App, trainer: TestClient, award: str) -> None:
    pasted = f"\n  - Zoé\tMartin  \n\n{DOUBTFUL}« A & B » <b>Nom</b>\t\n\n"
    page = preview(trainer, award, app.presence, liste=pasted)
    changed = step(trainer, step(trainer, page, "verifier"), "changer")
    assert form_with(changed, "liste").fields["liste"][0] == pasted
    page = preview(trainer, award, app.presence, liste=DOUBTFUL)
    going = step(trainer, page, "suite")
    again = form_with(going, "cle").press(trainer, going, ("geste", "choisir"))
    assert form_with(again, "liste").fields["liste"][0].split() == DOUBTFUL.split()


def test_a_list_without_doubts_skips_the_table(app: App, trainer: TestClient, award: str) -> None:
    page = preview(
        trainer, award, app.presence, table=ods([{"table": [["Prénom", "Nom"], ["Solène", "Aubry"]]}])
    )
    assert "Aubry;Solène" in carried_by(page)


def test_participants_are_settled_in_the_same_table(app: App, trainer: TestClient) -> None:
    here = f"/gestion/itip/activites/{app.activity.id}"
    page = send(trainer, f"{here}/participants", {"liste": DOUBTFUL}, seen_on=here)
    going = step(trainer, page, "suite")
    assert "Voici ce qui a été lu" in going.text
    assert "Colin;Emma" in going.text


def test_two_thousand_lines_are_settled_page_by_page(app: App, trainer: TestClient, award: str) -> None:
    letters = "abcdefghij"
    names = [f"Dup{letters[n // 100]}{letters[n // 10 % 10]}{letters[n % 10]}ont" for n in range(1_000)]
    lines = [f"{name};{given}" for given in ("Marie", "Paul") for name in names]
    page = preview(trainer, award, app.presence, liste="\n".join(["Nom;Prénom", "Petit2;Anne", *lines]))
    text = page.text.replace("\xa0", " ")
    assert "À vérifier (1)" in text
    assert "Lignes 1 à 150 sur 2 002" in text.replace("\u202f", " ")
    page = step(trainer, page, "page-14", **{"t-nom-1": "Petit"})
    assert "Dupjjjont" in page.text
    assert ">Petit2;Anne<" not in page.text
    page = step(trainer, page, "page-1", **{"t-nom-2001": "Dernier", "t-retirer-2000": "oui"})
    going = step(trainer, page, "suite")
    carried = carried_by(going)
    assert "Petit;Anne" in carried
    assert "Dernier;Paul" in carried
    assert "Dupjjjont;Paul" not in carried
    assert "Dupjjiont;Paul" not in carried
    assert len(carried.splitlines()) == 2_000


def test_columns_that_a_person_named_are_read_so_again_until_forgotten(
    app: App, trainer: TestClient, award: str
) -> None:
    page = preview(trainer, award, app.presence, liste=DOUBTFUL)
    read = step(trainer, page, "relire", **{"colonne-lue-0": "prenom", "colonne-lue-1": "nom"})
    assert "pour votre dernière liste" not in read.text
    again = preview(trainer, award, app.presence, liste=DOUBTFUL.replace("Marchand", "Marchal"))
    assert "Les colonnes sont lues comme pour votre dernière liste de cette forme." in again.text
    assert form_with(again, "lecture").fields["colonne-lue-0"] == ["prenom"]
    other = preview(trainer, award, app.presence, liste=DOUBTFUL.replace("Présent", "Présente"))
    assert "pour votre dernière liste" not in other.text
    forgotten = step(trainer, again, "oublier")
    assert "pour votre dernière liste" not in forgotten.text
    assert form_with(forgotten, "lecture").fields["colonne-lue-0"] == ["nom"]
    assert "pour votre dernière liste" not in preview(trainer, award, app.presence, liste=DOUBTFUL).text


@pytest.fixture
def known(app: App) -> None:
    app.record("Louise Marchand louise.marchand@exemple.fr", "Jules Fabre jules.fabre@exemple.fr")


def test_a_known_name_with_another_address_is_asked_once(
    app: App, trainer: TestClient, award: str, known: None
) -> None:
    page = preview(
        trainer, award, app.presence, liste="Nom;Prénom;Mail\nMarchand;Louise;louise.m@exemple.org"
    )
    assert "est-ce la même personne" in page.text
    assert "La même, louise.marchand@exemple.fr" in page.text
    assert "Présence le" in page.text
    none = step(trainer, page, "suite")
    assert "vérifiez au moins une ligne" in none.text.replace("’", "'")
    same = step(trainer, page, "suite", **{"t-meme-1": "louise.marchand@exemple.fr"})
    assert "louise.marchand@exemple.fr" in carried_by(same)
    other = step(trainer, page, "suite", **{"t-meme-1": "autre"})
    assert "louise.m@exemple.org" in carried_by(other)


def test_known_names_are_confirmed_all_at_once_and_the_same_address_is_not_asked(
    app: App, trainer: TestClient, award: str, known: None
) -> None:
    listed = "Nom;Prénom;Mail\nMarchand;Louise;louise.marchand@exemple.fr\nFabre;Jules;jules@exemple.org"
    page = preview(trainer, award, app.presence, liste=listed)
    assert page.text.count("est-ce la même personne") == 1
    page = step(trainer, page, "memes-personnes")
    carried = carried_by(step(trainer, page, "suite"))
    assert "jules.fabre@exemple.fr" in carried
    assert "jules@exemple.org" not in carried


def test_a_known_address_under_another_name_is_asked_and_means_the_known_person(
    app: App, trainer: TestClient, award: str, known: None
) -> None:
    listed = "Nom;Prénom;Mail\nMarchal;Louison;louise.marchand@exemple.fr"
    page = preview(trainer, award, app.presence, liste=listed)
    assert "sous le nom de Louise Marchand" in page.text
    same = step(trainer, page, "suite", **{"t-meme-1": "Louise Marchand louise.marchand@exemple.fr"})
    assert carried_by(same) == "Marchand;Louise;louise.marchand@exemple.fr"
    other = step(trainer, page, "suite", **{"t-meme-1": "autre", "t-sur-1": "oui"})
    assert carried_by(other) == "Marchal;Louison;louise.marchand@exemple.fr"
