"""The fast path to an award's file answers as the application does, and leaves every other request to it."""

from __future__ import annotations

import uuid

import pytest
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from tests.support.app import COMMAND, App


@pytest.fixture
def award_id(app: App) -> uuid.UUID:
    award_id = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    show(app, award_id, Visibility.OPEN)
    return award_id


@pytest.fixture
def client(app: App) -> TestClient:
    return app.client()


def show(app: App, award_id: uuid.UUID, visibility: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, visibility, by=COMMAND)


@pytest.mark.parametrize("form", ["json", "jwt"])
def test_the_fast_answer_equals_that_of_the_application(
    client: TestClient, award_id: uuid.UUID, form: str
) -> None:
    address = f"/attributions/{award_id}.{form}"
    quick = client.get(address)
    # A validator that matches nothing goes through the whole application.
    whole = client.get(address, headers={"if-none-match": '"other"'})
    assert quick.headers.pop("x-request-id") != whole.headers.pop("x-request-id")
    assert (quick.status_code, quick.content, quick.headers) == (200, whole.content, whole.headers)


def test_a_closed_award_is_closed_at_the_next_request(
    app: App, client: TestClient, award_id: uuid.UUID
) -> None:
    address = f"/attributions/{award_id}.json"
    assert client.get(address).status_code == 200
    show(app, award_id, Visibility.CLOSED)
    assert client.get(address).status_code == 403
    show(app, award_id, Visibility.OPEN)
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("path", [f"{uuid.UUID(int=1)}.json", "x.json", f"{uuid.UUID(int=1)}.txt"])
def test_unknown_files_are_left_to_the_application(client: TestClient, path: str) -> None:
    assert client.get(f"/attributions/{path}").status_code in (404, 422)


def test_head_and_unchanged_copies_are_left_to_the_application(
    client: TestClient, award_id: uuid.UUID
) -> None:
    address = f"/attributions/{award_id}.json"
    shown = client.get(address)
    assert client.head(address).content == b""
    again = client.get(address, headers={"if-none-match": shown.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
