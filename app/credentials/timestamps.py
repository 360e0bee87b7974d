"""Moments as credentials write them: XSD dateTime text."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from app.credentials.errors import MalformedInput

_DATE_TIME = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,12}))?(?:(Z)|([+-])(\d{2}):(\d{2}))?",
    re.ASCII,
)


_OUR_FORM = re.compile(r"[1-9]\d{3}-\d{2}-\d{2}T(?:[01]\d|2[0-3]):\d{2}:\d{2}Z", re.ASCII)


def parse_timestamp(text: object, *, zone_required: bool = False) -> datetime:
    """An aware datetime. Without an offset it is read as UTC (C-019), unless the field demands one."""
    if isinstance(text, str) and _OUR_FORM.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            raise MalformedInput("timestamp") from None
    match = _DATE_TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise MalformedInput("timestamp")
    *parts, fraction, zulu, sign, hours, minutes = match.groups()
    if zone_required and not (zulu or sign):
        raise MalformedInput("timestamp")
    try:
        microsecond = int(((fraction or "") + "000000")[:6])
        year, month, day, hour, minute, second = map(int, parts)
        return datetime(year, month, day, hour, minute, second, microsecond, _zone(sign, hours, minutes))
    except ValueError:
        raise MalformedInput("timestamp") from None


def format_timestamp(moment: datetime) -> str:
    """Whole seconds in UTC, as `2026-06-30T09:00:00Z`: the one form all parsers agree on."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a zone is no moment")
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _zone(sign: str | None, hours: str | None, minutes: str | None) -> timezone:
    if sign is None or hours is None or minutes is None:
        return UTC
    if int(minutes) > 59 or int(hours) > 14:
        raise ValueError("offset")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
