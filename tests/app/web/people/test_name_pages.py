"""A name change is requested by the holder of the badges, and refused in the browser with a reason."""

from __future__ import annotations

import html
import re
import uuid
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.people import Person
from app.domain.people.consents import tells_of, text_names
from app.services.awards.awards import AwardRequest
from tests.app.web.accounts.test_learner_account import ask_for_letter, enter
from tests.support.app import COMMAND, App, send
from tests.support.badges.endorsed import recommended_by_peer
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


def test_a_name_corrected_by_the_campus_reports_the_result_for_the_badges(app: App):
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


def named_badge(
    app: App, contribution: str = "", evidence: str = "Un travail soigné."
) -> tuple[uuid.UUID, TestClient]:
    """An open badge of Zoé Martin that shows all its evidence, and her browser."""
    line = ListedPerson(1, "Zoé", "Martin", "zoe@exemple.fr", contribution=contribution)
    request = AwardRequest(app.role.badge.id, app.activity.id, lines=(line,), evidence=evidence, tells=False)
    with app.unit_of_work() as services:
        result = services.awards.award(app.campus, request, by=Actor(app.trainer.id))
        award_id = result.lines[0].award_id
        assert award_id is not None
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        row = services.evidence.find(award_id)
        assert row is not None
        chosen = dict.fromkeys(row.entries, DisclosedContent.ALL)
        services.log_disputes.show(app.campus, award_id, chosen, by=COMMAND)
    learner = app.client()
    learner.get(app.private_link(result))
    return award_id, learner


def without_name(learner: TestClient, award_id: uuid.UUID) -> str:
    """The page after the name was removed."""
    privacy = f"/mes-badges/{award_id}/confidentialite"
    done = send(learner, f"/mes-badges/{award_id}/nom-du-badge", {"vue": "sans"}, seen_on=privacy)
    return text_of(learner, done.headers["location"])


def text_of(client: TestClient, path: str) -> str:
    return html.unescape(client.get(path).text).replace("\xa0", " ")


IS_GONE = "C’est fait : ce badge ne dit plus votre nom."
IS_LEFT = "Votre nom se lit encore sur sa page"


@pytest.mark.parametrize("where", ["contribution", "evidence", "peer"])
def test_a_holder_who_removes_their_name_is_shown_the_texts_that_still_contain_it(app: App, where: str):
    words = {"contribution": "", "evidence": "Un travail soigné."} | {where: "Mme Martin a monté le bras."}
    award_id, learner = named_badge(app, words["contribution"], words["evidence"])
    if where == "peer":
        with app.unit_of_work() as services:
            record = services.awards.record(award_id)
            recommended_by_peer(services, record, words="Zoé a monté le bras du robot.")
    shown = without_name(learner, award_id)
    assert IS_GONE not in shown
    assert IS_LEFT in shown
    assert ("Recommandation" if where == "peer" else "Ligne du journal") in shown.partition(IS_LEFT)[2][:200]
    opening = text_of(learner, f"/mes-badges/{award_id}/montrer")
    assert "la page ne dit pas qui a reçu ce badge" not in opening
    assert "il se lit dans un texte plus bas" in opening


@pytest.mark.parametrize(
    ("text", "is_named"),
    [
        ("Un petit robot, monté avec soin.", False),
        ("Petit a monté le robot.", True),
        ("Mme PETIT a monté le robot.", True),
        ("rose petit a monté le robot.", True),
        ("L’équipe de Rose, pas une rose.", True),
        ("Une rose en papier.", False),
        ("Le travail de Mme Le Grand.", True),
        ("Un grand soin.", False),
        ("محمد", False),
    ],
)
def test_a_name_is_found_in_a_text_in_the_usual_spellings(text: str, is_named: bool):
    assert text_names(text, "Rose Petit", "Rose Le Grand", "") is is_named


def test_texts_for_a_child_are_searched_for_a_name_in_letters_of_any_case():
    child = Person(given_name="Rose", family_name="Petit")
    assert tells_of("Un petit robot.", child)
    assert not tells_of("Un robot.", child)


def test_former_name_of_the_award_is_still_named_in_its_texts(app: App):
    award_id, learner = named_badge(app, "Mme Martin a monté le bras.")
    with app.unit_of_work() as services:
        person = services.awards.record(award_id).person
        person.family_name = "Dubois"
        services.stores.people.save(person)
    assert IS_LEFT in without_name(learner, award_id)


def test_a_name_that_no_text_contains_is_absent_from_the_page(app: App):
    award_id, learner = named_badge(app, "A monté le bras.", "Un travail soigné.")
    shown = without_name(learner, award_id)
    assert IS_GONE in shown
    assert IS_LEFT not in shown
    assert "la page ne dit pas qui a reçu ce badge" in text_of(learner, f"/mes-badges/{award_id}/montrer")


def test_an_expired_badge_reports_that_its_file_still_contains_the_name(app: App):
    award_id, learner = named_badge(app)
    with app.unit_of_work() as services:
        award = services.stores.awards.lock(award_id)
        award.valid_until = services.clock() + timedelta(minutes=10)
        services.stores.awards.save(award)
    app.clock.move(minutes=20)
    shown = without_name(learner, award_id)
    assert IS_GONE not in shown
    assert "son fichier garde votre nom" in shown
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(award_id).award.visibility is Visibility.CLOSED


def test_exchanged_name_is_asked_about_before_any_badge_is_signed_again(app: App):
    app.award("Chloe MARTIN; chloe@exemple.fr")
    learner = app.client()
    enter(learner, *ask_for_letter(app, learner, "chloe@exemple.fr"))
    page = learner.get("/compte/nom")
    asked = form_with(page, "motif").fill(prenom="Martin", nom="Chloé").press(learner, page)
    assert asked.status_code == 422
    assert "bon ordre" in asked.text
    (take,) = (each for each in form_with(asked, "motif").buttons if each[1].startswith("corriger"))
    assert form_with(asked, "motif").press(learner, asked, take).status_code == 303
    assert form_with(learner.get("/compte/nom"), "motif").fields["prenom"] == ["Chloé"]

    with_sign = form_with(page, "motif").fill(prenom="Chloé ✔").press(learner, page)

    assert with_sign.status_code == 422
    assert "symbole" in with_sign.text


def test_every_fault_of_ones_own_name_is_shown_at_its_field(app: App):
    app.award("Zoé Martin; zoe@exemple.fr")
    learner = app.client()
    enter(learner, *ask_for_letter(app, learner, "zoe@exemple.fr"))
    for typed, faults in (
        ({"prenom": "Zoé 2", "nom": "", "motif": "Non"}, ["prenom", "nom", "motif"]),
        ({"nom": "Durand", "motif": ""}, ["motif"]),
        ({"motif": "Nom d’usage."}, ["nom"]),
    ):
        page = learner.get("/compte/nom")
        refused = form_with(page, "motif").fill(**typed).press(learner, page)
        assert refused.status_code == 422
        assert re.findall(r'<li><a href="#([^"]+)">', refused.text) == faults
        for field, value in typed.items():
            assert form_with(refused, "motif").fields[field] == [value]
