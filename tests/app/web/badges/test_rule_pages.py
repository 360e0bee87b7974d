"""The rule of a badge on its pages: written without syntax, previewed as a sentence, and applied to eligible people."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from starlette.datastructures import FormData

from app.domain.badges.rules import Condition, Measure, Rule, rule_of
from app.domain.frameworks import Competency, Framework
from app.web.badges.rules import RuleForm
from tests.app.domain.badges.test_badge_rules import SPEAKING, WELDING, rules
from tests.app.web.awards.awarding_steps import CHECK, GIVE, awards_given, counts
from tests.app.web.badges.test_badge_editor import HERE, ROLE, made, plain
from tests.support.app import App, send
from tests.support.forms import form_with

TYPED = {
    "type": "participation",
    "criteres": "",
    "regle-nombre-0": "3",
    "regle-mesure-0": "activites",
    "regle-sorte-0": "workshop",
    "regle-joint-1": "et",
    "regle-nombre-1": "4,5",
    "regle-mesure-1": "heures",
    "regle-joint-2": "ou",
    "regle-nombre-2": "1",
    "regle-mesure-2": "activites",
    "regle-sorte-2": "project",
    "regle-role-2": "ressource",
    "regle-periode": "dates",
    "regle-du": "2026-09-01",
}
SAID = "3 ateliers et 4 h 30, ou bien un projet comme ressource, à partir du 1er septembre 2026"
FRAMEWORK = Framework(campus_id=uuid.uuid4(), code="ref", name="Référentiel", created_at=datetime.now(UTC))
KNOWN = {
    str(each.id): (
        Competency(
            id=each.id, framework_id=FRAMEWORK.id, code="C", statement=each.name, created_at=datetime.now(UTC)
        ),
        FRAMEWORK,
    )
    for each in (WELDING, SPEAKING)
}


@pytest.fixture
def designer(app: App) -> TestClient:
    return app.client(app.admin)


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


def with_rule(app: App, rule: Rule) -> str:
    with app.unit_of_work() as services:
        page = services.badges.page(app.campus, app.presence.badge.id)
        page.version.rule = rule.to_document()
        services.stores.badges.add_version(page.version, [])
    return f"{HERE}/{app.presence.badge.id}/regle"


@given(rules)
def test_every_rule_stands_in_its_form_and_comes_back_from_it(rule: Rule):
    shown = RuleForm.from_rule(rule)
    sent = [
        (f"regle-{name}-{number}", value)
        for number, row in enumerate(shown.rows)
        for name, value in (
            ("joint", row.joint), ("mesure", row.measure), ("nombre", row.amount), ("role", row.part),
            ("competence", row.competency), *(("sorte", kind) for kind in row.kinds),
        )
    ]  # fmt: skip
    sent += [
        ("regle-periode", shown.period),
        ("regle-du", shown.first),
        ("regle-au", shown.last),
        ("regle-mois", shown.months),
    ]
    read = RuleForm.of(FormData(sent))
    assert read.rule(KNOWN) == rule
    assert read.errors == {}


def test_a_rule_is_typed_stored_and_shown_as_a_sentence(app: App, designer: TestClient):
    here = made(designer, **TYPED)
    assert SAID in plain(designer.get(here).text)
    assert 'value="4,5"' in designer.get(f"{here}/modifier/attribution").text
    content = designer.get(f"{here}/modifier")
    assert "La personne compte dans le journal du campus : 3 ateliers" in plain(content.text)
    with app.unit_of_work(reading=True) as services:
        badge_id = uuid.UUID(here.rpartition("/")[2])
        version = services.badges.manuscript(app.campus, badge_id).page.version
        rule = rule_of(version.rule)
        assert rule is not None
        assert [len(way) for way in rule.ways] == [2, 1]
        assert rule.period.first == date(2026, 9, 1)


def test_the_preview_describes_the_rule_in_french_and_in_english(designer: TestClient):
    shown = send(designer, f"{made(designer)}/modifier/attribution", ROLE | TYPED | {"geste": "apercu"})
    assert f"{SAID}." in plain(shown.text)
    assert (
        "3 workshops and 4 h 30 min, or else one project as a resource, from 1 September 2026 on."
        in plain(shown.text)
    )


@pytest.mark.parametrize(
    ("wrong", "result"),
    [
        ({"regle-nombre-0": "trois"}, "Écrivez un nombre entier"),
        ({"regle-nombre-1": "douze"}, "Le nombre d’heures n’est pas lisible"),
        ({"regle-du": ""}, "Donnez au moins une des deux dates"),
        ({"regle-periode": "mois", "regle-mois": "0"}, "Écrivez un nombre de mois"),
        ({"heures": "3"}, "Avec une règle, la durée demandée se dit dans la règle."),
    ],
)
def test_what_cannot_be_read_comes_back_with_everything_else(
    designer: TestClient, wrong: dict[str, str], result: str
):
    answer = send(designer, f"{made(designer)}/modifier/attribution", ROLE | TYPED | wrong)
    assert answer.status_code == 422
    assert result in plain(answer.text)
    assert 'name="regle-nombre-2"' in answer.text


def test_one_more_condition_is_a_button(designer: TestClient):
    page = send(designer, f"{made(designer)}/modifier/attribution", ROLE | TYPED | {"geste": "condition"})
    assert "regle-nombre-3" in page.text


def test_people_who_meet_the_rule_are_awarded_in_three_steps(app: App, trainer: TestClient):
    app.record("MARTIN Zoé; zoe@exemple.fr", "SOW Awa")
    here = with_rule(app, Rule(((Condition(Measure.HOURS, 180),),)))
    page = trainer.get(here)
    assert "2 personnes remplissent la règle" in plain(page.text)
    checked = form_with(page, "personne").press(trainer, page, CHECK)
    assert counts(checked) == {"Prêtes": 2}
    assert "1 activité, 3 h" in plain(checked.text)
    done = form_with(checked, "cle").press(trainer, checked, GIVE)
    assert done.status_code == 303, done.text
    assert awards_given(app) == 2
    assert "Personne encore" in trainer.get(here).text


def test_people_near_the_rule_are_shown_what_is_missing(app: App, trainer: TestClient):
    app.record("MARTIN Zoé; zoe@exemple.fr")
    page = trainer.get(with_rule(app, Rule(((Condition(Measure.HOURS, 720),),))))
    assert "3 h sur 12 h" in plain(page.text)
    assert ">9 h<" in plain(page.text)


def test_a_line_that_is_unticked_is_judged_again_before_anything_is_given(app: App, trainer: TestClient):
    app.record("MARTIN Zoé; zoe@exemple.fr")
    here = with_rule(app, Rule(((Condition(Measure.HOURS, 180),),)))
    page = trainer.get(here)
    checked = form_with(page, "personne").press(trainer, page, CHECK)
    again = form_with(checked, "cle").fill(ligne=[]).press(trainer, checked, GIVE)
    assert again.status_code == 200
    assert counts(again)["Participations insuffisantes"] == 1
    assert awards_given(app) == 0
