"""Tables and running text, as output by the process that reads documents, including web pages and XML
spreadsheets.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from posixpath import normpath
from typing import Any, Final

MOST_ROWS: Final = 20_100
MOST_COLUMNS: Final = 200
MOST_CELLS: Final = 400_000
MOST_SHEETS: Final = 200

MOST_UNPACKED: Final = 32 * 1024 * 1024
_MOST_PARTS: Final = 2_000
_DEEPEST: Final = 60
CROSSED: Final = " (barré) "
"""Before text that is struck out in the middle of a line."""

Grid = list[tuple[int, list[str]]]


class Refused(Exception):
    """`args[0]` is a key of the sentences in `list_files`."""


def grid_of(
    rows: Grid, name: str = "", struck: list[int] | None = None, hidden: list[int] | None = None
) -> dict[str, Any]:
    return {"kind": "grid", "name": name, "rows": rows, "struck": struck or [], "hidden": hidden or []}


def running_text(text: str, first: int) -> dict[str, Any]:
    return {"kind": "text", "text": text, "first": first}


class Budget:
    """Rows and cells that may still be read."""

    def __init__(self) -> None:
        self.rows, self.cells = MOST_ROWS, MOST_CELLS

    def take(self, cells: int) -> None:
        self.rows -= 1
        self.cells -= cells
        if self.rows < 0 or self.cells < 0 or cells > MOST_COLUMNS * 10:
            raise Refused("too-large")


def tag_of(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def attribute_of(element: Any, name: str) -> str:
    return next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")


def open_archive(data: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(data))
    if len(archive.infolist()) > _MOST_PARTS:
        raise Refused("too-large")
    return archive


def part_of(archive: zipfile.ZipFile, name: str) -> Any:
    """One part as a tree; sizes are measured during decompression."""
    from defusedxml.ElementTree import fromstring

    left = MOST_UNPACKED
    pieces = []
    with archive.open(name) as opened:
        while piece := opened.read(64 * 1024):
            left -= len(piece)
            if left < 0:
                raise Refused("too-large")
            pieces.append(piece)
    return fromstring(b"".join(pieces), forbid_dtd=True)


def is_on(element: Any) -> bool:
    return attribute_of(element, "val") not in ("0", "false", "off", "none")


class Flow:
    """Paragraphs and tables of a document, numbered as a reader counts its lines."""

    def __init__(self) -> None:
        self.blocks: list[dict[str, Any]] = []
        self.number = 0
        self._running: list[str] = []
        self._first = 1
        self.budget = Budget()

    def paragraph(self, text: str) -> None:
        lines = re.split(r"[\n\r\x0b]", text)
        if not self._running:
            self._first = self.number + 1
        for line in lines:
            self.budget.take(1)
            self._running.append(line)
            self.number += 1

    def end_text(self) -> None:
        if any(line.strip() for line in self._running):
            self.blocks.append(running_text("\n".join(self._running), self._first))
        self._running = []

    def table(self, rows: list[list[str]], struck: list[bool] | None = None) -> None:
        self.end_text()
        grid: Grid = []
        crossed = []
        for index, cells in enumerate(rows):
            self.number += 1
            self.budget.take(len(cells))
            grid.append((self.number, cells))
            if struck and struck[index]:
                crossed.append(self.number)
        if grid and max(len(cells) for _, cells in grid) == 1:
            for number, cells in grid:
                self.blocks.append(running_text(cells[0] if cells else "", number))
        elif grid:
            self.blocks.append(grid_of(grid, struck=crossed))


def sheets_of(sheets: Iterable[tuple[str, Grid, set[int], set[int]]]) -> list[dict[str, Any]]:
    """Each non-empty sheet, with the numbers of its struck and its hidden rows; « Feuil1 » alone is no name."""
    found = [one for one in sheets if any(cell.strip() for _, cells in one[1] for cell in cells)]
    if len(found) > MOST_SHEETS:
        raise Refused("too-large")
    return [
        grid_of(
            rows,
            name if len(found) > 1 or "".join(filter(str.isalpha, name)).lower() not in _UNNAMED else "",
            sorted(struck),
            sorted(hidden),
        )
        for name, rows, struck, hidden in found
    ]


_UNNAMED: Final = frozenset(("", "feuil", "feuille", "sheet", "table", "tableau", "tabelle", "hoja"))
_HIDDEN: Final = ("script", "style", "head", "template")
_BREAKING: Final = frozenset(
    [
        "br",
        "p",
        "div",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "dt",
        "dd",
        "dl",
        "ul",
        "ol",
        "caption",
        "legend",
        "option",
        "section",
        "article",
        "tr",
        "header",
        "footer",
        "hr",
    ]
)


@dataclass
class _Table:
    """A table that is still open."""

    rows: list[list[str]] = field(default_factory=list)
    cell: list[str] | None = None
    span: int = 1
    over: dict[int, int] = field(default_factory=dict)
    """Rows that a cell of each column still covers."""

    def end_cell(self) -> None:
        if self.cell is not None and self.rows:
            self.rows[-1] += ["".join(self.cell), *[""] * (self.span - 1)]
        self.cell = None

    def begin_cell(self, span: int, down: int) -> None:
        self.end_cell()
        if not self.rows:
            self.rows.append([])
        self._cover()
        row = self.rows[-1]
        for index in range(len(row), len(row) + span):
            if down > 1:
                self.over[index] = down - 1
        self.cell, self.span = [], span

    def end_row(self) -> None:
        self.end_cell()
        if self.rows and self.rows[-1]:
            self._cover()

    def _cover(self) -> None:
        """Repeat the text of a cell that reaches down into this row."""
        row = self.rows[-1]
        while self.over.get(len(row), 0) > 0:
            self.over[len(row)] -= 1
            above = self.rows[-2] if len(self.rows) > 1 else []
            row.append(above[len(row)] if len(row) < len(above) else "")


class _Page(HTMLParser):
    """Tables and lines of a page; what holds a table lays the page out, and its own text becomes lines."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.flow = Flow()
        self._tables: list[_Table] = []
        self._running: list[str] = []
        self._hidden = 0

    @property
    def _table(self) -> _Table | None:
        return self._tables[-1] if self._tables else None

    @property
    def _cell(self) -> list[str] | None:
        return self._table.cell if self._table else None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        table = self._table
        is_crossed = tag in ("s", "del", "strike") or "line-through" in (found.get("style") or "")
        self._begin(tag, found, table)
        if is_crossed:
            self.handle_data(CROSSED)

    def _begin(self, tag: str, found: dict[str, str | None], table: _Table | None) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "table":
            if table:
                self._lay_out(table)
            self._end_line()
            if len(self._tables) > _DEEPEST:
                raise Refused("too-large")
            self._tables.append(_Table())
        elif tag == "tr" and table:
            table.end_row()
            table.rows.append([])
            self.flow.budget.take(1)
            if len(table.rows) > MOST_ROWS:
                raise Refused("too-large")
        elif tag in ("td", "th") and table:
            table.begin_cell(*(_span_of(found.get(name)) for name in ("colspan", "rowspan")))
        elif tag in _BREAKING:
            self._break()
        elif tag == "input":
            kind = found.get("type") or "text"
            text = found.get("value") or "" if kind in ("text", "email") else ""
            if kind in ("checkbox", "radio") and self._cell is not None:
                text = "☑" if "checked" in found else "☐"
            self.handle_data(text)
        elif tag == "img":
            self.handle_data(found.get("alt") or found.get("title") or "")

    def handle_endtag(self, tag: str) -> None:
        table = self._table
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "table" and table:
            table.end_cell()
            self._end_line()
            self.flow.table([row for row in table.rows if any(map(str.strip, row))])
            self._tables.pop()
        elif tag == "tr" and table:
            table.end_row()
        elif tag in ("td", "th") and table:
            table.end_cell()
        elif tag in _BREAKING:
            self._break()

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            (self._cell if self._cell is not None else self._running).append(re.sub(r"\s+", " ", data))

    def _break(self) -> None:
        if self._cell is not None:
            self._cell.append("\n")
        else:
            self._end_line()

    def _lay_out(self, table: _Table) -> None:
        """Give the text of a table that holds another one as lines, before the inner table."""
        table.end_cell()
        for row in table.rows:
            for cell in row:
                self._running.append(cell)
                self._end_line()
        table.rows, table.over = [[]], {}
        table.cell, table.span = [], 1

    def _end_line(self) -> None:
        text = " ".join("".join(self._running).split())
        self._running = []
        if text:
            self.flow.paragraph(text)

    def done(self) -> list[dict[str, Any]]:
        for _ in list(self._tables):
            self.handle_endtag("table")
        self._end_line()
        self.flow.end_text()
        return self.flow.blocks


def _span_of(text: str | None) -> int:
    return min(int(text), 60) if text and text.isdigit() and len(text) < 5 and int(text) else 1


def html(data: bytes) -> list[dict[str, Any]]:
    page = _Page()
    page.feed(_decoded(data))
    page.close()
    return page.done()


def _decoded(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    named = re.search(rb"charset\s*=\s*[\"']?([\w-]{3,20})", data[:4_000])
    for charset in ("utf-8-sig", named[1].decode() if named else "cp1252", "cp1252"):
        try:
            return data.decode(charset)
        except (UnicodeDecodeError, LookupError):
            continue
    return data.decode("cp1252", errors="replace")


def xml_sheet(data: bytes) -> list[dict[str, Any]]:
    """« XML Spreadsheet 2003 », as written by older school software."""
    from defusedxml.ElementTree import fromstring

    budget = Budget()

    def rows_of(table: Any) -> Grid:
        rows: Grid = []
        number = 0
        for row in table.iter():
            if tag_of(row) != "Row":
                continue
            at = attribute_of(row, "Index")
            number = int(at) if at.isdigit() and len(at) < 8 else number + 1
            cells: list[str] = []
            for cell in row:
                if tag_of(cell) != "Cell":
                    continue
                at = attribute_of(cell, "Index")
                if at.isdigit() and len(at) < 4:
                    cells += [""] * (min(int(at), MOST_COLUMNS) - 1 - len(cells))
                cells.append("".join(next((d for d in cell if tag_of(d) == "Data"), cell).itertext()).strip())
                across = attribute_of(cell, "MergeAcross")
                cells += [""] * (min(int(across), 60) if across.isdigit() and len(across) < 4 else 0)
            if any(cells):
                budget.take(len(cells))
                rows.append((number, cells))
        return rows

    root = fromstring(data, forbid_dtd=True)
    sheets = [e for e in root.iter() if tag_of(e) == "Worksheet"]
    return sheets_of((attribute_of(s, "Name"), rows_of(s), set(), set()) for s in sheets)


# --- Parts of a workbook beside the values of its cells: struck and hidden rows, comments, headers, text
# boxes


@dataclass
class AboutSheet:
    """What a sheet holds beside the values of its cells."""

    struck: set[int] = field(default_factory=set)
    """Rows with a name or other text that is struck out."""
    hidden: set[int] = field(default_factory=set)
    notes: dict[tuple[int, int], str] = field(default_factory=dict)
    """Comments, by row and column."""
    around: list[str] = field(default_factory=list)
    """Headers, footers and text boxes."""
    merged: list[str] = field(default_factory=list)
    """Ranges of cells that are one: « C3:C4 »."""

    def below(self) -> dict[tuple[int, int], tuple[int, int]]:
        """For each cell of a range of one column, the one that holds its text."""
        found = {}
        for text in self.merged[:MOST_ROWS]:
            first, _, last = text.partition(":")
            (top, column), (bottom, right) = _place_of(first), _place_of(last)
            if top and column == right and bottom - top < 200:
                found.update({(row, column): (top, column) for row in range(top + 1, bottom + 1)})
        return found


_CELL: Final = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def _place_of(reference: str) -> tuple[int, int]:
    found = _CELL.fullmatch(reference)
    if not found:
        return 0, 0
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return int(found[2]), column


def about_sheets(data: bytes) -> dict[str, AboutSheet]:
    """By name of sheet."""
    found: dict[str, AboutSheet] = {}
    with open_archive(data) as archive:
        names = set(archive.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return {}
        marks = _crossed_formats(part_of(archive, "xl/styles.xml")) if "xl/styles.xml" in names else set()
        strings = _crossed_strings(archive) if "xl/sharedStrings.xml" in names else set()
        targets = _related(archive, "xl/workbook.xml", names)
        for sheet in part_of(archive, "xl/workbook.xml").iter():
            path = targets.get(attribute_of(sheet, "id"), "")
            if tag_of(sheet) != "sheet" or path not in names:
                continue
            about = found.setdefault(attribute_of(sheet, "name"), AboutSheet())
            shown = archive.read(path)
            if marks or strings or any(word in shown for word in _TELLING):
                _read_marks(part_of(archive, path), marks, strings, about)
            for part in _related(archive, path, names).values():
                if re.search(r"/comments?\d*\.xml$", part):
                    _read_comments(part_of(archive, part), about)
                elif re.search(r"/drawing\d*\.xml$", part):
                    about.around += _paragraphs_of(part_of(archive, part))
    return found


def _related(archive: zipfile.ZipFile, path: str, names: set[str]) -> dict[str, str]:
    """Paths of the parts that a part refers to, by the identifier of the reference."""
    folder, _, name = path.rpartition("/")
    own = f"{folder}/_rels/{name}.rels"
    if own not in names:
        return {}
    found = {}
    for one in part_of(archive, own):
        target = attribute_of(one, "Target")
        whole = target[1:] if target.startswith("/") else normpath(f"{folder}/{target}")
        if whole in names:
            found[attribute_of(one, "Id")] = whole
    return found


def _crossed_formats(styles: Any) -> set[str]:
    fonts = next((part for part in styles if tag_of(part) == "fonts"), ())
    crossed = {
        str(index)
        for index, font in enumerate(fonts)
        if any(tag_of(mark) == "strike" and is_on(mark) for mark in font)
    }
    formats = next((part for part in styles if tag_of(part) == "cellXfs"), ())
    return {str(index) for index, one in enumerate(formats) if attribute_of(one, "fontId") in crossed}


_TELLING: Final = (b'hidden="', b"<headerFooter", b"<f>", b"<f ", b"<strike", b"<mergeCell ")


def _crossed_strings(archive: zipfile.ZipFile) -> set[str]:
    """Of the texts that cells share, those that are struck out in every part."""
    if b"<strike" not in archive.read("xl/sharedStrings.xml"):
        return set()
    texts = [one for one in part_of(archive, "xl/sharedStrings.xml") if tag_of(one) == "si"]
    return {str(index) for index, one in enumerate(texts) if _is_crossed_throughout(one)}


def _is_crossed_throughout(text: Any) -> bool:
    parts = [part for part in text.iter() if tag_of(part) == "r"]
    return bool(parts) and all(
        any(tag_of(mark) == "strike" and is_on(mark) for mark in part.iter()) for part in parts
    )


def _read_marks(sheet: Any, marks: set[str], strings: set[str], about: AboutSheet) -> None:
    for one in sheet.iter():
        match tag_of(one):
            case "row" if attribute_of(one, "hidden") in ("1", "true"):
                about.hidden.add(int(attribute_of(one, "r") or 0))
            case "c" if len(one):
                held = {tag_of(part): part.text or "" for part in one}
                is_shared = attribute_of(one, "t") == "s" and held.get("v") in strings
                if attribute_of(one, "s") in marks or is_shared or _is_crossed_throughout(one):
                    about.struck.add(_place_of(attribute_of(one, "r"))[0])
                if "f" in held and not held.get("v"):
                    about.notes[_place_of(attribute_of(one, "r"))] = "formule sans résultat"
            case "mergeCell":
                about.merged.append(attribute_of(one, "ref"))
            case "headerFooter":
                texts = (
                    re.sub(r"&(?:[LCR]|\"[^\"]*\"|\d+|K[0-9A-F]{6}|[A-Z])", " ", part.text or "")
                    for part in one
                )
                about.around += [text.strip() for text in texts if any(map(str.isalpha, text))]


def _read_comments(comments: Any, about: AboutSheet) -> None:
    for one in comments.iter():
        if tag_of(one) == "comment":
            text = " ".join("".join(t.text or "" for t in one.iter() if tag_of(t) == "t").split())
            if text:
                about.notes[_place_of(attribute_of(one, "ref"))] = text.replace("(", "[").replace(")", "]")


def _paragraphs_of(drawing: Any) -> list[str]:
    texts = (
        "".join(t.text or "" for t in p.iter() if tag_of(t) == "t").strip()
        for p in drawing.iter()
        if tag_of(p) == "p"
    )
    return [text for text in texts if text]
