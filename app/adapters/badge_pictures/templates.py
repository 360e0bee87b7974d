"""The six shapes a badge may have, read from the folder of templates: artwork, places for words, and room inside."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from fontTools.pens.basePen import BasePen
from fontTools.svgLib.path import parse_path

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
    """Heights of the words in the square of a thousand, and whether the field is full enamel or light paper."""

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
        """Path data of one part: `outer`, `edge` (of the field) or `inner` (the hairline that words stay inside)."""
        found = re.search(rf'<path class="{part}"[^>]* d="([^"]+)"', self.artwork)
        if found is None:
            raise ValueError(f"the template {self.kind} has no part {part}")
        return found[1]

    def half_width(self, y: float) -> float:
        """The room on either side of the axis, inside the hairline, at a height."""
        return self._room.get(round(y / _ROOM_STEP) * _ROOM_STEP, 0.0)

    @cached_property
    def _room(self) -> dict[int, float]:
        outline = _polygon(self.outline("inner"))
        return {y: _room_at(y + 0.01, outline) for y in _ROOM}


def read_templates(folder: Path) -> dict[str, Template]:
    """Every template that `layout.json` names, each with exactly the places that the artist fills."""
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
    """Keeps a closed outline as the corners of a polygon."""

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
