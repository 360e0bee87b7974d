"""A badge shown on request, or in part: each page at both widths and in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from app.container import Process
from app.domain.campus.campus import CampusSettings
from tests.support.app import COMMAND
from tests.support.demo_pages import demo_links
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.browser


def evaluate(page: Page) -> None:
    assert page.locator("h1").count() == 1
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@pytest.fixture
def parts_are_offered(live_server: LiveServer) -> Iterator[str]:
    """By the campus, for this test: the private link of an open badge of a learner."""
    process = Process(live_server.settings)

    def switch(is_on: bool) -> None:
        with process.unit_of_work() as services:
            now = CampusSettings.of(services.campuses.get("itip"))
            services.campuses.change_settings("itip", replace(now, selective_disclosure=is_on), by=COMMAND)

    switch(True)
    with process.unit_of_work(reading=True) as services:
        shown = services.awards.record(UUID(demo_links(live_server).open_award.rpartition("/")[2])).award
        token = services.people.private_link_token(shown.id, shown.link_generation)
        link = services.addresses.private_link(token)
    yield link
    switch(False)


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("visitor_locale", ["fr-FR", "en-GB"])
def test_a_part_of_a_badge_is_chosen_and_read_before(
    parts_are_offered: str, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    page = open_page(viewport)
    page.goto(parts_are_offered)
    page.goto(f"{page.url}/partager/partie")
    expect(page.get_by_role("table")).to_be_visible()
    evaluate(page)
    page.goto(f"{page.url}?montre=nom&montre=preuves")
    evaluate(page)


@pytest.mark.parametrize(
    ("viewport", "visitor_locale"),
    [(PHONE, "fr-FR"), (DESKTOP, "en-GB"), (PHONE, "en-GB"), (DESKTOP, "fr-FR")],
    ids=["phone-fr", "desktop-en", "phone-en", "desktop-fr"],
)
def test_from_the_employers_words_to_the_verdict(
    live_server: LiveServer, open_page: OpenPage, viewport: ViewportSize, visitor_locale: str
) -> None:
    employer, learner = open_page(viewport), open_page(viewport)
    employer.goto(live_server.url("/verifier/demander"))
    evaluate(employer)
    for name, words in (("qui", "Atelier Nord"), ("pourquoi", "Un poste à Nevers"), ("badge", "Explor")):
        employer.locator(f"[name={name}]").fill(words)
    employer.get_by_role("button", name=re.compile("Préparer|Prepare")).click()
    evaluate(employer)
    asked = employer.locator("#lien").input_value()
    learner.goto(demo_links(live_server).private)
    learner.goto(asked)
    evaluate(learner)
    learner.get_by_role(
        "button", name=re.compile("Voir ce qui serait montré|See what would be shown")
    ).click()
    evaluate(learner)
    learner.get_by_role("button", name=re.compile("Montrer ce badge|Show this badge")).click()
    evaluate(learner)
    # The page that waits reads the answer by itself.
    expect(employer.get_by_text(re.compile("vient des badges|comes from this person"))).to_be_visible(
        timeout=30_000
    )
    evaluate(employer)
