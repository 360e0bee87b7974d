"""The days of an activity as they are signed: read by a wallet anywhere, they stay the days of the activity."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.activities import PartKind
from app.domain.awards.open_badges import (
    DisclosedContent,
    _end_of,
    _participation_sentence,
    _start_of,
    is_dated_in_utc,
)
from app.domain.awards.skills import NO_PRACTICE
from app.language import speaking
from sceau_credentials.model import AchievementSubject
from sceau_credentials.values import parse_timestamp
from tests.support.badges.credentials import badge_document

ZONES = ["Europe/Paris", "Pacific/Noumea", "America/Guadeloupe", "Pacific/Tahiti", "Indian/Reunion"]


def campus(zone: str = "Europe/Paris") -> Any:
    return SimpleNamespace(time_zone=zone)


def signed(first: date, last: date, zone: str = "Europe/Paris") -> tuple[str, str]:
    """The two texts as a wallet finds them in the credential."""
    document = badge_document()["credentialSubject"]
    subject = AchievementSubject.from_document(document).model_copy(
        update={
            "activity_start_date": _start_of(first, campus(zone)),
            "activity_end_date": _end_of(last, campus(zone)),
        }
    )
    written = json.loads(json.dumps(subject.to_document()))
    return written["activityStartDate"], written["activityEndDate"]


def test_days_of_winter_and_summer_are_written_with_the_offset_of_the_campus() -> None:
    assert signed(date(2026, 11, 24), date(2026, 11, 25)) == (
        "2026-11-24T01:00:00+01:00",
        "2026-11-25T23:59:59+01:00",
    )
    assert signed(date(2026, 6, 24), date(2026, 6, 24)) == (
        "2026-06-24T02:00:00+02:00",
        "2026-06-24T23:59:59+02:00",
    )
    assert signed(date(2026, 6, 24), date(2026, 6, 24), "Pacific/Noumea") == (
        "2026-06-24T11:00:00+11:00",
        "2026-06-24T23:59:59+11:00",
    )


@settings(deadline=None)
@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)), st.integers(0, 40), st.sampled_from(ZONES))
def test_a_wallet_reads_back_the_days_of_the_activity(first: date, days: int, zone: str) -> None:
    last = first + timedelta(days=days)
    starts, ends = signed(first, last, zone)
    assert (starts[:10], ends[:10]) == (first.isoformat(), last.isoformat()), "a wallet that shows the text"
    for wallet in ("UTC", zone):
        read = [parse_timestamp(text).astimezone(ZoneInfo(wallet)).date() for text in (starts, ends)]
        assert read == [first, last], wallet
    assert parse_timestamp(starts) < parse_timestamp(ends)


@pytest.mark.parametrize("wallet", ["UTC", "Europe/Paris", "Pacific/Noumea"])
def test_a_wallet_shows_a_time_of_the_activity_and_the_end_after_the_start(wallet: str) -> None:
    starts, ends = signed(date(2026, 11, 24), date(2026, 11, 24))
    here = [parse_timestamp(text).astimezone(ZoneInfo(wallet)) for text in (starts, ends)]
    assert here[0].date() == date(2026, 11, 24)
    assert here[1] - here[0] > timedelta(hours=22)
    # In Nouméa it is already the next morning when the day ends in Paris.
    assert here[1].date() == date(2026, 11, 25 if wallet == "Pacific/Noumea" else 24)


def test_a_badge_of_before_is_recognised_by_its_midnights_in_utc() -> None:
    before = {"credentialSubject": {"activityStartDate": "2026-11-23T23:00:00Z"}}
    assert is_dated_in_utc(before, "Europe/Paris")
    starts, _ = signed(date(2026, 11, 24), date(2026, 11, 24))
    for written in (starts, "2026-11-23T10:00:00Z", None, 7):
        assert not is_dated_in_utc({"credentialSubject": {"activityStartDate": written}}, "Europe/Paris")
    assert not is_dated_in_utc({}, "Europe/Paris")
    assert datetime(2026, 11, 23, 23, tzinfo=UTC).astimezone(ZoneInfo("Europe/Paris")).day == 24


@pytest.mark.parametrize(("language", "hours"), [("fr", "3,5 h"), ("en", "3.5 h")])
def test_hours_are_written_in_the_language_of_the_badge(language: str, hours: str) -> None:
    award: Any = SimpleNamespace(part=PartKind.LEARNER, hours=3.5, contribution="")
    activity: Any = SimpleNamespace(starts_on=date(2026, 11, 24), ends_on=date(2026, 11, 24), place="")
    with speaking(language):
        assert hours in _participation_sentence(award, activity, DisclosedContent.ALL, NO_PRACTICE).replace(
            "\u00a0", " "
        )
