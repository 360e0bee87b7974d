"""Cached public documents: the same for every client, and never outdated."""

from __future__ import annotations

import asyncio
import uuid
from urllib.parse import urlsplit

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from starlette.types import Message, Receive, Scope, Send

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.http.response_cache import ReadyAnswers
from app.telemetry import REGISTRY
from tests.support.app import NOON, App

AS_JSON = {"Accept": "application/json"}


@pytest.fixture
def award(app: App) -> uuid.UUID:
    award_id = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id
    turn(app, award_id, Visibility.OPEN)
    return award_id


@pytest.fixture
def reader(app: App) -> TestClient:
    return app.client()


def turn(app: App, award_id: uuid.UUID, visibility: Visibility) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, visibility, by=Actor(label="test"))


def was_ready(answer: Response) -> bool:
    """Only an answer made for this request has the request's number."""
    return "x-request-id" not in answer.headers


def read_twice(reader: TestClient, path: str) -> Response:
    """A document that is read twice is cached from then on."""
    first, second = (reader.get(path) for _ in range(2))
    assert not was_ready(first)
    return second


def test_an_award_read_repeatedly_is_cached_and_unchanged(reader: TestClient, award: uuid.UUID) -> None:
    first, second, third = (reader.get(f"/attributions/{award}.json") for _ in range(3))
    assert [was_ready(each) for each in (first, second, third)] == [False, False, True]
    assert third.content == second.content == first.content
    kept = {name: value for name, value in first.headers.items() if name != "x-request-id"}
    assert dict(third.headers) == kept


@pytest.mark.both_engines
class TestOnBothDatabases:
    """On both databases: cached while nothing changes, and closed with the next request once the award is closed."""

    def test_an_award_closed_by_its_holder_is_closed_at_once(
        self, app: App, reader: TestClient, award: uuid.UUID
    ) -> None:
        forms = ("json", "jwt", "png", "svg")
        for _ in range(3):
            for form in forms:
                made_ready(reader, f"/attributions/{award}.{form}")
            turn(app, award, Visibility.CLOSED)
            for form in forms:
                answer = reader.get(f"/attributions/{award}.{form}", headers=AS_JSON)
                assert answer.status_code == 403
            turn(app, award, Visibility.OPEN)
            assert reader.get(f"/attributions/{award}.json").status_code == 200

    def test_a_withdrawal_is_in_the_list_of_the_next_request(
        self, app: App, reader: TestClient, award: uuid.UUID
    ) -> None:
        path = urlsplit(
            reader.get(f"/attributions/{award}.json").json()["credentialStatus"]["statusListCredential"]
        ).path
        before = made_ready(reader, path)
        with app.unit_of_work() as services:
            services.awards.revoke(app.campus, award, "Attribué par erreur.", by=Actor(label="test"))
        assert reader.get(path, headers=AS_JSON).content != before.content


def made_ready(reader: TestClient, path: str) -> Response:
    """PostgreSQL counts the transactions of all databases of a server, including those of other tests."""
    for _ in range(500):
        if was_ready(answer := reader.get(path, headers=AS_JSON)):
            return answer
    raise AssertionError(f"{path} is never ready")


def test_an_answer_that_depends_on_time_is_made_again(app: App, reader: TestClient, award: uuid.UUID) -> None:
    path = f"/attributions/{award}.json"
    read_twice(reader, path)
    app.clock.move(seconds=10)
    assert was_ready(reader.get(path))
    app.clock.move(seconds=1)
    assert not was_ready(reader.get(path))


def test_a_copy_that_the_client_has_is_not_sent_again(reader: TestClient, award: uuid.UUID) -> None:
    first = read_twice(reader, f"/attributions/{award}.json")
    asked_again = {"If-None-Match": first.headers["etag"]}
    again = reader.get(f"/attributions/{award}.json", headers=asked_again)
    assert was_ready(again)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == first.headers["cache-control"]
    other = reader.get(f"/attributions/{award}.json", headers={"If-None-Match": '"another"'})
    assert (other.status_code, other.content) == (200, first.content)


def test_each_form_has_its_own_cached_answer(reader: TestClient, award: uuid.UUID) -> None:
    wishes = ("application/json", "application/vc+jwt", "image/png")
    for _ in range(2):
        first = [reader.get(f"/attributions/{award}", headers={"Accept": wish}) for wish in wishes]
    again = [reader.get(f"/attributions/{award}", headers={"Accept": wish}) for wish in wishes]
    assert all(map(was_ready, again))
    assert [each.content for each in again] == [each.content for each in first]
    assert len({each.headers["content-type"] for each in again}) == 3


def test_pages_and_personal_answers_are_never_cached(reader: TestClient, award: uuid.UUID) -> None:
    for path in (f"/attributions/{award}", "/verifier", "/mes-badges", "/connexion"):
        for _ in range(3):
            assert not was_ready(reader.get(path, headers={"Accept": "text/html"})), path


def test_refusals_ranges_and_queries_are_never_cached(reader: TestClient, award: uuid.UUID) -> None:
    path = f"/attributions/{award}.json"
    for _ in range(3):
        assert not was_ready(reader.get(f"/attributions/{uuid.uuid4()}.json"))
        assert not was_ready(reader.get(path, params={"a": "b"}))
        assert not was_ready(reader.get(path, headers={"Range": "bytes=0-9"}))
        assert not was_ready(reader.head(path))
        assert not was_ready(reader.get(path, headers={"Accept": "application/json," + " " * 400}))


def test_cached_answers_are_counted_like_all_others(reader: TestClient, award: uuid.UUID) -> None:
    def read() -> float:
        labels = {"method": "GET", "route": "/attributions/{award_id:uuid}.{extension}", "status": "200"}
        return REGISTRY.get_sample_value("sceau_requests_total", labels) or 0.0

    before = read()
    for _ in range(3):
        reader.get(f"/attributions/{award}.json")
    assert read() == before + 3


class Kept:
    """An application that answers everything with a thousand bytes, behind the cache."""

    def __init__(self, version: object, most_bytes: int = 2_500) -> None:
        self.asked: list[str] = []
        self.ready = ReadyAnswers(
            self.answer, version=self.current, clock=lambda: NOON, most_bytes=most_bytes
        )
        self.version = version

    async def current(self) -> object:
        return self.version

    async def answer(self, scope: Scope, _receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        headers = [(b"cache-control", b"public, max-age=60"), (b"etag", b'"1"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": bytes(1000)})

    def read(self, path: str) -> None:
        async def ignore(_message: Message) -> None: ...

        async def nothing() -> Message:
            return {"type": "http.disconnect"}

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
        asyncio.run(self.ready(scope, nothing, ignore))


def test_the_least_recently_used_answers_are_evicted() -> None:
    kept = Kept(version=1)
    for path in ("/a", "/b", "/c"):
        kept.read(path)
    kept.asked.clear()
    for path in ("/a", "/b", "/a", "/c", "/a", "/b"):
        kept.read(path)
    assert kept.asked == ["/a", "/b", "/c", "/b"]


def test_nothing_is_cached_for_a_database_that_cannot_report_its_changes() -> None:
    kept = Kept(version=None)
    for _ in range(3):
        kept.read("/a")
    assert kept.asked == ["/a"] * 3
