"""Two concurrent operations that change what a campus sees: the feed has the result of both."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest
from sqlmodel import delete, select

from app.container import Services
from app.domain.activities import Activity, ActivityCampus, ActivityKind
from app.domain.campus.audit_log import Actor
from app.domain.campus.integration import Change, ChangeHead, ExternalId, NamedKind
from app.domain.people import Person, is_gone
from app.services.awards.awards import AwardRequest
from tests.app.services.campus.test_changes import Reader, there
from tests.support.app import COMMAND, App, listed
from tests.support.databases.engines import on_postgres
from tests.support.running import at_once
from tests.support.running.at_once import Operation, done_meanwhile

pytestmark = on_postgres
ZOE = "Zoé Durand;zoe@exemple.fr"
_NUMBERS = re.compile(r"\s*SELECT\b.*\bFROM change_head\b.*\bFOR\b", re.DOTALL)


@dataclass(frozen=True)
class Scene:
    """Zoé attended; Lou has a badge; the other campus is asked to organise the workshop too."""

    app: App
    zoe: uuid.UUID
    lou: uuid.UUID
    award: uuid.UUID
    participation: uuid.UUID
    other: uuid.UUID

    @property
    def by(self) -> Actor:
        return Actor(self.app.admin.id)


@pytest.fixture
def scene(app: App) -> Scene:
    award_id = app.award("Lou Durand;lou@exemple.fr").lines[0].award_id
    app.record(ZOE)
    day = date(2026, 11, 24)
    another = Activity(
        kind=ActivityKind.WORKSHOP, title="Second", starts_on=day, ends_on=day, created_at=app.clock()
    )
    with app.unit_of_work() as services:
        place = ActivityCampus(activity_id=app.activity.id, campus_id=app.other_campus.id, position=1)
        services.stores.activity_plans.save(place)
        parts = {
            p.given_name: (part, p)
            for part, p in services.activities.page(app.campus, app.activity.id).participants
        }
        other = services.activities.create(another, [app.campus], by=COMMAND).id
        participation, zoe = parts["Zoé"]
        return Scene(app, zoe.id, parts["Lou"][1].id, award_id, participation.id, other)


def award(scene: Scene) -> Operation:
    request = AwardRequest(
        scene.app.presence.badge.id, scene.app.activity.id, participation_ids=(scene.participation,)
    )
    return lambda services: services.awards.award(scene.app.campus, request, by=Actor(scene.app.trainer.id))


def erase(scene: Scene) -> Operation:
    return lambda services: services.erasures.process_chunk(
        scene.app.campus, scene.zoe, "Demandé.", by=scene.by
    )


def merge(scene: Scene) -> Operation:
    return lambda services: services.merging.merge_in_campus(
        scene.app.campus, scene.lou, scene.zoe, "Faute de frappe.", by=scene.by
    )


def merge_into(scene: Scene) -> Operation:
    return lambda services: services.merging.merge_in_campus(
        scene.app.campus, scene.zoe, scene.lou, "Faute de frappe.", by=scene.by
    )


def move(scene: Scene) -> Operation:
    return lambda services: services.participants.move(
        scene.app.campus,
        scene.app.activity.id,
        scene.other,
        [scene.zoe],
        reason="Erreur de groupe.",
        by=scene.by,
    )


def record(scene: Scene) -> Operation:
    return lambda services: services.activities.record(
        scene.app.campus, scene.app.activity.id, listed("Max Roy;max@exemple.fr"), by=scene.by
    )


def record_zoe(scene: Scene) -> Operation:
    return lambda services: services.activities.record(
        scene.app.campus, scene.other, listed(ZOE), by=scene.by
    )


def accept(scene: Scene) -> Operation:
    return lambda services: services.activity_plans.answer(
        scene.app.other_campus, scene.app.activity.id, accepts=True, by=COMMAND
    )


def name(scene: Scene) -> Operation:
    return lambda services: services.external_ids.replace(
        scene.app.campus, NamedKind.PERSON, "P-1", scene.zoe
    )


def name_there(scene: Scene) -> Operation:
    return lambda services: services.external_ids.replace(
        scene.app.other_campus, NamedKind.PERSON, "P-1", scene.zoe
    )


def correct(scene: Scene) -> Operation:
    return lambda services: services.corrections.correct(
        scene.app.campus, scene.zoe, "Zoé", "Durant", "zoe.durant@exemple.fr", by=scene.by
    )


def withdraw(scene: Scene) -> Operation:
    return lambda services: services.awards.revoke(
        scene.app.campus, scene.award, "Erreur de liste, vraiment.", by=scene.by
    )


def delete_activity(scene: Scene) -> Operation:
    return lambda services: services.activity_plans.delete(scene.app.campus, scene.other, by=COMMAND)


def absent(scene: Scene) -> Operation:
    return lambda services: services.activities.set_present(
        scene.app.campus, scene.app.activity.id, scene.participation, present=False, by=scene.by
    )


def leave(scene: Scene) -> Operation:
    with scene.app.unit_of_work() as services:
        accept(scene)(services)
    return lambda services: services.activity_plans.answer(
        scene.app.other_campus, scene.app.activity.id, accepts=False, by=COMMAND
    )


PAIRS = [
    (accept, erase), (erase, accept), (merge, accept), (merge_into, accept), (withdraw, accept), (award, accept),
    (accept, move), (accept, record), (record, accept), (accept, accept), (leave, leave), (leave, award), (absent, leave),
    (leave, merge), (move, withdraw), (withdraw, move), (erase, name), (name, erase), (merge, name), (name, name),
    (name_there, erase), (award, erase), (merge, record_zoe), (correct, merge), (delete_activity, record_zoe),
]  # fmt: skip


@pytest.mark.parametrize("stops", ["before it writes", "before it numbers"])
@pytest.mark.parametrize(("first", "second"), PAIRS, ids=lambda each: each.__name__)
def test_copy_is_the_campus_after_two_changes_at_once(
    scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
    first: Callable[[Scene], Operation],
    second: Callable[[Scene], Operation],
    stops: str,
) -> None:
    app = scene.app
    readers = [Reader(app, each, limit=3) for each in (app.campus, app.other_campus)]
    for reader in readers:
        reader.read()
    if stops == "before it numbers":
        monkeypatch.setattr(at_once, "_WRITES", _NUMBERS)
    of_first, of_second = done_meanwhile(app, first(scene), second(scene))
    assert of_first == ""
    assert of_second in ("", "Conflict", "NotFound")
    for reader in readers:
        reader.read()
        assert reader.copy == there(app, reader.campus)
        anew = Reader(app, reader.campus)
        anew.read()
        assert anew.copy == reader.copy
    with app.unit_of_work(reading=True) as services:
        session = services.stores.session
        named = {each.person_id for each in session.exec(select(ExternalId)) if each.person_id}
        assert not any(is_gone(each) for each in session.exec(select(Person)) if each.id in named)


def test_two_first_changes_of_a_campus_are_both_numbered(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with app.owner.begin() as connection:
        connection.execute(delete(Change))
        connection.execute(delete(ChangeHead))
    monkeypatch.setattr(at_once, "_WRITES", re.compile(r"\s*INSERT INTO change_head\b"))

    def create(services: Services) -> object:
        day = date(2026, 11, 24)
        made = Activity(kind=ActivityKind.WORKSHOP, title="Atelier", starts_on=day, ends_on=day)
        return services.activities.create(made, [app.campus], by=COMMAND)

    assert done_meanwhile(app, create, create) == ("", "")
    reader = Reader(app, app.campus)
    assert len(reader.read()) == 2
