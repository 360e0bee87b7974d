"""Public pages are usable by keys alone, and codes are read by whatever the browser can do."""

from __future__ import annotations

import pytest
import segno
from playwright.sync_api import Page, expect

from tests.support.demo_pages import demo_links
from tests.support.servers.browser import PHONE, OpenPage, press_key
from tests.support.servers.server import LiveServer

pytestmark = pytest.mark.browser


def tab_to(page: Page, selector: str) -> None:
    """By the key alone, and each stop on the way can be seen."""
    for _ in range(60):
        press_key(page, "Tab")
        seen = page.evaluate(
            """(wanted) => {
              const at = document.activeElement, style = getComputedStyle(at);
              const marked = style.outlineStyle !== "none" || style.boxShadow !== "none";
              return [at.matches(wanted), marked || at === document.body, at.outerHTML.slice(0, 120)];
            }""",
            selector,
        )
        assert seen[1], f"nothing shows where the keys are: {seen[2]}"
        if seen[0]:
            return
    raise AssertionError(f"the keys do not reach {selector}")


def test_an_employer_finds_the_answer_by_keys_alone(live_server: LiveServer, open_page: OpenPage) -> None:
    page = open_page()
    links = demo_links(live_server)
    page.goto(live_server.url("/"))
    press_key(page, "Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    tab_to(page, "#lien")
    page.keyboard.type(links.open_award)
    press_key(page, "Enter")
    page.wait_for_url("**/attributions/**")
    assert page.locator("h1").inner_text() == "Authentique, en cours de validité"
    tab_to(page, "summary")
    press_key(page, "Enter")
    expect(page.locator("details[open]")).not_to_have_count(0)


def test_a_learner_opens_and_shuts_a_page_by_keys_alone(live_server: LiveServer, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(demo_links(live_server).private)
    tab_to(page, "a[href$='/montrer']")
    press_key(page, "Enter")
    page.wait_for_url("**/montrer")
    tab_to(page, "button[name=vue][value=ouvert]")
    press_key(page, "Enter")
    page.wait_for_url("**fait=ouvert**")
    tab_to(page, "a[href$='/montrer']")
    press_key(page, "Enter")
    page.wait_for_url("**/montrer")
    tab_to(page, "button[name=vue][value=ferme]")
    press_key(page, "Enter")
    page.wait_for_url("**fait=ferme**")


def test_a_portfolio_is_arranged_by_keys_alone(live_server: LiveServer, open_page: OpenPage) -> None:
    page = open_page()
    page.goto(demo_links(live_server).keeping)
    page.goto(live_server.url("/mes-badges/portfolio"))
    titles = page.locator("ol .h4").all_inner_texts()
    tab_to(page, "button[name=descendre]")
    press_key(page, "Enter")
    page.wait_for_url("**#b-**")
    assert page.locator("ol .h4").all_inner_texts() == [titles[1], titles[0], *titles[2:]]


class CodeReader:
    """What a browser that reads codes offers to the page: it finds `address` in whatever it is shown."""

    script = """
      window.BarcodeDetector = class {
        static async getSupportedFormats() { return ["qr_code"]; }
        async detect() { return [{ rawValue: ADDRESS }]; }
      };"""


def test_a_photo_of_a_code_leads_to_the_answer_where_the_browser_reads_codes(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    links = demo_links(live_server)
    page.add_init_script(CodeReader.script.replace("ADDRESS", repr(links.open_award)))
    page.goto(live_server.url("/verifier"))
    page.locator("[data-camera] summary").click()
    picture = page.request.get(links.open_award + "/carte.png").body()
    page.locator("[data-camera] input[type=file]").set_input_files(
        {"name": "code.png", "mimeType": "image/png", "buffer": picture}
    )
    page.wait_for_url("**/attributions/**")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_browser_that_reads_no_codes_says_what_to_do_instead(
    live_server: LiveServer, open_page: OpenPage, javascript: bool
) -> None:
    page = open_page(PHONE)
    page.goto(live_server.url("/verifier"))
    page.locator("[data-camera] summary").click()
    words = "l’image est envoyée ici" if javascript else "appareil photo de votre téléphone"
    expect(page.locator("[data-camera] [role=status]")).to_contain_text(words)
    assert page.locator("[data-sending]").is_visible() == javascript
    assert not page.locator("[data-camera] input").is_visible()


FILM = """(() => {
  const modules = MODULES, size = 12, canvas = document.createElement("canvas");
  canvas.width = canvas.height = (modules.length + 8) * size;
  const draw = () => {
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#000";
    modules.forEach((row, y) => row.forEach((dark, x) => dark && pen.fillRect((x + 4) * size, (y + 4) * size, size, size)));
  };
  setInterval(draw, 50);
  navigator.mediaDevices.getUserMedia = async () => (draw(), canvas.captureStream(20));
})()"""
"""A camera that looks at a code."""


def test_a_browser_that_reads_no_codes_sends_one_picture_when_asked(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    links = demo_links(live_server)
    matrix = [list(map(int, row)) for row in segno.make(links.open_award, error="m").matrix]
    page.add_init_script(FILM.replace("MODULES", str(matrix)))
    page.goto(live_server.url("/verifier"))
    page.locator("[data-camera] summary").click()
    page.get_by_role("button", name="Viser le code").click()
    page.get_by_role("button", name="Lire ce code").click()
    page.wait_for_url("**/verifier")
    page.get_by_role("heading", level=1).filter(has_text="Authentique").or_(
        page.get_by_role("link", name="Lire la vérification du badge lui-même")
    ).first.wait_for()
