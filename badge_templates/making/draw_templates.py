"""Draw the six badge templates: silhouettes, guilloché rims, rosettes. Needs numpy and shapely, at design time only.

python badge_templates/making/draw_templates.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import ceil, cos, floor, hypot, pi, sin
from pathlib import Path
from typing import NamedTuple

import numpy as np
from shapely import affinity
from shapely.geometry import LineString, Point, Polygon, box
from shapely.geometry.base import BaseGeometry
from shapely.ops import unary_union

FOLDER = Path(__file__).resolve().parents[1]
CENTRE_X, CENTRE_Y = 500.0, 462.0
RIM = 84.0
"""Width of the guilloché rim."""
FIELD_GAP, HAIRLINE_GAP = 12.0, 9.0
WAVE, WAVE_HEIGHT, STRANDS = 74.0, 25.0, 4
ROSETTE_HOLE, ROSETTE_WAVES, ROSETTE_STRANDS = 84.0, 12, 8
SCALLOPS = 20
TRUE_ENOUGH = 0.12
"""How far an arc or a curve may leave the line it stands for, in units of the square of a thousand."""

Vector = np.ndarray
Along = Callable[[float, float], Vector]
"""The point at a length along a line, and so far outward from it."""


class Shape(NamedTuple):
    outer: Polygon
    rim: BaseGeometry
    """The line that the guilloché follows."""
    field: Polygon
    middle: float
    dots: str = ""


def shapes() -> dict[str, Shape]:
    return {
        "appartenance": _framed(_circle(452)),
        "participation": _framed(_plaque()),
        "engagement": _framed(_shield()),
        "savoir-etre": _framed(_quatrefoil()),
        "competence": _framed(_lozenge(), middle=CENTRE_Y + 38),
        "realisation": Shape(_scalloped(), _circle(377), _circle(330), CENTRE_Y, _dots()),
    }


def _framed(outer: Polygon, middle: float = CENTRE_Y) -> Shape:
    return Shape(outer, outer.buffer(-RIM / 2 - 6, 64), outer.buffer(-RIM - FIELD_GAP, 64), middle)


def _plaque() -> Polygon:
    corners = [_circle(112, x, y) for x in (74, 926) for y in (36, 888)]
    return _rounded(box(74, 36, 926, 888).difference(unary_union(corners)), 40, 40)


def _shield() -> Polygon:
    body = _rounded(box(84, 34, 916, 760), 74)
    shoulders = [_circle(190, 274, 690), _circle(190, 726, 690), box(274, 600, 726, 880)]
    tip = Polygon([(300, 860), (700, 860), (500, 985)])
    return _rounded(unary_union([body, *shoulders, tip]), 34, 120)


def _quatrefoil() -> Polygon:
    leaves = [_circle(262, CENTRE_X + x, CENTRE_Y + y) for x, y in ((0, -196), (0, 196), (-196, 0), (196, 0))]
    heart = box(CENTRE_X - 200, CENTRE_Y - 200, CENTRE_X + 200, CENTRE_Y + 200)
    return _rounded(unary_union([*leaves, heart]), 10, 84)


def _lozenge() -> Polygon:
    reach = 542
    corners = [(0, -reach), (reach, 0), (0, reach), (-reach, 0)]
    return affinity.translate(
        _rounded(Polygon([(CENTRE_X + x, CENTRE_Y + y) for x, y in corners]), 118), 0, 38
    )


def _scalloped() -> Polygon:
    return _rounded(unary_union([_circle(410), *(_circle(66, *at) for at in _scallops(394))]), 6, 9)


def _scallops(radius: float) -> Iterator[tuple[float, float]]:
    for number in range(SCALLOPS):
        turn = 2 * pi * (number + 0.5) / SCALLOPS
        yield CENTRE_X + radius * cos(turn), CENTRE_Y + radius * sin(turn)


def _dots() -> str:
    return "".join(
        f"M{_number(x - 7)} {_number(y)}a7 7 0 1 0 14 0a7 7 0 1 0-14 0z" for x, y in _scallops(424)
    )


def _circle(radius: float, x: float = CENTRE_X, y: float = CENTRE_Y) -> Polygon:
    return Point(x, y).buffer(radius, 128)


def _rounded(shape: BaseGeometry, convex: float, concave: float = 0) -> Polygon:
    shape = shape.buffer(-convex, 64).buffer(convex, 64)
    return shape.buffer(concave, 64).buffer(-concave, 64) if concave else shape


def outline(shape: BaseGeometry) -> str:
    """A closed outline as straight lines and circular arcs, each as long as it stays true."""
    points = np.array(shape.exterior.coords)[:-1]
    points = np.roll(points, -_longest_side(points) - 1, axis=0)
    # Long sides are sampled too: an arc must be true between its corners, not only at them.
    points = np.array(LineString([*points, points[0]]).segmentize(4.0).coords)
    data, start = f"M{_number(points[0][0])} {_number(points[0][1])}", 0
    while start < len(points) - 1:
        end, stroke = _longest_stroke(points, start)
        data, start = data + stroke, end
    return data + "Z"


def _longest_side(points: Vector) -> int:
    sides = np.roll(points, -1, axis=0) - points
    return int(np.argmax(np.hypot(sides[:, 0], sides[:, 1])))


def _longest_stroke(points: Vector, start: int) -> tuple[int, str]:
    end = start + 1
    stroke = _line(points[end])
    for tried in range(start + 2, len(points)):
        part = points[start : tried + 1]
        found = _as_line(part) or _as_arc(part)
        if found is None:
            break
        end, stroke = tried, found
    return end, stroke


def _as_line(part: Vector) -> str | None:
    along = part[-1] - part[0]
    length = hypot(*along)
    if length < 1e-9:
        return None
    away = np.abs(along[0] * (part[:, 1] - part[0][1]) - along[1] * (part[:, 0] - part[0][0])) / length
    return _line(part[-1]) if away.max() <= TRUE_ENOUGH else None


def _as_arc(part: Vector) -> str | None:
    first, middle, last = part[0], part[len(part) // 2], part[-1]
    centre = _centre(first, middle, last)
    if centre is None:
        return None
    radius = hypot(*(first - centre))
    distances = np.hypot(*(part - centre).T)
    turns = np.unwrap(np.arctan2(*(part - centre).T[::-1]))
    if np.abs(distances - radius).max() > TRUE_ENOUGH or abs(turns[-1] - turns[0]) > 0.9 * pi:
        return None
    sweep = int(turns[-1] > turns[0])
    return f"A{_number(radius)} {_number(radius)} 0 0 {sweep} {_number(last[0])} {_number(last[1])}"


def _centre(a: Vector, b: Vector, c: Vector) -> Vector | None:
    matrix = 2 * np.array([b - a, c - a])
    if abs(np.linalg.det(matrix)) < 1e-6:
        return None
    return np.linalg.solve(matrix, np.array([b @ b - a @ a, c @ c - a @ a]))


def _line(point: Vector) -> str:
    return f"L{_number(point[0])} {_number(point[1])}"


class Ring(NamedTuple):
    """A circle measured along its edge from the top."""

    radius: float
    x: float
    y: float

    @property
    def length(self) -> float:
        return 2 * pi * self.radius

    def at(self, along: float, outward: float) -> Vector:
        turn = along / self.radius - pi / 2
        return np.array([self.x, self.y]) + (self.radius + outward) * np.array([cos(turn), sin(turn)])


class Frame:
    """Any closed outline measured along its edge; outward directions are smoothed round the corners."""

    samples, smoothing = 2400, 10

    def __init__(self, shape: BaseGeometry) -> None:
        ring = shape.exterior
        line = LineString(ring.coords[::-1] if ring.is_ccw else ring.coords)
        self.length = line.length
        places = [line.interpolate(i * self.length / self.samples).coords[0] for i in range(self.samples)]
        self._points = np.array(places)
        self._outward = self._normals()

    def at(self, along: float, outward: float) -> Vector:
        place = along / self.length * self.samples
        here, weight = floor(place), place - floor(place)
        one, other = here % self.samples, (here + 1) % self.samples
        point = self._points[one] * (1 - weight) + self._points[other] * weight
        return point + (self._outward[one] * (1 - weight) + self._outward[other] * weight) * outward

    def _normals(self) -> Vector:
        tangents = np.roll(self._points, -3, 0) - np.roll(self._points, 3, 0)
        normals = _unit(np.stack([tangents[:, 1], -tangents[:, 0]], 1))
        steps = range(-self.smoothing, self.smoothing + 1)
        return _unit(sum(np.roll(normals, step, 0) for step in steps))


def _unit(vectors: Vector) -> Vector:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def strands(line: Ring | Frame, waves: int, height: float, count: int) -> str:
    """Sine waves along a line, each a part of a wave later than the one before; in tenths of a unit."""
    return "".join(_strand(line, waves, height, number / count) for number in range(count))


def _strand(line: Ring | Frame, waves: int, height: float, phase: float) -> str:
    half = line.length / waves / 2
    handle = 4 / 3 / pi * half
    along, side = 2 * phase * half, 1
    at = _tenths(line.at(along, 0))
    data, expected = _command("M", at), None
    for _ in range(2 * waves):
        lead = _tenths(line.at(along + handle, side * height * 4 / 3))
        trail = _tenths(line.at(along + half - handle, side * height * 4 / 3))
        end = _tenths(line.at(along + half, 0))
        smooth = expected is not None and np.abs(expected - lead).max() <= 14
        data += (
            _command("s", trail - at, end - at) if smooth else _command("c", lead - at, trail - at, end - at)
        )
        at, along, side, expected = end, along + half, -side, 2 * end - trail
    return data + "z"


def _tenths(point: Vector) -> Vector:
    return np.rint(point * 10).astype(int)


def _command(letter: str, *points: Vector) -> str:
    numbers = " ".join(str(value) for point in points for value in point)
    return letter + numbers.replace(" -", "-")


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def template(shape: Shape) -> str:
    frame = Ring(377, CENTRE_X, CENTRE_Y) if shape.dots else Frame(shape.rim)
    reach = shape.field.buffer(-16, 64).exterior.distance(Point(CENTRE_X, shape.middle)) - 6
    rosette = Ring((reach + ROSETTE_HOLE) / 2, CENTRE_X, shape.middle)
    rim = strands(frame, round(frame.length / WAVE), WAVE_HEIGHT, STRANDS)
    heart = strands(rosette, ROSETTE_WAVES, (reach - ROSETTE_HOLE) / 2, ROSETTE_STRANDS)
    hairline = outline(shape.field.buffer(-HAIRLINE_GAP, 64))
    tenth, line = 'transform="scale(.1)" fill="none"', 'fill="none" stroke-width="2.4"'
    parts = [
        f'<path class="outer" fill="{{{{rim}}}}" stroke="{{{{contour}}}}" stroke-width="6" d="{outline(shape.outer)}"/>',
        f'<path class="strands" {tenth} stroke="{{{{rim_line}}}}" stroke-width="24" d="{rim}"/>',
        f'<path class="dots" fill="{{{{dot}}}}" d="{shape.dots}"/>' if shape.dots else "",
        f'<path class="edge" fill="{{{{field}}}}" d="{outline(shape.field)}"/>',
        f'<path class="rosette" {tenth} stroke="{{{{fine}}}}" stroke-width="22" d="{heart}"/>',
        f'<path class="inner" {line} stroke="{{{{soft}}}}" d="{hairline}"/>',
    ]
    return "\n".join([OPENING, *filter(None, parts), CLOSING])


OPENING = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1000 1000" lang="fr" role="img" aria-labelledby="{{id}}-alt">
<title id="{{id}}-alt">{{alt}}</title>
<desc>{{where}}</desc>
<style>{{swap}}</style>
<g id="{{id}}-large">"""
CLOSING = """\
{{words}}
</g>
<g id="{{id}}-small" display="none">{{small}}</g>
</svg>
"""


def main() -> None:
    for kind, shape in shapes().items():
        written = template(shape)
        (FOLDER / f"{kind}.svg").write_text(written, "utf-8")
        print(f"{kind}: {ceil(len(written) / 1000)} kB")


if __name__ == "__main__":
    main()
