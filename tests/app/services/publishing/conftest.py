"""Old public awards, and the object store that they may move to."""

from __future__ import annotations

import uuid

import pytest

from app.domain.campus.audit_log import Actor
from tests.support.content.restores import ADA, ROOF, given
from tests.support.house import House
from tests.support.servers.object_store import FakeStore, with_objects

ZOE = "Zoé N’Diaye; zoe@exemple.fr"


@pytest.fixture
def awards(house: House) -> list[uuid.UUID]:
    """Three public awards, the second renamed: four documents."""

    def give() -> list[uuid.UUID]:
        found = [given(house, each) for each in (ROOF, ADA, ZOE)]
        with house.unit_of_work() as services:
            person = services.awards.record(found[1]).person
            services.names.correct_in_campus(
                house.campus, person.id, "Adah", "Martin", by=Actor(house.admin.id)
            )
        return found

    return house.once((__name__, "awards"), give)


@pytest.fixture
def store(house: House, awards: list[uuid.UUID]) -> FakeStore:
    house.clock.move(days=400)
    return with_objects(house)
