"""The short address of an award: twelve characters that a person can read off paper and type."""

from __future__ import annotations

import re
import uuid
from typing import Final

_DIGITS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's 32 digits: no I, L, O or U, so that nothing is taken for a 1 or a 0."""
_MISREAD: Final = str.maketrans("ILO", "110")
_LENGTH: Final = 12
_KEPT_BITS: Final = 5 * _LENGTH
_DROPPED_BITS: Final = 128 - _KEPT_BITS
_BETWEEN: Final = re.compile(r"[\s‐‑–—.-]+")


def short_code(award_id: uuid.UUID) -> str:
    """The first sixty bits of the award's random number, as « K7QM-29XF-4R8T »."""
    number = award_id.int >> _DROPPED_BITS
    digits = "".join(_DIGITS[number >> shift & 31] for shift in range(_KEPT_BITS - 5, -1, -5))
    return f"{digits[:4]}-{digits[4:8]}-{digits[8:]}"


def near_codes(typed: str) -> list[str]:
    """Every code that one slip of the hand turns into what was typed; empty where that is no code at all.

    A slip is a sign changed, left out or added, or two neighbours that changed places.
    """
    digits = _BETWEEN.sub("", typed.strip()[:40]).upper().translate(_MISREAD)
    if not _LENGTH - 1 <= len(digits) <= _LENGTH + 1 or any(sign not in _DIGITS for sign in digits):
        return []
    places = range(len(digits))
    if len(digits) > _LENGTH:
        found = {digits[:at] + digits[at + 1 :] for at in places}
    elif len(digits) < _LENGTH:
        found = {digits[:at] + sign + digits[at:] for at in range(_LENGTH) for sign in _DIGITS}
    else:
        found = {digits[:at] + sign + digits[at + 1 :] for at in places for sign in _DIGITS}
        found |= {digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :] for at in range(_LENGTH - 1)}
    return sorted(found - {digits})


def ids_of_code(code: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The first and the last number that begin like that; None where it cannot be a short address.

    Typing it in small letters, without hyphens, or with O for 0 does no harm.
    """
    digits = _BETWEEN.sub("", code[:40]).upper().translate(_MISREAD)
    if len(digits) != _LENGTH or any(digit not in _DIGITS for digit in digits):
        return None
    number = 0
    for digit in digits:
        number = number << 5 | _DIGITS.index(digit)
    first = number << _DROPPED_BITS
    return uuid.UUID(int=first), uuid.UUID(int=first | (1 << _DROPPED_BITS) - 1)
