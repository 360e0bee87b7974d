"""A trainer keeps a passkey, comes back with it, and an administrator confirms with one without typing anything again."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.app import App, build_app
from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser

ADDRESS = "camille.durand@exemple.fr"


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[App]:
    built = build_app(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    yield built
    built.process.engine.dispose()


@pytest.fixture
def server(app: App, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(app.process.settings, listener, process=app.process) as running:
        yield running


def with_phone_unlocked(page: Page) -> Page:
    """Its authenticator answers at once, as for somebody whose finger is on it."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return page


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def enter_by_link(page: Page, server: LiveServer, path: str) -> None:
    page.goto(server.url(path))
    page.get_by_role("button", name="Se connecter").first.click()


def keep_a_key(page: Page, server: LiveServer, name: str) -> None:
    page.goto(server.url("/compte"))
    page.get_by_label("Nom de la clé").fill(name)
    page.get_by_role("button", name="Enregistrer une clé d’accès").click()
    expect(page.get_by_role("status")).to_contain_text("La clé d’accès est enregistrée")


def test_a_key_is_kept_and_opens_the_door_next_time(app: App, server: LiveServer, open_page: OpenPage):
    page = with_phone_unlocked(open_page(PHONE))
    enter_by_link(page, server, app.sign_in_path(app.trainer))
    page.goto(server.url("/compte"))
    shot(page, "compte-390-vide")
    keep_a_key(page, server, "Téléphone")
    assert_accessible(page)
    assert_no_sideways_scroll(page)
    shot(page, "compte-390")

    page.get_by_role("button", name="Se déconnecter", exact=True).click()
    page.goto(server.url("/connexion"))
    assert_accessible(page)
    shot(page, "connexion-390")
    page.get_by_role("button", name="Entrer avec une clé d’accès").click()
    expect(page).to_have_url(server.url("/gestion/itip"))


def test_a_key_asked_for_on_a_page_that_is_too_old_leads_on(
    app: App, server: LiveServer, open_page: OpenPage
):
    old = with_phone_unlocked(open_page(PHONE))
    old.goto(server.url("/connexion"))
    other = old.context.new_page()
    enter_by_link(other, server, app.sign_in_path(app.trainer))
    old.get_by_role("button", name="Entrer avec une clé d’accès").click()
    expect(old).to_have_url(server.url("/gestion/itip"))


def test_whoever_confirms_goes_on_with_all_they_typed(app: App, server: LiveServer, open_page: OpenPage):
    page = with_phone_unlocked(open_page(DESKTOP))
    enter_by_link(page, server, app.sign_in_path(app.admin))
    keep_a_key(page, server, "Ordinateur du lycée")
    shot(page, "compte-1280")
    page.goto(server.url("/gestion/itip/equipe"))
    app.clock.move(minutes=31)
    page.get_by_label("Adresse e-mail").fill(ADDRESS)
    page.get_by_label("Formation").first.check()
    page.get_by_role("button", name="Envoyer l’invitation").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirmez que c’est vous")
    assert_accessible(page)
    shot(page, "confirmer-1280")
    page.get_by_role("button", name="Confirmer avec ma clé d’accès").click()
    expect(page.get_by_role("status")).to_contain_text("L’invitation est envoyée par e-mail")
    expect(page.locator("main")).to_contain_text(ADDRESS)
