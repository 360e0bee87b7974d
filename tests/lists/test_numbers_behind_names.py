"""A bare number or share behind a name: hours, a mark or presence, which a person has to tell."""

from __future__ import annotations

import pytest

from app.domain.imports.lists.model import Reason, State
from app.services.imports.lists import read_list_file, read_list_text

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
