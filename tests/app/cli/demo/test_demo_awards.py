"""Who is given what in the demo: each award could have been given by a trainer."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from app.domain.activities import Activity, Participation, PartKind, check_participation
from app.domain.awards import Award, LineOutcome, check_reason, judge_evidence, revoke
from app.domain.badges import Repeat
from demo.content import DemoContent
from tests.support.demo import TODAY, given_awards, participants, version_of


def test_a_workshop_of_today_waits_with_thirty_people_and_no_badge(content: DemoContent) -> None:
    waiting = "itip/robotique-aujourd-hui"
    workshop = {reference: activity for reference, _, activity in content.activities()}[waiting]
    assert workshop.starts_on(TODAY) == workshop.ends_on(TODAY) == TODAY
    people = participants(content)[waiting]
    assert len(people) == workshop.declared_size == 30
    assert not any(group.awards for group in content.groups if group.activity == waiting)
    holders = {award.person for award in given_awards(content) if award.badge == "itip/robotique-pour-tous"}
    assert len(holders & set(people)) == 2
    assert any(not content.learners[slug].addresses for slug in people)


def test_every_reference_leads_somewhere(content: DemoContent) -> None:
    badges = {reference for reference, _, _ in content.badges()}
    activities = {reference for reference, _, _ in content.activities()}
    for award in given_awards(content):
        assert award.badge in badges
        assert award.activity in activities
        assert award.person in content.learners
    assert {group.activity for group in content.groups} <= activities


def test_every_award_rests_on_the_evidence_that_its_badge_demands(content: DemoContent) -> None:
    badges = {reference: badge for reference, _, badge in content.badges()}
    for award in given_awards(content):
        participation = Participation(
            part=award.part, hours=award.hours, contribution=award.contribution or ""
        )
        check_participation(participation)
        eligibility = judge_evidence(
            version_of(badges[award.badge]),
            activity=Activity(hours=award.hours),
            participation=participation,
            evidence="",
        )
        assert eligibility.outcome is LineOutcome.READY, (award.badge, award.person, eligibility.sentence)


def test_awards_are_given_during_or_after_their_activity_and_never_in_the_future(
    content: DemoContent,
) -> None:
    activities = {reference: activity for reference, _, activity in content.activities()}
    for award in given_awards(content):
        assert activities[award.activity].starts_on(TODAY) <= award.awarded_on < TODAY


def test_nobody_is_given_a_badge_twice_unless_it_may_be_repeated(content: DemoContent) -> None:
    repeats = {reference: badge.repeat for reference, _, badge in content.badges()}
    keys = Counter(
        (
            award.badge,
            award.person,
            award.activity if repeats[award.badge] is Repeat.ONCE_PER_ACTIVITY else "",
        )
        for award in given_awards(content)
        if not award.revoked_on
    )
    assert [key for key, count in keys.items() if count > 1] == []


def test_nobody_takes_part_twice_in_one_activity_and_no_list_exceeds_the_declared_size(
    content: DemoContent,
) -> None:
    activities = {reference: activity for reference, _, activity in content.activities()}
    for reference, people in participants(content).items():
        assert len(people) == len(set(people)), reference
        declared = activities[reference].declared_size
        assert declared is None or len(people) <= declared, reference


def test_groups_ask_for_no_more_people_than_they_have(content: DemoContent) -> None:
    for group in content.groups:
        size = len(group.members(content.learners))
        for award in group.awards:
            assert award.open <= (award.count or size) <= size


def test_both_parts_are_played_in_the_demo(content: DemoContent) -> None:
    assert {group.part for group in content.groups} == set(PartKind)


def test_the_thirty_new_fresque_facilitators_all_hold_their_badge(content: DemoContent) -> None:
    holders = [award for award in given_awards(content) if award.badge == "ti/animateur-fresque-du-climat"]
    assert len(holders) == 30


def test_some_pages_are_open_and_more_are_closed(content: DemoContent) -> None:
    counts = Counter(award.open for award in given_awards(content))
    assert counts[True] > 50
    assert counts[False] > counts[True]


def test_one_badge_is_revoked_with_a_reason_that_its_holder_can_read(content: DemoContent) -> None:
    (revoked,) = [award for award in content.awards if award.revoked_on]
    assert revoked.revocation_reason
    check_reason(revoked.revocation_reason)
    assert revoked.awarded_on < (revoked.revoked_on or date.min)
    at = datetime(2026, 4, 14, tzinfo=UTC)
    revoke(Award(awarded_at=at), revoked.revocation_reason, at=at)


def test_one_badge_has_expired_and_most_have_not(content: DemoContent) -> None:
    badges = {reference: badge for reference, _, badge in content.badges()}
    expired = [
        award
        for award in given_awards(content)
        if (days := version_of(badges[award.badge]).validity_days)
        and award.awarded_on + timedelta(days=days) < TODAY
    ]
    assert [award.badge for award in expired] == ["amf/rendre-compte"]


def test_one_definition_was_awarded_then_superseded_and_awarded_again(content: DemoContent) -> None:
    (badge,) = [badge for _, _, badge in content.badges() if badge.earlier]
    assert badge.slug == "acteur-explor-ici"
    (earlier,) = badge.earlier
    assert earlier.criteria != badge.criteria
    given = [award for award in given_awards(content) if award.badge == "itip/acteur-explor-ici"]
    for award in given:
        assert (award.version == 1) == (award.awarded_on < earlier.superseded_on)
    assert {award.version for award in given} == {1, None}
