"""Strict JSON text: a document has one interpretation, or is rejected."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, TypeAlias

import orjson

from sceau_credentials.errors import MalformedInput

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

MAX_BYTES: Final = 256 * 1024  # T13
MAX_DEPTH: Final = 32  # T13

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def parse_json(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Read one JSON value; duplicate member names, NaN, infinities and lone surrogates are rejected (T14)."""
    return _parsed(_encoded(data, max_bytes), max_depth)[0]


def _parsed(raw: bytes, max_depth: int) -> tuple[JsonValue, bool]:
    """The value, and whether its text equals the output of `dump_json`."""
    compact = _read_if_compact(raw)
    if compact is not None:
        _check_depth(compact[0], max_depth)
        return compact[0], True
    text = _decoded(raw)
    try:
        value: JsonValue = _DECODER.decode(text)
    except ValueError as error:
        raise MalformedInput("not_json", detail=str(error)[:200]) from None
    except RecursionError:  # the parser counts its own depth, and stops before the stack overflows
        raise MalformedInput("too_deep") from None
    _check_depth(value, max_depth)
    if "\\u" in text:
        _check_no_surrogate(value, "")
    return value, False


def parse_json_object(
    data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> JsonObject:
    """Like `parse_json`, for text that must hold an object."""
    return parse_with_text(data, max_bytes=max_bytes, max_depth=max_depth)[0]


def parse_with_text(
    data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH
) -> tuple[JsonObject, bytes | None]:
    """`parse_json_object`, and the text where it equals the output of `dump_json`: a canonical spelling."""
    raw = _encoded(data, max_bytes)
    value, is_compact = _parsed(raw, max_depth)
    if not isinstance(value, dict):
        raise MalformedInput("not_an_object")
    return value, raw if is_compact else None


def dump_json(value: object) -> bytes:
    """Compact UTF-8, members in their own order."""
    try:
        written = orjson.dumps(value, option=_ONLY_JSON)
        if b"null" not in written:  # which it also writes for NaN
            return written
    except TypeError:
        pass
    try:
        return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError) as error:  # a lone surrogate too: UnicodeEncodeError is a ValueError
        raise MalformedInput("not_json", detail=str(error)[:200]) from None


def dump_exactly(value: object) -> bytes:
    """Bytes that identify this JSON value uniquely; empty where they would be ambiguous.

    For use as a cache key.
    """
    try:
        written = orjson.dumps(value, option=_ONLY_JSON)
    except TypeError:
        return b""
    return b"" if b"null" in written else written  # which it also writes for NaN


def objects_in(value: JsonObject) -> int:
    """Approximate number of objects, itself included: a text that contains `{}` counts as one."""
    written = dump_json(value)
    return written.count(b'{"') + written.count(b"{}")


def members_in(value: JsonValue) -> int:
    """Approximate number of members and items, at every depth: each has a line when indented."""
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).count(b"\n")
    except TypeError:
        return json.dumps(value, indent=1).count("\n")


def pointer_to(*path: str | int) -> str:
    """The JSON pointer of a path of member names and indexes."""
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)


_ONLY_JSON: Final = (
    orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_SUBCLASS
)


def _read_if_compact(raw: bytes) -> tuple[JsonValue] | None:
    """What the fast parser reads, if serialising that gives these very bytes again.

    It keeps the last of two members of one name and reads long integers as floats, and then the text differs.
    """
    try:
        value: JsonValue = orjson.loads(raw)
        return (value,) if orjson.dumps(value) == raw else None
    except (ValueError, TypeError):
        return None


def _encoded(data: bytes | str, max_bytes: int) -> bytes:
    try:
        raw = data.encode() if isinstance(data, str) else data
    except UnicodeError:
        raise MalformedInput("not_utf8") from None
    if len(raw) > max_bytes:
        raise MalformedInput("too_large")
    return raw


def _decoded(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeError:
        raise MalformedInput("not_utf8") from None
    if text.startswith("\ufeff"):
        raise MalformedInput("byte_order_mark")
    return text


def _check_depth(value: JsonValue, max_depth: int) -> None:
    if _is_shallow(value, max_depth):
        return
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(max_depth):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if type(item) is dict or type(item) is list
        ]
        if not level:
            return
    if level:
        raise MalformedInput("too_deep")


def _is_shallow(value: JsonValue, max_depth: int) -> bool:
    """Whether nothing is nested that deep; false where only a walk can decide.

    When indented, a line with so many spaces is a member at that depth: no string contains a raw newline.
    """
    try:
        return b"\n" + b"  " * max_depth not in orjson.dumps(value, option=orjson.OPT_INDENT_2)
    except TypeError:
        return False


def _check_no_surrogate(value: JsonValue, pointer: str) -> None:
    if isinstance(value, str):
        if _SURROGATE.search(value):
            raise MalformedInput("lone_surrogate", pointer)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_no_surrogate(item, f"{pointer}/{index}")
    elif isinstance(value, dict):
        for name, item in value.items():
            if _SURROGATE.search(name):
                raise MalformedInput("lone_surrogate", pointer)
            _check_no_surrogate(item, pointer + pointer_to(name))


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise MalformedInput("duplicate_member", detail=name[:100])
            seen.add(name)
    return members


def _finite(literal: str) -> float:
    number = float(literal)
    if not math.isfinite(number):
        raise MalformedInput("number_out_of_range", detail=literal[:40])
    return number


def _bounded_integer(literal: str) -> int:
    if len(literal) > 400:  # no double is longer; Python itself refuses at 4,300 digits
        raise MalformedInput("number_out_of_range", detail=literal[:40])
    return int(literal)


def _no_constant(literal: str) -> float:
    raise MalformedInput("not_json", detail=literal)


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_unique_members,
    parse_float=_finite,
    parse_int=_bounded_integer,
    parse_constant=_no_constant,
)
