"""Public pages are light, quick to show, still while they load, and whole at 320 pixels (400 % of 1280).

The promise of 60 kB, and the audits of `make lighthouse` that cost the most; each page is opened once for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle

import pytest
from playwright.sync_api import ConsoleMessage, Page, Response, ViewportSize

from app.container import Process
from app.domain.awards import Visibility
from tests.support.demo_pages import PUBLIC_PATHS, demo_links
from tests.support.servers.browser import PHONE, OpenPage, assert_no_sideways_scroll
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
MOST_MOVED = 0.05
"""Half of what counts as good (cumulative layout shift)."""
NARROW = ViewportSize(width=320, height=640)
_SHIFTS = """() => new Promise((resolve) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((each) => (sum += each.value)))
    .observe({ type: "layout-shift", buffered: true });
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
})"""
_LOADED = """() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map((each) => each.name)"""
_UNSIZED = """() => [...document.images].filter((each) => !each.getAttribute("width") || !each.getAttribute("height"))
  .map((each) => each.src)"""


def addresses(server: LiveServer) -> tuple[str, ...]:
    links = demo_links(server)
    return (*map(server.url, PUBLIC_PATHS), *links.public, links.revoked_award)


def shown_afresh(
    open_page: OpenPage, addresses: Sequence[str], *, watch: Callable[[Page], object]
) -> Iterator[tuple[str, Page, Response | None]]:
    """Each without cookies and cache, once it asks for nothing more; some wait together for that half second.

    A window of its own for each would cost three times the page.
    """
    first = open_page(PHONE)
    tabs = [first, *(first.context.new_page() for _ in range(5))]
    for tab in tabs:
        network = first.context.new_cdp_session(tab)
        network.send("Network.enable")
        network.send("Network.setCacheDisabled", {"cacheDisabled": True})
    for at in range(0, len(addresses), len(tabs)):
        first.context.clear_cookies()
        opened = []
        for address, tab in zip(addresses[at:], tabs, strict=False):
            tab.set_viewport_size(PHONE)
            watch(tab)
            opened.append((address, tab, tab.goto(address, wait_until="commit")))
        for address, tab, answer in opened:
            tab.wait_for_load_state("networkidle")
            yield address, tab, answer


def test_the_page_of_every_badge_and_state_is_short_on_a_phone_in_each_language(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    """One open award of each badge and state of the demo, expired and withdrawn among them, in one language after another."""
    page, seen = open_page(PHONE), set()
    long: dict[str, tuple[int, int]] = {}
    languages = cycle(("fr", "en", "es"))
    for address in open_awards(live_server):
        page.context.add_cookies([{"name": "langue", "value": next(languages), "url": live_server.base_url}])
        page.goto(address)
        size, words = page.evaluate("document.documentElement.scrollHeight"), page.evaluate(_WORDS)
        seen.add(page.locator(".verdict").get_attribute("class"))
        if size > MOST_PIXELS or words > MOST_WORDS:
            long[address] = (size, words)
    assert long == {}
    assert len(seen) >= 3


def open_awards(server: LiveServer) -> Iterator[str]:
    known = set()
    with Process(server.settings).unit_of_work(reading=True) as services:
        for campus in services.campuses.list_all():
            for record in services.awards.list_in(campus, limit=1_000):
                key = (record.badge.id, record.award.state)
                if record.award.visibility is Visibility.OPEN and key not in known:
                    known.add(key)
                    yield services.addresses.award(record.award.id)


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
    folded = page.locator("details:has(#controles)")
    assert folded.get_attribute("open") is None
    assert re.fullmatch(
        r"Vérifié\. Contrôles conformes\s: (\d+) sur \1", folded.locator("summary").inner_text()
    )
    code = page.get_by_role("img", name="Code QR de cette page")
    for medium in ("screen", "print"):
        page.emulate_media(media=medium)
        assert code.is_visible()
        assert page.locator(".plate").is_visible()
        picture = page.locator(".proof .badge img").bounding_box()
        assert picture is not None
        assert picture["width"] > 140


def test_each_public_page_weighs_less_than_sixty_kilobytes_asks_nobody_else_and_stays_where_it_is(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    weights = {}
    complaints: dict[Page, list[str]] = {}

    def watch(page: Page) -> None:
        """What the browser complains of, and what it asked for in vain beside the page itself."""
        if page not in complaints:
            page.on("console", lambda said: note(page, said))
        complaints[page] = []

    def note(page: Page, said: ConsoleMessage) -> None:
        if said.type in ("error", "warning"):
            complaints[page].append(said.text)

    for address, page, answer in shown_afresh(open_page, addresses(live_server), watch=watch):
        weights[address.removeprefix(live_server.base_url)] = page.evaluate(_WEIGHT)
        assert len(page.evaluate(_BLOCKING)) <= MOST_BLOCKING, address
        # The page of an address where nothing is, and of a shut award, is itself an answer of that kind.
        assert len(complaints[page]) <= (not answer.ok if answer else 0), (address, complaints[page])
        assert all(name.startswith(live_server.base_url) for name in page.evaluate(_LOADED)), address
        assert page.evaluate(_UNSIZED) == [], address
        assert page.evaluate(_SHIFTS) < MOST_MOVED, address
        page.set_viewport_size(NARROW)
        assert_no_sideways_scroll(page)
    heavy = {
        path: each
        for path, each in weights.items()
        if not (0 < each[0] < MOST_TRAVELS and each[1] < MOST_UNPACKED)
    }
    assert heavy == {}
