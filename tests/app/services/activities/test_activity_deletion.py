"""An activity made by mistake goes with its plan; one on which anything rests stays, and says why; on both databases."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest
from sqlalchemy import select

from app.db.engine.row_level_security import METADATA
from app.domain.activities import WHY_IT_STAYS, Activity, ActivityKind, Holding, PartKind, Plan, StillHeld
from app.domain.awards.batches import BatchState
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.learners.portfolios import ContributionStatement
from app.errors import NotAllowed, NotFound
from app.services.awards.awards import AwardRequest
from tests.app.services.activities.test_rooms import opened, sign, ticket
from tests.support.handed import PDF
from tests.support.house import COMMAND, House, listed

pytestmark = pytest.mark.both_engines

WITNESS = "MARTIN Zoé;zoe@exemple.fr"


def delete(house: House, activity_id: uuid.UUID | None = None) -> None:
    with house.unit_of_work() as services:
        services.activity_plans.delete(
            house.campus, activity_id or house.activity.id, by=Actor(house.trainer.id)
        )


def deletions(house: House) -> list[HistoryEntry]:
    with house.unit_of_work(reading=True) as services:
        entries = services.stores.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "delete"))  # type: ignore[arg-type]
        return list(entries)


def rows_about(house: House, activity_id: uuid.UUID) -> dict[str, int]:
    """How many rows of each table are of that activity."""
    found = {}
    with house.owner.connect() as connection:
        for table in METADATA.sorted_tables:
            if table.name == "activity_change":  # a mark for the counts of the report
                continue
            column = table.c.id if table.name == "activity" else table.c.get("activity_id")
            if column is not None and (
                rows := connection.execute(select(column).where(column == activity_id))
            ):
                found[table.name] = len(rows.all())
    return {name: count for name, count in found.items() if count}


def promised_for_tomorrow(house: House) -> uuid.UUID:
    request = AwardRequest(house.presence.badge.id, house.activity.id, lines=listed(WITNESS))
    tomorrow = house.clock.now + timedelta(days=1)
    with house.unit_of_work() as services:
        return services.bulk_awards.enqueue(
            house.campus, request, by=Actor(house.trainer.id), not_before=tomorrow
        ).id


def assert_stays(house: House, holding: Holding) -> None:
    with house.unit_of_work(reading=True) as services:
        assert services.activity_plans.holding(house.campus, house.activity.id) is holding
    with pytest.raises(StillHeld) as raised:
        delete(house)
    assert raised.value.sentence == WHY_IT_STAYS[holding]
    assert rows_about(house, house.activity.id)["activity"] == 1
    assert deletions(house) == []


def test_it_goes_with_all_that_was_planned_and_the_history_says_so(house: House):
    activity = Activity(
        kind=ActivityKind.WORKSHOP, title="Éloquence", starts_on=date(2026, 12, 1), ends_on=date(2026, 12, 1)
    )
    with house.unit_of_work() as services:
        framework = services.competencies.framework(house.campus, code="ref", name="Référentiel", by=COMMAND)
        practised = services.competencies.create(
            house.campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )
        days = (date(2026, 12, 1), date(2026, 12, 8))
        plan = Plan(["agt"], [house.trainer.id], [practised.id], [house.presence.badge.id], days)
        made = services.activity_plans.create(house.campus, activity, plan, by=COMMAND).id
        services.rooms.open(house.campus, made, capacity=None, by=COMMAND)
    assert rows_about(house, made) == {
        "activity": 1,
        "activity_badge": 1,
        "activity_campus": 2,
        "activity_competency": 1,
        "activity_session": 2,
        "activity_trainer": 1,
        "campus_activity": 1,
        "room": 1,
    }
    delete(house, made)
    assert rows_about(house, made) == {}
    assert rows_about(house, house.activity.id)["activity"] == 1
    (entry,) = deletions(house)
    assert (entry.noun, entry.noun_id, entry.actor_id, entry.campus_id, entry.facts) == (
        "activity", made, house.trainer.id, house.campus.id, {"on": "2026-12-01"},
    )  # fmt: skip
    with pytest.raises(NotFound):
        delete(house, made)


def test_a_planned_award_that_was_given_up_no_longer_names_it(house: House):
    batch_id = promised_for_tomorrow(house)
    with house.unit_of_work() as services:
        services.award_batches.cancel(house.campus, batch_id, by=COMMAND)
    delete(house)
    with house.unit_of_work(reading=True) as services:
        batch = services.stores.batches.find(batch_id)
        assert batch is not None
        assert (batch.state, batch.activity_id) == (BatchState.CANCELLED, None)


def test_another_campus_cannot_delete_it_and_one_that_joined_neither(house: House):
    with house.unit_of_work() as services, pytest.raises(NotFound):
        services.activity_plans.delete(house.other_campus, house.activity.id, by=Actor(house.stranger.id))
    organise_with_agt(house)
    with house.unit_of_work() as services, pytest.raises(NotAllowed):
        services.activity_plans.delete(house.other_campus, house.activity.id, by=Actor(house.stranger.id))
    assert rows_about(house, house.activity.id) == {
        "activity": 1,
        "activity_campus": 2,
        "campus_activity": 2,
    }


def organise_with_agt(house: House) -> None:
    with house.unit_of_work() as services:
        services.activity_plans.amend(
            house.campus, house.activity.id, house.activity, Plan(["agt"]), by=COMMAND
        )
        services.activity_plans.answer(house.other_campus, house.activity.id, accepts=True, by=COMMAND)


def test_it_stays_where_another_campus_organises_it_too(house: House):
    organise_with_agt(house)
    assert_stays(house, Holding.CAMPUSES)


def test_it_stays_where_badges_were_awarded(house: House):
    house.award(WITNESS)
    assert_stays(house, Holding.AWARDS)


def test_it_stays_where_an_award_is_planned(house: House):
    promised_for_tomorrow(house)
    assert_stays(house, Holding.BATCHES)


def test_it_stays_where_a_phone_signed(house: House):
    opened(house)
    sign(house, ticket(house), "Zoé Martin")
    assert_stays(house, Holding.SIGNATURES)


def test_it_stays_where_somebody_is_noted_even_absent(house: House):
    house.record(WITNESS)
    assert_stays(house, Holding.PEOPLE)
    with house.unit_of_work() as services:
        ((part, _),) = services.activities.page(house.campus, house.activity.id).participants
        services.activities.set_present(house.campus, house.activity.id, part.id, present=False, by=COMMAND)
    assert_stays(house, Holding.PEOPLE)


def test_it_stays_where_somebody_contributed(house: House):
    house.record(WITNESS)
    result = ContributionStatement("Le banc d’essai", "J’ai monté le banc d’essai et je l’ai expliqué.", PartKind.RESOURCE,
                date(2026, 11, 24), 2.5, "")  # fmt: skip
    with house.unit_of_work() as services:
        ((_, zoe),) = services.activities.page(house.campus, house.activity.id).participants
        services.contributions.add(
            zoe, house.campus, result, house.activity.id, [], today=date(2026, 11, 24), by=Actor(zoe.id)
        )
    assert_stays(house, Holding.CONTRIBUTIONS)


def test_it_stays_where_a_file_was_joined_even_removed_since_as_the_log_says_so(house: House):
    by = Actor(house.trainer.id)
    with house.unit_of_work() as services:
        taken = house.process.intake.take("plan.pdf", PDF, words="Le plan")
        services.activity_files.attach(house.campus, house.activity.id, [taken], by=by)
        ((_, file),) = services.activity_files.of(house.campus, house.activity.id)
    assert_stays(house, Holding.FILES)
    with house.unit_of_work() as services:
        services.activity_files.remove(house.campus, house.activity.id, file.id, "Jointe par erreur.", by=by)
        assert services.activity_journal.of(house.campus, house.activity.id).total == 2
    assert_stays(house, Holding.FILES)
