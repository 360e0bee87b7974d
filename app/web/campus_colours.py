"""The stylesheet that gives a campus its own accent, light and dark."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Accent:
    """Four colours of one campus in one light, each `#rrggbb`."""

    accent: str
    deep: str
    line: str
    tint: str

    def __post_init__(self) -> None:
        for colour in (self.accent, self.deep, self.line, self.tint):
            if not _COLOUR.fullmatch(colour):
                raise ValueError(f"not a colour: {colour!r}")

    def declarations(self) -> str:
        return (
            f"--accent:{self.accent};--accent-deep:{self.deep};"
            f"--accent-line:{self.line};--accent-tint:{self.tint}"
        )


@dataclass(frozen=True)
class CampusColours:
    """What `[data-campus=slug]` looks like."""

    slug: str
    light: Accent
    dark: Accent

    def __post_init__(self) -> None:
        if not _SLUG.fullmatch(self.slug):
            raise ValueError(f"not a campus slug: {self.slug!r}")


def render_campus_css(campuses: Iterable[CampusColours]) -> str:
    """One rule a campus and light; `paper` (certificate, projection) stays light as printed matter does."""
    each = list(campuses)
    light = "".join(f'[data-campus="{c.slug}"]{{{c.light.declarations()}}}\n' for c in each)
    dark = "".join(f'[data-campus="{c.slug}"]:not(.paper){{{c.dark.declarations()}}}\n' for c in each)
    return f"{light}@media screen and (prefers-color-scheme:dark){{\n{dark}}}\n"
