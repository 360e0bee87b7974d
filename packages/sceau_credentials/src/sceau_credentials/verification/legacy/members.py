"""Members of a document as Open Badges 2.0 writes them: one or several, by name or whole."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final
from urllib.parse import SplitResult, urlsplit

from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.timestamps import parse_timestamp

CONTEXT_2: Final = "https://w3id.org/openbadges/v2"  # H-002
CONTEXT_1: Final = "https://w3id.org/openbadges/v1"

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DOTS: Final = re.compile(r"/(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_LAST_SECOND: Final = 253_402_300_799  # of the year 9999


def objects(value: JsonValue) -> list[JsonValue]:
    """JSON-LD lets one value stand for a list of one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def strings(value: JsonValue) -> list[str]:
    return [each for each in objects(value) if isinstance(each, str)]


def text(document: JsonObject, member: str) -> str:
    value = document.get(member)
    if not isinstance(value, str) or not value.strip():
        raise MalformedInput("missing" if value is None else "wrong_type", f"/{member}")
    return value


def identifier(document: JsonObject, member: str) -> str:
    """The `id` of an object that stands here whole or by its name."""
    value = document.get(member)
    named = value.get("id") if isinstance(value, dict) else value
    if not isinstance(named, str) or not named:
        raise MalformedInput("missing" if value is None else "wrong_type", f"/{member}")
    return named


def moment(document: JsonObject, member: str, generation: int) -> datetime:
    """ISO 8601 in 2.0; Open Badges 1.0 also wrote days and seconds since 1970."""
    value = document.get(member)
    if generation == 1 and type(value) is int and 0 <= value <= _LAST_SECOND:
        return datetime.fromtimestamp(value, UTC)
    try:
        if generation == 1 and isinstance(value, str) and _DAY.fullmatch(value):
            return parse_timestamp(f"{value}T00:00:00Z")
        return parse_timestamp(value)
    except MalformedInput:
        raise MalformedInput("missing" if value is None else "timestamp", f"/{member}") from None


LOCAL: Final = frozenset({"localhost", "127.0.0.1"})


def is_answered_safely(parts: SplitResult) -> bool:
    """Whether nobody between could answer in the place of the host."""
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOCAL)
    )


def web_address(url: str) -> SplitResult | None:
    """The parts of an address with one reading: https, a host, nobody's password, no steps up or sideways.

    http for this very machine, which no network lies before: so a service that is tried out there verifies its own.
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    if not is_answered_safely(parts) or "@" in parts.netloc or "\\" in url:
        return None
    return None if _DOTS.search(parts.path) else parts
