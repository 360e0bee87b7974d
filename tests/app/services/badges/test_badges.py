"""Badges as their writers work on them: drafts, opening, versions frozen by an award, archives; on both databases."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from sqlmodel import select

from app.domain.badges import ArchivedBadge, BadgeKind, Repeat, Step, UnopenedBadge
from app.domain.badges.rules import Condition, Measure, Rule
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.frameworks import public_alignment
from app.errors import InvalidInput, NotFound
from app.services.badges import BadgePage, Wording, WrittenMeanwhile, wording_of
from tests.support.house import House

DRAFT = Wording(BadgeKind.ENGAGEMENT, "Tuteur de l’atelier", "", "")
WHOLE = Wording(
    BadgeKind.ENGAGEMENT,
    "Tuteur de l’atelier",
    "A tenu le rôle de tuteur pendant un atelier.",
    "A accompagné un petit groupe.\n\n**Comment c’est jugé.** Une formatrice observe et note.",
)


def write(house: House, wording: Wording, *, draft: bool = True) -> BadgePage:
    with house.unit_of_work() as services:
        return services.badges.create(house.campus, wording, draft=draft, by=Actor(house.admin.id))


def rewrite(house: House, page: BadgePage, wording: Wording) -> BadgePage:
    with house.unit_of_work() as services:
        return services.badges.rewrite(
            house.campus,
            page.badge.id,
            wording,
            repeat=Repeat.ONCE,
            accepts_requests=False,
            by=Actor(house.admin.id),
        )


def open_it(house: House, page: BadgePage) -> None:
    with house.unit_of_work() as services:
        services.badges.open(house.campus, page.badge.id, by=Actor(house.admin.id))


def test_a_draft_is_given_to_nobody_until_it_is_opened(house: House):
    page = write(house, WHOLE)
    with pytest.raises(UnopenedBadge):
        house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    open_it(house, page)
    result = house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    assert result.lines[0].award_id


def test_a_draft_that_lacks_what_its_kind_asks_for_stays_a_draft(house: House):
    page = write(house, DRAFT)
    with pytest.raises(InvalidInput):
        open_it(house, page)
    rewrite(house, page, WHOLE)
    open_it(house, page)
    with house.unit_of_work(reading=True) as services:
        assert not services.badges.manuscript(house.campus, page.badge.id).page.version.is_draft


def test_writing_again_what_nobody_holds_changes_the_version_itself(house: House):
    page = rewrite(house, write(house, DRAFT), WHOLE)
    assert (page.version.number, page.version.description) == (1, WHOLE.description)


def test_once_given_a_version_stays_and_the_next_is_a_draft_beside_it(house: House):
    page = write(house, WHOLE, draft=False)
    house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    newer = Wording(WHOLE.kind, "Tutrice, tuteur", WHOLE.description, WHOLE.criteria)
    assert rewrite(house, page, newer).version.number == 2
    with house.unit_of_work(reading=True) as services:
        current = services.badges.page(house.campus, page.badge.id)
        listed = {b.id: v.number for b, v in services.badges.list_current(house.campus)}
    assert (current.version.number, current.version.name) == (1, WHOLE.name)
    assert listed[page.badge.id] == 1
    open_it(house, page)
    with house.unit_of_work(reading=True) as services:
        assert services.badges.page(house.campus, page.badge.id).version.name == "Tutrice, tuteur"


def test_writing_the_same_again_makes_no_new_version(house: House):
    page = write(house, WHOLE, draft=False)
    house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    assert rewrite(house, page, WHOLE).version.number == 1


def test_saving_what_did_not_change_is_no_deed(house: House):
    page = write(house, WHOLE)
    rewrite(house, page, WHOLE)
    rewrite(house, page, replace(WHOLE, name="Tutrice, tuteur"))
    with house.unit_of_work(reading=True) as services:
        actions = services.stores.session.exec(
            select(HistoryEntry.action).where(HistoryEntry.noun_id == page.badge.id)
        ).all()
    assert sorted(actions) == ["create", "rewrite"]


def step(house: House, page: BadgePage, step: Step, wording: Wording, seen: str = "") -> BadgePage:
    with house.unit_of_work() as services:
        return services.badges.rewrite(
            house.campus,
            page.badge.id,
            wording,
            repeat=Repeat.ALWAYS,
            accepts_requests=True,
            by=Actor(house.admin.id),
            step=step,
            seen=seen,
        )


def test_a_step_changes_its_own_part_alone(house: House):
    page = write(house, WHOLE)
    typed = replace(WHOLE, name="Tutrice", validity_days=90, emblem="TUT")
    assert step(house, page, Step.AWARDING, typed).version.validity_days == 90
    after = step(house, page, Step.PICTURE, typed)
    assert (after.version.name, after.version.emblem, after.badge.repeat) == (
        WHOLE.name,
        "TUT",
        Repeat.ALWAYS,
    )
    assert step(house, page, Step.PUBLISHING, typed).version.name == WHOLE.name


def test_a_step_that_someone_else_saved_meanwhile_is_not_overwritten(house: House):
    page = write(house, WHOLE)
    with house.unit_of_work(reading=True) as services:
        seen = {each: services.badges.state(page, each) for each in Step}
    step(house, page, Step.CONTENT, replace(WHOLE, name="Tutrice"), seen[Step.CONTENT])
    step(house, page, Step.PICTURE, replace(WHOLE, emblem="TUT"), seen[Step.PICTURE])
    with pytest.raises(WrittenMeanwhile):
        step(house, page, Step.CONTENT, replace(WHOLE, name="Tuteur"), seen[Step.CONTENT])
    with house.unit_of_work(reading=True) as services:
        version = services.badges.manuscript(house.campus, page.badge.id).page.version
    assert (version.name, version.emblem) == ("Tutrice", "TUT")


def test_the_criteria_of_a_rule_follow_the_rule(house: House):
    rules = [Rule(((Condition(Measure.ACTIVITIES, least),),)) for least in (2, 5)]
    page = write(house, replace(WHOLE, kind=BadgeKind.PARTICIPATION, criteria="", rule=rules[0]))
    assert "2 activités" in page.version.criteria
    after = step(house, page, Step.AWARDING, replace(WHOLE, rule=rules[1]))
    assert "5 activités" in after.version.criteria


def test_a_kind_without_judging_drops_the_competencies(house: House):
    with house.unit_of_work() as services:
        by = Actor(house.admin.id)
        framework = services.competencies.framework(house.campus, code="ca", name="Accès", by=by)
        competency = services.competencies.create(
            house.campus, framework, code="CA-1", statement="Mesurer", levels=[], by=by
        )
    page = write(house, replace(WHOLE, competencies=[(competency.id, None)]))
    assert len(page.competencies) == 1
    after = step(house, page, Step.CONTENT, replace(WHOLE, kind=BadgeKind.PARTICIPATION))
    assert after.competencies == []


def test_an_archived_badge_is_not_given_until_it_is_taken_out_again(house: House):
    page, by = write(house, WHOLE, draft=False), Actor(house.admin.id)
    with house.unit_of_work() as services:
        services.badges.archive(house.campus, page.badge.id, by=by)
    with pytest.raises(ArchivedBadge):
        house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    with house.unit_of_work() as services:
        services.badges.restore(house.campus, page.badge.id, by=by)
    assert house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé.").lines[0].award_id


def test_another_campus_s_badge_is_as_good_as_absent(house: House):
    page = write(house, WHOLE)
    for action in ("open", "archive", "restore"):
        with pytest.raises(NotFound), house.unit_of_work() as services:
            getattr(services.badges, action)(house.other_campus, page.badge.id, by=Actor(house.stranger.id))


def test_what_was_written_is_read_back_and_published(house: House):
    wording = Wording(
        WHOLE.kind,
        WHOLE.name,
        WHOLE.description,
        WHOLE.criteria,
        tags=["tutorat"],
        alignments=[public_alignment("rncp", "RNCP35316BC02", "Installer un réseau")],
        alternative="Un bouclier orné des lettres TUT.",
        hue=120.0,
        liveliness=0.1,
        emblem="TUT",
    )
    page = write(house, wording, draft=False)
    assert wording_of(page.version, []) == wording
    result = house.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    assert result.lines[0].award_id
    with house.unit_of_work(reading=True) as services:
        published = json.loads(services.publication.definition(page.badge.id, 1)[1].body)
    assert published["image"]["caption"] == "Un bouclier orné des lettres TUT."
    (alignment,) = published["alignment"]
    assert alignment["targetCode"] == "RNCP35316BC02"
    assert "n’est pas la certification" in alignment["targetDescription"]
