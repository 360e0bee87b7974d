"""How programs come to the door: with a token, with an Accept header, from anywhere."""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import count

from fastapi.testclient import TestClient

from app.domain.accounts.sessions import Scope
from app.domain.awards.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from tests.support.house import COMMAND, House

EVERY_SCOPE = tuple(scope.value for scope in Scope)
V1 = "/api/v1/campuses/itip"


def anybody(house: House) -> TestClient:
    """A program that shows nothing and names no form."""
    client = house.client()
    del client.headers["accept"]
    return client


def program(house: House, *scopes: str, campus: Campus | None = None) -> TestClient:
    """A program with a token of `campus` (itip unless said) for these scopes, all of them unless said."""
    client = anybody(house)
    client.headers["authorization"] = f"Bearer {token(house, *scopes, campus=campus)}"
    return client


def token(house: House, *scopes: str, campus: Campus | None = None) -> str:
    with house.unit_of_work() as services:
        return services.people.create_token(
            campus or house.campus,
            label="tests",
            scopes=list(scopes or EVERY_SCOPE),
            life=timedelta(days=30),
            by=COMMAND,
        )


_number = count()


def open_award(house: House) -> uuid.UUID:
    """An award that its holder opened to the world."""
    award_id = closed_award(house)
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(label="holder"))
    return award_id


def closed_award(house: House) -> uuid.UUID:
    """The award of somebody new."""
    award_id = house.award(f"Zoé Martin;zoe.{next(_number)}@exemple.fr").lines[0].award_id
    assert award_id is not None
    return award_id


def stored(house: House, award_id: uuid.UUID, form: str) -> bytes:
    """The bytes as they were signed and kept (pictures: as they are baked from them)."""
    with house.unit_of_work(reading=True) as services:
        return services.publication.award_file(services.awards.record(award_id), form).body
