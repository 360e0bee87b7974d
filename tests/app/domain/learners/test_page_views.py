"""Counting openings of badge pages in memory: visitors once a day, robots never, bounded."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.learners.ratings import MOST_PER_NETWORK, PageViews, is_robot

PAGE, OTHER = uuid.uuid4(), uuid.uuid4()
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1"
DAY = date(2026, 11, 24)


class Clock:
    now = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_a_visitor_counts_once_per_page_and_day():
    views = PageViews(Clock())
    for page in (PAGE, PAGE, OTHER):
        views.note(page, network="192.0.2.1", agent=FIREFOX)
    views.note(PAGE, network="192.0.2.2", agent=FIREFOX)
    views.note(PAGE, network="192.0.2.1", agent=PHONE)
    assert views.take() == {(PAGE, DAY): 3, (OTHER, DAY): 1}
    views.note(PAGE, network="192.0.2.1", agent=FIREFOX)
    assert views.take() == {}, "still known after the counts were taken"


def test_the_next_day_in_paris_begins_anew_and_forgets_visitors_and_key():
    clock = Clock()
    views = PageViews(clock)
    views.note(PAGE, network="192.0.2.1", agent=FIREFOX)
    key = views._key
    clock.now += timedelta(hours=11)
    assert views.take() == {(PAGE, DAY): 1}
    assert (views._visitors, views._networks) == (set(), {}), "forgotten though nobody came"
    assert views._key != key
    views.note(PAGE, network="192.0.2.1", agent=FIREFOX)
    assert views.take() == {(PAGE, DAY + timedelta(days=1)): 1}


def test_counts_that_could_not_be_written_are_put_back():
    views = PageViews(Clock())
    views.note(PAGE, network="192.0.2.1", agent=FIREFOX)
    taken = views.take()
    views.note(PAGE, network="192.0.2.2", agent=FIREFOX)
    views.put_back(taken)
    assert views.take() == {(PAGE, DAY): 2}


def test_one_network_and_one_process_count_up_to_a_bound():
    views = PageViews(Clock())
    for number in range(3 * MOST_PER_NETWORK):
        views.note(PAGE, network="192.0.2.1", agent=f"{FIREFOX} {number}")
    assert views.take() == {(PAGE, DAY): MOST_PER_NETWORK}
    few = PageViews(Clock(), most=5)
    for number in range(9):
        few.note(PAGE, network=f"192.0.2.{number}", agent=FIREFOX)
    assert few.take() == {(PAGE, DAY): 5}


@pytest.mark.parametrize(
    "agent",
    [
        "",
        "curl/8.5.0",
        "python-httpx/0.28",
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0)",
        "LinkedInBot/1.0 (compatible; Mozilla/5.0)",
        "facebookexternalhit/1.1",
        "WhatsApp/2.23.20.0",
        "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/140.0 Safari/537.36",
    ],
)
def test_robots_are_not_counted(agent: str):
    assert is_robot(agent)


@pytest.mark.parametrize(
    "agent", [FIREFOX, PHONE, "Mozilla/5.0 (Linux; Android 15; Pixel 9) Chrome/140.0 Mobile"]
)
def test_browsers_are_counted(agent: str):
    assert not is_robot(agent)
