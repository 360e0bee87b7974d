"""One event of a calendar as a line: its day, its hours, its place, in the campus's own time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from icalendar import Event
from icalendar.error import BrokenCalendarProperty

from app.domain.activities.activities import ActivityKind
from app.domain.imports.calendar_meetings import Meeting
from app.domain.imports.columns import ReadingPlan, kind_of_word
from app.domain.imports.records import quoted
from app.errors import InvalidInput
from app.language import N_

_PRIVATE = ("PRIVATE", "CONFIDENTIAL")


@dataclass(frozen=True)
class EventReader:
    """`zone` is the campus's: its days are those of the lines, and times without a zone are its own."""

    zone: ZoneInfo
    zones: Mapping[str, tzinfo]
    today: date
    all_cancelled: bool

    def moment(self, event: Event, name: str) -> date | datetime | None:
        """As wall time of its own zone where it has an hour."""
        prop = event.get(name)
        if prop is None:
            return None
        try:
            found = prop.dt
        except (BrokenCalendarProperty, AttributeError):
            raise InvalidInput(N_("Une date de cet événement ne se lit pas.")) from None
        return self.zoned(found, str(prop.params.get("TZID", "")))

    def zoned(self, found: Any, name: str) -> date | datetime:
        if isinstance(found, tuple):
            found = found[0]
        if not isinstance(found, date):
            raise InvalidInput(N_("Une date de cet événement ne se lit pas."))
        if not 1990 <= found.year <= 2100:
            raise InvalidInput(N_("Cet événement n’a pas lieu entre 1990 et 2100."))
        if not isinstance(found, datetime):
            return found
        if found.tzinfo is None:
            return found.replace(tzinfo=self.zone_named(name) if name else self.zone)
        return found

    def zone_named(self, name: str) -> tzinfo:
        if name in self.zones:
            return self.zones[name]
        try:
            # Some write a prefix of their own before the name that everybody knows.
            return ZoneInfo("/".join(name.split("/")[-2:]))
        except (ValueError, KeyError, OSError):
            raise InvalidInput(
                N_("Le fuseau horaire « {zone} » n’est pas connu."), zone=quoted(name)
            ) from None

    def local_day(self, moment: date | datetime) -> date:
        return moment.astimezone(self.zone).date() if isinstance(moment, datetime) else moment


def meeting_of(
    reader: EventReader, uid: str, event: Event, occurrence: str, start: date | datetime
) -> Meeting:
    if str(event.get("CLASS", "")).strip().upper() in _PRIVATE:
        return Meeting(0, uid, occurrence, fault=N_("Événement privé : il n’est pas repris."))
    length = _length(reader, event)
    first = reader.local_day(start)
    if isinstance(start, datetime):
        last = reader.local_day(start + max(length - timedelta(seconds=1), timedelta()))
        is_one_day = last == first or length <= timedelta(hours=12)
        hours = round(length / timedelta(hours=1), 2) if is_one_day and length else None
        last = first if is_one_day else last
    else:
        hours, last = None, start + max(length, timedelta(days=1)) - timedelta(days=1)
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
    )


def _length(reader: EventReader, event: Event) -> timedelta:
    """From DTEND or DURATION; nothing where the file does not say it."""
    start, end = reader.moment(event, "DTSTART"), reader.moment(event, "DTEND")
    if start is not None and end is not None:
        if isinstance(start, datetime) != isinstance(end, datetime) or _as_moment(end) < _as_moment(start):
            raise InvalidInput(N_("L’activité finirait avant d’avoir commencé."))
        return _as_moment(end) - _as_moment(start)
    prop = event.get("DURATION")
    try:
        length = prop.dt if prop is not None else timedelta()
    except (BrokenCalendarProperty, AttributeError):
        length = None
    if not isinstance(length, timedelta) or not timedelta() <= length <= timedelta(days=400):
        raise InvalidInput(N_("La durée de cet événement ne se lit pas."))
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
    title = tidy(str(event.get("SUMMARY", "")))[:200]
    if str(event.get("CLASS", "")).strip().upper() in _PRIVATE:
        title = ""
    return Meeting(0, uid, occurrence, title).refused(error.sentence, **error.values)


def tidy(text: str) -> str:
    return " ".join(text.split())


def _kind(event: Event) -> ActivityKind | None:
    """The first of its categories that is a kind of ours."""
    found = event.get("CATEGORIES")
    listed = found if isinstance(found, list) else [found]
    words = [str(word) for each in listed if each is not None for word in getattr(each, "cats", ())]
    kinds = (kind_of_word(word[:60], ReadingPlan()) for word in words[:20])
    return next((kind for kind in kinds if kind is not None), None)
