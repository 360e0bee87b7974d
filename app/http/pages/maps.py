"""Maps of France, with campuses or with numbers of each department, drawn by us from rounded public coordinates.

The drawing is an image; what it shows stands beside it as text, with the links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import cos, radians, sqrt
from typing import Final

from app.domain.campus.campus import Campus
from app.domain.campus.places import DEPARTMENTS, REGIONS

WIDTH, HEIGHT = 424, 420
_SCALE: Final = 40.0
_WEST, _NORTH = -5.3, 51.3
_NARROWING: Final = cos(radians(46.5))
Point = tuple[float, float]

# Longitude and latitude in degrees, one or two decimals: enough at this size.
_MAINLAND: Final[Sequence[Point]] = (
    (2.5, 51.1), (3.1, 50.8), (3.3, 50.5), (4.1, 50.3), (4.2, 50.0), (4.85, 50.15), (4.9, 49.8), (5.8, 49.55),
    (6.4, 49.45), (6.7, 49.2), (7.45, 49.2), (8.2, 49.0), (7.8, 48.5), (7.6, 47.6), (7.05, 47.35), (6.45, 46.95),
    (6.1, 46.5), (6.0, 46.2), (6.3, 46.25), (6.8, 46.4), (6.8, 46.1), (7.05, 45.9), (6.8, 45.7), (7.1, 45.45),
    (6.65, 45.1), (7.0, 44.7), (6.9, 44.35), (7.65, 44.15), (7.5, 43.8), (7.0, 43.55), (6.65, 43.2), (6.2, 43.05),
    (5.4, 43.25), (4.8, 43.4), (4.1, 43.55), (3.5, 43.25), (3.1, 43.05), (3.05, 42.5), (2.5, 42.35), (1.75, 42.5),
    (1.4, 42.6), (0.7, 42.75), (0.0, 42.7), (-0.75, 42.95), (-1.4, 43.1), (-1.75, 43.35), (-1.45, 43.6),
    (-1.25, 44.5), (-1.15, 45.45), (-1.2, 46.15), (-1.8, 46.5), (-2.1, 46.9), (-2.2, 47.25), (-2.8, 47.5),
    (-3.4, 47.7), (-4.35, 47.8), (-4.7, 48.05), (-4.3, 48.25), (-4.75, 48.4), (-4.6, 48.6), (-3.6, 48.7),
    (-3.1, 48.85), (-2.7, 48.55), (-2.0, 48.7), (-1.5, 48.65), (-1.6, 49.0), (-1.85, 49.65), (-1.3, 49.7),
    (-1.15, 49.35), (-0.2, 49.3), (0.1, 49.45), (0.2, 49.7), (1.1, 49.95), (1.5, 50.2), (1.6, 50.85), (2.0, 51.0),
)  # fmt: skip
_CORSICA: Final[Sequence[Point]] = (
    (9.4, 43.0), (9.5, 42.7), (9.55, 42.1), (9.25, 41.4), (8.8, 41.55), (8.6, 41.95), (8.6, 42.35), (9.0, 42.65),
    (9.3, 42.7),
)  # fmt: skip
_RIVERS: Final[Sequence[Sequence[Point]]] = (
    ((4.2, 44.85), (4.05, 45.5), (4.0, 46.2), (3.1, 47.0), (2.7, 47.7), (1.9, 47.9), (0.7, 47.4), (-0.5, 47.35),
     (-1.55, 47.2), (-2.15, 47.27)),
    ((4.7, 47.5), (4.1, 48.3), (3.0, 48.4), (2.35, 48.85), (1.5, 49.1), (1.1, 49.43), (0.2, 49.45)),
    ((6.15, 46.2), (5.6, 45.7), (4.84, 45.76), (4.8, 45.0), (4.8, 44.0), (4.65, 43.65), (4.85, 43.38)),
    ((6.1, 47.95), (5.6, 47.4), (4.85, 46.8), (4.83, 46.3), (4.84, 45.76)),
    ((0.7, 42.85), (1.2, 43.2), (1.44, 43.6), (0.6, 44.2), (-0.55, 44.83), (-1.05, 45.55)),
)  # fmt: skip
_OVERSEAS: Final = {"971": 0, "972": 1, "973": 2, "974": 3, "976": 4}
"""Boxes at the foot of the map, drawn where a campus is."""


@dataclass(frozen=True)
class Pin:
    x: float
    y: float
    count: int
    place: str
    region: str
    campuses: Sequence[tuple[str, str]]
    """Short name and path."""
    label: str = ""
    """Written beside it where the map is enlarged."""
    is_on_left: bool = False
    box: str = ""
    """Code of an overseas department, drawn in a box of its own."""


@dataclass(frozen=True)
class MapShown:
    land: str
    rivers: str
    pins: Sequence[Pin]
    width: int = WIDTH
    height: int = HEIGHT


def map_of(campuses: Iterable[Campus], *, closer: bool = False) -> MapShown | None:
    """None where no campus gave its department. `closer`: enlarged to where they are, unless one is overseas."""
    places: dict[str, list[Campus]] = {}
    for campus in campuses:
        if campus.department in DEPARTMENTS:
            places.setdefault(campus.department, []).append(campus)
    if not places:
        return None
    codes = [code for code in DEPARTMENTS if code in places]
    enlarged = closer and not _OVERSEAS.keys() & places.keys()
    if not enlarged:
        pins = [_pin(code, places[code]) for code in codes]
        return MapShown(_closed(_MAINLAND) + _closed(_CORSICA), "".join(map(_line, _RIVERS)), pins)
    fit = _fitted([_place(code) for code in codes], closest=_CLOSE)
    return MapShown(
        _closed(_MAINLAND, fit) + _closed(_CORSICA, fit),
        "".join(_line(each, fit) for each in _RIVERS),
        _labelled([_moved(_pin(code, places[code]), fit) for code in codes]),
    )


def _moved(pin: Pin, fit: Callable[[Point], Point]) -> Pin:
    x, y = fit((pin.x, pin.y))
    return replace(pin, x=round(x, 1), y=round(y, 1), label=", ".join(name for name, _ in pin.campuses))


def _labelled(pins: Sequence[Pin]) -> list[Pin]:
    """A label is on the left of its pin where it would cover another one, or leave the map."""

    def is_on_left(pin: Pin) -> bool:
        end = pin.x + 20 + len(pin.label) * _LARGE_LETTER
        covers = (abs(other.y - pin.y) < 18 and pin.x < other.x < end + 12 for other in pins)
        return end > WIDTH or any(covers)

    return [replace(pin, is_on_left=is_on_left(pin)) for pin in pins]


def _place(code: str) -> Point:
    return _projected((DEPARTMENTS[code].longitude, DEPARTMENTS[code].latitude))


def _pin(code: str, campuses: Sequence[Campus]) -> Pin:
    found = DEPARTMENTS[code]
    if code in _OVERSEAS:
        x, y, box = 26.0 + 44 * _OVERSEAS[code], HEIGHT - 20.0, code
    else:
        (x, y), box = _place(code), ""
    named = [(campus.short_name, f"/campus/{campus.slug}") for campus in campuses]
    return Pin(round(x, 1), round(y, 1), len(campuses), found.name, REGIONS[found.region], named, box)


LARGEST_DISC, SMALLEST_DISC = 34.0, 5.0
_CLOSEST: Final = 5.0
"""The greatest enlargement: a département then fills about a third of the width."""
_MARGIN: Final = 70.0
_CLOSE: Final = 2.4
"""The same for a map of campuses: the borders of the country stay in sight."""
_LETTER: Final = 7.2
"""The mean width of a letter of a label."""
_LARGE_LETTER: Final = 10.0


@dataclass(frozen=True)
class Disc:
    """`radius` is proportional to the square root of `count`, which is None where it is hidden."""

    x: float
    y: float
    radius: float
    place: str
    count: int | None
    is_named: bool
    """Whether its name covers no other one."""
    is_on_left: bool = False
    """Whether its name ends before the disc, at the right edge of the map."""


@dataclass(frozen=True)
class CountMap:
    land: str
    rivers: str
    discs: Sequence[Disc]
    width: int = WIDTH
    height: int = HEIGHT


def map_of_counts(counts: Mapping[str, int | None]) -> CountMap | None:
    """Numbers by code of department, enlarged to where they are; overseas ones are in the table alone.

    None without any number to draw; a single one stands in the whole country.
    """
    codes = [code for code in DEPARTMENTS if code in counts and code not in _OVERSEAS]
    if not codes:
        return None
    places = {code: _place(code) for code in codes}
    fitted = _fitted(list(places.values()), closest=_CLOSEST if len(places) > 1 else 1.0)
    most = max([*(counts[code] or 0 for code in codes), 1])
    discs: list[Disc] = []
    taken: list[tuple[float, float, float, float]] = []
    for code in sorted(codes, key=lambda each: -(counts[each] or 0)):
        x, y = fitted(places[code])
        count, name = counts[code], DEPARTMENTS[code].name
        radius = max(SMALLEST_DISC, LARGEST_DISC * sqrt((count or 0) / most))
        width = _LETTER * max(len(name), 6)
        is_on_left = x + radius + 4 + width > WIDTH
        left = x - radius - 4 - width if is_on_left else x + radius + 4
        box = (left, y - 16, left + width, y + 16)
        around = (x - radius, y - radius, x + radius, y + radius)
        is_named = left >= 0 and not any(_touch(box, other) for other in taken)
        taken += [around, box] if is_named else [around]
        discs.append(Disc(round(x, 1), round(y, 1), round(radius, 1), name, count, is_named, is_on_left))
    return CountMap(
        _closed(_MAINLAND, fitted) + _closed(_CORSICA, fitted),
        "".join(_line(each, fitted) for each in _RIVERS),
        discs,
    )


def _fitted(points: Sequence[Point], *, closest: float = _CLOSEST) -> Callable[[Point], Point]:
    """Moves and enlarges the map so that these points fill it."""
    left, right = min(x for x, _ in points), max(x for x, _ in points)
    top, bottom = min(y for _, y in points), max(y for _, y in points)
    scale = min(
        closest,
        (WIDTH - 2 * _MARGIN) / max(right - left, 1),
        (HEIGHT - 2 * _MARGIN) / max(bottom - top, 1),
    )
    # The whole country is not moved.
    scale = max(scale, 1.0)
    middle = ((left + right) / 2, (top + bottom) / 2) if scale > 1 else (WIDTH / 2, HEIGHT / 2)

    def fit(point: Point) -> Point:
        return (
            (point[0] - middle[0]) * scale + WIDTH / 2,
            (point[1] - middle[1]) * scale + HEIGHT / 2,
        )

    return fit


def _touch(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _as_is(point: Point) -> Point:
    return point


def _projected(point: Point) -> Point:
    longitude, latitude = point
    return (longitude - _WEST) * _NARROWING * _SCALE, (_NORTH - latitude) * _SCALE


def _closed(points: Sequence[Point], fit: Callable[[Point], Point] = _as_is) -> str:
    """A smooth ring: each point bends the curve between the middles of its two sides."""
    drawn = [fit(_projected(point)) for point in points]
    bends = [(*each, *_middle(each, drawn[(at + 1) % len(drawn)])) for at, each in enumerate(drawn)]
    return f"M{_written(_middle(drawn[-1], drawn[0]))}{''.join(f'Q{_written(bend)}' for bend in bends)}Z"


def _line(points: Sequence[Point], fit: Callable[[Point], Point] = _as_is) -> str:
    drawn = [fit(_projected(point)) for point in points]
    bends = [(*each, *_middle(each, after)) for each, after in pairwise(drawn[1:])]
    return f"M{_written(drawn[0])}{''.join(f'Q{_written(bend)}' for bend in bends)}L{_written(drawn[-1])}"


def _middle(first: Point, second: Point) -> Point:
    return (first[0] + second[0]) / 2, (first[1] + second[1]) / 2


def _written(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.0f}" for number in numbers)
