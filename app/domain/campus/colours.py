"""A campus chooses a hue and a liveliness; this module gives the colours, each with its contrast kept."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, isfinite, radians, sin
from typing import Final, NamedTuple

MOST_LIVELY: Final = 0.14
"""The greatest OKLCH chroma a campus may choose."""

_GAMUT_TOLERANCE: Final = 1e-4
_CHROMA_STEPS: Final = 18


class _Tone(NamedTuple):
    """What the system decides of a colour: its OKLCH lightness, and the share of the campus's chroma."""

    lightness: float
    share: float


class _Tones(NamedTuple):
    accent: _Tone
    accent_deep: _Tone
    accent_line: _Tone
    accent_tint: _Tone
    accent_soft: _Tone


_LIGHT: Final = _Tones(
    accent=_Tone(0.43, 1.0),
    accent_deep=_Tone(0.33, 0.9),
    accent_line=_Tone(0.74, 0.62),
    accent_tint=_Tone(0.955, 0.2),
    accent_soft=_Tone(0.85, 0.5),
)
_DARK: Final = _Tones(
    accent=_Tone(0.82, 0.72),
    accent_deep=_Tone(0.9, 0.45),
    accent_line=_Tone(0.52, 0.7),
    accent_tint=_Tone(0.285, 0.32),
    accent_soft=_Tone(0.85, 0.5),
)


@dataclass(frozen=True, slots=True)
class CampusColours:
    """The colours of one campus as `#rrggbb`, for light pages or for dark ones.

    `accent` is read as text, `accent_deep` answers a hover and fills the enamel of a badge, `accent_line`
    only decorates, `accent_tint` is a ground, `accent_soft` is read on the enamel.
    """

    accent: str
    accent_deep: str
    accent_line: str
    accent_tint: str
    accent_soft: str

    @classmethod
    def of(cls, hue: float, liveliness: float, *, dark: bool = False) -> CampusColours:
        """Hue in degrees, any turn of the circle; liveliness is brought into 0 … `MOST_LIVELY`."""
        if not (isfinite(hue) and isfinite(liveliness)):
            raise ValueError("a hue and a liveliness are finite numbers")
        chroma = min(max(liveliness, 0.0), MOST_LIVELY)
        tones = _DARK if dark else _LIGHT
        return cls(*(oklch(tone.lightness, chroma * tone.share, hue % 360) for tone in tones))


def oklch(lightness: float, chroma: float, hue: float) -> str:
    """`#rrggbb` of an OKLCH colour; the chroma is reduced until sRGB can show it."""
    if not _in_gamut(_linear_srgb(lightness, chroma, hue)):
        chroma = _greatest_chroma(lightness, chroma, hue)
    channels = (round(_gamma(value) * 255) for value in _linear_srgb(lightness, chroma, hue))
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def contrast(one: str, other: str) -> float:
    """The WCAG 2.2 contrast ratio of two `#rrggbb` colours, from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _greatest_chroma(lightness: float, chroma: float, hue: float) -> float:
    shown, refused = 0.0, chroma
    for _ in range(_CHROMA_STEPS):
        middle = (shown + refused) / 2
        if _in_gamut(_linear_srgb(lightness, middle, hue)):
            shown = middle
        else:
            refused = middle
    return shown


def _linear_srgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    """OKLab's published matrices (Björn Ottosson, 2020), from cylinder coordinates to linear sRGB."""
    a, b = chroma * cos(radians(hue)), chroma * sin(radians(hue))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )


def _in_gamut(channels: tuple[float, float, float]) -> bool:
    return all(-_GAMUT_TOLERANCE <= value <= 1 + _GAMUT_TOLERANCE for value in channels)


def _gamma(linear: float) -> float:
    value = min(1.0, max(0.0, linear))
    return 12.92 * value if value <= 0.0031308 else 1.055 * float(value ** (1 / 2.4)) - 0.055


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else float(((value + 0.055) / 1.055) ** 2.4)
