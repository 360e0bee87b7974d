"""Operators read what was done to the service and to campuses, and no data of the campuses."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import DONE_TO_CAMPUSES, OF_THE_SERVICE
from app.web.campus.audit_log import EVENT_LABELS
from app.web.campus.audit_log import OF_THE_SERVICE as WORDS
from tests.support.app import COMMAND, App, send

HERE = "/exploitation/historique"


@pytest.fixture
def operator(app: App) -> TestClient:
    with app.unit_of_work() as services:
        person = services.operators.add("Ada", "Opératrice", "operatrice@exemple.fr", by=COMMAND)
    return app.client(person)


def lines_of(client: TestClient, path: str = HERE) -> list[str]:
    shown = re.findall(r"<li><span class=.grow.*?</li>", client.get(path).text, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", line)).strip() for line in shown]


def test_the_history_lists_operators_and_their_actions_on_campuses(app: App, operator: TestClient):
    page = "/exploitation"
    for path, typed in (
        ("inviter", {"courriel": "nouvelle@exemple.fr"}),
        ("suspendre", {"certain": "oui"}),
        ("reprendre", {}),
    ):
        app.clock.move(minutes=1)
        assert send(operator, f"{page}/campus/itip/{path}", typed, seen_on=page).status_code == 303
    lines = lines_of(operator)
    campus = "Industrie Technologique Innovante et Performante"
    for line, action in zip(
        lines, ("Campus rouvert", "Campus suspendu", "Personne invitée par l’exploitant"), strict=False
    ):
        assert line.startswith(action), lines
        assert campus in line
        assert line.endswith("Ada Opératrice")
    assert any("Exploitation du service confiée" in line and "Ada Opératrice" in line for line in lines)
    assert f'href="{HERE}"' in operator.get(page).text


def test_the_history_contains_no_data_or_people_of_a_campus(app: App, operator: TestClient):
    app.award("MARTIN Zoé;zoe@exemple.fr")
    with app.unit_of_work() as services:
        services.handed_links.of_administrator(app.campus, "", by=COMMAND)
        services.operators.invite(app.campus, "nouvelle@exemple.fr", by=COMMAND)
    shown = operator.get(HERE).text
    assert "Lien de connexion donné par l’exploitant" in shown
    for word in (
        "Martin",
        "MARTIN",
        "zoe@",
        "nouvelle@",
        "Œuvrard",
        "Le Goff",
        "Robotique",
        "Badge attribué",
    ):
        assert word not in shown


def test_other_people_get_404_for_the_history_of_the_service(app: App):
    for person in (app.admin, app.trainer, None):
        assert app.client(person).get(HERE).status_code == 404


def test_the_history_is_paged(app: App, operator: TestClient):
    for _ in range(30):
        app.clock.move(minutes=1)
        with app.unit_of_work() as services:
            services.operators.suspend("itip", by=COMMAND)
            services.operators.resume("itip", by=COMMAND)
    first = operator.get(HERE).text
    older = re.search(r'href="(\?avant=\d+)"', first)
    assert older
    assert len(lines_of(operator)) == 50
    rest = lines_of(operator, HERE + older[1])
    assert len(rest) > 10
    assert any("Campus créé" in line for line in rest)


def test_every_action_of_the_service_has_a_label():
    assert {noun for noun, _ in WORDS} == set(OF_THE_SERVICE)
    assert set(DONE_TO_CAMPUSES) <= set(EVENT_LABELS)
