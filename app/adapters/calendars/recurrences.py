"""The sessions of a series (RFC 5545, RRULE), within bounds."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday
from icalendar import Event
from icalendar.error import BrokenCalendarProperty

from app.domain.activities.days_as_written import MOST_SESSIONS
from app.errors import InvalidInput

AHEAD: Final = timedelta(days=366)
RECENT: Final = timedelta(days=30)
"""For a series too long to be read whole, older sessions are skipped."""
OLDEST: Final = timedelta(days=3660)
_FREQUENCIES: Final = {"DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_MOST_INTERVAL = 400
_MOST_DATES = 500
_Zoned = Callable[[Any, str], date | datetime]


@dataclass(frozen=True)
class Recurrence:
    start: date | datetime
    rule: dict[str, Any]
    """As `rrule` takes it; empty where only dates are listed."""
    more: Sequence[date | datetime]
    without: frozenset[date | datetime]


def recurrence_of(event: Event, start: date | datetime, zoned: _Zoned) -> Recurrence | None:
    """None for a single event. Raises InvalidInput where the rule is not supported."""
    value = event.get("RRULE")
    more, without = _dates(event, "RDATE", zoned), _dates(event, "EXDATE", zoned)
    if value is None and not more:
        return None
    return Recurrence(
        start, _rule(value, start, zoned) if value is not None else {}, more, frozenset(without)
    )


def days_of_series(recurrence: Recurrence, *, today: date) -> tuple[list[date | datetime], bool]:
    """The datetimes of its sessions in order, 60 at most; and whether there are others."""
    start = recurrence.start
    if calendar_day(start) < today - OLDEST:
        raise InvalidInput("Cette série a commencé il y a plus de dix ans : elle n’est pas lue.")
    found: set[date | datetime] = {start, *recurrence.more}
    horizon = max(calendar_day(start), today) + AHEAD
    ends_later = False
    if recurrence.rule:
        counted, ends_later = _counted(recurrence, horizon)
        found |= set(counted)
    kept = sorted(
        (each for each in found if not {each, calendar_day(each)} & recurrence.without), key=_in_order
    )
    if len(kept) > MOST_SESSIONS:
        recent = [each for each in kept if calendar_day(each) >= today - RECENT] or kept[-MOST_SESSIONS:]
        return recent[:MOST_SESSIONS], True
    if not kept:
        raise InvalidInput("Toutes les séances de cette série sont supprimées.")
    return kept, ends_later


def _counted(recurrence: Recurrence, horizon: date) -> tuple[list[date | datetime], bool]:
    """In local time, so that a session keeps its hour when the clocks change."""
    start = recurrence.start
    wall = start.replace(tzinfo=None) if isinstance(start, datetime) else datetime.combine(start, time())
    last = datetime.combine(horizon, time.max)
    until = recurrence.rule.get("until")
    counts = {**recurrence.rule, "until": min(until, last) if until else last}
    if count := counts.pop("count", None):
        # COUNT and UNTIL exclude each other: occurrences beyond the horizon do not exist.
        walls = []
        for each in rrule(dtstart=wall, **counts):
            walls.append(each)
            if len(walls) == count:
                break
        is_cut = len(walls) < count
    else:
        walls, is_cut = list(rrule(dtstart=wall, **counts)), until is None or until > last
    if isinstance(start, datetime):
        return [each.replace(tzinfo=start.tzinfo) for each in walls], is_cut
    return [each.date() for each in walls], is_cut


def _rule(value: Any, start: date | datetime, zoned: _Zoned) -> dict[str, Any]:
    """Only rules with frequent occurrences, so that no search runs for ever."""
    if not isinstance(value, dict):
        raise _unread()
    parts = {str(name).upper(): list(values) for name, values in value.items() if str(name).upper() != "WKST"}
    frequency = _FREQUENCIES.get(str(_one(parts.pop("FREQ", []))).upper())
    interval = _number(parts.pop("INTERVAL", [1]))
    if frequency is None or not 1 <= interval <= _MOST_INTERVAL:
        raise _unread()
    rule: dict[str, Any] = {"freq": frequency, "interval": interval}
    if "COUNT" in parts:
        rule["count"] = max(1, _number(parts.pop("COUNT")))
    if "UNTIL" in parts:
        rule["until"] = _until(_one(parts.pop("UNTIL")), start, zoned)
    names = {name for name in parts if parts[name]}
    days = [_weekday(each) for each in parts.get("BYDAY", [])]
    is_plain = all(not each.n for each in days)
    dates = [_number([each]) for each in parts.get("BYMONTHDAY", [])]
    positions = [_number([each]) for each in parts.get("BYSETPOS", [])]
    months = [_number([each]) for each in parts.get("BYMONTH", [])]
    most = 31 if interval == 1 and frequency == MONTHLY else 28
    fits = {
        DAILY: names <= {"BYDAY"} and is_plain and (not days or interval == 1),
        WEEKLY: names <= {"BYDAY"} and is_plain,
        MONTHLY: (names <= {"BYDAY", "BYSETPOS"} and (not positions or (is_plain and bool(days))))
        or names == {"BYMONTHDAY"},
        YEARLY: not names or names == {"BYMONTH"}
        or (names in ({"BYMONTH", "BYDAY"}, {"BYMONTH", "BYMONTHDAY"}) and len(months) == 1),
    }[frequency]  # fmt: skip
    if (
        not fits
        or any(not 1 <= abs(each) <= most for each in dates)
        or any(not 1 <= abs(each) <= 4 for each in positions)
        or any(not 1 <= each <= 12 for each in months)
        or any(abs(each.n or 1) > 5 for each in days)
        or max(len(days), len(dates), len(positions), len(months)) > 40
        or (interval > 1 and any(abs(each.n or 1) > 4 for each in days))
        or (names == {"BYMONTH"} and (start.day > 28))
    ):
        raise _unread()
    listed = {"byweekday": days, "bymonthday": dates, "bysetpos": positions, "bymonth": months}
    return {**rule, **{name: values for name, values in listed.items() if values}}


def _until(value: Any, start: date | datetime, zoned: _Zoned) -> datetime:
    """As local time of the series."""
    if not isinstance(value, date):
        raise _unread()
    if not isinstance(value, datetime):
        return datetime.combine(value, time.max)
    if value.tzinfo is None or not 1990 <= value.year <= 2100:  # 9999: without an end
        return value.replace(tzinfo=None)
    there = start.tzinfo if isinstance(start, datetime) else None
    moment = zoned(value, "")
    assert isinstance(moment, datetime), "what had an hour keeps it"
    return moment.astimezone(there).replace(tzinfo=None) if there else moment.replace(tzinfo=None)


def _dates(event: Event, name: str, zoned: _Zoned) -> list[date | datetime]:
    listed = event.get(name)
    if listed is None:
        return []
    found: list[date | datetime] = []
    for each in listed if isinstance(listed, list) else [listed]:
        try:
            dates, zone = each.dts[:_MOST_DATES], str(each.params.get("TZID", ""))
        except (BrokenCalendarProperty, AttributeError):
            raise _unread() from None
        found += [zoned(one.dt, zone) for one in dates]
    if len(found) > _MOST_DATES:
        raise _unread()
    return found


def _weekday(value: Any) -> weekday:
    text = str(value).upper()
    if text[-2:] not in _WEEKDAYS or not re.fullmatch(r"([+-]?0?[1-9]|[+-]?[1-9]\d)?", text[:-2]):
        raise _unread()
    return weekday(_WEEKDAYS.index(text[-2:]), int(text[:-2]) if text[:-2] else None)


def _one(values: Sequence[Any]) -> Any:
    if len(values) != 1:
        raise _unread()
    return values[0]


def _number(values: Sequence[Any]) -> int:
    try:
        return int(_one(values))
    except (ValueError, TypeError):
        raise _unread() from None


def calendar_day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _in_order(moment: date | datetime) -> tuple[date, float]:
    return calendar_day(moment), moment.timestamp() if isinstance(moment, datetime) else 0.0


def _unread() -> InvalidInput:
    return InvalidInput(
        "La récurrence de cette série n’est pas lue : par jour, semaine, mois ou année le sont. "
        "Inscrivez les séances une à une dans l’agenda."
    )
