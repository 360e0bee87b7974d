"""How many cases a test runs daily, and in `make test-long`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

IS_LONG = bool(os.environ.get("SCEAU_TEST_LONG"))
_Case = TypeVar("_Case")
_MOST = 150


def examples(everyday: int) -> int:
    """The number of Hypothesis examples: `everyday` up to 150, or ten times `everyday` in `make test-long`."""
    return everyday * 10 if IS_LONG else min(everyday, _MOST)


def in_turn(alike: Sequence[_Case], turn: int, *, of: int | None = None) -> Sequence[_Case]:
    """Every `of`-th of these equivalent cases (by default a single one), rotating with `turn`; all in `make test-long`."""
    return alike if IS_LONG else alike[turn % (of or len(alike)) :: of or len(alike)]
