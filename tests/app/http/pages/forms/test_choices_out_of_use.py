"""A choice made before it was archived stays on the form, and a renamed choice is not a change."""

from __future__ import annotations

import uuid

import pytest

from app.domain.frameworks import Competency
from app.domain.frameworks.pathways import ConditionKind, PathwayContent
from app.services.badges.modules import ModuleText
from app.services.frameworks.pathways import StageDraft
from tests.app.http.pages.forms.test_written_meanwhile import the_form
from tests.support.app import COMMAND, App

DESK = "/gestion/itip"


@pytest.fixture
def competency(app: App) -> Competency:
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="atelier", name="Atelier", by=COMMAND)
        return services.competencies.create(
            app.campus, framework, code="C-1", statement="Mesurer", levels=["débute", "sait"], by=COMMAND
        )


def archive(app: App, competency: Competency) -> None:
    with app.unit_of_work() as services:
        services.competencies.archive(app.campus, competency.id, by=COMMAND)
        services.badges.archive(app.campus, app.presence.badge.id, by=COMMAND)


@pytest.mark.parametrize("level", [2, None])
def test_module_keeps_the_archived_choices_that_its_form_shows(app: App, competency, level) -> None:
    with app.unit_of_work() as services:
        found = services.modules.create(app.campus, title="Usinage", by=COMMAND)
        text = ModuleText("Tourner", badge_id=app.presence.badge.id, competencies={competency.id: level})
        made = services.modules.add_module(app.campus, found.id, text, by=COMMAND)
    archive(app, competency)
    client = app.client(app.admin)
    page = client.get(f"{DESK}/modules/{found.id}/{made.id}")
    assert "Mesurer (hors service)" in page.text
    assert the_form(page, "contenus").fill(contenus="Dresser").press(client, page).status_code == 303
    with app.unit_of_work(reading=True) as services:
        module = services.modules.get_module(found, made.id)
        (row,) = services.modules.store.attested_by([made.id])
        assert (module.contents, module.badge_id) == ("Dresser", app.presence.badge.id)
        assert (row.competency_id, row.level) == (competency.id, level)


def test_set_of_modules_keeps_its_archived_badge(app: App, competency) -> None:
    with app.unit_of_work() as services:
        found = services.modules.create(
            app.campus, title="Usinage", badge_id=app.presence.badge.id, by=COMMAND
        )
    archive(app, competency)
    client = app.client(app.admin)
    page = client.get(f"{DESK}/modules/{found.id}/modifier")
    assert the_form(page, "titre").fill(titre="Usiner").press(client, page).status_code == 303
    with app.unit_of_work(reading=True) as services:
        read = services.modules.get(app.campus, found.id)
        assert (read.title, read.badge_id) == ("Usiner", app.presence.badge.id)


def test_pathway_keeps_the_archived_choices_that_its_forms_show(app: App, competency) -> None:
    presence = app.presence.badge.id
    with app.unit_of_work() as services:
        made = services.pathways.create(app.campus, PathwayContent("Parcours"), by=COMMAND)
        draft = StageDraft("Tenir", badge_ids=(presence,), competency_id=competency.id, level=2)
        key = services.pathways.save_stage(app.campus, made.id, "", draft, by=COMMAND)
        services.pathways.describe(
            app.campus, made.id, title="Parcours", summary="", badge_id=presence, by=COMMAND
        )
    archive(app, competency)
    client = app.client(app.admin)
    for path in (f"{DESK}/parcours/{made.id}", f"{DESK}/parcours/{made.id}/etapes/{key}"):
        page = client.get(path)
        form = the_form(page, "presentation").fill(presentation="Seul.")
        assert form.press(client, page).status_code == 303
    with app.unit_of_work(reading=True) as services:
        _, content = services.pathways.get(app.campus, made.id)
        conditions = {each.kind: each for each in content.stages[0].conditions}
        assert content.badge is not None
        assert (content.badge.id, content.summary, content.stages[0].summary) == (presence, "Seul.", "Seul.")
        assert [each.id for each in conditions[ConditionKind.BADGES].badges] == [presence]
        assert conditions[ConditionKind.COMPETENCY].level == "sait"


def test_activity_keeps_its_archived_badge_and_a_trainer_who_left(app: App, competency) -> None:
    client = app.client(app.admin)
    path = f"{DESK}/activites/{app.activity.id}/modifier"
    page = client.get(path)
    chosen = {"badge": [str(app.presence.badge.id)], "formateur": [str(app.trainer.id)]}
    assert the_form(page, "titre").fill(**chosen).press(client, page).status_code == 303
    archive(app, competency)
    with app.unit_of_work() as services:
        services.team.remove(app.campus, app.trainer.id, by=COMMAND)
    page = client.get(path)
    assert the_form(page, "titre").fill(lieu="Salle 4").press(client, page).status_code == 303
    with app.unit_of_work(reading=True) as services:
        planned = services.activity_plans.planned(app.campus, app.activity.id)
        assert [each.id for each in planned.trainers] == [app.trainer.id]
        assert [badge.id for badge, _ in planned.badges] == [app.presence.badge.id]


def renamed(app: App, competency: Competency) -> None:
    """A new name of the badge, another competency of the campus, and levels with other names."""
    with app.unit_of_work() as services:
        version = services.badges.badges.newest_version(app.presence.badge.id)
        version.name = "Présent à l’atelier"
        services.badges.badges.add(version)
        framework = services.competencies.framework(app.campus, code="atelier", name="Atelier", by=COMMAND)
        services.competencies.create(
            app.campus, framework, code="C-2", statement="Peser", levels=[], by=COMMAND
        )
        services.competencies.amend(
            app.campus, competency.id, statement="Mesurer", levels=["découvre", "maîtrise"], by=COMMAND
        )


@pytest.mark.parametrize("what", ["module", "set", "pathway"])
def test_new_name_of_a_choice_is_no_change_of_the_form(app: App, competency, what: str) -> None:
    presence = app.presence.badge.id
    with app.unit_of_work() as services:
        found = services.modules.create(app.campus, title="Usinage", badge_id=presence, by=COMMAND)
        text = ModuleText("Tourner", badge_id=presence, competencies={competency.id: 2})
        made = services.modules.add_module(app.campus, found.id, text, by=COMMAND)
        pathway = services.pathways.create(app.campus, PathwayContent("Parcours"), by=COMMAND)
        services.pathways.describe(
            app.campus, pathway.id, title="Parcours", summary="", badge_id=presence, by=COMMAND
        )
    paths: dict[str, tuple[str, uuid.UUID | str, dict[str, str]]] = {
        "module": ("modules", f"{found.id}/{made.id}", {"titre": "Dresser"}),
        "set": ("modules", f"{found.id}/modifier", {"titre": "Dresser"}),
        "pathway": ("parcours", pathway.id, {"presentation": "En un an."}),
    }
    place, which, typed = paths[what]
    client = app.client(app.admin)
    page = client.get(f"{DESK}/{place}/{which}")
    renamed(app, competency)
    assert the_form(page, "titre").fill(**typed).press(client, page).status_code == 303


def test_correction_that_is_asked_about_overwrites_nothing_unseen(app: App) -> None:
    """The question about a domain used to contain a token of what another person had saved since."""
    from tests.app.http.pages.forms.test_written_meanwhile import person

    case = person(app)
    late, early = app.client(app.admin), app.client(app.admin)
    shown, page = late.get(case.path), early.get(case.path)
    assert the_form(page, case.form).fill(prenom="Zoée").press(early, page).status_code == 303
    before = case.stored()
    asked = the_form(shown, case.form).fill(adresse="zoe@gmial.com").press(late, shown)
    (answer,) = [each for each in the_form(asked, case.form).buttons if each[1].startswith("garder-")]
    again = the_form(asked, case.form).press(late, asked, answer)
    assert again.status_code == 409
    assert case.stored() == before
