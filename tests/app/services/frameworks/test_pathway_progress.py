"""Pathways in the service: published in versions, joined, computed again by the worker, proposed at the end."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from app.db.frameworks import pathways as pathway_store
from app.db.frameworks.pathways import FollowerFilter
from app.domain.accounts.sign_in import Wish, mailbox_token
from app.domain.activities import ActivityKind, PartKind
from app.domain.awards import Award
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.frameworks.pathways import (
    ConditionKind,
    PathwayContent,
    PathwayStageState,
    ProposalState,
    StageCondition,
    StageState,
)
from app.domain.learners.portfolios import ContributionStatement
from app.domain.people import Person
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.jobs.kinds import PATHWAYS
from app.services.frameworks.pathways import StageDraft
from tests.support.house import House, done_once

pytestmark = pytest.mark.both_engines

HOURS = StageCondition(ConditionKind.HOURS, 3)
SEEN = StageCondition(ConditionKind.DECISION, text="A tenu un poste devant du public.")


@done_once
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
        followers.mine(person.id)
        followers.follows(path, person.id)
        followers.followers(house.campus, path, FollowerFilter("e2", quiet_since=house.clock()), limit=50)
        followers.followers(house.campus, path, FollowerFilter(quiet_since=house.clock()), limit=50)
        followers.followers(house.campus, path, FollowerFilter(name="vauban", number=1), limit=50)
        services.pathways.next_activities(house.campus, services.pathways.show(path).content.stages)
        services.catalogue.pathways_with([house.presence.badge.id])
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
        "contribution",
        "activity",
        "activity_campus",
        "catalogue_entry",
        "pathway_subject",
    )
    for plan in plans:
        for table in large:
            assert f"SCAN {table}\n" not in f"{plan}\n", plan
            assert f"Seq Scan on {table} " not in plan, plan


def contributed(
    house: House,
    person: Person,
    hours: float,
    *,
    activity: bool = False,
    campus: Campus | None = None,
    confirmed: bool = True,
) -> uuid.UUID:
    result = ContributionStatement(
        "Le banc d’essai", "J’ai monté le banc d’essai et je l’ai expliqué.", PartKind.RESOURCE,
        house.clock().date(), hours,
    )  # fmt: skip
    where = campus or house.campus
    with house.unit_of_work() as services:
        made = services.contributions.add(
            person, where, result, house.activity.id if activity else None, [], today=house.clock().date(),
            by=Actor(person.id),
        ).id  # fmt: skip
        if confirmed:
            services.contributions.confirm(where, made, by=Actor(house.trainer.id))
    work(house)
    return made


def hours_pathway(house: House, least: int, kinds: tuple[ActivityKind, ...] = ()) -> uuid.UUID:
    with house.unit_of_work() as services:
        by, paths = Actor(house.admin.id), services.pathways
        path = paths.create(house.campus, PathwayContent("Des heures"), by=by)
        paths.describe(
            house.campus, path.id, title="Des heures", summary="", badge_id=house.role.badge.id, by=by
        )
        hours = StageCondition(ConditionKind.HOURS, least, kinds=kinds)
        paths.save_stage(house.campus, path.id, "", StageDraft("Faire", others=(hours,)), by=by)
        paths.publish(house.campus, path.id, by=by)
        return path.id


def minutes_on(house: House, path: uuid.UUID, person: Person) -> int:
    states(house, path, person)
    with house.unit_of_work(reading=True) as services:
        own = services.pathway_followers.own(path, person.id)
        assert own is not None
        return own.progress.stages[0].conditions[0].reached


def test_confirmed_contributions_count_as_hours_and_no_hour_counts_twice(house: House):
    path = hours_pathway(house, 5)
    person, _ = holder(house)
    join(house, path, person)
    assert minutes_on(house, path, person) == 180, "the activity"
    contributed(house, person, 9, confirmed=False)
    assert minutes_on(house, path, person) == 180, "until somebody confirms"
    contributed(house, person, 4, activity=True)
    assert minutes_on(house, path, person) == 180, "it is part of the hours of its activity"
    made = contributed(house, person, 2.5)
    assert minutes_on(house, path, person) == 330
    assert states(house, path, person)["e1"] is StageState.DONE
    with house.unit_of_work() as services:
        services.contributions.correct(
            house.campus, made, telling="J’ai monté le banc d’essai et je l’ai expliqué.", hours=1,
            reason="Une heure, pas plus.", by=Actor(house.admin.id),
        )  # fmt: skip
    work(house)
    assert states(house, path, person)["e1"] is StageState.OPEN
    with house.unit_of_work() as services:
        services.contributions.reopen(
            house.campus, made, "Relue par une autre personne.", by=Actor(house.admin.id)
        )
    work(house)
    assert minutes_on(house, path, person) == 180


def test_a_contribution_to_no_activity_is_of_no_kind(house: House):
    path = hours_pathway(house, 5, (house.activity.kind,))
    person, _ = holder(house)
    join(house, path, person)
    contributed(house, person, 4)
    assert minutes_on(house, path, person) == 180


def merged(house: House, kept: uuid.UUID, gone: uuid.UUID) -> uuid.UUID:
    with house.unit_of_work() as services:
        return services.merging.merge_in_campus(
            house.campus, kept, gone, "Même personne, deux adresses.", by=Actor(house.admin.id)
        ).id


def test_of_two_records_of_one_person_one_follows_the_pathway_with_what_both_reached(house: House):
    path = draw_pathway(house)
    (luce, _), (lucie, _) = holder(house), holder(house, "Lucie Vauban")
    join(house, path, luce)
    theirs = join(house, path, lucie)
    with house.unit_of_work() as services:
        services.pathway_followers.decide(
            house.campus, path, theirs, "e2", "A tenu la borne.", by=Actor(house.trainer.id)
        )
    merge_id = merged(house, luce.id, lucie.id)
    work(house)
    assert states(house, path, luce) == {"e1": StageState.DONE, "e2": StageState.DONE}
    with house.unit_of_work(reading=True) as services:
        overview = services.pathway_followers.overview(house.campus, path)
        assert (overview.total, sum(overview.states.values())) == (1, 2), "one person, two stages"
    with house.unit_of_work() as services:
        services.merging.undo_in_campus(house.campus, merge_id, by=Actor(house.admin.id))
    work(house)
    assert states(house, path, luce) == {"e1": StageState.DONE, "e2": StageState.OPEN}
    with house.unit_of_work(reading=True) as services:
        own = services.pathway_followers.own(path, lucie.id)
        assert own is not None
        assert own.progress.stages[0].state is StageState.DONE
        assert own.progress.stages[1].conditions[1].is_met, "the decision was about her"


def test_an_erased_person_is_counted_nowhere(house: House):
    path = draw_pathway(house)
    (luce, award_id), (noor, _) = holder(house), holder(house, "Noor Amrani")
    join(house, path, luce)
    join(house, path, noor)
    with house.unit_of_work() as services:
        wish = Wish.ERASURE_EVERYWHERE
        services.erasures.confirm(mailbox_token(house.process.secret, award_id, house.clock.now, wish))
    work(house)
    with house.unit_of_work(reading=True) as services:
        overview = services.pathway_followers.overview(house.campus, path)
        assert (overview.total, overview.states["e1", StageState.DONE]) == (1, 1)
        rows = services.stores.session.connection().execute(
            select(func.count()).select_from(PathwayStageState)
        )
        assert rows.scalar_one() == 2


@pytest.mark.parametrize("many", [False, True])
def test_filters_find_the_same_people_whichever_way_they_are_read(
    house: House, many: bool, monkeypatch: pytest.MonkeyPatch
):
    """Few matches are listed at once; many are looked up in the order of names."""
    if many:
        monkeypatch.setattr(pathway_store, "_MOST_VALUES", 1)
    path = draw_pathway(house)
    for name in ("Luce Vauban", "Noor Amrani", "Zoé Baptiste"):
        join(house, path, holder(house, name)[0])
    house.clock.now += timedelta(days=90)
    join(house, path, holder(house, "Abel Caron")[0])

    def names(**wanted) -> list[str]:
        with house.unit_of_work(reading=True) as services:
            found = services.pathway_followers.followers(
                house.campus, path, FollowerFilter(**wanted), limit=50
            )
            return [each.person.family_name.lower() for each in found]

    quiet = house.clock() - timedelta(days=60)
    assert names() == ["amrani", "baptiste", "caron", "vauban"]
    assert names(quiet_since=quiet) == ["amrani", "baptiste", "vauban"]
    assert names(stage="e2", quiet_since=quiet, name="vauban") == ["vauban"]
    assert names(stage="e1", state=StageState.DONE) == ["amrani", "baptiste", "caron", "vauban"]
    assert names(stage="e2", state=StageState.DONE) == []
    assert names(stage="e9") == []
