"""The stylesheet that gives a campus its own accent, light and dark."""

from __future__ import annotations

from app.domain.campus.colours import CampusColours


def render_campus_css(slug: str, hue: float, liveliness: float) -> str:
    """What `[data-campus=slug]` looks like; `paper` (certificate, projection) stays light as printed matter does."""
    light = _declarations(CampusColours.of(hue, liveliness))
    dark = _declarations(CampusColours.of(hue, liveliness, dark=True))
    return (
        f'[data-campus="{slug}"]{{{light}}}\n'
        f'@media screen and (prefers-color-scheme:dark){{[data-campus="{slug}"]:not(.paper){{{dark}}}}}\n'
    )


def _declarations(colours: CampusColours) -> str:
    return (
        f"--accent:{colours.accent};--accent-deep:{colours.accent_deep};"
        f"--accent-line:{colours.accent_line};--accent-tint:{colours.accent_tint}"
    )
