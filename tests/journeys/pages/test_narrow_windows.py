"""Narrow and low windows, as at 400 %, forced colours and paper: long words, links that sort, bars that stay, the current part, the lines of a register."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.support.open_app import OpenApp, open_app
from tests.support.servers.browser import DESKTOP, OpenPage, assert_no_sideways_scroll

__all__ = ["open_app"]
pytestmark = pytest.mark.browser

AT_400_PERCENT = ViewportSize(width=320, height=256)
LONG = "Wolfeschlegelsteinhausenbergerdorff"
LINE = f"Anticonstitutionnellement {LONG}; {LONG}@departement-intergouvernemental.exemple.fr"


@pytest.fixture
def trainer(open_app: OpenApp, open_page: OpenPage) -> Page:
    app = open_app.app
    page = open_page(DESKTOP)
    page.goto(open_app.url(app.sign_in_path(app.trainer)))
    page.get_by_role("button", name="Se connecter").click()
    return page


def test_words_of_forty_letters_scroll_nothing_sideways(
    open_app: OpenApp, open_page: OpenPage, trainer: Page
) -> None:
    activity = f"/gestion/itip/activites/{open_app.app.activity.id}"
    award = open_app.award(LINE)
    trainer.set_viewport_size(AT_400_PERCENT)
    pages = ("", "/presences", "/attribuer", "/remise", "/rapport", "/connues")
    for path in (*(f"{activity}{each}" for each in pages), "/gestion/itip/repertoire", "/compte/adresses"):
        trainer.goto(open_app.url(path))
        assert_no_sideways_scroll(trainer)
    learner = open_page(AT_400_PERCENT)
    learner.goto(award.private_link)
    own = learner.url.partition("?")[0]
    for path in ("", "/partager", "/partager/code", "/journal", "/recommandations", "/mes-donnees"):
        learner.goto(own + path)
        assert_no_sideways_scroll(learner)


def test_links_that_sort_are_seen_by_whoever_tabs_to_them(open_app: OpenApp, trainer: Page) -> None:
    trainer.set_viewport_size(AT_400_PERCENT)
    trainer.goto(open_app.url("/gestion/itip/activites"))
    link = trainer.locator("thead a").first
    link.focus()
    assert link.evaluate(
        "link => { const box = link.getBoundingClientRect();"
        " return link.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2)) }"
    )


def test_a_bar_that_stays_covers_nothing_in_a_low_window(open_app: OpenApp, trainer: Page) -> None:
    trainer.goto(open_app.url(f"/gestion/itip/activites/{open_app.app.activity.id}/attribuer"))
    bar = trainer.locator(".act")
    expect(bar).to_have_css("position", "sticky")
    trainer.set_viewport_size(AT_400_PERCENT)
    expect(bar).to_have_css("position", "static")


def test_one_part_alone_is_underlined_in_forced_colours(open_app: OpenApp, trainer: Page) -> None:
    trainer.emulate_media(forced_colors="active")
    trainer.goto(open_app.url("/gestion/itip/activites"))
    for place in (".campus-parts", ".views"):
        lines = trainer.locator(f"{place} a").evaluate_all(
            "links => links.map(link => getComputedStyle(link).borderBottomColor)"
        )
        current = trainer.locator(f"{place} [aria-current]").evaluate(
            "a => getComputedStyle(a).borderBottomColor"
        )
        assert lines.count(current) == 1, place


def test_paper_has_the_lines_of_a_register_and_nothing_to_press_or_private(
    open_app: OpenApp, trainer: Page
) -> None:
    open_app.award(LINE)
    trainer.emulate_media(media="print")
    for register in ("attributions", "activites", "repertoire"):
        trainer.goto(open_app.url(f"/gestion/itip/{register}"))
        expect(trainer.locator("tbody th").first).to_be_visible()
        expect(trainer.locator("tbody input")).to_have_count(trainer.locator("tbody tr").count())
        expect(trainer.locator("tbody input").first).to_be_hidden()
        expect(trainer.get_by_role("link", name=re.compile("^(CSV|Excel|Importer)"))).to_have_count(0)
    with open_app.app.unit_of_work(reading=True) as services:
        (record, *_) = services.awards.list_in(open_app.app.campus, limit=1)
    trainer.goto(open_app.url(f"/gestion/itip/resultats/{record.award.batch_id}"))
    expect(trainer.locator(".private-link").first).to_be_attached()
    expect(trainer.locator(".private-link").first).to_be_hidden()
    expect(trainer.get_by_role("link", name=re.compile("^(Corriger|Retirer|Détails|Revenir)"))).to_have_count(
        0
    )
    expect(trainer.get_by_role("columnheader", name="Gestes")).to_have_count(0)
    expect(trainer.get_by_role("columnheader", name="Adresse")).to_be_visible()


def test_paper_keeps_the_colours_of_a_state(open_app: OpenApp, trainer: Page) -> None:
    open_app.award(LINE)
    trainer.goto(open_app.url("/gestion/itip/attributions"))
    state = trainer.locator("tbody .tag").first
    space = state.evaluate("tag => getComputedStyle(tag).paddingLeft")
    trainer.emulate_media(media="print")
    expect(state).to_have_css("print-color-adjust", "exact")
    assert space != "0px"
    assert state.evaluate("tag => getComputedStyle(tag).paddingLeft") != "0px"
