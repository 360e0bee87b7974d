"""Limits and checks shared by PNG and SVG baking."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from sceau_credentials.errors import ImageError

MAX_FILE: Final = 2 * 1024 * 1024  # M10
MAX_TEXT: Final = 512 * 1024  # M10

_COMPACT_JWS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class Unbaked:
    """The one credential of a picture or PDF, in `container`, for Open Badges `generation` 2.0 or 3.0."""

    text: str
    """For 3.0 a compact JWS or JSON; for 2.0 a compact JWS, JSON or the URL of an assertion."""
    container: Literal["png", "svg", "pdf"]
    generation: Literal["3.0", "2.0"]


def check_size(data: bytes) -> None:
    if len(data) > MAX_FILE:
        raise ImageError("too_large")


def is_compact_jws(credential: str) -> bool:
    """False for JSON. ImageError where it is neither, or larger than readers accept."""
    if len(credential) > MAX_TEXT or _CONTROL.search(credential):
        raise ImageError("not_a_credential")
    if len(credential.encode()) > MAX_TEXT:
        raise ImageError("not_a_credential")
    if credential.startswith("{"):
        return False
    if _COMPACT_JWS.fullmatch(credential) is None:
        raise ImageError("not_a_credential")
    return True


def the_one(found: list[str]) -> str | None:
    """None for an empty list. With two, two readers could see two different badges (M10, E-007, E-013)."""
    if len(found) > 1:
        raise ImageError("several_credentials")
    return found[0] if found else None
