"""Undoing a bulk award removes what only its list brought, and nothing of people who are known otherwise."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlmodel import select

from app.domain.activities import Activity, Participation
from app.domain.awards.batches import BatchState, TooLate
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.people import Person, Role
from app.services.awards.awards import AwardRequest
from app.services.awards.batches import REMOVED_INLINE, ListAdditions
from tests.support.house import House, done_once, listed


@done_once
def give(house: House, *people: str, badge: uuid.UUID | None = None) -> uuid.UUID:
    request = AwardRequest(badge or house.presence.badge.id, house.activity.id, lines=listed(*people))
    with house.unit_of_work() as services:
        batch = services.awards.give(
            house.campus, request, by=Actor(house.trainer.id), undo_for=timedelta(minutes=10)
        )
    return batch.id


def brought(house: House, batch_id: uuid.UUID) -> ListAdditions:
    with house.unit_of_work(reading=True) as services:
        return services.award_batches.additions_of(house.campus, batch_id)


def undo(house: House, batch_id: uuid.UUID, *, with_additions: bool = True) -> None:
    with house.unit_of_work() as services:
        services.award_batches.take_back(
            house.campus, batch_id, by=Actor(house.trainer.id), with_additions=with_additions
        )


def names(house: House) -> set[str]:
    with house.unit_of_work(reading=True) as services:
        return {person.name for person in services.stores.session.exec(select(Person))}


def enrolled(house: House) -> set[str]:
    with house.unit_of_work(reading=True) as services:
        page = services.activities.page(house.campus, house.activity.id)
    return {person.name for _, person in [*page.participants, *page.absent]}


def test_people_whom_only_the_list_brought_leave_with_it(house: House):
    before = names(house)
    batch_id = give(house, "Faux Prénom; faux@exemple.fr", "Liste Total")

    assert brought(house, batch_id) == ListAdditions(people=2, participations=2)
    undo(house, batch_id)

    assert names(house) == before
    assert enrolled(house) == set()
    with house.unit_of_work(reading=True) as services:
        result = services.awards.batch(house.campus, batch_id)
        assert result.batch.state is BatchState.UNDONE
        assert (result.batch.removed_people, result.batch.removed_participations) == (2, 2)
        assert {line.given_name + line.family_name + line.address for line in result.lines} == {""}


def test_people_stay_where_the_box_is_not_ticked(house: House):
    batch_id = give(house, "Faux Prénom")
    undo(house, batch_id, with_additions=False)

    assert enrolled(house) == {"Faux Prénom"}


def test_enrolled_people_keep_person_and_participation(house: House):
    house.record("MARTIN Chloé; chloe@exemple.fr")
    batch_id = give(house, "MARTIN Chloé; chloe@exemple.fr", "Faux Prénom")

    assert brought(house, batch_id) == ListAdditions(people=1, participations=1)
    undo(house, batch_id)

    assert enrolled(house) == {"Chloé Martin"}


def test_person_with_another_badge_keeps_it_and_loses_the_participation_alone(house: House):
    first = give(house, "MARTIN Chloé; chloe@exemple.fr")
    with house.unit_of_work() as services:
        other = services.activities.create(
            Activity(
                kind=house.activity.kind,
                title="Autre atelier",
                starts_on=house.activity.starts_on,
                ends_on=house.activity.ends_on,
                created_at=house.clock(),
            ),
            [house.campus],
            by=Actor(house.trainer.id),
        )
    request = AwardRequest(
        house.presence.badge.id, other.id, lines=listed("MARTIN Chloé; chloe@exemple.fr", "Faux Prénom")
    )
    with house.unit_of_work() as services:
        batch = services.awards.give(
            house.campus, request, by=Actor(house.trainer.id), undo_for=timedelta(minutes=10)
        )

    undo(house, batch.id)

    assert "Chloé Martin" in names(house)
    assert "Faux Prénom" not in names(house)
    assert enrolled(house) == {"Chloé Martin"}
    with house.unit_of_work(reading=True) as services:
        there = services.stores.session.exec(
            select(Participation).where(Participation.activity_id == other.id)
        ).all()
        assert there == []
        assert services.awards.batch(house.campus, first).batch.state is BatchState.DONE


def test_participation_with_another_badge_of_the_activity_stays(house: House):
    batch_id = give(house, "MARTIN Chloé; chloe@exemple.fr")
    house.award("MARTIN Chloé; chloe@exemple.fr", badge=house.role, evidence="Tient le stand.")

    assert brought(house, batch_id) == ListAdditions()
    undo(house, batch_id)

    assert enrolled(house) == {"Chloé Martin"}


def test_person_who_got_a_role_since_stays(house: House):
    batch_id = give(house, "MARTIN Chloé; chloe@exemple.fr")
    with house.unit_of_work() as services:
        services.people.add_staff(
            house.campus,
            given_name="Chloé",
            family_name="Martin",
            address="chloe@exemple.fr",
            role=Role.TRAINER,
            by=Actor(house.admin.id),
        )
    undo(house, batch_id)

    assert "Chloé Martin" in names(house)


def test_removal_is_logged_and_leaves_the_activity_log_consistent(house: House):
    house.record("MARTIN Chloé; chloe@exemple.fr")
    batch_id = give(house, "Faux Prénom")
    undo(house, batch_id)

    with house.unit_of_work(reading=True) as services:
        entries = services.stores.session.exec(
            select(HistoryEntry).where(HistoryEntry.noun_id == batch_id)
        ).all()
        result = {entry.action: entry.facts for entry in entries}
        assert result["remove_brought"] == {"people": 1, "participations": 1}
        assert services.activity_journal.of(house.campus, house.activity.id).total == 1


def test_after_the_time_to_undo_nothing_is_removed(house: House):
    batch_id = give(house, "Faux Prénom")
    house.clock.move(minutes=11)

    with pytest.raises(TooLate):
        undo(house, batch_id)
    assert enrolled(house) == {"Faux Prénom"}


@pytest.mark.parametrize("count", [8, 24])
def test_an_answer_waits_for_few_erasures_whatever_the_number_of_people(house: House, count: int):
    """The rest is removed by the worker, in pieces that do not hold the campus for long."""
    before = names(house)
    batch_id = give(
        house, *(f"Prénom{chr(97 + number)} Liste; p{number}@exemple.fr" for number in range(count))
    )

    undo(house, batch_id)

    with house.unit_of_work(reading=True) as services:
        batch = services.award_batches.overview(house.campus, batch_id).batch
        assert (batch.state, batch.removed_people) == (BatchState.UNDOING, REMOVED_INLINE)
        assert not services.award_batches.batches.standing_awards(batch_id, 1), "all are revoked at once"
    for _ in range(count):
        with house.unit_of_work() as services:
            if not services.award_batches.undo_chunk(batch_id):
                break
    with house.unit_of_work(reading=True) as services:
        batch = services.award_batches.overview(house.campus, batch_id).batch
        assert (batch.state, batch.removed_people) == (BatchState.UNDONE, count)
    assert names(house) == before


def test_a_campus_that_no_longer_organises_removes_nobody_from_the_activity(house: House):
    batch_id = give(house, "Faux Prénom; faux@exemple.fr", "Liste Total")
    with house.unit_of_work() as services:
        place = services.stores.activity_plans.place_of(house.activity.id, house.campus.id)
        place.campus_id = house.other_campus.id
        services.stores.activity_plans.save_place(place)
        there = len(services.stores.activities.participants(house.activity.id))
    undo(house, batch_id)
    with house.unit_of_work(reading=True) as services:
        assert services.awards.batch(house.campus, batch_id).batch.state is BatchState.UNDONE
        assert len(services.stores.activities.participants(house.activity.id)) == there > 0
