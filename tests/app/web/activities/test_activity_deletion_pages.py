"""An activity made by mistake is deleted at the end of the page that changes it, after a confirmation."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from app.domain.campus.audit_log import Actor
from app.domain.people import Role
from tests.support.app import App, send
from tests.support.forms import form_with, forms_of


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


def path_of(app: App, slug: str = "itip") -> str:
    return f"/gestion/{slug}/activites/{app.activity.id}"


def test_a_confirmed_deletion_removes_the_activity_and_is_in_the_history(app: App, trainer: TestClient):
    path = path_of(app)
    page = trainer.get(f"{path}/modifier")
    assert "Supprimer l’activité" in page.text
    unsure = form_with(page, "confirme").press(trainer, page)
    assert unsure.status_code == 422
    assert "Cochez la case pour confirmer. Rien n’a été supprimé." in unsure.text
    assert trainer.get(path).status_code == 200

    done = form_with(unsure, "confirme").fill(confirme="oui").press(trainer, unsure)
    assert (done.status_code, done.headers["location"]) == (303, "/gestion/itip/activites")
    assert trainer.get(path).status_code == 404
    assert "Atelier robotique" not in trainer.get("/gestion/itip/activites").text
    history = app.client(app.admin).get("/gestion/itip/historique").text
    assert "Activité supprimée" in history
    assert path not in history


def test_an_activity_with_records_shows_the_reason_and_no_deletion_button(app: App, trainer: TestClient):
    path = path_of(app)
    before = trainer.get(f"{path}/modifier")
    app.record("MARTIN Zoé;zoe@exemple.fr")
    why = "des personnes y sont notées, présentes ou absentes"
    refused = form_with(before, "confirme").fill(confirme="oui").press(trainer, before)
    assert refused.status_code == 409
    assert why in refused.text
    page = trainer.get(f"{path}/modifier")
    assert why in page.text
    assert not [form for form in forms_of(page) if "confirme" in form.fields]
    assert trainer.get(path).status_code == 200


def test_a_correction_from_the_refused_deletion_page_is_saved(app: App, trainer: TestClient):
    page = trainer.get(f"{path_of(app)}/modifier")
    unsure = form_with(page, "confirme").press(trainer, page)
    amended = form_with(unsure, "titre").fill(titre="Atelier soudure").press(trainer, unsure)
    assert amended.status_code == 303
    assert "Atelier soudure" in trainer.get(path_of(app)).text


def test_another_campus_finds_nothing_an_auditor_may_not_and_a_form_of_elsewhere_is_refused(
    app: App, trainer: TestClient
):
    confirmed = {"confirme": "oui"}
    stranger = app.client(app.stranger)
    theirs = f"{path_of(app, 'agt')}/supprimer"
    assert send(stranger, theirs, confirmed, seen_on="/gestion/agt/activites/nouvelle").status_code == 404
    assert trainer.post(f"{path_of(app)}/supprimer", data=confirmed).status_code == 403

    with app.unit_of_work() as services:
        services.team.set_roles(app.campus, app.trainer.id, [Role.AUDITOR], by=Actor(app.admin.id))
    auditor = app.client(app.trainer)
    mine = f"{path_of(app)}/supprimer"
    assert send(auditor, mine, confirmed, seen_on="/compte").status_code == 403
    assert auditor.get(path_of(app)).status_code == 200
