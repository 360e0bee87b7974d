"""Content of a badge picture, and its text alternative."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import pairwise
from typing import Final, NamedTuple
from unicodedata import combining, normalize

from app.adapters.badge_pictures.templates import Typeface
from app.domain.core import NOT_IN_XML
from app.language import N_

_TURNS_TEXT_AROUND: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")

KIND_WORDS: Final[Mapping[str, str]] = {
    "appartenance": "Appartenance",
    "participation": "Participation",
    "engagement": "Engagement",
    "savoir-etre": "Savoir-être",
    "competence": "Compétence",
    "realisation": "Réalisation",
}

_ALTERNATIVES: Final[Mapping[str, str]] = {
    "appartenance": N_("Badge d’appartenance « {title} », campus {campus}, {year}"),
    "participation": N_("Badge de participation « {title} », campus {campus}, {year}"),
    "engagement": N_("Badge d’engagement « {title} », campus {campus}, {year}"),
    "savoir-etre": N_("Badge de savoir-être « {title} », campus {campus}, {year}"),
    "competence": N_("Badge de compétence « {title} », campus {campus}, {year}"),
    "realisation": N_("Badge de réalisation « {title} », campus {campus}, {year}"),
}
_ALTERNATIVES_WITH_LEVEL: Final[Mapping[str, str]] = {
    "appartenance": N_(
        "Badge d’appartenance « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
    "participation": N_(
        "Badge de participation « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
    "engagement": N_("Badge d’engagement « {title} », niveau {level} sur {levels}, campus {campus}, {year}"),
    "savoir-etre": N_(
        "Badge de savoir-être « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
    "competence": N_("Badge de compétence « {title} », niveau {level} sur {levels}, campus {campus}, {year}"),
    "realisation": N_(
        "Badge de réalisation « {title} », niveau {level} sur {levels}, campus {campus}, {year}"
    ),
}


_KINDS: Final[Mapping[str, str]] = {
    "appartenance": N_("Badge d’appartenance"),
    "participation": N_("Badge de participation"),
    "engagement": N_("Badge d’engagement"),
    "savoir-etre": N_("Badge de savoir-être"),
    "competence": N_("Badge de compétence"),
    "realisation": N_("Badge de réalisation"),
}
_KINDS_WITH_LEVEL: Final[Mapping[str, str]] = {
    "appartenance": N_("Badge d’appartenance, niveau {level} sur {levels}"),
    "participation": N_("Badge de participation, niveau {level} sur {levels}"),
    "engagement": N_("Badge d’engagement, niveau {level} sur {levels}"),
    "savoir-etre": N_("Badge de savoir-être, niveau {level} sur {levels}"),
    "competence": N_("Badge de compétence, niveau {level} sur {levels}"),
    "realisation": N_("Badge de réalisation, niveau {level} sur {levels}"),
}


@dataclass(frozen=True, slots=True)
class PictureOrder:
    """Everything a picture of one badge version shows; never the name of a person.

    `level` out of `levels` is drawn where both are given; `emblem`, a few letters, replaces the campus's
    short name in the drawing, never in its text alternative.
    """

    kind: str
    title: str
    campus_short_name: str
    year: str
    address: str
    hue: float
    liveliness: float
    level: int | None = None
    levels: int | None = None
    emblem: str = ""
    code: str = ""
    """Target URL of the QR code beside the address; no code where it is empty."""
    logo: bytes = field(default=b"", repr=False)
    """Replaces the letters; PNG or JPEG, as `read_art` returns it."""
    own: bytes = field(default=b"", repr=False)
    """Replaces the whole shape, above the address."""

    @property
    def struck(self) -> str:
        """The letters struck in the middle."""
        return self.emblem or self.campus_short_name

    @property
    def steps(self) -> tuple[int, int] | None:
        """The level reached and how many there are."""
        return (self.level, self.levels) if self.level is not None and self.levels else None


def picture_alternative(order: PictureOrder) -> tuple[str, dict[str, object]]:
    """The text alternative of a picture: a French msgid, and the values of its fields."""
    values: dict[str, object] = {
        "title": plain(order.title),
        "campus": plain(order.campus_short_name),
        "year": plain(order.year),
    }
    if order.steps is None:
        return _ALTERNATIVES[order.kind], values
    reached, of = order.steps
    return _ALTERNATIVES_WITH_LEVEL[order.kind], values | {"level": reached, "levels": of}


def kind_alone(order: PictureOrder) -> tuple[str, dict[str, object]]:
    """The kind and the level as text: a French msgid, and the values of its fields."""
    if order.steps is None:
        return _KINDS[order.kind], {}
    reached, of = order.steps
    return _KINDS_WITH_LEVEL[order.kind], {"level": reached, "levels": of}


def plain(text: str) -> str:
    """Text valid in XML, without characters that change the direction of the following text."""
    return _TURNS_TEXT_AROUND.sub("", NOT_IN_XML.sub("\ufffd", text)).strip()


HalfWidth = Callable[[float], float]
"""Half-width available on each side of the axis at a height."""

ELLIPSIS: Final = "…"
_LEADING: Final = 1.1
_DESCENT: Final = 0.12
_MOST_LINES: Final = 5
_LONGEST: Final = 400
_MOST_STROKES: Final = 4_000
_WORTH_A_WORSE_BREAK: Final = 1.2
_LITTLE_WORDS: Final = frozenset(
    (
        "à",
        "a",
        "au",
        "aux",
        "avec",
        "d’un",
        "d’une",
        "dans",
        "de",
        "des",
        "du",
        "en",
        "entre",
        "et",
        "la",
        "le",
        "les",
        "ou",
        "par",
        "pour",
        "sans",
        "sur",
        "un",
        "une",
        "the",
        "of",
        "and",
        "to",
        "in",
    )
)
_INSIDE_A_WORD: Final = re.compile(r"(?<=\w{4}-)(?=\w{4})")
_BEFORE_A_SIGN: Final = re.compile(r" (?=[:;!?»%])")
_AFTER_A_SIGN: Final = re.compile(r"(?<=«) |(?<=\bn°) ")
_BLANKS: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")


class _Break(IntEnum):
    """Where a line may end, from best to worst; a number is never separated from its unit."""

    BETWEEN_WORDS = 0
    AFTER_A_LITTLE_WORD = 1
    INSIDE_A_WORD = 2


class _Atom(NamedTuple):
    """An unbreakable part of the text, and the kind of break that may follow it."""

    text: str
    width: float
    end: _Break

    @property
    def space(self) -> str:
        return "" if self.end is _Break.INSIDE_A_WORD else " "


class _Division(NamedTuple):
    """Atoms divided into lines, and the cost of the layout: 0 is perfect."""

    cost: float
    ends: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Line:
    text: str
    baseline: float


@dataclass(frozen=True, slots=True)
class Setting:
    size: float
    lines: tuple[Line, ...]
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone of a title: between two heights, as wide as the shape is there."""

    top: float
    bottom: float
    half_width: HalfWidth
    biggest: int = 84
    smallest: int = 30


def typeset(text: str) -> str:
    """French typography: curly apostrophes, and no line begins with a sign that belongs to the preceding
    term."""
    text = _BLANKS.sub(" ", normalize("NFC", text)).strip().replace("'", "’")
    return _AFTER_A_SIGN.sub("\u00a0", _BEFORE_A_SIGN.sub("\u00a0", text))


def set_title(title: str, face: Typeface, zone: Zone) -> Setting:
    """The largest layout of the whole title, or of as much of it as the smallest size can hold.

    Titles with too large outlines are shortened as well.
    """
    text = typeset(title)
    light = len(text) <= _LONGEST and face.strokes(text) <= _MOST_STROKES
    return (light and _whole(text, face, zone)) or _shortened(text[:_LONGEST], face, zone)


def shortened_to_fit(text: str, fits: Callable[[str], bool]) -> str:
    """`text`, or its longest prefix that fits with an ellipsis; an accent is never separated from its
    letter."""
    if fits(text):
        return text
    kept, refused = 0, len(text)
    while refused - kept > 1:
        middle = (kept + refused) // 2
        kept, refused = (middle, refused) if fits(_cut(text, middle)) else (kept, middle)
    return _cut(text, kept)


def _cut(text: str, length: int) -> str:
    while length and length < len(text) and combining(text[length]):
        length -= 1
    return text[:length].rstrip(" \u00a0-’«(:,;") + ELLIPSIS


def _whole(text: str, face: Typeface, zone: Zone) -> Setting | None:
    """A worse kind of break is used only where it makes the title much larger."""
    best: Setting | None = None
    for worst in _Break:
        atoms = _atoms(text, face, worst)
        smallest = zone.smallest if best is None else round(best.size * _WORTH_A_WORSE_BREAK)
        sizes = range(zone.biggest, smallest - 1, -1)
        best = next(filter(None, (_at_size(size, atoms, face, zone) for size in sizes)), best)
    return best


def _shortened(text: str, face: Typeface, zone: Zone) -> Setting:
    def setting(tried: str) -> Setting | None:
        if face.strokes(tried) > _MOST_STROKES:
            return None
        return _at_size(zone.smallest, _atoms(tried, face, _Break.INSIDE_A_WORD), face, zone)

    found = setting(shortened_to_fit(text + ELLIPSIS, lambda tried: setting(tried) is not None))
    return Setting(zone.smallest, found.lines if found else (), shortened=True)


def _atoms(text: str, face: Typeface, worst: _Break) -> list[_Atom]:
    """The text in parts between which no break is worse than `worst`; widths are for a size of one."""
    pieces, start = list[tuple[str, _Break]](), ""
    for word in text.split(" "):
        *heads, tail = _INSIDE_A_WORD.split(word)
        clings = word.lower() in _LITTLE_WORDS or word.isdigit()
        little = _Break.AFTER_A_LITTLE_WORD if clings else _Break.BETWEEN_WORDS
        for piece, end in (*((head, _Break.INSIDE_A_WORD) for head in heads), (tail, little)):
            start += piece
            if end <= worst:
                pieces.append((start, end))
                start = ""
            elif end is not _Break.INSIDE_A_WORD:
                start += " "
    if start.strip():
        pieces.append((start.rstrip(), _Break.BETWEEN_WORDS))
    return [_Atom(piece, face.width(piece, 1), end) for piece, end in pieces]


def _at_size(size: int, atoms: list[_Atom], face: Typeface, zone: Zone) -> Setting | None:
    """The best-balanced layout at one size, whatever the number of lines."""
    found: tuple[float, Setting] | None = None
    space = face.width(" ", 1)
    for baselines in _baselines(size, face, zone):
        rooms = [_room(baseline, size, face, zone) / size for baseline in baselines]
        division = _divide(atoms, rooms, space)
        if division and (found is None or division.cost / len(rooms) < found[0]):
            lines = zip(_texts(atoms, division), baselines, strict=True)
            found = division.cost / len(rooms), Setting(size, tuple(Line(*line) for line in lines))
    return found[1] if found else None


def _baselines(size: int, face: Typeface, zone: Zone) -> Iterator[list[float]]:
    """For one line, two lines and so on: the baselines of the block centred in its zone."""
    cap, lead = size * face.cap_height, size * _LEADING
    for number in range(1, _MOST_LINES + 1):
        height = lead * (number - 1) + cap
        if height > zone.bottom - zone.top:
            return
        first = (zone.top + zone.bottom - height) / 2 + cap
        yield [first + lead * line for line in range(number)]


def _room(baseline: float, size: int, face: Typeface, zone: Zone) -> float:
    return 2 * min(
        zone.half_width(baseline - size * face.cap_height), zone.half_width(baseline + size * _DESCENT)
    )


def _divide(atoms: list[_Atom], rooms: list[float], space: float) -> _Division | None:
    """The cheapest division into exactly these lines, by dynamic programming; None where there is none."""
    reached = {0: _Division(0.0, (0,))}
    for number, room in enumerate(rooms, start=1):
        further: dict[int, _Division] = {}
        for start, division in reached.items():
            for end, width in _line_ends(atoms, start, room, space):
                cost = division.cost + (1 - width / room) ** 2
                cost += atoms[end - 1].end if end < len(atoms) else 0
                if end not in further or cost < further[end].cost:
                    further[end] = _Division(cost, (*division.ends, end))
        reached = {
            end: division for end, division in further.items() if (end < len(atoms)) != (number == len(rooms))
        }
    return reached.get(len(atoms))


def _line_ends(atoms: list[_Atom], start: int, room: float, space: float) -> Iterator[tuple[int, float]]:
    """Possible ends of a line that starts at an atom, with its width."""
    width = 0.0
    for end in range(start, len(atoms)):
        if end > start and atoms[end - 1].space:
            width += space
        width += atoms[end].width
        if width > room or not room:
            return
        yield end + 1, width


def _texts(atoms: list[_Atom], division: _Division) -> list[str]:
    return [
        "".join(atom.text + atom.space for atom in atoms[start:end]).rstrip(" ")
        for start, end in pairwise(division.ends)
    ]
