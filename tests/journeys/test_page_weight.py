"""Public pages are light: less than 60 kB of a first visit travel, pictures apart, whoever asks without being signed in."""

from __future__ import annotations

import pytest

from tests.journeys.test_still_pages import addresses
from tests.support.browser import PHONE, OpenPage
from tests.support.server import LiveServer

pytestmark = pytest.mark.browser

MOST_TRAVELS = 60_000
MOST_UNPACKED = 105_000
"""Not promised, and held so that what is saved by compressing is not spent on writing more."""
_WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((each) => each.initiatorType !== "img")
  .reduce(([travels, unpacked], each) => [travels + each.transferSize, unpacked + each.decodedBodySize], [0, 0])"""


def test_each_public_page_weighs_less_than_sixty_kilobytes(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    weights = {}
    for address in addresses(live_server):
        page = open_page(PHONE)  # a new window: nothing is remembered from the page before
        page.goto(address, wait_until="networkidle")
        weights[address.removeprefix(live_server.base_url)] = page.evaluate(_WEIGHT)
        page.context.close()
    assert all(0 < travels < MOST_TRAVELS for travels, _ in weights.values()), weights
    assert all(unpacked < MOST_UNPACKED for _, unpacked in weights.values()), weights
