"""Calendars (iCalendar, RFC 5545) as lines; the cost of a hostile file is bounded before the library parses
it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

import structlog
from dateutil.tz import tzical
from icalendar import Calendar, Event, vUri
from icalendar.error import BrokenCalendarProperty

from app.adapters.calendars.recurrences import calendar_day, days_of_series, recurrence_of
from app.domain.activities import ActivityKind
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

log = structlog.get_logger("calendars")
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
    return calendar_day(found) if is_near and "RRULE" not in event and "RDATE" not in event else None


def tidy(text: str) -> str:
    return " ".join(text.split())


def _kind(event: Event) -> ActivityKind | None:
    """The first of its categories that is one of our kinds."""
    found = event.get("CATEGORIES")
    listed = found if isinstance(found, list) else [found]
    words = [str(word) for each in listed if each is not None for word in getattr(each, "cats", ())]
    kinds = (kind_of_word(word[:60], ReadingPlan()) for word in words[:20])
    return next((kind for kind in kinds if kind is not None), None)


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


_OFFSET = re.compile(r"^TZOFFSET(?:FROM|TO)[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
_ONE_OFFSET = re.compile(r"[+-]?(0\d|1[0-5])[0-5]\d([0-5]\d)?\s*")
_BEGINS = re.compile(r"^BEGIN:", re.MULTILINE | re.IGNORECASE)
_FIRST_YEAR = re.compile(r"^DTSTART[^:\n]*:(\d{4})", re.MULTILINE | re.IGNORECASE)
_LAST_YEAR = re.compile(r"UNTIL=(\d{4})", re.IGNORECASE)
_EXCEPTION = re.compile(r"^EX(RULE|DATE)", re.MULTILINE | re.IGNORECASE)
_MOST_CHANGES = 100
_MOST_YEARS = 4_200
"""Of all rules of a zone: each is counted from its first year."""
_BEYOND_THE_PARSER: Final = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError, OSError,
)  # fmt: skip


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
    except _BEYOND_THE_PARSER:
        raise InvalidInput(UNREADABLE) from None
    if not events:
        raise NoEvents(N_("Cet agenda ne contient aucun événement."))
    all_cancelled = str(calendar.get("METHOD", "")).upper() == "CANCEL"
    reader = EventReader(ZoneInfo(zone), zones, today, all_cancelled)
    try:
        return _read(reader, events)
    except _BEYOND_THE_PARSER:
        # What no line foresees is a fault of the file: a followed calendar fails instead of its job.
        log.exception("calendar that is not foreseen")
        raise InvalidInput(UNREADABLE) from None


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
        if name is None or not _is_cheap(block):
            continue
        try:
            zone = tzical(io.StringIO(block)).get()
        except (ValueError, KeyError, IndexError, TypeError, OverflowError):
            continue
        if zone is not None:
            zones[name[1].strip()] = zone
    return _ZONE.sub("", text), zones


def _is_cheap(block: str) -> bool:
    """Each time in a zone is compared with each of its changes, and each rule is counted from its start."""
    changes, years = _BEGINS.split(block)[2:], 0
    for change in changes:
        began = _FIRST_YEAR.search(change)
        for rule in _RULE.findall(change):
            ends = _LAST_YEAR.search(rule)
            years += max(1, int(ends[1] if ends else 2100) - int(began[1] if began else 0))
    return (
        all(_YEARLY.fullmatch(rule.strip()) for rule in _RULE.findall(block))
        and all(_ONE_OFFSET.fullmatch(offset) for offset in _OFFSET.findall(block))
        and not _EXCEPTION.search(block)
        and max(len(changes), block.count(",") // 5) <= _MOST_CHANGES
        and years <= _MOST_YEARS
    )


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
    moment = reader.moment(event, "RECURRENCE-ID")
    assert moment is not None, "it was there a moment ago"
    if str(event["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE":
        raise InvalidInput(
            "Ce changement vaut pour une séance et toutes les suivantes : il n’est pas lu. Changez la série."
        )
    return occurrence_key(moment)


def write_calendar(name: str, meetings: Sequence[PublicMeeting], zone: ZoneInfo, language: str) -> bytes:
    """A calendar for subscribers; the same meetings give the same bytes."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "-//Sceau//FR")
    calendar.add("x-wr-calname", tidy(name))
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
