"""Progress on a pathway: conditions, order of stages, choices; versions compared; the proposal at the end."""

from __future__ import annotations

import random
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import ActivityKind
from app.domain.frameworks.pathway_progress import (
    AttendedActivity,
    HeldBadge,
    PathwayFacts,
    PathwayProgress,
    StageDecision,
    note_progress,
    progress_of,
)
from app.domain.frameworks.pathways import (
    ChangeKind,
    ConditionKind,
    Named,
    PathwayContent,
    PathwayEnrolment,
    ProposalState,
    Stage,
    StageCondition,
    StageState,
    changes_between,
    check_publishable,
    check_stage,
    decline,
)
from app.errors import Conflict, InvalidInput

DAY = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = DAY + timedelta(days=200)
IDS = [uuid.UUID(int=number) for number in range(1, 9)]
SOLDER = uuid.UUID(int=100)


def badge(number: int) -> Named:
    return Named(IDS[number], f"Badge {number}")


def badges(*numbers: int, least: int = 1) -> StageCondition:
    return StageCondition(ConditionKind.BADGES, least, tuple(map(badge, numbers)))


def stage(key: str, *conditions: StageCondition, after: str = "", **more: object) -> Stage:
    return Stage(key, f"Étape {key}", "", conditions, tuple(after.split()), **more)  # type: ignore[arg-type]


def held(number: int, *, day: int = 0, **more: object) -> HeldBadge:
    award = uuid.uuid5(SOLDER, f"award {number} {day} {more}")
    return HeldBadge(award, IDS[number], DAY + timedelta(days=day), **more)  # type: ignore[arg-type]


def attended(minutes: int, day: int = 0, kind: ActivityKind = ActivityKind.WORKSHOP) -> AttendedActivity:
    part = uuid.uuid5(SOLDER, f"part {minutes} {day} {kind}")
    return AttendedActivity(part, kind, minutes, DAY + timedelta(days=day))


def content(*stages: Stage) -> PathwayContent:
    return PathwayContent("Contrôle d’accès", badge=badge(7), stages=stages)


def states(found: PathwayProgress) -> dict[str, StageState]:
    return {each.stage.key: each.state for each in found.stages}


MIXED = content(
    stage("e1", badges(0)),
    stage("e2", badges(1, 2, 3, least=2), after="e1"),
    stage("e3", StageCondition(ConditionKind.COMPETENCY, 2, competency=Named(SOLDER, "Souder")), after="e2"),
    stage("e4", StageCondition(ConditionKind.HOURS, 10, kinds=(ActivityKind.WORKSHOP,)), choice="a"),
    stage("e5", StageCondition(ConditionKind.DECISION, text="Un chantier tenu."), choice="a", after="e2"),
    stage("e6", StageCondition(ConditionKind.ACTIVITIES, 3), after="e4", is_optional=True),
)

facts_parts = st.tuples(
    st.lists(
        st.builds(
            held,
            st.integers(0, 7),
            day=st.integers(0, 150),
            levels=st.sampled_from(({}, {SOLDER: 1}, {SOLDER: 2}, {SOLDER: 3})),
            is_revoked=st.booleans(),
        ),
        max_size=8,
    ),
    st.lists(
        st.builds(attended, st.integers(0, 500), st.integers(0, 150), st.sampled_from(ActivityKind)),
        max_size=8,
    ),
    st.lists(st.builds(StageDecision, st.sampled_from(("e1", "e5")), st.just(DAY)), max_size=2),
)


@given(facts_parts, facts_parts)
def test_further_awards_hours_and_decisions_never_take_a_stage_away(one, other):
    rank = [StageState.LATER, StageState.OPEN, StageState.DONE].index
    before = progress_of(MIXED, PathwayFacts(*one), at=NOW)
    more = PathwayFacts(*(mine + theirs for mine, theirs in zip(one, other, strict=True)))
    after = progress_of(MIXED, more, at=NOW)
    for key, state in states(before).items():
        assert rank(states(after)[key]) >= rank(state), key
    assert after.is_complete or not before.is_complete


@given(facts_parts, st.randoms())
def test_order_and_repetition_of_facts_do_not_matter(parts, shuffling: random.Random):
    expected = progress_of(MIXED, PathwayFacts(*parts), at=NOW)
    mixed = [list(each) + list(each) for each in parts]
    for each in mixed:
        shuffling.shuffle(each)
    assert progress_of(MIXED, PathwayFacts(*mixed), at=NOW) == expected


def test_withdrawn_or_expired_award_takes_its_stage_back():
    path = content(stage("e1", badges(0)))
    assert progress_of(path, PathwayFacts([held(0)]), at=NOW).is_complete
    for lost in (replace(held(0), is_revoked=True), replace(held(0), valid_until=NOW)):
        assert states(progress_of(path, PathwayFacts([lost]), at=NOW)) == {"e1": StageState.OPEN}


def test_stages_wait_for_those_before_them_but_count_whenever_they_are_reached():
    found = progress_of(MIXED, PathwayFacts([held(1), held(2, day=9)]), at=NOW)
    assert states(found)["e1"] is StageState.OPEN
    assert states(found)["e2"] is StageState.DONE
    assert found.stages[1].since == DAY + timedelta(days=9)
    assert states(found)["e3"] is StageState.OPEN
    assert found.next is not None
    assert found.next.stage.key == "e1"


def test_one_of_a_choice_suffices_and_the_other_is_no_longer_needed():
    found = progress_of(MIXED, PathwayFacts(activities=[attended(600)]), at=NOW)
    e4, e5 = found.stages[3], found.stages[4]
    assert (e4.state, e5.is_needed) == (StageState.DONE, False)
    rest = PathwayFacts([held(0), held(1), held(2), held(3, levels={SOLDER: 3})], [attended(600)])
    assert progress_of(MIXED, rest, at=NOW).is_complete, "an optional stage is not waited for"


def test_hours_are_reached_on_the_day_that_completes_them():
    path = content(stage("e1", StageCondition(ConditionKind.HOURS, 2)))
    found = progress_of(path, PathwayFacts(activities=[attended(90, 5), attended(60, 2)]), at=NOW)
    assert found.stages[0].since == DAY + timedelta(days=5)
    assert found.stages[0].conditions[0].reached == 150


def test_a_pathway_that_could_never_begin_is_refused():
    first = stage("e1", badges(0))
    cases = {
        "no condition": (content(first), stage("e2")),
        "too many of the set": (content(first), stage("e2", badges(0, least=2))),
        "a circle": (
            content(replace(first, after=("e2",)), stage("e2", badges(1))),
            stage("e2", badges(1), after="e1"),
        ),
        "a choice that waits for itself": (
            content(replace(first, choice="a")),
            stage("e2", badges(1), after="e1", choice="a"),
        ),
    }
    for path, refused in cases.values():
        with pytest.raises(InvalidInput):
            check_stage(path, refused)
    for path in (content(), replace(content(first), badge=None), content(replace(first, is_optional=True))):
        with pytest.raises(InvalidInput):
            check_publishable(path)
    check_publishable(MIXED)


def test_content_survives_its_document():
    assert PathwayContent.from_document(MIXED.to_document()) == MIXED


def test_changes_name_each_stage_that_differs():
    new = MIXED.without_stage("e1").with_stage(
        replace(MIXED.stages[3], conditions=(badges(5),), is_optional=True)
    )
    new = new.with_stage(stage("e7", badges(6)))
    found = [(each.kind, each.title) for each in changes_between(MIXED, new)]
    assert found == [
        (ChangeKind.ORDER, "Étape e2"),
        (ChangeKind.CONDITIONS, "Étape e4"),
        (ChangeKind.OPTIONAL, "Étape e4"),
        (ChangeKind.ADDED, "Étape e7"),
        (ChangeKind.REMOVED, "Étape e1"),
    ]
    assert changes_between(MIXED, MIXED) == []


def test_stages_move_within_their_list():
    keys = [each.key for each in MIXED.moved("e3", -1).stages]
    assert keys == ["e1", "e3", "e2", "e4", "e5", "e6"]
    assert MIXED.moved("e1", -1) == MIXED
    assert MIXED.next_key() == "e7"


def test_a_complete_pathway_is_proposed_once_and_a_refusal_stands():
    path = content(stage("e1", badges(0)))
    complete = progress_of(path, PathwayFacts([held(0)]), at=NOW)
    begun = progress_of(path, PathwayFacts(), at=NOW)
    enrolment = PathwayEnrolment(
        pathway_id=IDS[0],
        campus_id=IDS[0],
        person_id=IDS[0],
        number=1,
        joined_at=DAY,
        changed_at=DAY,
        checked_at=DAY,
    )
    note_progress(enrolment, complete, holds_badge=False, at=NOW)
    assert (enrolment.proposal, enrolment.proposed_at) == (ProposalState.WAITING, NOW)
    note_progress(enrolment, begun, holds_badge=False, at=NOW)
    assert enrolment.proposal is ProposalState.NONE, "a withdrawn badge takes the proposal back"
    note_progress(enrolment, complete, holds_badge=False, at=NOW)
    with pytest.raises(InvalidInput):
        decline(enrolment, "non", by=IDS[1])
    decline(enrolment, "Le dossier ne montre pas encore de chantier.", by=IDS[1])
    note_progress(enrolment, complete, holds_badge=False, at=NOW)
    assert enrolment.proposal is ProposalState.DECLINED
    with pytest.raises(Conflict):
        decline(enrolment, "Encore une fois.", by=IDS[1])
    note_progress(enrolment, complete, holds_badge=True, at=NOW)
    assert enrolment.proposal is ProposalState.AWARDED
