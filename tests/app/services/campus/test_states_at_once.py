"""A state that two people set at once, or one after the other, is set and recorded once."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import select

from app.container import Services
from app.domain.activities import Activity, ActivityKind
from app.domain.awards import AwardState
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.campus.integration import Receipt, UpsertOutcome
from app.services.awards.awards import AwardRequest
from app.services.people.upserts import PersonLine
from tests.app.services.frameworks.test_pathway_progress import draw_pathway
from tests.app.services.imports.test_calendar_imports import ONCE, drop
from tests.app.services.learners.test_requests import ZOE, accepting, asked, request_of, reviewer
from tests.app.services.trust.test_peers import awarded
from tests.support.app import COMMAND, App, listed
from tests.support.content.skills import levelled
from tests.support.databases.engines import on_postgres
from tests.support.running.at_once import Operation, done_meanwhile

pytestmark = on_postgres


def archive_badge(app: App) -> Operation:
    return lambda services: services.badges.archive(app.campus, app.presence.badge.id, by=COMMAND)


def archive_competency(app: App) -> Operation:
    competency_id = levelled(app).competency.id
    return lambda services: services.competencies.archive(app.campus, competency_id, by=COMMAND)


def archive_pathway(app: App) -> Operation:
    pathway_id = draw_pathway(app)
    return lambda services: services.pathways.archive(app.campus, pathway_id, archived=True, by=COMMAND)


def archive_modules(app: App) -> Operation:
    with app.unit_of_work() as services:
        modules = services.modules.create(app.campus, title="Bloc 1", by=COMMAND)
    return lambda services: services.modules.archive(app.campus, modules.id, by=COMMAND)


def suspend_campus(app: App) -> Operation:
    return lambda services: services.operators.suspend(app.campus.slug, by=COMMAND)


def close_activity(app: App) -> Operation:
    return lambda services: services.activities.close(app.campus, [app.activity.id], by=COMMAND)


def accept_joint_activity(app: App) -> Operation:
    joint = Activity(
        kind=ActivityKind.WORKSHOP,
        title="Soudure",
        starts_on=date(2026, 11, 24),
        ends_on=date(2026, 11, 24),
    )
    with app.unit_of_work() as services:
        activity_id = services.activities.create(joint, [app.campus, app.other_campus], by=COMMAND).id
    return lambda services: services.activity_plans.answer(
        app.other_campus, activity_id, accepts=True, by=COMMAND
    )


def close_shared_link(app: App) -> Operation:
    award_id = awarded(app)
    with app.unit_of_work() as services:
        services.peer_recommendations.open_link(services.awards.record(award_id), by=COMMAND)
    return lambda services: services.peer_recommendations.close_link(
        services.awards.record(award_id), by=COMMAND
    )


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        (archive_badge, "archive"), (archive_competency, "archive"), (archive_pathway, "archive"),
        (archive_modules, "archive"), (suspend_campus, "suspend"), (close_activity, "close"),
        (accept_joint_activity, "accept"), (close_shared_link, "close_peer_link"),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)  # fmt: skip
def test_state_set_twice_is_recorded_once(
    app: App, operation: Callable[[App], Operation], action: str
) -> None:
    does = operation(app)
    assert set(done_meanwhile(app, does, does)) <= {"", "NotFound"}
    assert set(done_meanwhile(app, does, does)) <= {"", "NotFound"}
    with app.unit_of_work(reading=True) as services:
        found = services.stores.session.exec(select(HistoryEntry).where(HistoryEntry.action == action)).all()
    assert len(found) == 1


def outcomes(app: App, upsert: Callable[[], Callable[..., Receipt]]) -> list[UpsertOutcome]:
    found: list[UpsertOutcome] = []

    def does(services: object) -> None:
        found.append(upsert()(services).outcome)

    assert done_meanwhile(app, does, does) == ("", "")
    return sorted(found)


@pytest.mark.parametrize("address", ["", "zoe@exemple.fr"])
def test_of_two_equal_people_sent_at_once_one_is_created(app: App, address: str) -> None:
    line = PersonLine("P-1", "Zoé", "Durand", address)
    ended = outcomes(
        app, lambda: lambda services: services.people_upserts.upsert(app.campus, replace(line), by=COMMAND)
    )
    assert ended == sorted([UpsertOutcome.CREATED, UpsertOutcome.SAME])


def test_of_two_equal_activities_sent_at_once_one_is_created(app: App) -> None:
    def wanted() -> Activity:
        return Activity(
            id=uuid.uuid4(),
            kind=ActivityKind.WORKSHOP,
            title="Soudure",
            starts_on=date(2026, 11, 24),
            ends_on=date(2026, 11, 24),
        )

    ended = outcomes(
        app,
        lambda: lambda services: services.activity_upserts.upsert(app.campus, "A-1", wanted(), by=COMMAND),
    )
    assert ended == sorted([UpsertOutcome.CREATED, UpsertOutcome.SAME])


# --- lists that are taken back


@pytest.mark.parametrize("is_claim_first", [True, False])
def test_badge_is_claimed_while_its_list_is_taken_back(app: App, is_claim_first: bool) -> None:
    """Formerly each locked the row that the other needed next: a deadlock."""
    request = AwardRequest(app.presence.badge.id, app.activity.id, lines=listed("Zoé Durand;zoe@exemple.fr"))
    with app.unit_of_work() as services:
        batch = services.bulk_awards.enqueue(app.campus, request, by=COMMAND, undo_for=timedelta(minutes=5))
        services.bulk_awards.process_chunk(batch.id)
        [line] = services.award_batches.result(app.campus, batch.id).lines
        assert line.award_id is not None
        award_id, holder = line.award_id, services.awards.record(line.award_id).person.id

    def claim(services: Services) -> object:
        return services.delivery.claim(award_id, by=Actor(holder))

    def take_back(services: Services) -> object:
        return services.award_batches.take_back(app.campus, batch.id, by=COMMAND)

    both = (claim, take_back) if is_claim_first else (take_back, claim)
    assert done_meanwhile(app, *both) == ("", "")
    with app.unit_of_work(reading=True) as services:
        award = services.awards.record(award_id).award
    assert award.state is AwardState.REVOKED
    assert bool(award.claimed_at) is is_claim_first


# --- drafts of imports


@pytest.mark.parametrize("is_confirmed_first", [True, False])
def test_import_is_confirmed_or_abandoned(app: App, is_confirmed_first: bool) -> None:
    """The second operation sees the result of the first, and no partial rows stay."""
    run_id = drop(app, ONCE)

    def confirm(services: Services) -> object:
        return services.calendar_imports.confirm(app.campus, run_id, ActivityKind.EVENT, by=COMMAND)

    def abandon(services: Services) -> object:
        return services.imports.abandon(app.campus, run_id)

    both = (confirm, abandon) if is_confirmed_first else (abandon, confirm)
    assert done_meanwhile(app, *both) == ("", "Conflict" if is_confirmed_first else "NotFound")
    with app.unit_of_work(reading=True) as services:
        assert len(services.imports.reports(app.campus)) == is_confirmed_first


# --- requests for badges


@pytest.mark.parametrize("does", ["complete", "withdraw"])
@pytest.mark.parametrize("is_reviewer_first", [True, False])
def test_reviewer_and_the_person_who_asks_take_turns(app: App, does: str, is_reviewer_first: bool) -> None:
    """Formerly one locked the request and the other the person: a deadlock."""
    token = asked(app, accepting(app, app.role.badge.id))
    request_id, by = request_of(app, token).request.id, reviewer(app, "Paul")

    def agree(services: Services) -> object:
        return services.reviewing.agree(app.campus, request_id, "Vu sur place.", "Deux ateliers.", by=by)

    def follow(services: Services) -> object:
        if does == "withdraw":
            return services.asking.withdraw(token)
        return services.asking.complete(token, text="Un mot de plus.")

    both = (agree, follow) if is_reviewer_first else (follow, agree)
    is_over = is_reviewer_first or does == "withdraw"
    assert done_meanwhile(app, *both) == ("", "Conflict" if is_over else "")


def test_of_two_equal_requests_at_once_one_is_made(app: App) -> None:
    badge_id = accepting(app, app.role.badge.id)
    app.record("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        [(_, zoe)] = services.activities.page(app.campus, app.activity.id).participants

    def ask(services: Services) -> object:
        known = services.asking.known(services.people.people.get(zoe.id))
        return services.asking.ask(badge_id, ZOE, known=known)

    assert done_meanwhile(app, ask, ask) == ("", "Conflict")
