"""The parts drawn on a template: campus, kind, title, level, year, address plate, and the small mark."""

from __future__ import annotations

import re
import struct
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from typing import Final

from PIL import Image

from app.adapters.badge_pictures.own_pictures import as_data_url, ratio_of
from app.adapters.badge_pictures.picture_spec import (
    KIND_WORDS,
    PictureOrder,
    Zone,
    plain,
    set_title,
    shortened_to_fit,
    typeset,
)
from app.adapters.badge_pictures.templates import AXIS, Template, Typeface
from app.domain.activities.check_in import ScanCode
from app.domain.campus.campus import CampusColours

PAPER: Final = "#ffffff"
INK: Final = "#17212b"

_MARGIN: Final = 33
_SMALL_MARGIN: Final = 24
_SMALL_SCALE: Final = 'transform="translate(15 15) scale(.97)"'
"""Otherwise, the thick contour of the small mark would exceed the square."""
_PLATE_TOP: Final = 850
_PLATE_HEIGHT: Final = 74
_PLATE_CORNER: Final = 14
_WIDEST_PLATE: Final = 760
_CODE_SIDE: Final = 156
"""In thousandths: a code that is still readable in a picture of 300 pixels, compressed as JPEG."""
_QUIET: Final = 2.5
"""Quiet zone in modules around a code: its label adds a margin."""


@dataclass(frozen=True, slots=True)
class Inks:
    """The colour of each part: assessed badges have full enamel in a light rim, the others the reverse."""

    rim: str
    contour: str
    rim_line: str
    dot: str
    field: str
    fine: str
    text: str
    hero: str
    soft: str

    @classmethod
    def of(cls, colours: CampusColours, *, enamel: bool) -> Inks:
        if enamel:
            return cls(
                rim=PAPER,
                contour=colours.accent_deep,
                rim_line=colours.accent,
                dot=colours.accent_deep,
                field=colours.accent_deep,
                fine=colours.accent,
                text=PAPER,
                hero=PAPER,
                soft=colours.accent_soft,
            )
        return cls(
            rim=colours.accent,
            contour=colours.accent,
            rim_line=colours.accent_line,
            dot=colours.accent_line,
            field=PAPER,
            fine=colours.accent_tint,
            text=INK,
            hero=colours.accent,
            soft=colours.accent,
        )


@dataclass(frozen=True, slots=True)
class Faces:
    """The two typefaces: one for declared facts, one for explanations."""

    serif: Typeface
    sans: Typeface


@dataclass(frozen=True, slots=True)
class Words:
    """Draws the text of one order inside one template."""

    order: PictureOrder
    template: Template
    inks: Inks
    faces: Faces

    def drawn(self) -> str:
        parts = (self._campus(), self._kind(), self._title(), self._level(), self._year(), self.plate())
        return "".join(parts)

    def _room(self, y: float) -> float:
        return max(0.0, self.template.half_width(y) - _MARGIN)

    def _campus(self) -> str:
        y, face = self.template.layout.campus, self.faces.serif
        if self.order.logo:
            return logo_drawn(
                self.order.logo,
                lambda height: (y + 8 - height, y + 8),
                lambda top, bottom: 2 * min(self._room(top), self._room(bottom)) - 10,
                range(170, 30, -4),
            )
        fitted = _fitted(
            typeset(self.order.struck),
            face,
            spacing=0.05,
            sizes=range(128, 27, -2),
            room=lambda size: 2 * self._room(y - size * face.cap_height) - 10,
        )
        return fitted.drawn(y, self.inks.hero)

    def _kind(self) -> str:
        y = self.template.layout.kind
        fitted = _fitted(
            KIND_WORDS[self.order.kind].upper(),
            self.faces.sans,
            spacing=0.14,
            sizes=range(30, 17, -1),
            room=lambda _size: 2 * self._room(y),
        )
        return fitted.drawn(y, self.inks.soft)

    def _title(self) -> str:
        layout, face = self.template.layout, self.faces.serif
        setting = set_title(self.order.title, face, Zone(layout.title_top, layout.title_bottom, self._room))
        lines = (face.centred(line.text, setting.size, AXIS, line.baseline) for line in setting.lines)
        return words_path("".join(lines), self.inks.text)

    def _level(self) -> str:
        if self.order.steps is None:
            return ""
        y = self.template.layout.level
        reached, of = self.order.steps
        gap = min(50.0, 2 * self._room(y) / of)
        return lozenges(y, reached, of, gap=gap, radius=gap * 0.34, colour=self.inks.soft)

    def _year(self) -> str:
        layout = self.template.layout
        y = layout.year if self.order.steps else (layout.level + layout.year) / 2
        fitted = _fitted(
            self.order.year,
            self.faces.sans,
            spacing=0.04,
            sizes=range(34, 17, -1),
            room=lambda _size: 2 * self._room(y),
        )
        drawn = fitted.drawn(y, self.inks.text)
        half = fitted.width / 2
        if self._room(y - 12) <= half + 60:
            return drawn
        dashes = f"M{AXIS - half - 54:.1f} {y - 12:g}h36M{AXIS + half + 18:.1f} {y - 12:g}h36"
        return drawn + path(dashes, stroke=self.inks.soft, stroke_width=2.4)

    def plate(self) -> str:
        """The address, and its QR code, on a label at the foot."""
        if not self.order.address:
            return ""
        fitted = _fitted(
            typeset(self.order.address),
            self.faces.sans,
            spacing=0.02,
            sizes=range(36, 15, -1),
            room=_plate_room,
        )
        # The address is centred on the axis alone, or together with the code where there is one.
        lead = _CODE_SIDE - 10 if self.order.code else 0
        width = fitted.width + 68
        left = AXIS - (width + lead) / 2
        edge = {"fill": PAPER, "stroke": self.inks.contour, "stroke_width": 4}
        plate = path(_chamfered(left + lead, _PLATE_TOP, width, _PLATE_HEIGHT), **edge)
        words = fitted.drawn(_PLATE_TOP + 49, INK, left + lead + width / 2)
        return plate + words + (self._code(left, edge) if self.order.code else "")

    def _code(self, left: float, edge: Mapping[str, object]) -> str:
        """A label at the start of the plate; dark on white, the only polarity that all readers accept."""
        top = _PLATE_TOP + (_PLATE_HEIGHT - _CODE_SIDE) / 2
        code = ScanCode.of(self.order.code, error="l")
        module = _CODE_SIDE / (code.size + 2 * _QUIET)
        modules = "".join(f"M{x} {y}h{length}v1h-{length}z" for x, y, length in code.stretches)
        place = f"translate({left + _QUIET * module:.2f} {top + _QUIET * module:.2f}) scale({module:.4f})"
        return path(_chamfered(left, top, _CODE_SIDE, _CODE_SIDE), **edge) + path(
            modules, transform=place, fill=INK
        )


def _chamfered(left: float, top: float, width: float, height: float) -> str:
    corner = _PLATE_CORNER
    edge, side = f"{width - 2 * corner:.1f}", f"{height - 2 * corner:g}"
    return (
        f"M{left:.1f} {top + corner:g}l{corner}-{corner}h{edge}l{corner} {corner}v{side}"
        f"l-{corner} {corner}h-{edge}l-{corner}-{corner}z"
    )


def small_mark(order: PictureOrder, template: Template, inks: Inks, faces: Faces) -> str:
    """The « poinçon »: shape, campus and level alone, for sizes under 150 pixels."""
    face = faces.serif
    middle = template.layout.small_middle - (30 if order.steps else 0)

    def baseline(size: float) -> float:
        return middle + size * face.cap_height / 2

    def room(size: float) -> float:
        y = baseline(size)
        half = min(template.half_width(y - size * face.cap_height), template.half_width(y))
        return 2 * max(0.0, half - _SMALL_MARGIN)

    if order.logo:
        art = logo_drawn(
            order.logo,
            lambda height: (middle - height / 2, middle + height / 2),
            lambda top, bottom: 2 * min(template.half_width(top), template.half_width(bottom)) - 48,
            range(300 if order.steps else 520, 60, -8),
        )
        levels = _small_level(order.steps, middle + 200, inks.hero)
        return f"<g {_SMALL_SCALE}>{_small_shape(template, inks)}{art}{levels}</g>"
    name = typeset(order.struck)
    fitted = _fitted(name, face, spacing=0.01, sizes=range(400, 79, -4), room=room)
    y = baseline(fitted.size)
    words = fitted.drawn(y, inks.hero) + _small_level(order.steps, y + 110, inks.hero)
    return f"<g {_SMALL_SCALE}>{_small_shape(template, inks)}{words}</g>"


def logo_drawn(
    art: bytes,
    place: Callable[[float], tuple[float, float]],
    room: Callable[[float, float], float],
    heights: range,
) -> str:
    """The largest that fits between the top and bottom of its `place`, centred on the axis."""
    ratio = ratio_of(art)
    for height in heights:
        top, bottom = place(height)
        width = height * ratio
        if width <= room(top, bottom):
            break
    left = AXIS - width / 2
    return f'<image x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height}" href="{as_data_url(art)}"/>'


def _small_shape(template: Template, inks: Inks) -> str:
    contour = {"stroke": inks.contour, "stroke_width": 26, "stroke_linejoin": "round"}
    return path(template.outline("outer"), fill=inks.rim, **contour) + path(
        template.outline("edge"), fill=inks.field
    )


def _small_level(steps: tuple[int, int] | None, y: float, colour: str) -> str:
    if steps is None:
        return ""
    reached, of = steps
    return lozenges(y, reached, of, gap=min(124.0, 496 / of), radius=min(44.0, 176 / of), colour=colour)


def path(data: str, **attributes: object) -> str:
    """One `<path>`; attribute names are written with `_` for `-`."""
    written = "".join(
        f' {name.replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items()
    )
    return f'<path d="{data}"{written}/>'


def words_path(tenths: str, colour: str) -> str:
    """Outlined text with coordinates in tenths: a third smaller than decimals."""
    return path(tenths, transform="scale(.1)", fill=colour)


def lozenges(y: float, reached: int, of: int, *, gap: float, radius: float, colour: str) -> str:
    """Full lozenges for the level reached, hollow ones for the rest."""
    first = AXIS - (of - 1) * gap / 2
    shape = f"l{radius:.1f} {radius:.1f}-{radius:.1f} {radius:.1f}-{radius:.1f}-{radius:.1f}z"
    places = [f"M{first + step * gap:.1f} {y - radius:.1f}{shape}" for step in range(of)]
    line = {"stroke": colour, "stroke_width": f"{radius * 0.24:.1f}"}
    full, hollow = "".join(places[:reached]), "".join(places[reached:])
    return (path(full, fill=colour, **line) if full else "") + (
        path(hollow, fill="none", **line) if hollow else ""
    )


@dataclass(frozen=True, slots=True)
class _Fitted:
    text: str
    size: int
    width: float
    face: Typeface
    spacing: float

    def drawn(self, y: float, colour: str, middle: float = AXIS) -> str:
        return words_path(self.face.centred(self.text, self.size, middle, y, self.spacing), colour)


def _fitted(
    text: str, face: Typeface, *, spacing: float, sizes: range, room: Callable[[float], float]
) -> _Fitted:
    """One line at the largest of `sizes` that fits, shortened where none does."""
    width = face.width(text, 1, spacing)
    size = next((size for size in sizes if width * size <= room(size)), sizes[-1])
    text = shortened_to_fit(text, lambda tried: face.width(tried, size, spacing) <= room(size))
    return _Fitted(text, size, face.width(text, size, spacing), face, spacing)


def _plate_room(size: float) -> float:
    """The address shrinks before its plate grows wider than the shape."""
    return 560 if size > 22 else _WIDEST_PLATE


WIDTH: Final = 1200
HEIGHT: Final = 630
_LEFT: Final = 72
_ROOM: Final = 580
_SOFT: Final = "#46525a"
_ROOT: Final = re.compile(
    r"\A<svg[^>]*>|<title[^<]*</title>|<desc>[^<]*</desc>|<style>[^<]*</style>|</svg>\s*\Z", re.S
)


@dataclass(frozen=True, slots=True)
class CardWords:
    """`kind` as « Badge de compétence, niveau 2 sur 3 »; `where` as « Vérifier : exemple.fr/v/K7QM-… »."""

    kind: str
    title: str
    campus: str
    when: str
    where: str


def draw_card(words: CardWords, badge: str, colours: CampusColours, faces: Faces, emblem: str = "") -> str:
    """A self-contained SVG in outlines; `badge` is the SVG of the badge's own picture, or else `emblem` is drawn."""
    title = set_title(words.title, faces.serif, Zone(140, 372, lambda _y: _ROOM / 2, biggest=62, smallest=26))
    below = title.lines[-1].baseline if title.lines else 250
    alternative = f"{words.kind}, {plain(words.title)}, {words.campus}, {words.when}. {words.where}"
    parts = (
        path(f"M0 0h{WIDTH}v{HEIGHT}H0z", fill=PAPER),
        path(f"M0 0h{WIDTH}v14H0z", fill=colours.accent),
        f'<g clip-path="url(#c)">{_ribbon(colours)}</g>',
        _line(words.kind, faces.sans, 25, 104, colours.accent),
        *(_at_left(line.text, faces.serif, title.size, line.baseline, INK) for line in title.lines),
        path(f"M{_LEFT} {below + 34:.1f}h64", stroke=colours.accent, stroke_width=3),
        _line(words.campus, faces.sans, 25, below + 84, _SOFT),
        _line(words.when, faces.sans, 25, below + 120, _SOFT),
        _line(words.where, faces.sans, 27, 556, colours.accent_deep),
        f'<g transform="translate(664 54) scale(.5)">'
        f"{_ROOT.sub('', badge) if badge else _seal(emblem, colours, faces) if emblem else ''}</g>",
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(alternative)}</title>"
        f'<clipPath id="c"><path d="M0 580h{WIDTH}v50H0z"/></clipPath>{"".join(parts)}</svg>'
    )


CV_WIDTH: Final = 898
"""76 mm at 300 dots per inch."""
_CV_HEIGHT: Final = 449
_CV_CODE: Final = 300


def draw_for_cv(badge: str, code: Sequence[Sequence[int]], lines: Sequence[str], faces: Faces) -> str:
    """Badge and QR code on white, with the lines of the short URL below the code; `code` is its modules."""
    size, middle = _CV_CODE / len(code), 674
    left, top = middle - _CV_CODE / 2, 18
    modules = "".join(
        f"M{left + column * size:.2f} {top + row * size:.2f}h{size:.2f}v{size:.2f}h-{size:.2f}z"
        for row, values in enumerate(code)
        for column, dark in enumerate(values)
        if dark
    )
    parts = [path(f"M0 0h{CV_WIDTH}v{_CV_HEIGHT}H0z", fill="#fff"), path(modules, fill="#000")]
    for number, line in enumerate(lines):
        size = 36
        while size > 16 and faces.sans.width(line, size) > 420:
            size -= 1
        baseline = top + _CV_CODE + 48 + number * 46
        parts.append(words_path(faces.sans.centred(line, size, middle, baseline), INK))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {CV_WIDTH} {_CV_HEIGHT}">{"".join(parts)}'
        f'<g transform="translate(18 18) scale(.413)">{_ROOT.sub("", badge)}</g></svg>'
    )


def at_300_dots(png: bytes) -> bytes:
    """The same picture with its resolution, so that documents show it at its size on paper."""
    head = len(_SIGNATURE) + 25
    return png[:head] + _chunk(b"pHYs", struct.pack(">IIB", 11_811, 11_811, 1)) + png[head:]


def _line(text: str, face: Typeface, size: int, baseline: float, colour: str) -> str:
    """One line, reduced and then shortened until it fits beside the badge."""
    text = typeset(plain(text))
    while size > 18 and face.width(text, size) > _ROOM:
        size -= 1
    text = shortened_to_fit(text, lambda tried: face.width(tried, size) <= _ROOM)
    return _at_left(text, face, size, baseline, colour)


def _at_left(text: str, face: Typeface, size: float, baseline: float, colour: str) -> str:
    middle = _LEFT + face.width(text, size) / 2
    return words_path(face.centred(text, size, middle, baseline), colour)


def _seal(emblem: str, colours: CampusColours, faces: Faces) -> str:
    """A ring around a short name, in a square of 1000."""
    rings = "".join(
        path(_circle(radius), fill="none", stroke=colours.accent_line) for radius in (398, 376, 354)
    )
    size = 230.0
    while size > 60 and faces.serif.width(emblem, size) > 520:
        size -= 5
    name = faces.serif.centred(emblem, size, 500, 500 + size * 0.34)
    return (
        path(_circle(430), fill=colours.accent)
        + rings
        + path(_circle(330), fill=PAPER)
        + path(_circle(308), fill="none", stroke=colours.accent, stroke_width=3)
        + words_path(name, colours.accent_deep)
    )


def _circle(radius: int) -> str:
    return (
        f"M{500 - radius} 500a{radius} {radius} 0 1 0 {2 * radius} 0a{radius} {radius} 0 1 0-{2 * radius} 0z"
    )


def _ribbon(colours: CampusColours) -> str:
    """The guilloché of Sceau along the foot: four strands, a quarter of a period apart."""
    period, height = 26.0, 12.0
    half, pull = period / 2, period / 2 * 0.4244
    wave = (
        f"c{pull:.1f}-{height:g} {half - pull:.1f}-{height:g} {half:g} 0"
        f"c{pull:.1f} {height:g} {half - pull:.1f} {height:g} {half:g} 0"
    )
    times = int(WIDTH / period) + 3
    strands = "".join(f"M{-period + strand * period / 4:.1f} 602{wave * times}" for strand in range(4))
    return path(strands, fill="none", stroke=colours.accent_line, stroke_width=1.5)


_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MOST_COLOURS: Final = 256
_PIXEL: Final = 4
_INDEXED_8: Final = (8, 3, 0, 0, 0)

Colours = list[tuple[bytes, int]]
"""Colours as four bytes, with the number of pixels of each."""


def with_palette(png: bytes) -> bytes:
    """The same picture with a palette."""
    with Image.open(BytesIO(png)) as picture:
        width, height = picture.size
        # A pixel is one number made of its four bytes.
        pixels = memoryview(picture.convert("RGBA").tobytes()).cast("I")
    seen = Counter(pixels)
    groups = _groups({_colour(pixel): count for pixel, count in seen.items()})
    place = {colour: number for number, group in enumerate(groups) for colour, _ in group}
    palette = [max(group, key=lambda seen: (seen[1], seen[0]))[0] for group in groups]
    place_of_pixel = {pixel: place[_colour(pixel)] for pixel in seen}
    places = bytes(map(place_of_pixel.__getitem__, pixels))
    data = b"".join(b"\0" + places[start : start + width] for start in range(0, len(places), width))
    return _SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *_INDEXED_8)),
            _chunk(b"PLTE", b"".join(colour[:3] for colour in palette)),
            _chunk(b"tRNS", bytes(colour[3] for colour in palette)),
            _chunk(b"IDAT", zlib.compress(data, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _colour(pixel: int) -> bytes:
    return pixel.to_bytes(_PIXEL, sys.byteorder)


def _groups(seen: Mapping[bytes, int]) -> list[Colours]:
    """Colours that share one palette entry: the widest group is halved until the palette is full."""
    groups: list[Colours] = [sorted(seen.items())]
    spreads = [_spread(groups[0])]
    while len(groups) < _MOST_COLOURS and max(spreads)[0]:
        widest = spreads.index(max(spreads))
        halves = _halves(groups[widest], spreads[widest][1])
        groups[widest : widest + 1] = halves
        spreads[widest : widest + 1] = map(_spread, halves)
    return groups


def _spread(group: Colours) -> tuple[int, int]:
    """The range of a group on its widest channel, and that channel."""
    channels = zip(*(colour for colour, _ in group), strict=True)
    return max((max(values) - min(values), channel) for channel, values in enumerate(channels))


def _halves(group: Colours, channel: int) -> list[Colours]:
    values = [colour[channel] for colour, _ in group]
    middle = (min(values) + max(values)) / 2
    low = [seen for seen in group if seen[0][channel] <= middle]
    high = [seen for seen in group if seen[0][channel] > middle]
    return [low, high]
