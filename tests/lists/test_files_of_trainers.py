"""What a file shows beside its text: frames, merged headings, links, remarks below a name, shares and sheets of other years."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
import typst
from xlsxwriter import Workbook

from app.domain.imports.lists.model import Reason, State
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


OFFICE = "http://schemas.openxmlformats.org"
Shown = list[tuple[str, str, str]]
"""A name, what stands beside it, and the address that this leads to."""


def _workbook_with_links(people: Shown, formula: str = "") -> bytes:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Nom", "Prénom", "Contact"])
        for number, (name, text, address) in enumerate(people, 1):
            given, family = name.split()
            sheet.write_row(number, 0, [family, given])
            if formula:
                sheet.write_formula(number, 2, formula.format(address, text), None, text)
            else:
                sheet.write_url(number, 2, f"mailto:{address}", string=text)
    return made.getvalue()


def _word_with_links(people: Shown, link: str, *, table: bool) -> bytes:
    lines = [
        ([f"<w:p><w:r><w:t>{name}</w:t></w:r></w:p>"], link.format(number, text, address))
        for number, (name, text, address) in enumerate(people)
    ]
    if table:
        rows = "".join(
            f"<w:tr>{''.join(f'<w:tc>{one}</w:tc>' for one in (*name, f'<w:p>{shown}</w:p>'))}</w:tr>"
            for name, shown in lines
        )
        body = f"<w:tbl>{rows}</w:tbl>"
    else:
        body = "".join(
            f"<w:p><w:r><w:t>{one[0]} </w:t></w:r>{shown}</w:p>"
            for one, (_, shown) in zip(people, lines, strict=True)
        )
    targets = "".join(
        f'<Relationship Id="rId{number}" Target="mailto:{address}" TargetMode="External"/>'
        for number, (_, _, address) in enumerate(people)
    )
    return archive(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f'<w:document xmlns:w="{OFFICE}/wordprocessingml/2006/main" xmlns:r="{OFFICE}/officeDocument/2006/relationships"><w:body>{body}</w:body></w:document>',
            "word/_rels/document.xml.rels": f'<Relationships xmlns="{OFFICE}/package/2006/relationships">{targets}</Relationships>',
        }
    )


def _open_document_with_links(people: Shown, *, kind: str) -> bytes:
    names = "urn:oasis:names:tc:opendocument:xmlns"
    shown = [
        (name, f'<text:a xlink:href="mailto:{address}">{text}</text:a>') for name, text, address in people
    ]
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>"
    rows = "".join(f"<table:table-row>{''.join(map(cell.format, row))}</table:table-row>" for row in shown)
    table = f'<table:table table:name="Feuille1">{rows}</table:table>'
    body = {
        "ods": f"<office:spreadsheet>{table}</office:spreadsheet>",
        "odt": f"<office:text>{table}</office:text>",
        "lines": f"<office:text>{''.join(f'<text:p>{name} {link}</text:p>' for name, link in shown)}</office:text>",
    }[kind]
    used = " ".join(f'xmlns:{one}="{names}:{one}:1.0"' for one in ("office", "table", "text"))
    return archive(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{'spreadsheet' if kind == 'ods' else 'text'}",
            "content.xml": f'<office:document-content {used} xmlns:xlink="http://www.w3.org/1999/xlink"><office:body>{body}</office:body></office:document-content>',
        }
    )


def _xml_with_links(people: Shown) -> bytes:
    names = "urn:schemas-microsoft-com:office:spreadsheet"
    row = '<Row><Cell><Data ss:Type="String">{0}</Data></Cell><Cell ss:HRef="mailto:{2}"><Data ss:Type="String">{1}</Data></Cell></Row>'
    rows = "".join(row.format(*one) for one in people)
    return f'<?xml version="1.0"?><Workbook xmlns="{names}" xmlns:ss="{names}"><Worksheet ss:Name="Feuil1"><Table>{rows}</Table></Worksheet></Workbook>'.encode()


def _marked(around: str, each: str, people: Shown) -> bytes:
    return around.format("".join(each.format(*one) for one in people)).encode()


RELATION = '<w:hyperlink r:id="rId{0}"><w:r><w:t>{1}</w:t></w:r></w:hyperlink>'
FIELD = '<w:r><w:instrText> HYPERLINK "mailto:{2}" </w:instrText></w:r><w:r><w:t>{1}</w:t></w:r>'
RICH = r'{{\field{{\*\fldinst{{HYPERLINK "mailto:{2}"}}}}{{\fldrslt {{\ul {1}}}}}}}'
WITH_LINKS: dict[str, Callable[[Shown], bytes]] = {
    "xlsx": _workbook_with_links,
    "xlsx formula": lambda people: _workbook_with_links(people, '=HYPERLINK("mailto:{}","{}")'),
    "docx": lambda people: _word_with_links(people, RELATION, table=False),
    "docx table": lambda people: _word_with_links(people, RELATION, table=True),
    "docx field": lambda people: _word_with_links(people, FIELD, table=False),
    "docx field in a table": lambda people: _word_with_links(people, FIELD, table=True),
    "ods": lambda people: _open_document_with_links(people, kind="ods"),
    "odt": lambda people: _open_document_with_links(people, kind="odt"),
    "odt lines": lambda people: _open_document_with_links(people, kind="lines"),
    "html": lambda people: _marked("<ul>{}</ul>", '<li>{0} <a href="mailto:{2}">{1}</a></li>', people),
    "html table": lambda people: _marked("<table>{}</table>", '<tr><td>{0}</td><td><a href="mailto:{2}">{1}</a></td></tr>', people),
    "xml": _xml_with_links,
    "rtf": lambda people: _marked("{{\\rtf1\\ansi {}}}", "{0} " + RICH + "\\par\n", people),
    "pdf": lambda people: bytes(typst.compile(_marked("{}", '{0} #link("mailto:{2}")[#"{1}"]\n\n', people))),
}  # fmt: skip
LINKED = [("Lea Martin", "lea.martin@ecole.fr"), ("Tom Petit", "tom.petit@ecole.fr"), ("Nina Roux", "nina.roux@ecole.fr")]  # fmt: skip


@pytest.mark.parametrize("form", WITH_LINKS)
def test_an_address_that_a_file_leads_to_is_read_where_it_shows_none(form: str) -> None:
    reading = read_list_file(WITH_LINKS[form]([(name, "mail", address) for name, address in LINKED]))
    assert {line.address for line in reading.lines if line.name} == {address for _, address in LINKED}


@pytest.mark.parametrize("form", WITH_LINKS)
def test_an_address_that_leads_to_itself_is_no_question(form: str) -> None:
    reading = read_list_file(WITH_LINKS[form]([(name, address, address.title()) for name, address in LINKED]))
    assert [(line.name, line.address) for line in reading.in_state(State.READY)] == LINKED


@pytest.mark.parametrize("form", WITH_LINKS)
def test_an_address_that_leads_to_another_one_is_asked_about(form: str) -> None:
    people = [(name, address, address) for name, address in LINKED]
    people[1] = (*people[1][:2], "t.petit@exemple.org")
    reading = read_list_file(WITH_LINKS[form](people))
    assert [(line.name, line.address) for line in reading.in_state(State.READY)] == LINKED[::2]
    (asked,) = reading.in_state(State.ASK)
    assert asked.name == "Tom Petit"
    assert {asked.address, *asked.other_addresses} == {"tom.petit@ecole.fr", "t.petit@exemple.org"}
    assert [doubt.reason for doubt in asked.doubts] == [Reason.ADDRESS_SEVERAL]
