"""Awarding badges: each line of a real list is checked, corrected, and awarded once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.domain.activities import Activity, ActivityCompetency
from app.domain.awards import AwardState, LineOutcome
from app.domain.campus.audit_log import Actor
from app.services.badges import wording_of
from tests.app.web.awards.awarding_steps import CHECK, GIVE, TABLE, awards_given, counts, outcomes, preview
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def award(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}/attribuer"


def test_every_line_of_a_french_spreadsheet_is_judged_before_anything_is_given(
    app: App, trainer: TestClient, award: str
):
    app.award("HADDAD Yasmine; y.haddad@exemple.fr")

    page = preview(trainer, award, app.presence, table=TABLE)

    assert counts(page) == {
        "Prêtes": 3,
        "Ont déjà ce badge": 1,
        "Adresses invalides": 1,
        "Lignes illisibles": 1,
        "Lignes en double": 1,
    }
    assert "Attribuer aux 3 personnes prêtes" in page.text.replace("\u00a0", " ")
    assert awards_given(app) == 1


def test_ready_lines_get_the_badge_and_every_other_line_gives_its_reason(
    app: App, trainer: TestClient, award: str
):
    app.award("HADDAD Yasmine; y.haddad@exemple.fr")
    page = preview(trainer, award, app.presence, table=TABLE)

    done = form_with(page, "cle").press(trainer, page, GIVE)

    assert sorted(outcomes(app, done)) == sorted(
        [
            ("Anne-Gaëlle Le Bœuf", LineOutcome.AWARDED),
            ("Camille Martin", LineOutcome.AWARDED),
            ("Camille Martin", LineOutcome.AWARDED),
            ("Nolwenn Jaouen-Peltier", LineOutcome.INVALID_ADDRESS),
            ("Yasmine Haddad", LineOutcome.ALREADY_HELD),
            ("Théodore Izarn", LineOutcome.UNREADABLE),
            ("Yasmine Haddad", LineOutcome.REPEATED_LINE),
        ]
    )


def test_the_same_file_again_awards_nothing(app: App, trainer: TestClient, award: str):
    page = preview(trainer, award, app.presence, table=TABLE)
    form_with(page, "cle").press(trainer, page, GIVE)
    given = awards_given(app)

    again = preview(trainer, award, app.presence, table=TABLE)
    assert counts(again)["Ont déjà ce badge"] == given
    assert GIVE not in form_with(again, "cle").buttons


def test_preview_of_people_who_all_have_the_badge_leads_back_to_the_activity(
    app: App, trainer: TestClient, award: str
):
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé; chloe@exemple.fr")
    form_with(page, "cle").press(trainer, page, GIVE)

    again = preview(trainer, award, app.presence, liste="MARTIN Chloé; chloe@exemple.fr")

    assert "Cette personne a déjà ce badge : il n’y a rien à attribuer." in again.text.replace("\xa0", " ")
    assert "Revenir à l’activité" in again.text
    assert "Corrigez au moins une ligne" not in again.text


@pytest.mark.parametrize("evidence", ["", "Chacun a monté un bras robot."])
def test_what_a_judged_badge_needs_is_not_called_optional(
    app: App, trainer: TestClient, award: str, evidence: str
):
    checked = preview(trainer, award, app.role, liste="MARTIN Chloé", preuve=evidence)
    other = preview(trainer, award, app.presence, liste="MARTIN Chloé", preuve=evidence)

    assert 'ont fait <span class="soft">(ou la contribution de chaque personne)' in checked.text
    assert 'ont fait <span class="soft">(facultatif)' in other.text


def test_clicking_the_button_twice_awards_once_and_shows_the_same_result(
    app: App, trainer: TestClient, award: str
):
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé")
    form = form_with(page, "cle")

    first, second = form.press(trainer, page, GIVE), form.press(trainer, page, GIVE)

    assert first.headers["location"] == second.headers["location"]
    assert awards_given(app) == 1


def test_the_suggested_address_is_taken_with_one_button(app: App, trainer: TestClient, award: str):
    page = preview(trainer, award, app.presence, table=TABLE)
    form = form_with(page, "cle")
    button = next(button for button in form.buttons if button[0] == "proposition")
    assert "Mettre nolwenn.jaouen@exemple.fr" in page.text

    better = form.press(trainer, page, button)

    assert "Adresses invalides" not in counts(better)
    assert counts(better)["Prêtes"] == counts(page)["Prêtes"] + 1


def test_a_correction_is_judged_again_before_anything_is_given(app: App, trainer: TestClient, award: str):
    page = preview(trainer, award, app.presence, table=TABLE)
    form = form_with(page, "cle")
    hours = next(name for name in form.fields if name.startswith("heures-"))

    checked = form.fill(**{hours: "3"}).press(trainer, page, GIVE)

    assert checked.status_code == 200
    assert "Rien n’a encore été attribué" in checked.text
    assert awards_given(app) == 0
    done = form_with(checked, "cle").press(trainer, checked, GIVE)
    assert ("Théodore Izarn", LineOutcome.AWARDED) in outcomes(app, done)


def test_hours_entered_on_the_preview_of_a_participant_are_stored_in_the_activity(
    app: App, trainer: TestClient, award: str
):
    app.record("MARTIN Chloé", "DUPONT Zoé")
    page = preview(trainer, award, app.long_haul, qui="tous")
    form = form_with(page, "cle")
    assert counts(page) == {"Prêtes": 0, "Participations insuffisantes": 2}
    first, second = sorted(name for name in form.fields if name.startswith("heures-"))

    better = form.fill(**{first: "14", second: "beaucoup"}).press(trainer, page, CHECK)

    assert counts(better) == {"Prêtes": 1, "Participations insuffisantes": 1}
    assert form_with(better, "cle").fields[second] == ["beaucoup"]
    with app.unit_of_work(reading=True) as services:
        noted = [part.hours for part, _ in services.activities.page(app.campus, app.activity.id).participants]
    assert sorted(noted, key=str) == [14.0, None]


def test_common_evidence_makes_a_judged_badge_ready_for_everybody(app: App, trainer: TestClient, award: str):
    app.record("MARTIN Chloé", "DUPONT Zoé")
    page = preview(trainer, award, app.role, qui="tous")
    assert counts(page) == {"Prêtes": 0, "Preuves manquantes": 2}

    checked = form_with(page, "cle").fill(preuve="Ont tenu le stand.").press(trainer, page, CHECK)
    done = form_with(checked, "cle").press(trainer, checked, GIVE)

    assert [outcome for _, outcome in outcomes(app, done)] == [LineOutcome.AWARDED] * 2
    with app.unit_of_work(reading=True) as services:
        assert {record.award.evidence for record in services.awards.list_in(app.campus)} == {
            "Ont tenu le stand."
        }


def test_only_ticked_people_are_given_the_badge(app: App, trainer: TestClient, award: str):
    app.record("MARTIN Chloé", "DUPONT Zoé")
    page = trainer.get(award)
    form = form_with(page, "personne")
    assert len(form.fields["personne"]) == 2

    checked = form.fill(badge=str(app.presence.badge.id), personne=form.fields["personne"][:1]).press(
        trainer, page, CHECK
    )

    assert counts(checked) == {"Prêtes": 1}


def test_a_person_both_recorded_and_listed_with_an_address_gets_one_badge(
    app: App, trainer: TestClient, award: str
):
    app.record("DUPONT Zoé")
    page = preview(trainer, award, app.presence, qui="tous", liste="DUPONT Zoé; zoe@exemple.fr")

    done = form_with(page, "cle").press(trainer, page, GIVE)

    assert outcomes(app, done) == [("Zoé Dupont", LineOutcome.AWARDED)]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"badge": ""}, "Choisissez le badge à attribuer."),
        ({"liste": ""}, "Choisissez au moins une personne, ou donnez une liste."),
        ({"preuve": "x" * 4001}, "La preuve commune tient en 4"),
    ],
)
def test_a_choice_that_cannot_be_judged_comes_back_with_everything_typed(
    app: App, trainer: TestClient, award: str, typed: dict[str, str], sentence: str
):
    sent = {"liste": "MARTIN Chloé; chloe@exemple.fr", "preuve": "Ont tenu le stand.", **typed}

    page = preview(trainer, award, app.presence, **sent)

    assert page.status_code == 422
    assert sentence in page.text
    form = form_with(page, "preuve")
    assert form.fields["preuve"] == [sent["preuve"]]
    assert ("chloe@exemple.fr" in form.fields["liste"][0]) is bool(sent["liste"])


def test_changing_ones_mind_about_the_badge_keeps_list_and_evidence(
    app: App, trainer: TestClient, award: str
):
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé; chloe@exemple.fr", preuve="Stand")

    back = form_with(page, "cle").press(trainer, page, ("geste", "choisir"))

    form = form_with(back, "preuve")
    assert "chloe@exemple.fr" in form.fields["liste"][0]
    assert form.fields["preuve"] == ["Stand"]


def test_no_trainer_awards_a_badge_to_themselves(app: App, trainer: TestClient, award: str):
    page = preview(trainer, award, app.presence, liste="LE GOFF Anaïs; le.goff@exemple.fr")
    assert counts(page) == {"Prêtes": 0, "Soi-même": 1}


def test_a_preview_from_before_an_undo_is_shown_again_and_then_awards(
    app: App, trainer: TestClient, award: str
):
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé")
    form = form_with(page, "cle")
    result = form.press(trainer, page, GIVE).headers["location"]
    send(trainer, f"{result}/annuler", seen_on=result)
    assert standing(app) == 0

    shown = form.press(trainer, page, GIVE)
    assert standing(app) == 0
    assert counts(shown)["Prêtes"] == 1
    done = form_with(shown, "cle").press(trainer, shown, GIVE)
    assert done.headers["location"] != result
    assert standing(app) == 1


def rewrite_badge(app: App) -> None:
    """A version without holders is overwritten; a frozen one gets a successor, which is published."""
    with app.unit_of_work() as services:
        page = services.badges.page(app.campus, app.presence.badge.id)
        links = [link for link, _, _ in page.competencies]
        wording = replace(wording_of(page.version, links), description="Autre chose que dans l’aperçu.")
        services.badges.rewrite(
            app.campus, page.badge.id, wording,
            repeat=page.badge.repeat, accepts_requests=page.badge.accepts_requests, by=COMMAND,
        )  # fmt: skip
        services.badges.open(app.campus, page.badge.id, by=COMMAND)


def move_activity(app: App) -> None:
    day = app.activity.starts_on - timedelta(days=1)
    wanted = Activity(**{**app.activity.model_dump(), "starts_on": day, "ends_on": day})
    with app.unit_of_work() as services:
        services.activity_plans.amend(app.campus, app.activity.id, wanted, None, by=COMMAND)


def rename_campus(app: App) -> None:
    with app.unit_of_work() as services:
        campus = services.stores.campuses.get(app.campus.slug)
        campus.name = "Renommé depuis"
        services.stores.session.add(campus)


def practise_another_competency(app: App) -> None:
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ref", name="Référentiel", by=COMMAND)
        measured = services.competencies.create(
            app.campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )
        services.stores.session.add(
            ActivityCompetency(activity_id=app.activity.id, competency_id=measured.id)
        )


@pytest.mark.parametrize("is_frozen", [False, True])
@pytest.mark.parametrize("change", [rewrite_badge, move_activity, rename_campus, practise_another_competency])
def test_a_badge_or_activity_changed_since_the_preview_is_shown_before_it_is_awarded(
    app: App, trainer: TestClient, award: str, change: Callable[[App], None], is_frozen: bool
):
    if is_frozen:
        app.award("DURAND Léo")
    before = standing(app)
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé")
    change(app)
    shown = form_with(page, "cle").press(trainer, page, GIVE)
    assert "a changé depuis l’aperçu" in shown.text
    assert standing(app) == before
    form_with(shown, "cle").press(trainer, shown, GIVE)
    assert standing(app) == before + 1


def test_a_draft_opened_after_an_undo_awards_at_once(app: App, trainer: TestClient, award: str):
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé")
    for _ in range(2):
        shown = trainer.get(str(page.url))
        result = form_with(shown, "cle").press(trainer, shown, GIVE).headers["location"]
        assert standing(app) == 1
        send(trainer, f"{result}/annuler", seen_on=result)
        assert standing(app) == 0


def standing(app: App) -> int:
    with app.unit_of_work(reading=True) as services:
        records = services.awards.list_in(app.campus, limit=10)
    return sum(record.award.state is AwardState.ISSUED for record in records)


def test_who_is_about_to_get_the_badge_stands_before_who_has_it(app: App, trainer: TestClient, award: str):
    app.award("HADDAD Yasmine; y.haddad@exemple.fr")
    page = preview(trainer, award, app.presence, table=TABLE)
    assert page.text.index('id="pretes"') < page.text.index('id="deja"')


def test_a_badge_that_was_withdrawn_is_mentioned_before_it_is_awarded_again(
    app: App, trainer: TestClient, award: str
):
    given = app.award("MARTIN Chloé").lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, given, "Absente ce jour-là.", by=Actor(app.admin.id))
    page = preview(trainer, award, app.presence, liste="MARTIN Chloé")
    assert counts(page)["Prêtes"] == 1
    assert "Chloé Martin : ce badge lui a été retiré le" in page.text.replace("\u00a0", " ")
    assert "Absente ce jour-là." in page.text
