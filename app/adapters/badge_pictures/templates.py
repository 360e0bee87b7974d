"""The six badge shapes, read from the folder of templates: artwork, text slots, and available width."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple
from unicodedata import category, normalize

from fontTools.pens.basePen import BasePen
from fontTools.svgLib.path import parse_path
from fontTools.ttLib import TTFont

AXIS: Final = 500.0
_PLACE: Final = re.compile(r"\{\{([a-z_]+)\}\}")
_PLACES: Final = frozenset(
    (
        "id",
        "alt",
        "where",
        "swap",
        "rim",
        "contour",
        "rim_line",
        "dot",
        "field",
        "fine",
        "soft",
        "words",
        "small",
    )
)
Point = tuple[float, float]

_CURVE_STEPS: Final = 12
_ROOM_STEP: Final = 4
_ROOM: Final = range(0, 1001, _ROOM_STEP)


@dataclass(frozen=True, slots=True)
class Layout:
    """Heights of the text in the 1000-unit square, and whether the field is full enamel or light paper."""

    enamel: bool
    campus: float
    kind: float
    title_top: float
    title_bottom: float
    level: float
    year: float
    small_middle: float


@dataclass(frozen=True)
class Template:
    kind: str
    artwork: str
    layout: Layout

    def filled(self, values: Mapping[str, str]) -> str:
        return _PLACE.sub(lambda place: values[place[1]], self.artwork)

    def outline(self, part: str) -> str:
        """Path data of one part: `outer`, `edge` (of the field) or `inner` (the hairline around the text)."""
        found = re.search(rf'<path class="{part}"[^<>]* d="([^"]+)"', self.artwork)
        if found is None:
            raise ValueError(f"the template {self.kind} has no part {part}")
        return found[1]

    def half_width(self, y: float) -> float:
        """The width available on either side of the axis, inside the hairline, at a height."""
        return self._room.get(round(y / _ROOM_STEP) * _ROOM_STEP, 0.0)

    @cached_property
    def _room(self) -> dict[int, float]:
        outline = _polygon(self.outline("inner"))
        return {y: _room_at(y + 0.01, outline) for y in _ROOM}


def read_templates(folder: Path) -> dict[str, Template]:
    """Every template in `layout.json`, each with exactly the slots that the artist fills."""
    layouts = json.loads((folder / "layout.json").read_text("utf-8"))
    return {kind: _read(folder, kind, Layout(**layout)) for kind, layout in layouts.items()}


def _read(folder: Path, kind: str, layout: Layout) -> Template:
    artwork = (folder / f"{kind}.svg").read_text("utf-8")
    unknown = set(_PLACE.findall(artwork)) - _PLACES
    if unknown:
        raise ValueError(f"the template {kind} asks for unknown values: {', '.join(sorted(unknown))}")
    return Template(kind, artwork, layout)


def _room_at(y: float, outline: list[Point]) -> float:
    crossings = [
        x0 + (y - y0) * (x1 - x0) / (y1 - y0)
        for (x0, y0), (x1, y1) in pairwise([*outline, outline[0]])
        if (y0 <= y) != (y1 <= y)
    ]
    left = [AXIS - x for x in crossings if x <= AXIS]
    right = [x - AXIS for x in crossings if x > AXIS]
    return min(*left, *right) if left and right else 0.0


def _polygon(path: str) -> list[Point]:
    pen = _FlatteningPen(None)
    parse_path(path, pen)
    return pen.points


class _FlatteningPen(BasePen):  # type: ignore[misc]
    """Converts a closed outline to the corners of a polygon."""

    def __init__(self, glyphs: Any) -> None:
        super().__init__(glyphs)
        self.points: list[Point] = []

    def _moveTo(self, pt: Point) -> None:
        self.points.append(pt)

    def _lineTo(self, pt: Point) -> None:
        self.points.append(pt)

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:
        (x0, y0), (x1, y1), (x2, y2), (x3, y3) = self.points[-1], pt1, pt2, pt3
        for step in range(1, _CURVE_STEPS + 1):
            t = step / _CURVE_STEPS
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            self.points.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))


Stroke = tuple[str, tuple[Point, ...]]

_MISSING: Final = ".notdef"
_VARIATION_SELECTORS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))


class _Placed(NamedTuple):
    glyph: str
    x: int


class _Run(NamedTuple):
    """One line of glyphs, in font units from the start of the line."""

    glyphs: tuple[_Placed, ...]
    width: int


class Typeface:
    """Measures and draws single lines of text; lengths are in the unit of the size asked for."""

    def __init__(self, path: Path) -> None:
        font = TTFont(path, lazy=False)
        glyphs = font.getGlyphSet()
        self._units_per_em: int = font["head"].unitsPerEm
        self._glyph_of: dict[int, str] = font.getBestCmap()
        self._advances: dict[str, tuple[int, int]] = font["hmtx"].metrics
        self._ligatures = _ligatures(font)
        self._kerning = _PairKerning(font)
        # All at once: fontTools unpacks a glyph on first use, which is not thread-safe.
        self._outlines = {name: _outline(glyphs, name) for name in glyphs}
        self.cap_height: float = font["OS/2"].sCapHeight / self._units_per_em

    def width(self, text: str, size: float, spacing: float = 0.0) -> float:
        """`spacing` is added between letters, as a fraction of the size."""
        return self._width(self._run(text), size, spacing)

    def strokes(self, text: str) -> int:
        """The number of strokes in the outlines of a text, a measure of its file size."""
        return sum(len(self._outlines[placed.glyph]) for placed in self._run(text).glyphs)

    def centred(self, text: str, size: float, middle: float, baseline: float, spacing: float = 0.0) -> str:
        """SVG path data of one line, given its middle and baseline; coordinates are in tenths."""
        run = self._run(text)
        scale = 10 * size / self._units_per_em
        left = 10 * (middle - self._width(run, size, spacing) / 2)
        path = _PathData()
        for number, placed in enumerate(run.glyphs):
            x = left + placed.x * scale + 10 * number * spacing * size
            path.add(self._outlines[placed.glyph], scale, x, 10 * baseline)
        return str(path)

    def _width(self, run: _Run, size: float, spacing: float) -> float:
        gaps = max(0, len(run.glyphs) - 1)
        return run.width * size / self._units_per_em + gaps * spacing * size

    def _run(self, text: str) -> _Run:
        x, placed = 0, list[_Placed]()
        for name in self._joined(list(self._names(text))):
            if placed:
                x += self._kerning.between(placed[-1].glyph, name)
            placed.append(_Placed(name, x))
            x += self._advances[name][0]
        return _Run(tuple(placed), x)

    def _names(self, text: str) -> Iterator[str]:
        """The glyphs of a text; a missing glyph becomes the typeface's empty box, never nothing."""
        for character in normalize("NFC", text):
            if category(character) == "Cf" or character in _VARIATION_SELECTORS:
                continue
            names = [self._glyph_of.get(ord(character))]
            if names == [None]:
                names = [self._glyph_of.get(ord(plain)) for plain in normalize("NFKC", character)]
            yield from (name or _MISSING for name in names) if all(names) else (_MISSING,)

    def _joined(self, names: list[str]) -> list[str]:
        joined, at = list[str](), 0
        while at < len(names):
            length = next((n for n in (3, 2) if tuple(names[at : at + n]) in self._ligatures), 1)
            part = tuple(names[at : at + length])
            joined.append(self._ligatures.get(part, part[0]))
            at += length
        return joined


def _outline(glyphs: Any, name: str) -> tuple[Stroke, ...]:
    pen = _RecordingPen(glyphs)
    glyphs[name].draw(pen)
    return tuple(pen.strokes)


class _RecordingPen(BasePen):  # type: ignore[misc]
    """Records the simple strokes of one glyph, in font units."""

    def __init__(self, glyphs: Any) -> None:
        super().__init__(glyphs)
        self.strokes: list[Stroke] = []

    def _moveTo(self, pt: Point) -> None:
        self.strokes.append(("M", (pt,)))

    def _lineTo(self, pt: Point) -> None:
        self.strokes.append(("l", (pt,)))

    def _curveToOne(self, pt1: Point, pt2: Point, pt3: Point) -> None:
        self.strokes.append(("c", (pt1, pt2, pt3)))

    def _qCurveToOne(self, pt1: Point, pt2: Point) -> None:
        self.strokes.append(("q", (pt1, pt2)))

    def _closePath(self) -> None:
        self.strokes.append(("z", ()))


class _PathData:
    """Path data in relative commands and integers. Points are rounded before subtraction, so that rounding
    errors never accumulate along a line."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._at = self._start = (0, 0)

    def add(self, strokes: tuple[Stroke, ...], scale: float, x: float, y: float) -> None:
        for command, points in strokes:
            places = [(round(x + px * scale), round(y - py * scale)) for px, py in points]
            if command == "z":
                self._at = self._start
                self._parts.append("z")
            elif command == "M":
                self._at = self._start = places[0]
                self._parts.append(_numbers("M", [*places[0]]))
            else:
                origin, self._at = self._at, places[-1]
                steps = [value for px, py in places for value in (px - origin[0], py - origin[1])]
                self._parts.append(_numbers(command, steps))

    def __str__(self) -> str:
        return "".join(self._parts)


def _numbers(command: str, values: list[int]) -> str:
    return command + " ".join(map(str, values)).replace(" -", "-")


class _PairKerning:
    """The `kern` feature of a font: how much closer two glyphs are set."""

    def __init__(self, font: TTFont) -> None:
        self._lookups = [
            [table for table in tables if table.LookupType == 2] for tables in _lookups(font, "GPOS", "kern")
        ]
        self._known: dict[tuple[str, str], int] = {}

    def between(self, left: str, right: str) -> int:
        if (left, right) not in self._known:
            values = (self._in_lookup(tables, left, right) for tables in self._lookups)
            self._known[left, right] = sum(values)
        return self._known[left, right]

    def _in_lookup(self, tables: list[Any], left: str, right: str) -> int:
        for table in tables:
            if left in table.Coverage.glyphs:
                value = _pair(table, left, right) if table.Format == 1 else _class_pair(table, left, right)
                if value is not None:
                    return value
        return 0


def _pair(table: Any, left: str, right: str) -> int | None:
    records = table.PairSet[table.Coverage.glyphs.index(left)].PairValueRecord
    return next((_advance(record) for record in records if record.SecondGlyph == right), None)


def _class_pair(table: Any, left: str, right: str) -> int:
    row = table.Class1Record[table.ClassDef1.classDefs.get(left, 0)]
    return _advance(row.Class2Record[table.ClassDef2.classDefs.get(right, 0)])


def _advance(record: Any) -> int:
    return getattr(record.Value1, "XAdvance", 0) or 0


def _ligatures(font: TTFont) -> dict[tuple[str, ...], str]:
    found = dict[tuple[str, ...], str]()
    for tables in _lookups(font, "GSUB", "liga"):
        for table in (table for table in tables if table.LookupType == 4):
            for first, ligatures in table.ligatures.items():
                found |= {(first, *ligature.Component): ligature.LigGlyph for ligature in ligatures}
    return found


def _lookups(font: TTFont, tag: str, feature: str) -> Iterator[list[Any]]:
    """The subtables of each lookup of a feature, without their extension wrappers."""
    if tag not in font:
        return
    table = font[tag].table
    records = (record for record in table.FeatureList.FeatureRecord if record.FeatureTag == feature)
    for index in sorted({index for record in records for index in record.Feature.LookupListIndex}):
        tables = table.LookupList.Lookup[index].SubTable
        yield [getattr(subtable, "ExtSubTable", subtable) for subtable in tables]
