"""What has had its time goes by itself, and nothing else does; on both databases."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text

from app.db.engine.row_level_security import METADATA
from app.domain.campus.lti import LAUNCH_LIFE
from app.domain.learners.connected_apps import CONNECTION_LIFE
from app.domain.people import personal_data
from app.jobs.kinds import EVERYTHING, delete_some
from tests.app.api.clients import REGISTRATION, connected
from tests.security.matrix.cases import launch_secret
from tests.support.content.somebody import fill
from tests.support.house import House


def count(house: House, table: str) -> int:
    with house.owner.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_each_kind_goes_when_its_time_is_over_and_not_before(house: House) -> None:
    fill(house)
    with house.owner.begin() as connection:
        table = METADATA.tables["badge_request"]
        connection.execute(table.update().values(state="refused", decided_at=house.clock.now))
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
    start = house.clock.now
    for life, gone, kept in steps:
        house.clock.now = start + life + timedelta(hours=1)
        while delete_some(house.process, EVERYTHING):
            pass
        assert {name: count(house, name) for name in gone} == dict.fromkeys(gone, 0)
        assert all(count(house, name) for name in kept), (life, kept)
    with house.unit_of_work(reading=True) as services:
        assert not services.retention.is_due()


def test_launch_of_a_course_platform_goes_when_it_ends(house: House) -> None:
    """Whether or not anybody comes from that platform again."""
    launch_secret(house, house.campus, house.trainer)
    house.clock.now += LAUNCH_LIFE - timedelta(minutes=1)
    delete_some(house.process, EVERYTHING)
    assert count(house, "lti_launch") == 1
    house.clock.now += timedelta(minutes=2)
    while delete_some(house.process, EVERYTHING):
        pass
    assert count(house, "lti_launch") == 0


def test_application_that_registered_itself_goes_where_nobody_has_connected_it(house: House) -> None:
    with house.unit_of_work() as services:
        options = replace(services.connected_apps.options, app_registration=True)
        apps = replace(services.connected_apps, options=options)
        kept, _unused = (apps.register(REGISTRATION) for _ in range(2))
        of_operator = uuid.UUID(str(apps.register(REGISTRATION, by_operator=True)["client_id"]))
    connected(house, house.trainer, app=kept)
    used = uuid.UUID(str(kept["client_id"]))

    def left() -> set[uuid.UUID]:
        while delete_some(house.process, EVERYTHING):
            pass
        with house.unit_of_work(reading=True) as services:
            return {each.id for each in services.connected_apps.list_all()}

    assert len(left()) == 3
    house.clock.now += personal_data.UNUSED_APPS + timedelta(hours=1)
    assert left() == {used, of_operator}
    house.clock.now += CONNECTION_LIFE
    assert left() == {of_operator}
    assert (count(house, "app_grant"), count(house, "app_secret")) == (0, 0)
