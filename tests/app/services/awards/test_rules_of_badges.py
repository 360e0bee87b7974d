"""Badge rules on a real log: eligible people, the evidence of an award, what changes it; on both databases."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import replace
from datetime import date

import pytest

from app.domain.activities import Activity, ActivityKind, PartKind, Plan
from app.domain.awards import LineOutcome, in_words
from app.domain.badges import Badge, BadgeKind, Repeat
from app.domain.badges.rules import Condition, Measure, Rule, missing_words
from app.domain.campus.audit_log import Actor
from app.domain.learners.portfolios import ContributionStatement
from app.domain.people import Person
from app.errors import NotFound
from app.language import speaking
from app.services.awards import rule_ledger
from app.services.awards.awards import AwardRequest, BatchResult
from app.services.awards.rule_ledger import Roll
from app.services.badges import Wording
from sceau_credentials.values import parse_json_object
from tests.support.app import COMMAND, App, done_once, listed

ZOE, LEO, AWA = "MARTIN Zoé;zoe@exemple.fr", "N’DIAYE Léo;leo@exemple.fr", "SOW Awa"
RULE = Rule(((Condition(Measure.ACTIVITIES, 2, (ActivityKind.WORKSHOP,)), Condition(Measure.HOURS, 6 * 60)),))
WORDING = Wording(BadgeKind.PARTICIPATION, "Parcours", "Deux ateliers et six heures.", "", rule=RULE)


@pytest.fixture
@done_once
def ruled(app: App) -> Badge:
    with app.unit_of_work() as services:
        return services.badges.create(app.campus, WORDING, slug="parcours", by=COMMAND).badge


@pytest.fixture
def workshops(app: App) -> list[Activity]:
    """Three of three hours each; Zoé attended all of them, Léo the first."""
    return app.once((__name__, "workshops"), lambda: _workshops(app))


def _workshops(app: App) -> list[Activity]:
    with app.unit_of_work() as services:
        made = [
            services.activities.create(
                Activity(kind=ActivityKind.WORKSHOP, title=f"Atelier {day}", starts_on=date(2026, 11, day),
                         ends_on=date(2026, 11, day), hours=3),
                [app.campus], by=COMMAND,
            )
            for day in (3, 10, 17)
        ]  # fmt: skip
        for activity in made:
            people = listed(ZOE, LEO) if activity is made[0] else listed(ZOE)
            services.activities.record(app.campus, activity.id, people, by=Actor(app.trainer.id))
        return made


def roll(app: App, badge: Badge) -> Roll:
    with app.unit_of_work(reading=True) as services:
        return services.rule_ledger.roll(app.campus, badge.id)


def names(app: App, badge: Badge) -> list[str]:
    return [one.person.name for one in roll(app, badge).ready]


def give(
    app: App, badge: Badge, people: Collection[Person], grounds: Collection[uuid.UUID] | None = None
) -> BatchResult:
    with app.unit_of_work() as services:
        request = AwardRequest(
            badge.id,
            person_ids=tuple(person.id for person in people),
            grounds=None if grounds is None else tuple(grounds),
            tells=False,
        )
        return services.awards.award(app.campus, request, by=Actor(app.trainer.id))


def numbers_of(app: App, award_id: uuid.UUID | None) -> list[str]:
    """The activities in the evidence of an award."""
    assert award_id is not None
    with app.unit_of_work(reading=True) as services:
        row = services.evidence.find(award_id)
        assert row is not None
        return sorted(payload.facts["activity"] for payload in services.evidence.payloads(row))


def test_roll_lists_eligible_people_and_what_others_lack(
    app: App, ruled: Badge, workshops: list[Activity]
) -> None:
    found = roll(app, ruled)
    assert [one.person.name for one in found.ready] == ["Zoé Martin"]
    (leo,) = found.near
    assert missing_words(leo.progress.nearest) == "un atelier et 3\u00a0h"


def test_an_award_rests_on_the_lines_that_the_rule_counted(
    app: App, ruled: Badge, workshops: list[Activity]
) -> None:
    (zoe,) = roll(app, ruled).ready
    (line,) = give(app, ruled, [zoe.person]).lines
    assert line.outcome is LineOutcome.AWARDED
    assert numbers_of(app, line.award_id) == ["Atelier 10", "Atelier 17", "Atelier 3"]
    with app.unit_of_work(reading=True) as services:
        signed = parse_json_object(services.stores.awards.document_of(line.award_id).embedded)
        (piece,) = signed["evidence"]
        assert "2 ateliers et 6\u00a0h" in piece["narrative"]
        assert "3 activités, 9\u00a0h, du 3 novembre 2026 au 17 novembre 2026" in piece["narrative"]
        criteria = signed["credentialSubject"]["achievement"]["criteria"]["narrative"]
        assert criteria == "La personne compte dans le journal du campus : 2 ateliers et 6\u00a0h."
        answer = services.verification.verify_award(services.awards.record(line.award_id))
        report = services.verification.with_evidence(answer).evidence
        assert report is not None
        assert report.outcome.value == "proved"
    assert roll(app, ruled).held == 1
    assert names(app, ruled) == []


def test_person_below_the_rule_gets_no_badge_and_reads_what_is_missing(
    app: App, ruled: Badge, workshops: list[Activity]
) -> None:
    (leo,) = roll(app, ruled).near
    (line,) = give(app, ruled, [leo.person]).lines
    assert line.outcome is LineOutcome.TOO_FEW_HOURS
    assert in_words(line.reason_values) == {
        "rule": "2 ateliers et 6\u00a0h",
        "missing": "un atelier et 3\u00a0h",
    }
    assert line.award_id is None


def test_missing_requirements_are_in_the_language_of_the_reader(
    app: App, ruled: Badge, workshops: list[Activity]
) -> None:
    (leo,) = roll(app, ruled).near
    with speaking("en"):
        (line,) = give(app, ruled, [leo.person]).lines
    with app.unit_of_work(reading=True) as services:
        (kept,) = services.award_batches.result(app.campus, line.batch_id).lines
    assert in_words(kept.reason_values)["missing"] == "un atelier et 3\u00a0h"
    with speaking("en"):
        assert in_words(kept.reason_values) == {
            "rule": "2 workshops and 6\u00a0h",
            "missing": "one workshop and 3\u00a0h",
        }


def test_list_in_an_activity_counts_together_with_the_log(
    app: App, ruled: Badge, workshops: list[Activity]
) -> None:
    with app.unit_of_work() as services:
        request = AwardRequest(ruled.id, app.activity.id, lines=listed(LEO, AWA), tells=False)
        seen = services.awards.preview(app.campus, request, by=Actor(app.trainer.id))
        leo, awa = services.awards.award(app.campus, request, by=Actor(app.trainer.id)).lines
        assert [line.eligibility.outcome for line in seen.lines] == [
            LineOutcome.READY,
            LineOutcome.TOO_FEW_HOURS,
        ]
    assert (leo.outcome, awa.outcome) == (LineOutcome.AWARDED, LineOutcome.TOO_FEW_HOURS)
    assert numbers_of(app, leo.award_id) == ["Atelier 3", "Atelier robotique"]


def test_trainer_removes_and_adds_evidence_lines(app: App, ruled: Badge, workshops: list[Activity]) -> None:
    (zoe,) = roll(app, ruled).ready
    first, second, third = workshops
    (short,) = give(app, ruled, [zoe.person], [first.id]).lines
    assert short.outcome is LineOutcome.TOO_FEW_HOURS
    (line,) = give(app, ruled, [zoe.person], [first.id, third.id]).lines
    assert numbers_of(app, line.award_id) == ["Atelier 17", "Atelier 3"]
    with app.unit_of_work() as services:
        request = AwardRequest(
            app.presence.badge.id, second.id, everybody=True, grounds=(first.id,), tells=False
        )
        (line,) = services.awards.award(app.campus, request, by=Actor(app.trainer.id)).lines
    assert numbers_of(app, line.award_id) == ["Atelier 10", "Atelier 3"]


def test_without_a_rule_or_a_choice_an_award_rests_on_its_activity_alone(
    app: App, workshops: list[Activity]
) -> None:
    with app.unit_of_work() as services:
        request = AwardRequest(app.presence.badge.id, workshops[1].id, everybody=True, tells=False)
        (line,) = services.awards.award(app.campus, request, by=Actor(app.trainer.id)).lines
    assert numbers_of(app, line.award_id) == ["Atelier 10"]


def test_correction_removes_a_person_from_the_eligible_people(
    app: App, ruled: Badge, workshops: list[Activity]
) -> None:
    with app.unit_of_work() as services:
        for activity in workshops[1:]:
            ((part, _),) = services.activities.page(app.campus, activity.id).participants
            services.activities.amend(
                app.campus, activity.id, part.id, part=PartKind.LEARNER, hours=1, contribution="",
                by=Actor(app.trainer.id), reason="Partie avant la fin.",
            )  # fmt: skip
    assert names(app, ruled) == []
    with app.unit_of_work() as services:
        result = replace_hours(workshops[0], 9)
        services.activity_plans.amend(app.campus, workshops[0].id, result, Plan(), by=COMMAND)
    assert names(app, ruled) == ["Zoé Martin"]


def replace_hours(activity: Activity, hours: float) -> Activity:
    return Activity(**{**activity.model_dump(exclude={"id"}), "hours": hours})


def test_forgotten_person_no_longer_counts(app: App, ruled: Badge, workshops: list[Activity]) -> None:
    (zoe,) = roll(app, ruled).ready
    with app.unit_of_work() as services:
        services.logged_events.forget(zoe.person.id, app.campus, uuid.uuid4())
    assert names(app, ruled) == []
    assert give(app, ruled, [zoe.person]).lines == []


def test_another_campus_counts_what_it_organises_once_it_has_agreed(
    app: App, workshops: list[Activity]
) -> None:
    other, by = app.other_campus, Actor(app.stranger.id)
    with app.unit_of_work() as services:
        badge = services.badges.create(other, WORDING, slug="parcours", by=COMMAND).badge
        for activity in workshops[:2]:
            result = replace_hours(activity, 3)
            services.activity_plans.amend(
                app.campus, activity.id, result, Plan(campuses=[other.slug]), by=COMMAND
            )
    with app.unit_of_work(reading=True) as services:
        assert services.rule_ledger.roll(other, badge.id).ready == []
    with app.unit_of_work() as services:
        for activity in workshops[:2]:
            services.activity_plans.answer(other, activity.id, accepts=True, by=by)
    with app.unit_of_work(reading=True) as services:
        (zoe,) = services.rule_ledger.roll(other, badge.id).ready
        assert [line.title for line in zoe.progress.lines] == ["Atelier 3", "Atelier 10"]


def test_people_unknown_to_the_campus_cannot_be_chosen(app: App, ruled: Badge) -> None:
    assert give(app, ruled, [app.stranger]).lines == []


def test_an_earlier_version_keeps_its_rule(app: App, ruled: Badge, workshops: list[Activity]) -> None:
    (zoe,) = roll(app, ruled).ready
    give(app, ruled, [zoe.person])
    longer = replace(WORDING, rule=Rule(((Condition(Measure.HOURS, 60 * 60),),)))
    with app.unit_of_work() as services:
        services.badges.rewrite(
            app.campus, ruled.id, longer, repeat=Repeat.ONCE, accepts_requests=False, by=COMMAND
        )
        services.badges.open(app.campus, ruled.id, by=COMMAND)
        first, second = (services.badges.page(app.campus, ruled.id, number) for number in (1, 2))
        assert Rule.from_document(first.version.rule) == RULE
        assert Rule.from_document(second.version.rule) == longer.rule
        assert services.rule_ledger.roll(app.campus, ruled.id).rule == longer.rule


def test_a_badge_without_a_rule_has_no_roll(app: App) -> None:
    with app.unit_of_work(reading=True) as services, pytest.raises(NotFound):
        services.rule_ledger.roll(app.campus, app.presence.badge.id)


CONTRIBUTED = Rule(((Condition(Measure.CONTRIBUTIONS, 1, part=PartKind.RESOURCE),),))


def test_a_confirmed_contribution_counts_and_the_badge_rests_on_it(app: App) -> None:
    app.record(ZOE)
    with app.unit_of_work() as services:
        badge = services.badges.create(
            app.campus, replace(WORDING, rule=CONTRIBUTED), slug="contribue", by=COMMAND
        ).badge
        ((_, zoe),) = services.activities.page(app.campus, app.activity.id).participants
        result = ContributionStatement("Le banc d’essai", "J’ai monté le banc d’essai et je l’ai expliqué.", PartKind.RESOURCE,
                    date(2026, 11, 20), 2.5)  # fmt: skip
        made = services.contributions.add(
            zoe, app.campus, result, None, [], today=date(2026, 11, 24), by=Actor(zoe.id)
        )
    assert names(app, badge) == []
    with app.unit_of_work() as services:
        services.contributions.confirm(app.campus, made.id, by=Actor(app.trainer.id))
    assert names(app, badge) == ["Zoé Martin"]
    (line,) = give(app, badge, [zoe]).lines
    assert line.outcome is LineOutcome.AWARDED
    assert line.award_id is not None
    with app.unit_of_work(reading=True) as services:
        row = services.evidence.find(line.award_id)
        assert row is not None
        assert [each.facts.get("title") for each in services.evidence.payloads(row)] == ["Le banc d’essai"]
        (piece,) = parse_json_object(services.stores.awards.document_of(line.award_id).embedded)["evidence"]
        assert "une contribution confirmée" in piece["narrative"]
    assert names(app, badge) == []


def test_roll_of_many_people_lists_the_first_and_counts_the_rest(
    app: App, ruled: Badge, workshops: list[Activity], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = listed(*(f"PERSONNE-{number:02} Awa;p{number}@exemple.fr" for number in range(6)))
    with app.unit_of_work() as services:
        for activity in workshops:
            services.activities.record(app.campus, activity.id, crowd, by=Actor(app.trainer.id))
    monkeypatch.setattr(rule_ledger, "READ_AT_ONCE", 4)
    found = roll(app, ruled)
    assert (len(found.ready), found.waiting, len(found.near)) == (4, 3, 1)
    give(app, ruled, [one.person for one in found.ready])
    found = roll(app, ruled)
    assert (len(found.ready), found.waiting, found.held) == (3, 0, 4)
