"""Codes to scan, drawn straight into a page."""

from __future__ import annotations

from markupsafe import Markup, escape

from app.domain.activities.scan_codes import ScanCode


def qr_picture(text: str, words: str) -> Markup:
    """Black on white whatever the colours of the page, with the white edge that cameras need; `words` say what it is."""
    code, edge = ScanCode.of(text, error="m"), 4
    side = code.size + 2 * edge
    steps = "".join(f"M{left} {top}h{length}v1h-{length}z" for left, top, length in code.stretches)
    return Markup(
        '<svg class="qr" viewBox="{} {} {} {}" role="img" aria-label="{}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M{} {}h{}v{}h-{}z"/><path fill="#000" d="{}"/></svg>'
    ).format(-edge, -edge, side, side, escape(words), -edge, -edge, side, side, side, steps)
