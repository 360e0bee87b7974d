"""Take the pictures of README and of the guide in pictures: the day of a trainer in the demo, on a phone and on a desk."""

from __future__ import annotations

import socket
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from app.db.engine import session
from app.settings import Settings
from tests.support.demo_pages import DemoLinks, demo_links
from tests.support.servers.browser import DESKTOP, FLAGS, PHONE, headless_chromium_path
from tests.support.servers.server import LiveServer, sceau, serving

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
BADGE = "Robotique pour tous"
LIST = """\
Nom;Prénom;E-mail;Présence
HUSSON;Léa;lea.husson@exemple.org;présente
BOUKHRIS;Yanis;yanis.boukhris@gmial.com;présent
DE LA TOUR;Éloïse;eloise.delatour@exemple.org;présente
NGUYEN;Minh Anh;minhanh.nguyen@exemple.org;excusée
PERROT;Maël;;présent
Signature du formateur;;;
"""
"""With what trainers meet: a slip in an address, somebody excused, a line that is nobody."""

SEEN_PICTURES_LOADED = """() => [...document.images]
  .filter((each) => each.getBoundingClientRect().top < innerHeight)
  .every((each) => each.complete && each.naturalWidth)"""


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, free_listener() as listener:
        settings = Settings(
            base_url=f"http://localhost:{listener.getsockname()[1]}",
            database_url=f"sqlite:///{scratch}/database/sceau.sqlite",
            development_dir=Path(scratch) / "secrets",
        )
        session.upgrade(settings.database_url)
        sceau(settings, "demo", "load")
        with serving(settings, listener) as server, sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=headless_chromium_path(), args=[*FLAGS, "--lang=fr-FR"]
            )
            walk(browser, server)
            browser.close()


def free_listener() -> socket.socket:
    """The demo's own port when it is free, since the pictures of the badges show the address."""
    try:
        return socket.create_server(("127.0.0.1", Settings().port))
    except OSError:
        return socket.create_server(("127.0.0.1", 0))


def walk(browser: Browser, server: LiveServer) -> None:
    links = demo_links(server)
    signed_in = browser.new_context(locale="fr-FR", timezone_id="Europe/Paris")
    entrance = signed_in.new_page()
    entrance.goto(links.trainer)
    entrance.get_by_role("button", name="Se connecter").click()
    cookies = signed_in.storage_state()
    for viewport in (PHONE, DESKTOP):
        context = browser.new_context(
            viewport=viewport, locale="fr-FR", timezone_id="Europe/Paris", storage_state=cookies
        )
        page = context.new_page()
        learner(page, links, viewport["width"])
        if viewport is DESKTOP:
            trainer(page, links)
            employer(page, links, server)
        context.close()


def trainer(page: Page, links: DemoLinks) -> None:
    page.goto(links.desk)
    take(page, "aujourdhui-1280")
    page.goto(f"{links.workshop}/attribuer?source=liste")
    badges = page.get_by_label("Badge du campus")
    badges.select_option(badges.locator("option", has_text=BADGE).first.get_attribute("value"))
    page.get_by_label("Une personne par ligne").fill(LIST)
    page.get_by_role("button", name="Voir l’aperçu").click()
    take(page, "attribuer-1280")


def learner(page: Page, links: DemoLinks, width: int) -> None:
    page.goto(links.private)
    take(page, f"mon-badge-{width}")


def employer(page: Page, links: DemoLinks, server: LiveServer) -> None:
    page.goto(links.private)
    page.get_by_role("link", name="Montrer").click()
    take(page, "montrer-1280")
    page.goto(links.open_award)
    take(page, "verification-1280")
    page.goto(server.url("/badges"))
    take(page, "badges-1280")


def take(page: Page, name: str) -> None:
    """What a person sees before scrolling, pictures that load late among it."""
    page.wait_for_load_state("networkidle")
    page.wait_for_function(SEEN_PICTURES_LOADED)
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    main()
