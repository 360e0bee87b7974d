"""Pathways: published in versions, joined, recomputed by the worker, proposed when complete."""

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
from tests.support.app import App, done_once

pytestmark = pytest.mark.both_engines

HOURS = StageCondition(ConditionKind.HOURS, 3)
SEEN = StageCondition(ConditionKind.DECISION, text="A tenu un poste devant du public.")


@done_once
def draw_pathway(app: App) -> uuid.UUID:
    """A pathway of presence, then three hours and a decision, for the badge « engaged »."""
    with app.unit_of_work() as services:
        by, paths = Actor(app.admin.id), services.pathways
        path = paths.create(app.campus, PathwayContent("Robotique"), by=by)
        paths.describe(app.campus, path.id, title="Robotique", summary="", badge_id=app.role.badge.id, by=by)
        paths.save_stage(
            app.campus, path.id, "", StageDraft("Venir", badge_ids=(app.presence.badge.id,)), by=by
        )
        paths.save_stage(
            app.campus, path.id, "", StageDraft("Tenir", after=("e1",), others=(HOURS, SEEN)), by=by
        )
        paths.publish(app.campus, path.id, by=by)
        return path.id


def holder(app: App, name: str = "Luce Vauban") -> tuple[Person, uuid.UUID]:
    """A person with the badge of presence and three hours."""
    given, family = name.split()
    award_id = app.award(f"{family.upper()} {given} <{given.lower()}@exemple.fr>").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work(reading=True) as services:
        return services.awards.get(app.campus, award_id).person, award_id


def join(app: App, path: uuid.UUID, person: Person) -> uuid.UUID:
    with app.unit_of_work() as services:
        return services.pathway_followers.join(path, person, by=Actor(person.id)).id


def work(app: App) -> None:
    while PATHWAYS.perform(app.process, path_of_none):
        pass


path_of_none = uuid.UUID(int=1)


def states(app: App, path: uuid.UUID, person: Person) -> dict[str, StageState]:
    with app.unit_of_work(reading=True) as services:
        own = services.pathway_followers.own(path, person.id)
        assert own is not None
        stored = {
            row.stage: row.state
            for row in services.stores.pathways.states_of([own.enrolment.id])[own.enrolment.id]
        }
        assert stored == {each.stage.key: each.state for each in own.progress.stages}, "as computed now"
        return stored


def test_a_published_version_is_never_changed(app: App):
    path = draw_pathway(app)
    with pytest.raises(DBAPIError, match="never changes"), app.owner.begin() as connection:
        connection.execute(text("UPDATE pathway_version SET number = 7"))
    with app.unit_of_work() as services:
        by = Actor(app.admin.id)
        assert services.pathways.publish(app.campus, path, by=by) == 1, "nothing changed"
        services.pathways.save_stage(app.campus, path, "e2", StageDraft("Tenir", others=(SEEN,)), by=by)
        assert services.pathways.publish(app.campus, path, by=by) == 2
        versions = (services.stores.pathways.version(path, number) for number in (1, 2))
        first, second = (PathwayContent.from_document(version.content) for version in versions)
        assert [len(each.stages[1].conditions) for each in (first, second)] == [2, 1]
        assert services.pathways.show(path).content == second


def test_an_award_and_its_withdrawal_reach_the_stages(app: App):
    path = draw_pathway(app)
    person, award_id = holder(app)
    join(app, path, person)
    assert states(app, path, person) == {"e1": StageState.DONE, "e2": StageState.OPEN}
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Donné à tort ce jour-là.", by=Actor(app.trainer.id))
    work(app)
    assert states(app, path, person) == {"e1": StageState.OPEN, "e2": StageState.LATER}
    app.award("VAUBAN Luce <luce@exemple.fr>")
    work(app)
    assert states(app, path, person)["e1"] is StageState.DONE


def test_a_complete_pathway_is_proposed_to_others_and_never_issued(app: App):
    path = draw_pathway(app)
    person, _ = holder(app)
    enrolment = join(app, path, person)
    with app.unit_of_work() as services:
        followers = services.pathway_followers
        with pytest.raises(NotAllowed):
            followers.decide(app.campus, path, enrolment, "e2", "Je me suis vue.", by=Actor(person.id))
        with pytest.raises(InvalidInput):
            followers.decide(app.campus, path, enrolment, "e2", "", by=Actor(app.trainer.id))
        with pytest.raises(NotFound):
            followers.decide(app.campus, path, enrolment, "e1", "Vu au salon.", by=Actor(app.trainer.id))
        with pytest.raises(NotFound):
            followers.follower(app.other_campus, path, enrolment)
        followers.decide(app.campus, path, enrolment, "e2", "A tenu la borne.", by=Actor(app.trainer.id))
        assert [each.person.id for each in followers.proposals(app.campus)] == [person.id]
        assert services.dashboard.of(app.campus, today=app.clock().date()).waiting.pathways == 1
        assert len(services.awards.list_of(person.id)) == 1, "no badge of the whole by itself"
        followers.decline(app.campus, path, enrolment, "Il manque le second salon.", by=Actor(app.trainer.id))
        assert followers.proposals(app.campus) == []
        followers.reopen(app.campus, path, enrolment, by=Actor(app.trainer.id))
    app.award("VAUBAN Luce <luce@exemple.fr>", badge=app.role, evidence="A tenu la borne.")
    work(app)
    with app.unit_of_work(reading=True) as services:
        own = services.pathway_followers.follower(app.campus, path, enrolment)
        assert own.enrolment.proposal is ProposalState.AWARDED
        assert services.pathway_followers.proposals(app.campus) == []


def test_learner_stays_on_their_version_until_they_accept_the_changes(app: App):
    path = draw_pathway(app)
    person, _ = holder(app)
    join(app, path, person)
    with app.unit_of_work() as services:
        by = Actor(app.admin.id)
        services.pathways.save_stage(app.campus, path, "e2", StageDraft("Tenir", others=(HOURS,)), by=by)
        services.pathways.publish(app.campus, path, by=by)
    assert states(app, path, person)["e2"] is StageState.OPEN
    with app.unit_of_work() as services:
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
    assert states(app, path, person) == {"e1": StageState.DONE, "e2": StageState.DONE}


def test_overview_counts_stages_and_lists_by_name(app: App):
    path = draw_pathway(app)
    for name in ("Zoé Abadie", "Ali Zidane"):
        join(app, path, holder(app, name)[0])
    app.clock.move(days=90)
    with app.unit_of_work(reading=True) as services:
        found = services.pathway_followers.overview(app.campus, path)
        assert (found.total, found.states[("e2", StageState.OPEN)], found.quiet) == (2, 2, {"e2": 2})
        for wanted in (FollowerFilter(), FollowerFilter("e2"), FollowerFilter(quiet_since=app.clock())):
            names = [
                each.person.family_name
                for each in services.pathway_followers.every_follower(app.campus, path, wanted)
            ]
            assert names == ["ABADIE", "ZIDANE"] or names == ["Abadie", "Zidane"]
        some = FollowerFilter(
            name="zid", state=StageState.DONE, stage="e1", number=1, proposal=ProposalState.NONE
        )
        assert len(services.pathway_followers.followers(app.campus, path, some, limit=9)) == 1
        with pytest.raises(NotFound):
            services.pathway_followers.overview(app.other_campus, path)


def test_leaving_deletes_everything_except_the_badges(app: App):
    path = draw_pathway(app)
    person, _ = holder(app)
    enrolment = join(app, path, person)
    with app.unit_of_work() as services:
        followers = services.pathway_followers
        followers.decide(app.campus, path, enrolment, "e2", "A tenu la borne.", by=Actor(app.trainer.id))
        followers.leave(path, person, by=Actor(person.id))
        assert followers.own(path, person.id) is None
        assert services.stores.pathways.states_of([enrolment]) == {}
        assert len(services.awards.list_of(person.id)) == 1
        services.pathways.archive(app.campus, path, archived=True, by=Actor(app.admin.id))
        with pytest.raises(Conflict):
            followers.join(path, person, by=Actor(person.id))


def test_a_lost_mark_is_found_within_a_day(app: App):
    path = draw_pathway(app)
    person, award_id = holder(app)
    join(app, path, person)
    with app.owner.begin() as connection:
        connection.execute(
            Award.__table__.update().where(Award.__table__.c.id == award_id).values(state="revoked")  # type: ignore[attr-defined]
        )
    with app.unit_of_work(reading=True) as services:
        assert services.pathway_followers.due() == []
    app.clock.move(days=1, minutes=1)
    work(app)
    assert states(app, path, person)["e1"] is StageState.OPEN


def test_retention_deletes_progress_unchanged_for_three_years(app: App):
    path = draw_pathway(app)
    person, _ = holder(app)
    join(app, path, person)
    app.clock.now += timedelta(days=3 * 365 + 2)
    with app.unit_of_work() as services:
        while services.retention.delete_some():
            pass
        assert services.pathway_followers.own(path, person.id) is None


def test_overview_and_own_page_read_by_index(app: App):
    """On small tables a planner may prefer a scan, so scans are disabled."""
    path = draw_pathway(app)
    person, _ = holder(app)
    join(app, path, person)
    asked: list[tuple[str, object]] = []
    with app.unit_of_work(reading=True) as services:
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
        followers.overview(app.campus, path)
        followers.mine(person.id)
        followers.follows(path, person.id)
        followers.followers(app.campus, path, FollowerFilter("e2", quiet_since=app.clock()), limit=50)
        followers.followers(app.campus, path, FollowerFilter(quiet_since=app.clock()), limit=50)
        followers.followers(app.campus, path, FollowerFilter(name="vauban", number=1), limit=50)
        services.pathways.next_activities(app.campus, services.pathways.show(path).content.stages)
        services.catalogue.pathways_with([app.presence.badge.id])
        followers.proposals(app.campus)
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
    app: App,
    person: Person,
    hours: float,
    *,
    activity: bool = False,
    campus: Campus | None = None,
    confirmed: bool = True,
) -> uuid.UUID:
    result = ContributionStatement(
        "Le banc d’essai", "J’ai monté le banc d’essai et je l’ai expliqué.", PartKind.RESOURCE,
        app.clock().date(), hours,
    )  # fmt: skip
    where = campus or app.campus
    with app.unit_of_work() as services:
        made = services.contributions.add(
            person, where, result, app.activity.id if activity else None, [], today=app.clock().date(),
            by=Actor(person.id),
        ).id  # fmt: skip
        if confirmed:
            services.contributions.confirm(where, made, by=Actor(app.trainer.id))
    work(app)
    return made


def hours_pathway(app: App, least: int, kinds: tuple[ActivityKind, ...] = ()) -> uuid.UUID:
    with app.unit_of_work() as services:
        by, paths = Actor(app.admin.id), services.pathways
        path = paths.create(app.campus, PathwayContent("Des heures"), by=by)
        paths.describe(app.campus, path.id, title="Des heures", summary="", badge_id=app.role.badge.id, by=by)
        hours = StageCondition(ConditionKind.HOURS, least, kinds=kinds)
        paths.save_stage(app.campus, path.id, "", StageDraft("Faire", others=(hours,)), by=by)
        paths.publish(app.campus, path.id, by=by)
        return path.id


def minutes_on(app: App, path: uuid.UUID, person: Person) -> int:
    states(app, path, person)
    with app.unit_of_work(reading=True) as services:
        own = services.pathway_followers.own(path, person.id)
        assert own is not None
        return own.progress.stages[0].conditions[0].reached


def test_confirmed_contributions_count_as_hours_and_no_hour_counts_twice(app: App):
    path = hours_pathway(app, 5)
    person, _ = holder(app)
    join(app, path, person)
    assert minutes_on(app, path, person) == 180, "the activity"
    contributed(app, person, 9, confirmed=False)
    assert minutes_on(app, path, person) == 180, "until somebody confirms"
    contributed(app, person, 4, activity=True)
    assert minutes_on(app, path, person) == 180, "it is part of the hours of its activity"
    made = contributed(app, person, 2.5)
    assert minutes_on(app, path, person) == 330
    assert states(app, path, person)["e1"] is StageState.DONE
    with app.unit_of_work() as services:
        services.contributions.correct(
            app.campus, made, telling="J’ai monté le banc d’essai et je l’ai expliqué.", hours=1,
            reason="Une heure, pas plus.", by=Actor(app.admin.id),
        )  # fmt: skip
    work(app)
    assert states(app, path, person)["e1"] is StageState.OPEN
    with app.unit_of_work() as services:
        services.contributions.reopen(
            app.campus, made, "Relue par une autre personne.", by=Actor(app.admin.id)
        )
    work(app)
    assert minutes_on(app, path, person) == 180


def test_contribution_without_an_activity_has_no_kind(app: App):
    path = hours_pathway(app, 5, (app.activity.kind,))
    person, _ = holder(app)
    join(app, path, person)
    contributed(app, person, 4)
    assert minutes_on(app, path, person) == 180


def merged(app: App, kept: uuid.UUID, gone: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work() as services:
        return services.merging.merge_in_campus(
            app.campus, kept, gone, "Même personne, deux adresses.", by=Actor(app.admin.id)
        ).id


def test_merged_person_follows_the_pathway_with_the_progress_of_both_records(app: App):
    path = draw_pathway(app)
    (luce, _), (lucie, _) = holder(app), holder(app, "Lucie Vauban")
    join(app, path, luce)
    theirs = join(app, path, lucie)
    with app.unit_of_work() as services:
        services.pathway_followers.decide(
            app.campus, path, theirs, "e2", "A tenu la borne.", by=Actor(app.trainer.id)
        )
    merge_id = merged(app, luce.id, lucie.id)
    work(app)
    assert states(app, path, luce) == {"e1": StageState.DONE, "e2": StageState.DONE}
    with app.unit_of_work(reading=True) as services:
        overview = services.pathway_followers.overview(app.campus, path)
        assert (overview.total, sum(overview.states.values())) == (1, 2), "one person, two stages"
    with app.unit_of_work() as services:
        services.merging.undo_in_campus(app.campus, merge_id, by=Actor(app.admin.id))
    work(app)
    assert states(app, path, luce) == {"e1": StageState.DONE, "e2": StageState.OPEN}
    with app.unit_of_work(reading=True) as services:
        own = services.pathway_followers.own(path, lucie.id)
        assert own is not None
        assert own.progress.stages[0].state is StageState.DONE
        assert own.progress.stages[1].conditions[1].is_met, "the decision was about her"


def test_an_erased_person_is_counted_nowhere(app: App):
    path = draw_pathway(app)
    (luce, award_id), (noor, _) = holder(app), holder(app, "Noor Amrani")
    join(app, path, luce)
    join(app, path, noor)
    with app.unit_of_work() as services:
        wish = Wish.ERASURE_EVERYWHERE
        services.erasures.confirm(mailbox_token(app.process.secret, award_id, app.clock.now, wish))
    work(app)
    with app.unit_of_work(reading=True) as services:
        overview = services.pathway_followers.overview(app.campus, path)
        assert (overview.total, overview.states["e1", StageState.DONE]) == (1, 1)
        rows = services.stores.session.connection().execute(
            select(func.count()).select_from(PathwayStageState)
        )
        assert rows.scalar_one() == 2


@pytest.mark.parametrize("many", [False, True])
def test_filters_find_the_same_people_with_either_query(
    app: App, many: bool, monkeypatch: pytest.MonkeyPatch
):
    """Few matches are listed at once; many are read in the order of names."""
    if many:
        monkeypatch.setattr(pathway_store, "_MOST_VALUES", 1)
    path = draw_pathway(app)
    for name in ("Luce Vauban", "Noor Amrani", "Zoé Baptiste"):
        join(app, path, holder(app, name)[0])
    app.clock.now += timedelta(days=90)
    join(app, path, holder(app, "Abel Caron")[0])

    def names(**wanted) -> list[str]:
        with app.unit_of_work(reading=True) as services:
            found = services.pathway_followers.followers(app.campus, path, FollowerFilter(**wanted), limit=50)
            return [each.person.family_name.lower() for each in found]

    quiet = app.clock() - timedelta(days=60)
    assert names() == ["amrani", "baptiste", "caron", "vauban"]
    assert names(quiet_since=quiet) == ["amrani", "baptiste", "vauban"]
    assert names(stage="e2", quiet_since=quiet, name="vauban") == ["vauban"]
    assert names(stage="e1", state=StageState.DONE) == ["amrani", "baptiste", "caron", "vauban"]
    assert names(stage="e2", state=StageState.DONE) == []
    assert names(stage="e9") == []
