"""Calendars (iCalendar, RFC 5545) as lines; the cost of a hostile file is bounded before the library parses
it."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from dateutil.rrule import DAILY, MONTHLY, WEEKLY, YEARLY, rrule, weekday
from dateutil.tz import tzical
from icalendar import Calendar, Event, vUri
from icalendar.error import BrokenCalendarProperty

from app.domain.activities import ActivityKind
from app.domain.activities.days_as_written import MOST_SESSIONS
from app.domain.core import as_stored
from app.domain.imports.calendars import CUT, NAMELESS, PRIVATE, TWICE
from app.domain.imports.imports import (
    MAX_CALENDAR_LINES,
    MOST_BYTES,
    MOST_CONTENT_LINES,
    MOST_EVENTS,
    MOST_SERIES,
    Meeting,
    ReadCalendar,
    check_near,
    quoted,
)
from app.domain.imports.lists.text import decode_folded
from app.domain.imports.tables import ReadingPlan, kind_of_word
from app.domain.publishing.catalogue import PublicMeeting
from app.errors import InvalidInput
from app.language import N_

_PRIVATE = ("PRIVATE", "CONFIDENTIAL")


@dataclass(frozen=True)
class EventReader:
    """`zone` is the campus's: dates of the lines and datetimes without a zone are in it."""

    zone: ZoneInfo
    zones: Mapping[str, tzinfo]
    today: date
    all_cancelled: bool

    def moment(self, event: Event, name: str) -> date | datetime | None:
        """As local time in its own zone where it has a time."""
        prop = event.get(name)
        if prop is None:
            return None
        try:
            found = prop.dt
        except (BrokenCalendarProperty, AttributeError):
            raise InvalidInput("Une date de cet événement ne se lit pas.") from None
        return self.zoned(found, str(prop.params.get("TZID", "")))

    def zoned(self, found: Any, name: str) -> date | datetime:
        if isinstance(found, tuple):
            found = found[0]
        if not isinstance(found, date):
            raise InvalidInput("Une date de cet événement ne se lit pas.")
        if not 1990 <= found.year <= 2100:
            raise InvalidInput("Cet événement n’a pas lieu entre 1990 et 2100.")
        if not isinstance(found, datetime):
            return found
        if found.tzinfo is None:
            return found.replace(tzinfo=self.zone_named(name) if name else self.zone)
        return found

    def zone_named(self, name: str) -> tzinfo:
        if name in self.zones:
            return self.zones[name]
        try:
            # Some producers prefix the well-known name.
            return ZoneInfo("/".join(name.split("/")[-2:]))
        except (ValueError, KeyError, OSError):
            raise InvalidInput("Le fuseau horaire « {zone} » n’est pas connu.", zone=quoted(name)) from None

    def local_day(self, moment: date | datetime) -> date:
        return moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment


def meeting_of(
    reader: EventReader, uid: str, event: Event, occurrence: str, start: date | datetime
) -> Meeting:
    if str(event.get("CLASS", "")).strip().upper() in _PRIVATE:
        return Meeting(0, uid, occurrence, fault=PRIVATE)
    length = _length(reader, event)
    first = reader.local_day(start)
    check_near(first, reader.today)
    if isinstance(start, datetime):
        last = reader.local_day(start + max(length - timedelta(seconds=1), timedelta()))
        is_one_day = last == first or length <= timedelta(hours=12)
        hours = round(length / timedelta(hours=1), 2) if is_one_day and length else None
        last = first if is_one_day else last
    else:
        hours, last = None, start + max(length, timedelta(days=1)) - timedelta(days=1)
    start_time, end_time = _times(reader, start, length, is_one_day=last == first)
    cancelled = reader.all_cancelled or str(event.get("STATUS", "")).strip().upper() == "CANCELLED"
    return Meeting(
        0,
        uid,
        occurrence,
        tidy(str(event.get("SUMMARY", ""))),
        _kind(event),
        first,
        last,
        tidy(str(event.get("LOCATION", ""))),
        hours,
        cancelled,
        start_time,
        end_time,
    )


def _times(
    reader: EventReader, start: date | datetime, length: timedelta, *, is_one_day: bool
) -> tuple[time | None, time | None]:
    """On the clocks of the campus; no end where the event has no length, or ends after midnight of its only day."""
    if not isinstance(start, datetime):
        return None, None
    begins, ends = (each.astimezone(reader.zone) for each in (start, start + length))
    opening, closing = (each.time().replace(second=0, microsecond=0) for each in (begins, ends))
    if not length or (is_one_day and closing <= opening):
        return opening, None
    return opening, closing


def _length(reader: EventReader, event: Event) -> timedelta:
    """From DTEND or DURATION; None where the file has neither."""
    start, end = reader.moment(event, "DTSTART"), reader.moment(event, "DTEND")
    if start is not None and end is not None:
        if isinstance(start, datetime) != isinstance(end, datetime) or _as_moment(end) < _as_moment(start):
            raise InvalidInput("L’activité finirait avant d’avoir commencé.")
        return _as_moment(end) - _as_moment(start)
    prop = event.get("DURATION")
    try:
        length = prop.dt if prop is not None else timedelta()
    except (BrokenCalendarProperty, AttributeError):
        length = None
    if not isinstance(length, timedelta) or not timedelta() <= length <= timedelta(days=400):
        raise InvalidInput("La durée de cet événement ne se lit pas.")
    return length


def _as_moment(found: date | datetime) -> datetime:
    utc = ZoneInfo("UTC")
    return found.astimezone(utc) if isinstance(found, datetime) else datetime.combine(found, time(), utc)


def occurrence_key(moment: date | datetime) -> str:
    """The RECURRENCE-ID of a session, however it was written."""
    if isinstance(moment, datetime):
        return moment.astimezone(ZoneInfo("UTC")).strftime("%Y%m%dT%H%M%SZ")
    return moment.strftime("%Y%m%d")


def faulty(event: Event, uid: str, error: InvalidInput, occurrence: str = "") -> Meeting:
    if str(event.get("CLASS", "")).strip().upper() in _PRIVATE:
        return Meeting(0, uid, occurrence, fault=PRIVATE)
    title = tidy(str(event.get("SUMMARY", "")))[:200]
    day = _written_day(event)
    return Meeting(0, uid, occurrence, title, starts_on=day, ends_on=day).refused(
        error.sentence, **error.values
    )


def _written_day(event: Event) -> date | None:
    """Of a single event, whatever its zone."""
    try:
        found: Any = event.get("DTSTART").dt
    except (BrokenCalendarProperty, AttributeError):
        return None
    is_near = isinstance(found, date) and 1990 <= found.year <= 2100
    return _day(found) if is_near and "RRULE" not in event and "RDATE" not in event else None


def tidy(text: str) -> str:
    return " ".join(text.split())


def _kind(event: Event) -> ActivityKind | None:
    """The first of its categories that is one of our kinds."""
    found = event.get("CATEGORIES")
    listed = found if isinstance(found, list) else [found]
    words = [str(word) for each in listed if each is not None for word in getattr(each, "cats", ())]
    kinds = (kind_of_word(word[:60], ReadingPlan()) for word in words[:20])
    return next((kind for kind in kinds if kind is not None), None)


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
    if _day(start) < today - OLDEST:
        raise InvalidInput("Cette série a commencé il y a plus de dix ans : elle n’est pas lue.")
    found: set[date | datetime] = {start, *recurrence.more}
    horizon = max(_day(start), today) + AHEAD
    ends_later = False
    if recurrence.rule:
        counted, ends_later = _counted(recurrence, horizon)
        found |= set(counted)
    kept = sorted((each for each in found if not {each, _day(each)} & recurrence.without), key=_in_order)
    if len(kept) > MOST_SESSIONS:
        recent = [each for each in kept if _day(each) >= today - RECENT] or kept[-MOST_SESSIONS:]
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
    if value.tzinfo is None:
        return value
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
        if not hasattr(each, "dts"):
            raise _unread()
        zone = str(each.params.get("TZID", ""))
        found += [zoned(one.dt, zone) for one in each.dts[:_MOST_DATES]]
    if len(found) > _MOST_DATES:
        raise _unread()
    return found


def _weekday(value: Any) -> weekday:
    text = str(value).upper()
    if text[-2:] not in _WEEKDAYS or not re.fullmatch(r"([+-]?\d{1,2})?", text[:-2]):
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


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _in_order(moment: date | datetime) -> tuple[date, float]:
    return _day(moment), moment.timestamp() if isinstance(moment, datetime) else 0.0


def _unread() -> InvalidInput:
    return InvalidInput(
        "La récurrence de cette série n’est pas lue : par jour, semaine, mois ou année le sont. "
        "Inscrivez les séances une à une dans l’agenda."
    )


UNREADABLE: Final = N_(
    "Ce fichier d’agenda ne se lit pas : exportez-le à nouveau au format iCalendar (.ics), puis déposez-le."
)
_MOST_PARTS = 10_000
_MOST_VALUES = 150_000
"""Lists and parameters cost the parser as much as lines do."""
_MOST_ZONES = 20
_ZONE = re.compile(r"^BEGIN:VTIMEZONE\n.*?^END:VTIMEZONE\n", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_ZONE_BEGINS = re.compile(r"^BEGIN:VTIMEZONE", re.MULTILINE | re.IGNORECASE)
_ZONE_NAME = re.compile(r"^TZID[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
_RULE = re.compile(r"^RRULE[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
# What time zones need. Anything finer would be enumerated second by second.
_YEARLY = re.compile(
    r"FREQ=YEARLY(;(INTERVAL=1|WKST=\w\w|BYMONTH=\d{1,2}|BYDAY=[+-]?\d?\w\w|BYMONTHDAY=-?\d{1,2}(,-?\d{1,2}){0,6}"
    r"|UNTIL=\d{8}(T\d{6}Z?)?))*",
    re.IGNORECASE,
)


class NoEvents(InvalidInput):
    """A calendar without any."""


def read_calendar(data: bytes, *, zone: str, today: date) -> ReadCalendar:
    """Every event and session as a line, in the order of the file. Raises InvalidInput where it is no
    calendar, NoEvents where it has none."""
    text = _text_of(data)
    kept, zones = _without_zones(text)
    try:
        calendar = Calendar.from_ical(kept)
        if calendar.name != "VCALENDAR":
            raise ValueError(calendar.name)
        events = [each for each in calendar.walk("VEVENT") if isinstance(each, Event)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput(UNREADABLE) from None
    if not events:
        raise NoEvents(N_("Cet agenda ne contient aucun événement."))
    all_cancelled = str(calendar.get("METHOD", "")).upper() == "CANCEL"
    reader = EventReader(ZoneInfo(zone), zones, today, all_cancelled)
    return _read(reader, events)


def _text_of(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise InvalidInput("Cet agenda dépasse 3 Mo. Exportez une période plus courte.")
    text = decode_folded(data).replace("\r\n", "\n").replace("\r", "\n")
    text = as_stored(text)
    unfolded = re.sub(r"\n[ \t]", "", text) + "\n"
    if unfolded.count("\n") > MOST_CONTENT_LINES:
        raise InvalidInput("Cet agenda dépasse 60 000 lignes de texte. Exportez une période plus courte.")
    if unfolded.count(",") + unfolded.count(";") > _MOST_VALUES:
        raise InvalidInput("Cet agenda contient trop d’informations. Exportez une période plus courte.")
    parts = len(re.findall(r"^BEGIN:", unfolded, re.MULTILINE | re.IGNORECASE))
    events = len(re.findall(r"^BEGIN:VEVENT", unfolded, re.MULTILINE | re.IGNORECASE))
    if events > MOST_EVENTS or parts > _MOST_PARTS:
        raise InvalidInput("Cet agenda dépasse 2 000 événements. Exportez une période plus courte.")
    return unfolded


def _without_zones(text: str) -> tuple[str, dict[str, tzinfo]]:
    """Custom zones are valid for their file alone: the library would cache them for every other one."""
    zones: dict[str, tzinfo] = {}
    if len(_ZONE_BEGINS.findall(text)) > _MOST_ZONES:
        raise InvalidInput(UNREADABLE)
    for block in _ZONE.findall(text):
        name = _ZONE_NAME.search(block)
        if name is None or any(not _YEARLY.fullmatch(rule.strip()) for rule in _RULE.findall(block)):
            continue
        try:
            zone = tzical(io.StringIO(block)).get()
        except (ValueError, KeyError, IndexError, TypeError, OverflowError):
            continue
        if zone is not None:
            zones[name[1].strip()] = zone
    return _ZONE.sub("", text), zones


def _read(reader: EventReader, events: Sequence[Event]) -> ReadCalendar:
    masters: dict[str, Event] = {}
    others: dict[str, dict[str, Event]] = {}
    meetings: list[Meeting] = []
    order: dict[str, None] = {}
    for event in events:
        uid = str(event.get("UID", "")).strip()
        order.setdefault(uid)
        if not uid or len(uid) > 300:
            _add(meetings, [faulty(event, uid[:300], InvalidInput(NAMELESS))])
        elif event.get("RECURRENCE-ID") is not None:
            try:
                known, occurrence = others.setdefault(uid, {}), _occurrence(reader, event)
                known[occurrence] = max(event, known.get(occurrence, event), key=_revision)
            except InvalidInput as error:
                _add(meetings, [faulty(event, uid, error)])
        elif uid in masters:
            if _revision(event) > _revision(masters[uid]):
                masters[uid], event = event, masters[uid]
            _add(meetings, [faulty(event, uid, InvalidInput(TWICE))])
        else:
            masters[uid] = event
    whole_from: dict[str, date] = {}
    first_days: dict[str, date] = {}
    for uid in order:
        _add(meetings, _lines(reader, uid, masters.get(uid), others.get(uid, {}), whole_from, first_days))
        if len(first_days) > MOST_SERIES:
            raise InvalidInput("Cet agenda contient plus de 200 séries. Exportez une période plus courte.")
    return ReadCalendar([one.checked() for one in meetings], whole_from, first_days)


def _revision(event: Event) -> int:
    """Of two states of one event the higher one is the newer (RFC 5545, 3.8.7.4)."""
    try:
        return int(event.get("SEQUENCE", 0))
    except (ValueError, TypeError):
        return 0


def _add(meetings: list[Meeting], more: Iterable[Meeting]) -> None:
    meetings += [replace(one, number=len(meetings) + place) for place, one in enumerate(more, 1)]
    if len(meetings) > MAX_CALENDAR_LINES:
        raise InvalidInput("Cet agenda dépasse 2 000 séances. Exportez une période plus courte.")


def _lines(
    reader: EventReader,
    uid: str,
    master: Event | None,
    others: Mapping[str, Event],
    whole_from: dict[str, date],
    first_days: dict[str, date],
) -> list[Meeting]:
    if master is None:
        return [_session(reader, uid, each, each, key, None) for key, each in others.items()]
    try:
        start = reader.moment(master, "DTSTART")
        if start is None:
            raise InvalidInput("Il manque la date de l’activité.")
        recurrence = recurrence_of(master, start, reader.zoned)
        if recurrence is None:
            whole_from[uid] = date.min
            return [meeting_of(reader, uid, master, "", start)]
        first_days[uid] = reader.local_day(start)
        starts, left_out = days_of_series(recurrence, today=reader.today)
    except InvalidInput as error:
        return [faulty(master, uid, error)]
    whole_from[uid] = date.min if not left_out else min(reader.local_day(each) for each in starts)
    lines = []
    if left_out:
        bounds = {
            name: f"{reader.local_day(each):%d/%m/%Y}"
            for name, each in (("first", starts[0]), ("last", starts[-1]))
        }
        lines.append(faulty(master, uid, InvalidInput(CUT, **bounds)))
    for each in starts:
        key = occurrence_key(each)
        lines.append(_session(reader, uid, others.get(key, master), master, key, each))
    # Moved from a day that the rule no longer contains.
    read = {occurrence_key(each) for each in starts}
    lines += [_session(reader, uid, each, master, key, None) for key, each in others.items()
              if key not in read and not left_out]  # fmt: skip
    return lines


def _session(
    reader: EventReader, uid: str, event: Event, master: Event, key: str, start: date | datetime | None
) -> Meeting:
    """One session; `start` from the rule, unless the event overrides it."""
    try:
        value = reader.moment(event, "DTSTART") if event is not master or start is None else start
        if value is None:
            raise InvalidInput("Il manque la date de l’activité.")
        read = meeting_of(reader, uid, event, key, value)
        title, place = str(master.get("SUMMARY", "")), str(master.get("LOCATION", ""))
        return replace(read, title=tidy(title), place=tidy(place)) if event is not master else read
    except InvalidInput as error:
        return faulty(event, uid, error, key)


def _occurrence(reader: EventReader, event: Event) -> str:
    if str(event["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE":
        raise InvalidInput(
            "Ce changement vaut pour une séance et toutes les suivantes : il n’est pas lu. Changez la série."
        )
    moment = reader.moment(event, "RECURRENCE-ID")
    assert moment is not None, "it was there a moment ago"
    return occurrence_key(moment)


def write_calendar(name: str, meetings: Sequence[PublicMeeting], zone: ZoneInfo, language: str) -> bytes:
    """A calendar for subscribers; the same meetings give the same bytes."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Sceau//FR")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", zone.key)
    calendar.add("refresh-interval", timedelta(hours=6), parameters={"VALUE": "DURATION"})
    for meeting in meetings:
        calendar.add_component(_event(meeting, zone, language))
    if any(meeting.start_time for meeting in meetings):
        calendar.add_missing_timezones()
    return bytes(calendar.to_ical())


def _event(meeting: PublicMeeting, zone: ZoneInfo, language: str) -> Event:
    event = Event()
    event.add("uid", meeting.uid)
    event.add("dtstamp", meeting.cancelled_at or meeting.announced_at)
    if meeting.start_time is None:
        event.add("dtstart", meeting.starts_on)
        event.add("dtend", meeting.ends_on + timedelta(days=1))
    else:
        event.add("dtstart", datetime.combine(meeting.starts_on, meeting.start_time, zone))
        ends_at = meeting.end_time or meeting.start_time
        if (meeting.ends_on, ends_at) > (meeting.starts_on, meeting.start_time):
            event.add("dtend", datetime.combine(meeting.ends_on, ends_at, zone))
    event.add("summary", meeting.title, parameters={"LANGUAGE": language})
    for field, text in (("location", meeting.place), ("description", meeting.description)):
        if text:
            event.add(field, text)
    event.add("url", vUri(meeting.url))
    event.add("status", "CANCELLED" if meeting.cancelled_at else "CONFIRMED")
    return event
