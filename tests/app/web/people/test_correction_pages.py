"""Corrections from the activity, the result and the person's page; refused with a reason."""

from __future__ import annotations

import re
import uuid

from app.domain.activities import Activity, ActivityKind, Plan
from app.domain.campus.audit_log import Actor
from tests.app.web.awards.awarding_steps import give
from tests.support.app import COMMAND, App, listed
from tests.support.forms import form_with


def link_in(text: str, ending: str) -> str:
    """The first link with that ending."""
    before = text.partition(ending)[0] + ending
    return before.rpartition('href="')[2]


def test_trainer_corrects_a_participant_from_the_activity(app: App) -> None:
    app.record("MARTIN Chloe; chloe@gmial.com")
    trainer, activity = app.client(app.trainer), f"/gestion/itip/activites/{app.activity.id}"
    shown = trainer.get(activity).text
    place = f"/gestion/itip/repertoire/participants/{app.activity.id}/"
    start = shown.index(place) + len(place)
    place += shown[start : start + 36]

    page = trainer.get(place)
    done = form_with(page, "prenom").fill(prenom="Chloé", adresse="chloe@gmail.com").press(trainer, page)

    assert done.headers["location"] == f"{activity}?fait=adresse-nom"
    corrected = trainer.get(done.headers["location"]).text
    assert "Aucun badge signé n’affichait l’ancien" in corrected
    assert "Chloé Martin" in corrected
    assert "chloe@gmail.com" in corrected
    assert "gmial" not in corrected


def test_correction_from_the_result_leads_back_to_it_with_the_new_name(app: App) -> None:
    trainer = app.client(app.trainer)
    award = f"/gestion/itip/activites/{app.activity.id}/attribuer"
    result = give(app, trainer, award, table="Nom;Prénom;Courriel\nMARTIN;Chloe;chloe@exemple.fr\n".encode())
    page = trainer.get(link_in(trainer.get(result).text, f"?lot={result.rpartition('/')[2]}"))

    done = form_with(page, "prenom").fill(prenom="Chloé").press(trainer, page)

    assert done.headers["location"].startswith(result)
    shown = trainer.get(done.headers["location"]).text
    assert "Chloé Martin" in shown
    assert "signés de nouveau" in shown


def test_participants_of_another_trainers_activity_are_refused_with_a_reason(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    with app.unit_of_work() as services:
        person_id = services.activities.page(app.campus, app.activity.id).participants[0][1].id
        services.stores.session.connection().exec_driver_sql("UPDATE participation SET recorded_by = NULL")
        activity = services.activities.get(app.campus, app.activity.id)
        plan = Plan(trainers={app.admin.id})
        services.activity_plans.amend(app.campus, activity.id, activity, plan, by=Actor(app.admin.id))
    place = f"/gestion/itip/repertoire/participants/{app.activity.id}/{person_id}"

    refused = app.client(app.trainer).get(place)

    assert refused.status_code == 403
    assert "vos propres activités" in refused.text
    assert app.client(app.admin).get(place).status_code == 200
    assert app.client(app.stranger).get(place).status_code == 404


def test_person_outside_the_activity_is_not_found(app: App) -> None:
    app.award("MARTIN Chloé; chloe@exemple.fr")
    trainer = app.client(app.trainer)
    for person_id in (app.stranger.id, uuid.uuid4()):
        place = f"/gestion/itip/repertoire/participants/{app.activity.id}/{person_id}"
        assert trainer.get(place).status_code == 404


def test_a_proved_address_shows_why_it_cannot_be_corrected(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    with app.unit_of_work() as services:
        person = services.activities.page(app.campus, app.activity.id).participants[0][1]
        person = services.stores.people.get(person.id)
        services.stores.own_addresses.verify(person, "chloe@exemple.fr", at=app.clock())
    place = f"/gestion/itip/repertoire/participants/{app.activity.id}/{person.id}"

    page = app.client(app.trainer).get(place)

    assert page.status_code == 200
    assert "Elle corrige elle-même son nom et ses adresses" in page.text
    assert 'name="adresse"' not in page.text


def test_a_refusal_does_not_distinguish_an_account_from_a_person_known_elsewhere(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr", "KOUASSI Aminata; aminata@exemple.fr")
    with app.unit_of_work() as services:
        people = [person for _, person in services.activities.page(app.campus, app.activity.id).participants]
        for person in people:
            if person.given_name == "Aminata":
                services.stores.own_addresses.verify(person, "aminata@exemple.fr", at=app.clock())
        day = app.clock().date()
        result = Activity(
            kind=ActivityKind.WORKSHOP, title="Ailleurs", starts_on=day, ends_on=day, created_at=app.clock()
        )
        elsewhere = services.activities.create(result, [app.other_campus], by=COMMAND)
        services.activities.record(
            app.other_campus, elsewhere.id, listed("MARTIN Chloé; chloe@exemple.fr"), by=COMMAND
        )
    with app.unit_of_work(reading=True) as services:
        said = {str(services.corrections.find(app.campus, person.id).refusal) for person in people}
    assert len(said) == 1
    assert said != {"None"}


def test_address_of_another_person_of_the_campus_is_asked_about_before_anything_is_sent(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr", "KOUASSI Aminata; aminata@exemple.fr")
    trainer, place = app.client(app.trainer), correction_of(app, "Chloé Martin")
    page = trainer.get(place)

    asked = form_with(page, "prenom").fill(adresse="aminata@exemple.fr").press(trainer, page)

    assert asked.status_code == 409
    assert "Cette adresse est déjà celle d’Aminata Kouassi" in asked.text
    assert not any(letter.to == "aminata@exemple.fr" for letter in app.letters.letters)
    done = form_with(asked, "prenom").fill(partagee="oui").press(trainer, asked)
    assert done.headers["location"].endswith("?fait=adresse")


def test_an_unchanged_correction_reports_that_nothing_changed(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    trainer, place = app.client(app.trainer), correction_of(app, "Chloé Martin")
    page = trainer.get(place)
    done = form_with(page, "prenom").press(trainer, page)
    assert "Rien n’a changé." in trainer.get(done.headers["location"]).text


def correction_of(app: App, name: str) -> str:
    with app.unit_of_work(reading=True) as services:
        people = {
            person.name: person.id
            for _, person in services.activities.page(app.campus, app.activity.id).participants
        }
    return f"/gestion/itip/repertoire/participants/{app.activity.id}/{people[name]}"


def test_refused_correction_leads_to_its_field_and_keeps_what_was_typed(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    trainer, place = app.client(app.trainer), correction_place(app)
    for field, typed, sentence in (
        ("prenom", "https://exemple.org/chloe", "Une adresse n’est pas un nom"),
        ("nom", "martin@exemple.fr", "Une adresse n’est pas un nom"),
        ("adresse", "chloe@@exemple", "prenom.nom@lycee.fr"),
    ):
        page = trainer.get(place)
        refused = form_with(page, "prenom").fill(**{field: typed}).press(trainer, page)

        assert refused.status_code == 422, field
        assert f'href="#{field}"' in refused.text
        assert f'id="{field}-erreur"' in refused.text
        assert sentence in refused.text
        assert f'value="{typed}"' in refused.text


def test_correction_written_meanwhile_keeps_what_was_typed(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    trainer, place = app.client(app.trainer), correction_place(app)
    earlier = trainer.get(place)
    form_with(earlier, "prenom").fill(nom="Marlin").press(trainer, earlier)

    refused = form_with(earlier, "prenom").fill(nom="Martineau").press(trainer, earlier)

    assert refused.status_code == 409
    assert form_with(refused, "prenom").fields["nom"] == ["Martineau"]
    assert re.search(r"Actuellement.: Marlin", refused.text)


def correction_place(app: App) -> str:
    with app.unit_of_work() as services:
        person_id = services.activities.page(app.campus, app.activity.id).participants[0][1].id
    return f"/gestion/itip/repertoire/participants/{app.activity.id}/{person_id}"


def test_exchanged_name_is_asked_about_and_the_present_one_is_not(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    trainer, activity = app.client(app.trainer), f"/gestion/itip/activites/{app.activity.id}"
    place = correction_place(app)
    page = trainer.get(place)
    asked = form_with(page, "prenom").fill(prenom="Martin", nom="Chloé").press(trainer, page)
    assert asked.status_code == 422
    assert re.search(r"autofocus>(?s:.)*bon ordre", asked.text), "a long form opens at the question"
    (retain,) = (each for each in form_with(asked, "prenom").buttons if each[1].startswith("garder"))
    assert form_with(asked, "prenom").press(trainer, asked, retain).status_code == 303
    assert "Martin Chloé" in trainer.get(activity).text

    page = trainer.get(place)
    done = form_with(page, "prenom").fill(adresse="chloe.martin@exemple.fr").press(trainer, page)

    assert done.headers["location"] == f"{activity}?fait=adresse"


def test_corrected_address_is_asked_about_and_the_present_one_is_not(app: App) -> None:
    app.record("MARTIN Chloé; chloe@gmial.com")
    trainer, activity = app.client(app.trainer), f"/gestion/itip/activites/{app.activity.id}"
    shown = trainer.get(activity).text
    place = f"/gestion/itip/repertoire/participants/{app.activity.id}/"
    start = shown.index(place) + len(place)
    place += shown[start : start + 36]
    page = trainer.get(place)
    named = form_with(page, "prenom").fill(prenom="Chloë").press(trainer, page)
    assert named.headers["location"] == f"{activity}?fait=nom"

    page = trainer.get(place)
    asked = form_with(page, "prenom").fill(adresse="chloe@gmali.com").press(trainer, page)

    assert asked.status_code == 422
    assert "chloe@gmail.com" in asked.text
    (retain,) = (each for each in form_with(asked, "prenom").buttons if each[1].startswith("garder"))
    done = form_with(asked, "prenom").press(trainer, asked, retain)
    assert done.headers["location"] == f"{activity}?fait=adresse"


def test_every_fault_of_a_correction_is_shown_at_once(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    for client, place in (
        (app.client(app.trainer), correction_place(app)),
        (app.client(app.admin), f"/gestion/itip/repertoire/{correction_place(app)[-36:]}/corriger"),
    ):
        page = client.get(place)
        wrong = {"prenom": "https://exemple.org", "nom": "", "adresse": "chloe@@exemple"}
        refused = form_with(page, "prenom").fill(**wrong).press(client, page)
        assert refused.status_code == 422
        assert re.findall(r'<li><a href="#([^"]+)">', refused.text) == ["prenom", "nom", "adresse"]
        for field, typed in wrong.items():
            assert f'id="{field}-erreur"' in refused.text
            assert form_with(refused, "prenom").fields[field] == [typed]


def test_faults_of_a_correction_are_shown_beside_its_doubt(app: App) -> None:
    app.record("MARTIN Chloé; chloe@exemple.fr")
    trainer, place = app.client(app.trainer), correction_place(app)
    page = trainer.get(place)
    refused = form_with(page, "prenom").fill(nom="", adresse="chloe@gmial.com").press(trainer, page)
    assert re.findall(r'<li><a href="#([^"]+)">', refused.text) == ["nom"]
    assert "Cette adresse est-elle bien écrite" in refused.text
