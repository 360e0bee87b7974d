"""A trainer links the account of another service, comes back with it, and confirms with it, in a real browser."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.servers.browser import (
    DESKTOP,
    PHONE,
    OpenPage,
    assert_accessible,
    assert_no_sideways_scroll,
)
from tests.support.servers.openid_service import LABEL, Elsewhere, app_with_service
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def elsewhere(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[Elsewhere]:
    base_url = f"http://localhost:{listener.getsockname()[1]}"
    with app_with_service(sqlite_url, tmp_path, base_url=base_url) as built:
        built.service.shows_page = True
        yield built


@pytest.fixture
def server(elsewhere: Elsewhere, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(elsewhere.app.process.settings, listener, process=elsewhere.app.process) as running:
        yield running


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


def over_there(page: Page, button: str = "Je suis bien moi") -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Compte académique")
    page.get_by_role("button", name=button).click()


def link_account(page: Page, elsewhere: Elsewhere, server: LiveServer) -> None:
    page.goto(server.url(elsewhere.app.sign_in_path(elsewhere.app.admin)))
    page.get_by_role("button", name="Se connecter").first.click()
    page.goto(server.url("/compte"))
    page.get_by_role("button", name="Relier mon compte").click()
    over_there(page)
    expect(page.get_by_role("status")).to_contain_text("Le compte est relié")


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_a_linked_account_opens_the_campus_space_and_the_way_out_is_reported(
    elsewhere: Elsewhere, server: LiveServer, open_page: OpenPage, javascript: bool
):
    page = open_page(PHONE)
    link_account(page, elsewhere, server)
    if javascript:
        assert_accessible(page)
        assert_no_sideways_scroll(page)
    shot(page, "compte-390")
    page.get_by_role("button", name="Se déconnecter", exact=True).click()

    page.goto(server.url("/connexion"))
    page.get_by_role("button", name=f"Continuer avec {LABEL}").click()
    over_there(page, "Refuser")
    expect(page.get_by_role("alert").first).to_contain_text("Vous avez annulé")
    shot(page, "annule-390")
    if javascript:
        assert_accessible(page)
    page.get_by_role("button", name=f"Continuer avec {LABEL}").click()
    over_there(page)
    expect(page).to_have_url(server.url("/gestion/itip"))

    page.locator("details.drawer > summary").click()
    page.get_by_role("button", name="Se déconnecter", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("La déconnexion est faite")
    shot(page, "parti-390")
    if javascript:
        assert_accessible(page)
        assert_no_sideways_scroll(page)
    page.get_by_role("link", name=f"Se déconnecter aussi de {LABEL}").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Déconnecté du compte académique")


def test_one_confirms_over_there_and_goes_on(elsewhere: Elsewhere, server: LiveServer, open_page: OpenPage):
    page = open_page(DESKTOP)
    link_account(page, elsewhere, server)
    elsewhere.app.clock.move(minutes=31)
    shot(page, "compte-1280")
    page.goto(server.url("/compte/mot-de-passe"))
    shot(page, "confirmer-1280")
    assert_accessible(page)
    page.get_by_role("button", name=f"Confirmer avec {LABEL}").click()
    over_there(page)
    expect(page).to_have_url(server.url("/compte/mot-de-passe"))
