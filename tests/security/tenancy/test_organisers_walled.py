"""With row-level security, a request about an activity reaches another campus only if that campus co-organises it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.domain.awards import Visibility
from app.domain.people import AgeGroup, Person, Role
from app.http.request_scope import CROSS_TENANT
from app.services.awards.awards import AwardRequest
from tests.support.app import COMMAND, App, listed, send
from tests.support.databases.engines import on_postgres
from tests.support.forms import form_with

pytestmark = on_postgres


@pytest.fixture
def their_admin(app: App) -> Person:
    with app.unit_of_work() as services:
        return services.people.add_staff(
            app.other_campus,
            given_name="Noé",
            family_name="Vidal",
            address="noe.vidal@exemple.fr",
            role=Role.CAMPUS_ADMIN,
            by=COMMAND,
        )


def planned_with_agt(trainer: TestClient) -> str:
    page = trainer.get("/gestion/itip/activites/nouvelle")
    form = form_with(page, "titre").fill(titre="Idéathon", debut="2026-11-17", campus=["agt"])
    done = form.press(trainer, page)
    assert done.status_code == 303, done.text
    return done.headers["location"]


def reach(app: App, activity_id: uuid.UUID) -> str:
    """The tenant scope of a request of ITIP about that activity."""
    with app.process.visit(reading=True, campus_id=app.campus.id) as services:
        services.join_organisers(app.campus.id, activity_id)
        return (
            services.stores.session.connection()
            .execute(text("SELECT current_setting('sceau.reach')"))
            .scalar_one()
        )


def test_scope_is_extended_only_for_an_accepted_shared_activity(app: App, their_admin: Person):
    trainer, admin = app.client(app.trainer), app.client(their_admin)
    path = planned_with_agt(trainer)
    shared = uuid.UUID(path.rpartition("/")[2])
    assert (reach(app, app.activity.id), reach(app, shared), reach(app, uuid.uuid4())) == (
        "campus",
        "campus",
        "campus",
    )
    asked = admin.get("/gestion/agt/activites")
    assert form_with(asked, "geste").press(admin, asked, ("geste", "accepter")).status_code == 303
    assert (reach(app, app.activity.id), reach(app, shared)) == ("campus", "everywhere")


def test_an_invited_campus_reads_no_participation_before_accepting(app: App, their_admin: Person):
    trainer, admin = app.client(app.trainer), app.client(their_admin)
    shared = uuid.UUID(planned_with_agt(trainer).rpartition("/")[2])
    with app.unit_of_work() as services:
        request = AwardRequest(
            app.presence.badge.id, shared, lines=listed("Zoé Martin; zoe@exemple.fr"), tells=False
        )
        services.awards.award(app.campus, request, by=COMMAND)

    def read() -> int:
        with app.process.visit(reading=True, campus_id=app.other_campus.id) as services:
            query = text("SELECT count(*) FROM participation WHERE activity_id = :shared")
            return services.stores.session.connection().execute(query, {"shared": shared}).scalar_one()

    assert read() == 0
    asked = admin.get("/gestion/agt/activites")
    assert form_with(asked, "geste").press(admin, asked, ("geste", "accepter")).status_code == 303
    assert read() == 1


def test_co_organisers_share_participants_with_row_level_security(app: App, their_admin: Person):
    """The invitation is in the other campus's audit log; participations are recorded in both activity logs."""
    trainer, admin = app.client(app.trainer), app.client(their_admin)
    path = planned_with_agt(trainer)
    assert "Accord demandé pour organiser ensemble" in admin.get("/gestion/agt/historique").text
    asked = admin.get("/gestion/agt/activites")
    assert form_with(asked, "geste").press(admin, asked, ("geste", "accepter")).status_code == 303

    typed = {"liste": "HADDAD Yasmine; y.haddad@exemple.fr", "geste": "inscrire"}
    send(trainer, f"{path}/participants", typed, seen_on=path)
    theirs = path.replace("/itip/", "/agt/")
    assert "Yasmine" in admin.get(theirs).text
    with app.unit_of_work(reading=True) as services:
        rows = services.stores.session.connection().execute(
            text("SELECT count(DISTINCT log_id) FROM log_entry")
        )
        assert rows.scalar_one() == 2
    page = trainer.get(f"{path}/modifier")
    assert form_with(page, "titre").fill(campus=[]).press(trainer, page).status_code == 303
    assert admin.get(theirs).status_code == 404


def test_a_participant_with_an_award_of_the_co_organiser_is_not_moved(app: App, their_admin: Person):
    trainer, admin = app.client(app.trainer), app.client(their_admin)
    path = planned_with_agt(trainer)
    asked = admin.get("/gestion/agt/activites")
    assert form_with(asked, "geste").press(admin, asked, ("geste", "accepter")).status_code == 303
    typed = {"liste": "HADDAD Yasmine; y.haddad@exemple.fr\nAZUR Bob", "geste": "inscrire"}
    send(trainer, f"{path}/participants", typed, seen_on=path)
    shared = uuid.UUID(path.rpartition("/")[2])
    with app.unit_of_work() as services:
        there = {
            person.given_name: person.id for _, person in services.stores.activities.participants(shared)
        }
    app.award("HADDAD Yasmine; y.haddad@exemple.fr")
    with app.owner.begin() as connection:  # as an award of the other campus in the shared activity
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(
            text("UPDATE award SET campus_id = :campus, activity_id = :activity, person_id = :person"),
            {"campus": app.other_campus.id, "activity": shared, "person": there["Yasmine"]},
        )
        connection.execute(text("SET session_replication_role = origin"))
    register = "/gestion/itip/repertoire"
    chosen = {"geste": "deplacer", "choix": [str(each) for each in there.values()]}
    page = trainer.get(send(trainer, f"{register}/choix", chosen, seen_on=register).headers["location"])
    move = form_with(page, "vers").fill(de=str(shared), vers=str(app.activity.id), motif="Mauvais atelier.")
    assert move.press(trainer, page).headers["location"].endswith("deplacees=1&restent=1")


def test_deleting_a_planned_activity_deletes_its_invitations(app: App, their_admin: Person):
    trainer, admin = app.client(app.trainer), app.client(their_admin)
    path = planned_with_agt(trainer)
    page = trainer.get(f"{path}/modifier")
    done = form_with(page, "confirme").fill(confirme="oui").press(trainer, page)
    assert done.status_code == 303, done.text
    assert "Idéathon" not in admin.get("/gestion/agt/activites").text
    with app.owner.connect() as connection:
        for table, column in (("activity", "id"), ("activity_campus", "activity_id")):
            left = connection.execute(
                text(f"SELECT count(*) FROM {table} WHERE {column} = :id"),
                {"id": uuid.UUID(path.rpartition("/")[2])},
            )
            assert left.scalar_one() == 0, table


def test_an_activity_with_data_of_a_former_organiser_is_not_deleted(app: App, their_admin: Person):
    trainer, admin = app.client(app.trainer), app.client(their_admin)
    path = planned_with_agt(trainer)
    asked = admin.get("/gestion/agt/activites")
    assert form_with(asked, "geste").press(admin, asked, ("geste", "accepter")).status_code == 303
    with app.unit_of_work() as services:
        shared = uuid.UUID(path.rpartition("/")[2])
        services.rooms.open(app.other_campus, shared, capacity=None, by=COMMAND)
        services.activity_plans.answer(app.other_campus, shared, accepts=False, by=COMMAND)
    page = trainer.get(f"{path}/modifier")
    refused = form_with(page, "confirme").fill(confirme="oui").press(trainer, page)
    assert refused.status_code == 409
    assert "un campus qui l’a organisée y a encore quelque chose" in refused.text
    assert trainer.get(path).status_code == 200


def test_no_activity_page_award_page_or_api_route_is_cross_tenant(app: App):
    def calls(dependant: Dependant) -> Iterator[object]:
        yield dependant.call
        for below in dependant.dependencies:
            yield from calls(below)

    routes = iter_route_contexts(app.client().app.routes)  # type: ignore[attr-defined]
    reaching = [
        route.path
        for route in routes
        if (dependant := getattr(route, "dependant", None)) and CROSS_TENANT.dependency in calls(dependant)
    ]
    assert reaching
    about_activities = ("/gestion/{slug}/activites", "/gestion/{slug}/attributions", "/api/")
    assert [path for path in reaching if path.startswith(about_activities)] == []


def test_age_group_set_by_one_campus_closes_awards_of_another(app: App):
    award_id = app.award("Zoé Faure; zoe@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        person_id = services.awards.record(award_id).person.id
    there = app.other_campus.id
    with app.process.visit(campus_id=there) as services:
        person = services.stores.people.get(person_id)
        services.age_bands.set_group(person, AgeGroup.UNDER_15, by=COMMAND, campus_id=there)
    with app.unit_of_work(reading=True) as services:
        assert services.awards.record(award_id).award.visibility is Visibility.CLOSED


def test_removing_a_co_organiser_closes_its_check_in(app: App, their_admin: Person):
    trainer, admin = app.client(app.trainer), app.client(their_admin)
    path = planned_with_agt(trainer)
    asked = admin.get("/gestion/agt/activites")
    assert form_with(asked, "geste").press(admin, asked, ("geste", "accepter")).status_code == 303
    theirs = path.replace("/itip/", "/agt/")
    room = f"{theirs}/salle"
    assert send(admin, room, {"geste": "ouvrir"}).status_code == 303
    shared = uuid.UUID(path.rpartition("/")[2])
    with app.unit_of_work(reading=True) as services:
        code = services.rooms.glance(app.other_campus, shared).code
    assert app.client().get(f"/presence/{code}").status_code == 200
    page = trainer.get(f"{path}/modifier")
    assert form_with(page, "titre").fill(campus=[]).press(trainer, page).status_code == 303
    assert app.client().get(f"/presence/{code}").status_code == 404
