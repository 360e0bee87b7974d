"""What a list leaves open is asked about: a bare number behind a name, the order of two names, letters of an old encoding."""

from __future__ import annotations

import pytest

from app.domain.imports.lists.model import Reason, State
from app.services.imports.lists import read_list_file, read_list_text
from tests.lists.documents import FORMS

pytestmark = pytest.mark.usefixtures("reading_in_this_process")


@pytest.mark.parametrize("number", ["8", "12", "50 %", "75%", "0 %"])
@pytest.mark.parametrize("form", ["{} {}", "{} : {}", "- {} – {}", "{} ({})", "1. M. {} {}"])
def test_number_behind_a_name_is_asked_about(form: str, number: str) -> None:
    (line,) = read_list_text(form.format("Marie Dupont", number)).lines
    assert line.name == "Marie Dupont"
    assert line.state is State.ASK
    assert [doubt.word for doubt in line.doubts if doubt.reason is Reason.EXTRA] == [number]


@pytest.mark.parametrize(
    "text",
    [
        "Marie Dupont 8 h",
        "Nom;Prénom;Heures\nDupont;Marie;8\nPetit;Léa;8",
        "Nom Prénom Heures\nDupont Marie 8\nPetit Léa 8,0\nRoux Tom 8:00",
    ],
)
def test_number_that_is_called_hours_is_read(text: str) -> None:
    assert {line.hours for line in read_list_text(text).in_state(State.READY)} == {8.0}


def test_whole_presence_needs_no_question() -> None:
    (line,) = read_list_text("Marie Dupont 100 %").lines
    assert line.state is State.READY


@pytest.mark.parametrize("ends", ["\n", "\r"])
def test_old_macintosh_accents_are_read(ends: str) -> None:
    text = "Nom;Prénom;Société\nLefèvre;Chloé;Élan\nMüller;Zoë;Été\nHélias;François;Noël\n".replace(
        "\n", ends
    )
    ready = {line.name for line in read_list_file(text.encode("mac_roman")).in_state(State.READY)}
    assert ready == {"Chloé Lefèvre", "Zoë Müller", "François Hélias"}


@pytest.mark.parametrize("name", ["HÉLÈNE Rémy", "LEFÈVRE Zoé", "ÇELIK Noël", "HÉNON Paul"])
def test_old_macintosh_capitals_are_never_ready_with_wrong_letters(name: str) -> None:
    for line in read_list_file(f"{name}\n".encode("mac_roman")).lines:
        letters = {word.casefold() for word in line.name.split()}
        assert line.state is State.ASK or letters == {word.casefold() for word in name.split()}


def test_half_the_presence_of_the_others_is_asked_about() -> None:
    text = "Nom;Prénom;Présence\nDupont;Marie;50 %\nPetit;Léa;100 %\nRoux;Tom;100 %"
    assert {line.name for line in read_list_text(text).in_state(State.ASK)} == {"Marie Dupont"}


@pytest.mark.parametrize("name", ["Soilihi Sok", "Sok Soilihi", "Martin Sacha", "Denis Tesfaye"])
@pytest.mark.parametrize("form", ["• M. {} : présent", "{}", "Mme {}", "1. {}"])
def test_unsupported_order_is_asked_about(name: str, form: str) -> None:
    (line,) = read_list_text(form.format(name)).lines
    assert line.state is State.ASK
    assert Reason.ORDER in {doubt.reason for doubt in line.doubts}


@pytest.mark.parametrize(
    "text",
    [
        "• M. Soilihi SOK : présent",
        "Soilihi Sok soilihi.sok@exemple.fr",
        "Kadiatou Bell\nSoilihi Sok\nAwa Petit",
    ],
)
def test_supported_order_never_swaps_the_name(text: str) -> None:
    (line,) = [line for line in read_list_text(text).lines if "soilihi" in line.text.lower()]
    assert line.state is State.ASK or (line.given_name, line.family_name) == ("Soilihi", "Sok")


@pytest.mark.parametrize("text", ["Amina Diallo", "Camille Martin", "Diallo Amina", "Thomas Petit"])
def test_clear_statistics_need_no_question(text: str) -> None:
    (line,) = read_list_text(text).lines
    assert line.state is State.READY


def test_each_name_in_a_table_of_its_own_has_neighbours() -> None:
    names = ["Lefebvre Sandrine", "Camille Bernard", "Kerbrat Emma", "Chevalier Jérémy", "Mercier Julien"]
    reading = read_list_file(FORMS["odt"]([{"table": [["Stagiaire"], *([name] for name in names)]}]))
    ready = {line.name for line in reading.in_state(State.READY)}
    assert ready == {"Sandrine Lefebvre", "Emma Kerbrat", "Jérémy Chevalier", "Julien Mercier"}


def test_addresses_that_begin_with_the_family_name_do_not_swap_names() -> None:
    text = (
        "Alexis Marchand <marchand.alexis@exemple.fr>\nMoussa Alexis <alexis.moussa@exemple.fr>\n"
        "Lucas Marchand <marchand.lucas@exemple.fr>\nMoreau Kavitha <kavitha.moreau@exemple.fr>"
    )
    ready = {(line.given_name, line.family_name) for line in read_list_text(text).in_state(State.READY)}
    assert ("Alexis", "Moussa") not in ready


@pytest.mark.parametrize("text", ["Noémie Simon\tPau", "Houria Sok\tPau\nNoémie Simon\tPau"])
def test_town_beside_a_whole_name_is_no_family_name(text: str) -> None:
    assert "Pau" not in {line.family_name for line in read_list_text(text).in_state(State.READY)}


def test_tight_commas_in_equal_rows_are_columns() -> None:
    text = "Fatoumata,PETIT,Sud\nNicolas,SOW,Sud\nCéline,CARON,Nord"
    assert [line.name for line in read_list_text(text).lines] == [
        "Fatoumata Petit",
        "Nicolas Sow",
        "Céline Caron",
    ]
    assert [line.name for line in read_list_text("M.,Nicolas,Diallo,Vendeuse").lines] == ["Nicolas Diallo"]


@pytest.mark.parametrize("mark", [" - ", " – ", " / ", ", ", " "])
@pytest.mark.parametrize("around", ["{}", "Bonjour,\n{}\nMerci"])
def test_labels_beside_each_other_never_leave_a_sign_in_a_name(mark: str, around: str) -> None:
    names = (("WAGNER", "Élodie"), ("XAVIER", "Paulo"), ("PETIT", "Léa"))
    rows = "\n".join(f"Nom : {family}{mark}Prénom : {given}" for family, given in names)
    for line in read_list_text(around.format(rows)).in_state(State.READY):
        assert (line.family_name.upper(), line.given_name) in names


def test_records_of_a_message_are_read_below_its_greeting_and_above_its_signature() -> None:
    records = "\n\n".join(
        f"Nom : {family}\nPrénom : {given}\nMail : {given}.{family}@exemple.fr".lower()
        for family, given in (("Guichard", "Aude"), ("Sanogo", "Drissa"), ("Petit", "Marc"))
    )
    end = "\n\nCordialement,\nChantal Besson\nAssistante RH\nTransports du Golfe"
    reading = read_list_file(f"Bonjour, voici les stagiaires :\n\n{records}{end}".encode())
    assert {line.name for line in reading.in_state(State.READY)} == {
        "Aude Guichard",
        "Drissa Sanogo",
        "Marc Petit",
    }
    denied = read_list_file(f"Bonjour,\nmerci de désinscrire ces personnes :\n\n{records}{end}".encode())
    assert denied.in_state(State.READY) == []


def test_cross_under_absent_is_no_tick() -> None:
    rows = "ABDALLAH Nassim\t\t\nDA CUNHA Rafael\t\t5 min\nGUILLERMIN Toine\tX\t\nPETIT Léa\t\t"
    asked = read_list_text(f"Élèves\tAbsence\tRetard\n{rows}").in_state(State.ASK)
    assert [line.name for line in asked] == ["Toine Guillermin"]


def test_own_address_shows_the_order_among_names_of_another_order() -> None:
    text = (
        "Nom;Mail\nRoussel Bénédicte;b.roussel@exemple.fr\nThibault Rivière;t.riviere@exemple.fr\n"
        "Kaddour Rachid;r.kaddour@exemple.fr\nMartin Denis;m.denis@exemple.fr\nLeclerc Amandine;a.leclerc@exemple.fr"
    )
    ready = {(line.given_name, line.family_name) for line in read_list_text(text).in_state(State.READY)}
    assert ("Thibault", "Rivière") in ready
    assert not any("Martin" in name for name in ready)
