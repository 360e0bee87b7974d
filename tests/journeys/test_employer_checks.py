"""The employer's journey in a real browser: one link on a phone, or one file at a desk, and no account."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.domain.campus.audit_log import Actor
from app.domain.publishing import short_code
from tests.support.open_app import OpenApp, open_app
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)

__all__ = ["open_app"]
pytestmark = pytest.mark.browser

ZOE = "Zoé N’Diaye; zoe@exemple.fr"
WINDOWS = pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desk"])


def stands_well(page: Page) -> None:
    assert_accessible(page)
    assert_no_sideways_scroll(page)


@WINDOWS
def test_the_link_answers_before_anything_else_is_read(open_app: OpenApp, open_page: OpenPage, window):
    given = open_app.award(ZOE, is_open=True)
    page = open_page(window)
    page.goto(given.page)
    verdict = page.get_by_role("heading", level=1)
    expect(verdict).to_have_text("Authentique, en cours de validité")
    box = verdict.bounding_box()
    assert box is not None
    assert box["y"] < window["height"] / 3, "no scrolling to the answer"
    for fact in ("Qui", "A fait quoi", "Jugé comment", "Par qui", "Quand", "Encore valable"):
        expect(page.get_by_role("term").filter(has_text=fact).first).to_be_visible()
    stands_well(page)
    page.get_by_text("Fichiers et données techniques").click()
    expect(page.get_by_text("DataIntegrityProof")).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    stands_well(page)


@WINDOWS
def test_a_file_is_checked_at_the_same_desk(open_app: OpenApp, open_page: OpenPage, window, tmp_path: Path):
    given = open_app.award(ZOE)
    page = open_page(window)
    page.goto(given.page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Page fermée par son titulaire")
    stands_well(page)
    page.get_by_role("link", name="Vérifier un fichier").click()
    stands_well(page)
    for form, body in given.files.items():
        (tmp_path / f"badge.{form}").write_bytes(body)
        page.goto(open_app.url("/verifier"))
        page.get_by_label("Déposer un fichier").set_input_files(tmp_path / f"badge.{form}")
        page.get_by_role("button", name="Vérifier ce fichier").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Authentique, en cours de validité")
    stands_well(page)


def test_an_altered_file_is_distinguished_from_a_withdrawn_badge(
    open_app: OpenApp, page_phone: Page, tmp_path: Path
):
    given = open_app.award(ZOE, is_open=True)
    (tmp_path / "faux.json").write_bytes(given.files["json"].replace("Zoé".encode(), "Léa".encode()))
    page_phone.goto(open_app.url("/verifier"))
    page_phone.get_by_label("Déposer un fichier").set_input_files(tmp_path / "faux.json")
    page_phone.get_by_role("button", name="Vérifier ce fichier").click()
    expect(page_phone.get_by_role("heading", level=1)).to_have_text(
        "Non authentique : modifié après signature"
    )
    stands_well(page_phone)
    app = open_app.app
    with app.unit_of_work() as services:
        award_id = services.addresses.award_named_by(given.page)
        assert award_id is not None
        services.awards.revoke(app.campus, award_id, "Donné par erreur.", by=Actor(app.admin.id))
    page_phone.goto(given.page)
    expect(page_phone.get_by_role("heading", level=1)).to_contain_text("Retiré par le campus")
    stands_well(page_phone)
    expect(page_phone.get_by_text("L’émetteur l’a retiré.")).to_be_visible()
    others = page_phone.get_by_text(re.compile(r"Le reste\s: \d contrôles conformes"))
    passed = page_phone.locator("section.fold .checks li.ok").first
    expect(passed).to_be_hidden()
    others.click()
    expect(passed).to_be_visible()
    stands_well(page_phone)


@pytest.mark.parametrize("javascript", [False])
@pytest.mark.parametrize("visitor_locale", ["en-GB"])
def test_the_first_page_leads_to_the_answer_without_scripts_and_in_english(
    open_app: OpenApp, open_page: OpenPage, javascript: bool, visitor_locale: str
):
    given = open_app.award(ZOE, is_open=True)
    page = open_page(PHONE)
    page.goto(open_app.url("/"))
    page.get_by_role("textbox").fill(given.page)
    page.get_by_role("textbox").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Genuine and still valid")
    expect(page).to_have_url(given.page)


def bare(picture: bytes) -> bytes:
    """The points of a picture alone, as a screenshot has them."""
    seen = Image.open(BytesIO(picture)).convert("RGBA")
    page = Image.new("RGB", seen.size, "white")
    page.paste(seen, (0, 0), seen)
    out = BytesIO()
    page.save(out, "PNG")
    return out.getvalue()


@WINDOWS
@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_picture_that_only_leads_to_a_badge_asks_to_compare_the_name(
    open_app: OpenApp, open_page: OpenPage, window, tmp_path: Path, language: str
):
    given = open_app.award(ZOE, is_open=True)
    page = open_page(window)
    page.context.add_cookies([{"name": "langue", "value": language, "url": open_app.url("/")}])
    (tmp_path / "capture.png").write_bytes(bare(given.files["png"]))
    page.goto(open_app.url("/verifier"))
    page.locator("#fichier").set_input_files(tmp_path / "capture.png")
    page.locator("form.cols button.alt").last.click()
    words = {"fr": "Ce document n’a pas été vérifié", "en": "This document was not verified"}
    expect(page.get_by_role("heading", level=1)).to_contain_text(words[language])
    expect(page.get_by_text("Zoé N’Diaye").first).to_be_visible()
    stands_well(page)


@WINDOWS
def test_several_files_get_a_table_with_the_gravest_first(
    open_app: OpenApp, open_page: OpenPage, window, tmp_path: Path
):
    given = open_app.award(ZOE, is_open=True)
    bodies = {**given.files, "faux": given.files["json"].replace("Zoé".encode(), "Léa".encode())}
    bodies["capture"] = bare(given.files["png"])
    for name, body in bodies.items():
        (tmp_path / f"badge.{name}").write_bytes(body)
    page = open_page(window)
    page.goto(open_app.url("/verifier"))
    stands_well(page)
    page.get_by_label("Déposer un fichier").set_input_files([tmp_path / f"badge.{name}" for name in bodies])
    page.get_by_role("button", name="Vérifier ce fichier").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("5 documents vérifiés sur 6")
    expect(page.get_by_role("row").nth(1)).to_contain_text("Non authentique")
    stands_well(page)


@WINDOWS
def test_a_screenshot_of_our_page_leads_back_to_it(
    open_app: OpenApp, open_page: OpenPage, window, tmp_path: Path
):
    given = open_app.award(ZOE, is_open=True)
    page = open_page(window)
    page.goto(given.page)
    page.locator("img[src$='code.svg']").scroll_into_view_if_needed()
    stands_well(page)
    page.screenshot(path=tmp_path / "capture.png", full_page=True)
    page.goto(open_app.url("/verifier"))
    page.get_by_label("Déposer un fichier").set_input_files(tmp_path / "capture.png")
    page.get_by_role("button", name="Vérifier ce fichier").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ce document n’a pas été vérifié")


def test_a_code_with_a_slip_names_the_one_it_resembles(open_app: OpenApp, page_phone: Page):
    given = open_app.award(ZOE, is_open=True)
    with open_app.app.unit_of_work(reading=True) as services:
        award_id = services.addresses.award_named_by(given.page)
        assert award_id is not None
        code = short_code(award_id)
    page_phone.goto(open_app.url("/verifier"))
    page_phone.get_by_label("Adresse du badge").fill(code[:-1] + ("2" if code[-1] != "2" else "3"))
    page_phone.get_by_role("button", name="Vérifier", exact=True).click()
    expect(page_phone.get_by_role("link", name=code)).to_be_visible()
    stands_well(page_phone)
