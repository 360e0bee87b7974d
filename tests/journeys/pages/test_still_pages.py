"""Public pages are usable by keys alone, and codes are read by whatever the browser can do."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
import segno
from PIL import Image
from playwright.sync_api import Page, Route, expect

from app.http.static_files import files
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
    expect(page.get_by_role("status")).to_have_count(1)
    expect(page).not_to_have_url(re.compile("fait="))
    page.reload()
    expect(page.get_by_role("status")).to_have_count(0)
    tab_to(page, "a[href$='/montrer']")
    press_key(page, "Enter")
    page.wait_for_url("**/montrer")
    tab_to(page, "button[name=vue][value=ferme]")
    press_key(page, "Enter")
    expect(page.get_by_role("status")).to_have_count(1)


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


def test_a_photo_of_a_code_is_answered_as_a_paper_where_the_browser_reads_codes(
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
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ce document n’a pas été vérifié")


@pytest.mark.parametrize("javascript", [True, False])
def test_a_browser_without_any_reader_says_what_to_do_instead_of_reading_a_code(
    live_server: LiveServer, open_page: OpenPage, javascript: bool
) -> None:
    page = open_page(PHONE)
    page.add_init_script(NO_READER)
    page.route("**/verifier", _without_reader)
    page.goto(live_server.url("/verifier"))
    page.locator("[data-camera] summary").click()
    expect(page.locator("[data-camera] [role=status]")).to_contain_text("appareil photo de votre téléphone")
    assert not page.locator("[data-camera]").get_by_role("button").is_visible()
    assert not page.locator("[data-camera] input").is_visible()


def _without_reader(route: Route) -> None:
    """As an installation answers that npm could not give a reader."""
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub('data-reader="[^"]*"', 'data-reader=""', answer.text()))


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


NO_READER = "delete window.BarcodeDetector"
needs_reader = pytest.mark.skipif(
    "qr/decode.js" not in files(), reason="npm has installed no reader of QR codes"
)


@needs_reader
def test_a_browser_that_reads_no_codes_loads_a_reader_on_a_tap_and_films_the_code_with_it(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    links = demo_links(live_server)
    matrix = [list(map(int, row)) for row in segno.make(links.open_award, error="m").matrix]
    page.add_init_script(NO_READER)
    page.add_init_script(FILM.replace("MODULES", str(matrix)))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(live_server.url("/verifier"))
    page.locator("[data-camera] summary").click()
    page.wait_for_load_state("networkidle")
    assert not any("/qr/" in each for each in asked)
    page.get_by_role("button", name="Viser le code").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ce document n’a pas été vérifié")
    assert [each.rpartition("/")[2] for each in asked if "/qr/" in each] == ["decode.js", "index.js"]


@needs_reader
def test_a_browser_that_reads_no_codes_finds_a_small_one_in_a_large_photo_without_sending_it(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    links = demo_links(live_server)
    page.add_init_script(NO_READER)
    page.goto(live_server.url("/verifier"))
    page.locator("[data-camera] summary").click()
    sent: list[bytes] = []
    page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    photo = page.locator("[data-camera] input[type=file]")
    photo.set_input_files({"name": "rien.png", "mimeType": "image/png", "buffer": photograph("")})
    expect(page.locator("[data-camera] [role=status]")).to_contain_text("Aucun code n’a été trouvé")
    photo.set_input_files(
        {"name": "photo.png", "mimeType": "image/png", "buffer": photograph(links.open_award)}
    )
    expect(page.get_by_role("heading", level=1)).to_contain_text("Ce document n’a pas été vérifié")
    assert max(map(len, sent)) < 2_000


@needs_reader
def test_a_reader_that_cannot_be_loaded_says_what_to_do_instead(
    live_server: LiveServer, open_page: OpenPage
) -> None:
    page = open_page(PHONE)
    page.add_init_script(NO_READER)
    page.route("**/qr/decode.js", lambda route: route.abort())
    page.goto(live_server.url("/verifier"))
    page.locator("[data-camera] summary").click()
    page.get_by_role("button", name="Viser le code").click()
    expect(page.locator("[data-camera] [role=status]")).to_contain_text("n’a pas pu être chargé")


def photograph(address: str) -> bytes:
    """A sheet of paper as a telephone takes it, with a code in one corner, turned a little; nothing where no address is."""
    sheet = Image.new("RGB", (3000, 4000), (214, 211, 205))
    if address:
        drawn = BytesIO()
        segno.make(address, error="m").save(drawn, kind="png", scale=7, border=4)
        code = Image.open(drawn).convert("RGB").rotate(8, expand=True, fillcolor=(214, 211, 205))
        sheet.paste(code, (2300, 3200))
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()
