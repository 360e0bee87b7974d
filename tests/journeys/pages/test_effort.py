"""How many interactions and pages the commonest tasks of a trainer take, counted in a browser.

`pytest -s tests/journeys/pages/test_effort.py` prints the table of docs/effort.md.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page

from app.domain.activities import Plan
from app.domain.campus.audit_log import Actor
from app.domain.learners.requests import BadgeRequest, RequestState
from app.domain.people import Person
from tests.support.app import App, build_app
from tests.support.servers.browser import DESKTOP, OpenPage
from tests.support.servers.server import LiveServer, serving

pytestmark = pytest.mark.browser
GIVEN = ("Chloé", "Lucas", "Emma", "Louise", "Hugo", "Jules", "Manon", "Zoé", "Nathan", "Camille")
THIRTY = [f"{given} {family}" for family in ("Lefebvre", "Moreau", "Fournier") for given in GIVEN]


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


Task = Callable[[Effort, App], None]


@pytest.fixture
def app(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[App]:
    built = build_app(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    with built.unit_of_work() as services:
        activity = services.activities.get(built.campus, built.activity.id)
        activity.starts_on = activity.ends_on = built.clock().date()
        plan = Plan(badges={built.presence.badge.id})
        services.activity_plans.amend(built.campus, activity.id, activity, plan, by=Actor(built.trainer.id))
    yield built
    built.process.engine.dispose()


@pytest.fixture
def server(app: App, listener: socket.socket) -> Iterator[LiveServer]:
    with serving(app.process.settings, listener, process=app.process) as running:
        yield running


def award_enrolled(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Attribuer").first)
    effort.tap(effort.page.get_by_role("button", name="Voir l’aperçu"))
    effort.tap(effort.page.get_by_role("button", name="Attribuer aux 30"))
    assert effort.page.get_by_role("heading", level=1).inner_text().startswith("30")


def award_list(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Attribuer").first)
    effort.paste(
        effort.page.get_by_label("Une personne par ligne"),
        "Nom;Prénom\n" + "\n".join(";".join(each.split()[::-1]) for each in THIRTY),
    )
    effort.tap(effort.page.get_by_role("button", name="Voir l’aperçu"))
    effort.tap(effort.page.get_by_role("button", name="Attribuer aux 30"))
    assert effort.page.get_by_role("heading", level=1).inner_text().startswith("30")


def award_list_beside_enrolled(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Coller une liste").first)
    effort.paste(
        effort.page.get_by_label("Une personne par ligne"),
        "Nom;Prénom\n" + "\n".join(f"Girard;{given}" for given in GIVEN),
    )
    effort.tap(effort.page.get_by_role("button", name="Voir l’aperçu"))
    effort.tap(effort.page.get_by_role("button", name="Attribuer aux 10"))
    assert effort.page.get_by_role("heading", level=1).inner_text().startswith("10")


def project_code(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Code QR").first)
    effort.tap(effort.page.get_by_role("button", name="Ouvrir et projeter"))
    assert effort.page.get_by_role("heading", level=1).inner_text() == "Signez votre présence"


def create_activity(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Nouvelle activité"))
    effort.paste(effort.page.get_by_label("Titre"), "Atelier du jour")
    effort.tap(effort.page.get_by_role("button", name="Créer l’activité"))
    assert effort.page.get_by_role("heading", level=1).inner_text() == "Atelier du jour"


def publish_badge(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Nouveau badge"))
    effort.tap(effort.page.get_by_role("radio", name="Participation"))
    effort.paste(effort.page.get_by_label("Titre"), "Atelier du jour")
    effort.paste(effort.page.get_by_label("Description"), "A pris part à un atelier du campus.")
    effort.paste(effort.page.get_by_role("textbox", name="Critères"), "- A suivi l’atelier du début à la fin")
    effort.tap(effort.page.get_by_role("button", name="Publier").last)
    assert "En service" in effort.page.get_by_role("main").inner_text()


def publish_badge_of_template(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Nouveau badge"))
    effort.tap(effort.page.get_by_role("link", name="Participation à un atelier"))
    effort.paste(effort.page.get_by_label("Titre"), "Atelier du jour")
    effort.tap(effort.page.get_by_role("button", name="Publier").last)
    assert "En service" in effort.page.get_by_role("main").inner_text()


def print_slips(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Bulletins et remise").first)
    with effort.page.expect_download() as download:
        effort.tap(effort.page.get_by_role("button", name="Imprimer les bulletins"))
    assert download.value.suggested_filename == "bulletins-30.pdf"


def withdraw(effort: Effort, app: App) -> None:
    effort.tap(effort.page.locator("#recentes ~ ul a").first)
    effort.paste(effort.page.get_by_label("Motif du retrait"), "Attribué par erreur.")
    effort.tap(effort.page.get_by_role("button", name="Retirer ce badge"))
    assert effort.page.get_by_role("heading", name=re.compile("^Retiré le")).is_visible()


def correct_name(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name=re.compile("^Corriger")).first)
    effort.paste(effort.page.get_by_label("Prénom"), "Élodie")
    effort.tap(effort.page.get_by_role("button", name="Enregistrer"))
    assert effort.page.get_by_text("Élodie").first.is_visible()


def invite(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Inviter quelqu’un"))
    effort.paste(effort.page.get_by_label("Adresse e-mail"), "collegue@exemple.fr")
    effort.tap(effort.page.get_by_role("button", name="Envoyer l’invitation"))
    assert effort.page.get_by_text("collegue@exemple.fr").first.is_visible()


def decide_request(effort: Effort, app: App) -> None:
    effort.tap(effort.page.get_by_role("link", name="Ouvrir la plus ancienne"))
    effort.paste(effort.page.get_by_label("Pourquoi"), "J’y étais, et c’était très bien mené.")
    effort.tap(effort.page.get_by_role("button", name="Donner le badge"))
    assert effort.page.get_by_text("Le badge est attribué").is_visible()


def enrol(app: App) -> None:
    app.record(*(f"{each};" for each in THIRTY))


def award_all(app: App) -> None:
    app.award(*THIRTY)


def ask_for_a_badge(app: App) -> None:
    with app.unit_of_work() as services:
        person = Person(given_name="Zoé", family_name="Martin", created_at=app.clock())
        services.stores.people.get_or_add(person, "zoe@exemple.fr")
        services.stores.session.add(
            BadgeRequest(
                campus_id=app.campus.id,
                badge_id=app.role.badge.id,
                person_id=person.id,
                given_name="Zoé",
                family_name="Martin",
                address="zoe@exemple.fr",
                narrative="J’ai animé deux ateliers de robotique, seule, devant douze collégiens.",
                state=RequestState.WAITING,
                created_at=app.clock(),
                waiting_since=app.clock(),
            )
        )
    app.award("Lucas Bernard", badge=app.role, evidence="A tenu le stand.")


TASKS: dict[str, tuple[Task, Callable[[App], None] | None, int, int]] = {
    "award 30 enrolled people": (award_enrolled, enrol, 4, 3),
    "award 30 people of a list": (award_list, None, 5, 3),
    "award a list beside 30 enrolled people": (award_list_beside_enrolled, enrol, 5, 3),
    "project the check-in code": (project_code, enrol, 4, 3),
    "print the slips of an award": (print_slips, award_all, 2, 1),
    "withdraw a badge": (withdraw, award_all, 3, 2),
    "correct a name": (correct_name, award_all, 3, 2),
    "create an activity": (create_activity, enrol, 3, 2),
    "publish a new badge": (publish_badge, None, 7, 3),
    "publish a badge of a template": (publish_badge_of_template, None, 7, 3),
    "invite a colleague": (invite, None, 3, 2),
    "decide on a request": (decide_request, ask_for_a_badge, 3, 2),
}
"""(task, what is there before, most interactions, most pages), from the home of the campus or the list of badges."""
OF_BADGES = (publish_badge, publish_badge_of_template)
BY_ADMINISTRATORS = (invite, decide_request, *OF_BADGES)


@pytest.mark.parametrize("name", list(TASKS))
def test_task_takes_no_more_than_its_measure(
    app: App, server: LiveServer, open_page: OpenPage, name: str
) -> None:
    task, prepare, interactions, pages = TASKS[name]
    if prepare is not None:
        prepare(app)
    page = open_page(DESKTOP)
    person = app.admin if task in BY_ADMINISTRATORS else app.trainer
    page.goto(server.url(app.sign_in_path(person)))
    page.get_by_role("button", name="Se connecter").click()
    page.goto(server.url("/gestion/itip/badges" if task in OF_BADGES else "/gestion/itip"))
    effort = Effort(page)
    task(effort, app)
    print(f"| {name} | {effort.interactions} | {effort.pages} | {interactions}/{pages} |")
    assert effort.interactions <= interactions
    assert effort.pages <= pages
