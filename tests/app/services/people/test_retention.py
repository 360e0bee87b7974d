"""Expired data are deleted, and nothing else; on both databases."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from app.db.engine.row_level_security import METADATA
from app.domain.accounts.sessions import WaitingForm
from app.domain.campus.lti import LAUNCH_LIFE
from app.domain.learners.connected_apps import CONNECTION_LIFE
from app.domain.people import personal_data
from app.jobs.kinds import EVERYTHING, delete_some
from tests.app.api.clients import REGISTRATION, connected
from tests.security.matrix.cases import launch_secret
from tests.support.app import App
from tests.support.content.somebody import fill


def count(app: App, table: str) -> int:
    with app.owner.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_each_kind_of_data_is_deleted_when_its_time_is_over(app: App) -> None:
    fill(app)
    with app.owner.begin() as connection:
        table = METADATA.tables["badge_request"]
        connection.execute(table.update().values(state="refused", decided_at=app.clock.now))
        connection.execute(METADATA.tables["invitation"].update().values(accepted_at=None, accepted_by=None))
        lines = METADATA.tables["award_batch_line"]
        connection.execute(lines.update().values(person_id=None, award_id=None))
    steps = (
        (
            personal_data.WAYS_IN,
            ("session", "sign_in_link", "challenge"),
            ("room_entry", "waiting_signature"),
        ),
        (personal_data.ROOM_ENTRIES, ("room_entry", "waiting_signature"), ("list_answer",)),
        (personal_data.REFUSED_LINES, ("award_batch_line", "list_answer"), ("badge_request",)),
        (personal_data.CLOSED_REQUESTS, ("badge_request", "request_step", "invitation"), ("letter",)),
        (personal_data.LETTERS, (), ("award", "participation", "log_payload", "person", "consent")),
    )
    start = app.clock.now
    for life, gone, kept in steps:
        app.clock.now = start + life + timedelta(hours=1)
        while delete_some(app.process, EVERYTHING):
            pass
        assert {name: count(app, name) for name in gone} == dict.fromkeys(gone, 0)
        assert all(count(app, name) for name in kept), (life, kept)
    with app.unit_of_work(reading=True) as services:
        assert not services.retention.is_due()


def test_launch_of_a_course_platform_goes_when_it_ends(app: App) -> None:
    """Even without another launch from that platform."""
    launch_secret(app, app.campus, app.trainer)
    app.clock.now += LAUNCH_LIFE - timedelta(minutes=1)
    delete_some(app.process, EVERYTHING)
    assert count(app, "lti_launch") == 1
    app.clock.now += timedelta(minutes=2)
    while delete_some(app.process, EVERYTHING):
        pass
    assert count(app, "lti_launch") == 0


def test_form_that_was_set_aside_goes_after_two_hours_without_another_sign_in(app: App) -> None:
    """« Sans envoi, il est effacé au bout de deux heures. »"""
    form = WaitingForm("/gestion/itip/attribuer", (("lignes", "Zoé Martin"),))
    with app.unit_of_work() as services:
        services.set_aside.keep(form, app.trainer.id)
    for minutes, left in ((119, 1), (2, 0)):
        app.clock.move(minutes=minutes)
        while delete_some(app.process, EVERYTHING):
            pass
        assert count(app, "set_aside") == left


def test_self_registered_application_is_deleted_if_no_person_connects_it(app: App) -> None:
    with app.unit_of_work() as services:
        options = replace(services.connected_apps.options, app_registration=True)
        apps = replace(services.connected_apps, options=options)
        kept, _unused = (apps.register(REGISTRATION) for _ in range(2))
        of_operator = uuid.UUID(str(apps.register(REGISTRATION, by_operator=True)["client_id"]))
    connected(app, app.trainer, registration=kept)
    used = uuid.UUID(str(kept["client_id"]))

    def left() -> set[uuid.UUID]:
        while delete_some(app.process, EVERYTHING):
            pass
        with app.unit_of_work(reading=True) as services:
            return {each.id for each in services.connected_apps.list_all()}

    assert len(left()) == 3
    app.clock.now += personal_data.UNUSED_APPS + timedelta(hours=1)
    assert left() == {used, of_operator}
    app.clock.now += CONNECTION_LIFE
    assert left() == {of_operator}
    assert (count(app, "app_grant"), count(app, "app_secret")) == (0, 0)
