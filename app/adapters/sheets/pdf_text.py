"""The text of a PDF: lines, the cells of ruled tables, and what is struck out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile
from math import pi
from operator import attrgetter
from statistics import median
from typing import Any, Final

from app.adapters.sheets.document_parts import (
    APART,
    CROSSED,
    PICTURE,
    Grid,
    Refused,
    address_of_link,
    grid_of,
    is_shown,
    running_text,
    unlike_others,
)

_MOST_PAGES: Final = 120
_MOST_SIGNS: Final = 600_000
_MOST_RULES: Final = 20_000
_THIN: Final = 2.5
"""Points, at most, of a rule that is drawn as a filled shape."""
_MOST_LINES_OF_A_CELL: Final = 6
_LARGE: Final = 3.0
"""Times the usual height."""

_Piece = tuple[float, float, str]


@dataclass(frozen=True)
class _Sign:
    left: float
    right: float
    bottom: float
    top: float
    text: str
    start: float = 0.0
    """Left edge of the text without spaces that it belongs to."""

    @property
    def middle(self) -> float:
        return (self.top + self.bottom) / 2

    @property
    def height(self) -> float:
        return self.top - self.bottom


@dataclass(frozen=True)
class _Rule:
    """Horizontal at `at` from `first` to `last`, or vertical."""

    at: float
    first: float
    last: float


@dataclass(frozen=True)
class _Band:
    """A row of a ruled table."""

    top: float
    bottom: float
    edges: tuple[float, ...]

    def column_of(self, sign: _Sign) -> int | None:
        if not self.bottom < sign.middle < self.top:
            return None
        # A text too long for its cell extends over the next one.
        return next(
            (i for i, (left, right) in enumerate(pairwise(self.edges)) if left - 1 <= sign.start < right - 1),
            None,
        )


def pdf_pages(data: bytes) -> list[dict[str, Any]]:
    import pypdfium2
    import pypdfium2.raw as pdfium

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise Refused("protected" if "assword" in str(error) else "damaged") from None
    if len(document) > _MOST_PAGES:
        raise Refused("too-large")
    blocks: list[dict[str, Any]] = []
    number, count = 0, 0
    for index in range(len(document)):
        page = document[index]
        notes, links = _notes_of(page), _links_of(page)
        if pdfium.FPDFPage_GetAnnotCount(page.raw):
            # What is typed into the fields of a form becomes text of the page.
            pdfium.FPDFPage_Flatten(page.raw, pdfium.FLAT_NORMALDISPLAY)
            page = document[index]
        text = page.get_textpage()
        count += text.count_chars()
        if count > _MOST_SIGNS:
            raise Refused("too-large")
        turn = _turn_of(text)
        placed = _lines(_signs_of(text, turn), *_rules_of(page, turn))
        for bounds, address in links:
            _show_link(placed, _turned(bounds, turn), address)
        looks = _looks_of(page, [middle for middle, _ in placed], notes if not turn else (), turn)
        blocks += _pdf_blocks([pieces for _, pieces in placed], looks, number)
        number += len(placed)
    if not number:
        raise Refused("no-text")
    return blocks


_Bounds = tuple[float, float, float, float]
"""Left, bottom, right, top."""


def _turn_of(text: Any) -> int:
    """How many quarters the text of a page is turned to the right: a page may be stored sideways."""
    import pypdfium2.raw as pdfium

    sample = range(0, text.count_chars(), max(1, text.count_chars() // 400))
    turns = [round(pdfium.FPDFText_GetCharAngle(text, index) / (pi / 2)) % 4 for index in sample]
    return max(set(turns), key=turns.count) if turns else 0


def _turned(bounds: _Bounds, turn: int) -> _Bounds:
    left, bottom, right, top = bounds
    match turn:
        case 3:
            return bottom, -right, top, -left
        case 2:
            return -right, -top, -left, -bottom
        case 1:
            return -top, left, -bottom, right
    return bounds


_Box = tuple[float, float, str]
"""Bottom, top, and what is shown there."""
_TALL: Final = 60.0
"""Points, at most, of what belongs to one line."""


def _notes_of(page: Any) -> list[_Box]:
    """Comments, strokes and highlights that a reader of the PDF added; no links and no fields."""
    import pypdfium2.raw as pdfium

    found = []
    for index in range(min(pdfium.FPDFPage_GetAnnotCount(page.raw), _MOST_RULES)):
        note = pdfium.FPDFPage_GetAnnot(page.raw, index)
        place = pdfium.FS_RECTF()
        kind = pdfium.FPDFAnnot_GetSubtype(note)
        if kind not in (pdfium.FPDF_ANNOT_LINK, pdfium.FPDF_ANNOT_WIDGET, pdfium.FPDF_ANNOT_POPUP) and (
            pdfium.FPDFAnnot_GetRect(note, place)
        ):
            found.append((min(place.bottom, place.top), max(place.bottom, place.top), f"note{kind}"))
        pdfium.FPDFPage_CloseAnnot(note)
    return found


def _links_of(page: Any) -> list[tuple[_Bounds, str]]:
    """The e-mail addresses that a page leads to, and from where."""
    import ctypes

    import pypdfium2.raw as pdfium

    found: list[tuple[_Bounds, str]] = []
    at, link, place = ctypes.c_int(), pdfium.FPDF_LINK(), pdfium.FS_RECTF()
    while pdfium.FPDFLink_Enumerate(page.raw, at, link) and len(found) < _MOST_RULES:
        target = ctypes.create_string_buffer(400)
        pdfium.FPDFAction_GetURIPath(page.pdf.raw, pdfium.FPDFLink_GetAction(link), target, len(target))
        address = address_of_link(target.value.decode("latin-1"))
        if address and pdfium.FPDFLink_GetAnnotRect(link, place):
            bottom, top = sorted((place.bottom, place.top))
            found.append(((place.left, bottom, place.right, top), address))
    return found


def _show_link(placed: list[tuple[float, list[_Piece]]], bounds: _Bounds, address: str) -> None:
    """Write an address behind the text that leads to it, where its line does not show it."""
    left, bottom, right, top = bounds
    _, pieces = min(placed, default=(0.0, []), key=lambda one: abs(one[0] - (bottom + top) / 2))
    if pieces and not any(is_shown(address, text) for _, _, text in pieces):
        index = max(
            range(len(pieces)), key=lambda each: min(right, pieces[each][1]) - max(left, pieces[each][0])
        )
        start, end, text = pieces[index]
        pieces[index] = (start, end, f"{text} <{address}>")


def _looks_of(page: Any, middles: Sequence[float], notes: Sequence[_Box], turn: int) -> list[str]:
    """Of each line the colours of its text and ground, and the pictures and drawings in it."""
    import ctypes

    import pypdfium2.raw as pdfium

    boxes = list(notes)
    for index, drawn in enumerate(page.get_objects(max_depth=3)):
        if index > _MOST_RULES:
            return [""] * len(middles)
        left, bottom, right, top = _turned(drawn.get_bounds(), turn)
        if not _THIN < top - bottom < _TALL or right - left <= _THIN:
            continue
        red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
        pdfium.FPDFPageObj_GetFillColor(drawn.raw, red, green, blue, alpha)
        colour = f"{red.value}.{green.value}.{blue.value}"
        if drawn.type == pdfium.FPDF_PAGEOBJ_IMAGE:
            boxes.append((bottom, top, PICTURE))
        elif drawn.type == pdfium.FPDF_PAGEOBJ_TEXT:
            boxes.append((bottom, top, colour))
        elif drawn.type == pdfium.FPDF_PAGEOBJ_PATH:
            is_drawing = pdfium.FPDFPath_CountSegments(drawn.raw) > _SEGMENTS_OF_A_BOX
            boxes.append((bottom, top, PICTURE if is_drawing else f"ground{colour}"))
    boxes.sort()
    looks: list[set[str]] = [set() for _ in middles]
    for number, middle in enumerate(middles):
        for bottom, top, shown in boxes:
            if bottom > middle:
                break
            if middle < top:
                looks[number].add(shown)
    return [" ".join(sorted(found)) for found in looks]


_SEGMENTS_OF_A_BOX: Final = 12


def _signs_of(page: Any, turn: int) -> list[_Sign]:
    import pypdfium2.raw as pdfium

    signs: list[_Sign] = []
    spaced = 0
    text = page.get_text_range()
    whole = text if len(text) == page.count_chars() else None
    for i in range(page.count_chars()):
        sign = whole[i] if whole else chr(pdfium.FPDFText_GetUnicode(page, i) or 32)
        # A hyphen at the end of a line comes as a sign of its own.
        sign = "-" if sign in "\x02\xad\ufffe" else sign
        if sign.isspace() or not sign.isprintable():
            spaced += 1
            continue
        left, bottom, right, top = _turned(page.get_charbox(i, loose=True), turn)
        if right > left and top > bottom:
            last = signs[-1] if signs else None
            follows = (
                last is not None
                and spaced == 0
                and abs(last.bottom - bottom) < 0.3 * (top - bottom)
                and -1 < left - last.right < 0.16 * (top - bottom)
            )
            signs.append(_Sign(left, right, bottom, top, sign, last.start if last and follows else left))
            spaced = 0
    return signs


def _rules_of(page: Any, turn: int) -> tuple[list[_Rule], list[_Rule]]:
    """Horizontal and vertical rules."""
    import pypdfium2.raw as pdfium

    across, down = [], []
    for index, drawn in enumerate(page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_PATH], max_depth=3)):
        if index > _MOST_RULES:
            return [], []
        left, bottom, right, top = _turned(drawn.get_bounds(), turn)
        if top - bottom <= _THIN < right - left:
            across.append(_Rule((top + bottom) / 2, left, right))
        elif right - left <= _THIN < top - bottom:
            down.append(_Rule((left + right) / 2, bottom, top))
    return across, down


def _lines(
    signs: Sequence[_Sign], across: Sequence[_Rule], down: Sequence[_Rule]
) -> list[tuple[float, list[_Piece]]]:
    """Lines from top to bottom by their middle, each as pieces of text with their left and right edges."""
    large = _LARGE * median([sign.height for sign in signs]) if signs else 0.0
    across_page = [sign for sign in signs if sign.height > large]
    signs = [sign for sign in signs if sign.height <= large]
    across = sorted(across, key=attrgetter("at"))
    bands = _bands(across, down)
    bottoms = [-band.bottom for band in bands]
    inside: dict[int, dict[int, list[_Sign]]] = {}
    outside = []
    for sign in signs:
        # From top to bottom without overlapping: no other band can hold it.
        index = bisect_right(bottoms, -sign.middle)
        at = bands[index].column_of(sign) if index < len(bands) else None
        if at is None:
            outside.append(sign)
        else:
            inside.setdefault(index, {}).setdefault(at, []).append(sign)
    placed: list[tuple[float, list[_Piece]]] = []
    for index, columns in inside.items():
        rows = {at: _rows(held) for at, held in columns.items()}
        band = bands[index]
        counts = set(map(len, rows.values()))
        # Three lines in each cell are three people.
        if max(counts) > _MOST_LINES_OF_A_CELL or (len(rows) > 1 and len(counts) == 1 and max(counts) > 2):
            outside += [sign for held in columns.values() for sign in held]
            continue
        edges = [*pairwise(band.edges)]
        placed.append(
            (
                (band.top + band.bottom) / 2,
                [
                    (edges[at][0] + 0.5, edges[at][1] - 0.5, _cell(rows[at], edges[at][1], across))
                    for at in sorted(rows)
                ],
            )
        )
    placed += [(row[0].middle, _pieces(row, across)) for row in _rows(outside)]
    if across_page:
        # A stamp across the page, « ANNULÉ », stands above all of it.
        placed.append((float("inf"), [(0.0, 1.0, "".join(sign.text for sign in across_page))]))
    placed.sort(key=lambda one: -one[0])
    return placed


def _bands(across: Sequence[_Rule], down: Sequence[_Rule]) -> list[_Band]:
    """Between two rules one below the other, where at least three vertical rules reach from one to the other."""
    if len(across) < 2 or len(down) < 3:
        return []
    heights = _distinct(rule.at for rule in across)
    found = []
    for top, bottom in pairwise(sorted(heights, reverse=True)):
        middle = (top + bottom) / 2
        edges = _distinct(rule.at for rule in down if rule.first - 2 <= middle <= rule.last + 2)
        edges = sorted(edges)
        if len(edges) > 2 and top - bottom > 4:
            found.append(_Band(top, bottom, tuple(edges)))
    return found


def _distinct(places: Iterator[float]) -> list[float]:
    found: list[float] = []
    for place in sorted(places):
        if not found or place - found[-1] > _THIN:
            found.append(place)
    return found


def _rows(signs: Sequence[_Sign]) -> list[list[_Sign]]:
    rows: list[list[_Sign]] = []
    for sign in sorted(signs, key=lambda one: -one.middle):
        if rows and abs(rows[-1][0].middle - sign.middle) < 0.45 * max(rows[-1][0].height, sign.height):
            rows[-1].append(sign)
        else:
            rows.append([sign])
    return [sorted(row, key=lambda one: one.left) for row in rows]


def _pieces(row: Sequence[_Sign], across: Sequence[_Rule], apart: float = 0.6) -> list[_Piece]:
    pieces: list[_Piece] = []
    for sign in row:
        if pieces and sign.left - pieces[-1][1] < apart * sign.height:
            start, end, before = pieces[-1]
            # Narrow where it is kerned: « Yusuf Kovacs ».
            least = 0.06 if sign.start == sign.left else 0.16
            space = " " if sign.left - end > least * sign.height else ""
            pieces[-1] = (start, sign.right, before + space + sign.text)
        else:
            pieces.append((sign.left, sign.right, sign.text))
    return [
        (left, right, f"{CROSSED.strip()} {text}" if _is_struck(left, right, row[0], across) else text)
        for left, right, text in pieces
    ]


def _is_struck(left: float, right: float, sign: _Sign, across: Sequence[_Rule]) -> bool:
    """Whether a rule goes through the middle of the text for most of its length; `across` is sorted from below."""
    first = bisect_right(across, sign.bottom + 0.25 * sign.height, key=attrgetter("at"))
    through = takewhile(lambda rule: rule.at < sign.bottom + 0.75 * sign.height, islice(across, first, None))
    return any(5 * (min(right, rule.last) - max(left, rule.first)) > 4 * (right - left) for rule in through)


def _cell(rows: Sequence[Sequence[_Sign]], edge: float, across: Sequence[_Rule]) -> str:
    """The lines of a cell; one that was full continues in the next."""
    texts = [" ".join(text for _, _, text in _pieces(row, across, 50.0)) for row in rows]
    glued = "".join(texts)
    if glued.count("@") == 1 and " " not in glued:
        return glued
    whole, is_cut = texts[0], False
    """Whether a line ends at the edge: its last term may continue in the next."""
    for (row, below), text in zip(pairwise(rows), texts[1:], strict=True):
        word = next(
            (
                i
                for i, (one, after) in enumerate(pairwise(below))
                if after.left - one.right > 0.16 * one.height
            ),
            len(below) - 1,
        )
        is_full = edge - row[-1].right < below[word].right - below[0].left + 0.7 * row[-1].height
        glue = "" if whole.endswith("-") and is_full else " " if is_full else "\n"
        is_cut = is_cut or (
            is_full and not whole.endswith("-") and edge - row[-1].right < 0.6 * row[-1].height
        )
        whole = f"{whole}{glue}{text}"
    return f"{whole} (?)" if is_cut else whole


def _pdf_blocks(lines: list[list[_Piece]], looks: Sequence[str], number: int) -> list[dict[str, Any]]:
    shown = dict(enumerate(looks, number + 1))
    several = [line for line in lines if len(line) > 1]
    if len(several) * 2 < len(lines) or len(several) < 2:
        apart = unlike_others(shown)
        texts = [
            f"{APART if index in apart else ''}{'   '.join(text for _, _, text in line)}"
            for index, line in enumerate(lines, number + 1)
        ]
        return [running_text("\n".join(texts), number + 1)] if lines else []
    counts = [len(line) for line in several]
    usual = max(set(counts), key=lambda count: (counts.count(count), count))
    spans: list[tuple[float, float]] = []
    for left, right in sorted(
        (left, right) for line in several if len(line) >= usual for left, right, _ in line
    ):
        if spans and left < spans[-1][1] - 1:
            spans[-1] = (spans[-1][0], max(spans[-1][1], right))
        else:
            spans.append((left, right))
    grid: Grid = []
    for index, line in enumerate(lines, number + 1):
        cells = [""] * len(spans)
        for left, right, text in line:
            overlaps = [min(right, end) - max(left, start) for start, end in spans]
            at = overlaps.index(max(overlaps))
            cells[at] = f"{cells[at]} {text}".strip()
        grid.append((index, cells))
    return [grid_of(grid, looks=shown)]
