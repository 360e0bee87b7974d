"""Another name is asked for by whoever holds the badges, and refused in the browser with a reason."""

from __future__ import annotations

from tests.app.web.accounts.test_learner_account import ask_for_letter, enter
from tests.support.app import App
from tests.support.forms import form_with

WISHES = "/gestion/itip/repertoire/noms"


def test_a_refusal_needs_a_reason_and_its_person_reads_it(app: App):
    app.award("Zoe N'Diaye; zoe@exemple.fr")
    learner, admin = app.client(), app.client(app.admin)
    enter(learner, *ask_for_letter(app, learner, "zoe@exemple.fr"))
    page = learner.get("/compte/nom")
    asked = form_with(page, "motif").fill(prenom="Zoé", nom="Durand", motif="Nom d’usage.")
    assert asked.press(learner, page).status_code == 303

    page = admin.get(WISHES)
    refused = form_with(page, "raison").fill(raison="Non.", reponse="non")
    again = refused.press(admin, page)
    assert again.status_code == 422
    assert "Dites pourquoi" in again.text
    assert form_with(again, "raison").fields["raison"][0].strip() == "Non."

    corrected = form_with(again, "raison").fill(raison="Passez nous voir avec une pièce.", reponse="non")
    assert corrected.press(admin, again).status_code == 303
    assert "Aucune demande en attente" in admin.get(WISHES).text
    assert "« Passez nous voir avec une pièce. »" in learner.get("/compte/nom").text.replace("\xa0", " ")


def test_a_name_corrected_by_the_campus_says_what_became_of_the_badges(app: App):
    result = app.award("Zoe N'Diaye; zoe@exemple.fr")
    award_id = result.lines[0].award_id
    assert award_id
    with app.unit_of_work(reading=True) as services:
        person_id = services.awards.record(award_id).person.id
    admin = app.client(app.admin)
    page = admin.get(f"/gestion/itip/repertoire/{person_id}/corriger")
    done = form_with(page, "prenom").fill(prenom="Zoé").press(admin, page)
    shown = admin.get(done.headers["location"]).text
    assert "Le nom est corrigé." in shown
    assert "<h1>Zoé N" in shown
