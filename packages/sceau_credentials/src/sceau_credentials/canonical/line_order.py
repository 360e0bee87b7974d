"""Lines with marks in them: in what order they stand, where it is the same whatever the marks come to stand for."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

Pieces: TypeAlias = Sequence[str]
"""A line taken apart at its marks: a text, the number of a mark, a text, and so on to a last text."""


def is_fixed(lines: Sequence[Pieces]) -> bool:
    """Whether each of these lines sorts before the next one, and differs from it, with any values in their marks."""
    return all(_comes_first(line, following) for line, following in pairwise(lines))


def _comes_first(line: Pieces, other: Pieces) -> bool:
    """False also where it depends on the values."""
    for place, (piece, opposite) in enumerate(zip(line, other, strict=False)):
        if piece == opposite:
            continue  # one text, or one mark, which stands for one value in both
        if place % 2:
            return False
        at = _first_difference(piece, opposite)
        if at < len(piece) and at < len(opposite):
            return piece[at] < opposite[at]
        # One text is the beginning of the other: what follows it is a value, unless its line ends there.
        return at == len(piece) and place == len(line) - 1
    # The other goes on where this line ends; values alone may be nothing, and then the two are one line.
    return any(other[len(line) + 1 :: 2])


def _first_difference(text: str, other: str) -> int:
    for at, (character, opposite) in enumerate(zip(text, other, strict=False)):
        if character != opposite:
            return at
    return min(len(text), len(other))
