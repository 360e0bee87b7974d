"""Tables and running text, as output by the process that reads documents, including web pages and XML
spreadsheets.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from posixpath import normpath
from typing import Any, Final
from urllib.parse import unquote

from app.domain.imports.lists.vocabulary.addresses import addresses_in

MOST_ROWS: Final = 20_100
MOST_COLUMNS: Final = 200
MOST_CELLS: Final = 400_000
MOST_SHEETS: Final = 200

MOST_UNPACKED: Final = 32 * 1024 * 1024
_MOST_PARTS: Final = 2_000
CROSSED: Final = " (barré) "
"""Before text that is struck out in the middle of a line."""
APART: Final = "\ue001"
"""Before a line of running text that a file shows otherwise than the others."""
PICTURE: Final = "picture"
QUOTED: Final = "quoted"

Grid = list[tuple[int, list[str]]]


class Refused(Exception):
    """`args[0]` is a key of the sentences in `list_files`."""


def grid_of(
    rows: Grid,
    name: str = "",
    struck: list[int] | None = None,
    hidden: list[int] | None = None,
    looks: Mapping[int, str] | None = None,
) -> dict[str, Any]:
    apart = sorted(unlike_others(looks) | _unlike_each_other(rows, looks)) if looks else []
    marks = {"struck": struck or [], "hidden": hidden or [], "apart": apart}
    return {"kind": "grid", "name": name, "rows": rows, **marks}


def unlike_others(looks: Mapping[int, str]) -> set[int]:
    """The numbers of lines that a file formats otherwise than most; a format that is one's own tells nothing."""
    if not looks:
        return set()
    pictured = {number for number, look in looks.items() if PICTURE in look}
    if pictured and len(pictured) < len(looks):
        # Signatures, as a rule.
        return set(looks) - pictured if len(pictured) > 1 else set(pictured)
    quoted = {number for number, look in looks.items() if look.startswith(QUOTED)}
    if quoted and len(quoted) < len(looks):
        return quoted
    for found in (looks, {number: re.sub(r"\d+", "0", look) for number, look in looks.items()}):
        below = list(found.values())[1:]
        if len(below) != 2 and len(set(below[::2])) == len(set(below[1::2])) == 1:
            # All alike, or every second row shaded.
            return set()
        counts = Counter(found.values())
        if 2 * counts.most_common(1)[0][1] >= len(found):
            return {number for number, look in found.items() if 3 * counts[look] <= len(found) + 1}
    return set()


def _unlike_each_other(rows: Grid, looks: Mapping[int, str]) -> set[int]:
    """Two rows below a heading: a colour that only one has may set it apart, and nothing shows which is usual."""
    filled = [(number, len([cell for cell in row if cell])) for number, row in rows if any(row)]
    last = {number for number, _ in filled[-2:]}
    table = [number for number, count in filled if count > 1]
    is_pair = len(table) == 3 and len(filled) < 5 and last == {*table[1:]}
    return last if is_pair and len({looks.get(number, "") for number in last}) == 2 else set()


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
        self._looks: dict[int, str] = {}
        self._first = 1
        self.budget = Budget()

    def paragraph(self, text: str, look: str = "") -> None:
        lines = re.split(r"[\n\r\x0b]", text)
        if text.strip():
            self._looks[len(self._running)] = look
        if not self._running:
            self._first = self.number + 1
        for line in lines:
            self.budget.take(1)
            self._running.append(line)
            self.number += 1

    def end_text(self) -> None:
        for index in unlike_others(self._looks):
            self._running[index] = f"{APART}{self._running[index]}"
        self._looks = {}
        if any(line.strip() for line in self._running):
            self.blocks.append(running_text("\n".join(self._running), self._first))
        self._running = []

    def table(
        self, rows: list[list[str]], struck: list[bool] | None = None, looks: list[str] | None = None
    ) -> None:
        self.end_text()
        grid: Grid = []
        crossed = []
        shown = {}
        for index, cells in enumerate(rows):
            self.number += 1
            if looks and any(cells):
                shown[self.number] = looks[index]
            self.budget.take(len(cells))
            grid.append((self.number, cells))
            if struck and struck[index]:
                crossed.append(self.number)
        if grid and max(len(cells) for _, cells in grid) == 1:
            apart = unlike_others(shown)
            for number, cells in grid:
                text = cells[0] if cells else ""
                self.blocks.append(running_text(f"{APART}{text}" if number in apart else text, number))
        elif grid:
            self.blocks.append(grid_of(grid, struck=crossed, looks=shown))


def sheets_of(sheets: Iterable[tuple[str, Grid, set[int], set[int], dict[int, str]]]) -> list[dict[str, Any]]:
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
            {number: looks[number] for number, _ in rows if number in looks},
        )
        for name, rows, struck, hidden, looks in found
    ]


_UNNAMED: Final = frozenset(("", "feuil", "feuille", "sheet", "table", "tableau", "tabelle", "hoja"))


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
            links: list[tuple[int, str]] = []
            for cell in row:
                if tag_of(cell) != "Cell":
                    continue
                at = attribute_of(cell, "Index")
                if at.isdigit() and len(at) < 4:
                    cells += [""] * (min(int(at), MOST_COLUMNS) - 1 - len(cells))
                cells.append("".join(next((d for d in cell if tag_of(d) == "Data"), cell).itertext()).strip())
                if address := address_of_link(attribute_of(cell, "HRef")):
                    links.append((len(cells) - 1, address))
                across = attribute_of(cell, "MergeAcross")
                cells += [""] * (min(int(across), 60) if across.isdigit() and len(across) < 4 else 0)
            if any(cells):
                show_links(cells, links)
                budget.take(len(cells))
                rows.append((number, cells))
        return rows

    root = fromstring(data, forbid_dtd=True)
    sheets = [e for e in root.iter() if tag_of(e) == "Worksheet"]
    return sheets_of((attribute_of(s, "Name"), rows_of(s), set(), set(), {}) for s in sheets)


# --- Parts of a workbook beside the values of its cells: struck and hidden rows, comments, headers, text
# boxes


@dataclass
class AboutSheet:
    """What a sheet holds beside the values of its cells."""

    struck: set[int] = field(default_factory=set)
    """Rows with a name or other text that is struck out."""
    hidden: set[int] = field(default_factory=set)
    looks: dict[int, str] = field(default_factory=dict)
    """Of each row, the fonts and fills of its cells with text."""
    notes: dict[tuple[int, int], str] = field(default_factory=dict)
    """Comments, by row and column."""
    links: dict[int, list[tuple[int, str]]] = field(default_factory=dict)
    """Of each row, the columns that lead to e-mail addresses."""
    texts: dict[tuple[int, int], str] = field(default_factory=dict)
    """Texts of which a part is struck out, with marks that tell it."""
    around: list[str] = field(default_factory=list)
    """Headers, footers and text boxes."""
    merged: list[str] = field(default_factory=list)
    """Ranges of cells that are one: « C3:C4 »."""

    def lead(self, places: str, address: str) -> None:
        """`places` are one cell or several: « C3 », « C3:C9 »."""
        first, _, last = places.partition(":")
        (top, column), (bottom, right) = _place_of(first), _place_of(last or first)
        for row in range(top, min(bottom, top + MOST_ROWS) + 1):
            for each in range(column, min(right, column + MOST_COLUMNS) + 1):
                self.links.setdefault(row, []).append((each - 1, address))

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
        styles = part_of(archive, "xl/styles.xml") if "xl/styles.xml" in names else ()
        marks, formats = _crossed_formats(styles), _looks_of_formats(styles)
        strings = _crossed_strings(archive) if "xl/sharedStrings.xml" in names else {}
        targets = _related(archive, "xl/workbook.xml", names)
        for sheet in part_of(archive, "xl/workbook.xml").iter():
            path = targets.get(attribute_of(sheet, "id"), "")
            if tag_of(sheet) != "sheet" or path not in names:
                continue
            about = found.setdefault(attribute_of(sheet, "name"), AboutSheet())
            shown = archive.read(path)
            if marks or strings or len(set(formats.values())) > 1 or any(word in shown for word in _TELLING):
                _read_marks(part_of(archive, path), marks, strings, about, formats)
            if addresses := linked_addresses(archive, path) if b"<hyperlink " in shown else {}:
                for link in part_of(archive, path).iter():
                    if tag_of(link) == "hyperlink" and (address := addresses.get(attribute_of(link, "id"))):
                        about.lead(attribute_of(link, "ref"), address)
            for part in _related(archive, path, names).values():
                if re.search(r"/comments?\d*\.xml$", part):
                    _read_comments(part_of(archive, part), about)
                elif re.search(r"/drawing\d*\.xml$", part):
                    about.around += _paragraphs_of(part_of(archive, part))
    return found


def _relations_of(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/_rels/{name}.rels"


def linked_addresses(archive: zipfile.ZipFile, path: str) -> dict[str, str]:
    """E-mail addresses that a part leads to, by the identifier of the reference."""
    own = _relations_of(path)
    relations = part_of(archive, own) if own in archive.namelist() else ()
    found = {attribute_of(one, "Id"): address_of_link(attribute_of(one, "Target")) for one in relations}
    return {reference: address for reference, address in found.items() if address}


def address_of_link(link: str) -> str:
    """Of « mailto:lea@exemple.fr?subject=… »; of nothing else."""
    scheme, _, rest = link.strip().partition(":")
    address = unquote(rest.partition("?")[0]).strip()
    return address if scheme.lower() == "mailto" and re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", address) else ""


_FIELD: Final = re.compile(r'HYPERLINK\W+(mailto:[^"\s]+)', re.IGNORECASE)


def addresses_of_fields(instruction: str) -> list[str]:
    """Of « HYPERLINK "mailto:lea@exemple.fr" », as documents and formulas have it."""
    return [*filter(None, map(address_of_link, _FIELD.findall(instruction)))]


def is_shown(address: str, text: str) -> bool:
    return address.lower() in addresses_in(text)[0]


def show_links(cells: list[str], links: Iterable[tuple[int, str]]) -> None:
    """Adds to a row the addresses that its cells lead to and do not show: beside one that is shown, else in a column of
    their own, as a cell may hold half of a name."""
    for index, address in dict.fromkeys(links):
        if any(is_shown(address, cell) for cell in cells):
            continue
        beside = [at for at, cell in enumerate(cells) if "@" in cell]
        if beside:
            cells[index if index in beside else beside[0]] += f" <{address}>"
        else:
            cells.append(address)


def _related(archive: zipfile.ZipFile, path: str, names: set[str]) -> dict[str, str]:
    """Paths of the parts that a part refers to, by the identifier of the reference."""
    folder, own = path.rpartition("/")[0], _relations_of(path)
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


def _crossed_strings(archive: zipfile.ZipFile) -> dict[str, str]:
    """Of the texts that cells share, those that are struck out in part, or in whole: then empty."""
    if b"<strike" not in archive.read("xl/sharedStrings.xml"):
        return {}
    texts = [one for one in part_of(archive, "xl/sharedStrings.xml") if tag_of(one) == "si"]
    found = {str(index): _crossed_text(one) for index, one in enumerate(texts)}
    return {index: text for index, text in found.items() if text is not None}


def _crossed_text(text: Any) -> str | None:
    """None where no part is struck out, empty where all are."""
    parts = [part for part in text.iter() if tag_of(part) == "r"]
    crossed = [any(tag_of(mark) == "strike" and is_on(mark) for mark in part.iter()) for part in parts]
    if not any(crossed):
        return None
    written = ("".join(t.text or "" for t in part.iter() if tag_of(t) == "t") for part in parts)
    return (
        ""
        if all(crossed)
        else "".join(
            f"{CROSSED}{one}" if is_crossed and one.strip() else one
            for one, is_crossed in zip(written, crossed, strict=True)
        )
    )


def _looks_of_formats(styles: Any) -> dict[str, str]:
    """By index of a cell's format, its font and fill."""
    formats = next((part for part in styles if tag_of(part) == "cellXfs"), ())
    return {
        str(index): f"{attribute_of(one, 'fontId')}/{attribute_of(one, 'fillId')}"
        for index, one in enumerate(formats)
    }


def _read_marks(
    sheet: Any, marks: set[str], strings: Mapping[str, str], about: AboutSheet, formats: Mapping[str, str]
) -> None:
    for one in sheet.iter():
        match tag_of(one):
            case "row":
                number = int(attribute_of(one, "r") or 0)
                if attribute_of(one, "hidden") in ("1", "true") or attribute_of(one, "ht") in ("0", "0.0"):
                    about.hidden.add(number)
                shown = {
                    formats.get(attribute_of(cell, "s") or "0", "")
                    for cell in one
                    if any((part.text or "").strip() or len(part) for part in cell)
                }
                # A colour may stand alone in its cell.
                grounds = {formats.get(attribute_of(cell, "s") or "0", "").partition("/")[2] for cell in one}
                shown |= {f"ground{ground}" for ground in grounds - {"", "0", "1"}}
                about.looks[number] = " ".join(sorted(shown))
            case "c" if len(one):
                held = {tag_of(part): part.text or "" for part in one}
                shared = strings.get(held.get("v", "")) if attribute_of(one, "t") == "s" else None
                crossed = _crossed_text(one) if shared is None else shared
                if attribute_of(one, "s") in marks or crossed == "":
                    about.struck.add(_place_of(attribute_of(one, "r"))[0])
                elif crossed:
                    about.texts[_place_of(attribute_of(one, "r"))] = crossed
                for address in addresses_of_fields(held.get("f", "")):
                    about.lead(attribute_of(one, "r"), address)
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
