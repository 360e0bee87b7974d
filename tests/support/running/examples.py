"""How much a test looks at each day, and in `make test-long`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

IS_LONG = bool(os.environ.get("SCEAU_TEST_LONG"))
_Case = TypeVar("_Case")
_MOST = 150


def examples(everyday: int) -> int:
    """That Hypothesis makes up for a property: 150 at most, and ten times `everyday` in `make test-long`."""
    return everyday * 10 if IS_LONG else min(everyday, _MOST)


def in_turn(alike: Sequence[_Case], turn: int, *, of: int | None = None) -> Sequence[_Case]:
    """One of `of` cases that are treated alike (one of them all, unless said), another at each turn."""
    return alike if IS_LONG else alike[turn % (of or len(alike)) :: of or len(alike)]
