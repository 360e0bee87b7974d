"""Workbooks saved by offices give their lines; those made to exhaust a machine are refused at once."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time
from typing import Any
from xml.etree import ElementTree

import pytest
import xlsxwriter
from hypothesis import example, given, settings
from hypothesis import strategies as st

from app.adapters.sheets.list_files import UnreadableList, text_of_table
from app.adapters.sheets.report_files import Illustration, text_document, workbook_of
from app.domain.imports.lists.model import State
from app.errors import InvalidInput
from app.services.imports.lists import read_list_file


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
@example("\x01\x1b\ufffe\uffff<&\u2028\x0b")
def test_reports_are_opened_whatever_a_sentence_contains(text: str):
    table = ("Bilan", ["Phrase"], [[text]])
    picture = Illustration(b"\x89PNG", text, 10, 10)
    for made in (text_document([("Normal", text), table, picture]), workbook_of([table])):
        with zipfile.ZipFile(io.BytesIO(made)) as archive:
            for name in archive.namelist():
                if name.endswith((".xml", ".rels")):
                    ElementTree.fromstring(archive.read(name))


PEOPLE = [["Nom", "Prénom", "Courriel", "Heures"], ["LE BŒUF", "Anne-Gaëlle", "ag@exemple.fr", 14.5]]


def workbook(*sheets: Sequence[Sequence[Any]], prepare: Callable[[Any, Any], None] | None = None) -> bytes:
    data = io.BytesIO()
    book = xlsxwriter.Workbook(data, {"in_memory": True})
    # Otherwise the second at which it is made, and the effect of damaged bytes, would differ the next time.
    book.set_properties({"created": datetime(2026, 11, 24, tzinfo=UTC)})
    for rows in sheets:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if prepare:
            prepare(book, sheet)
    book.close()
    return data.getvalue()


def with_sheet(content: bytes) -> bytes:
    """A valid workbook with these bytes as its first sheet."""
    given_book, changed = zipfile.ZipFile(io.BytesIO(workbook(PEOPLE))), io.BytesIO()
    with zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as archive:
        for part in given_book.infolist():
            own = part.filename == "xl/worksheets/sheet1.xml"
            archive.writestr(part.filename, content if own else given_book.read(part))
    return changed.getvalue()


def sheet_of(rows: str) -> bytes:
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{name}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def test_a_merged_title_empty_lines_and_notes_above_the_heading_are_not_people() -> None:
    def merge(book: Any, sheet: Any) -> None:
        sheet.merge_range(0, 0, 0, 3, "Nom de l’atelier : robotique, 24 novembre")

    reading = read_list_file(workbook([[], [], ["Lycée", "Mandela"], *PEOPLE], prepare=merge))
    (line,) = reading.in_state(State.READY)
    assert (line.name, line.address, line.hours, line.line) == (
        "Anne-Gaëlle Le Bœuf",
        "ag@exemple.fr",
        14.5,
        5,
    )


def test_numbers_times_and_dates_are_read_as_a_person_would_type_them() -> None:
    def typed(book: Any, sheet: Any) -> None:
        sheet.write_datetime(1, 1, time(2, 30), book.add_format({"num_format": "hh:mm"}))
        sheet.write_datetime(1, 2, date(2026, 11, 24), book.add_format({"num_format": "dd/mm/yyyy"}))

    text = text_of_table(workbook([["Nom", "Heures", "Né le"], ["Martin", "", "", 3, True]], prepare=typed))
    assert text.splitlines()[1] == "Martin;2h30;24/11/2026;3;oui"


def test_the_first_non_empty_sheet_is_read() -> None:
    assert "BŒUF" in text_of_table(workbook([], PEOPLE))


def test_an_empty_workbook_gives_no_lines() -> None:
    assert text_of_table(workbook([])) == ""


def test_cells_far_apart_are_refused() -> None:
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    with pytest.raises(UnreadableList):
        text_of_table(with_sheet(sheet_of(rows)))


def test_entities_are_refused() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa">]><worksheet>&a;</worksheet>'
    with pytest.raises(UnreadableList):
        text_of_table(with_sheet(bomb))


def test_another_file_is_refused_with_what_to_do() -> None:
    with pytest.raises(InvalidInput, match="copiez-collez"):
        text_of_table(b"PK\x03\x04 no archive")


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_a_damaged_workbook_is_read_or_refused(data: st.DataObject) -> None:
    damaged = bytearray(workbook(PEOPLE))
    for place in data.draw(st.lists(st.integers(0, len(damaged) - 1), min_size=1, max_size=8)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    with suppress(InvalidInput):
        assert isinstance(text_of_table(bytes(damaged)), str)


CELLS = st.builds(
    '<c r="{}" t="{}">{}</c>'.format,
    st.sampled_from(["A1", "B2", "ZZ9", "A0", "$A$1", ""]),
    st.sampled_from(["s", "b", "e", "n", "d", "str", "inlineStr", "?"]),
    st.sampled_from(["<v>1</v>", "<v>9999999</v>", "<v/>", "<is><t>Zoé</t></is>", "<f>A1</f><v>x</v>", ""]),
)


@settings(max_examples=8, deadline=None)
@given(st.lists(CELLS, max_size=6))
def test_unusual_cells_are_read_or_refused(cells: list[str]) -> None:
    with suppress(InvalidInput):
        assert isinstance(text_of_table(with_sheet(sheet_of(f"<row>{''.join(cells)}</row>"))), str)
