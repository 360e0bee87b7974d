"""Every page of the demo, in both languages and at both widths: nothing that axe-core finds, nothing sideways."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, ViewportSize

from tests.support.demo_pages import PUBLIC_PATHS, demo_links
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
    is_judged,
)
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.browser

WIDTHS = pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
LANGUAGES = pytest.mark.parametrize("visitor_locale", ["fr-FR", "en-GB"])


def look_at(page: Page, addresses: tuple[str, ...], language: str, *, may_refuse: bool = False) -> None:
    judged = is_judged(page, language)
    for address in addresses:
        answer = page.goto(address)
        assert may_refuse or (answer and answer.ok), f"{address}: not the page, but why it is not shown"
        assert page.locator("html").get_attribute("lang") == language[:2], address
        assert page.locator("h1").count() == 1, address
        if judged:
            assert_accessible(page)
        assert_no_sideways_scroll(page)


@WIDTHS
@LANGUAGES
def test_pages_that_anybody_sees(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    links = demo_links(live_server)
    look_at(
        page,
        tuple(map(live_server.url, PUBLIC_PATHS)) + links.public + (links.revoked_award,),
        visitor_locale,
        may_refuse=True,
    )


@WIDTHS
@LANGUAGES
def test_pages_of_a_trainer(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    links = demo_links(live_server)
    page.goto(links.trainer)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_staff, visitor_locale)


@WIDTHS
@LANGUAGES
def test_pages_of_an_administrator(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    links = demo_links(live_server)
    page.goto(links.admin)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_admins, visitor_locale)


@WIDTHS
@LANGUAGES
def test_pages_of_a_reviewer(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    links = demo_links(live_server)
    page.goto(links.reviewer)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_reviewers, visitor_locale)


@WIDTHS
@LANGUAGES
def test_pages_of_the_operator(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    page.goto(demo_links(live_server).operator)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(
        page,
        tuple(map(live_server.url, ("/exploitation", "/exploitation/historique", "/gestion?tous=oui"))),
        visitor_locale,
    )


@WIDTHS
@LANGUAGES
def test_pages_of_an_administrator_of_a_network(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    links = demo_links(live_server)
    page.goto(links.network)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_network, visitor_locale)


@WIDTHS
@LANGUAGES
def test_pages_of_a_learner(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    page.goto(demo_links(live_server).keeping)
    look_at(page, pages_of_ones_own(live_server, page.url), visitor_locale)


@WIDTHS
@LANGUAGES
def test_pages_of_somebody_under_15(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    page.goto(demo_links(live_server).child)
    look_at(page, pages_of_ones_own(live_server, page.url), visitor_locale)


def pages_of_ones_own(server: LiveServer, award: str) -> tuple[str, ...]:
    """Of whoever opened a badge by its private link."""
    panels = ("montrer", "partager", "partager/code", "telecharger", "confidentialite")
    below = (
        *panels,
        "journal",
        "journal/contributions/nouvelle",
        "recommandations",
        "mes-donnees",
        "effacement",
    )
    around = ("/mes-badges", "/mes-badges/ailleurs", "/mes-badges/portfolio")
    return (award, *(f"{award}/{name}" for name in below), *map(server.url, around))
