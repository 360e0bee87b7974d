"""Example data: prepared once, never signed, and thrown away whole; on both databases."""

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
from app.services.campus.dashboard import SAMPLE_PEOPLE
from tests.support.house import House, listed


@pytest.fixture
def by(house: House) -> Actor:
    return Actor(house.admin.id)


def samples(house: House) -> dict[str, int]:
    with house.unit_of_work(reading=True) as services:
        session = services.stores.session
        return {
            kind.__tablename__: len(session.exec(select(kind).where(kind.is_sample)).all())  # type: ignore[arg-type]
            for kind in (Activity, Badge, Person)
        }


def test_example_is_prepared_once_and_thrown_away_whole(house: House, by: Actor) -> None:
    for _ in range(2):
        with house.unit_of_work() as services:
            services.samples.prepare(house.campus, by=by)
    assert samples(house) == {"activity": 1, "badge": 1, "person": len(SAMPLE_PEOPLE)}
    for _ in range(2):
        with house.unit_of_work() as services:
            services.samples.discard(house.campus, by=by)
    assert samples(house) == {"activity": 0, "badge": 0, "person": 0}
    with house.unit_of_work(reading=True) as services:
        assert services.samples.first_use(house.campus).sample is None
        assert services.activities.get(house.campus, house.activity.id)
        log = services.activity_log.store.find(house.campus.id)
        assert log is not None


def test_nothing_is_signed_for_the_example_or_its_people(house: House, by: Actor) -> None:
    with house.unit_of_work() as services:
        activity_id = services.samples.prepare(house.campus, by=by)
        (badge,) = services.stores.samples.badges(house.campus.id)
        address = f"personne1@{house.campus.slug}.example"
    with house.unit_of_work() as services, pytest.raises(Conflict):
        services.badges.open(house.campus, badge.id, by=by)
    published = house.presence.badge.id
    requests = (
        AwardRequest(published, activity_id, everybody=True),
        AwardRequest(published, activity_id, lines=listed("Zoé Martin;zoe@exemple.fr")),
        # The invented people in a real activity.
        AwardRequest(published, house.activity.id, lines=listed(f"Léa Démo;{address}")),
    )
    for request in requests:
        with house.unit_of_work() as services:
            result = services.awards.award(house.campus, request, by=by)
        assert {line.outcome for line in result.lines} == {LineOutcome.NOT_ALLOWED}
    with house.unit_of_work() as services, pytest.raises(AppError):
        services.awards.award(house.campus, AwardRequest(badge.id, activity_id), by=by)
    with house.unit_of_work(reading=True) as services:
        assert services.stores.session.exec(select(Award)).all() == []


def test_real_person_who_tried_the_example_stays_with_their_other_traces(house: House, by: Actor) -> None:
    house.record("Zoé Martin;zoe@exemple.fr")
    with house.unit_of_work() as services:
        activity_id = services.samples.prepare(house.campus, by=by)
        services.activities.record(house.campus, activity_id, listed("Zoé Martin;zoe@exemple.fr"), by=by)
        services.rooms.open(house.campus, activity_id, capacity=None, by=by)
        code = services.rooms.glance(house.campus, activity_id).code
        for phone, given_name in (("one", "Zoé"), ("two", "Passant")):
            ticket = Ticket(services.rooms.access(code, phone).room.id, phone, services.clock())
            line = ListedPerson(1, given_name=given_name, family_name="Martin")
            services.rooms.sign(ticket, line)
    with house.unit_of_work() as services:
        services.samples.discard(house.campus, by=by)
    assert samples(house) == {"activity": 0, "badge": 0, "person": 0}
    with house.unit_of_work(reading=True) as services:
        there = services.activities.page(house.campus, house.activity.id).participants
        named = services.stores.session.exec(select(Person).where(Person.family_name == "Martin")).all()
    assert [person.name for _, person in there] == ["Zoé Martin"]
    assert [person.name for person in named] == ["Zoé Martin"]


def test_campus_that_awards_is_offered_no_example(house: House, by: Actor) -> None:
    house.award("Zoé Martin")
    with house.unit_of_work() as services, pytest.raises(Conflict):
        services.samples.prepare(house.campus, by=by)
