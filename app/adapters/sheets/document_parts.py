"""Tables and running text, as output by the process that reads documents, including web pages and XML
spreadsheets."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any, Final

MOST_ROWS: Final = 20_100
MOST_COLUMNS: Final = 200
MOST_CELLS: Final = 400_000
MOST_SHEETS: Final = 40

Grid = list[tuple[int, list[str]]]


class Refused(Exception):
    """`args[0]` is a key of the sentences in `list_files`."""


def grid_of(rows: Grid, name: str = "", struck: list[int] | None = None) -> dict[str, Any]:
    return {"kind": "grid", "name": name, "rows": rows, "struck": struck or []}


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


def sheets_of(sheets: Iterable[tuple[str, Grid]]) -> list[dict[str, Any]]:
    """Each non-empty sheet; names only where there are several."""
    found = [
        (name, rows) for name, rows in sheets if any(cell.strip() for _, cells in rows for cell in cells)
    ]
    return [grid_of(rows, name if len(found) > 1 else "") for name, rows in found]


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.flow = Flow()
        self._rows: list[list[str]] | None = None
        self._depth = 0
        self._cell: list[str] | None = None
        self._span = 1
        self._running: list[str] = []
        self._hidden = 0
        self._over: dict[int, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag in ("script", "style", "head", "template"):
            self._hidden += 1
        elif tag == "table":
            self._depth += 1
            if self._depth == 1:
                self._end_line()
                self._rows, self._over = [], {}
        elif tag == "tr" and self._rows is not None and self._depth == 1:
            self._end_cell()
            self._rows.append([])
            self.flow.budget.take(1)
            if len(self._rows) > MOST_ROWS:
                raise Refused("too-large")
        elif tag in ("td", "th") and self._rows is not None and self._depth == 1:
            self._end_cell()
            if not self._rows:
                self._rows.append([])
            row = self._rows[-1]
            while self._over.get(len(row), 0) > 0:
                self._over[len(row)] -= 1
                row.append("")
            span, down = (_span_of(found.get(name)) for name in ("colspan", "rowspan"))
            for index in range(len(row), len(row) + span):
                if down > 1:
                    self._over[index] = down - 1
            self._cell, self._span = [], span
        elif tag in ("br", "p", "div", "li", "h1", "h2", "h3", "h4"):
            if self._cell is not None:
                self._cell.append(" ")
            else:
                self._end_line()
        elif tag in ("s", "del", "strike") and self._cell is not None:
            self._cell.append(" (barré) ")
        elif tag == "input" and self._cell is not None and found.get("type") in ("checkbox", "radio"):
            self._cell.append("☑" if "checked" in found else "☐")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head", "template"):
            self._hidden = max(0, self._hidden - 1)
        elif tag == "table":
            self._depth = max(0, self._depth - 1)
            if self._depth == 0 and self._rows is not None:
                self._end_cell()
                self.flow.table(self._rows)
                self._rows = None
        elif tag in ("td", "th", "tr") and self._depth == 1:
            self._end_cell()
        elif tag in ("p", "div", "li", "h1", "h2", "h3", "h4") and self._cell is None:
            self._end_line()

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        (self._cell if self._cell is not None else self._running).append(data)

    def _end_cell(self) -> None:
        if self._cell is not None and self._rows:
            self._rows[-1] += ["".join(self._cell), *[""] * (self._span - 1)]
        self._cell = None

    def _end_line(self) -> None:
        text = " ".join("".join(self._running).split())
        self._running = []
        if text:
            self.flow.paragraph(text)

    def done(self) -> list[dict[str, Any]]:
        self._end_cell()
        if self._rows:
            self.flow.table(self._rows)
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
    sheets = [e for e in root.iter() if tag_of(e) == "Worksheet"][:MOST_SHEETS]
    return sheets_of((attribute_of(s, "Name"), rows_of(s)) for s in sheets)
