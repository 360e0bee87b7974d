"""Documents of every form, made from the tables and paragraphs that a corpus entry lists."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Collection, Sequence
from html import escape
from typing import Any

import typst
from xlsxwriter import Workbook

Content = Sequence[dict[str, Any]]

_ODF = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:style="urn:oasis:names:tc:opendocument:xmlns:style:1.0"'
)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def xlsx(content: Content, struck: Collection[int] = ()) -> bytes:
    """Rows whose index is in `struck` are crossed out; « ~ » begins a hidden row, « [[…]] » ends a cell with a comment."""
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True}) as book:
        crossed = book.add_format({"font_strikeout": True})
        for number, part in enumerate(content, 1):
            sheet = book.add_worksheet(part.get("name", f"Feuil{number}"))
            for row, cells in enumerate(part["table"]):
                if str(cells[0]).startswith("~"):
                    sheet.set_row(row, options={"hidden": True})
                for column, cell in enumerate(cells):
                    text, _, comment = str(cell).removesuffix("]]").partition("[[")
                    if comment:
                        sheet.write_comment(row, column, comment)
                    if cell != "":
                        shown = text.removeprefix("~").strip() if comment or text.startswith("~") else cell
                        sheet.write(row, column, shown, crossed if row in struck else None)
            if part.get("name", "").startswith("~"):
                sheet.hide()
    return made.getvalue()


def archive(parts: dict[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in parts.items():
            packed.writestr(name, text)
    return made.getvalue()


def _odf_table(part: dict[str, Any], name: str, struck: Collection[int] = ()) -> str:
    rows = "".join(
        f"<table:table-row{_FILTERED if str(cells[0]).startswith('~') else ''}>"
        + "".join(
            f"<table:table-cell{_CROSSED_CELL if row in struck else ''}><text:p>{escape(str(c).removeprefix('~ '))}</text:p></table:table-cell>"
            for c in cells
        )
        + "</table:table-row>"
        for row, cells in enumerate(part["table"])
    )
    empty = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    return f'<table:table table:name="{escape(part.get("name", name))}">{rows}{empty}</table:table>'


_FILTERED = ' table:visibility="filter"'
_CROSSED_CELL = ' table:style-name="barre"'
_CROSSED_STYLES = (
    '<office:automatic-styles><style:style style:name="barre"><style:text-properties '
    'style:text-line-through-style="solid"/></style:style></office:automatic-styles>'
)


def ods(content: Content, struck: Collection[int] = ()) -> bytes:
    tables = "".join(_odf_table(part, f"Feuille{n}", struck) for n, part in enumerate(content, 1))
    body = f"<office:document-content {_ODF}>{_CROSSED_STYLES}<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body></office:document-content>"
    return archive({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": body})


def odt(content: Content) -> bytes:
    pieces = []
    for number, part in enumerate(content, 1):
        if "table" in part:
            pieces.append(_odf_table(part, f"Tableau{number}"))
        elif "items" in part:
            items = "".join(
                f"<text:list-item><text:p>{escape(i)}</text:p></text:list-item>" for i in part["items"]
            )
            pieces.append(f"<text:list>{items}</text:list>")
        elif "struck" in part:
            pieces.append(
                f'<text:p><text:span text:style-name="barre">{escape(part["struck"])}</text:span></text:p>'
            )
        else:
            pieces.append(f"<text:p>{escape(part['text'])}</text:p>")
    body = f"<office:document-content {_ODF}>{_CROSSED_STYLES}<office:body><office:text>{''.join(pieces)}</office:text></office:body></office:document-content>"
    return archive({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": body})


def _paragraph(text: str, *, marks: str = "", item: bool = False) -> str:
    numbered = '<w:pPr><w:numPr><w:ilvl w:val="0"/><w:numId w:val="1"/></w:numPr></w:pPr>' if item else ""
    return f'<w:p>{numbered}<w:r>{marks}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _spans(cells: Sequence[Any]) -> list[tuple[str, int]]:
    """« < » belongs to the cell at its left."""
    found: list[tuple[str, int]] = []
    for cell in cells:
        if cell == "<":
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((str(cell), 1))
    return found


def _cell(text: str, span: int) -> str:
    """« ^ » belongs to the cell above."""
    merged = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    merged += "<w:vMerge/>" if text == "^" else ""
    return f"<w:tc><w:tcPr>{merged}</w:tcPr>{_paragraph('' if text == '^' else text)}</w:tc>"


def docx(content: Content) -> bytes:
    pieces = []
    for part in content:
        if "table" in part:
            rows = "".join(
                "<w:tr>" + "".join(_cell(text, span) for text, span in _spans(cells)) + "</w:tr>"
                for cells in part["table"]
            )
            pieces.append(f"<w:tbl>{rows}</w:tbl>")
        elif "items" in part:
            pieces += [_paragraph(item, item=True) for item in part["items"]]
        elif "struck" in part:
            pieces.append(_paragraph(part["struck"], marks="<w:rPr><w:strike/></w:rPr>"))
        else:
            pieces.append(_paragraph(part["text"]))
    return archive(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f'<w:document xmlns:w="{_WORD}"><w:body>{"".join(pieces)}</w:body></w:document>',
        }
    )


def html(content: Content) -> bytes:
    pieces = []
    for part in content:
        if "table" in part:
            rows = "".join(
                "<tr>" + "".join(f"<td>{escape(str(c))}</td>" for c in cells) + "</tr>"
                for cells in part["table"]
            )
            pieces.append(f"<table border=1>{rows}</table>")
        elif "items" in part:
            items = "".join(f"<li>{escape(item)}</li>" for item in part["items"])
            pieces.append(f"<ul>{items}</ul>")
        else:
            pieces.append(f"<p>{escape(part['text'])}</p>")
    page = f'<html><head><meta charset="windows-1252"><title>Export</title></head><body>{"".join(pieces)}</body></html>'
    return page.encode("cp1252")


def xml(content: Content) -> bytes:
    """« XML Spreadsheet 2003 »."""
    tables = "".join(
        '<Worksheet ss:Name="Feuil1"><Table>'
        + "".join(
            "<Row>"
            + "".join(f'<Cell><Data ss:Type="String">{escape(str(c))}</Data></Cell>' for c in cells)
            + "</Row>"
            for cells in part["table"]
        )
        + "</Table></Worksheet>"
        for part in content
    )
    name = "urn:schemas-microsoft-com:office:spreadsheet"
    return f'<?xml version="1.0"?><Workbook xmlns="{name}" xmlns:ss="{name}">{tables}</Workbook>'.encode()


def _escaped(text: object) -> str:
    signs = []
    for sign in str(text):
        number = ord(sign)
        signs.append(
            f"\\{sign}"
            if sign in "\\{}"
            else sign
            if number < 128
            else f"\\u{number - 65536 * (number > 32767)}?"
        )
    return "".join(signs)


def rtf(content: Content) -> bytes:
    pieces = []
    for part in content:
        if "table" in part:
            pieces += [
                "\\trowd" + "".join(f"\\cellx{1000 * n}" for n, _ in enumerate(cells, 1))
                + "".join(f"\\pard\\intbl {_escaped(c)}\\cell" for c in cells) + "\\row\n"
                for cells in part["table"]
            ]  # fmt: skip
        elif "items" in part:
            pieces += [f"{{\\pntext\\bullet\\tab}}{_escaped(item)}\\par\n" for item in part["items"]]
        elif "struck" in part:
            pieces.append(f"{{\\strike {_escaped(part['struck'])}}}\\par\n")
        else:
            pieces.append(f"\\pard {_escaped(part['text'])}\\par\n")
    return (
        "{\\rtf1\\ansi\\ansicpg1252\\deff0{\\fonttbl{\\f0\\fcharset0 Arial;}}\n" + "".join(pieces) + "}"
    ).encode()


def _typed(text: object) -> str:
    return '#"' + str(text).replace("\\", "\\\\").replace('"', '\\"') + '"'


def pdf(content: Content) -> bytes:
    pieces = []
    for part in content:
        if "table" in part:
            width = max(map(len, part["table"]))
            cells = ", ".join(
                f"[{_typed(c)}]" for row in part["table"] for c in [*row, *[""] * (width - len(row))]
            )
            pieces.append(f"#table(columns: {width}, {cells})")
        elif "page" in part:
            pieces.append("#pagebreak()")
        else:
            pieces.append(f"{_typed(part['text'])} \\")
    return bytes(typst.compile("\n\n".join(pieces).encode()))


FORMS: dict[str, Callable[[Content], bytes]] = {
    "xlsx": xlsx,
    "ods": ods,
    "odt": odt,
    "docx": docx,
    "html": html,
    "xml": xml,
    "pdf": pdf,
    "rtf": rtf,
}
