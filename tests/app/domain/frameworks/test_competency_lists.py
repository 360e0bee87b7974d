"""Lists of competencies out of spreadsheets: columns by their names, every line kept, whatever the separator."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.core import csv_for_excel
from app.domain.frameworks import HEADING, ListedCompetency, read_competencies
from app.errors import InvalidInput

WORD = st.text(
    alphabet=st.characters(categories=("L", "N"), include_characters="'’=+@;,\"-"), min_size=1, max_size=20
)
LINES = st.lists(
    st.tuples(WORD, WORD, WORD, WORD, st.lists(WORD, max_size=3).map(tuple)), min_size=1, max_size=5
)


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_columns_are_found_by_their_names_in_any_order(separator):
    text = "\n".join(
        separator.join(cells)
        for cells in [
            ("Énoncé", "CODE", "Niveaux", "référentiel"),
            ("Mesurer", "CA-3", "Accompagné | Autonome", "ca"),
            ("", "", "", ""),
            ("Réparer", "CA-4", "", ""),
        ]
    )
    assert read_competencies(text) == [
        ListedCompetency(2, "ca", "", "CA-3", "Mesurer", ("Accompagné", "Autonome")),
        ListedCompetency(4, "ca", "", "CA-4", "Réparer", ()),
    ]


def test_a_list_without_the_names_of_its_columns_is_refused():
    with pytest.raises(InvalidInput):
        read_competencies("CA-3;Mesurer\nCA-4;Réparer")


@given(LINES)
def test_an_exported_list_reads_back_as_it_was(lines):
    listed = [ListedCompetency(0, *line) for line in lines]
    text = csv_for_excel(HEADING, [line.cells for line in listed]).decode("utf-8-sig")
    assert [line.cells for line in read_competencies(text)] == [line.cells for line in listed]


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused_with_a_sentence(text):
    with contextlib.suppress(InvalidInput):
        read_competencies(text)
