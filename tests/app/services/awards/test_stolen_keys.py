"""Signing again what a stolen key had signed, and ends of keys, beside what holders and campuses do meanwhile."""

from __future__ import annotations

import json
import uuid

import pytest

from app.container import Services
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import SealedKey
from tests.support.app import COMMAND, NOON, App
from tests.support.databases.engines import on_postgres
from tests.support.running.at_once import Operation, done_meanwhile

pytestmark = on_postgres

WHY = "La copie de sauvegarde a été perdue."


@pytest.fixture
def awards(app: App) -> list[uuid.UUID]:
    """Zoé's badge and Léo's."""
    lines = app.award("Zoé Martin;zoe@exemple.fr", "Léo Petit;leo@exemple.fr").lines
    return [line.award_id for line in lines if line.award_id is not None]


def active_key(app: App) -> SealedKey:
    with app.unit_of_work(reading=True) as services:
        return services.stores.campuses.active_key(app.campus.id)


def signed_by(app: App, award_id: uuid.UUID) -> str:
    with app.unit_of_work(reading=True) as services:
        return json.loads(services.stores.awards.document_of(award_id).embedded)["proof"][
            "verificationMethod"
        ]


def remove_name(award_id: uuid.UUID) -> Operation:
    def choose(services: Services) -> None:
        award = services.awards.record(award_id).award
        services.reissuing.choose_name(award, False, name="", by=Actor(award.person_id))

    return choose


def retire(app: App, key: SealedKey, *, is_stolen: bool = False) -> Operation:
    return lambda services: services.campus_keys.retire(
        app.campus, key.id, reason=WHY, stolen_since=NOON if is_stolen else None, by=COMMAND
    )


def test_sign_again_and_a_holder_s_choice_do_not_wait_for_each_other(app: App, awards: list[uuid.UUID]):
    key, (zoe, leo) = active_key(app), awards
    app.clock.move(hours=1)
    with app.unit_of_work() as services:
        retire(app, key, is_stolen=True)(services)

    def choose_twice(services: Services) -> None:
        """Holds Léo's badge before it asks for the log."""
        services.awards.set_findable(leo, True, by=COMMAND)
        services.stores.session.flush()
        remove_name(leo)(services)

    def sign_again(services: Services) -> None:
        services.stolen_keys.sign_again(app.campus, key, [zoe, leo], by=COMMAND)

    assert done_meanwhile(app, choose_twice, sign_again) == ("", "")
    assert {signed_by(app, each) for each in awards} == {active_key(app).method_id}


def test_an_edition_that_waited_for_the_end_of_a_key_is_signed_with_the_next(
    app: App, awards: list[uuid.UUID]
):
    key = active_key(app)

    def retire_with_the_log_held(services: Services) -> None:
        services.logged_events.log.open(app.campus)
        retire(app, key)(services)

    assert done_meanwhile(app, retire_with_the_log_held, remove_name(awards[0])) == ("", "")
    assert signed_by(app, awards[0]) == active_key(app).method_id != key.method_id
