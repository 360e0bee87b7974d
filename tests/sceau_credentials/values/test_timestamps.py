"""Datetimes: one reading for each text, and only existing ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import format_timestamp, parse_timestamp
from tests.support.running.every import for_each


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-06-30T09:00:00Z", datetime(2026, 6, 30, 9, tzinfo=UTC)),
        ("2026-06-30T11:00:00+02:00", datetime(2026, 6, 30, 9, tzinfo=UTC)),
        ("2026-06-30T04:30:00-04:30", datetime(2026, 6, 30, 9, tzinfo=UTC)),
        ("2026-06-30T09:00:00.000Z", datetime(2026, 6, 30, 9, tzinfo=UTC)),
        ("2026-06-30T09:00:00.1234567Z", datetime(2026, 6, 30, 9, 0, 0, 123456, tzinfo=UTC)),
        ("2026-06-30T09:00:00", datetime(2026, 6, 30, 9, tzinfo=UTC)),
    ],
)
def test_a_datetime_is_read_from_any_published_form(text, moment):
    """C-019: without an offset it is UTC."""
    assert parse_timestamp(text) == moment


@for_each(
    "text",
    ["", "yesterday", "2026-06-30", "2026-06-31T00:00:00Z", "2026-06-30T24:00:01Z", "2026-06-30 09:00:00Z",
     "2026-06-30T09:00Z", "2026-06-30T09:00:00z", "2026-06-30T09:00:00+25:00", "2026-06-30T09:00:00+02",
     "2026-06-30T09:00:00Z\n", "٢٠٢٦-06-30T09:00:00Z", "0000-01-01T00:00:00Z", "2026-06-30T09:00:00+01:60",
     "2026-06-30T09:00:00." + "1" * 5000 + "Z", None, 1782810000, ["2026-06-30T09:00:00Z"]],
)  # fmt: skip
def test_an_invalid_datetime_is_refused(text):
    with pytest.raises(MalformedInput, match="timestamp"):
        parse_timestamp(text)


def test_a_field_may_require_an_offset():
    with pytest.raises(MalformedInput):
        parse_timestamp("2026-06-30T09:00:00", zone_required=True)


def test_a_datetime_is_written_in_whole_seconds_of_utc():
    paris = timezone(timedelta(hours=2))
    assert format_timestamp(datetime(2026, 6, 30, 11, 0, 0, 999_999, tzinfo=paris)) == "2026-06-30T09:00:00Z"
    with pytest.raises(ValueError, match="zone"):
        format_timestamp(datetime(2026, 6, 30))  # noqa: DTZ001


def test_both_hours_of_the_night_when_clocks_go_back_are_written() -> None:
    paris = ZoneInfo("Europe/Paris")
    written = [format_timestamp(datetime(2026, 10, 25, 2, 30, tzinfo=paris, fold=fold)) for fold in (0, 1, 0)]
    assert written == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z"]
