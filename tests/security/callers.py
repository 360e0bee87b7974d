"""Everybody who may stand at the door, and one thing of each kind in each of two campuses."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from fastapi.testclient import TestClient

from app.domain.access import Scope
from app.domain.activities import Activity, ActivityKind
from app.domain.awards import Visibility
from app.domain.badges import Kind
from app.domain.campus import Campus
from app.domain.history import Actor
from app.domain.people import Person
from app.services.awards import AwardRequest
from app.services.badges import Wording
from tests.api.doors import program
from tests.support.house import COMMAND, House, listed

_TOKEN_FIELD = re.compile(r'name="jeton" value="([^"]+)"')


@dataclass(frozen=True)
class Things:
    """Of one campus, by the names that addresses use."""

    campus: Campus
    ids: dict[str, str]
    award_id: uuid.UUID

    def fill(self, path: str, *, slug: str = "") -> str:
        values = {**self.ids, "slug": slug or self.campus.slug}
        return re.sub(r"{(\w+)(?::\w+)?}", lambda place: values[place[1]], path)


@dataclass(frozen=True)
class Caller:
    name: str
    client: TestClient
    campus: str = ""
    """Where they work, or where their token is good."""
    scopes: frozenset[str] = frozenset()
    holds: uuid.UUID | None = None

    @property
    def works(self) -> bool:
        return bool(self.campus) and not self.scopes

    def form_token(self) -> str:
        found = _TOKEN_FIELD.search(self.client.get("/verifier").text)
        assert found, "the verifier has a form"
        return found[1]


def things_of(house: House, campus: Campus, by: Person) -> Things:
    actor = Actor(by.id)
    with house.unit_of_work() as services:
        wording = Wording(Kind.PARTICIPATION, "Présence", "Être là.", "La personne a pris part à l’activité.")
        badge = services.badges.create(campus, wording, slug="presence", by=COMMAND).badge
        framework = services.competencies.framework(campus, code="ref", name="Référentiel", by=COMMAND)
        competency = services.competencies.create(
            campus, framework, code="C-1", statement="Mesurer", levels=[], by=COMMAND
        )
        activity = services.activities.create(
            Activity(kind=ActivityKind.WORKSHOP, title="Atelier", starts_on=date(2026, 11, 24),
                     ends_on=date(2026, 11, 24), created_at=house.clock.now),
            [campus], by=actor,
        )  # fmt: skip
        people = listed("MARTIN Zoé; zoe@exemple.fr", "PETIT; pas une adresse")
        result = services.awards.award(campus, AwardRequest(badge.id, activity.id, lines=people), by=actor)
        award_id = result.lines[0].award_id
        assert award_id is not None
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        participation, _ = services.activities.page(campus, activity.id).participants[0]
        ids = {
            "badge_id": str(badge.id), "number": "1", "competency_id": str(competency.id),
            "activity_id": str(activity.id), "participation_id": str(participation.id),
            "batch_id": str(result.batch.id), "award_id": str(award_id),
            "list_id": str(services.status.status.slot_of(award_id).list_id),
            "token": services.people.private_link_token(award_id, 0),
            "form": "png", "extension": "json", "path": "mark.svg", "code": "fr", "secret": "invented",
        }  # fmt: skip
    return Things(campus, ids, award_id)


def callers_of(house: House, ours: Things) -> Iterator[Caller]:
    """`ours` is the campus that most of them belong to; the learner holds its award."""
    here, there = house.campus.slug, house.other_campus.slug
    yield Caller("anonymous", _browser(house))
    learner = _browser(house)
    assert learner.get(f"/recevoir/{ours.ids['token']}").status_code == 303
    yield Caller("learner", learner, holds=ours.award_id)
    yield Caller("trainer", _browser(house, house.trainer), here)
    yield Caller("administrator", _browser(house, house.admin), here)
    yield Caller("trainer of another campus", _browser(house, house.stranger), there)
    for scope in Scope:
        yield Caller(f"token {scope}", program(house, scope.value), here, frozenset([scope.value]))
    every = frozenset(scope.value for scope in Scope)
    yield Caller("token of another campus", program(house, campus=house.other_campus), there, every)


def _browser(house: House, person: Person | None = None) -> TestClient:
    client = house.client(person)
    del client.headers["accept"]
    return client
