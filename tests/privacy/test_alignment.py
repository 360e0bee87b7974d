"""Signed documents follow the choice of their holder: after an upgrade, past their validity, and at every campus."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from app.container import Services
from app.domain.activities import Activity, ActivityKind
from app.domain.activities.check_in import Ticket, new_phone
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import Award, Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.domain.people import AgeGroup
from app.errors import Conflict, InvalidInput
from app.jobs.kinds import ALIGNMENTS, align_some
from app.services.awards import reissuing
from app.services.awards.awards import AwardRequest
from app.services.badges import BadgePage
from tests.support.app import COMMAND, App, _badge, build_app, send
from tests.support.content.open_awards import open_awards

TITLE = "Atelier robotique"
ZOE = ListedPerson(1, given_name="Zoé", family_name="Martin", address="zoe@exemple.fr")
PAUL = ListedPerson(2, given_name="Paul", family_name="Petit", address="paul@exemple.fr")


@pytest.fixture
def either_app(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def opened_awards(app: App, *people: ListedPerson, badge: BadgePage | None = None) -> list[uuid.UUID]:
    """Open awards whose documents contain everything."""
    with app.unit_of_work() as services:
        chosen = badge or app.presence
        campus = app.campus if chosen.badge.campus_id == app.campus.id else app.other_campus
        activity_id = app.activity.id
        if campus is app.other_campus:
            day = date(2026, 11, 20)
            activity_id = services.activities.create(
                Activity(kind=ActivityKind.WORKSHOP, title=TITLE, starts_on=day, ends_on=day, hours=3),
                [campus], by=COMMAND,
            ).id  # fmt: skip
        request = AwardRequest(
            chosen.badge.id, activity_id, lines=people, evidence="A tout monté.", tells=False
        )
        result = services.awards.award(campus, request, by=COMMAND)
        awards = [line.award_id for line in result.lines if line.award_id]
        for award_id in awards:
            services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
            services.log_disputes.show(
                campus, award_id, levels(services, award_id, DisclosedContent.ALL), by=COMMAND
            )
    return awards


def levels(services: Services, award_id: uuid.UUID, shown: DisclosedContent) -> dict[int, DisclosedContent]:
    row = services.evidence.find(award_id)
    assert row is not None
    return dict.fromkeys(row.entries, shown)


def hide_as_an_earlier_version_did(app: App, *awards: uuid.UUID) -> None:
    """The choice is stored, the documents stay as they were signed, and the upgrade marks them."""
    with app.unit_of_work() as services:
        for award_id in awards:
            for number in levels(services, award_id, DisclosedContent.EXISTENCE):
                services.stores.award_evidence.choose(
                    award_id, number, DisclosedContent.EXISTENCE, at=services.clock()
                )
        services.award_alignment.mark_all(app.campus.id)


def award_of(app: App, award_id: uuid.UUID) -> Award:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).award


def signed(app: App, award_id: uuid.UUID) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.stores.awards.document_of(award_id).embedded.decode()


def expire(app: App, award_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        award = services.stores.awards.lock(award_id)
        award.valid_until = services.clock() + timedelta(minutes=10)
        services.stores.awards.save(award)
    app.clock.move(minutes=20)


def test_an_award_signed_by_an_earlier_version_is_narrowed_before_anything_of_it_is_served(
    either_app: App,
) -> None:
    quick, page, picture = opened_awards(
        either_app, ZOE, PAUL, ListedPerson(3, "Ana", "Roy", "ana@exemple.fr")
    )
    hide_as_an_earlier_version_did(either_app, quick, page, picture)
    assert TITLE in signed(either_app, quick)
    reader = either_app.client()
    for path in (f"/attributions/{quick}.json", f"/attributions/{page}", f"/attributions/{picture}.svg"):
        answer = reader.get(path)
        assert answer.status_code == 200, path
        assert TITLE not in answer.text, path
    assert [award_of(either_app, each).edition for each in (quick, page, picture)] == [3, 3, 3]


def test_the_sweep_aligns_each_campus_in_portions_and_again_changes_nothing(
    either_app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reissuing, "_AT_ONCE", 1)
    awards = opened_awards(either_app, ZOE, PAUL)
    hide_as_an_earlier_version_did(either_app, *awards)
    process, campus_id = either_app.process, either_app.campus.id
    with process.unit_of_work(reading=True) as services:
        assert services.award_alignment.campuses_due() == [campus_id]
    assert align_some(process, campus_id)
    assert sorted(award_of(either_app, each).edition for each in awards) == [2, 3], "one portion"
    while align_some(process, campus_id):
        pass
    assert all(TITLE not in signed(either_app, each) for each in awards)
    assert not align_some(process, campus_id)
    assert [award_of(either_app, each).edition for each in awards] == [3, 3]
    assert ALIGNMENTS.due(process) == []


def test_closed_awards_of_adults_wait_until_they_are_opened(either_app: App) -> None:
    (award_id,) = opened_awards(either_app, ZOE)
    with either_app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=COMMAND)
    hide_as_an_earlier_version_did(either_app, award_id)
    while align_some(either_app.process, either_app.campus.id):
        pass
    assert TITLE in signed(either_app, award_id)
    with either_app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    assert TITLE not in signed(either_app, award_id)


def test_what_cannot_be_signed_again_is_held_back_and_stops_no_other(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, other = opened_awards(app, ZOE, PAUL)
    hide_as_an_earlier_version_did(app, held, other)
    prepare = reissuing.prepared_documents

    def refuse_one(documents, batch):  # type: ignore[no-untyped-def]
        if str(held) in str(documents[0]["id"]):
            return [InvalidInput("unfit")]
        return prepare(documents, batch)

    monkeypatch.setattr(reissuing, "prepared_documents", refuse_one)
    while align_some(app.process, app.campus.id):
        pass
    assert TITLE not in signed(app, other)
    reader = app.client()
    for path in (f"/attributions/{held}.json", f"/attributions/{held}", f"/attributions/{held}.png"):
        answer = reader.get(path)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1"), path
        assert TITLE not in answer.text, path
    with app.unit_of_work(reading=True) as services:
        assert services.award_alignment.campuses_due() == [], "tried again a day later"
        kept = open_awards(services, "itip")
        assert [each.award.id for each in kept] == [other]


@pytest.mark.parametrize("badge_is_expired", [True, False])
def test_a_learner_reads_that_the_page_of_an_expired_badge_closes_before_they_choose(
    app: App, badge_is_expired: bool
) -> None:
    result = app.award("Zoé Martin;zoe@exemple.fr")
    (award_id,) = [line.award_id for line in result.lines if line.award_id]
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    if badge_is_expired:
        expire(app, award_id)
    learner = app.client()
    learner.get(app.private_link(result))
    seen = f"/mes-badges/{award_id}/journal"
    for shown, differs in ((DisclosedContent.SUMMARY, False), (DisclosedContent.EXISTENCE, True)):
        with app.unit_of_work(reading=True) as services:
            form = {f"ligne-{number}": shown.value for number in levels(services, award_id, shown)}
        text = send(learner, f"{seen}/montrer/comparer", form, seen_on=seen).text
        assert ("sa page est fermée" in text) is (badge_is_expired and differs)
        assert ("signé de nouveau à la même adresse" in text) is not (badge_is_expired and differs)
    assert send(learner, f"{seen}/montrer", form, seen_on=seen).status_code == 303
    is_closed = award_of(app, award_id).visibility is Visibility.CLOSED
    assert is_closed is badge_is_expired


def test_an_expired_badge_stops_no_change_of_name_and_none_of_its_own_is_signed(app: App) -> None:
    expired, valid = opened_awards(app, ZOE), opened_awards(app, ZOE, badge=app.role)
    with app.unit_of_work() as services:
        for (award_id,) in (expired, valid):
            record = services.awards.record(award_id)
            services.reissuing.choose_name(record.award, True, name="Zoé Martin", by=COMMAND)
    expire(app, expired[0])
    with app.unit_of_work() as services:
        awards = [services.awards.record(each).award for each in (*expired, *valid)]
        changed = services.reissuing.write_name(awards, "ZOE MARTIN", by=COMMAND)
        assert [each.id for each in changed] == valid
    with app.unit_of_work() as services:
        award = services.awards.record(expired[0]).award
        with pytest.raises(Conflict):
            services.reissuing.choose_name(award, True, name="ZOE MARTIN", by=COMMAND)
        services.reissuing.choose_name(award, False, name="", by=COMMAND)
    assert award_of(app, expired[0]).visibility is Visibility.CLOSED, "its file still says the name"


@pytest.mark.parametrize("group", [AgeGroup.UNDER_15, AgeGroup.FROM_15])
def test_an_expired_badge_stops_no_age_group_from_being_noted(app: App, group: AgeGroup) -> None:
    expired, valid = opened_awards(app, ZOE), opened_awards(app, ZOE, badge=app.role)
    expire(app, expired[0])
    note_from_the_staff_page(app, person_of(app, expired[0]), group)
    assert award_of(app, expired[0]).visibility is Visibility.CLOSED
    assert TITLE not in signed(app, valid[0])


def person_of(app: App, award_id: uuid.UUID) -> uuid.UUID:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).person.id


def note_from_the_staff_page(app: App, person_id: uuid.UUID, group: AgeGroup) -> None:
    with app.process.visit(campus_id=app.campus.id, person_id=app.trainer.id) as services:
        services.guardians.set_age_group(app.campus, person_id, group, by=Actor(app.trainer.id))


def note_from_the_activity(app: App, group: AgeGroup) -> None:
    with app.process.visit(campus_id=app.campus.id, person_id=app.trainer.id) as services:
        services.activities.set_age_group(app.campus, app.activity.id, group, by=Actor(app.trainer.id))


def note_in_a_list(app: App) -> None:
    line = ListedPerson(1, "Zoé", "Martin", "zoe@exemple.fr", under_15=True)
    with app.process.visit(campus_id=app.campus.id, person_id=app.trainer.id) as services:
        services.activities.record(app.campus, app.activity.id, [line], by=Actor(app.trainer.id))


def note_at_check_in(app: App) -> None:
    with app.process.visit(campus_id=app.campus.id, person_id=app.trainer.id) as services:
        services.rooms.open(app.campus, app.activity.id, capacity=None, by=Actor(app.trainer.id))
    with app.unit_of_work() as services:
        code = services.rooms.page(app.campus, app.activity.id).code
        held = Ticket(services.rooms.access(code, new_phone()).room.id, new_phone(), app.clock.now)
        line = ListedPerson(1, "Zoé", "Martin", "zoe@exemple.fr", under_15=True)
        services.rooms.sign(held, line)


@pytest.mark.parametrize("way", ["staff page", "whole activity", "list", "check-in"])
def test_an_age_noted_at_one_campus_narrows_and_closes_the_awards_of_every_campus(
    either_app: App, way: str
) -> None:
    app = either_app
    with app.unit_of_work() as services:
        badge = _badge(services, app.other_campus, BadgeKind.PARTICIPATION, "Goût", "gout")
    opened = opened_awards(app, ZOE) + opened_awards(app, ZOE, badge=badge)
    assert person_of(app, opened[0]) == person_of(app, opened[1])
    match way:
        case "staff page":
            note_from_the_staff_page(app, person_of(app, opened[0]), AgeGroup.UNDER_15)
        case "whole activity":
            note_from_the_activity(app, AgeGroup.UNDER_15)
        case "list":
            note_in_a_list(app)
        case _:
            note_at_check_in(app)
    for award_id in opened:
        assert award_of(app, award_id).visibility is Visibility.CLOSED
        assert TITLE not in signed(app, award_id)


def test_an_activity_that_turns_out_to_be_for_pupils_closes_and_narrows_what_it_led_to(
    either_app: App,
) -> None:
    (award_id,) = opened_awards(either_app, ZOE)
    trainer = Actor(either_app.trainer.id)
    with either_app.process.visit(campus_id=either_app.campus.id) as services:
        services.activity_plans.correct(
            either_app.campus, either_app.activity.id, {"audience": "Collégiens"}, by=trainer
        )
    assert award_of(either_app, award_id).visibility is Visibility.CLOSED
    while align_some(either_app.process, either_app.campus.id):
        pass
    assert TITLE not in signed(either_app, award_id)
