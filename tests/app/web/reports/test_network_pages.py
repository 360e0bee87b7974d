"""The year of a network shows what each campus chose to share, and counts shared work once."""

from __future__ import annotations

import re
from datetime import date

import pytest

from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.campus.campus import Network
from app.domain.reports.ledger import Period
from app.domain.reports.network import Topic
from tests.support.app import COMMAND, App, send

PAGE = "/reseau/pole-demo/rapport?periode=2025-2026"
SHARING = "/gestion/itip/rapport/partage"


@pytest.fixture
def app(app: App) -> App:
    with app.unit_of_work() as services:
        services.campuses.create_network(
            Network(slug="pole-demo", name="Pôle de démonstration"),
            [app.campus, app.other_campus],
            by=COMMAND,
        )
        row = Activity(
            kind=ActivityKind.EVENT,
            title="Forum commun",
            starts_on=date(2026, 3, 9),
            ends_on=date(2026, 3, 9),
            declared_size=40,
            created_at=services.clock(),
        )
        plan = Plan([app.other_campus.slug])
        services.activity_plans.create(app.campus, row, plan, by=COMMAND)
        services.activity_plans.answer(app.other_campus, row.id, accepts=True, by=COMMAND)
    return app


def test_a_campus_decides_and_a_shared_action_counts_once(app: App) -> None:
    reader = app.client()
    assert "Aucun campus ne le montre" in reader.get(PAGE).text
    admin = app.client(app.admin)
    assert send(admin, f"{SHARING}/pole-demo", {"sujet": ["actions"]}, seen_on=SHARING).status_code == 303
    assert "checked" in admin.get(SHARING).text
    shown = reader.get(PAGE).text
    assert "Ne le montrent pas" in shown
    assert "doublons 1" not in shown
    with app.unit_of_work() as services:
        services.network_reports.share(
            app.other_campus, "pole-demo", [Topic.ACTIONS, Topic.PEOPLE], by=COMMAND
        )
    assert send(admin, f"{SHARING}/pole-demo", {"sujet": ["actions", "people"]}, seen_on=SHARING)
    shown = re.sub(r"\s", " ", reader.get(PAGE).text)
    assert "Actions : somme des campus 2 − doublons 1 = réseau 1" in shown
    assert "Participants : somme des campus 80 − doublons 40 = réseau 40" in shown
    assert "Forum commun" in shown


def test_days_of_ones_own_choosing_are_refused(app: App) -> None:
    answer = app.client().get("/reseau/pole-demo/rapport?du=2026-03-09&au=2026-03-09")
    assert answer.status_code == 422
    assert "Choisissez une année" in answer.text


def test_in_january_the_page_shows_the_year_that_is_complete(app: App) -> None:
    app.clock.now = app.clock.now.replace(year=2027, month=1, day=12)
    reader = app.client()
    assert "2026" in reader.get("/reseau/pole-demo/rapport").text
    early = reader.get("/reseau/pole-demo/rapport?periode=2027")
    assert early.status_code == 422
    assert "pas encore de mois complet" in early.text


def test_departments_are_hidden_while_a_number_of_people_is_hidden(app: App) -> None:
    with app.unit_of_work() as services:
        services.network_reports.share(app.other_campus, "pole-demo", [Topic.PEOPLE], by=COMMAND)
        row = Activity(
            kind=ActivityKind.EVENT,
            title="Petit atelier",
            starts_on=date(2026, 4, 9),
            ends_on=date(2026, 4, 9),
            declared_size=40,
            created_at=services.clock(),
        )
        services.activity_plans.create(app.campus, row, Plan([]), by=COMMAND)
        services.network_reports.share(app.campus, "pole-demo", [Topic.PEOPLE], by=COMMAND)
    reader = app.client()
    assert "Participants par département" in reader.get(PAGE).text
    with app.unit_of_work() as services:
        for activity in (row.id, app.activity.id):
            services.report_facts.correct(app.campus, activity, {"effectif": "3"}, by=COMMAND)
        forum = next(
            each.id
            for each in services.network_reports.year("pole-demo", Period.school(2025)).of(Topic.PEOPLE).rows
            if each.title == "Forum commun"
        )
        services.report_facts.correct(app.campus, forum, {"effectif": "2"}, by=COMMAND)
    shown = reader.get(PAGE).text
    assert "Participants par département" not in shown
    assert "Les lieux ne sont pas montrés" in shown
