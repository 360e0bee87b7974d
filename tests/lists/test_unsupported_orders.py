"""Two words in mixed case: weak statistics alone decide neither their order nor who is named."""

from __future__ import annotations

import pytest

from app.domain.imports.lists.model import Reason, State
from app.services.imports.lists import read_list_file, read_list_text
from tests.lists.documents import FORMS

pytestmark = pytest.mark.usefixtures("reading_in_this_process")


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
