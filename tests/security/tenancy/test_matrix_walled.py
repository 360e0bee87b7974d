"""Every route answers permitted callers also with PostgreSQL row-level security: each sets its campus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts

from app.http.negotiation import ForPeople
from app.http.request_scope import Who
from tests.security.matrix.callers import Caller, Things, callers_of, members_of, things_of
from tests.security.matrix.policy import CASES
from tests.security.test_matrix import allowed, ask
from tests.support.app import App, build_app
from tests.support.databases.engines import temporary_walled
from tests.support.running.every import for_each

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def app(
    migrated_postgres: str, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[App]:
    with temporary_walled(postgres_server, migrated_postgres) as url:
        built = build_app(url, tmp_path_factory.mktemp("walled"))
        yield built
        built.close()


@pytest.fixture(scope="module")
def ours(app: App) -> Things:
    return things_of(app, app.campus, app.trainer)


@pytest.fixture(scope="module")
def callers(app: App, ours: Things) -> list[Caller]:
    return list(callers_of(app, ours, members_of(app)))


@pytest.fixture(scope="module")
def pages(app: App) -> set[str]:
    routes = iter_route_contexts(app.client().app.routes)  # type: ignore[attr-defined]
    return {f"GET {each.path}" for each in routes if isinstance(each.original_route, ForPeople)}


@for_each("key", [key for key, case in CASES.items() if case.policy.who not in (Who.OPERATOR, Who.NETWORK)])
def test_permitted_callers_are_answered_with_row_level_security(
    key: str, app: App, ours: Things, callers: list[Caller], pages: set[str]
):
    case = CASES[key]
    if case.ends_all or case.uses_up:
        mark = " on their own" if case.ends_all else ""
        callers = list(callers_of(app, ours, members_of(app, mark=mark), mark=mark))
    for accept in ("text/html", "*/*") if key in pages else ("*/*",):
        caller = allowed(callers, case, ours)
        path = ours.fill(key.partition(" ")[2])
        assert ask(caller, key, path, case, accept=accept).status_code == case.good, accept
