"""Calendars as lines: time zones, whole days, recurrences, cancellations, and files made to be expensive."""

from __future__ import annotations

from datetime import date, time
from time import process_time

import pytest
from dateutil.tz import tzical

from app.adapters import calendars
from app.adapters.calendars import UNREADABLE, read_calendar
from app.domain.activities import ActivityKind
from app.domain.imports.calendars import CUT, NAMELESS, TWICE
from app.domain.imports.imports import MOST_CONTENT_LINES, Meeting
from app.errors import InvalidInput
from tests.support.running.every import for_each

TODAY = date(2026, 11, 26)


def calendar(*events: str, before: str = "") -> bytes:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\n{before}{body}END:VCALENDAR\n".replace("\n", "\r\n").encode()


def lines(*events: str, before: str = "") -> list[Meeting]:
    return list(read_calendar(calendar(*events, before=before), zone="Europe/Paris", today=TODAY).meetings)


def event(start: str, *more: str, uid: str = "u1", title: str = "Atelier") -> str:
    return "\n".join((f"UID:{uid}", f"SUMMARY:{title}", start, *more))


PARIS = "DTSTART;TZID=Europe/Paris:20261005T090000"
TO_NOON = "DTEND;TZID=Europe/Paris:20261005T113000"


def test_an_event_is_a_line_in_the_campus_s_own_time() -> None:
    late = event(
        "DTSTART:20261005T223000Z",
        "DTEND:20261005T233000Z",
        "LOCATION:Le\n  Creusot",
        "CATEGORIES:Public,Projet",
    )
    [one] = lines(late)
    assert (one.uid, one.occurrence, one.title, one.place) == ("u1", "", "Atelier", "Le Creusot")
    assert (one.starts_on, one.ends_on, one.hours) == (date(2026, 10, 6), date(2026, 10, 6), 1.0)
    assert one.kind is ActivityKind.PROJECT


@pytest.mark.parametrize(("first", "second"), [(1, 2), (2, 1)])
def test_of_two_states_of_one_event_the_newer_counts(first: int, second: int) -> None:
    states = {
        1: event(PARIS, TO_NOON, "SEQUENCE:1", title="Avant"),
        2: event(PARIS, TO_NOON, "SEQUENCE:2", title="Après"),
    }
    read = lines(states[first], states[second])
    assert {(one.title, one.fault) for one in read} == {("Après", ""), ("Avant", TWICE)}


@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1)])
def test_of_two_states_of_one_session_the_newer_counts(order: tuple[int, ...]) -> None:
    moved = [
        event(f"DTSTART;TZID=Europe/Paris:202610{day}T090000", "RECURRENCE-ID;TZID=Europe/Paris:20261012T090000", f"SEQUENCE:{number}")
        for number, day in ((1, 13), (2, 14))
    ]  # fmt: skip
    events = [event(PARIS, TO_NOON, "RRULE:FREQ=WEEKLY;COUNT=2"), *moved]
    assert [one.starts_on.day for one in lines(*(events[place] for place in order)) if one.starts_on] == [
        5,
        14,
    ]


def test_a_title_that_no_activity_may_have_is_refused_in_a_dry_run_too() -> None:
    [one] = lines(event(PARIS, TO_NOON, title="<b>Atelier</b>"))
    assert one.fault


def test_whole_days_end_the_day_before_and_have_no_hours() -> None:
    [one] = lines(event("DTSTART;VALUE=DATE:20261005", "DTEND;VALUE=DATE:20261010"))
    assert (one.starts_on, one.ends_on, one.hours) == (date(2026, 10, 5), date(2026, 10, 9), None)
    [single] = lines(event("DTSTART;VALUE=DATE:20261005"))
    assert (single.starts_on, single.ends_on) == (date(2026, 10, 5), date(2026, 10, 5))


def test_several_days_with_times_get_no_hours_since_nights_would_count() -> None:
    [one] = lines(event(PARIS, "DTEND;TZID=Europe/Paris:20261007T170000"))
    assert (one.starts_on, one.ends_on, one.hours) == (date(2026, 10, 5), date(2026, 10, 7), None)


def test_a_weekly_series_stays_at_its_local_time_when_the_clocks_change() -> None:
    read = lines(
        event("DTSTART;TZID=Europe/Paris:20261012T003000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY;COUNT=4")
    )
    assert [one.starts_on for one in read] == [date(2026, 10, day) for day in (12, 19, 26)] + [
        date(2026, 11, 2)
    ]
    assert read[0].occurrence == "20261011T223000Z"
    assert read[-1].occurrence == "20261101T233000Z"
    assert {one.hours for one in read} == {1.0}


def test_excluded_moved_and_cancelled_sessions_are_reported() -> None:
    series = event(PARIS, TO_NOON, "RRULE:FREQ=WEEKLY;COUNT=4", "EXDATE;TZID=Europe/Paris:20261012T090000")
    moved = event(
        "DTSTART;TZID=Europe/Paris:20261021T140000",
        "DTEND;TZID=Europe/Paris:20261021T160000",
        "RECURRENCE-ID:20261019T070000Z",
        title="Autre titre",
    )
    off = event(
        "DTSTART;TZID=Europe/Paris:20261026T090000",
        "RECURRENCE-ID;TZID=Europe/Paris:20261026T090000",
        "STATUS:CANCELLED",
    )
    read = lines(series, moved, off)
    assert [(one.starts_on, one.hours, one.cancelled) for one in read] == [
        (date(2026, 10, 5), 2.5, False),
        (date(2026, 10, 21), 2.0, False),
        (date(2026, 10, 26), None, True),
    ]
    assert {one.title for one in read} == {"Atelier"}


def test_a_series_without_end_is_read_within_limits_and_reported() -> None:
    cut, *read = lines(event(PARIS, TO_NOON, "RRULE:FREQ=DAILY"))
    assert (cut.fault, cut.values) == (CUT, {"first": "27/10/2026", "last": "25/12/2026"})
    assert len(read) == 60
    assert read[0].starts_on == date(2026, 10, 27)


@pytest.mark.parametrize(
    "zone",
    ["Romance Standard Time", "/exemple.org/20240101/Europe/Paris", "Le fuseau du lycée"],
)
def test_zones_of_other_programs_are_understood(zone: str) -> None:
    described = """BEGIN:VTIMEZONE
TZID:Le fuseau du lycée
BEGIN:STANDARD
DTSTART:16011028T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010325T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
END:VTIMEZONE
"""
    [one] = lines(event(f"DTSTART;TZID={zone}:20261005T003000", "DURATION:PT1H"), before=described)
    assert (one.starts_on, one.fault) == (date(2026, 10, 5), "")


def test_event_of_a_distant_time_zone_has_its_date_at_the_campus() -> None:
    """An instant, as calendars of people there show it; without a time or a zone the date stays."""
    far = event("DTSTART;TZID=Pacific/Noumea:20261105T090000", "DURATION:PT2H")
    for written, day in (
        (far, date(2026, 11, 4)),
        (event("DTSTART;VALUE=DATE:20261105"), date(2026, 11, 5)),
        (event("DTSTART:20261105T090000", "DURATION:PT2H"), date(2026, 11, 5)),
    ):
        [one] = read_calendar(calendar(written), zone="America/Guadeloupe", today=TODAY).meetings
        assert one.starts_on == day


def test_a_time_zone_defined_in_one_file_is_unknown_in_the_next() -> None:
    described = (
        "BEGIN:VTIMEZONE\nTZID:Ailleurs\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
        "TZOFFSETFROM:+1100\nTZOFFSETTO:+1100\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    there = event("DTSTART;TZID=Ailleurs:20261005T090000")
    assert lines(there, before=described)[0].starts_on == date(2026, 10, 5)
    assert lines(there)[0].fault == "Le fuseau horaire « {zone} » n’est pas connu."


def test_an_unreadable_event_is_refused_on_its_line_and_the_others_are_read() -> None:
    read = lines(
        event("DTSTART:2026", uid="a"),
        event(PARIS, "RRULE:FREQ=SECONDLY", uid="b"),
        event(PARIS, "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", uid="c"),
        event(PARIS, "RRULE:FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", uid="d"),
        event(PARIS, uid=""),
        event(PARIS, uid="f"),
        event(PARIS, uid="f"),
        event(PARIS, "CLASS:PRIVATE", uid="g", title="Entretien de Zoé"),
        event("DTSTART:99991231T090000Z", uid="h"),
        event(PARIS, "DTEND;TZID=Europe/Paris:20261004T090000", uid="i"),
    )
    by_uid = {one.uid: one for one in read if not (one.uid == "f" and one.fault)}
    assert [uid for uid, one in by_uid.items() if not one.fault] == ["f"]
    assert {one.fault for one in read if one.uid == "f"} == {"", TWICE}
    assert by_uid[""].fault == NAMELESS
    assert "Zoé" not in by_uid["g"].title


def test_a_cancelled_calendar_cancels_every_event() -> None:
    assert [one.cancelled for one in lines(event(PARIS), before="METHOD:CANCEL\n")] == [True]


def _deep() -> bytes:
    return b"BEGIN:VCALENDAR\n" + b"BEGIN:VEVENT\n" * 1_900 + b"END:VCALENDAR\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"BEGIN:VCALENDAR",
        b"\x00" * 100,
        b"BEGIN:VCALENDAR\nVERSION\nEND:VCALENDAR",
        calendar(),
        calendar(*[event(PARIS)] * 2_001),
        calendar(*[event(PARIS, "RRULE:FREQ=WEEKLY;COUNT=50", uid=str(each)) for each in range(60)]),
        b"BEGIN:VCALENDAR\n" + b"x" * (3 * 1024 * 1024),
        calendar(event(PARIS), before="BEGIN:VTIMEZONE\n" * 30),
        _deep(),
    ],
    ids=[
        "nothing",
        "begun",
        "bytes",
        "no value",
        "empty",
        "crowd",
        "many sessions",
        "large",
        "zones",
        "deep",
    ],
)
def test_files_that_are_not_calendars_or_too_large_are_refused_as_a_whole(data: bytes) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_calendar(data, zone="Europe/Paris", today=TODAY)
    assert refused.value.sentence == UNREADABLE or "agenda" in refused.value.sentence


def test_rules_made_to_be_counted_forever_are_cheap() -> None:
    bomb = (
        "BEGIN:VTIMEZONE\nTZID:Bombe\nBEGIN:STANDARD\nDTSTART:19700101T000000\nRRULE:FREQ=SECONDLY\n"
        "TZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE\n"
    )
    rules = (
        "FREQ=DAILY",
        "FREQ=DAILY;COUNT=1000000000",
        "FREQ=WEEKLY;INTERVAL=400;UNTIL=99991231",
        "FREQ=YEARLY;COUNT=9",
    )
    events = [
        event("DTSTART:20170101T090000Z", f"RRULE:{rule}", uid=f"{rule}{number}")
        for rule in rules
        for number in range(5)
    ]
    began = process_time()
    read = lines(event("DTSTART;TZID=Bombe:20261005T090000", uid="z"), *events, before=bomb)
    assert process_time() - began < 5
    assert read[0].fault.startswith("Le fuseau")


_RULE = "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\n"


def zone(*more: str, year: int = 1970, offset: str = "+0100", times: int = 1) -> str:
    change = (
        f"BEGIN:STANDARD\nDTSTART:{year:04}1025T030000\nTZOFFSETFROM:+0200\nTZOFFSETTO:{offset}\n"
        f"{''.join(more)}END:STANDARD\n"
    )
    return f"BEGIN:VTIMEZONE\nTZID:Ailleurs\n{change * times}END:VTIMEZONE\n"


@for_each(
    "described",
    [
        zone(_RULE, times=1_000),
        zone(_RULE, year=1, times=3),
        zone(*[_RULE] * 1_000),
        zone(_RULE, "EXRULE:FREQ=SECONDLY\n"),
        zone(f"RDATE:{','.join(['20201025T030000'] * 1_000)}\n"),
        zone(_RULE, offset="+2400"),
        zone(_RULE, offset="-9999"),
        zone(_RULE, offset="+235960"),
    ],
)
def test_an_expensive_or_impossible_time_zone_is_unknown(
    described: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each datetime is compared with each change of its time zone: 500 events among 1,000 changes took 17 s."""
    read: list[object] = []
    monkeypatch.setattr(calendars, "tzical", lambda text: read.append(text) or tzical(text))
    (meeting,) = lines(event("DTSTART;TZID=Ailleurs:20261005T090000"), before=described)
    assert (meeting.fault, read) == ("Le fuseau horaire « {zone} » n’est pas connu.", [])


@for_each(
    "described",
    [
        zone(_RULE, year=1601, times=2),
        zone(_RULE, year=1, times=2),
        zone("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10;UNTIL=19800101T000000Z\n", times=90),
        zone(year=1911, times=90),
    ],
)
def test_zone_with_its_history_is_read(described: str) -> None:
    (meeting,) = lines(event("DTSTART;TZID=Ailleurs:20261205T090000"), before=described)
    assert (meeting.fault, meeting.start_time) == ("", time(9))


@for_each(
    "more",
    [
        ["RECURRENCE-ID:20261005T070000Z", "RECURRENCE-ID:20261006T070000Z"],
        ["RECURRENCE-ID:demain"],
        ["RRULE:FREQ=MONTHLY;BYDAY=0MO"],
        ["RRULE:FREQ=MONTHLY;BYDAY=+0MO"],
        ["RDATE:demain"],
        ["RRULE:FREQ=DAILY;COUNT=3", "EXDATE:demain"],
        ["DTSTART:20261005T070000Z"],
        ["DTEND:20261005T070000Z", "DTEND:20261006T070000Z"],
        ["DURATION:PT1H", "DURATION:PT2H"],
        ["DURATION:P99999999999999D"],
    ],
    ids=lambda more: " ".join(more),
)
def test_damaged_event_is_refused_on_its_line(more: list[str]) -> None:
    damaged, sound = lines(event(PARIS, *more, uid="a"), event(PARIS, TO_NOON, uid="b"))
    assert (bool(damaged.fault), sound.fault) == (True, "")


@for_each("zone", ["Europe", "É" * 300])
def test_zone_that_is_no_name_of_a_file_is_a_fault_of_the_calendar(zone: str) -> None:
    with pytest.raises(InvalidInput):
        lines(event(f"DTSTART;TZID={zone}:20261005T090000"))


@for_each("until", ["99991231T235959Z", "99991231", "99991231T235959"])
def test_series_until_the_end_of_time_is_one_without_end(until: str) -> None:
    first, *sessions = lines(event(PARIS, TO_NOON, f"RRULE:FREQ=WEEKLY;UNTIL={until}"))
    assert (first.fault, len(sessions) > 50) == (CUT, True)


def test_what_no_line_foresees_is_a_fault_of_the_calendar(monkeypatch: pytest.MonkeyPatch) -> None:
    """A followed calendar then fails and pauses, instead of its job."""

    def read(*_: object) -> None:
        raise ValueError("not foreseen")

    monkeypatch.setattr(calendars, "meeting_of", read)
    with pytest.raises(InvalidInput, match="ne se lit pas"):
        lines(event(PARIS))


@pytest.mark.parametrize(
    ("moments", "times"),
    [
        ((PARIS, TO_NOON), (time(9), time(11, 30))),
        (("DTSTART:20261005T070000Z", "DTEND:20261005T093000Z"), (time(9), time(11, 30))),
        ((PARIS,), (time(9), None)),
        (("DTSTART;VALUE=DATE:20261005",), (None, None)),
        (
            ("DTSTART;TZID=Europe/Paris:20261005T200000", "DTEND;TZID=Europe/Paris:20261006T000000"),
            (time(20), None),
        ),
    ],
    ids=["zone", "utc", "no end", "all day", "until midnight"],
)
def test_times_of_day_are_in_the_time_zone_of_the_campus(
    moments: tuple[str, ...], times: tuple[time | None, time | None]
) -> None:
    (meeting,) = lines(event(*moments))
    assert (meeting.start_time, meeting.end_time) == times
    assert (meeting.record().start_time, meeting.record().end_time) == times


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        (["X-A:1"] * MOST_CONTENT_LINES, "60 000 lignes"),
        ([f"CATEGORIES:{'a,' * 150_001}"], "trop d’informations"),
        ([f"X-A{';P=1' * 150_001}:1"], "trop d’informations"),
    ],
)
def test_events_that_take_the_parser_seconds_are_refused_before_parsing(
    more: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse(_: object) -> None:
        raise AssertionError("parsed")

    monkeypatch.setattr(calendars.Calendar, "from_ical", parse)
    with pytest.raises(InvalidInput, match=sentence):
        lines(event(PARIS, *more))


def test_nul_in_a_calendar_is_removed() -> None:
    (meeting,) = lines(event("20261105T100000Z", uid="u\x001", title="Ate\x00lier"))
    assert (meeting.uid, meeting.title) == ("u1", "Atelier")


@pytest.mark.parametrize("more", [(), ("STATUS:CANCELLED",), ("RRULE:FREQ=WEEKLY;COUNT=2",)])
def test_event_of_a_far_year_is_asked_about(more: tuple[str, ...]) -> None:
    """« 2062 » for 2026: no activity is created until its source has the right year, or the day is nearer."""
    read = lines(event("DTSTART:20620105T090000Z", "DTEND:20620105T100000Z", *more))
    assert {one.fault for one in read} == {"« {word} » est dans plus de deux ans : vérifiez l’année."}
    assert not any(one.fault for one in lines(event("DTSTART:20281120T090000Z")))


def test_session_excluded_by_its_date_only_is_left_out() -> None:
    read = lines(event(PARIS, TO_NOON, "RRULE:FREQ=WEEKLY;COUNT=3", "EXDATE;VALUE=DATE:20261012"))
    assert [one.starts_on.day for one in read if one.starts_on] == [5, 19]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
def test_titles_are_read_in_the_encoding_of_their_file(encoding: str) -> None:
    data = calendar(event(PARIS, title="Été à l’atelier")).decode().encode(encoding)
    [one] = read_calendar(data, zone="Europe/Paris", today=TODAY).meetings
    assert one.title == "Été à l’atelier"


def test_a_line_folded_within_a_character_is_joined_and_a_damaged_character_is_replaced() -> None:
    data = calendar(event(PARIS, "DESCRIPTION:x", title="Découpe"))
    data = data.replace("é".encode(), b"\xc3\r\n \xa9").replace(b"DESCRIPTION:x", b"DESCRIPTION:\xff")
    [one] = read_calendar(data, zone="Europe/Paris", today=TODAY).meetings
    assert one.title == "Découpe"
