"""Actions on lines chosen in the registers of activities and people: confirmed once, done once, skips explained."""

from __future__ import annotations

import io
import re
from datetime import date
from uuid import UUID

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from pypdf import PdfReader

from app.domain.activities import Activity, ActivityCampus, ActivityKind
from tests.support.app import COMMAND, App, send
from tests.support.forms import form_with

ACTIVITIES, PEOPLE = "/gestion/itip/activites", "/gestion/itip/repertoire"


@pytest.fixture
def trainer(app: App) -> TestClient:
    return app.client(app.trainer)


@pytest.fixture
def second(app: App) -> UUID:
    """Another activity of the campus, on the day after."""
    with app.unit_of_work() as services:
        on = date(2026, 11, 25)
        activity = Activity(kind=ActivityKind.WORKSHOP, title="Soudure", starts_on=on, ends_on=on)
        return services.activities.create(activity, [app.campus], by=COMMAND).id


def choose(client: TestClient, register: str, action: str, *ids: object, **more: str) -> Response:
    data = {"geste": action, "choix": [str(each) for each in ids], **more}
    return send(client, f"{register}/choix", data, seen_on=register)


def people_of(app: App, activity_id: UUID) -> dict[str, tuple[UUID, bool, str]]:
    with app.unit_of_work(reading=True) as services:
        listed = services.stores.activities.participants(activity_id, with_absent=True)
        return {person.given_name: (person.id, part.is_present, part.contribution) for part, person in listed}


def test_a_closed_activity_waits_for_no_badge_until_it_is_reopened(app: App, second: UUID):
    app.record("MARTIN Zoé")
    app.clock.move(days=2)
    trainer = app.client(app.trainer)
    waiting = f"{ACTIVITIES}?etat=finie&badge=sans"
    assert "Atelier robotique" in trainer.get(waiting).text
    assert "est finie, sans badge" in trainer.get("/gestion/itip").text
    made = choose(trainer, ACTIVITIES, "classer", app.activity.id, second)
    asked = trainer.get(made.headers["location"])
    assert "2 activités à clore" in asked.text.replace("\u00a0", " ")
    done = send(trainer, made.headers["location"], seen_on=made.headers["location"])
    assert done.status_code == 303
    assert "2 activités closes" in trainer.get(done.headers["location"]).text.replace("\u00a0", " ")
    assert "Atelier robotique" not in trainer.get(waiting).text
    assert "est finie, sans badge" not in trainer.get("/gestion/itip").text
    closed = trainer.get(f"{ACTIVITIES}?etat=classee").text
    assert "Atelier, close" in closed
    again = choose(trainer, ACTIVITIES, "rouvrir", app.activity.id)
    send(trainer, again.headers["location"], seen_on=again.headers["location"])
    assert "Atelier robotique" in trainer.get(waiting).text
    history = app.client(app.admin).get("/gestion/itip/historique").text
    assert "Activité close" in history
    assert "Activité rouverte" in history


def test_chosen_activities_are_exported_and_their_sheets_printed(app: App, trainer: TestClient, second: UUID):
    app.record("MARTIN Zoé")
    table = choose(trainer, ACTIVITIES, "csv", second, requete="?colonne=titre")
    assert table.content.decode("utf-8-sig").splitlines() == ["Titre;Type", "Soudure;Atelier"]
    book = choose(trainer, ACTIVITIES, "xlsx", tous="oui", requete="")
    assert book.content[:2] == b"PK"
    sheets = choose(trainer, ACTIVITIES, "feuilles", app.activity.id, second)
    assert sheets.headers["content-type"] == "application/pdf"
    text = "\n".join(each.extract_text() for each in PdfReader(io.BytesIO(sheets.content)).pages)
    assert "Soudure" in text
    assert "MARTIN Zoé".casefold() in text.casefold()
    for action in ("classer", "autre"):
        assert choose(trainer, ACTIVITIES, action).status_code == 422, "nothing is ticked"
    assert choose(trainer, ACTIVITIES, "autre", second).status_code == 422


def test_a_refused_choice_shows_the_list_again_with_its_filters_and_ticks(
    app: App, trainer: TestClient, second: UUID
):
    refused = choose(trainer, ACTIVITIES, "autre", second, requete="?q=soudure&tri=titre")
    assert refused.status_code == 422
    assert 'href="#choix"' in refused.text
    assert re.search(rf'value="{second}" checked', refused.text)
    assert "Atelier robotique" not in refused.text
    assert f'<form role="search" action="{ACTIVITIES}"' in refused.text
    assert f'href="{ACTIVITIES}?q=soudure&amp;tri=-titre"' in refused.text
    assert 'href="?' not in refused.text, "not at the address of the list"
    whole = choose(trainer, ACTIVITIES, "autre", tous="oui", requete="?etat=ailleurs")
    assert "n’a pas ce choix" in whole.text


def test_chosen_people_are_added_to_an_activity_and_names_are_exported_by_few(
    app: App, trainer: TestClient, second: UUID
):
    app.record("MARTIN Zoé;zoe@exemple.fr", "AZUR Bob")
    ids = [person_id for person_id, _, _ in people_of(app, app.activity.id).values()]
    assert choose(trainer, PEOPLE, "csv", *ids).status_code == 422, "only those who export"
    table = choose(app.client(app.admin), PEOPLE, "csv", ids[0], requete="?colonne=nom")
    assert len(table.content.decode("utf-8-sig").splitlines()) == 2
    made = choose(trainer, PEOPLE, "ajouter", *ids)
    asked = trainer.get(made.headers["location"])
    wrong = form_with(asked, "vers").press(trainer, asked)
    assert wrong.status_code == 422
    assert "Choisissez une activité" in wrong.text
    done = form_with(asked, "vers").fill(vers=str(second)).press(trainer, asked)
    assert done.headers["location"] == f"{ACTIVITIES}/{second}?ajoutees=2&connues=0"
    assert {name: there for name, (_, there, _) in people_of(app, second).items()} == {
        "Zoé": True, "Bob": True,
    }  # fmt: skip


def test_people_move_to_another_activity_unless_a_badge_names_the_first(
    app: App, trainer: TestClient, second: UUID
):
    app.award("ÉCRIN Ola;ola@exemple.fr")
    app.record("Nom;Prénom;Contribution", "MARTIN;Zoé;Guide")
    there = people_of(app, app.activity.id)
    made = choose(trainer, PEOPLE, "deplacer", *(person_id for person_id, _, _ in there.values()))
    asked = trainer.get(made.headers["location"])
    typed = {"de": str(app.activity.id), "vers": str(second), "motif": ""}
    silent = form_with(asked, "vers").fill(**typed).press(trainer, asked)
    assert silent.status_code == 422
    assert "le motif reste au journal" in silent.text
    same = (
        form_with(asked, "vers")
        .fill(**{**typed, "vers": typed["de"], "motif": "Erreur."})
        .press(trainer, asked)
    )
    assert same.status_code == 422
    done = form_with(asked, "vers").fill(**{**typed, "motif": "Mauvais atelier."}).press(trainer, asked)
    assert done.status_code == 303
    shown = trainer.get(done.headers["location"]).text.replace("\u00a0", " ")
    assert "1 personne déplacée" in shown
    assert "1 personne reste" in shown
    before, after = people_of(app, app.activity.id), people_of(app, second)
    assert {name: here for name, (_, here, _) in before.items()} == {"Ola": True, "Zoé": False}
    assert {name: (here, words) for name, (_, here, words) in after.items()} == {"Zoé": (True, "Guide")}
    assert "Mauvais atelier." in trainer.get(f"{ACTIVITIES}/{app.activity.id}/journal").text


def test_who_holds_a_badge_of_any_organiser_stays_in_its_activity(app: App, second: UUID):
    given = app.award("ÉCRIN Ola;ola@exemple.fr")
    with app.unit_of_work() as services:
        shared = [
            ActivityCampus(
                activity_id=each, campus_id=app.other_campus.id, position=1, accepted_at=app.clock()
            )
            for each in (app.activity.id, second)
        ]
        services.stores.session.add_all(shared)
        person = services.awards.record(given.lines[0].award_id).person
    with app.unit_of_work(reading=True) as services:
        found = services.participants.movable(app.other_campus, app.activity.id, second, [person.id])
    assert (found.ready, [each.id for each in found.held]) == ([], [person.id])


def test_people_are_reminded_of_what_they_did_not_claim(app: App):
    app.award("ÉCRIN Zoé;zoe@exemple.fr")
    app.record("AZUR Bob")
    app.clock.move(days=2)
    trainer = app.client(app.trainer)
    there = people_of(app, app.activity.id)
    made = choose(trainer, PEOPLE, "relancer", there["Zoé"][0], there["Bob"][0])
    assert made.headers["location"].startswith("/gestion/itip/attributions/choix/")
    assert "1 personne recevra un e-mail" in trainer.get(made.headers["location"]).text.replace("\u00a0", " ")
    nothing = choose(trainer, PEOPLE, "relancer", there["Bob"][0])
    assert nothing.status_code == 422
    assert "aucun badge à récupérer" in nothing.text


def test_nothing_of_another_campus_is_chosen(app: App, trainer: TestClient, second: UUID):
    app.record("MARTIN Zoé")
    stranger = app.client(app.stranger)
    made = choose(trainer, ACTIVITIES, "classer", second)
    assert stranger.get(made.headers["location"]).status_code in (403, 404)
    theirs = made.headers["location"].replace("/itip/", "/agt/")
    assert stranger.get(theirs).status_code == 404
