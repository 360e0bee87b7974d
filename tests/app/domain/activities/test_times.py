"""An activity begins and ends at its times, on the clocks of its campus."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from app.domain.activities import (
    Activity,
    ActivityKind,
    check_activity,
    has_begun,
    has_ended,
)
from app.errors import InvalidInput

DAY, NEXT = date(2026, 11, 24), date(2026, 11, 25)


def workshop(start: time | None, end: time | None, last: date = DAY) -> Activity:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return Activity(
        kind=ActivityKind.WORKSHOP, title="Robotique", starts_on=DAY, ends_on=last, start_time=start,
        end_time=end, created_at=at,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("start", "end", "hour", "begun", "ended"),
    [
        (time(13, 30), time(16, 30), time(6, 30), False, False),
        (time(13, 30), time(16, 30), time(13, 30), True, False),
        (time(13, 30), time(16, 30), time(16, 29), True, False),
        (time(13, 30), time(16, 30), time(16, 30), True, True),
        (time(13, 30), None, time(23, 59), True, False),
        (None, None, time(0, 0), True, False),
    ],
)
def test_activity_is_over_only_after_its_end(
    start: time | None, end: time | None, hour: time, begun: bool, ended: bool
) -> None:
    activity, now = workshop(start, end), datetime.combine(DAY, hour)
    assert (has_begun(activity, now), has_ended(activity, now)) == (begun, ended)


def test_end_time_is_that_of_the_last_day() -> None:
    activity = workshop(time(9), time(12), last=NEXT)
    assert not has_ended(activity, datetime.combine(DAY, time(18)))
    assert has_ended(activity, datetime.combine(NEXT, time(12)))


@pytest.mark.parametrize(("start", "end"), [(time(14), time(13)), (time(14), time(14)), (None, time(14))])
def test_times_out_of_order_are_refused(start: time | None, end: time) -> None:
    with pytest.raises(InvalidInput):
        check_activity(workshop(start, end))


def test_several_days_may_end_at_an_earlier_hour() -> None:
    check_activity(workshop(time(14), time(12), last=NEXT))
