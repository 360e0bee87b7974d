"""Pupils: nothing of them is opened, named, found by search or offered elsewhere without the consent the law asks for."""

from __future__ import annotations

import re
import uuid
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import Activity, ActivityKind, is_of_pupils
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup
from app.domain.people.consents import ParentNeeded, parent_token
from app.errors import NotAllowed
from app.services.awards.awards import AwardRequest
from sceau_credentials.values import parse_json_object
from tests.support.app import COMMAND, App, listed, send

SCHOOL = "Collège Anne-Frank"


def given_to_a_pupil(app: App, audience: str = "Classe de quatrième, collégiens") -> uuid.UUID:
    with app.unit_of_work() as services:
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.WORKSHOP, title="Visite de la 4e B", place=SCHOOL, audience=audience,
                starts_on=date(2026, 11, 20), ends_on=date(2026, 11, 20), hours=3,
            ),
            [app.campus], by=COMMAND,
        )  # fmt: skip
        request = AwardRequest(
            app.role.badge.id, activity.id, lines=listed("MARTIN Zoé;zoe@exemple.fr"),
            evidence="Une élève de quatrième attentive.", tells=False,
        )  # fmt: skip
        (line,) = services.awards.award(app.campus, request, by=Actor(app.trainer.id)).lines
        assert line.award_id is not None
        return line.award_id


def note(app: App, award_id: uuid.UUID, group: AgeGroup) -> None:
    with app.unit_of_work() as services:
        person_id = services.awards.record(award_id).person.id
        services.guardians.set_age_group(app.campus, person_id, group, by=COMMAND)


def open_page(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)


@pytest.mark.parametrize(
    "audience", ["Collégiens", "lycéens, étudiants", "Élèves de CAP", "3e", "High school pupils"]
)
def test_an_audience_of_pupils_is_recognised(audience: str) -> None:
    assert is_of_pupils(audience)


@pytest.mark.parametrize(
    "audience", ["", "Étudiants", "Salariés", "Demandeurs d’emploi", "Enseignants", "Tous publics", "Élèves ingénieurs",
                 "Personnes du 3e âge"]
)  # fmt: skip
def test_an_audience_of_adults_asks_no_age_group(audience: str) -> None:
    assert not is_of_pupils(audience)


@given(st.text(max_size=60))
def test_any_text_is_an_audience(text: str) -> None:
    assert is_of_pupils(text) in (True, False)


def test_a_pupil_of_unknown_age_counts_as_a_minor_until_the_campus_answers(app: App) -> None:
    award_id = given_to_a_pupil(app)
    with pytest.raises(ParentNeeded):
        open_page(app, award_id)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        assert record.award.holder_name is None
        with pytest.raises(ParentNeeded):
            services.awards.set_findable(award_id, True, by=COMMAND)
        with pytest.raises(NotAllowed):
            services.reissuing.choose_name(record.award, True, name=record.person.name, by=COMMAND)
        activity_id = record.award.activity_id
        assert activity_id is not None
    trainer = app.client(app.trainer)
    page = f"/gestion/itip/activites/{activity_id}"
    assert "Non notée : 1." in trainer.get(page).text.replace("\u00a0", " ")
    assert send(trainer, f"{page}/ages", {"age": "plus"}, seen_on=page).status_code == 303
    open_page(app, award_id)


def test_the_signed_badge_and_page_of_a_minor_contain_no_class_school_or_comment(app: App) -> None:
    award_id = given_to_a_pupil(app)
    note(app, award_id, AgeGroup.FROM_15)
    open_page(app, award_id)
    reader = app.client()
    for accept in ("text/html", "application/json"):
        text = reader.get(f"/attributions/{award_id}", headers={"accept": accept}).text
        for hidden in (SCHOOL, "4e B", "quatrième", "collégien", "Martin", "attentive", "audience"):
            assert hidden not in text, (accept, hidden)


def test_a_learner_under_15_is_offered_neither_opening_nor_a_name_nor_linkedin(app: App) -> None:
    award_id = given_to_a_pupil(app)
    note(app, award_id, AgeGroup.UNDER_15)
    with app.unit_of_work(reading=True) as services:
        token = services.people.private_link_token(
            award_id, services.awards.record(award_id).award.link_generation
        )
    learner = app.client()
    learner.get(f"/recevoir/{token}")
    mine = f"/mes-badges/{award_id}"
    pages = [
        learner.get(f"{mine}{panel}").text for panel in ("", "/montrer", "/partager", "/confidentialite")
    ]
    page = "".join(pages)
    assert "linkedin.com" not in page
    assert 'value="ouvert"' not in page
    assert "/nom-du-badge" not in page
    assert "Pour l’ouvrir, il faut l’accord d’un parent" in page.replace("'", "’")


def test_a_child_is_recognised_by_no_address(app: App) -> None:
    """Neither compared on the page, nor as a hash in the 2.0 rendition; what was allowed before the age was noted ends."""
    award_id = given_to_a_pupil(app, audience="Adultes")
    with app.unit_of_work() as services:
        services.awards.answer_checks(award_id, True, by=COMMAND)
        services.awards.say_address(award_id, "zoe@exemple.fr", by=COMMAND)
    reader, place = app.client(), f"/attributions/{award_id}"
    open_page(app, award_id)
    assert 'name="adresse"' in reader.get(f"{place}/personne").text
    assert "sha256$" in reader.get(f"/ob2{place}").text
    note(app, award_id, AgeGroup.UNDER_15)
    with app.unit_of_work() as services:
        agreement = services.guardians.ask(services.awards.record(award_id), "parent@exemple.fr", by=COMMAND)
        services.guardians.answer(parent_token(services.guardians.secret, agreement.id), agreed=True)
    open_page(app, award_id)
    assert 'name="adresse"' not in reader.get(f"{place}/personne").text
    compared = send(reader, f"{place}/personne/adresse", {"adresse": "zoe@exemple.fr"}, seen_on="/verifier")
    assert (compared.status_code, "une adresse du titulaire" in compared.text) == (403, False)
    assert "sha256$" not in reader.get(f"/ob2{place}").text
    with app.unit_of_work() as services:
        services.awards.answer_checks(award_id, False, by=COMMAND)
        services.awards.say_address(award_id, "", by=COMMAND)
        with pytest.raises(NotAllowed):
            services.awards.answer_checks(award_id, True, by=COMMAND)
        with pytest.raises(NotAllowed):
            services.awards.say_address(award_id, "zoe@exemple.fr", by=COMMAND)


def test_the_guardians_page_is_what_everybody_would_read(app: App) -> None:
    award_id = given_to_a_pupil(app)
    note(app, award_id, AgeGroup.UNDER_15)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        agreement = services.guardians.ask(record, "parent@exemple.fr", by=COMMAND)
        link = f"/parent/{parent_token(services.guardians.secret, agreement.id)}"
    parent = app.client()
    asked, whole = parent.get(link).text, parent.get(f"{link}/page").text
    assert "ni nom, ni adresse, ni âge, ni classe, ni école" in asked
    for hidden in (SCHOOL, "4e B", "quatrième", "Martin", "attentive"):
        assert hidden not in asked
        assert hidden not in whole
    assert send(parent, link, {"reponse": "oui"}).status_code == 303
    open_page(app, award_id)
    page = app.client().get(f"/attributions/{award_id}").text
    more = {line for line in body(whole) - body(page) if '="/verifier' not in line}
    assert more == set(), "a link to verify another badge is all that it has more"
    assert "Vérifier ailleurs" in " ".join(body(page) - body(whole)), "only where to verify it is left out"
    assert send(parent, link, {"reponse": "non"}).status_code == 303
    assert app.client().get(f"/attributions/{award_id}").status_code == 403


def body(page: str) -> set[str]:
    """The lines of the page for its readers, without when it was verified, where to ask again, and the code of its address."""
    main = re.sub(
        r"(<figure[^>]*><img[^>]*>).*</figure>",
        r"\1</figure>",
        page[page.index("<main") : page.index("</main>")],
    )
    main = re.sub(r">\s*<", ">\n<", main)
    return {
        line
        for line in main.splitlines()
        if not any(each in line for each in ("jeton", "attributions", "when", "btn"))
    }


def test_a_badge_of_a_pupil_states_no_audience_in_any_language(app: App) -> None:
    award_id = given_to_a_pupil(app)
    with app.unit_of_work(reading=True) as services:
        document = parse_json_object(services.stores.awards.document_of(award_id).embedded)
    assert all("audience" not in piece for piece in document.get("evidence", []))
    subject = document["credentialSubject"]
    assert not {"activityStartDate", "activityEndDate", "role", "identifier"} & set(subject)
