"""How many interactions and pages the commonest tasks of a trainer take, counted in a browser.

`pytest -s tests/journeys/test_effort.py` prints the table of docs/effort.md.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from app.domain.activities.activities import Plan
from app.domain.campus.audit_log import Actor
from tests.support.house import House, build_house
from tests.support.servers.browser import DESKTOP, OpenPage
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser
THIRTY = [
    f"Prénom{chr(65 + n % 26)}{chr(97 + n // 26)} Nom{chr(65 + n % 26)}{chr(97 + n // 26)}" for n in range(30)
]


class Effort:
    """A tap, a tick or a paste is one interaction; each address that is shown after the first is a page."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.interactions = 0
        self.pages = 0

    def tap(self, target: Locator) -> None:
        self.interactions += 1
        before = self.page.evaluate("performance.timeOrigin")
        target.click()
        self.page.wait_for_load_state()
        self.pages += self.page.evaluate("performance.timeOrigin") != before

    def paste(self, target: Locator, text: str) -> None:
        self.interactions += 1
        target.fill(text)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.fixture
def house(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[House]:
    built = build_house(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    with built.unit_of_work() as services:
        activity = services.activities.get(built.campus, built.activity.id)
        activity.starts_on = activity.ends_on = built.clock().date()
        plan = Plan(badges={built.presence.badge.id})
        services.activity_plans.amend(built.campus, activity.id, activity, plan, by=Actor(built.trainer.id))
    yield built
    built.process.engine.dispose()


@pytest.fixture
def server(house: House, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(house.process.settings, listener, process=house.process) as running:
        yield running


def award_enrolled(effort: Effort, house: House) -> None:
    effort.tap(effort.page.get_by_role("link", name="Attribuer").first)
    effort.tap(effort.page.get_by_role("button", name="Voir l’aperçu"))
    effort.tap(effort.page.get_by_role("button", name="Attribuer aux 30"))
    assert effort.page.get_by_role("heading", level=1).inner_text().startswith("30")


def award_list(effort: Effort, house: House) -> None:
    effort.tap(effort.page.get_by_role("link", name="Attribuer").first)
    effort.tap(effort.page.get_by_role("link", name="Une liste"))
    effort.paste(
        effort.page.get_by_label("Une personne par ligne"),
        "Nom;Prénom\n" + "\n".join(";".join(each.split()[::-1]) for each in THIRTY),
    )
    effort.tap(effort.page.get_by_role("button", name="Voir l’aperçu"))
    effort.tap(effort.page.get_by_role("button", name="Attribuer aux 30"))
    assert effort.page.get_by_role("heading", level=1).inner_text().startswith("30")


def project_code(effort: Effort, house: House) -> None:
    effort.tap(effort.page.get_by_role("link", name="Code QR").first)
    effort.tap(effort.page.get_by_role("button", name="Ouvrir et projeter"))
    assert effort.page.get_by_role("heading", level=1).inner_text() == "Signez votre présence"


def create_activity(effort: Effort, house: House) -> None:
    effort.tap(effort.page.get_by_role("link", name="Nouvelle activité"))
    effort.paste(effort.page.get_by_label("Titre"), "Atelier du jour")
    effort.tap(effort.page.get_by_role("button", name="Créer l’activité"))
    assert effort.page.get_by_role("heading", level=1).inner_text() == "Atelier du jour"


def publish_badge(effort: Effort, house: House) -> None:
    effort.tap(effort.page.get_by_role("link", name="Nouveau badge"))
    effort.tap(effort.page.get_by_role("radio", name="Participation"))
    effort.paste(effort.page.get_by_label("Titre"), "Atelier du jour")
    effort.paste(effort.page.get_by_label("Description"), "A pris part à un atelier du campus.")
    effort.paste(effort.page.get_by_role("textbox", name="Critères"), "- A suivi l’atelier du début à la fin")
    effort.tap(effort.page.get_by_role("button", name="Publier").last)
    assert "En service" in effort.page.get_by_role("main").inner_text()


def publish_badge_of_template(effort: Effort, house: House) -> None:
    effort.tap(effort.page.get_by_role("link", name="Nouveau badge"))
    effort.tap(effort.page.get_by_role("link", name="Participation à un atelier"))
    effort.paste(effort.page.get_by_label("Titre"), "Atelier du jour")
    effort.tap(effort.page.get_by_role("button", name="Publier").last)
    assert "En service" in effort.page.get_by_role("main").inner_text()


TASKS: dict[str, tuple[Callable[[Effort, House], None], int, int]] = {
    "award 30 enrolled people": (award_enrolled, 4, 3),
    "award 30 people of a list": (award_list, 5, 4),
    "project the check-in code": (project_code, 4, 3),
    "create an activity": (create_activity, 3, 2),
    "publish a new badge": (publish_badge, 7, 3),
    "publish a badge of a template": (publish_badge_of_template, 7, 3),
}
"""(task, most interactions, most pages) beginning at the home of the campus."""


@pytest.mark.parametrize("name", list(TASKS))
def test_task_takes_no_more_than_its_measure(
    house: House, server: LiveServer, open_page: OpenPage, name: str
) -> None:
    task, interactions, pages = TASKS[name]
    if task is not award_list:
        house.record(*(f"{each};" for each in THIRTY))
    page = open_page(DESKTOP)
    is_badge = task in (publish_badge, publish_badge_of_template)
    page.goto(server.url(house.sign_in_path(house.admin if is_badge else house.trainer)))
    page.get_by_role("button", name="Se connecter").click()
    page.goto(server.url("/gestion/itip/badges" if is_badge else "/gestion/itip"))
    effort = Effort(page)
    task(effort, house)
    print(f"| {name} | {effort.interactions} | {effort.pages} | {interactions}/{pages} |")
    assert effort.interactions <= interactions
    assert effort.pages <= pages
