"""Old public awards, and the object store that they may move to."""

from __future__ import annotations

import uuid

import pytest

from app.domain.campus.audit_log import Actor
from tests.support.app import App
from tests.support.content.restores import ADA, ROOF, given
from tests.support.servers.object_store import FakeStore, with_objects

ZOE = "Zoé N’Diaye; zoe@exemple.fr"


@pytest.fixture
def awards(app: App) -> list[uuid.UUID]:
    """Three public awards, the second renamed: four documents."""

    def give() -> list[uuid.UUID]:
        found = [given(app, each) for each in (ROOF, ADA, ZOE)]
        with app.unit_of_work() as services:
            person = services.awards.record(found[1]).person
            services.names.correct_in_campus(app.campus, person.id, "Adah", "Martin", by=Actor(app.admin.id))
        return found

    return app.once((__name__, "awards"), give)


@pytest.fixture
def store(app: App, awards: list[uuid.UUID]) -> FakeStore:
    app.clock.move(days=400)
    return with_objects(app)
