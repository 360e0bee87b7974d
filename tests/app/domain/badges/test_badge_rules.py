"""Rules of badges: what they count, in which words they say it, and that the words say what is counted."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import ActivityKind, PartKind
from app.domain.badges.rules import (
    Condition,
    CountedLine,
    Measure,
    Period,
    Practised,
    Rule,
    check_rule,
    counted_line,
    missing_words,
    months_before,
    rule_words,
    step_words,
)
from app.errors import InvalidInput
from app.language import speaking
from tests.support.badges.rule_words import read_and_judge

TODAY = date(2026, 3, 31)
WELDING, SPEAKING = (
    Practised(uuid.UUID(int=1), "Souder à l’arc"),
    Practised(uuid.UUID(int=2), "Prendre la parole"),
)
WORKSHOPS = Condition(Measure.ACTIVITIES, 3, (ActivityKind.WORKSHOP,))
TWELVE_HOURS = Condition(Measure.HOURS, 12 * 60)
A_PROJECT = Condition(Measure.ACTIVITIES, 1, (ActivityKind.PROJECT,), PartKind.RESOURCE)


def line(
    kind: ActivityKind = ActivityKind.WORKSHOP,
    *,
    hours: float = 2,
    part: PartKind = PartKind.LEARNER,
    on: date = date(2026, 1, 10),
    practised: frozenset[uuid.UUID] = frozenset(),
) -> CountedLine:
    return CountedLine(uuid.uuid4(), 1, kind, part, on, on, round(hours * 60), "Une activité", practised)


def met(rule: Rule, *lines: CountedLine) -> bool:
    return rule.progress(lines, today=TODAY).is_met


# --- what is asked, by example


def test_three_workshops_and_twelve_hours():
    rule = Rule(((WORKSHOPS, TWELVE_HOURS),))
    three = [line(hours=4), line(hours=4), line(hours=3)]
    assert not met(rule, *three)
    assert met(rule, *three, line(ActivityKind.EVENT, hours=1))
    assert not met(rule, line(hours=6), line(hours=6))


def test_a_project_is_counted_for_whoever_led_it_only():
    rule = Rule(((A_PROJECT,),))
    assert met(rule, line(ActivityKind.PROJECT, part=PartKind.RESOURCE))
    assert not met(rule, line(ActivityKind.PROJECT), line(part=PartKind.RESOURCE))


def test_confirmed_contributions_are_counted_for_themselves_and_their_hours_with_no_activity():
    rule = Rule(
        ((Condition(Measure.CONTRIBUTIONS, 2, part=PartKind.RESOURCE), Condition(Measure.HOURS, 60)),)
    )
    own = replace(line(ActivityKind.PROJECT, part=PartKind.RESOURCE, hours=5), is_contribution=True)
    progress = rule.progress([own], today=TODAY)
    assert [step.reached for step in progress.nearest] == [1, 0]
    assert missing_words(progress.nearest) == "une contribution confirmée comme ressource et 1\u00a0h"
    with speaking("en"):
        assert rule_words(rule) == "2 confirmed contributions as a resource and 1\u00a0h"


def test_either_way_leads_to_the_badge():
    rule = Rule(((WORKSHOPS, TWELVE_HOURS), (A_PROJECT,)))
    assert met(rule, line(ActivityKind.PROJECT, part=PartKind.RESOURCE))
    assert met(rule, *[line(hours=4) for _ in range(3)])


def test_a_competency_counts_where_it_was_practised():
    rule = Rule(((Condition(Measure.HOURS, 120, practised=WELDING),),))
    assert met(rule, line(practised=frozenset({WELDING.id})))
    assert not met(rule, line(practised=frozenset({SPEAKING.id})))


def test_what_lies_outside_the_period_does_not_count():
    two = (Condition(Measure.ACTIVITIES, 1),)
    spring = Rule((two,), Period(date(2026, 1, 1), date(2026, 1, 31)))
    assert met(spring, line(on=date(2026, 1, 31)))
    assert not met(spring, line(on=date(2025, 12, 31)), line(on=date(2026, 2, 1)))
    one_month = Rule((two,), Period(months=1))
    assert met(one_month, line(on=date(2026, 2, 28)))
    assert not met(one_month, line(on=date(2026, 2, 27)))


def test_a_month_before_the_last_of_march_is_the_last_of_february():
    assert months_before(date(2026, 3, 31), 1) == date(2026, 2, 28)
    assert months_before(date(2024, 3, 31), 1) == date(2024, 2, 29)
    assert months_before(date(2026, 1, 15), 12) == date(2025, 1, 15)


def test_progress_says_what_is_missing_on_the_nearest_way():
    rule = Rule(((A_PROJECT,), (WORKSHOPS, TWELVE_HOURS)))
    progress = rule.progress([line(hours=4), line(hours=4)], today=TODAY)
    assert [step_words(step) for step in progress.nearest] == ["2 sur 3 ateliers", "8\u00a0h sur 12\u00a0h"]
    assert missing_words(progress.nearest) == "un atelier et 4\u00a0h"
    with speaking("en"):
        assert missing_words(progress.nearest) == "one workshop and 4\u00a0h"


def test_the_lines_that_count_are_those_of_the_way_taken():
    rule = Rule(((A_PROJECT,), (WORKSHOPS,)))
    project, shops = line(ActivityKind.PROJECT, part=PartKind.RESOURCE), [line(), line()]
    assert rule.progress([*shops, project], today=TODAY).lines == (project,)


def test_words_in_french_and_in_english():
    rule = Rule(((WORKSHOPS, TWELVE_HOURS), (A_PROJECT,)), Period(date(2025, 9, 1), date(2026, 8, 31)))
    assert rule_words(rule) == (
        "3 ateliers et 12\u00a0h, ou bien un projet comme ressource, "
        "entre le 1er septembre 2025 et le 31 août 2026"
    )
    with speaking("en"):
        assert rule_words(rule) == (
            "3 workshops and 12\u00a0h, or else one project as a resource, "
            "between 1 September 2025 and 31 August 2026"
        )


def test_who_was_not_there_counts_for_nothing():
    facts = {
        "activity": "Robotique",
        "activityKind": "workshop",
        "startsOn": "2026-01-10",
        "endsOn": "2026-01-10",
        "minutes": None,
        "part": "apprenant",
        "present": True,
    }
    assert counted_line(uuid.uuid4(), 4, facts) is not None
    assert counted_line(uuid.uuid4(), 4, facts | {"present": False}) is None
    assert counted_line(uuid.uuid4(), 4, {"text": "Une appréciation"}) is None


@pytest.mark.parametrize(
    "rule",
    [
        Rule(()),
        Rule(((),)),
        Rule(((WORKSHOPS,) * 7,)),
        Rule(((replace(WORKSHOPS, least=0),),)),
        Rule(((replace(WORKSHOPS, least=501),),)),
        Rule(((WORKSHOPS,),), Period(date(2026, 2, 1), date(2026, 1, 1))),
        Rule(((WORKSHOPS,),), Period(date(2026, 2, 1), months=3)),
        Rule(((WORKSHOPS,),), Period(months=0)),
    ],
)
def test_what_no_rule_may_say(rule: Rule):
    with pytest.raises(InvalidInput):
        check_rule(rule)


@pytest.mark.parametrize(
    "document",
    [
        {"any": []},
        {"all": []},
        {"any": [{"all": [{"measure": "smiles", "least": 3}]}]},
        {"any": [{"all": [{"measure": "hours", "least": "3"}]}]},
        {"any": [{"all": [{"measure": "hours", "least": True}]}]},
        {"any": [{"all": [{"measure": "hours", "least": 3, "competency": {"id": "x", "name": "y"}}]}]},
        {"any": "abc"},
        {"any": [{"all": [{"measure": "hours", "least": 3}]}], "period": {"months": "6"}},
        {"any": [{"all": [{"measure": "hours", "least": 3}]}], "period": {"from": "demain"}},
        {"any": [{"all": [{"measure": "hours", "least": 3}]}], "period": 12},
    ],
)
def test_a_document_that_is_no_rule_is_refused(document: dict):
    with pytest.raises(InvalidInput):
        Rule.from_document(document)


# --- whatever the rule and whatever was done

kinds = st.sampled_from(ActivityKind)
parts = st.sampled_from(PartKind)
days = st.dates(date(2025, 1, 1), date(2026, 3, 31))
conditions = st.builds(
    lambda measure, least, kinds, part, practised: Condition(
        measure,
        least * 90 if measure is Measure.HOURS else least,
        tuple(kind for kind in ActivityKind if kind in kinds),
        part,
        None if measure is Measure.CONTRIBUTIONS else practised,
    ),
    st.sampled_from(Measure),
    st.integers(1, 6),
    st.sets(kinds, max_size=3),
    st.none() | parts,
    st.none() | st.sampled_from([WELDING, SPEAKING]),
)
periods = st.one_of(
    st.just(Period()),
    st.builds(Period, months=st.integers(1, 24)),
    st.builds(lambda first, length: Period(first, first + timedelta(length)), days, st.integers(0, 400)),
    st.builds(Period, first=days),
    st.builds(Period, last=days),
)
rules = st.builds(
    Rule,
    st.lists(st.lists(conditions, min_size=1, max_size=2).map(tuple), min_size=1, max_size=3).map(tuple),
    periods,
)
lines = st.builds(
    lambda kind, part, minutes, first, length, practised: CountedLine(
        uuid.uuid4(), 0, kind, part, first, first + timedelta(length), minutes, "", frozenset(practised)
    ),
    kinds,
    parts,
    st.integers(0, 600),
    days,
    st.integers(0, 5),
    st.sets(st.sampled_from([WELDING.id, SPEAKING.id])),
)
contributed = st.builds(
    lambda line, within: replace(
        line, is_contribution=True, kind=line.kind if within else None, practised=frozenset()
    ),
    lines,
    st.booleans(),
)
logs = st.lists(lines | contributed, max_size=12)


@given(rules)
def test_the_data_of_a_rule_gives_the_same_rule_back(rule: Rule):
    assert Rule.from_document(rule.to_document()) == rule


@given(rules, logs, lines)
def test_taking_part_once_more_never_takes_a_badge_away(
    rule: Rule, log: list[CountedLine], more: CountedLine
):
    before, after = rule.progress(log, today=TODAY), rule.progress([*log, more], today=TODAY)
    assert after.is_met or not before.is_met
    for old, new in zip(before.ways, after.ways, strict=True):
        assert all(now.reached >= then.reached for then, now in zip(old, new, strict=True))


@given(rules, logs, st.randoms())
def test_the_order_of_the_lines_says_nothing(rule: Rule, log: list[CountedLine], random):
    shuffled = log[:]
    random.shuffle(shuffled)
    assert rule.progress(log, today=TODAY) == rule.progress(shuffled, today=TODAY)


@given(rules, logs)
def test_the_lines_it_rests_on_alone_meet_a_rule_that_is_met(rule: Rule, log: list[CountedLine]):
    progress = rule.progress(log, today=TODAY)
    assert rule.progress(progress.lines, today=TODAY).is_met is progress.is_met


@given(rules, logs)
def test_words_of_what_is_missing_are_empty_for_whoever_is_there_and_for_nobody_else(rule, log):
    progress = rule.progress(log, today=TODAY)
    assert (missing_words(progress.nearest) == "") is progress.is_met


@given(rules, logs)
def test_the_french_words_say_exactly_what_is_counted(rule: Rule, log: list[CountedLine]):
    result = read_and_judge(rule_words(rule), log, today=TODAY, practised=(WELDING, SPEAKING))
    assert result is rule.progress(log, today=TODAY).is_met
