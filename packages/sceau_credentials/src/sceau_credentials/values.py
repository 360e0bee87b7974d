"""Values that documents are made of: JSON text, timestamps, IRIs, vocabularies."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, Protocol, TypeAlias

import orjson

from sceau_credentials.errors import DocumentUnavailable, MalformedInput

# --- Strict JSON text: a document has one interpretation, or is rejected

JsonValue: TypeAlias = "bool | int | float | str | list[JsonValue] | dict[str, JsonValue] | None"
JsonObject: TypeAlias = dict[str, JsonValue]

MAX_BYTES: Final = 256 * 1024  # T13
MAX_DEPTH: Final = 32  # T13
_DEPTH_WRITTEN: Final = 254  # where orjson stops

_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def parse_json(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Read one JSON value; duplicate member names, NaN, infinities and lone surrogates are rejected (T14)."""
    return _parsed(_encoded(data, max_bytes), max_depth)[0]


def _parsed(raw: bytes, max_depth: int) -> tuple[JsonValue, bool]:
    """The value, and whether its text equals the output of `dump_json`."""
    compact = _read_if_compact(raw)
    if compact is not None:
        check_depth(compact[0], max_depth)
        return compact[0], True
    text = _decoded(raw)
    try:
        value: JsonValue = _DECODER.decode(text)
    except ValueError as error:
        raise MalformedInput("not_json", detail=str(error)[:200]) from None
    except RecursionError:  # the parser counts its own depth, and stops before the stack overflows
        raise MalformedInput("too_deep") from None
    check_depth(value, max_depth)
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
    """Compact UTF-8, members in their own order; at most 254 levels."""
    try:
        written = orjson.dumps(value, option=_ONLY_JSON)
        if b"null" not in written:  # which it also writes for NaN
            return written
    except TypeError:
        pass
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except (ValueError, TypeError) as error:  # a lone surrogate too: UnicodeEncodeError is a ValueError
        raise MalformedInput("not_json", detail=str(error)[:200]) from None
    except RecursionError:
        raise MalformedInput("too_deep") from None
    check_depth(value, _DEPTH_WRITTEN)  # the depth at which `json` stops depends on the interpreter
    return text


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


def check_depth(value: object, max_depth: int = MAX_DEPTH) -> None:
    """MalformedInput `too_deep` for a value nested deeper; one that holds itself is."""
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


def _is_shallow(value: object, max_depth: int) -> bool:
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


# --- Datetimes in credentials: XSD dateTime text

_DATE_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?(?:(Z)|([+-])(\d{2}):(\d{2}))?",
    re.ASCII,
)


EARLIEST = datetime.min.replace(tzinfo=UTC)
LATEST = datetime.max.replace(tzinfo=UTC)
"""The ends of the calendar. A timestamp with an offset that leads beyond them is clamped to that end."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OUR_FORM = re.compile(r"[1-9]\d{3}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):\d{2}:\d{2}Z", re.ASCII)


def parse_timestamp(text: object, *, zone_required: bool = False) -> datetime:
    """An aware datetime. Without an offset it is read as UTC (C-019), unless the field requires one."""
    if not isinstance(text, str):
        raise MalformedInput("timestamp")
    return _moment(text) if is_our_form(text) else _moment_in_another_form(text, zone_required=zone_required)


def is_our_form(text: str) -> bool:
    """Whether it is in the form of `format_timestamp`; the day may still not exist in its month."""
    return _OUR_FORM.fullmatch(text) is not None


@lru_cache(maxsize=4_096)
def _moment(text: str) -> datetime:
    """Cached: the badges of one class contain the same few datetimes, each several times."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise MalformedInput("timestamp") from None


def _moment_in_another_form(text: str, *, zone_required: bool) -> datetime:
    written, offset = _written_time(text, zone_required=zone_required)
    return written if not offset else shifted(written, -offset)


def _written_time(text: str, *, zone_required: bool) -> tuple[datetime, timedelta]:
    """The date and time as written, labelled UTC, and the offset to subtract."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise MalformedInput("timestamp")
    *parts, fraction, zulu, sign, hours, minutes = match.groups()
    if zone_required and not (zulu or sign):
        raise MalformedInput("timestamp")
    try:
        microsecond = int(((fraction or "") + "000000")[:6])
        year, month, day, hour, minute, second = map(int, parts)
        written = datetime(year, month, day, hour, minute, second, microsecond, UTC)
        return written, _offset(sign, hours, minutes)
    except ValueError:
        raise MalformedInput("timestamp") from None


def epoch_seconds(text: object) -> float:
    """Seconds since 1970, exact also beyond the ends of the calendar (by offset); else MalformedInput."""
    if not isinstance(text, str):
        raise MalformedInput("timestamp")
    if is_our_form(text):
        return (_moment(text) - _EPOCH).total_seconds()
    written, offset = _written_time(text, zone_required=False)
    return ((written - _EPOCH) - offset).total_seconds()


def check_aware(at: datetime) -> None:
    """ValueError for a datetime without a time zone: it names no instant."""
    if at.tzinfo is None:
        raise ValueError("`at` must be timezone-aware")


def shifted(moment: datetime, by: timedelta) -> datetime:
    """`moment + by`, clamped to the ends of the calendar. The datetime must be timezone-aware."""
    try:
        return moment.astimezone(UTC) + by
    except OverflowError:
        return LATEST if by > timedelta() or moment.year > 1 else EARLIEST


def format_timestamp(moment: datetime) -> str:
    """Whole seconds in UTC, as `2026-06-30T09:00:00Z`: the one form all parsers agree on."""
    if moment.tzinfo is None:
        raise ValueError("datetime must be timezone-aware")
    # In one zone, the two hours of a night when clocks go back compare equal: only datetimes in UTC are
    # cached.
    return _written(moment if moment.tzinfo is UTC else shifted(moment, timedelta()))


@lru_cache(maxsize=4_096)
def _written(in_utc: datetime) -> str:
    return in_utc.isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def _offset(sign: str | None, hours: str | None, minutes: str | None) -> timedelta:
    if sign is None or hours is None or minutes is None:
        return timedelta()
    if int(minutes) > 59 or int(hours) > 14:
        raise ValueError("offset")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return -offset if sign == "-" else offset


# --- The published JSON-LD contexts (contexts/ beside it), pinned by digest, served offline

CONTEXT_V1: Final = "https://www.w3.org/2018/credentials/v1"
CONTEXT_V2: Final = "https://www.w3.org/ns/credentials/v2"
CONTEXT_OB_3_0_3: Final = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
CONTEXT_EXTENSIONS: Final = "https://purl.imsglobal.org/spec/ob/v3p0/extensions.json"

_HERE: Final = files("sceau_credentials.canonical") / "contexts"


@dataclass(frozen=True)
class _Pin:
    file: str
    sha256: str
    role: str


def context(url: str) -> JsonObject:
    """The context document published at this URL. Shared: callers must not mutate it."""
    pin = _pinned_contexts().get(url)
    if pin is None:
        raise DocumentUnavailable(url, "context_not_known")
    return _document(pin)


def context_digests(document: JsonObject) -> dict[str, str]:
    """The SHA-256 of each published context that the document names."""
    named = document.get("@context")
    pins = _pinned_contexts()
    urls = [each for each in (named if isinstance(named, list) else [named]) if isinstance(each, str)]
    return {url: pins[url].sha256 for url in urls if url in pins}


@cache
def known_context_urls() -> frozenset[str]:
    return frozenset(_pinned_contexts())


def allowed_context_array(urls: Sequence[object]) -> bool:
    """Whether a credential may name these contexts, in this order.

    First one of the two Credentials contexts, then contexts made for credentials, each once; a context with
    `@vocab` (A-019) only at the very end. The order Open Badges requires (A-011) is not checked here.
    """
    named = tuple(url for url in urls if isinstance(url, str))
    return len(named) == len(urls) and known_context_urls().issuperset(named) and _are_in_order(named)


@lru_cache(maxsize=256)
def _are_in_order(urls: tuple[str, ...]) -> bool:
    pins = _pinned_contexts()
    roles = [pins[url].role for url in urls]
    if not roles or roles[0] != "base" or len(set(urls)) != len(urls):
        return False
    return all(role == "credential" for role in roles[1:-1]) and roles[-1] in _LAST_ROLES[len(roles) > 1]


_LAST_ROLES: Final = {False: ("base",), True: ("credential", "last")}


def known_schema_urls() -> frozenset[str]:
    """The published JSON Schemas with requirements that `model` enforces too (I-001, I-008)."""
    return _SCHEMAS


_SCHEMAS: Final = frozenset(
    f"https://purl.imsglobal.org/spec/ob/v3p0/schema/{generation}/ob_v3p0_{name}_schema.json"
    for generation in ("json", "json-ld")
    for name in (
        "achievementcredential", "anyachievementcredential", "endorsementcredential", "anyendorsementcredential"
    )
)  # fmt: skip


@cache
def _pinned_contexts() -> dict[str, _Pin]:
    index = tomllib.loads((_HERE / "contexts.toml").read_text("utf-8"))
    pins: dict[str, _Pin] = {}
    for entry in index["context"]:
        pin = _Pin(entry["file"], entry["sha256"], entry["role"])
        for url in (entry["url"], *entry.get("also", ())):
            pins[url] = pin
    return pins


@cache
def _document(pin: _Pin) -> JsonObject:
    data = (_HERE / pin.file).read_bytes()
    if sha256(data).hexdigest() != pin.sha256:
        raise DocumentUnavailable(pin.file, "digest_mismatch")
    document: JsonObject = json.loads(data)
    return document


# Narrower than RFC 3987 where N-Quads is: none of these characters may stand between its angle brackets.
PATTERN: Final = r'^[A-Za-z][A-Za-z0-9+.-]*:[^\x00-\x20<>"{}|\\^`\x7f]*$'
_ABSOLUTE: Final = re.compile(PATTERN)


def is_absolute_iri(text: str) -> bool:
    return _ABSOLUTE.fullmatch(text) is not None


# --- DocumentSource: how the library fetches documents it does not hold. Its one port.


@dataclass(frozen=True)
class FetchedDocument:
    """A document as served; `url` is the final one, after redirects."""

    url: str
    body: bytes
    media_type: str = "application/json"
    fetched_at: datetime | None = None
    holds: object = None
    """The parsed `body`, where the source wrote these bytes itself and has the value in memory."""


class DocumentSource(Protocol):
    """Fetches documents that the library does not hold: the only thing a verifier has to supply."""

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        """The document at this URL, or DocumentUnavailable."""
        ...


class NoDocuments:
    """For work without a network: every document is unavailable."""

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        raise DocumentUnavailable(url, "offline")


class DocumentsAtHand:
    """JSON documents by the URL they are published at; every other one is unavailable (`not_at_hand`)."""

    def __init__(self, documents: Mapping[str, JsonObject]) -> None:
        self._bodies = {url: dump_json(document) for url, document in documents.items()}

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:  # noqa: ARG002
        if url not in self._bodies:
            raise DocumentUnavailable(url, "not_at_hand")
        return FetchedDocument(url, self._bodies[url])
