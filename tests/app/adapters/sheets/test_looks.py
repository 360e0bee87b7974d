"""What a file shows besides its text: colours, styles, pictures, quotations, rows in content controls."""

from __future__ import annotations

import io
from email.message import EmailMessage

import pytest
import typst
from pypdf import PdfWriter
from pypdf.generic import (
    ArrayObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    StreamObject,
    TextStringObject,
)
from xlsxwriter import Workbook

from app.adapters.sheets.document_parts import PICTURE, QUOTED, unlike_others
from app.domain.imports.lists.model import Reading, Reason, State
from app.services.imports.lists import read_list_file
from tests.lists.documents import archive

_NAMES = ("Marion Castel", "Louise Ferrer", "Adèle Noiret", "Rémi Duchemin", "Solène Keller")
_WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_OPEN = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:svg="urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0"'
)


def _asked(reading: Reading) -> set[str]:
    return {line.name for line in reading.lines if line.state is State.ASK}


def _apart(reading: Reading) -> set[str]:
    return {line.name for line in reading.lines if Reason.APART in {doubt.reason for doubt in line.doubts}}


@pytest.mark.parametrize(
    "item",
    [
        '<li class="out">{}</li>',
        "<li hidden>{}</li>",
        '<li style="color: red">{}</li>',
        '<li title="absente">{}</li>',
        '<li>{} <span class="badge bg-danger"></span></li>',
        '<li aria-disabled="true">{}</li>',
    ],
)
def test_a_line_of_a_web_page_with_another_style_is_asked_about(item: str) -> None:
    items = "".join((item if name == "Louise Ferrer" else "<li>{}</li>").format(name) for name in _NAMES)
    reading = read_list_file(f"<html><body><ul>{items}</ul></body></html>".encode())
    assert _asked(reading) == _apart(reading) == {"Louise Ferrer"}


def test_a_similar_style_in_each_row_and_striped_rows_have_no_meaning() -> None:
    rows = "".join(
        f'<tr id="r{n}" class="{"odd" if n % 2 else "even"}"><td><a href="/{n}">{name}</a></td><td>2A</td></tr>'
        for n, name in enumerate(_NAMES)
    )
    page = f"<html><body><table><tr><th>Nom et prénom</th><th>Classe</th></tr>{rows}</table></body></html>"
    assert _apart(read_list_file(page.encode())) == set()


def test_rows_after_an_inner_table_retain_their_own_format() -> None:
    rows = "".join(
        f"<tr{' class=out' if name == 'Louise Ferrer' else ''}><td>{name}</td><td>2A</td></tr>"
        for name in _NAMES
    )
    page = f"<html><body><table><tr><td>Campus</td></tr><tr><td>Atelier<table><tr><td>a</td><td>b</td></tr></table></td></tr>{rows}</table></body></html>"
    assert _apart(read_list_file(page.encode())) == {"Louise Ferrer"}


def test_people_of_a_quoted_message_are_asked_about() -> None:
    page = "<html><body><p>Marion Castel</p><p>Louise Ferrer</p><blockquote><p>Adèle Noiret</p></blockquote></body></html>"
    assert _apart(read_list_file(page.encode())) == {"Adèle Noiret"}


def test_a_person_without_a_signature_picture_where_others_have_one_is_asked_about() -> None:
    rows = "".join(
        f"<tr><td>{name}</td><td>{'' if name == 'Louise Ferrer' else '<img src=s.png>'}</td></tr>"
        for name in _NAMES
    )
    page = f"<html><body><table><tr><th>Nom et prénom</th><th>Signature</th></tr>{rows}</table></body></html>"
    assert "Louise Ferrer" in _asked(read_list_file(page.encode()))


@pytest.mark.parametrize(
    "mark", ['<w:color w:val="FF0000"/>', '<w:rStyle w:val="Barré"/>', '<w:highlight w:val="red"/>']
)
def test_a_paragraph_of_a_docx_file_in_another_colour_or_style_is_asked_about(mark: str) -> None:
    paragraphs = "".join(
        f"<w:p><w:r><w:rPr>{mark if name == 'Louise Ferrer' else ''}</w:rPr><w:t>{name}</w:t></w:r></w:p>"
        for name in _NAMES
    )
    document = f"<w:document {_WORD}><w:body>{paragraphs}</w:body></w:document>"
    assert _apart(read_list_file(archive({"word/document.xml": document}))) == {"Louise Ferrer"}


@pytest.mark.parametrize("within", ["w:sdt", "w:customXml"])
def test_rows_of_a_docx_file_in_a_content_control_are_read(within: str) -> None:
    rows = "".join(f"<w:tr><w:tc><w:p><w:r><w:t>{name}</w:t></w:r></w:p></w:tc></w:tr>" for name in _NAMES)
    content = f"<w:sdtContent>{rows}</w:sdtContent>" if within == "w:sdt" else rows
    document = (
        f"<w:document {_WORD}><w:body><w:tbl><{within}>{content}</{within}></w:tbl></w:body></w:document>"
    )
    reading = read_list_file(archive({"word/document.xml": document}))
    assert {line.name for line in reading.lines} == set(_NAMES)


def test_a_paragraph_of_an_open_document_with_another_style_is_asked_about() -> None:
    paragraphs = "".join(
        f'<text:p text:style-name="{"P2" if name == "Louise Ferrer" else "P1"}">{name}</text:p>'
        for name in _NAMES
    )
    body = f"<office:document-content {_OPEN}><office:body><office:text>{paragraphs}</office:text></office:body></office:document-content>"
    data = archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": body})
    assert _apart(read_list_file(data)) == {"Louise Ferrer"}


def _open_document(body: str, kind: str = "text") -> bytes:
    content = f"<office:document-content {_OPEN}><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    media = "spreadsheet" if kind == "spreadsheet" else "text"
    return archive({"mimetype": f"application/vnd.oasis.opendocument.{media}", "content.xml": content})


_BOX = (
    "<draw:frame><svg:title>Cadre</svg:title><draw:text-box><text:p>Manon Girard</text:p></draw:text-box></draw:frame>"
    '<draw:custom-shape draw:name="Ovale"><text:p>Karim Haddad</text:p></draw:custom-shape>'
)


@pytest.mark.parametrize(
    "data",
    [
        _open_document(
            f"<table:table><table:shapes>{_BOX}</table:shapes><table:table-row><table:table-cell>"
            "<text:p>Louise Ferrer</text:p></table:table-cell></table:table-row></table:table>",
            "spreadsheet",
        ),
        _open_document(f"<text:p>Louise Ferrer{_BOX}</text:p>"),
        _open_document(
            f"<table:table><table:table-row><table:table-cell><text:p>Louise Ferrer{_BOX}</text:p>"
            "</table:table-cell></table:table-row></table:table>"
        ),
    ],
    ids=["sheet", "paragraph", "cell"],
)
def test_people_in_boxes_of_an_open_document_are_on_separate_lines(data: bytes) -> None:
    names = {line.name for line in read_list_file(data).lines if line.name}
    assert names == {"Louise Ferrer", "Manon Girard", "Karim Haddad"}


def test_the_header_of_an_open_sheet_is_shown_but_not_its_page_numbers() -> None:
    sheet = "<table:table><table:table-row><table:table-cell><text:p>Louise Ferrer</text:p></table:table-cell></table:table-row></table:table>"
    content = f"<office:document-content {_OPEN}><office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body></office:document-content>"
    styles = (
        f"<office:document-styles {_OPEN}><office:master-styles><style:master-page>"
        "<style:header><text:p>Liste des absents</text:p></style:header>"
        "<style:footer><text:p>Page <text:page-number>1</text:page-number></text:p></style:footer>"
        "</style:master-page></office:master-styles></office:document-styles>"
    )
    reading = read_list_file(
        archive(
            {
                "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
                "content.xml": content,
                "styles.xml": styles,
            }
        )
    )
    assert [line.text for line in reading.lines] == ["Louise Ferrer", "Liste des absents"]


@pytest.mark.parametrize("around", ["", "<text:p>Louise Ferrer</text:p>"])
def test_a_person_deleted_with_tracked_changes_is_read_as_struck_out(around: str) -> None:
    deleted = (
        '<text:tracked-changes><text:changed-region text:id="c1"><text:deletion>'
        "<text:p>Manon Girard</text:p></text:deletion></text:changed-region></text:tracked-changes>"
    )
    reading = read_list_file(
        _open_document(f'{deleted}{around}<text:p><text:change text:change-id="c1"/></text:p>')
    )
    assert any("Manon Girard" in line.text for line in reading.lines)
    assert not any("Manon" in line.name for line in reading.in_state(State.READY))


def _merged_word(row: int) -> str:
    names = (
        ("Présents", "Louise Ferrer"),
        ("", "Manon Girard"),
        ("Absents", "Karim Haddad"),
        ("", "Inès Moreau"),
    )
    label, name = names[row]
    merged = '<w:vMerge w:val="restart"/>' if label else "<w:vMerge/>"
    return (
        f"<w:tr><w:tc><w:tcPr>{merged}</w:tcPr><w:p><w:r><w:t>{label}</w:t></w:r></w:p></w:tc>"
        f"<w:tc><w:p><w:r><w:t>{name}</w:t></w:r></w:p></w:tc></w:tr>"
    )


def _merged_open(row: int) -> str:
    label, name = (
        ("Présents", "Louise Ferrer"),
        ("", "Manon Girard"),
        ("Absents", "Karim Haddad"),
        ("", "Inès Moreau"),
    )[row]
    first = (
        f'<table:table-cell table:number-rows-spanned="2"><text:p>{label}</text:p></table:table-cell>'
        if label
        else "<table:covered-table-cell/>"
    )
    return f"<table:table-row>{first}<table:table-cell><text:p>{name}</text:p></table:table-cell></table:table-row>"


@pytest.mark.parametrize(
    "data",
    [
        archive(
            {
                "word/document.xml": f"<w:document {_WORD}><w:body><w:tbl>{''.join(map(_merged_word, range(4)))}</w:tbl></w:body></w:document>"
            }
        ),
        _open_document(f"<table:table>{''.join(map(_merged_open, range(4)))}</table:table>"),
        _open_document(f"<table:table>{''.join(map(_merged_open, range(4)))}</table:table>", "spreadsheet"),
    ],
    ids=["docx", "odt", "ods"],
)
def test_a_label_merged_over_rows_applies_to_each(data: bytes) -> None:
    reading = read_list_file(data)
    doubts = {line.name: {doubt.reason for doubt in line.doubts} for line in reading.lines}
    assert Reason.ABSENT in doubts["Karim Haddad"] & doubts["Inès Moreau"]
    assert doubts["Louise Ferrer"] == doubts["Manon Girard"]


def test_a_row_of_a_workbook_in_another_colour_is_asked_about() -> None:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet, red = book.add_worksheet(), book.add_format({"bg_color": "#FF0000"})
        for row, name in enumerate(("Prénom Nom", *_NAMES)):
            for column, text in enumerate(name.split()):
                sheet.write(row, column, text, red if name == "Louise Ferrer" else None)
    assert _apart(read_list_file(made.getvalue())) == {"Louise Ferrer"}


def test_the_text_of_a_saved_message_is_read_whatever_its_encoding() -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = (
        "Odile Brun <o@exemple.fr>",
        "badges@exemple.fr",
        "Élèves",
    )
    message.set_content("\n".join(_NAMES), cte="base64")
    message.add_alternative("<p>" + "<br>".join(_NAMES) + "</p>", subtype="html", cte="base64")
    assert set(_NAMES) <= {line.name for line in read_list_file(bytes(message)).lines}


@pytest.mark.parametrize(
    "shown",
    [
        "#text(fill: red)[{}]",
        "#text(fill: white)[{}]",
        "#box(fill: red)[{}]",
        '{} #box(image(bytes("<svg xmlns=\\"http://www.w3.org/2000/svg\\" width=\\"9\\" height=\\"9\\"><path d=\\"M0 4C1 0 2 9 3 4S5 0 6 4 8 9 9 4C8 1 7 2 6 3S3 3 2 2\\" stroke=\\"red\\" fill=\\"none\\"/></svg>"), height: 8pt))',
    ],
)
def test_a_line_of_a_pdf_in_another_colour_or_with_a_drawing_is_asked_about(shown: str) -> None:
    lines = [shown.replace("{}", name) if name == "Louise Ferrer" else name for name in _NAMES]
    assert _apart(read_list_file(bytes(typst.compile("\n\n".join(lines).encode())))) == {"Louise Ferrer"}


def _form_of(names: tuple[str, ...]) -> bytes:
    """A page with a title and a filled field for each name."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
            NameObject("/Encoding"): NameObject("/WinAnsiEncoding"),
        }
    )
    resources = DictionaryObject({NameObject("/Font"): DictionaryObject({NameObject("/F1"): font})})
    page[NameObject("/Resources")] = resources
    title = StreamObject()
    title.set_data(b"BT /F1 10 Tf 60 800 Td (Participants) Tj ET")
    page[NameObject("/Contents")] = writer._add_object(title)
    fields = ArrayObject()
    for row, name in enumerate(names):
        shown = StreamObject()
        shown.set_data(b"BT /F1 10 Tf 2 4 Td (" + name.encode("cp1252") + b") Tj ET")
        box = ArrayObject(map(NumberObject, (0, 0, 200, 18)))
        shown.update(
            {
                NameObject("/Type"): NameObject("/XObject"),
                NameObject("/Subtype"): NameObject("/Form"),
                NameObject("/BBox"): box,
                NameObject("/Resources"): resources,
            }
        )
        place = ArrayObject(map(NumberObject, (60, 740 - 26 * row, 260, 758 - 26 * row)))
        field = DictionaryObject(
            {
                NameObject("/Type"): NameObject("/Annot"), NameObject("/Subtype"): NameObject("/Widget"), NameObject("/FT"): NameObject("/Tx"),
                NameObject("/T"): TextStringObject(f"field{row}"), NameObject("/V"): TextStringObject(name), NameObject("/Rect"): place, NameObject("/F"): NumberObject(4),
                NameObject("/AP"): DictionaryObject({NameObject("/N"): writer._add_object(shown)}),
            }
        )  # fmt: skip
        fields.append(writer._add_object(field))
    page[NameObject("/Annots")] = fields
    writer._root_object[NameObject("/AcroForm")] = DictionaryObject({NameObject("/Fields"): fields})
    made = io.BytesIO()
    writer.write(made)
    return made.getvalue()


def test_names_in_the_fields_of_a_pdf_form_are_read() -> None:
    assert set(_NAMES) <= {line.name for line in read_list_file(_form_of(_NAMES)).lines}


@pytest.mark.parametrize(
    ("looks", "apart"),
    [
        ({}, set()),
        ({1: "a", 2: "b", 3: "a", 4: "b", 5: "a"}, set()),
        ({1: "h", 2: "a", 3: "a", 4: "a", 5: "b", 6: "a"}, {1, 5}),
        ({1: "x1", 2: "x2", 3: "x3", 4: "y4", 5: "x5"}, {4}),
        ({1: f"<{PICTURE}>", 2: f"<{PICTURE}>", 3: ""}, {3}),
        ({1: "", 2: f"<{PICTURE}>", 3: ""}, {2}),
        ({1: "", 2: QUOTED, 3: QUOTED}, {2, 3}),
    ],
)
def test_few_lines_that_differ_from_the_others_are_found(looks: dict[int, str], apart: set[int]) -> None:
    assert unlike_others(looks) == apart


def test_a_part_of_a_name_that_is_struck_out_in_a_workbook_is_asked_about() -> None:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet, struck = book.add_worksheet(), book.add_format({"font_strikeout": True})
        for row, name in enumerate(("Prénom Nom", *_NAMES)):
            for column, text in enumerate(name.split()):
                sheet.write(row, column, text)
        sheet.write_rich_string(1, 1, struck, "Vernet", " Ferrer")
    reading = read_list_file(made.getvalue())
    assert not any("Vernet" in line.name for line in reading.in_state(State.READY))
    assert any("Vernet" in line.text for line in reading.in_state(State.ASK))


def test_a_row_of_a_workbook_with_an_empty_red_cell_is_asked_about() -> None:
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        sheet, red = book.add_worksheet(), book.add_format({"bg_color": "#FF0000"})
        for row, name in enumerate(("Prénom Nom", *_NAMES)):
            for column, text in enumerate(name.split()):
                sheet.write(row, column, text)
            if name == "Louise Ferrer":
                sheet.write_blank(row, 2, None, red)
    assert _apart(read_list_file(made.getvalue())) == {"Louise Ferrer"}


@pytest.mark.parametrize("turn", ["90deg", "-90deg", "180deg"])
def test_a_rotated_page_of_a_pdf_is_read(turn: str) -> None:
    lines = "\n\n".join(_NAMES)
    data = bytes(typst.compile(f"#set page(margin: 1cm)\n#rotate({turn}, reflow: true)[{lines}]".encode()))
    assert {line.name for line in read_list_file(data).lines} == set(_NAMES)


@pytest.mark.parametrize(
    "page",
    [
        "<div>{}</div><div class='absent'>Louise Ferrer</div>",
        "<ul>{}<li>Louise Ferrer <i title='Absente'></i></li></ul>",
        "<ul>{}<li aria-label='absente'>Louise Ferrer</li></ul>",
        "<table>{}<tr data-status='absent'><td>Louise Ferrer</td></tr></table>",
        "<div>{}</div><div><span>Louise Ferrer</span><span>Absente</span></div>",
    ],
)
def test_absence_marked_only_by_a_tag_of_a_page_is_asked_about(page: str) -> None:
    others = [name for name in _NAMES if name != "Louise Ferrer"]
    shape = {"<ul": "<li>{}</li>", "<ta": "<tr><td>{}</td></tr>"}.get(page[:3], "<div>{}</div>")
    reading = read_list_file(page.format("".join(shape.format(name) for name in others)).encode())
    (line,) = (line for line in reading.lines if "Ferrer" in line.name)
    assert Reason.ABSENT in {doubt.reason for doubt in line.doubts}


def test_a_nested_box_of_an_open_document_is_read_once() -> None:
    inner = "<text:p>Karim Haddad</text:p>"
    for _ in range(30):
        inner = f"<text:p><draw:frame><draw:text-box>{inner}</draw:text-box></draw:frame></text:p>"
    lines = read_list_file(_open_document(inner)).lines
    assert [line.name for line in lines if line.name] == ["Karim Haddad"]


@pytest.mark.parametrize(
    "page",
    [
        "<table><tr><td>Castel<td>Marion</tr><tr style='display: none'><td>Ferrer<td>Louise</tr></table>",
        "<table><tr><td>Castel<td>Marion</tr><tr hidden><td>Ferrer<td>Louise</tr></table>",
        "<p>Marion Castel</p><div style='visibility:hidden'><div></div><p>Louise Ferrer</p></div>",
        "<p>Marion Castel</p><select><option>Louise Ferrer</select>",
    ],
)
def test_a_person_hidden_or_only_an_option_of_a_web_page_is_asked_about(page: str) -> None:
    reading = read_list_file(
        f"<html><body>{page}<p>Adèle Noiret</p><p>Rémi Duchemin</p></body></html>".encode()
    )
    assert "Louise Ferrer" in _asked(reading)
    assert {line.name for line in reading.in_state(State.READY)} >= {"Adèle Noiret", "Rémi Duchemin"}
