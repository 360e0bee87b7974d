"""What a file shows beside its text: frames, merged headings, links, remarks below a name, shares and sheets of other years."""

from __future__ import annotations

import io

import pytest
from xlsxwriter import Workbook

from app.domain.imports.lists.model import State
from app.services.imports.lists import read_list_file
from tests.lists.documents import archive, html, ods, xlsx

pytestmark = pytest.mark.usefixtures("reading_in_this_process")

PEOPLE = [["Martin", "Chloé"], ["Petit", "Hugo"], ["Roux", "Inès"], ["Girard", "Yanis"], ["Faye", "Awa"], ["Moreau", "Noémie"]]  # fmt: skip
NAMES = {f"{given} {family}" for family, given in PEOPLE}
BOXES = {name: f"{name.replace(' ', '.').lower().translate({233: 'e', 232: 'e'})}@ecole.fr" for name in NAMES}


def _beside(heading: str, values: list[str]) -> list[list[str]]:
    return [["Nom", "Prénom", heading], *([*one, value] for one, value in zip(PEOPLE, values, strict=True))]


def _ready(data: bytes) -> set[str]:
    return {line.name for line in read_list_file(data).in_state(State.READY)}


@pytest.mark.parametrize("heading", ["Présence (%)", "Assiduité (%)"])
def test_a_small_number_under_a_heading_of_shares_is_asked_about(heading: str) -> None:
    rows = _beside(heading, ["100", "95", "20", "90", "100", "90"])
    assert _ready(xlsx([{"table": rows}])) == NAMES - {"Inès Roux"}


def test_who_is_not_through_among_others_who_are_is_asked_about_under_any_heading() -> None:
    rows = _beside("Parcours", ["Terminé", "Terminé", "En cours", "Terminé", "Terminé", "En cours"])
    assert _ready(xlsx([{"table": rows}])) == NAMES - {"Inès Roux", "Noémie Moreau"}


def test_people_on_a_sheet_of_an_earlier_year_are_asked_about() -> None:
    heading = ["Nom", "Prénom"]
    sheets = [
        {"name": "2025-2026", "table": [heading, *PEOPLE[:3]]},
        {"name": "2026-2027", "table": [heading, *PEOPLE[3:]]},
    ]
    assert _ready(xlsx(sheets)) == {"Yanis Girard", "Awa Faye", "Noémie Moreau"}


def test_who_stands_above_a_remark_in_small_letters_is_asked_about() -> None:
    rows = [["Nom", "Prénom"], *PEOPLE[:3], ["départ 14h30", ""], *PEOPLE[3:]]
    assert "Inès Roux" not in _ready(ods([{"table": rows}]))


@pytest.mark.parametrize("remark", ["(excusé)", "(absente)", "(pas venu)"])
def test_a_remark_in_brackets_concerns_only_the_person_above_it(remark: str) -> None:
    rows = [["Nom", "Prénom"], *PEOPLE[:3], [remark, ""], *PEOPLE[3:]]
    assert _ready(ods([{"table": rows}])) == NAMES - {"Inès Roux"}


@pytest.mark.parametrize("remark", ["(excusés)", "(2 absents)"])
def test_a_remark_in_brackets_on_several_people_concerns_more_than_one(remark: str) -> None:
    rows = [["Nom", "Prénom"], *PEOPLE[:3], [remark, ""], *PEOPLE[3:]]
    assert len(_ready(ods([{"table": rows}]))) < len(NAMES) - 1


@pytest.mark.parametrize("remark", ["absent", "(stage)", "reporté en novembre"])
def test_a_remark_beside_one_person_asks_nothing_of_the_others(remark: str) -> None:
    rows = [["Nom", "Prénom"], *([*one, remark] if one[1] == "Inès" else one for one in PEOPLE)]
    assert _ready(xlsx([{"table": rows}])) == NAMES - {"Inès Roux"}


@pytest.mark.parametrize("form", [xlsx, ods, html])
@pytest.mark.parametrize("heading", ["Nom et prénom", "Élève"])
def test_halves_of_names_below_one_heading_are_read(form: object, heading: str) -> None:
    rows = [[heading, "", "Classe"], *([family.upper(), given, "2A"] for family, given in PEOPLE)]
    assert _ready(form([{"table": rows}])) == NAMES  # type: ignore[operator]


def test_names_that_contradict_the_one_heading_over_them_are_asked_about() -> None:
    rows = [["Prénom Nom", "", "Classe"], *([family, given, "2A"] for family, given in PEOPLE)]
    assert _ready(xlsx([{"table": rows}])) == set()


def test_addresses_below_contact_that_spell_both_halves_are_their_own() -> None:
    rows = [["Identité", "", "Contact"], ["Nom", "Prénom", "Mail"]]
    rows += [[family, given, BOXES[f"{given} {family}"]] for family, given in PEOPLE]
    assert _ready(xlsx([{"table": rows}])) == NAMES
    rows[2:] = [[*one, f"accueil{at}@dupuis.example"] for at, one in enumerate(PEOPLE)]
    assert _ready(xlsx([{"table": rows}])) == set()


def _linked(form: str, column: int) -> bytes:
    rows = [[family, given, "Lui écrire"] for family, given in PEOPLE]
    links = [f"mailto:{BOXES[f'{given} {family}']}" for family, given in PEOPLE]
    if form == "xlsx":
        made = io.BytesIO()
        with Workbook(made, {"in_memory": True}) as book:
            sheet = book.add_worksheet()
            sheet.write_row(0, 0, ["Nom", "Prénom", "E-mail"])
            for number, (row, link) in enumerate(zip(rows, links, strict=True), 1):
                sheet.write_row(number, 0, row)
                sheet.write_url(number, column, link, string=row[column])
        return made.getvalue()
    table = {"table": [["Nom", "Prénom", "E-mail"], *rows]}
    source = ods([table]) if form == "ods" else html([table])
    if form == "ods":
        return _ods_with_links(rows, links, column)
    page = source.decode("cp1252")
    for row, link in zip(rows, links, strict=True):
        cells = "".join(f"<td>{cell}</td>" for cell in row)
        shown = [f'<a href="{link}">{cell}</a>' if at == column else cell for at, cell in enumerate(row)]
        page = page.replace(cells, "".join(f"<td>{cell}</td>" for cell in shown))
    return page.encode("cp1252")


def _ods_with_links(rows: list[list[str]], links: list[str], column: int) -> bytes:
    office = "urn:oasis:names:tc:opendocument:xmlns"
    lines = "".join(
        "<table:table-row>"
        + "".join(
            f'<table:table-cell><text:p><text:a xlink:href="{link}">{cell}</text:a></text:p></table:table-cell>'
            if at == column and link
            else f"<table:table-cell><text:p>{cell}</text:p></table:table-cell>"
            for at, cell in enumerate(row)
        )
        + "</table:table-row>"
        for row, link in zip([["Nom", "Prénom", "E-mail"], *rows], ["", *links], strict=True)
    )
    content = (
        f'<office:document-content xmlns:office="{office}:office:1.0" xmlns:table="{office}:table:1.0" '
        f'xmlns:text="{office}:text:1.0" xmlns:xlink="http://www.w3.org/1999/xlink"><office:body>'
        f"<office:spreadsheet><table:table>{lines}</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    return archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": content})


@pytest.mark.parametrize("form", ["xlsx", "ods", "html"])
@pytest.mark.parametrize("column", [0, 2])
def test_addresses_that_names_or_labels_lead_to_are_read(form: str, column: int) -> None:
    reading = read_list_file(_linked(form, column))
    assert {line.name: line.address for line in reading.in_state(State.READY)} == BOXES


def test_a_table_within_a_frame_is_read_as_a_table() -> None:
    def table(rows: list[list[str]]) -> str:
        cells = (
            "".join(f"<w:tc><w:p><w:r><w:t>{cell}</w:t></w:r></w:p></w:tc>" for cell in row) for row in rows
        )
        return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"

    outer = f"<w:tbl><w:tr><w:tc><w:p><w:r><w:t>Atelier bois</w:t></w:r></w:p></w:tc><w:tc><w:p><w:r><w:t>12/10/2026</w:t></w:r></w:p></w:tc></w:tr><w:tr><w:tc>{table([['Nom', 'Prénom'], *PEOPLE])}<w:p/></w:tc></w:tr></w:tbl>"
    document = f'<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{outer}</w:body></w:document>'
    assert _ready(archive({"[Content_Types].xml": "<Types/>", "word/document.xml": document})) == NAMES
