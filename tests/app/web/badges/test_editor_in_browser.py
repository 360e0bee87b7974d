"""The badge editor in a browser: steps, drafts that save themselves, the picture that stays visible."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import App, build_app
from tests.support.servers.browser import DESKTOP, PHONE, OpenPage, assert_no_sideways_scroll
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[App]:
    built = build_app(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    yield built
    built.process.engine.dispose()


@pytest.fixture
def server(app: App, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(app.process.settings, listener, process=app.process) as running:
        yield running


def begun(page: Page, app: App, server: LiveServer) -> None:
    page.goto(server.url(app.sign_in_path(app.admin)))
    page.get_by_role("button", name="Se connecter").click()
    page.goto(server.url("/gestion/itip/badges/nouveau"))
    page.get_by_label("Titre").fill("Tutrice de l’atelier")
    page.get_by_role("radio", name="Engagement").check()


def test_a_draft_saves_itself_while_its_author_types(app: App, server: LiveServer, open_page: OpenPage):
    page = open_page(DESKTOP)
    begun(page, app, server)
    page.get_by_role("button", name="Continuer vers les compétences").click()
    page.get_by_role("navigation", name="Étapes").get_by_role("button", name="Image").click()
    page.wait_for_load_state()
    page.get_by_label("Sigle frappé au centre").fill("TUT")
    expect(page.locator("#apercu-dit")).to_have_text(re.compile("Brouillon enregistré à"))
    page.reload()
    expect(page.get_by_label("Sigle frappé au centre")).to_have_value("TUT")
    page.get_by_label("Sigle frappé au centre").fill("TUTO")
    page.get_by_role("navigation", name="Étapes").get_by_role("button", name="Contenu").click()
    expect(page.get_by_label("Titre")).to_have_value("Tutrice de l’atelier")
    page.get_by_role("navigation", name="Étapes").get_by_role("button", name="Image").click()
    expect(page.get_by_label("Sigle frappé au centre")).to_have_value("TUTO")


@pytest.mark.parametrize("javascript", [False])
def test_every_step_saves_without_a_script(app: App, server: LiveServer, open_page: OpenPage):
    page = open_page(PHONE)
    begun(page, app, server)
    for name in ("Attribution", "Image", "Compétences", "Publier", "Contenu"):
        page.get_by_role("navigation", name="Étapes").get_by_role("button", name=name).click()
        assert_no_sideways_scroll(page)
    expect(page.get_by_label("Titre")).to_have_value("Tutrice de l’atelier")
    expect(page.get_by_role("radio", name="Engagement")).to_be_checked()


@pytest.mark.parametrize("step", ["", "/competences", "/attribution", "/image", "/publier"])
def test_the_picture_stays_in_sight_on_a_phone(app: App, server: LiveServer, open_page: OpenPage, step: str):
    page = open_page(PHONE)
    begun(page, app, server)
    page.get_by_role("button", name="Continuer vers les compétences").click()
    page.goto(page.url.partition("/modifier")[0] + f"/modifier{step}")
    picture = page.get_by_role("complementary", name="Aperçu du badge").get_by_role("img").first
    page.evaluate("window.scrollTo(0, document.querySelector('.make').getBoundingClientRect().bottom - 400)")
    box = picture.bounding_box()
    assert box
    assert 0 <= box["y"] < 100
    assert box["width"] == 64


@pytest.mark.parametrize("javascript", [False])
def test_fault_of_a_part_that_is_not_asked_for_is_shown(app: App, server: LiveServer, open_page: OpenPage):
    page = open_page(DESKTOP)
    begun(page, app, server)
    steps = page.get_by_role("navigation", name="Étapes")
    steps.get_by_role("button", name="Image").click()
    page.get_by_role("radio", name="Une image à nous").check()
    page.locator("#fichier").set_input_files(
        [{"name": "image.png", "mimeType": "image/png", "buffer": b"Rien."}]
    )
    page.get_by_role("radio", name="La forme du type").check()
    expect(page.locator("#fichier")).to_be_hidden()
    steps.get_by_role("button", name="Contenu").click()
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.locator("#fichier")).to_be_focused()
