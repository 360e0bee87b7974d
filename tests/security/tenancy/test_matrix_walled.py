"""Every address answers whoever may use it also where PostgreSQL holds the application back: none forgets its campus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.routing import iter_route_contexts

from app.http.negotiation import ForPeople
from app.http.request_scope import Who
from tests.security.matrix.callers import Caller, Things, callers_of, members_of, things_of
from tests.security.matrix.policy import CASES
from tests.security.test_matrix import allowed, ask
from tests.support.databases.engines import temporary_walled
from tests.support.house import House, build_house
from tests.support.running.every import for_each

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def house(
    migrated_postgres: str, postgres_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    with temporary_walled(postgres_server, migrated_postgres) as url:
        built = build_house(url, tmp_path_factory.mktemp("walled"))
        yield built
        built.close()


@pytest.fixture(scope="module")
def ours(house: House) -> Things:
    return things_of(house, house.campus, house.trainer)


@pytest.fixture(scope="module")
def callers(house: House, ours: Things) -> list[Caller]:
    return list(callers_of(house, ours, members_of(house)))


@pytest.fixture(scope="module")
def pages(house: House) -> set[str]:
    routes = iter_route_contexts(house.client().app.routes)  # type: ignore[attr-defined]
    return {f"GET {each.path}" for each in routes if isinstance(each.original_route, ForPeople)}


@for_each("key", [key for key, case in CASES.items() if case.policy.who not in (Who.OPERATOR, Who.NETWORK)])
def test_who_may_is_answered_behind_the_walls(
    key: str, house: House, ours: Things, callers: list[Caller], pages: set[str]
):
    case = CASES[key]
    if case.ends_all or case.uses_up:
        mark = " on their own" if case.ends_all else ""
        callers = list(callers_of(house, ours, members_of(house, mark=mark), mark=mark))
    for accept in ("text/html", "*/*") if key in pages else ("*/*",):
        caller = allowed(callers, case, ours)
        path = ours.fill(key.partition(" ")[2])
        assert ask(caller, key, path, case, accept=accept).status_code == case.good, accept
