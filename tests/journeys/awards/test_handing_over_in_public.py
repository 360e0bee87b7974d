"""In front of a room: the trainer chooses what is shown, and hands badges over with the keyboard or with a finger."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.open_app import OpenApp, open_app
from tests.support.servers.browser import OpenPage, press_key

__all__ = ["open_app"]
pytestmark = pytest.mark.browser


def choosing(open_app: OpenApp, page: Page) -> str:
    """The page where the trainer chooses, after three people were given a badge."""
    app = open_app.app
    app.award("Zoé Martin", "Lucas Bernard", "Élif Çelik")
    page.goto(open_app.url(app.sign_in_path(app.trainer)))
    page.get_by_role("button", name="Se connecter").click()
    page.goto(open_app.url(f"/gestion/itip/activites/{app.activity.id}"))
    page.get_by_role("link", name="Remettre les badges").click()
    page.get_by_role("link", name="Projeter la remise").click()
    return page.url


def test_arrows_go_from_badge_to_badge_and_escape_leaves(open_app: OpenApp, open_page: OpenPage) -> None:
    page = open_page()
    start = choosing(open_app, page)
    page.get_by_label("Lucas Bernard").check()
    page.get_by_role("button", name="Commencer").click()
    first = "Élif Ç."
    expect(page.get_by_role("heading", level=1), "an accent does not send her to the end").to_have_text(first)
    press_key(page, "ArrowRight")
    expect(page.get_by_text("2 / 2")).to_be_visible()
    press_key(page, "ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
    press_key(page, "PageDown")
    page.wait_for_url(re.compile("n=2"))
    press_key(page, "Space")
    expect(page.get_by_text("2 badges remis")).to_be_visible()
    press_key(page, "Escape")
    page.wait_for_url(start)


@pytest.mark.parametrize("javascript", [False], ids=["without scripts"])
def test_links_do_the_same_without_scripts(open_app: OpenApp, open_page: OpenPage) -> None:
    page = open_page()
    choosing(open_app, page)
    page.get_by_label("Le prénom et le nom").check()
    page.get_by_role("button", name="Commencer").click()
    first = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Suivant").click()
    page.get_by_role("link", name="Précédent").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(first)
