"""Changes of sign-in methods and sessions with row-level security: logged at every campus of the person, and e-mailed."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from sqlmodel import Session as Transaction
from sqlmodel import select

from app.domain.campus.audit_log import HistoryEntry
from app.domain.people import Role
from app.services.verification.presentations import Possession
from tests.app.services.verification.test_presentations import (
    asked,
    content,
    encrypted,
    presentation,
    request_of,
    sd_jwt,
    view,
)
from tests.app.web.accounts.test_account_pages import answered, is_in, keeper
from tests.app.web.accounts.test_learner_account import ask_for_letter, enter
from tests.app.web.accounts.test_own_addresses import leave
from tests.app.web.learners.test_part_pages import offered, place, plain_text
from tests.app.web.verification.test_presentations import requested
from tests.support.app import COMMAND, build_app, send
from tests.support.databases.engines import temporary_walled
from tests.support.forms import forms_of

pytestmark = pytest.mark.postgres


def test_passkey_reset_is_logged_at_all_campuses_of_the_person(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        with app.unit_of_work() as services:
            services.team.memberships.give(app.other_campus, app.trainer, Role.REVIEWER, by=COMMAND)
        trainer, key = keeper(app, app.trainer)
        admin, path = app.client(app.admin), f"/gestion/itip/equipe/{app.trainer.id}"
        shown = admin.get(path)
        (form,) = [form for form in forms_of(shown) if form.action == f"{path}/cles/retirer"]
        assert form.press(admin, shown).status_code == 303
        assert not is_in(trainer)
        late = app.client()
        assert answered(late, late.get("/connexion"), "/connexion/cle", key).status_code == 401
        with Transaction(app.owner) as everything:
            found = everything.exec(select(HistoryEntry).where(HistoryEntry.action == "reset")).all()
            assert {each.campus_id for each in found} == {app.campus.id, app.other_campus.id}
        leave(app)
        assert sorted(letter.subject for letter in app.letters.letters) == [
            "Une clé d’accès de plus ouvre votre compte",
            "Vos clés d’accès ont été retirées",
        ]
        app.close()


def test_a_password_chosen_on_the_page_and_a_first_address_are_reported(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        client = app.client(app.trainer)
        chosen = {"mot-de-passe": "canard violet sous la pluie"}
        assert send(client, "/compte/mot-de-passe", chosen).status_code == 303
        result = app.award("Zoé Faure; zoe@exemple.fr")
        with app.unit_of_work() as services:
            award = services.awards.record(result.lines[0].award_id)
            services.stores.people.add_address(award.person, "zoe@maison.example")
        learner = app.client()
        (link,) = ask_for_letter(app, learner, "zoe@exemple.fr")
        app.letters.letters.clear()
        enter(learner, link)
        leave(app)
        assert sorted((letter.to, letter.subject) for letter in app.letters.letters) == [
            ("le.goff@exemple.fr", "Votre compte a maintenant un mot de passe"),
            ("zoe@maison.example", "Vos badges ont maintenant un compte"),
        ]
        app.close()


def test_changed_roles_and_removal_from_the_team_are_reported_by_email(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        admin, path = app.client(app.admin), f"/gestion/itip/equipe/{app.trainer.id}"
        shown = admin.get(path)
        (roles,) = [form for form in forms_of(shown) if "role" in form.fields]
        assert roles.fill(role=["trainer", "reviewer"]).press(admin, shown).status_code == 303
        shown = admin.get(path)
        (going,) = [form for form in forms_of(shown) if "certain" in form.fields]
        assert going.fill(certain="oui").press(admin, shown).status_code == 303
        leave(app)
        assert sorted(letter.subject for letter in app.letters.letters) == [
            "Vos rôles dans un campus ont changé",
            "Vous n’êtes plus dans l’équipe d’un campus",
        ]
        app.close()


def test_staff_with_a_passkey_must_use_it_on_pages_without_a_campus(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        keeper(app, app.trainer)
        late = app.client(app.trainer)
        asked = late.get(late.get("/compte/mot-de-passe").headers["location"])
        actions = [form.action for form in forms_of(asked)]
        assert ("/confirmer/cle" in actions, "/confirmer/lien" in actions) == (True, False)
        app.close()


def test_a_closed_badge_returns_403_and_opens_by_its_private_link(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        result = app.award("Zoé Faure; zoe@exemple.fr")
        award_id = result.lines[0].award_id
        with app.unit_of_work(reading=True) as services:
            signed = services.stores.awards.document_of(award_id).embedded
            address, short = services.addresses.award(award_id), services.addresses.short(award_id)
        visitor, public = app.client(), f"/attributions/{award_id}"
        assert visitor.get(public).status_code == 403
        for path in (f"{public}.json", f"{public}.jwt", f"{public}.png", f"/preuves/{award_id}"):
            assert visitor.get(path, headers={"accept": "*/*"}).status_code == 403, path
        assert visitor.get(f"/v/{short.rpartition('/')[2]}").headers["location"].endswith(public)
        assert visitor.get(f"/attributions/{uuid.UUID(int=1)}.json").status_code == 404
        with app.process.visit(reading=True) as services:
            deposited = services.verification.verify(signed)
            assert deposited.campus is not None
            assert deposited.record is not None
            assert services.verification.verify(address).closed
            assert services.awards.record(award_id).award.id == award_id

        learner = app.client()
        opened = learner.get(app.private_link(result))
        assert opened.headers["location"] == f"/mes-badges/{award_id}"
        assert learner.get(f"/mes-badges/{award_id}").status_code == 200
        assert str(award_id) in learner.get("/mes-badges").text
        assert str(award_id) not in visitor.get("/mes-badges").text
        app.close()


def test_the_campus_cannot_read_to_whom_a_closed_badge_was_shown(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        result = app.award("Zoé Faure; zoe@exemple.fr")
        award_id, learner, employer = result.lines[0].award_id, app.client(), app.client()
        learner.get(app.private_link(result, 0))
        here, link = requested(employer)
        assert f'value="{award_id}"' in learner.get(link).text
        assert "Zoé Faure" in learner.get(link, params={"badge": str(award_id)}).text
        assert send(learner, link, {"geste": "montrer", "badge": str(award_id)}).status_code == 303
        seen = employer.get(here).text
        assert "La réponse vient des badges de cette personne" in seen
        assert "Zoé Faure" in seen
        assert "Atelier Nord" in learner.get(f"/mes-badges/{award_id}/confidentialite").text
        with app.process.visit(reading=True, campus_id=app.campus.id) as services:
            assert services.presentations.shown_to(award_id) == []
        wallet = sd_jwt(app, award_id)
        made = asked(app)
        request = request_of(app, made)
        found = content(request, "badge_sd_jwt", presentation(app, wallet, request))
        place = f"/presentations/{made.reference}/reponse"
        assert app.client().post(place, data=encrypted(request, found)).status_code == 200
        assert view(app, made).possession is Possession.WALLET
        assert learner.get(f"/mes-badges/{award_id}/confidentialite").text.count("Atelier Nord") == 2
        with app.unit_of_work(reading=True) as services:
            person_id = services.awards.record(award_id).person.id
        with app.unit_of_work() as services:
            services.erasures.process_chunk(app.campus, person_id, "Demandé.", by=COMMAND)
        with Transaction(app.owner) as everything:
            shown = everything.exec(select(HistoryEntry).where(HistoryEntry.noun == "presentation")).all()
        assert [(each.facts, each.actor_id) for each in shown] == [({}, None)] * 2
        app.close()


def test_learner_sees_which_parts_of_a_badge_were_shown(
    migrated_postgres: str, postgres_server: str, tmp_path: Path
):
    with temporary_walled(postgres_server, migrated_postgres) as url:
        app = build_app(url, tmp_path)
        result = app.award("Zoé Faure; zoe@exemple.fr")
        offered(app, result)
        learner, here = app.client(), place(result)
        learner.get(app.private_link(result, 0))
        assert send(learner, here, {"montre": ["nom"]}).status_code == 200
        page = plain_text(learner.get(here).text)
        assert ": le nom de la personne" in page
        app.close()
