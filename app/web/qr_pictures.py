"""Codes to scan, drawn straight into a page."""

from __future__ import annotations

import segno
from markupsafe import Markup, escape


def qr_picture(text: str, words: str) -> Markup:
    """Black on white whatever the colours of the page, with the white edge that cameras need; `words` say what it is."""
    made = segno.make(text, error="m", micro=False)
    size, edge = made.symbol_size(border=0)[0], 4
    steps = "".join(
        f"M{left} {top}h{length}v1h-{length}z"
        for top, row in enumerate(made.matrix)
        for left, length in _runs(row)
    )
    return Markup(
        '<svg class="qr" viewBox="{} {} {} {}" role="img" aria-label="{}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M{} {}h{}v{}h-{}z"/><path fill="#000" d="{}"/></svg>'
    ).format(
        -edge,
        -edge,
        size + 2 * edge,
        size + 2 * edge,
        escape(words),
        -edge,
        -edge,
        size + 2 * edge,
        size + 2 * edge,
        size + 2 * edge,
        steps,
    )


def _runs(row: bytearray) -> list[tuple[int, int]]:
    """(first column, length) of each stretch of dark modules."""
    found: list[tuple[int, int]] = []
    for column, dark in enumerate(row):
        if not dark:
            continue
        if found and sum(found[-1]) == column:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((column, 1))
    return found
