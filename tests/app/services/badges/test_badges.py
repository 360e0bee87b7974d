"""Editing of badges: drafts, opening, versions frozen by an award, archives; on both databases."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace

import pytest
from sqlmodel import select

from app.domain.awards.skills import as_published
from app.domain.badges import (
    ArchivedBadge,
    BadgeCompetency,
    BadgeKind,
    BadgeVersion,
    Repeat,
    Step,
    UnopenedBadge,
)
from app.domain.badges.rules import Condition, Measure, Rule
from app.domain.campus.audit_log import Actor, HistoryEntry
from app.domain.campus.campus import CampusSettings
from app.domain.frameworks import Competency, Framework, public_alignment
from app.errors import InvalidInput, NotFound
from app.services.badges import BadgePage, Wording, WrittenMeanwhile, picture_words, wording_of
from tests.support.app import COMMAND, App

DRAFT = Wording(BadgeKind.ENGAGEMENT, "Tuteur de l’atelier", "", "")
WHOLE = Wording(
    BadgeKind.ENGAGEMENT,
    "Tuteur de l’atelier",
    "A tenu le rôle de tuteur pendant un atelier.",
    "A accompagné un petit groupe.\n\n**Comment c’est jugé.** Une formatrice observe et note.",
)


def write(app: App, wording: Wording, *, draft: bool = True) -> BadgePage:
    with app.unit_of_work() as services:
        return services.badges.create(app.campus, wording, draft=draft, by=Actor(app.admin.id))


def rewrite(app: App, page: BadgePage, wording: Wording) -> BadgePage:
    with app.unit_of_work() as services:
        return services.badges.rewrite(
            app.campus,
            page.badge.id,
            wording,
            repeat=Repeat.ONCE,
            accepts_requests=False,
            by=Actor(app.admin.id),
        )


def open_it(app: App, page: BadgePage) -> None:
    with app.unit_of_work() as services:
        services.badges.open(app.campus, page.badge.id, by=Actor(app.admin.id))


def test_draft_cannot_be_awarded_until_it_is_opened(app: App):
    page = write(app, WHOLE)
    with pytest.raises(UnopenedBadge):
        app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    open_it(app, page)
    result = app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    assert result.lines[0].award_id


def test_incomplete_draft_cannot_be_opened(app: App):
    page = write(app, DRAFT)
    with pytest.raises(InvalidInput):
        open_it(app, page)
    rewrite(app, page, WHOLE)
    open_it(app, page)
    with app.unit_of_work(reading=True) as services:
        assert not services.badges.manuscript(app.campus, page.badge.id).page.version.is_draft


def test_change_of_a_badge_without_awards_changes_its_version(app: App):
    page = rewrite(app, write(app, DRAFT), WHOLE)
    assert (page.version.number, page.version.description) == (1, WHOLE.description)


def test_awarded_version_stays_and_the_next_is_a_draft(app: App):
    page = write(app, WHOLE, draft=False)
    app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    newer = Wording(WHOLE.kind, "Tutrice, tuteur", WHOLE.description, WHOLE.criteria)
    assert rewrite(app, page, newer).version.number == 2
    with app.unit_of_work(reading=True) as services:
        current = services.badges.page(app.campus, page.badge.id)
        listed = {b.id: v.number for b, v in services.badges.list_current(app.campus)}
    assert (current.version.number, current.version.name) == (1, WHOLE.name)
    assert listed[page.badge.id] == 1
    open_it(app, page)
    with app.unit_of_work(reading=True) as services:
        assert services.badges.page(app.campus, page.badge.id).version.name == "Tutrice, tuteur"


def test_saving_the_same_text_makes_no_new_version(app: App):
    page = write(app, WHOLE, draft=False)
    app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    assert rewrite(app, page, WHOLE).version.number == 1


def test_saving_without_a_change_is_not_in_the_history(app: App):
    page = write(app, WHOLE)
    rewrite(app, page, WHOLE)
    rewrite(app, page, replace(WHOLE, name="Tutrice, tuteur"))
    with app.unit_of_work(reading=True) as services:
        actions = services.stores.session.exec(
            select(HistoryEntry.action).where(HistoryEntry.noun_id == page.badge.id)
        ).all()
    assert sorted(actions) == ["create", "rewrite"]


def step(app: App, page: BadgePage, step: Step, wording: Wording, seen: str = "") -> BadgePage:
    with app.unit_of_work() as services:
        return services.badges.rewrite(
            app.campus,
            page.badge.id,
            wording,
            repeat=Repeat.ALWAYS,
            accepts_requests=True,
            by=Actor(app.admin.id),
            step=step,
            seen=seen,
        )


def test_form_step_changes_only_its_own_fields(app: App):
    page = write(app, WHOLE)
    typed = replace(WHOLE, name="Tutrice", validity_days=90, emblem="TUT")
    assert step(app, page, Step.AWARDING, typed).version.validity_days == 90
    after = step(app, page, Step.PICTURE, typed)
    assert (after.version.name, after.version.emblem, after.badge.repeat) == (
        WHOLE.name,
        "TUT",
        Repeat.ALWAYS,
    )
    assert step(app, page, Step.PUBLISHING, typed).version.name == WHOLE.name


def test_form_step_saved_meanwhile_by_another_person_is_not_overwritten(app: App):
    page = write(app, WHOLE)
    with app.unit_of_work(reading=True) as services:
        seen = {each: services.badges.state(page, each) for each in Step}
    step(app, page, Step.CONTENT, replace(WHOLE, name="Tutrice"), seen[Step.CONTENT])
    step(app, page, Step.PICTURE, replace(WHOLE, emblem="TUT"), seen[Step.PICTURE])
    with pytest.raises(WrittenMeanwhile):
        step(app, page, Step.CONTENT, replace(WHOLE, name="Tuteur"), seen[Step.CONTENT])
    with app.unit_of_work(reading=True) as services:
        version = services.badges.manuscript(app.campus, page.badge.id).page.version
    assert (version.name, version.emblem) == ("Tutrice", "TUT")


def test_the_criteria_of_a_rule_follow_the_rule(app: App):
    rules = [Rule(((Condition(Measure.ACTIVITIES, least),),)) for least in (2, 5)]
    page = write(app, replace(WHOLE, kind=BadgeKind.PARTICIPATION, criteria="", rule=rules[0]))
    assert "2 activités" in page.version.criteria
    after = step(app, page, Step.AWARDING, replace(WHOLE, rule=rules[1]))
    assert "5 activités" in after.version.criteria


def test_kind_without_assessment_has_no_competencies(app: App):
    with app.unit_of_work() as services:
        by = Actor(app.admin.id)
        framework = services.competencies.framework(app.campus, code="ca", name="Accès", by=by)
        competency = services.competencies.create(
            app.campus, framework, code="CA-1", statement="Mesurer", levels=[], by=by
        )
    page = write(app, replace(WHOLE, competencies=[(competency.id, None)]))
    assert len(page.competencies) == 1
    after = step(app, page, Step.CONTENT, replace(WHOLE, kind=BadgeKind.PARTICIPATION))
    assert after.competencies == []


def test_an_archived_badge_is_not_given_until_it_is_taken_out_again(app: App):
    page, by = write(app, WHOLE, draft=False), Actor(app.admin.id)
    with app.unit_of_work() as services:
        services.badges.archive(app.campus, page.badge.id, by=by)
    with pytest.raises(ArchivedBadge):
        app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    with app.unit_of_work() as services:
        services.badges.restore(app.campus, page.badge.id, by=by)
    assert app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé.").lines[0].award_id


def test_badge_of_another_campus_is_not_found(app: App):
    page = write(app, WHOLE)
    for action in ("open", "archive", "restore"):
        with pytest.raises(NotFound), app.unit_of_work() as services:
            getattr(services.badges, action)(app.other_campus, page.badge.id, by=Actor(app.stranger.id))


def test_saved_badge_is_read_back_and_published(app: App):
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
    page = write(app, wording, draft=False)
    assert wording_of(page.version, []) == wording
    result = app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    assert result.lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        published = json.loads(services.publication.definition(page.badge.id, 1)[1].body)
    assert published["image"]["caption"] == "Un bouclier orné des lettres TUT."
    (alignment,) = published["alignment"]
    assert alignment["targetCode"] == "RNCP35316BC02"
    assert "n’est pas la certification" in alignment["targetDescription"]


# --- Competencies are amended after a badge names them


def competency_of(app: App) -> Competency:
    with app.unit_of_work() as services:
        framework = services.competencies.framework(app.campus, code="vrai", name="Le VRAI", by=COMMAND)
        return services.competencies.create(
            app.campus,
            framework,
            code="VRAI-2",
            statement="Programmer un robot",
            levels=["accompagné", "autonome", "sait transmettre"],
            by=COMMAND,
        )


def amend(app: App, competency: Competency, statement: str, *levels: str) -> None:
    with app.unit_of_work() as services:
        services.competencies.amend(
            app.campus, competency.id, statement=statement, levels=list(levels), by=COMMAND
        )


def shown(app: App, page: BadgePage) -> list[tuple[str, list[str], str, str]]:
    """Statement, levels, framework and picture text of the newest version."""
    with app.unit_of_work(reading=True) as services:
        found = services.badges.manuscript(app.campus, page.badge.id).page
        words = picture_words(app.campus, found.version, found.competencies).text()
        return [(item.statement, item.levels, whole.name, words) for _, item, whole in found.competencies]


ROBOT = Wording(
    BadgeKind.COMPETENCY,
    "Robotique",
    "Sait programmer un robot.",
    "A programmé un bras.\n\n**Comment c’est jugé.** Un essai complet est observé.",
)
AMENDED = ["débutant", "expert"]


def test_frozen_version_is_unchanged_when_its_competency_is_amended(app: App):
    competency = competency_of(app)
    page = write(app, replace(ROBOT, competencies=[(competency.id, 1)]), draft=False)
    app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    before = shown(app, page)
    amend(app, competency, "Piloter un bras", *AMENDED)
    with app.unit_of_work() as services:
        (whole,) = (each for _, each in services.competencies.list_of(app.campus))
        services.competencies.amend_framework(
            app.campus, whole.id, name="Autre nom", description="", levels=[], by=COMMAND
        )
        assert services.competencies.get(app.campus, competency.id)[0].statement == "Piloter un bras"
    assert shown(app, page) == before


def test_a_version_frozen_without_levels_as_data_keeps_the_one_it_attests(app: App):
    """As before December 2026, when the definition contained only the attested level."""
    competency = competency_of(app)
    page = write(app, replace(ROBOT, competencies=[(competency.id, 1)]), draft=False)
    app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    with app.unit_of_work(reading=True) as services:
        version = services.badges.page(app.campus, page.badge.id).version
        definition = json.loads(version.definition)
    del definition["resultDescription"]
    older = BadgeVersion(**{**version.model_dump(), "definition": json.dumps(definition).encode()})
    amended = Competency(**{**competency.model_dump(), "levels": AMENDED, "statement": "Piloter un bras"})
    ((_, published, _),) = as_published(
        older,
        [
            (
                BadgeCompetency(version_id=version.id, competency_id=competency.id, level=1),
                amended,
                Framework(name="x"),
            )
        ],
    )
    assert (published.statement, published.levels) == ("Programmer un robot", ["accompagné", "expert"])


def test_version_without_awards_follows_its_competency_with_its_picture(app: App):
    competency = competency_of(app)
    page = write(app, replace(ROBOT, competencies=[(competency.id, 1)]), draft=False)
    before = page.version.picture_svg, page.version.picture_png
    amend(app, competency, "Piloter un bras", *AMENDED)
    ((statement, levels, _, words),) = shown(app, page)
    assert (statement, levels) == ("Piloter un bras", AMENDED)
    assert "niveau 1 sur 2" in words
    with app.unit_of_work(reading=True) as services:
        version = services.badges.page(app.campus, page.badge.id).version
        assert version.picture_svg != before[0]
        assert version.picture_png != before[1]


def test_amended_competency_makes_one_draft_of_the_next_version(app: App):
    competency = competency_of(app)
    page = write(app, replace(ROBOT, competencies=[(competency.id, 1)]), draft=False)
    app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé trois groupes.")
    take_amended(app, page)
    assert newest(app, page) == (1, False), "nothing was amended"
    amend(app, competency, "Piloter un bras", *AMENDED)
    take_amended(app, page)
    take_amended(app, page)
    assert newest(app, page) == (2, True)
    assert [each[:2] for each in shown(app, page)] == [("Piloter un bras", AMENDED)]


def take_amended(app: App, page: BadgePage) -> None:
    with app.unit_of_work() as services:
        services.badges.take_amended(app.campus, page.badge.id, by=Actor(app.admin.id))


def newest(app: App, page: BadgePage) -> tuple[int, bool]:
    with app.unit_of_work(reading=True) as services:
        version = services.badges.manuscript(app.campus, page.badge.id).page.version
        return version.number, version.is_draft


# --- The campus changes its name and colours after a picture was drawn


def change_look(app: App) -> None:
    with app.unit_of_work() as services:
        settings = CampusSettings.of(services.campuses.get("itip"))
        changed = replace(settings, short_name="NOUV", hue=20.0, liveliness=0.05)
        services.campuses.change_settings("itip", changed, by=COMMAND)


def drawn(app: App, award_id: uuid.UUID) -> list[str]:
    """The picture of the award in its forms, and its text alternative."""
    with app.unit_of_work(reading=True) as services:
        record, pictures = services.awards.record(award_id), services.award_pictures
        words = picture_words(record.campus, record.version).text()
        return [pictures.svg(record), pictures.svg_without_code(record), words]


def test_pictures_of_awards_are_unchanged_after_a_change_of_campus_colours(app: App):
    page = write(app, WHOLE, draft=False)
    award_id = app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé.").lines[0].award_id
    assert award_id
    before = drawn(app, award_id)
    assert all("ITIP" in each for each in before)
    change_look(app)
    assert drawn(app, award_id) == before
    with app.unit_of_work() as services:
        campus, wanted = services.campuses.get("itip"), replace(WHOLE, description="Autre description.")
        newer = services.badges.revise(campus, page.badge.id, wanted, by=COMMAND).version
    assert "NOUV" in newer.picture_svg
    assert "ITIP" not in newer.picture_svg


def test_badge_opened_before_the_change_is_awarded_with_its_picture(app: App):
    page = write(app, WHOLE, draft=False)
    change_look(app)
    award_id = app.award("Zoé Martin;zoe@exemple.fr", badge=page, evidence="A aidé.").lines[0].award_id
    assert award_id
    assert all("ITIP" in each for each in drawn(app, award_id))
    with app.unit_of_work(reading=True) as services:
        caption = json.loads(services.badges.page(app.campus, page.badge.id).version.definition)["image"][
            "caption"
        ]
    assert "ITIP" in caption
