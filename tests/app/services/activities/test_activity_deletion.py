"""An activity without records is deleted with its plan; any other stays, with the reason; on both databases."""

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
from tests.support.app import COMMAND, App, listed
from tests.support.handed import PDF

pytestmark = pytest.mark.both_engines

WITNESS = "MARTIN Zoé;zoe@exemple.fr"


def delete(app: App, activity_id: uuid.UUID | None = None) -> None:
    with app.unit_of_work() as services:
        services.activity_plans.delete(app.campus, activity_id or app.activity.id, by=Actor(app.trainer.id))


def deletions(app: App) -> list[HistoryEntry]:
    with app.unit_of_work(reading=True) as services:
        entries = services.stores.session.scalars(select(HistoryEntry).where(HistoryEntry.action == "delete"))  # type: ignore[arg-type]
        return list(entries)


def rows_about(app: App, activity_id: uuid.UUID) -> dict[str, int]:
    """The number of rows of each table that belong to that activity."""
    found = {}
    with app.owner.connect() as connection:
        for table in METADATA.sorted_tables:
            if table.name == "activity_change":  # a mark for the counts of the report
                continue
            column = table.c.id if table.name == "activity" else table.c.get("activity_id")
            if column is not None and (
                rows := connection.execute(select(column).where(column == activity_id))
            ):
                found[table.name] = len(rows.all())
    return {name: count for name, count in found.items() if count}


def planned_for_tomorrow(app: App) -> uuid.UUID:
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed(WITNESS))
    tomorrow = app.clock.now + timedelta(days=1)
    with app.unit_of_work() as services:
        return services.bulk_awards.enqueue(
            app.campus, request, by=Actor(app.trainer.id), not_before=tomorrow
        ).id


def assert_stays(app: App, holding: Holding) -> None:
    with app.unit_of_work(reading=True) as services:
        assert services.activity_plans.holding(app.campus, app.activity.id) is holding
    with pytest.raises(StillHeld) as raised:
        delete(app)
    assert raised.value.sentence == WHY_IT_STAYS[holding]
    assert rows_about(app, app.activity.id)["activity"] == 1
    assert deletions(app) == []


def test_deletion_removes_the_plan_and_is_in_the_history(app: App):
    activity = Activity(
        kind=ActivityKind.WORKSHOP, title="Éloquence", starts_on=date(2026, 12, 1), ends_on=date(2026, 12, 1)
    )
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="ref", name="Référentiel", by=COMMAND)
        practised = services.competencies.create(
            app.campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )
        days = (date(2026, 12, 1), date(2026, 12, 8))
        plan = Plan(["agt"], [app.trainer.id], [practised.id], [app.presence.badge.id], days)
        made = services.activity_plans.create(app.campus, activity, plan, by=COMMAND).id
        services.rooms.open(app.campus, made, capacity=None, by=COMMAND)
    assert rows_about(app, made) == {
        "activity": 1,
        "activity_badge": 1,
        "activity_campus": 2,
        "activity_competency": 1,
        "activity_session": 2,
        "activity_trainer": 1,
        "campus_activity": 1,
        "room": 1,
    }
    delete(app, made)
    assert rows_about(app, made) == {}
    assert rows_about(app, app.activity.id)["activity"] == 1
    (entry,) = deletions(app)
    assert (entry.noun, entry.noun_id, entry.actor_id, entry.campus_id, entry.facts) == (
        "activity", made, app.trainer.id, app.campus.id, {"on": "2026-12-01"},
    )  # fmt: skip
    with pytest.raises(NotFound):
        delete(app, made)


def test_cancelled_award_no_longer_refers_to_the_deleted_activity(app: App):
    batch_id = planned_for_tomorrow(app)
    with app.unit_of_work() as services:
        services.award_batches.cancel(app.campus, batch_id, by=COMMAND)
    delete(app)
    with app.unit_of_work(reading=True) as services:
        batch = services.stores.batches.find(batch_id)
        assert batch is not None
        assert (batch.state, batch.activity_id) == (BatchState.CANCELLED, None)


def test_only_the_leading_campus_deletes_an_activity(app: App):
    with app.unit_of_work() as services, pytest.raises(NotFound):
        services.activity_plans.delete(app.other_campus, app.activity.id, by=Actor(app.stranger.id))
    organise_with_agt(app)
    with app.unit_of_work() as services, pytest.raises(NotAllowed):
        services.activity_plans.delete(app.other_campus, app.activity.id, by=Actor(app.stranger.id))
    assert rows_about(app, app.activity.id) == {
        "activity": 1,
        "activity_campus": 2,
        "campus_activity": 2,
    }


def organise_with_agt(app: App) -> None:
    with app.unit_of_work() as services:
        services.activity_plans.amend(app.campus, app.activity.id, app.activity, Plan(["agt"]), by=COMMAND)
        services.activity_plans.answer(app.other_campus, app.activity.id, accepts=True, by=COMMAND)


def test_activity_of_several_campuses_stays(app: App):
    organise_with_agt(app)
    assert_stays(app, Holding.CAMPUSES)


def test_activity_with_awards_stays(app: App):
    app.award(WITNESS)
    assert_stays(app, Holding.AWARDS)


def test_activity_with_a_planned_award_stays(app: App):
    planned_for_tomorrow(app)
    assert_stays(app, Holding.BATCHES)


def test_activity_with_a_signature_by_phone_stays(app: App):
    opened(app)
    sign(app, ticket(app), "Zoé Martin")
    assert_stays(app, Holding.SIGNATURES)


def test_activity_with_a_participant_stays_even_if_absent(app: App):
    app.record(WITNESS)
    assert_stays(app, Holding.PEOPLE)
    with app.unit_of_work() as services:
        ((part, _),) = services.activities.page(app.campus, app.activity.id).participants
        services.activities.set_present(app.campus, app.activity.id, part.id, present=False, by=COMMAND)
    assert_stays(app, Holding.PEOPLE)


def test_activity_with_a_contribution_stays(app: App):
    app.record(WITNESS)
    result = ContributionStatement("Le banc d’essai", "J’ai monté le banc d’essai et je l’ai expliqué.", PartKind.RESOURCE,
                date(2026, 11, 24), 2.5, "")  # fmt: skip
    with app.unit_of_work() as services:
        ((_, zoe),) = services.activities.page(app.campus, app.activity.id).participants
        services.contributions.add(
            zoe, app.campus, result, app.activity.id, [], today=date(2026, 11, 24), by=Actor(zoe.id)
        )
    assert_stays(app, Holding.CONTRIBUTIONS)


def test_activity_with_a_file_stays_even_if_removed_since(app: App):
    by = Actor(app.trainer.id)
    with app.unit_of_work() as services:
        taken = app.process.intake.take("plan.pdf", PDF, words="Le plan")
        services.activity_files.attach(app.campus, app.activity.id, [taken], by=by)
        ((_, file),) = services.activity_files.of(app.campus, app.activity.id)
    assert_stays(app, Holding.FILES)
    with app.unit_of_work() as services:
        services.activity_files.remove(app.campus, app.activity.id, file.id, "Jointe par erreur.", by=by)
        assert services.activity_journal.of(app.campus, app.activity.id).total == 2
    assert_stays(app, Holding.FILES)
