"""The yearly report as a workbook and as a text document, from the same document as its page."""

from __future__ import annotations

import io
import zipfile
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import IO
from xml.sax.saxutils import escape, quoteattr

from xlsxwriter import Workbook

from app.domain.core import NOT_IN_XML, harmless

ReportCell = str | int | float | None
Table = tuple[str, Sequence[str], Sequence[Sequence[ReportCell]]]
"""Title, headings, rows."""


@dataclass(frozen=True)
class Illustration:
    """A PNG or JPEG picture with its text, and its size in pixels."""

    content: bytes
    alternative: str
    width: int
    height: int

    @property
    def kind(self) -> str:
        return "png" if self.content.startswith(b"\x89PNG") else "jpg"

    def to_svg(self) -> bytes:
        """typst takes files given by name as text alone."""
        media = "png" if self.kind == "png" else "jpeg"
        size = f'width="{self.width}" height="{self.height}"'
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {self.width} {self.height}">'
            f'<image {size} href="data:image/{media};base64,{b64encode(self.content).decode()}"/></svg>'
        ).encode()


_TYPES = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    '<Default Extension="png" ContentType="image/png"/><Default Extension="jpg" ContentType="image/jpeg"/>'
    '<Override PartName="/word/document.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
    '<Override PartName="/word/styles.xml" '
    'ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.styles+xml"/></Types>'
)
_RELATIONS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{all}</Relationships>'
)
_RELATION = (
    '<Relationship Id="{id}" '
    'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/>'
)
_SPACE = (
    'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:pic="http://schemas.openxmlformats.org/drawingml/2006/picture"'
)
_WIDEST, _TALLEST = 5_400_000, 5_000_000
"""Of a picture, in EMU: 15 × 13.9 cm."""
_STYLES = (
    f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:styles {_SPACE}>'
    '<w:docDefaults><w:rPrDefault><w:rPr><w:sz w:val="22"/></w:rPr></w:rPrDefault><w:pPrDefault><w:pPr>'
    '<w:spacing w:after="120"/></w:pPr></w:pPrDefault></w:docDefaults>'
    + "".join(
        f'<w:style w:type="paragraph" w:styleId="{name}"><w:name w:val="{title}"/><w:pPr><w:keepNext/>'
        f'<w:outlineLvl w:val="{level}"/></w:pPr><w:rPr><w:b/><w:sz w:val="{size}"/></w:rPr></w:style>'
        for name, title, level, size in (("Heading1", "heading 1", 0, 36), ("Heading2", "heading 2", 1, 28))
    )
    + "</w:styles>"
)


def workbook_of(tables: Iterable[Table]) -> bytes:
    """One sheet per table. No cell is a formula or becomes one elsewhere."""
    made = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(made, options) as book:
        bold, wrapped = book.add_format({"bold": True, "bottom": 1}), book.add_format({"text_wrap": True})
        for title, heading, rows in tables:
            sheet = book.add_worksheet(title[:31])
            sheet.freeze_panes(1, 0)
            for place, words in enumerate(heading):
                sheet.write_string(0, place, words, bold)
                sheet.set_column(place, place, 42 if place == 1 else 16, wrapped)
            for line, row in enumerate(rows, 1):
                for place, cell in enumerate(row):
                    if isinstance(cell, str):
                        sheet.write_string(line, place, harmless(cell))
                    elif cell is not None:
                        sheet.write_number(line, place, cell)
    return made.getvalue()


def text_document(parts: Iterable[tuple[str, str] | Table | Illustration]) -> bytes:
    """DOCX: pairs of a style (Heading1, Heading2, Normal) and its text, tables, and pictures."""
    pictures: list[Illustration] = []
    body = ""
    for part in parts:
        if isinstance(part, Illustration):
            pictures.append(part)
            body += _drawing(part, len(pictures))
        else:
            body += _table(part) if len(part) == 3 else _paragraph(*part)
    relations = _RELATION.format(id="r1", kind="styles", target="styles.xml") + "".join(
        _RELATION.format(id=f"p{number}", kind="image", target=f"media/{number}.{each.kind}")
        for number, each in enumerate(pictures, 1)
    )
    document = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:document {_SPACE}><w:body>{body}'
        '<w:sectPr><w:pgSz w:w="11906" w:h="16838"/></w:sectPr></w:body></w:document>'
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", _TYPES)
        whole = _RELATION.format(id="r1", kind="officeDocument", target="word/document.xml")
        archive.writestr("_rels/.rels", _RELATIONS.format(all=whole))
        archive.writestr("word/_rels/document.xml.rels", _RELATIONS.format(all=relations))
        archive.writestr("word/document.xml", document)
        archive.writestr("word/styles.xml", _STYLES)
        for number, each in enumerate(pictures, 1):
            archive.writestr(f"word/media/{number}.{each.kind}", each.content)
    return made.getvalue()


def _paragraph(style: str, text: str) -> str:
    written = [escape(NOT_IN_XML.sub("", line)) for line in text.splitlines() or [""]]
    lines = '</w:t><w:br/><w:t xml:space="preserve">'.join(written)
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style != "Normal" else ""
    return f'<w:p>{named}<w:r><w:t xml:space="preserve">{lines}</w:t></w:r></w:p>'


def _drawing(picture: Illustration, number: int) -> str:
    scale = min(_WIDEST / picture.width, _TALLEST / picture.height)
    size = f'cx="{round(picture.width * scale)}" cy="{round(picture.height * scale)}"'
    named = f'id="{number}" name="image {number}" descr={quoteattr(NOT_IN_XML.sub("", picture.alternative))}'
    return (
        f"<w:p><w:pPr><w:keepNext/></w:pPr><w:r><w:drawing><wp:inline><wp:extent {size}/><wp:docPr {named}/>"
        '<a:graphic><a:graphicData uri="http://schemas.openxmlformats.org/drawingml/2006/picture"><pic:pic>'
        f"<pic:nvPicPr><pic:cNvPr {named}/><pic:cNvPicPr/></pic:nvPicPr>"
        f'<pic:blipFill><a:blip r:embed="p{number}"/><a:stretch><a:fillRect/></a:stretch></pic:blipFill>'
        f'<pic:spPr><a:xfrm><a:off x="0" y="0"/><a:ext {size}/></a:xfrm>'
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></pic:spPr></pic:pic></a:graphicData></a:graphic>'
        "</wp:inline></w:drawing></w:r></w:p>"
    )


def _table(table: Table) -> str:
    _, heading, rows = table
    borders = "".join(
        f'<w:{side} w:val="single" w:sz="4" w:color="808080"/>' for side in ("top", "bottom", "insideH")
    )
    head = _row(heading, is_head=True)
    lines = "".join(_row(["" if cell is None else str(cell) for cell in row]) for row in rows)
    properties = f'<w:tblPr><w:tblW w:w="5000" w:type="pct"/><w:tblBorders>{borders}</w:tblBorders></w:tblPr>'
    grid = "<w:tblGrid>" + "<w:gridCol/>" * len(heading) + "</w:tblGrid>"
    return f"<w:tbl>{properties}{grid}{head}{lines}</w:tbl>{_paragraph('Normal', '')}"


def _row(cells: Sequence[str], *, is_head: bool = False) -> str:
    mark = "<w:trPr><w:tblHeader/></w:trPr>" if is_head else ""
    return (
        "<w:tr>" + mark + "".join(f"<w:tc>{_paragraph('Normal', cell)}</w:tc>" for cell in cells) + "</w:tr>"
    )


# --- Workbooks that are written: to be filled in, with an example and dropdown lists; and tables

_LAST_LINE = 5_000
_MOST_LINES = 1_048_576
_LONGEST_NAME = 31
Cell = str | int | float | date | None


def blank_workbook(
    name: str,
    heading: Sequence[str],
    *,
    example: Sequence[Sequence[str]],
    example_name: str,
    choices: Mapping[int, Sequence[str]],
    days: Sequence[int],
) -> bytes:
    """`choices` and `days` are indices of columns: those with a list of choices, and those with dates."""
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet, shown = book.add_worksheet(name), book.add_worksheet(example_name)
        for each in (sheet, shown):
            for place, words in enumerate(heading):
                each.write_string(0, place, words, bold)
                each.set_column(place, place, max(12, len(words) + 2), day if place in days else None)
            each.freeze_panes(1, 0)
        for place, listed in choices.items():
            sheet.data_validation(
                1,
                place,
                _LAST_LINE,
                place,
                {"validate": "list", "source": list(listed), "error_type": "warning"},
            )
        for line, cells in enumerate(example, 1):
            for place, cell in enumerate(cells):
                shown.write_string(line, place, cell)
    return made.getvalue()


def write_workbook(
    file: IO[bytes], name: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    """Row by row, in constant memory. No cell is a formula or becomes one elsewhere."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet(name[:_LONGEST_NAME])
        sheet.freeze_panes(1, 0)
        for place, words in enumerate(heading):
            sheet.set_column(place, place, max(14, len(words) + 2))
        for place, words in enumerate(heading):
            sheet.write_string(0, place, words, bold)
        for line, row in enumerate(rows, 1):
            if line >= _MOST_LINES:
                return
            for place, cell in enumerate(row):
                match cell:
                    case None | "":
                        continue
                    case str():
                        sheet.write_string(line, place, harmless(cell))
                    case date():
                        sheet.write_datetime(line, place, cell, day)
                    case _:
                        sheet.write_number(line, place, cell)
