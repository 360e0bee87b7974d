"""Chromium, with connections to this machine only, and axe-core for accessibility checks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

PHONE = ViewportSize(width=390, height=844)
DESKTOP = ViewportSize(width=1280, height=900)
ALLOWED_HOSTS = ("localhost", "127.0.0.1", "::1")
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
AXE_OPTIONS = {
    "resultTypes": ["violations"],
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    # axe-core checks target size (WCAG 2.2, 2.5.8) only if enabled by name.
    "rules": {"target-size": {"enabled": True}},
}


@dataclass
class Visit:
    """A browser window, with the faults observed in it."""

    context: BrowserContext
    page: Page
    faults: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.context.on("request", lambda request: self._note_stranger(request.url))
        self.context.on("weberror", lambda error: self.faults.append(f"script error: {error.error}"))
        self.context.on("console", lambda message: self._note_refusal(message.text))

    def _note_stranger(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and parts.hostname not in ALLOWED_HOSTS:
            self.faults.append(f"request to another host: {url}")

    def _note_refusal(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.faults.append(f"refused by the page's own policy: {text}")


OpenPage = Callable[..., Page]


def chromium_path() -> str | None:
    return _found("chromium", "chromium-browser", "google-chrome")


def headless_chromium_path() -> str | None:
    """The headless build if installed: it opens a new context in a quarter of the time."""
    return _found("chromium-headless-shell") or chromium_path()


def _found(*names: str) -> str | None:
    named = os.environ.get("SCEAU_TEST_CHROMIUM")
    return named or next(filter(None, map(shutil.which, names)), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Started per test file, because its event loop conflicts with files that run their own."""
    path = headless_chromium_path()
    if path is None:
        pytest.skip("no Chromium: install Debian's package chromium, or name one in SCEAU_TEST_CHROMIUM")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visitor_locale() -> str:
    """Override by parametrizing a test with `visitor_locale`."""
    return "fr-FR"


@pytest.fixture
def javascript() -> bool:
    """Override by parametrizing a test with `javascript`: every page must also work without."""
    return True


@pytest.fixture
def open_page(browser: Browser, visitor_locale: str, javascript: bool) -> Iterator[OpenPage]:
    """Opens windows in separate contexts; at teardown, fails on script errors and on requests to other hosts."""
    visits: list[Visit] = []

    def open_page(viewport: ViewportSize = DESKTOP) -> Page:
        is_phone = viewport["width"] < 600
        context = browser.new_context(
            viewport=viewport,
            device_scale_factor=2 if is_phone else 1,
            is_mobile=is_phone,
            has_touch=is_phone,
            locale=visitor_locale,
            timezone_id="Europe/Paris",
            java_script_enabled=javascript,
        )
        context.set_default_timeout(15_000)
        visit = Visit(context, context.new_page())
        visit.watch()
        visits.append(visit)
        return visit.page

    yield open_page
    for visit in visits:
        visit.context.close()
    faults = [fault for visit in visits for fault in visit.faults]
    assert not faults, "\n".join(faults)


@pytest.fixture
def page_phone(open_page: OpenPage) -> Page:
    return open_page(PHONE)


@pytest.fixture
def page_desktop(open_page: OpenPage) -> Page:
    return open_page(DESKTOP)


def judged_width(locale: str) -> ViewportSize:
    """The width for axe-core, one per language: its results depend on width or language, and a run takes most of a second."""
    return PHONE if locale.startswith("fr") else DESKTOP


def assert_good_at_both_widths(page: Page) -> None:
    """Accessible at the current width, and without horizontal scrolling at both widths."""
    first = page.viewport_size
    assert first is not None
    assert_accessible(page)
    assert_reflows_at_both_widths(page)
    page.set_viewport_size(first)


def assert_reflows_at_both_widths(page: Page) -> None:
    """Leaves the window at the other width, for the next page."""
    assert page.viewport_size in (PHONE, DESKTOP)
    assert_no_sideways_scroll(page)
    page.set_viewport_size(DESKTOP if page.viewport_size == PHONE else PHONE)
    assert_no_sideways_scroll(page)


def press_key(page: Page, key: str) -> None:
    """Wait for the scripts of the page to load, then send the key."""
    page.wait_for_load_state()
    page.keyboard.press(key)


_REPEATED = """() => {
  const ids = [...document.querySelectorAll("[id]:not(svg *)")].map(each => each.id);
  return ids.filter((id, at) => ids.indexOf(id) !== at);
}"""
"""axe-core accepts duplicate ids, unless ARIA refers to them."""


def assert_accessible(page: Page) -> None:
    """Checks WCAG 2.2 A and AA and axe-core's best practices; requires JavaScript in the page."""
    page.wait_for_load_state()
    page.evaluate(_axe_script())
    violations = page.evaluate("options => axe.run(options).then(found => found.violations)", AXE_OPTIONS)
    assert not violations, f"{page.url} is not accessible:\n" + "\n".join(map(_described, violations))
    assert page.evaluate(_REPEATED) == [], f"{page.url}: a label or a link leads to the first of them alone"


@cache
def _axe_script() -> str:
    return Axe().axe_script


def assert_no_sideways_scroll(page: Page) -> None:
    """The page reflows to the width of its window (WCAG 2.2, 1.4.10)."""
    page.wait_for_load_state()
    needed, given = page.locator("html").evaluate("page => [page.scrollWidth, page.clientWidth]")
    assert needed <= given, f"{page.url} needs {needed} pixels across and has {given}"


def _described(violation: dict) -> str:
    places = "".join(
        f"\n    {' '.join(map(str, node['target']))}: {node['html'][:160]}\n      {node['failureSummary']}"
        for node in violation["nodes"]
    )
    return f"  [{violation['impact']}] {violation['id']}: {violation['help']}{places}"
