"""Photos of an activity: attached once, logged by digest, visible to participants, removed for good."""

from __future__ import annotations

import uuid
from datetime import date, timedelta

import pytest

from app.domain.activities import ActivitySession
from app.domain.activity_log import ARTEFACT
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent
from app.domain.campus.audit_log import Actor
from app.domain.people import Person
from app.domain.people.consents import KEPT_FOR, AccessRecord
from app.errors import InvalidInput, NotFound
from tests.support.app import COMMAND, App
from tests.support.handed import PDF, photo


def attach(app: App, *contents: bytes, **also) -> list[uuid.UUID]:
    taken = [app.process.intake.take(f"{n}", each, words="Le tableau") for n, each in enumerate(contents)]
    with app.unit_of_work() as services:
        services.activity_files.attach(app.campus, app.activity.id, taken, by=Actor(app.trainer.id), **also)
        return [file.id for _, file in services.activity_files.of(app.campus, app.activity.id)]


def lines(app: App) -> list[dict]:
    with app.unit_of_work(reading=True) as services:
        ids = services.activity_files.pieces.ever_of(app.activity.id)
        return [each.facts for each in services.activity_log.store.payloads_of(ARTEFACT, ids)]


def person(app: App, name: str) -> Person:
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
        return next(each for _, each in there if each.given_name == name)


def test_each_attached_file_has_one_log_line_without_a_person(app: App):
    attach(app, photo("JPEG"), PDF)
    attach(app, photo("JPEG"))
    facts = lines(app)
    assert [each["mediaType"] for each in facts] == ["image/jpeg", "application/pdf"] or len(facts) == 2
    for each in facts:
        assert each["activity"] == app.activity.title
        assert not {"artefact", "words", "person", "by"} & each.keys()
    with app.unit_of_work(reading=True) as services:
        kept = {file.digest for _, file in services.activity_files.of(app.campus, app.activity.id)}
        assert {each["contentDigest"] for each in facts} == kept
        journal = services.activity_journal.of(app.campus, app.activity.id)
        assert [line.participation_id for line in journal.lines] == [None, None]


def test_removal_deletes_the_bytes_and_adds_a_log_line(app: App):
    (file_id,) = attach(app, photo())
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.activity_files.remove(app.campus, app.activity.id, file_id, " ", by=COMMAND)
    with app.unit_of_work() as services:
        services.activity_files.remove(app.campus, app.activity.id, file_id, "Photo floue.", by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        assert services.files.files.find(file_id) is None
        with pytest.raises(NotFound):
            services.files.files.content(file_id)
        with pytest.raises(NotFound):
            services.activity_files.get(app.campus, app.activity.id, file_id)
        replaced = [line.replaced for line in services.activity_journal.of(app.campus, app.activity.id).lines]
    before, after = lines(app)
    assert (after["removed"], after["reason"], after["contentDigest"]) == (
        True, "Photo floue.", before["contentDigest"],
    )  # fmt: skip
    assert replaced == [False, True]


@pytest.mark.both_engines
def test_activity_takes_ten_files_at_once_and_sixty_in_all(app: App):
    with pytest.raises(InvalidInput, match="au moins"):
        attach(app)
    with pytest.raises(InvalidInput, match="Dix"):
        attach(app, *(PDF + bytes([65 + n]) for n in range(11)))
    with pytest.raises(InvalidInput, match="séance"):
        attach(app, PDF, session_id=uuid.uuid4())
    session = ActivitySession(activity_id=app.activity.id, held_on=date(2026, 11, 24), hours=2)
    with app.unit_of_work() as services:
        services.activity_plans.plans.save(session)
    attach(app, PDF, session_id=session.id)
    with app.unit_of_work(reading=True) as services:
        assert [row.session_id for row, _ in services.activity_files.of(app.campus, app.activity.id)] == [
            session.id
        ]


def test_only_participants_see_a_file(app: App):
    app.record("Zoé Martin;zoe@exemple.fr", "Lucas Bernard;lucas@exemple.fr")
    zoe = person(app, "Zoé")
    (file_id,) = attach(app, photo())
    with app.unit_of_work(reading=True) as services:
        there = services.activities.page(app.campus, app.activity.id).participants
        hers = next(part.id for part, each in there if each.id == zoe.id)
        assert [file.id for file in services.activity_files.by_participation(zoe.id, [hers])[hers]] == [
            file_id
        ]
        services.activity_files.check_seen_by(zoe.id, file_id)
        for other in (app.trainer.id, app.stranger.id):
            with pytest.raises(NotFound):
                services.activity_files.check_seen_by(other, file_id)
        with pytest.raises(NotFound):
            services.activity_files.of(app.other_campus, app.activity.id)


def test_photo_is_public_only_if_all_agreed_and_the_holder_shows_the_activity(app: App):
    award_id = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    (file_id,) = attach(app, photo())
    zoe = person(app, "Zoé")

    def seen() -> bool:
        with app.unit_of_work(reading=True) as services:
            try:
                services.shown_files.check_photo(services.awards.record(award_id), file_id)
            except NotFound:
                return False
            return True

    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(zoe.id))
        number = services.evidence.find(award_id).entries[0]
        services.log_disputes.show(app.campus, award_id, {number: DisclosedContent.ALL}, by=Actor(zoe.id))
    assert not seen()
    with app.unit_of_work() as services:
        services.activity_files.allow(app.campus, app.activity.id, file_id, True, by=COMMAND)
    assert seen()
    with app.unit_of_work() as services:
        services.log_disputes.show(app.campus, award_id, {number: DisclosedContent.SUMMARY}, by=Actor(zoe.id))
    assert not seen()


def test_access_is_recorded_per_day_and_deleted_after_a_year(app: App):
    app.record("Zoé Martin;zoe@exemple.fr")
    zoe = person(app, "Zoé")

    def look(viewer: uuid.UUID, kind: AccessRecord) -> None:
        with app.unit_of_work() as services:
            services.private_looks.note(app.campus.id, zoe.id, viewer, kind)

    for _ in range(3):
        look(app.trainer.id, AccessRecord.RECORD)
    look(app.trainer.id, AccessRecord.FILE)
    look(zoe.id, AccessRecord.RECORD)
    with app.unit_of_work(reading=True) as services:
        result = services.private_looks.of(zoe, app.campus)
        assert {(each.looked_at, viewer.id) for each, viewer in result if viewer} == {
            (AccessRecord.RECORD, app.trainer.id), (AccessRecord.FILE, app.trainer.id),
        }  # fmt: skip
        assert not services.private_looks.of(zoe, app.other_campus)
    for days, left in ((KEPT_FOR.days, 2), (1, 0)):
        app.clock.now += timedelta(days=days)
        with app.unit_of_work() as services:
            services.private_looks.forget_old()
            assert len(services.private_looks.of(zoe, app.campus)) == left
