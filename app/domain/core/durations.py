"""How long something took, as people write it."""

from __future__ import annotations

from typing import Final

_NO_BREAK: Final = "\u00a0"


def duration(minutes: int) -> str:
    """2 h 30, 14 h, 45 min."""
    hours, rest = divmod(minutes, 60)
    parts = [f"{hours}{_NO_BREAK}h"] if hours else []
    if rest:
        parts.append(str(rest) if hours else f"{rest}{_NO_BREAK}min")
    return _NO_BREAK.join(parts) or f"0{_NO_BREAK}h"
