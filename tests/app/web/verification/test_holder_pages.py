"""An employer checks the identity of the holder and asks the campus, without learning any address."""

from __future__ import annotations

import re
import uuid

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from tests.support.app import App, send
from tests.support.forms import form_with, forms_of

HOLDER = "N’DIAYE;Zoé;zoe@exemple.fr"


@pytest.fixture
def page(app: App) -> str:
    award_id = app.award(HOLDER).lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor.command("tests"))
        services.awards.answer_checks(award_id, True, by=Actor.command("tests"))
    return f"/attributions/{award_id}"


@pytest.fixture
def employer(app: App) -> TestClient:
    return app.client()


def compared(employer: TestClient, page: str, address: str) -> str:
    asked = employer.get(f"{page}/personne")
    return form_with(asked, "adresse").fill(adresse=address).press(employer, asked).text


def test_an_address_is_the_holder_s_or_not_and_no_other_is_shown(employer: TestClient, page: str):
    assert "une adresse du titulaire de ce badge" in compared(employer, page, "Zoe@Exemple.fr")
    other = compared(employer, page, "autre@exemple.fr")
    assert "Ce n’est pas une adresse que le titulaire a confirmée" in other
    assert "zoe@exemple.fr" not in other
    assert "n’est pas complète" in compared(employer, page, "zoe@")


def test_an_address_is_compared_only_while_the_holder_lets_it(app: App, employer: TestClient):
    result = app.award(HOLDER)
    learner, page = app.client(), f"/attributions/{result.lines[0].award_id}"
    mine = learner.get(app.private_link(result)).headers["location"]
    send(learner, f"{mine}/visibilite", {"vue": "ouvert"}, seen_on=mine)
    assert "n’a pas permis de comparer" in employer.get(f"{page}/personne").text
    tried = send(employer, f"{page}/personne/adresse", {"adresse": "zoe@exemple.fr"}, seen_on="/verifier")
    assert tried.status_code == 403
    assert "une adresse du titulaire" not in tried.text
    send(learner, f"{mine}/comparaison", {"comparaison": "oui"}, seen_on=mine)
    assert "une adresse du titulaire de ce badge" in compared(employer, page, "zoe@exemple.fr")
    compared(employer, page, "autre@exemple.fr")
    shown = learner.get(f"{mine}/confidentialite").text
    assert "Adresses comparées (2)" in shown
    assert "autre@exemple.fr" not in shown
    send(learner, f"{mine}/nom-du-badge", {"vue": "sans"}, seen_on=mine)
    assert "n’a pas permis de comparer" in employer.get(f"{page}/personne").text


def test_answer_states_nothing_of_what_the_campus_knows_where_the_holder_proved_an_address(
    app: App, employer: TestClient, page: str
):
    """Only proved addresses are compared then: the campus noted the other, and may not know this one."""
    with app.unit_of_work() as services:
        record = services.awards.record(uuid.UUID(page.rpartition("/")[2]))
        services.stores.people.add_address(record.person, "zoe@maison.example")
        services.own_addresses.own.verify(record.person, "zoe@maison.example", at=app.clock())
    for address in ("zoe@exemple.fr", "zoe@maison.example"):
        answer = compared(employer, page, address)
        assert "connu du campus" not in answer
        assert "campus ne connaît pas" not in answer
        assert "que le campus connaît" not in answer


def test_the_holder_reads_out_the_code_of_the_letter(app: App, employer: TestClient, page: str):
    asked = employer.get(f"{page}/personne")
    waiting = form_with_action(asked, "/personne/code").press(employer, asked)
    assert "zoe@exemple.fr" not in waiting.text
    (letter,) = app.letters.letters
    assert letter.to == "zoe@exemple.fr"
    digits = re.search(r"\b(\d{3}) (\d{3})\b", letter.text)
    form = form_with(waiting, "chiffres")
    wrong = form.fill(chiffres="000 000" if digits[0] != "000 000" else "111 111").press(employer, waiting)
    assert "Ce n’est pas le code" in wrong.text
    right = form_with(wrong, "chiffres").fill(chiffres=digits[0]).press(employer, wrong)
    assert "C’est le bon code" in right.text


def test_a_code_is_valid_for_ten_minutes(app: App, employer: TestClient, page: str):
    asked = employer.get(f"{page}/personne")
    waiting = form_with_action(asked, "/personne/code").press(employer, asked)
    digits = re.search(r"\b(\d{3} \d{3})\b", app.letters.letters[0].text)[1]
    app.clock.move(minutes=10)
    late = form_with(waiting, "chiffres").fill(chiffres=digits).press(employer, waiting)
    assert "a expiré" in late.text


def test_the_campus_is_asked_with_the_badge_attached(app: App, employer: TestClient, page: str):
    asked = employer.get(f"{page}/campus")
    form = form_with(asked, "question").fill(adresse="rh@entreprise.example", question="Est-ce un stage ?")
    assert "Votre message est envoyé" in form.press(employer, asked).text
    (letter,) = app.letters.letters
    assert (letter.to, letter.reply_to) == (app.campus.contact_email, "rh@entreprise.example")
    assert "Est-ce un stage ?" in letter.text
    assert letter.files[0].body.startswith(b"{")


def test_an_empty_question_is_refused_and_the_address_is_retained(app: App, employer: TestClient, page: str):
    asked = employer.get(f"{page}/campus")
    form = form_with(asked, "question").fill(adresse="rh@entreprise.example", question="  ")
    result = form.press(employer, asked)
    assert result.status_code == 422
    assert "rh@entreprise.example" in result.text
    assert 'id="question-erreur"' in result.text
    assert 'id="adresse-erreur"' not in result.text
    asked = form_with(result, "question").fill(adresse="rh@", question="Est-ce un stage ?")
    result = asked.press(employer, result)
    assert 'id="adresse-erreur"' in result.text
    assert "Est-ce un stage ?" in result.text
    assert app.letters.letters == []


def test_both_faults_of_a_question_are_shown_at_their_fields(app: App, employer: TestClient, page: str):
    asked = employer.get(f"{page}/campus")
    result = form_with(asked, "question").fill(adresse="rh@", question=" ").press(employer, asked)
    assert result.status_code == 422
    for field in ("adresse", "question"):
        assert f'id="{field}-erreur"' in result.text
        assert f'href="#{field}"' in result.text
    assert "2 champs sont à corriger" in result.text.replace("\u00a0", " ")


def test_a_closed_page_offers_no_question(app: App, employer: TestClient, page: str):
    with app.unit_of_work() as services:
        award_id = services.addresses.award_named_by(f"{services.addresses.base_url}{page}")
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=Actor.command("tests"))
    for path in ("personne", "campus"):
        assert employer.get(f"{page}/{path}").status_code == 403


def form_with_action(page, ending: str):
    return next(form for form in forms_of(page) if form.action.endswith(ending))
