"""How often Python looks for values that hold one another: rarely, as a request makes thousands that live to its end."""

from __future__ import annotations

import gc
from typing import Final

_NEW_VALUES: Final = 200_000  # Python's own 700 cost a quarter of the time that awarding to thousands takes
_YOUNG_ROUNDS: Final = 5
_OLD_ROUNDS: Final = 100


def collect_rarely() -> None:
    """For the whole process. What is there by now is taken to stay, and not looked at again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_VALUES, _YOUNG_ROUNDS, _OLD_ROUNDS)
