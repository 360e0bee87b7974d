"""Icons (24 units wide), verdict seals (64) and the mark of the service, drawn for Sceau and put inline."""

from __future__ import annotations

from markupsafe import Markup

# Classes inside a drawing: f is filled, k has the colour of the ground, s is a line.

ICONS = {
    "check": '<circle class="f" cx="12" cy="12" r="11"/><path class="k" d="m7 12.5 3.5 3.5L17 8.5"/>',
    "cross": '<path class="f" d="M7.7 1.5h8.6l6.2 6.2v8.6l-6.2 6.2H7.7l-6.2-6.2V7.7z"/><path class="k" d="m8.5 8.5 7 7m0-7-7 7"/>',
    "unknown": '<circle cx="12" cy="12" r="10" stroke-dasharray="3.2 3.1"/><path d="M9.4 9.3a2.7 2.7 0 1 1 4.2 2.2c-1 .7-1.6 1.2-1.6 2.3m0 3v.1"/>',
    "clock": '<circle cx="12" cy="12" r="10"/><path d="M12 6.5v6l4 2.5"/>',
    "info": '<circle cx="12" cy="12" r="10"/><path d="M12 11v6m0-10v.1"/>',
    "warn": '<path d="M12 3 22 20.5H2z"/><path d="M12 10v5m0 2.6v.1"/>',
    "lock": '<path d="M4.5 11h15v10h-15zM8 11V7a4 4 0 0 1 8 0v4"/>',
    "open": '<path d="M4.5 11h15v10h-15zM8 11V7a4 4 0 0 1 7.7-1.5"/>',
    "eye": '<path d="M2 12c3-5 6.4-7 10-7s7 2 10 7c-3 5-6.4 7-10 7s-7-2-10-7z"/><circle cx="12" cy="12" r="3"/>',
    "link": '<path d="M9.5 14.5 14.5 9.5M11 6.5l1.5-1.5a4.6 4.6 0 0 1 6.5 6.5L17.5 13M13 17.5 11.5 19A4.6 4.6 0 0 1 5 12.5L6.5 11"/>',
    "qr": '<path d="M3 3h7v7H3zM14 3h7v7h-7zM3 14h7v7H3zM14 14h3v3h-3zM21 14v.1M21 18v3h-3.5M14 21v.1"/>',
    "file": '<path d="M5 2.5h9l5 5v14H5z"/><path d="M14 2.5v5h5"/>',
    "up": '<path d="M12 16V4m-5 5 5-5 5 5M4 20h16"/>',
    "down": '<path d="M12 4v12m-5-5 5 5 5-5M4 20h16"/>',
    "rise": '<path d="M12 20V4m-7 7 7-7 7 7"/>',
    "sink": '<path d="M12 4v16m-7-7 7 7 7-7"/>',
    "print": '<path d="M7 9V3h10v6M7 18H3.5V9h17v9H17M7 14.5h10V21H7z"/>',
    "camera": '<path d="M2.5 7h4.5l2-3h6l2 3h4.5v13h-19z"/><circle cx="12" cy="13" r="3.8"/>',
    "person": '<circle cx="12" cy="8" r="4.5"/><path d="M3.5 21.5c1-4.5 4.3-6.5 8.5-6.5s7.5 2 8.5 6.5"/>',
    "people": '<circle cx="9" cy="8" r="4"/><path d="M1.5 20.5c.8-4 3.6-6 7.5-6s6.7 2 7.5 6M16 4.3a4 4 0 0 1 0 7.4M18.5 14.8c2.2.8 3.5 2.7 4 5.7"/>',
    "home": '<path d="M4 21V9.5L12 3l8 6.5V21zM9.5 21v-6.5h5V21"/>',
    "pen": '<path d="m3.5 20.5 1-4.5L16.5 4l3.5 3.5-12 12zM14 6.5 17.5 10"/>',
    "search": '<circle cx="10.5" cy="10.5" r="7"/><path d="m15.8 15.8 5.7 5.7"/>',
    "next": '<path d="M4 12h16m-6-6 6 6-6 6"/>',
    "prev": '<path d="M20 12H4m6-6-6 6 6 6"/>',
    "copy": '<path d="M8.5 8.5h12v12h-12zM15.5 8.5v-5h-12v12h5"/>',
    "mail": '<path d="M2.5 5h19v14h-19zm0 1.5 9.5 7 9.5-7"/>',
    "phone": '<path d="M7 1.5h10v21H7zM11 19h2"/>',
    "plus": '<path d="M12 4v16M4 12h16"/>',
    "refresh": '<path d="M20 5v5.5h-5.5M4 19v-5.5h5.5"/><path d="M19.5 10.5a8 8 0 0 0-14-3M4.5 13.5a8 8 0 0 0 14 3"/>',
    "list": '<path d="M8.5 6H21M8.5 12H21M8.5 18H21M3.5 6h.1M3.5 12h.1M3.5 18h.1"/>',
    "undo": '<path d="M8 4 3.5 8.5 8 13"/><path d="M3.5 8.5H14a6 6 0 0 1 0 12H8"/>',
    "wallet": '<path d="M3 6.5h16v-3H5a2 2 0 0 0-2 2zm0 0V20.5h18v-14h-2M16.5 13.5v.1"/>',
    "building": '<path d="M4 21.5v-17h10v17M14 9.5h6v12M2 21.5h20M8 8.5h2M8 12.5h2M8 16.5h2"/>',
}

_WAX = "M37.0 7.1A5.15 5.15 0 0 1 46.1 10.9A5.15 5.15 0 0 1 53.1 17.9A5.15 5.15 0 0 1 56.9 27.0A5.15 5.15 0 0 1 56.9 37.0A5.15 5.15 0 0 1 53.1 46.1A5.15 5.15 0 0 1 46.1 53.1A5.15 5.15 0 0 1 37.0 56.9A5.15 5.15 0 0 1 27.0 56.9A5.15 5.15 0 0 1 17.9 53.1A5.15 5.15 0 0 1 10.9 46.1A5.15 5.15 0 0 1 7.1 37.0A5.15 5.15 0 0 1 7.1 27.0A5.15 5.15 0 0 1 10.9 17.9A5.15 5.15 0 0 1 17.9 10.9A5.15 5.15 0 0 1 27.0 7.1A5.15 5.15 0 0 1 37.0 7.1Z"
SEALS = {
    "ok": f'<path class="f" d="{_WAX}"/><circle class="k" cx="32" cy="32" r="22" stroke-width="1.2"/><path class="k" d="m21 33 8 8 15-17" stroke-width="5"/>',
    "past": f'<path class="s" d="{_WAX}" stroke-width="3"/><circle class="s" cx="32" cy="32" r="18" stroke-width="1.2"/><path class="s" d="M32 21v12l8 6" stroke-width="4"/>',
    "revoked": f'<path class="s" d="{_WAX}" stroke-width="3"/><circle class="s" cx="32" cy="32" r="20" stroke-width="1.2"/><path class="s" d="M17 47 47 17" stroke-width="6"/>',
    "broken": f'<path class="f" d="{_WAX}"/><path class="k" d="M37-4 29 17l8 9-12 11 9 10-7 20" stroke-width="5" stroke-linejoin="miter"/>',
    "unk": '<circle class="s" cx="32" cy="32" r="27" stroke-width="3.5" stroke-dasharray="7 6.1"/><path class="s" d="M25 25.5a7.5 7.5 0 1 1 11.5 6.5c-3 2-4.5 3.5-4.5 7m0 7.5v.2" stroke-width="4.5"/>',
    "shut": '<circle class="s" cx="32" cy="32" r="27" stroke-width="3"/><path class="s" d="M22 30h20v15H22zM26 30v-5a6 6 0 0 1 12 0v5" stroke-width="3.5"/>',
}

_MARK = "M37.5 4.5A5.68 5.68 0 0 1 47.6 8.7A5.68 5.68 0 0 1 55.3 16.4A5.68 5.68 0 0 1 59.5 26.5A5.68 5.68 0 0 1 59.5 37.5A5.68 5.68 0 0 1 55.3 47.6A5.68 5.68 0 0 1 47.6 55.3A5.68 5.68 0 0 1 37.5 59.5A5.68 5.68 0 0 1 26.5 59.5A5.68 5.68 0 0 1 16.4 55.3A5.68 5.68 0 0 1 8.7 47.6A5.68 5.68 0 0 1 4.5 37.5A5.68 5.68 0 0 1 4.5 26.5A5.68 5.68 0 0 1 8.7 16.4A5.68 5.68 0 0 1 16.4 8.7A5.68 5.68 0 0 1 26.5 4.5A5.68 5.68 0 0 1 37.5 4.5ZM38.9 20.2l-2.9-.6l2.4-1.8l.5 0l1.4 8.8l-1 .2l-3.9-6l1.2 1.3q-1.1-.8-2.2-1.2q-1.1-.4-2.3-.4q-2.4 0-3.5 1.1q-1.2 1-1.2 2.6q0 1.2 .5 1.9q.6 .8 1.5 1.3q.9 .6 2.1 1q1.2 .4 2.5 .9q1.3 .4 2.6 1q1.2 .6 2.3 1.4q1 .9 1.6 2.2q.7 1.3 .7 3.1q0 2.7-1.3 4.5q-1.3 1.8-3.6 2.7q-2.3 1-5.1 1q-2 0-3.6-.3q-1.6-.2-3.2-.9l-1.7-7.1l1.1 0l5.3 7.2l-3.9-2.5q1.5 .8 2.7 1.2q1.2 .4 2.6 .4q2.1 0 3.5-.5q1.4-.6 2.1-1.5q.7-1 .7-2.5q0-1.3-.7-2.2q-.7-.9-1.7-1.5q-1.1-.6-2.4-1q-1.3-.4-2.5-.9q-1.3-.5-2.4-1q-1.1-.6-2-1.4q-.8-.8-1.3-2q-.5-1.1-.5-2.8q0-2.2 1.1-3.8q1.1-1.7 3.2-2.6q2.1-.9 4.8-.9q1.8 0 3.4 .4q1.5 .3 3.1 1.2zM32 10.5a21.5 21.5 0 1 0 0 43 21.5 21.5 0 0 0 0-43zm0 1.8a19.7 19.7 0 1 1 0 39.4 19.7 19.7 0 0 1 0-39.4z"


def icon(name: str, classes: str = "") -> Markup:
    """A small picture beside words; it never stands alone, so it is hidden from screen readers."""
    return _drawing(f"i {classes}".strip(), 24, ICONS[name])


def seal(name: str) -> Markup:
    """The seal of a verdict: ok, past, revoked, broken, unk or shut."""
    return _drawing("seal", 64, SEALS[name])


def mark() -> Markup:
    """The mark of the service: a struck seal with its initial."""
    return _drawing("mark", 64, f'<path fill-rule="evenodd" d="{_MARK}"/>')


def _drawing(classes: str, side: int, shapes: str) -> Markup:
    # Only drawings of this file and class names of our templates come here.
    return Markup(  # noqa: S704
        f'<svg class="{classes}" viewBox="0 0 {side} {side}" aria-hidden="true" focusable="false">{shapes}</svg>'
    )
