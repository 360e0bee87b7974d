"""The process that reads a document on its standard input: its tables and running text, as JSON on its
output.

Its memory and time are limited, so that hostile files end only this process. Run as `python -m … KIND`.
"""

from __future__ import annotations

import io
import json
import re
import resource
import struct
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from app.adapters.sheets.document_parts import (
    CROSSED,
    MOST_ROWS,
    MOST_UNPACKED,
    PICTURE,
    AboutSheet,
    Budget,
    Flow,
    Grid,
    Refused,
    about_sheets,
    address_of_link,
    addresses_of_fields,
    attribute_of,
    is_on,
    is_shown,
    linked_addresses,
    open_archive,
    part_of,
    sheets_of,
    show_links,
    tag_of,
    xml_sheet,
)
from app.adapters.sheets.html_text import html, xml_records
from app.adapters.sheets.odf_text import odf
from app.adapters.sheets.pdf_text import pdf_pages

_SECONDS: Final = 10
_MEMORY: Final = 768 * 1024 * 1024


def _docx(data: bytes) -> list[dict[str, Any]]:
    flow = Flow()
    with open_archive(data) as archive:
        names = archive.namelist()
        notes = _docx_notes(archive)
        headers = sorted(name for name in names if re.fullmatch(r"word/header\d*\.xml", name))
        others = sorted(name for name in names if re.fullmatch(r"word/footer\d*\.xml", name))
        for name in [*headers, "word/document.xml", *others]:
            body = part_of(archive, name)
            _place_notes(body, notes)
            _place_links(body, linked_addresses(archive, name))
            _docx_body(body, flow)
            flow.end_text()
        for text in notes.values():
            flow.paragraph(text)
        flow.end_text()
    return flow.blocks


def _docx_notes(archive: Any) -> dict[tuple[str, str], str]:
    """The texts of notes and comments, by kind and identifier."""
    found = {}
    for kind, part in (("footnote", "footnotes"), ("endnote", "endnotes"), ("comment", "comments")):
        if f"word/{part}.xml" in archive.namelist():
            for note in part_of(archive, f"word/{part}.xml"):
                text = " ".join("".join(t.text or "" for t in note.iter() if tag_of(t) == "t").split())
                if text:
                    found[kind, attribute_of(note, "id")] = text.replace("(", "[").replace(")", "]")
    return found


def _place_notes(body: Any, notes: dict[tuple[str, str], str]) -> None:
    """Write each note as text where it is referred to."""
    for element in body.iter():
        kind = tag_of(element).removesuffix("Reference")
        if tag_of(element) != kind and (text := notes.pop((kind, attribute_of(element, "id")), "")):
            element.tag = element.tag.rpartition("}")[0] + "}t" if "}" in element.tag else "t"
            element.text = f" ({text})"


def _place_links(body: Any, addresses: dict[str, str]) -> None:
    """Write the e-mail addresses that a paragraph leads to, and does not show, at its end; in a table, on the paragraph,
    for its row."""
    in_tables = {id(inner) for table in body.iter() if tag_of(table) == "tbl" for inner in table.iter()}
    for paragraph in body.iter():
        if tag_of(paragraph) != "p" or not (found := [*_links_of(paragraph, addresses)]):
            continue
        texts = [one for one in paragraph.iter() if tag_of(one) == "t"]
        shown = "".join(one.text or "" for one in texts)
        hidden = [address for address in dict.fromkeys(found) if not is_shown(address, shown)]
        if hidden and id(paragraph) in in_tables:
            paragraph.set(_LEADS, " ".join(hidden))
        elif hidden and texts:
            texts[-1].text = f"{texts[-1].text or ''} {' '.join(f'<{address}>' for address in hidden)}"


_LEADS: Final = "sceau-leads"


def _links_of(paragraph: Any, addresses: dict[str, str]) -> Iterator[str]:
    instruction = ""
    for element in paragraph.iter():
        match tag_of(element):
            case "hyperlink" if address := addresses.get(attribute_of(element, "id")):
                yield address
            case "instrText":
                instruction += element.text or ""
            case "fldSimple":
                instruction += attribute_of(element, "instr")
    yield from addresses_of_fields(instruction) if instruction else ()


def _docx_body(body: Any, flow: Flow) -> None:
    for element in body:
        match tag_of(element):
            case "del" | "moveFrom" | "Fallback" | "sectPr":
                continue
            case "p":
                text, struck = _docx_paragraph(element)
                flow.paragraph(f"~~{text}~~" if struck else text, _docx_look(element))
                for box in element.iter():
                    if tag_of(box) == "txbxContent":
                        _docx_body(box, flow)
            case "tbl" if _is_frame(element):
                for row in _docx_rows(element):
                    _docx_body(row, flow)
                flow.end_text()
            case "tbl":
                rows: list[list[str]] = []
                crossed, looks = [], []
                for row in _docx_rows(element):
                    cells, struck = _docx_row(row, rows[-1] if rows else ())
                    rows.append(cells)
                    crossed.append(struck)
                    looks.append(_docx_look(row))
                flow.table(rows, crossed, looks)
            case _:
                _docx_body(element, flow)


_DOCX_LOOKS: Final = frozenset(
    ("pStyle", "rStyle", "color", "highlight", "shd", "b", "i", "u", "strike", "dstrike", "vanish", "sz")
)
_AT_REST: Final = frozenset(("", "auto", "000000", "none", "clear", "Normal"))


def _docx_look(element: Any) -> str:
    """Colours, styles and pictures in a paragraph or row, whatever their order."""
    found = set()
    for one in element.iter():
        kind = tag_of(one)
        if kind in ("drawing", "pict", "object"):
            found.add(PICTURE)
        elif kind in _DOCX_LOOKS:
            value = attribute_of(one, "fill") if kind == "shd" else attribute_of(one, "val")
            if value not in _AT_REST or (not value and kind not in ("shd", "color")):
                found.add(f"{kind}={value}")
    return " ".join(sorted(found))


def _is_frame(table: Any) -> bool:
    """A table within it has more rows: it only arranges the page."""
    inner = (one for one in table.iter() if tag_of(one) == "tbl" and one is not table)
    return any(len([*_docx_rows(one)]) > len([*_docx_rows(table)]) for one in inner)


def _docx_rows(table: Any) -> Iterator[Any]:
    """Its rows, those in content controls too."""
    for element in table:
        match tag_of(element):
            case "tr":
                yield element
            case "sdt" | "sdtContent" | "customXml" | "ins":
                yield from _docx_rows(element)


def _docx_row(row: Any, above: Sequence[str] = ()) -> tuple[list[str], bool]:
    """A cell that is merged with the one above repeats its text."""
    cells: list[str] = []
    links: list[tuple[int, str]] = []
    struck = []
    for cell in row:
        if tag_of(cell) == "sdt":
            cell = next((inner for inner in cell.iter() if tag_of(inner) == "tc"), cell)
        if tag_of(cell) != "tc":
            continue
        parts = [*_docx_lines(cell)]
        texts = [text for text, _ in parts if text.strip()]
        struck += [crossed for text, crossed in parts if text.strip()]
        merged = [e for e in cell.iter() if tag_of(e) == "vMerge" and attribute_of(e, "val") != "restart"]
        is_below = bool(merged) and not texts and len(cells) < len(above)
        links += [(len(cells), address) for p in cell.iter() for address in p.get(_LEADS, "").split()]
        cells.append(above[len(cells)] if is_below else "\n".join(texts))
        span = next((attribute_of(e, "val") for e in cell.iter() if tag_of(e) == "gridSpan"), "1")
        cells += [""] * (min(int(span), 60) - 1 if span.isdecimal() and len(span) < 8 else 0)
    show_links(cells, links)
    return cells, bool(struck) and all(struck)


def _docx_lines(parent: Any) -> Iterator[tuple[str, bool]]:
    """The paragraphs of a cell, and each row of a table in it as one."""
    for element in parent:
        match tag_of(element):
            case "p":
                yield _docx_paragraph(element)
                for box in element.iter():
                    if tag_of(box) == "txbxContent":
                        yield from _docx_lines(box)
            case "tbl":
                for row in _docx_rows(element):
                    cells, crossed = _docx_row(row)
                    yield " ".join(cell.replace("\n", " ") for cell in cells if cell.strip()), crossed
            case _:
                yield from _docx_lines(element)


def _docx_paragraph(paragraph: Any) -> tuple[str, bool]:
    """Visible text, and whether all of it is struck through."""
    pieces: list[str] = []
    struck: list[tuple[int, bool]] = []
    deleted: list[str] = []

    def walk(element: Any, crossed: bool) -> None:
        for child in element:
            match tag_of(child):
                case "txbxContent" | "moveFrom" | "instrText" | "fallback" | "Fallback":
                    continue
                case "delText":
                    deleted.append(child.text or "")
                case "r":
                    marks = [e for e in child.iter() if tag_of(e) in ("strike", "dstrike", "vanish")]
                    walk(child, bool(marks) and all(map(is_on, marks)))
                case "t":
                    if (child.text or "").strip():
                        struck.append((len(pieces), crossed))
                    pieces.append(child.text or "")
                case "tab" | "ptab":
                    if tag_of(element) == "r":
                        pieces.append("\t")
                case "br" | "cr":
                    pieces.append("\n")
                case "checkBox":
                    is_checked = next(
                        (is_on(e) for name in ("checked", "default") for e in child if tag_of(e) == name),
                        False,
                    )
                    pieces.append("☑ " if is_checked else "☐ ")
                case "noBreakHyphen":
                    pieces.append("-")
                case "sym":
                    pieces.append("☑" if attribute_of(child, "char").upper() in ("F0FE", "F052", "F0FC") else "☐" if attribute_of(child, "char").upper() in ("F0A8", "F06F") else "•")  # fmt: skip
                case _:
                    walk(child, crossed)

    walk(paragraph, False)
    removed = "".join(deleted).strip()
    if removed and not struck:
        return removed, True
    if any(crossed for _, crossed in struck) and not all(crossed for _, crossed in struck):
        for index, crossed in struck:
            pieces[index] = f"{CROSSED if crossed else ''}{pieces[index]}"
    if sum(map(str.isalpha, removed)) > 2:
        pieces.append(f" ({removed} : barré)")
    return "".join(pieces), bool(struck) and all(crossed for _, crossed in struck)


# --- Workbooks.


def _workbook(data: bytes) -> list[dict[str, Any]]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    is_archive = data[:2] == b"PK"
    if is_archive:
        _check_archive(data)
    about = about_sheets(data) if is_archive else _about_old_sheets(data)
    with CalamineWorkbook.from_filelike(io.BytesIO(data)) as workbook:
        budget = Budget()

        def rows_of(
            name: str,
            notes: dict[tuple[int, int], str],
            below: dict[tuple[int, int], tuple[int, int]],
            texts: dict[tuple[int, int], str],
            links: dict[int, list[tuple[int, str]]],
        ) -> Grid:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.total_height > 1_100_000 or sheet.height * sheet.width > 6_000_000:
                raise Refused("too-large")
            rows: Grid = []
            held: dict[tuple[int, int], str] = {}
            holders = set(below.values())
            for number, row in enumerate(sheet.to_python(skip_empty_area=False), 1):
                cells = [_typed(cell) for cell in row]
                for column in range(len(cells)) if texts else ():
                    cells[column] = texts.get((number, column + 1), cells[column])
                for column in range(len(cells)) if below else ():
                    place = number, column + 1
                    if place in holders:
                        held[place] = cells[column]
                    elif place in below and not cells[column]:
                        cells[column] = held.get(below[place], "")
                for column in range(len(cells)) if notes else ():
                    if note := notes.pop((number, column + 1), ""):
                        cells[column] = f"{cells[column]} ({note})"
                if any(cells):
                    show_links(cells, links.get(number, ()))
                while cells and not cells[-1].strip():
                    cells.pop()
                if cells:
                    budget.take(len(cells))
                    rows.append((number, cells))
            return rows

        def sheet_of(name: str, *, hidden: bool) -> tuple[str, Grid, set[int], set[int], dict[int, str]]:
            found = about.get(name, AboutSheet())
            rows = rows_of(name, found.notes, found.below(), found.texts, found.links)
            # What stands nowhere near a cell comes last.
            for text in (*found.notes.values(), *found.around):
                budget.take(1)
                rows.append((rows[-1][0] + 1 if rows else 1, [text]))
            unseen = {number for number, _ in rows} if hidden else found.hidden
            return name, rows, found.struck, unseen, found.looks

        sheets = [
            (one.name, one.visible != SheetVisibleEnum.Visible)
            for one in workbook.sheets_metadata
            if one.typ == SheetTypeEnum.WorkSheet
        ]
        return sheets_of(sheet_of(name, hidden=hidden) for name, hidden in sheets)


def _about_old_sheets(data: bytes) -> dict[str, AboutSheet]:
    """Of .xls, the rows that are hidden or hold a text that is struck out, how rows are shown, merged cells and comments."""
    import xlrd

    try:
        book = xlrd.open_workbook(file_contents=data, formatting_info=True, logfile=io.StringIO())
    except (xlrd.XLRDError, NotImplementedError, AssertionError, LookupError, ValueError, struct.error):
        # Older than Excel 97, or written otherwise than Excel does.
        return {}
    crossed = {
        index for index, format in enumerate(book.xf_list) if book.font_list[format.font_index].struck_out
    }
    grounds = [
        format.background.pattern_colour_index if format.background.fill_pattern else 0
        for format in book.xf_list
    ]
    about = {}
    for sheet in book.sheets():
        rows = range(min(sheet.nrows, MOST_ROWS))
        struck = {
            row + 1
            for row in rows
            if any(
                sheet.cell_xf_index(row, column) in crossed and str(sheet.cell_value(row, column)).strip()
                for column in range(sheet.row_len(row))
            )
        }
        hidden = {row + 1 for row, about_row in sheet.rowinfo_map.items() if about_row.hidden}
        looks = {}
        for row in rows:
            formats = [
                (sheet.cell_xf_index(row, column), str(sheet.cell_value(row, column)).strip())
                for column in range(sheet.row_len(row))
            ]
            shown = {f"{book.xf_list[one].font_index}/{grounds[one]}" for one, text in formats if text}
            # A colour may stand alone in its cell.
            shown |= {f"ground{grounds[one]}" for one, _ in formats if grounds[one]}
            looks[row + 1] = " ".join(sorted(shown))
        merged = [
            f"{xlrd.cellname(top, left)}:{xlrd.cellname(bottom - 1, right - 1)}"
            for top, bottom, left, right in sheet.merged_cells
        ]
        notes = {
            (row + 1, column + 1): " ".join(note.text.split()).replace("(", "[").replace(")", "]")
            for (row, column), note in sheet.cell_note_map.items()
        }
        links: dict[int, list[tuple[int, str]]] = {}
        for (row, column), link in sheet.hyperlink_map.items():
            if address := address_of_link(link.url_or_path or ""):
                links.setdefault(row + 1, []).append((column, address))
        about[sheet.name] = AboutSheet(
            struck=struck, hidden=hidden, looks=looks, merged=merged, notes=notes, links=links
        )
    return about


def _check_archive(data: bytes) -> None:
    """Refuses, before parsing, a sheet that decompresses to more than any list of people needs."""
    with open_archive(data) as archive:
        left = 2 * MOST_UNPACKED
        for part in archive.infolist():
            if not part.filename.endswith((".xml", ".rels", ".bin")):
                continue
            with archive.open(part) as opened:
                while piece := opened.read(256 * 1024):
                    left -= len(piece)
                    if left < 0:
                        raise Refused("too-large")
                    if b"<!DOCTYPE" in piece or b"<!ENTITY" in piece:
                        raise Refused("damaged")


def _typed(cell: Any) -> str:
    """A value as a French user would have typed it."""
    match cell:
        case bool():
            return "oui" if cell else "non"
        case float():
            return f"{cell:.10g}".replace(".", ",")
        case datetime() | date():
            return cell.strftime("%d/%m/%Y")
        case time():
            return f"{cell.hour}h{cell.minute:02d}"
        case timedelta():
            minutes = round(cell.total_seconds() / 60)
            return f"{minutes // 60}h{minutes % 60:02d}"
        case _:
            return str(cell).replace("\x00", "")


# --- Rich text.


_RTF_ASIDE = re.compile(r"(\\\*)?\\(?:(?:header|footer)[lrf]?|footnote|annotation)(?![a-z])")
_RTF_CROSSED = re.compile(r"\\(?:striked?1?|deleted)(?![\da-z])")
_RTF_HIDDEN = re.compile(r"\\v1?(?![\da-z])")
_RTF_BRACE = re.compile(r"(?<!\\)(?:\\\\)*([{}])")


def _rtf(data: bytes) -> list[dict[str, Any]]:
    from striprtf.striprtf import rtf_to_text

    source = _RTF_CROSSED.sub(r"\\u32?(barr\\u233?)\\u32?", data.decode("latin-1").rstrip("\x00 \r\n"))
    source = _RTF_HIDDEN.sub(r"\\u32?(masqu\\u233?)\\u32?", source)
    source = _RTF_LINK.sub(_with_address_of_link, source)
    flow = Flow()
    rows: list[list[str]] = []
    text: str = rtf_to_text(_with_asides(source), errors="replace")  # type: ignore[no-untyped-call]
    for line in text.split("\n"):
        if line.rstrip().endswith("|"):
            rows.append(line.rstrip()[:-1].split("|"))
            continue
        if rows:
            flow.table(rows)
            rows = []
        flow.paragraph(line)
    if rows:
        flow.table(rows)
    flow.end_text()
    return flow.blocks


_RTF_LINK = re.compile(r"\{\\field\b[^{}]{0,99}\{\\\*\\fldinst\b([^{}]{0,99}(?:\{[^{}]{0,300}\}\s*)?)\}")


def _with_address_of_link(field: re.Match[str]) -> str:
    """The address before the text that leads to it, where that does not show it."""
    found = addresses_of_fields(field[1])
    if not found:
        return field[0]
    line = re.split(r"\\(?:par|cell|row|line)\b", field.string[field.end() : field.end() + 2_000])[0]
    text = re.sub(r"\\[a-z]+-?\d*|[{}]", " ", line)
    hidden = "" if is_shown(found[0], text) else f" <{found[0]}> "
    return f"{hidden}{{\\field"


def _with_asides(source: str) -> str:
    """Headers, footers, notes and comments as paragraphs: the library leaves them out."""
    pieces, last = [], 0
    ends: list[int] = []
    asides = {found.start() for found in _RTF_ASIDE.finditer(source)}
    opened: list[int] = []
    for brace in _RTF_BRACE.finditer(source) if asides else ():
        if brace[1] == "{":
            opened.append(brace.end())
        elif opened and opened.pop() in asides:
            ends.append(brace.end() - 1)
    for end in sorted(ends):
        pieces.append(source[last:end] + r"\par ")
        last = end
    return _RTF_ASIDE.sub(r"\\par", "".join([*pieces, source[last:]]))


READERS = {
    "rtf": _rtf,
    "docx": _docx,
    "odf": odf,
    "workbook": _workbook,
    "html": html,
    "xml": xml_sheet,
    "records": xml_records,
    "pdf": pdf_pages,
}


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    answer: dict[str, Any]
    try:
        answer = {"blocks": READERS[sys.argv[1]](sys.stdin.buffer.read())}
    except Refused as error:
        answer = {"refused": error.args[0]}
    except MemoryError:
        answer = {"refused": "too-large"}
    except BaseException as error:
        answer = {"refused": "protected" if "assword" in str(error) else "damaged"}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
