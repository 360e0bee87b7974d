"""Each answer with a rate limit shows the remaining allowance, in standard header fields."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from app.adapters.accounts import RateLimits, limits_in
from app.db.accounts import DatabaseCounts
from app.db.engine.session import open_engine
from app.domain.accounts.rate_limits import LIMITS
from app.errors import TooMany
from app.http.allowances import HEADERS
from tests.app.api.clients import V1, anybody, program
from tests.app.api.every_operation.test_openapi import operations
from tests.support.app import App, SettableClock, build_app
from tests.support.running.every import for_each

UNLIMITED = {
    "GET /api/v1/frameworks/search",
    "GET /api/v1/pathways",
    "GET /api/v1/pathways/{pathway_id}",
}
"""Public reading, without a token."""


def limited() -> list[str]:
    return [
        name
        for name, _ in operations()
        if ("/api/v1/" in name or "/vc-api/" in name) and name not in UNLIMITED
    ]


_NOBODY = "00000000-0000-4000-8000-000000000000"
_POLICY = re.compile(r'^("[a-z-]+";q=\d+;w=\d+)(, "[a-z-]+";q=\d+;w=\d+)*$')
_LEFT = re.compile(r'^("[a-z-]+";r=\d+;t=\d+)(, "[a-z-]+";r=\d+;t=\d+)*$')


class UsedUp:
    """Of every limit."""

    def hit(self, name: str, who: str) -> None:
        raise TooMany("Trop de demandes en peu de temps.", retry_after=7, limit=name)

    def check(self, name: str, who: str) -> None: ...


class Refusing(UsedUp):
    """Limits of failed attempts too."""

    def check(self, name: str, who: str) -> None:
        self.hit(name, who)


@pytest.fixture(scope="module")
def app(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """With the limits on."""
    folder = tmp_path_factory.mktemp("app")
    (database := folder / "database").mkdir()
    copyfile(migrated_sqlite, database / "sceau.sqlite")
    url = f"sqlite:///{database / 'sceau.sqlite'}"
    built = build_app(url, folder, limiter=limits_in("memory://", b"key of the tests"))
    yield built
    built.close()


def ask(client: TestClient, name: str) -> Response:
    method, _, path = name.partition(" ")
    url = re.sub(r"{(\w+)}", lambda place: {"slug": "itip", "external": "E-1"}.get(place[1], _NOBODY), path)
    return client.request(method, url, **({} if method in ("GET", "DELETE") else {"json": {}}))


@for_each("name", limited, ids=str)
def test_each_answer_shows_the_remaining_allowance(name: str, program: TestClient):
    answer = ask(program, name)
    assert _POLICY.match(answer.headers["ratelimit-policy"])
    assert _LEFT.match(answer.headers["ratelimit"])
    limit, left, reset = (
        int(answer.headers[f"ratelimit-{each}"]) for each in ("limit", "remaining", "reset")
    )
    assert 0 <= left < limit
    assert reset > 0


@for_each("name", limited, ids=str)
def test_each_operation_beyond_its_limit_answers_when_to_retry(
    name: str, program: TestClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(program.app.state.process, "limiter", UsedUp())  # type: ignore[attr-defined]
    answer = ask(program, name)
    assert answer.status_code == 429, name
    assert answer.json()["type"] == "/problemes#429"
    assert int(answer.headers["retry-after"]) > 0
    assert answer.headers["ratelimit-remaining"] == "0"
    assert answer.headers["ratelimit-reset"] == answer.headers["retry-after"]


@for_each("operation", operations, ids=lambda each: each[0])
def test_operation_describes_429_exactly_where_a_limit_refuses_it(
    operation: tuple[str, dict[str, Any]], program: TestClient, monkeypatch: pytest.MonkeyPatch
):
    name, described = operation
    monkeypatch.setattr(program.app.state.process, "limiter", Refusing())  # type: ignore[attr-defined]
    answer = ask(program, name)
    refused = described["responses"].get("429")
    assert (answer.status_code == 429) == (refused is not None), name
    good = [each for status, each in described["responses"].items() if status.startswith("2")]
    shown = {each for each in (*HEADERS, "Retry-After") if each in answer.headers}
    if refused is not None:
        assert set(refused["headers"]) == shown
        assert answer.headers["content-type"].partition(";")[0] in refused["content"]
    assert all(set(HEADERS) & set(each.get("headers", {})) == shown - {"Retry-After"} for each in good)


def test_deferred_badge_describes_both_of_its_429_answers():
    (deferred,) = (each for name, each in operations() if name.endswith("/portefeuille/differee"))
    assert {"application/json", "application/problem+json"} == deferred["responses"]["429"]["content"].keys()


def test_the_tightest_limit_is_in_the_fields_of_older_clients(app: App):
    answer = program(app).post(f"{V1}/awards", json={})
    names = re.findall(r'"([a-z-]+)"', answer.headers["ratelimit"])
    assert names == ["awards-of-a-token", "requests-of-a-token"]
    assert answer.headers["ratelimit-limit"] == str(LIMITS["awards of a token"].amount)
    assert answer.headers["ratelimit-remaining"] == str(LIMITS["awards of a token"].amount - 1)


def test_token_has_its_own_count_and_a_wrong_one_shows_the_limit_of_guesses(app: App):
    first, second = program(app), program(app)
    assert [first.get(f"{V1}/badges").headers["ratelimit-remaining"] for _ in range(2)] == ["2999", "2998"]
    assert second.get(f"{V1}/badges").headers["ratelimit-remaining"] == "2999"
    second.headers["authorization"] = "Bearer sceau_invented"
    refused = second.get(f"{V1}/badges")
    assert refused.status_code == 401
    assert '"failed-token";r=29' in refused.headers["ratelimit"]


def test_page_of_another_origin_reads_why_it_was_refused_and_what_is_left(app: App):
    world = anybody(app)
    for path, body in (
        ("/api/v1/verify", {}),
        ("/api/v1/verify", {"address": "x"}),
        ("/api/v1/verify/batch", {}),
    ):
        answer = world.post(path, json=body, headers={"origin": "https://employeur.exemple.fr"})
        assert answer.headers["access-control-allow-origin"] == "*", answer.text
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {*HEADERS, "Retry-After"} <= set(exposed)


def test_page_does_not_show_the_attempts_for_an_address(app: App):
    answer = app.client().post("/connexion", data={"adresse": "le.goff@exemple.fr"})
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


def test_count_in_the_database_does_not_wait_for_the_request_that_it_counts(
    app: App, monkeypatch: pytest.MonkeyPatch
):
    """SQLite has one writer: a counter inside the transaction of its request would wait for it, and time out."""
    engine = open_engine(str(app.process.engine.url))
    hit: list[Any] = []

    class Counts(DatabaseCounts):
        def acquire_sliding_window_entry(self, *asked: Any, **more: Any) -> bool:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA busy_timeout = 1")
            hit.append(asked)
            return super().acquire_sliding_window_entry(*asked, **more)

    monkeypatch.setattr(app.process, "limiter", RateLimits(Counts(engine, SettableClock()), b"key"))
    client = program(app)
    activity = {"kind": "workshop", "title": "Atelier", "starts_on": "2026-11-24", "ends_on": "2026-11-24"}
    answer = client.post(f"{V1}/activities", json=activity)
    assert (answer.status_code, len(hit)) == (201, 1)
    assert answer.headers["ratelimit-remaining"] == "2999"
    client.headers["authorization"] = "Bearer sceau_invented"
    refused = client.post(f"{V1}/activities", json=activity)
    assert '"failed-token";r=29' in refused.headers["ratelimit"]
    engine.dispose()
