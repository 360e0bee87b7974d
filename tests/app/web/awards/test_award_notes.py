"""Notes about each person, and the badge as it will be received, before the award is confirmed."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.domain.activities import Activity, ActivityKind
from app.domain.awards import LineOutcome
from app.domain.awards.open_badges import DisclosedContent
from tests.app.web.awards.awarding_steps import GIVE, awards_given, counts, outcomes, preview, rows_of
from tests.support.app import COMMAND, App, listed
from tests.support.forms import Form, form_with

TWO = "MARTIN Zoé; zoe@exemple.fr\nDURAND Paul; paul@exemple.fr"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def award(app: App) -> str:
    return f"/gestion/itip/activites/{app.activity.id}/attribuer"


def notes(form: Form) -> list[str]:
    return [name for name in form.fields if name.startswith("contribution-")]


def evidence_in(app: App, done: Response, shown: DisclosedContent | None = None) -> dict[str, str]:
    """By given name: what the signed badge contains about them; with `shown`, after its holder chose that level."""
    with app.unit_of_work(reading=shown is None) as services:
        result = services.award_batches.result(
            app.campus, uuid.UUID(done.headers["location"].rpartition("/")[2])
        )
        award_ids = [line.award_id for line in result.lines if line.award_id]
        for award_id in award_ids if shown else ():
            row = services.evidence.find(award_id)
            assert row is not None
            services.log_disputes.show(app.campus, award_id, dict.fromkeys(row.entries, shown), by=COMMAND)
        records = [services.awards.record(award_id) for award_id in award_ids]
        return {
            record.person.given_name: services.publication.award_file(record, "json").body.decode()
            for record in records
        }


@pytest.mark.parametrize("recorded", [False, True])
def test_each_badge_is_awarded_with_one_button_and_its_holder_chooses_which_notes_to_show(
    app: App, trainer: TestClient, award: str, recorded: bool
):
    if recorded:
        app.record(*TWO.split("\n"))
    page = preview(
        trainer,
        award,
        app.presence,
        **({"qui": "tous"} if recorded else {"liste": TWO}),
        preuve="Atelier complet.",
    )
    form = form_with(page, "cle")
    first, second = notes(form)
    done = form.fill(**{first: "A monté le bras.", second: "A tenu le journal."}).press(trainer, page, GIVE)
    at_first = evidence_in(app, done)
    assert len(at_first) == 2
    for text in at_first.values():
        for noted in ("A monté le bras.", "A tenu le journal.", "Atelier complet.", "Atelier robotique"):
            assert noted not in text, "a summary until its holder shows more"
    shown = evidence_in(app, done, DisclosedContent.ALL)
    assert len(shown) == 2
    for text in shown.values():
        assert ("A monté le bras." in text) != ("A tenu le journal." in text)
        assert "Atelier complet." in text
        assert "Atelier robotique" in text


def test_a_note_taken_away_where_it_is_needed_holds_everything_back(
    app: App, trainer: TestClient, award: str
):
    table = "Nom;Prénom;Courriel;Contribution\nMARTIN;Zoé;zoe@exemple.fr;Guide des nouveaux\n"
    page = preview(trainer, award, app.role, liste=table)
    form = form_with(page, "cle")
    (note,) = notes(form)
    again = form.fill(**{note: ""}).press(trainer, page, GIVE)
    assert "Rien n’a encore été attribué" in again.text
    assert awards_given(app) == 0


def badge_in(page: Response) -> str:
    return page.text.partition("Voir le badge tel qu’il sera reçu")[2].partition("</details>")[0]


def test_the_preview_shows_the_badge_as_it_will_be_received(app: App, trainer: TestClient, award: str):
    """Signed at first: a summary, and a sentence that explains who decides on more."""
    page = preview(trainer, award, app.presence, liste=TWO, preuve="Chaque robot a suivi la ligne.")
    shown = badge_in(page)
    for words in (
        "Zoé Martin",
        app.presence.version.description,
        "a pris sa part de l’activité",
        "Participation à une activité du campus",
        "Rôle\u00a0: apprenant, 3 h, le 24 novembre 2026",
        "Elle peut choisir de les montrer",
    ):
        assert words in shown
    for words in ("Atelier robotique", "VRAI, Le Creusot", "Chaque robot a suivi la ligne."):
        assert words not in shown
    assert awards_given(app) == 0


@pytest.mark.parametrize("recorded", [False, True])
def test_the_preview_for_a_pupil_shows_no_more_than_will_be_signed(
    app: App, trainer: TestClient, recorded: bool
):
    with app.unit_of_work() as services:
        activity = Activity(
            kind=ActivityKind.WORKSHOP,
            title="Atelier robotique",
            starts_on=app.activity.starts_on,
            ends_on=app.activity.ends_on,
            place="VRAI, Le Creusot",
            hours=3,
            audience="Lycéens",
        )
        services.activities.create(activity, [app.campus], by=COMMAND)
        if recorded:
            services.activities.record(app.campus, activity.id, listed(*TWO.split("\n")), by=COMMAND)
        award = f"/gestion/itip/activites/{activity.id}/attribuer"
    page = preview(trainer, award, app.presence, **({"qui": "tous"} if recorded else {"liste": TWO}))
    shown = badge_in(page)
    assert "Aucun nom dans ce badge" in shown
    assert "La personne n’en montre que l’existence" in shown
    for words in ("Zoé Martin", "Paul Durand", "Rôle\u00a0: apprenant", "Atelier robotique"):
        assert words not in shown
    done = form_with(page, "cle").press(trainer, page, GIVE)
    for text in evidence_in(app, done).values():
        assert "La personne n’en montre que l’existence" in text
        for words in ("Martin", "Durand", "Rôle\u00a0: apprenant", "Atelier robotique"):
            assert words not in text


def test_who_has_the_badge_already_is_shown_how_often_it_is_given(app: App, trainer: TestClient, award: str):
    app.award(*TWO.split("\n"))
    page = preview(trainer, award, app.presence, liste=TWO)
    assert "qui est donné une seule fois par personne" in page.text
    form = form_with(page, "cle")
    done = trainer.post(award, data={**form.fields, "geste": "attribuer"})
    assert {outcome for _, outcome in outcomes(app, done)} == {LineOutcome.ALREADY_HELD}


def test_a_note_too_long_keeps_back_its_own_line_and_not_those_that_are_ready(
    app: App, trainer: TestClient, award: str
):
    app.record(*TWO.split("\n"))
    page = preview(trainer, award, app.role, qui="tous")
    paul, zoe = notes(form_with(page, "cle"))
    filled = form_with(page, "cle").fill(**{paul: "x" * 1200, zoe: "A tenu le journal."})
    shown = filled.press(trainer, page, ("geste", "apercu"))
    assert "tient en 1" in shown.text

    done = form_with(shown, "cle").press(trainer, shown, GIVE)

    assert sorted(outcomes(app, done)) == [
        ("Paul Durand", LineOutcome.MISSING_EVIDENCE),
        ("Zoé Martin", LineOutcome.AWARDED),
    ]


def test_a_note_too_long_is_shown_before_anything_is_given(app: App, trainer: TestClient, award: str):
    app.record(*TWO.split("\n"))
    page = preview(trainer, award, app.presence, qui="tous")
    form = form_with(page, "cle")
    form.fill(**{notes(form)[0]: "x" * 1200})
    for _ in range(2):
        page = form.press(trainer, page, GIVE)
        assert "tient en 1" in page.text
        form = form_with(page, "cle")
    assert awards_given(app) == 0


def test_two_of_one_name_stay_two_when_their_lines_are_corrected_on_screen_or_in_the_file(
    app: App, trainer: TestClient, award: str
):
    app.record("MOREAU Camille", "MOREAU Camille (2)", "DURAND Paul; paul@exemple.fr")
    page = preview(trainer, award, app.role, qui="tous")
    form = form_with(page, "cle")
    form.fill(**{notes(form)[0]: "A tenu le journal."})
    checked = form.press(trainer, page, ("geste", "apercu"))
    done = form_with(checked, "cle").press(trainer, checked, GIVE)
    result = trainer.get(done.headers["location"])
    assert "Camille Moreau (2)" in result.text

    answer = trainer.get(f"{done.headers['location']}/refus.csv")
    table = answer.content
    assert [row[:2] for row in rows_of(answer)[1:]] == [["Moreau (1)", "Camille"], ["Moreau (2)", "Camille"]]
    table = table.replace(b";apprenant;;", ";apprenant;A réglé la machine.;".encode())
    dropped = preview(trainer, award, app.role, table=table)
    assert counts(dropped)["Prêtes"] == 2

    again = form_with(result, "personne")
    shown = again.press(trainer, result)
    first, second = notes(form_with(shown, "cle"))
    filled = form_with(shown, "cle").fill(**{first: "A réglé la machine.", second: "A dessiné."})
    assessed = filled.press(trainer, shown, ("geste", "apercu"))
    assert counts(assessed)["Prêtes"] == 2
