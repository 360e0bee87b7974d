"""Pathways in the service: published in versions, joined, computed again by the worker, proposed at the end."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from app.db.frameworks.pathways import FollowerFilter
from app.domain.awards.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.frameworks.pathways import (
    ConditionKind,
    PathwayContent,
    ProposalState,
    StageCondition,
    StageState,
)
from app.domain.people.people import Person
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.jobs.kinds import PATHWAYS
from app.services.frameworks.pathways import StageDraft
from tests.support.house import House

HOURS = StageCondition(ConditionKind.HOURS, 3)
SEEN = StageCondition(ConditionKind.DECISION, text="A tenu un poste devant du public.")


def draw_pathway(house: House) -> uuid.UUID:
    """Presence, then three hours and a decision; the badge of the whole is the engaged one."""
    with house.unit_of_work() as services:
        by, paths = Actor(house.admin.id), services.pathways
        path = paths.create(house.campus, PathwayContent("Robotique"), by=by)
        paths.describe(
            house.campus, path.id, title="Robotique", summary="", badge_id=house.role.badge.id, by=by
        )
        paths.save_stage(
            house.campus, path.id, "", StageDraft("Venir", badge_ids=(house.presence.badge.id,)), by=by
        )
        paths.save_stage(
            house.campus, path.id, "", StageDraft("Tenir", after=("e1",), others=(HOURS, SEEN)), by=by
        )
        paths.publish(house.campus, path.id, by=by)
        return path.id


def holder(house: House, name: str = "Luce Vauban") -> tuple[Person, uuid.UUID]:
    """With the badge of presence, and three hours."""
    given, family = name.split()
    award_id = house.award(f"{family.upper()} {given} <{given.lower()}@exemple.fr>").lines[0].award_id
    assert award_id is not None
    with house.unit_of_work(reading=True) as services:
        return services.awards.get(house.campus, award_id).person, award_id


def join(house: House, path: uuid.UUID, person: Person) -> uuid.UUID:
    with house.unit_of_work() as services:
        return services.pathway_followers.join(path, person, by=Actor(person.id)).id


def work(house: House) -> None:
    while PATHWAYS.perform(house.process, path_of_none):
        pass


path_of_none = uuid.UUID(int=1)


def states(house: House, path: uuid.UUID, person: Person) -> dict[str, StageState]:
    with house.unit_of_work(reading=True) as services:
        own = services.pathway_followers.own(path, person.id)
        assert own is not None
        stored = {
            row.stage: row.state
            for row in services.stores.pathways.states_of([own.enrolment.id])[own.enrolment.id]
        }
        assert stored == {each.stage.key: each.state for each in own.progress.stages}, "as computed now"
        return stored


def test_a_published_version_is_never_changed(house: House):
    path = draw_pathway(house)
    with pytest.raises(DBAPIError, match="never changes"), house.owner.begin() as connection:
        connection.execute(text("UPDATE pathway_version SET number = 7"))
    with house.unit_of_work() as services:
        by = Actor(house.admin.id)
        assert services.pathways.publish(house.campus, path, by=by) == 1, "nothing changed"
        services.pathways.save_stage(house.campus, path, "e2", StageDraft("Tenir", others=(SEEN,)), by=by)
        assert services.pathways.publish(house.campus, path, by=by) == 2
        assert len(services.pathways.show(path, 1).content.stages[1].conditions) == 2
        assert len(services.pathways.show(path).content.stages[1].conditions) == 1


def test_an_award_and_its_withdrawal_reach_the_stages(house: House):
    path = draw_pathway(house)
    person, award_id = holder(house)
    join(house, path, person)
    assert states(house, path, person) == {"e1": StageState.DONE, "e2": StageState.OPEN}
    with house.unit_of_work() as services:
        services.awards.revoke(house.campus, award_id, "Donné à tort ce jour-là.", by=Actor(house.trainer.id))
    work(house)
    assert states(house, path, person) == {"e1": StageState.OPEN, "e2": StageState.LATER}
    house.award("VAUBAN Luce <luce@exemple.fr>")
    work(house)
    assert states(house, path, person)["e1"] is StageState.DONE


def test_a_complete_pathway_is_proposed_to_others_and_never_issued(house: House):
    path = draw_pathway(house)
    person, _ = holder(house)
    enrolment = join(house, path, person)
    with house.unit_of_work() as services:
        followers = services.pathway_followers
        with pytest.raises(NotAllowed):
            followers.decide(house.campus, path, enrolment, "e2", "Je me suis vue.", by=Actor(person.id))
        with pytest.raises(InvalidInput):
            followers.decide(house.campus, path, enrolment, "e2", "", by=Actor(house.trainer.id))
        with pytest.raises(NotFound):
            followers.decide(house.campus, path, enrolment, "e1", "Vu au salon.", by=Actor(house.trainer.id))
        with pytest.raises(NotFound):
            followers.follower(house.other_campus, path, enrolment)
        followers.decide(house.campus, path, enrolment, "e2", "A tenu la borne.", by=Actor(house.trainer.id))
        assert [each.person.id for each in followers.proposals(house.campus)] == [person.id]
        assert services.dashboard.of(house.campus, today=house.clock().date()).waiting.pathways == 1
        assert len(services.awards.list_of(person.id)) == 1, "no badge of the whole by itself"
        followers.decline(
            house.campus, path, enrolment, "Il manque le second salon.", by=Actor(house.trainer.id)
        )
        assert followers.proposals(house.campus) == []
        followers.reopen(house.campus, path, enrolment, by=Actor(house.trainer.id))
    house.award("VAUBAN Luce <luce@exemple.fr>", badge=house.role, evidence="A tenu la borne.")
    work(house)
    with house.unit_of_work(reading=True) as services:
        own = services.pathway_followers.follower(house.campus, path, enrolment)
        assert own.enrolment.proposal is ProposalState.AWARDED
        assert services.pathway_followers.proposals(house.campus) == []


def test_a_learner_keeps_their_version_until_they_move_knowing_what_changes(house: House):
    path = draw_pathway(house)
    person, _ = holder(house)
    join(house, path, person)
    with house.unit_of_work() as services:
        by = Actor(house.admin.id)
        services.pathways.save_stage(house.campus, path, "e2", StageDraft("Tenir", others=(HOURS,)), by=by)
        services.pathways.publish(house.campus, path, by=by)
    assert states(house, path, person)["e2"] is StageState.OPEN
    with house.unit_of_work() as services:
        followers = services.pathway_followers
        own = followers.own(path, person.id)
        assert own is not None
        assert (own.enrolment.number, own.newest) == (1, 2)
        changes, then = followers.foreseen(own)
        assert [each.kind.value for each in changes] == ["conditions", "order"]
        assert (own.progress.is_complete, then.progress.is_complete) == (False, True)
        with pytest.raises(Conflict):
            followers.move(path, person, 1, by=Actor(person.id))
        followers.move(path, person, 2, by=Actor(person.id))
    assert states(house, path, person) == {"e1": StageState.DONE, "e2": StageState.DONE}


def test_overview_counts_stages_and_lists_by_name(house: House):
    path = draw_pathway(house)
    for name in ("Zoé Abadie", "Ali Zidane"):
        join(house, path, holder(house, name)[0])
    house.clock.move(days=90)
    with house.unit_of_work(reading=True) as services:
        found = services.pathway_followers.overview(house.campus, path)
        assert (found.total, found.states[("e2", StageState.OPEN)], found.quiet) == (2, 2, {"e2": 2})
        for wanted in (FollowerFilter(), FollowerFilter("e2"), FollowerFilter(quiet_since=house.clock())):
            names = [
                each.person.family_name
                for each in services.pathway_followers.every_follower(house.campus, path, wanted)
            ]
            assert names == ["ABADIE", "ZIDANE"] or names == ["Abadie", "Zidane"]
        some = FollowerFilter(
            name="zid", state=StageState.DONE, stage="e1", number=1, proposal=ProposalState.NONE
        )
        assert len(services.pathway_followers.followers(house.campus, path, some, limit=9)) == 1
        with pytest.raises(NotFound):
            services.pathway_followers.overview(house.other_campus, path)


def test_leaving_deletes_everything_but_the_badges(house: House):
    path = draw_pathway(house)
    person, _ = holder(house)
    enrolment = join(house, path, person)
    with house.unit_of_work() as services:
        followers = services.pathway_followers
        followers.decide(house.campus, path, enrolment, "e2", "A tenu la borne.", by=Actor(house.trainer.id))
        followers.leave(path, person, by=Actor(person.id))
        assert followers.own(path, person.id) is None
        assert services.stores.pathways.states_of([enrolment]) == {}
        assert len(services.awards.list_of(person.id)) == 1
        services.pathways.archive(house.campus, path, archived=True, by=Actor(house.admin.id))
        with pytest.raises(Conflict):
            followers.join(path, person, by=Actor(person.id))


def test_a_lost_mark_is_found_within_a_day(house: House):
    path = draw_pathway(house)
    person, award_id = holder(house)
    join(house, path, person)
    with house.owner.begin() as connection:
        connection.execute(
            Award.__table__.update().where(Award.__table__.c.id == award_id).values(state="revoked")  # type: ignore[attr-defined]
        )
    with house.unit_of_work(reading=True) as services:
        assert services.pathway_followers.due() == []
    house.clock.move(days=1, minutes=1)
    work(house)
    assert states(house, path, person)["e1"] is StageState.OPEN


def test_retention_ends_what_has_not_moved_for_three_years(house: House):
    path = draw_pathway(house)
    person, _ = holder(house)
    join(house, path, person)
    house.clock.now += timedelta(days=3 * 365 + 2)
    with house.unit_of_work() as services:
        while services.retention.delete_some():
            pass
        assert services.pathway_followers.own(path, person.id) is None


def test_overview_and_own_page_read_by_index(house: House):
    """On tables so small a planner may prefer a scan: it is told not to."""
    path = draw_pathway(house)
    person, _ = holder(house)
    join(house, path, person)
    asked: list[tuple[str, object]] = []
    with house.unit_of_work(reading=True) as services:
        connection = services.stores.session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        if not is_sqlite:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        event.listen(
            connection,
            "before_cursor_execute",
            lambda _c, _cursor, statement, values, *_: asked.append((statement, values)),
        )
        followers = services.pathway_followers
        followers.own(path, person.id)
        followers.overview(house.campus, path)
        followers.followers(house.campus, path, FollowerFilter("e2", quiet_since=house.clock()), limit=50)
        followers.proposals(house.campus)
        followers.due()
        plans = [
            "\n".join(
                str(row[3] if is_sqlite else row[0])
                for row in connection.exec_driver_sql(
                    f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {statement}",
                    values,  # type: ignore[arg-type]
                )
            )
            for statement, values in list(asked)
            if statement.startswith("SELECT") and "set_config" not in statement
        ]
    assert len(plans) > 8
    large = (
        "pathway_enrolment",
        "pathway_stage_state",
        "award",
        "participation",
        "person",
        "pathway_decision",
    )
    for plan in plans:
        for table in large:
            assert f"SCAN {table}\n" not in f"{plan}\n", plan
            assert f"Seq Scan on {table} " not in plan, plan
