"""Every page of the demo, in both languages and at both widths: nothing that axe-core finds, nothing sideways.

Each day axe-core judges half of the pages in each language; `make test-long` has it judge all in both.
"""

from __future__ import annotations

import re
import uuid
from typing import NamedTuple
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page

from app.container import Process
from app.domain.learners.wallets import AUTHORIZATION_CODE, WalletFormat, may_carry
from app.domain.people.consents import needs_guardian_for
from demo.seeder import BY_COMMAND, CAMPUS
from tests.app.services.learners.test_wallet_consents import authorization
from tests.app.services.learners.test_wallets import content_of
from tests.support.demo_pages import PUBLIC_PATHS, demo_links
from tests.support.running.examples import in_turn
from tests.support.servers.browser import (
    OpenPage,
    assert_accessible,
    assert_good_at_both_widths,
    assert_reflows_at_both_widths,
    judged_width,
)
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.browser

_OPEN_FOLDS = """() => [...document.querySelectorAll("main details:not([open])")]
  .filter((each) => each.checkVisibility()).map((each) => (each.open = true)).length"""
LANGUAGES = pytest.mark.parametrize("visitor_locale", ["fr-FR", "en-GB"])


def look_at(page: Page, addresses: tuple[str, ...], language: str, *, may_refuse: bool = False) -> None:
    checked = in_turn(addresses, language.startswith("en"), of=2)
    for address in addresses:
        if address in checked:
            page.set_viewport_size(judged_width(language))
        answer = page.goto(address)
        assert may_refuse or (answer and answer.ok), f"{address}: not the page, but why it is not shown"
        assert page.locator("html").get_attribute("lang") == language[:2], address
        assert page.locator("h1").count() == 1, address
        if address in checked:
            assert_accessible(page)
        assert_reflows_at_both_widths(page)
        if page.evaluate(_OPEN_FOLDS):
            if address in checked:
                assert_accessible(page)
            assert_reflows_at_both_widths(page)


@LANGUAGES
def test_pages_that_anybody_sees(live_server: LiveServer, open_page: OpenPage, visitor_locale: str) -> None:
    page = open_page(judged_width(visitor_locale))
    links = demo_links(live_server)
    look_at(
        page,
        tuple(map(live_server.url, PUBLIC_PATHS)) + links.public + (links.revoked_award,),
        visitor_locale,
        may_refuse=True,
    )


@LANGUAGES
def test_pages_of_a_trainer(live_server: LiveServer, open_page: OpenPage, visitor_locale: str) -> None:
    page = open_page(judged_width(visitor_locale))
    links = demo_links(live_server)
    page.goto(links.trainer)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_staff, visitor_locale)


@LANGUAGES
def test_pages_of_an_administrator(live_server: LiveServer, open_page: OpenPage, visitor_locale: str) -> None:
    page = open_page(judged_width(visitor_locale))
    links = demo_links(live_server)
    page.goto(links.admin)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_admins, visitor_locale)


@LANGUAGES
def test_pages_of_a_reviewer(live_server: LiveServer, open_page: OpenPage, visitor_locale: str) -> None:
    page = open_page(judged_width(visitor_locale))
    links = demo_links(live_server)
    page.goto(links.reviewer)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_reviewers, visitor_locale)


@LANGUAGES
def test_pages_of_the_operator(live_server: LiveServer, open_page: OpenPage, visitor_locale: str) -> None:
    page = open_page(judged_width(visitor_locale))
    page.goto(demo_links(live_server).operator)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(
        page,
        tuple(map(live_server.url, ("/exploitation", "/exploitation/historique", "/gestion?tous=oui"))),
        visitor_locale,
    )


@LANGUAGES
def test_pages_of_an_administrator_of_a_network(
    live_server: LiveServer, open_page: OpenPage, visitor_locale: str
) -> None:
    page = open_page(judged_width(visitor_locale))
    links = demo_links(live_server)
    page.goto(links.network)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, links.of_network, visitor_locale)


@LANGUAGES
def test_pages_of_a_learner(live_server: LiveServer, open_page: OpenPage, visitor_locale: str) -> None:
    page = open_page(judged_width(visitor_locale))
    page.goto(demo_links(live_server).keeping)
    look_at(page, pages_of_ones_own(live_server, page.url), visitor_locale)


@LANGUAGES
def test_pages_of_somebody_under_15(
    live_server: LiveServer, open_page: OpenPage, visitor_locale: str
) -> None:
    page = open_page(judged_width(visitor_locale))
    page.goto(demo_links(live_server).child)
    look_at(page, pages_of_ones_own(live_server, page.url), visitor_locale)


@LANGUAGES
def test_pages_on_the_way_into_a_wallet(
    live_server: LiveServer, open_page: OpenPage, visitor_locale: str
) -> None:
    """The code that a wallet reads, what an application is given after signing in, and the projector's last page."""
    page = open_page(judged_width(visitor_locale))
    links = demo_links(live_server)
    ways = ways_into_a_wallet(live_server)
    page.goto(ways.private)
    look_at(page, (ways.offers, live_server.url("/recuperer?vers=portefeuille")), visitor_locale)
    page.set_viewport_size(judged_width(visitor_locale))
    page.goto(ways.offers)
    page.locator("form[action$='/partager/portefeuille'] button").last.click()
    assert_good_at_both_widths(page)
    page.goto(ways.sign_in)
    page.locator("main form button").first.click()
    look_at(page, (address_of_consent(live_server, ways.award_id),), visitor_locale)
    page.goto(links.trainer)
    page.get_by_role("button", name=re.compile("Se connecter|Sign in")).click()
    look_at(page, (ways.projected,), visitor_locale)
    assert page.locator("img[src^='data:image']").count() == 1


class Ways(NamedTuple):
    """Of the holder of one open badge: private link, page of offers, sign-in link; the projector's last page."""

    award_id: uuid.UUID
    private: str
    offers: str
    sign_in: str
    projected: str


def ways_into_a_wallet(server: LiveServer) -> Ways:
    with Process(server.settings).unit_of_work() as services:
        campus = services.campuses.get(CAMPUS)
        record = next(
            each
            for each in services.awards.list_in(campus, limit=200)
            if may_carry(each.award, at=services.clock())
            and not needs_guardian_for(each.person, each.activity)
        )
        token = services.people.private_link_token(record.award.id, record.award.link_generation)
        secret = services.sign_in.make_link(record.person.id, by=BY_COMMAND)
        assert record.activity is not None
    places = (
        f"/recevoir/{token}",
        f"/mes-badges/{record.award.id}/partager/portefeuille",
        f"/connexion/{secret}",
        f"/gestion/{CAMPUS}/activites/{record.activity.id}/projection/ecran?n=999",
    )
    return Ways(record.award.id, *map(server.url, places))


def address_of_consent(server: LiveServer, award_id: uuid.UUID) -> str:
    """Where an application leads the holder, for a new offer: it ends the one before."""
    with Process(server.settings).unit_of_work() as services:
        record = services.awards.record(award_id)
        offer = services.wallets.offer(record, WalletFormat.EMBEDDED, needs_consent=True)
    state = content_of(offer)["grants"][AUTHORIZATION_CODE]["issuer_state"]
    sent = urlencode(authorization(state, redirect_uri="com.exemple.portefeuille://retour"))
    return server.url(f"/campus/{CAMPUS}/portefeuille/autoriser?{sent}")


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
