"""What a code to scan is made of: the dark stretches of a QR code, row by row, for whoever draws it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import segno


@dataclass(frozen=True)
class ScanCode:
    """`stretches` are (column, row, length) of dark modules; `size` is how many modules a side has."""

    size: int
    stretches: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, text: str, *, error: str) -> ScanCode:
        """`error`: how much of it may be lost, from « l » to « h ». The smallest that takes the text."""
        made = segno.make(text, error=error, micro=False)
        stretches = (
            (column, row, length)
            for row, modules in enumerate(made.matrix)
            for column, length in _dark_in(modules)
        )
        return cls(len(made.matrix), tuple(stretches))


def _dark_in(modules: bytearray) -> Iterator[tuple[int, int]]:
    """(first column, length) of each stretch."""
    first = None
    for column, is_dark in enumerate([*modules, 0]):
        if is_dark and first is None:
            first = column
        if not is_dark and first is not None:
            yield first, column - first
            first = None
