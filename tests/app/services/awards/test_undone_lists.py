"""Undoing a bulk award removes the data that only its list added, and no person known otherwise."""

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
from tests.support.app import App, done_once, listed


@done_once
def give(app: App, *people: str, badge: uuid.UUID | None = None) -> uuid.UUID:
    request = AwardRequest(badge or app.presence.badge.id, app.activity.id, lines=listed(*people))
    with app.unit_of_work() as services:
        batch = services.awards.give(
            app.campus, request, by=Actor(app.trainer.id), undo_for=timedelta(minutes=10)
        )
    return batch.id


def brought(app: App, batch_id: uuid.UUID) -> ListAdditions:
    with app.unit_of_work(reading=True) as services:
        return services.award_batches.additions_of(app.campus, batch_id)


def undo(app: App, batch_id: uuid.UUID, *, with_additions: bool = True) -> None:
    with app.unit_of_work() as services:
        services.award_batches.take_back(
            app.campus, batch_id, by=Actor(app.trainer.id), with_additions=with_additions
        )


def names(app: App) -> set[str]:
    with app.unit_of_work(reading=True) as services:
        return {person.name for person in services.stores.session.exec(select(Person))}


def enrolled(app: App) -> set[str]:
    with app.unit_of_work(reading=True) as services:
        page = services.activities.page(app.campus, app.activity.id)
    return {person.name for _, person in [*page.participants, *page.absent]}


def test_people_whom_only_the_list_brought_leave_with_it(app: App):
    before = names(app)
    batch_id = give(app, "Faux Prénom; faux@exemple.fr", "Liste Total")

    assert brought(app, batch_id) == ListAdditions(people=2, participations=2)
    undo(app, batch_id)

    assert names(app) == before
    assert enrolled(app) == set()
    with app.unit_of_work(reading=True) as services:
        result = services.award_batches.result(app.campus, batch_id)
        assert result.batch.state is BatchState.UNDONE
        assert (result.batch.removed_people, result.batch.removed_participations) == (2, 2)
        assert {line.given_name + line.family_name + line.address for line in result.lines} == {""}


def test_people_stay_where_the_box_is_not_ticked(app: App):
    batch_id = give(app, "Faux Prénom")
    undo(app, batch_id, with_additions=False)

    assert enrolled(app) == {"Faux Prénom"}


def test_enrolled_people_keep_person_and_participation(app: App):
    app.record("MARTIN Chloé; chloe@exemple.fr")
    batch_id = give(app, "MARTIN Chloé; chloe@exemple.fr", "Faux Prénom")

    assert brought(app, batch_id) == ListAdditions(people=1, participations=1)
    undo(app, batch_id)

    assert enrolled(app) == {"Chloé Martin"}


def test_person_with_another_badge_keeps_it_and_loses_the_participation_alone(app: App):
    first = give(app, "MARTIN Chloé; chloe@exemple.fr")
    with app.unit_of_work() as services:
        other = services.activities.create(
            Activity(
                kind=app.activity.kind,
                title="Autre atelier",
                starts_on=app.activity.starts_on,
                ends_on=app.activity.ends_on,
                created_at=app.clock(),
            ),
            [app.campus],
            by=Actor(app.trainer.id),
        )
    request = AwardRequest(
        app.presence.badge.id, other.id, lines=listed("MARTIN Chloé; chloe@exemple.fr", "Faux Prénom")
    )
    with app.unit_of_work() as services:
        batch = services.awards.give(
            app.campus, request, by=Actor(app.trainer.id), undo_for=timedelta(minutes=10)
        )

    undo(app, batch.id)

    assert "Chloé Martin" in names(app)
    assert "Faux Prénom" not in names(app)
    assert enrolled(app) == {"Chloé Martin"}
    with app.unit_of_work(reading=True) as services:
        there = services.stores.session.exec(
            select(Participation).where(Participation.activity_id == other.id)
        ).all()
        assert there == []
        assert services.award_batches.result(app.campus, first).batch.state is BatchState.DONE


def test_participation_with_another_badge_of_the_activity_stays(app: App):
    batch_id = give(app, "MARTIN Chloé; chloe@exemple.fr")
    app.award("MARTIN Chloé; chloe@exemple.fr", badge=app.role, evidence="Tient le stand.")

    assert brought(app, batch_id) == ListAdditions()
    undo(app, batch_id)

    assert enrolled(app) == {"Chloé Martin"}


def test_person_who_got_a_role_since_stays(app: App):
    batch_id = give(app, "MARTIN Chloé; chloe@exemple.fr")
    with app.unit_of_work() as services:
        services.people.add_staff(
            app.campus,
            given_name="Chloé",
            family_name="Martin",
            address="chloe@exemple.fr",
            role=Role.TRAINER,
            by=Actor(app.admin.id),
        )
    undo(app, batch_id)

    assert "Chloé Martin" in names(app)


def test_removal_is_logged_and_leaves_the_activity_log_consistent(app: App):
    app.record("MARTIN Chloé; chloe@exemple.fr")
    batch_id = give(app, "Faux Prénom")
    undo(app, batch_id)

    with app.unit_of_work(reading=True) as services:
        entries = services.stores.session.exec(
            select(HistoryEntry).where(HistoryEntry.noun_id == batch_id)
        ).all()
        result = {entry.action: entry.facts for entry in entries}
        assert result["remove_brought"] == {"people": 1, "participations": 1}
        assert services.activity_journal.of(app.campus, app.activity.id).total == 1


def test_after_the_time_to_undo_nothing_is_removed(app: App):
    batch_id = give(app, "Faux Prénom")
    app.clock.move(minutes=11)

    with pytest.raises(TooLate):
        undo(app, batch_id)
    assert enrolled(app) == {"Faux Prénom"}


@pytest.mark.parametrize("count", [8, 24])
def test_an_answer_waits_for_few_erasures_whatever_the_number_of_people(app: App, count: int):
    """The rest is removed by the worker, in pieces that do not hold the campus for long."""
    before = names(app)
    batch_id = give(
        app, *(f"Prénom{chr(97 + number)} Liste; p{number}@exemple.fr" for number in range(count))
    )

    undo(app, batch_id)

    with app.unit_of_work(reading=True) as services:
        batch = services.award_batches.overview(app.campus, batch_id).batch
        assert (batch.state, batch.removed_people) == (BatchState.UNDOING, REMOVED_INLINE)
        assert not services.award_batches.batches.standing_awards(batch_id, 1), "all are revoked at once"
    for _ in range(count):
        with app.unit_of_work() as services:
            if not services.award_batches.undo_chunk(batch_id):
                break
    with app.unit_of_work(reading=True) as services:
        batch = services.award_batches.overview(app.campus, batch_id).batch
        assert (batch.state, batch.removed_people) == (BatchState.UNDONE, count)
    assert names(app) == before


def test_campus_that_left_an_activity_removes_no_participant(app: App):
    batch_id = give(app, "Faux Prénom; faux@exemple.fr", "Liste Total")
    with app.unit_of_work() as services:
        place = services.stores.activity_plans.place_of(app.activity.id, app.campus.id)
        place.campus_id = app.other_campus.id
        services.stores.activity_plans.save(place)
        there = len(services.stores.activities.participants(app.activity.id))
    undo(app, batch_id)
    with app.unit_of_work(reading=True) as services:
        assert services.award_batches.result(app.campus, batch_id).batch.state is BatchState.UNDONE
        assert len(services.stores.activities.participants(app.activity.id)) == there > 0
