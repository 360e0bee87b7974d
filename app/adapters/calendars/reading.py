"""Calendars (iCalendar, RFC 5545) as lines: what a hostile file may cost is bounded before the library sees it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from dateutil.tz import tzical
from icalendar import Calendar, Event

from app.adapters.calendars.events import EventReader, faulty, meeting_of, occurrence_key, tidy
from app.adapters.calendars.recurrences import days_of_series, recurrence_of
from app.domain.imports.calendar_meetings import (
    MOST_BYTES,
    MOST_EVENTS,
    MOST_LINES,
    MOST_SERIES,
    Meeting,
    ReadCalendar,
)
from app.errors import InvalidInput
from app.language import N_

UNREADABLE: Final = N_(
    "Ce fichier d’agenda ne se lit pas : exportez-le à nouveau au format iCalendar (.ics), puis déposez-le."
)
NAMELESS: Final = N_("Cet événement n’a pas d’identifiant (UID).")
TWICE: Final = N_("Cet identifiant est déjà plus haut dans le fichier.")
CUT: Final = N_(
    "Série sans fin ou de plus de 60 séances : sont lues celles du {first} au {last}, à un an au plus."
)
_MOST_PARTS = 10_000
_MOST_ZONES = 20
_ZONE = re.compile(r"^BEGIN:VTIMEZONE\n.*?^END:VTIMEZONE\n", re.MULTILINE | re.DOTALL | re.IGNORECASE)
_ZONE_BEGINS = re.compile(r"^BEGIN:VTIMEZONE", re.MULTILINE | re.IGNORECASE)
_ZONE_NAME = re.compile(r"^TZID[^:\n]*:(.+)$", re.MULTILINE | re.IGNORECASE)
_RULE = re.compile(r"^RRULE[^:\n]*:(.*)$", re.MULTILINE | re.IGNORECASE)
# What time zones need. Anything finer would be counted out by the second.
_YEARLY = re.compile(
    r"FREQ=YEARLY(;(INTERVAL=1|WKST=\w\w|BYMONTH=\d{1,2}|BYDAY=[+-]?\d?\w\w|BYMONTHDAY=-?\d{1,2}(,-?\d{1,2}){0,6}"
    r"|UNTIL=\d{8}(T\d{6}Z?)?))*",
    re.IGNORECASE,
)


def read_calendar(data: bytes, *, zone: str, today: date) -> ReadCalendar:
    """Every event and session as a line, in the order of the file. Raises InvalidInput where it is no calendar."""
    text = _text_of(data)
    kept, zones = _without_zones(text)
    try:
        calendar = Calendar.from_ical(kept)
        events = [each for each in calendar.walk("VEVENT") if isinstance(each, Event)]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidInput(UNREADABLE) from None
    if not events:
        raise InvalidInput(N_("Cet agenda ne contient aucun événement."))
    all_cancelled = str(calendar.get("METHOD", "")).upper() == "CANCEL"
    reader = EventReader(ZoneInfo(zone), zones, today, all_cancelled)
    return _read(reader, events)


def _text_of(data: bytes) -> str:
    if len(data) > MOST_BYTES:
        raise InvalidInput(N_("Cet agenda dépasse 3 Mo. Exportez une période plus courte."))
    text = data.decode("utf-8-sig", errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    unfolded = re.sub(r"\n[ \t]", "", text) + "\n"
    parts = len(re.findall(r"^BEGIN:", unfolded, re.MULTILINE | re.IGNORECASE))
    events = len(re.findall(r"^BEGIN:VEVENT", unfolded, re.MULTILINE | re.IGNORECASE))
    if events > MOST_EVENTS or parts > _MOST_PARTS:
        raise InvalidInput(N_("Cet agenda dépasse 2 000 événements. Exportez une période plus courte."))
    return unfolded


def _without_zones(text: str) -> tuple[str, dict[str, tzinfo]]:
    """The zones that a file describes are read for that file alone: the library would keep them for every other one."""
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
                others.setdefault(uid, {})[_occurrence(reader, event)] = event
            except InvalidInput as error:
                _add(meetings, [faulty(event, uid, error)])
        elif uid in masters:
            _add(meetings, [faulty(event, uid, InvalidInput(TWICE))])
        else:
            masters[uid] = event
    whole_from: dict[str, date] = {}
    first_days: dict[str, date] = {}
    for uid in order:
        _add(meetings, _lines(reader, uid, masters.get(uid), others.get(uid, {}), whole_from, first_days))
        if len(first_days) > MOST_SERIES:
            raise InvalidInput(
                N_("Cet agenda contient plus de 200 séries. Exportez une période plus courte.")
            )
    return ReadCalendar([one.checked() for one in meetings], whole_from, first_days)


def _add(meetings: list[Meeting], more: Iterable[Meeting]) -> None:
    meetings += [replace(one, number=len(meetings) + place) for place, one in enumerate(more, 1)]
    if len(meetings) > MOST_LINES:
        raise InvalidInput(N_("Cet agenda dépasse 2 000 séances. Exportez une période plus courte."))


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
            raise InvalidInput(N_("Il manque la date de l’activité."))
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
    # Moved from a day that the rule no longer has.
    read = {occurrence_key(each) for each in starts}
    lines += [_session(reader, uid, each, master, key, None) for key, each in others.items()
              if key not in read and not left_out]  # fmt: skip
    return lines


def _session(
    reader: EventReader, uid: str, event: Event, master: Event, key: str, start: date | datetime | None
) -> Meeting:
    """One session; `start` as the rule counts it out, unless the event says another."""
    try:
        told = reader.moment(event, "DTSTART") if event is not master or start is None else start
        if told is None:
            raise InvalidInput(N_("Il manque la date de l’activité."))
        read = meeting_of(reader, uid, event, key, told)
        title, place = str(master.get("SUMMARY", "")), str(master.get("LOCATION", ""))
        return replace(read, title=tidy(title), place=tidy(place)) if event is not master else read
    except InvalidInput as error:
        return faulty(event, uid, error, key)


def _occurrence(reader: EventReader, event: Event) -> str:
    if str(event["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE":
        raise InvalidInput(
            N_(
                "Ce changement vaut pour une séance et toutes les suivantes : il n’est pas lu. Changez la série."
            )
        )
    moment = reader.moment(event, "RECURRENCE-ID")
    assert moment is not None, "it was there a moment ago"
    return occurrence_key(moment)
