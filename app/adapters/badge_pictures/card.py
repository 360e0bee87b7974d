"""The card that a link to an award unfolds into: 1200 × 630, what and by whom, and never a verdict.

A picture cannot be checked again, and is kept for weeks by whoever shows it: no person is named on it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import Final

from app.adapters.badge_pictures.drawing import INK, PAPER, Faces, path, words_path
from app.adapters.badge_pictures.order import plain
from app.adapters.badge_pictures.outlines import Typeface
from app.adapters.badge_pictures.setting import Zone, set_title, shortened_to_fit, typeset
from app.domain.campus.colours import CampusColours

WIDTH: Final = 1200
HEIGHT: Final = 630
_LEFT: Final = 72
_ROOM: Final = 580
_SOFT: Final = "#46525a"
_ROOT: Final = re.compile(
    r"\A<svg[^>]*>|<title.*?</title>|<desc>.*?</desc>|<style>.*?</style>|</svg>\s*\Z", re.S
)


@dataclass(frozen=True, slots=True)
class CardWords:
    """`kind` as « Badge de compétence, niveau 2 sur 3 »; `where` as « Vérifier : exemple.fr/v/K7QM-… »."""

    kind: str
    title: str
    campus: str
    when: str
    where: str


def draw_card(words: CardWords, badge: str, colours: CampusColours, faces: Faces) -> str:
    """A self-contained SVG in outlines; `badge` is the SVG of the badge's own picture."""
    title = set_title(words.title, faces.serif, Zone(140, 372, lambda _y: _ROOM / 2, biggest=62, smallest=26))
    below = title.lines[-1].baseline if title.lines else 250
    alternative = f"{words.kind} « {plain(words.title)} », {words.campus}, {words.when}. {words.where}"
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
        f'<g transform="translate(664 54) scale(.5)">{_ROOT.sub("", badge)}</g>',
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(alternative)}</title>"
        f'<clipPath id="c"><path d="M0 580h{WIDTH}v50H0z"/></clipPath>{"".join(parts)}</svg>'
    )


def _line(text: str, face: Typeface, size: int, baseline: float, colour: str) -> str:
    """One line, set smaller and then shortened until it fits beside the badge."""
    text = typeset(plain(text))
    while size > 18 and face.width(text, size) > _ROOM:
        size -= 1
    text = shortened_to_fit(text, lambda tried: face.width(tried, size) <= _ROOM)
    return _at_left(text, face, size, baseline, colour)


def _at_left(text: str, face: Typeface, size: float, baseline: float, colour: str) -> str:
    middle = _LEFT + face.width(text, size) / 2
    return words_path(face.centred(text, size, middle, baseline), colour)


def _ribbon(colours: CampusColours) -> str:
    """The guilloché of the house along the foot: four strands, a quarter of a period apart."""
    period, height = 26.0, 12.0
    half, pull = period / 2, period / 2 * 0.4244
    wave = (
        f"c{pull:.1f}-{height:g} {half - pull:.1f}-{height:g} {half:g} 0"
        f"c{pull:.1f} {height:g} {half - pull:.1f} {height:g} {half:g} 0"
    )
    times = int(WIDTH / period) + 3
    strands = "".join(f"M{-period + strand * period / 4:.1f} 602{wave * times}" for strand in range(4))
    return path(strands, fill="none", stroke=colours.accent_line, stroke_width=1.5)
