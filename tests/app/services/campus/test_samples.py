"""Example data: prepared once, never signed, deleted as a whole; on both databases."""

from __future__ import annotations

import pytest
from sqlmodel import select

from app.domain.activities import Activity
from app.domain.activities.check_in import Ticket
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import Award, LineOutcome
from app.domain.badges import Badge
from app.domain.campus.audit_log import Actor
from app.domain.people import Person
from app.errors import AppError, Conflict
from app.services.awards.awards import AwardRequest
from app.services.campus.dashboard import NEWCOMER, SAMPLE_PEOPLE
from tests.support.app import App, listed, send


@pytest.fixture
def by(app: App) -> Actor:
    return Actor(app.admin.id)


def samples(app: App) -> dict[str, int]:
    with app.unit_of_work(reading=True) as services:
        session = services.stores.session
        return {
            kind.__tablename__: len(session.exec(select(kind).where(kind.is_sample)).all())  # type: ignore[arg-type]
            for kind in (Activity, Badge, Person)
        }


def test_example_is_prepared_once_and_deleted_as_a_whole(app: App, by: Actor) -> None:
    for _ in range(2):
        with app.unit_of_work() as services:
            services.samples.prepare(app.campus, by=by)
    assert samples(app) == {"activity": 1, "badge": 1, "person": len(SAMPLE_PEOPLE)}
    for _ in range(2):
        with app.unit_of_work() as services:
            services.samples.discard(app.campus, by=by)
    assert samples(app) == {"activity": 0, "badge": 0, "person": 0}
    with app.unit_of_work(reading=True) as services:
        assert services.samples.first_use(app.campus).sample is None
        assert services.activities.get(app.campus, app.activity.id)
        log = services.activity_log.store.find(app.campus.id)
        assert log is not None


def test_nothing_is_signed_for_the_example_or_its_people(app: App, by: Actor) -> None:
    with app.unit_of_work() as services:
        activity_id = services.samples.prepare(app.campus, by=by)
        (badge,) = services.stores.samples.badges(app.campus.id)
        address = f"personne1@{app.campus.slug}.example"
    with app.unit_of_work() as services, pytest.raises(Conflict):
        services.badges.open(app.campus, badge.id, by=by)
    published = app.presence.badge.id
    requests = (
        AwardRequest(published, activity_id, everybody=True),
        AwardRequest(published, activity_id, lines=listed("Zoé Martin;zoe@exemple.fr")),
        # The invented people in a real activity.
        AwardRequest(published, app.activity.id, lines=listed(f"Léa Démo;{address}")),
    )
    for request in requests:
        with app.unit_of_work() as services:
            result = services.awards.award(app.campus, request, by=by)
        assert {line.outcome for line in result.lines} == {LineOutcome.NOT_ALLOWED}
    with app.unit_of_work() as services, pytest.raises(AppError):
        services.awards.award(app.campus, AwardRequest(badge.id, activity_id), by=by)
    with app.unit_of_work(reading=True) as services:
        assert services.stores.session.exec(select(Award)).all() == []


def test_real_person_who_tried_the_example_stays_with_their_other_traces(app: App, by: Actor) -> None:
    app.record("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work() as services:
        activity_id = services.samples.prepare(app.campus, by=by)
        services.activities.record(app.campus, activity_id, listed("Zoé Martin;zoe@exemple.fr"), by=by)
        services.rooms.open(app.campus, activity_id, capacity=None, by=by)
        code = services.rooms.glance(app.campus, activity_id).code
        for phone, given_name in (("one", "Zoé"), ("two", "Passant")):
            ticket = Ticket(services.rooms.access(code, phone).room.id, phone, services.clock())
            line = ListedPerson(1, given_name=given_name, family_name="Martin")
            services.rooms.sign(ticket, line)
    with app.unit_of_work() as services:
        services.samples.discard(app.campus, by=by)
    assert samples(app) == {"activity": 0, "badge": 0, "person": 0}
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
        named = services.stores.session.exec(select(Person).where(Person.family_name == "Martin")).all()
    assert [person.name for _, person in there] == ["Zoé Martin"]
    assert [person.name for person in named] == ["Zoé Martin"]


def test_a_trainer_new_to_a_campus_that_awards_is_offered_the_example_for_a_month(app: App) -> None:
    app.award("Zoé Martin")
    trainer, slug = app.client(app.trainer), app.campus.slug
    assert "Préparer un exemple" in trainer.get(f"/gestion/{slug}").text
    assert "trois étapes" not in trainer.get(f"/gestion/{slug}").text
    sent = send(trainer, f"/gestion/{slug}/exemple", {"geste": "preparer"}, seen_on=f"/gestion/{slug}")
    assert sent.headers["location"].startswith(f"/gestion/{slug}/activites/")
    assert "Exemple : atelier de découverte" in trainer.get(sent.headers["location"]).text
    app.clock.now += NEWCOMER
    trainer = app.client(app.trainer)
    assert "Jeter l’exemple" in trainer.get(f"/gestion/{slug}").text
    send(trainer, f"/gestion/{slug}/exemple", {"geste": "jeter"}, seen_on=f"/gestion/{slug}")
    assert samples(app) == {"activity": 0, "badge": 0, "person": 0}
    assert "un exemple" not in trainer.get(f"/gestion/{slug}").text
