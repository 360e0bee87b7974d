"""Public pages are light and quick to show: the promise of 60 kB, and the audits of `make lighthouse` that cost the most."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.journeys.test_still_pages import addresses, shown_in_new_windows
from tests.support.demo_pages import demo_links
from tests.support.servers.browser import PHONE, OpenPage
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.browser

MOST_TRAVELS = 60_000
MOST_UNPACKED = 105_000
"""Not promised, and held so that what is saved by compressing is not spent on writing more."""
MOST_BLOCKING = 2
"""The styles, and a campus's colours: what stands before anything is drawn."""
_WEIGHT = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .filter((each) => each.initiatorType !== "img")
  .reduce(([travels, unpacked], each) => [travels + each.transferSize, unpacked + each.decodedBodySize], [0, 0])"""
_BLOCKING = """() => performance.getEntriesByType("resource")
  .filter((each) => each.renderBlockingStatus === "blocking").map((each) => each.name)"""


MOST_PIXELS, MOST_WORDS = 3_000, 450
_WORDS = """() => document.querySelector("main").innerText.split(/\\s+/).filter((each) => /\\p{L}|\\d/u.test(each)).length"""


def test_an_employers_page_is_short_on_a_phone_and_shows_the_way_back(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    page.goto(demo_links(live_server).open_award)
    assert page.evaluate("document.documentElement.scrollHeight") <= MOST_PIXELS
    assert page.evaluate(_WORDS) <= MOST_WORDS
    headings = page.get_by_role("heading", level=2).all_inner_texts()
    assert [each for each in headings if each in ("Sur quoi il repose", "Ce que cela ne prouve pas")] == [
        "Sur quoi il repose",
        "Ce que cela ne prouve pas",
    ]
    folded = page.locator("details#controles")
    assert folded.get_attribute("open") is None
    assert re.fullmatch(r"Vérifié\s: (\d+) contrôles, \1 conformes", folded.locator("summary").inner_text())
    code = page.get_by_role("img", name="Code QR de cette page")
    for medium in ("screen", "print"):
        page.emulate_media(media=medium)
        assert code.is_visible()
        assert page.locator(".plate").is_visible()


def test_each_public_page_weighs_less_than_sixty_kilobytes_and_shows_at_once(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    weights = {}
    complaints: dict[Page, list[str]] = {}

    def watch(page: Page) -> None:
        """What the browser complains of, and what it asked for in vain beside the page itself."""
        found = complaints[page] = []
        page.on(
            "console", lambda said: found.append(said.text) if said.type in ("error", "warning") else None
        )

    for address, page, answer in shown_in_new_windows(open_page, addresses(live_server), watch=watch):
        weights[address.removeprefix(live_server.base_url)] = page.evaluate(_WEIGHT)
        assert len(page.evaluate(_BLOCKING)) <= MOST_BLOCKING, address
        # The page of an address where nothing is, and of a shut award, is itself an answer of that kind.
        assert len(complaints[page]) <= (not answer.ok if answer else 0), (address, complaints[page])
    heavy = {
        path: each
        for path, each in weights.items()
        if not (0 < each[0] < MOST_TRAVELS and each[1] < MOST_UNPACKED)
    }
    assert heavy == {}
