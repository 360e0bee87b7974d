"""Datetimes in credentials: XSD dateTime text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from sceau_credentials.errors import MalformedInput

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
