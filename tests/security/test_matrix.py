"""Every address × everybody × the things of two campuses: the answer is the one that the policy foresees (T01, T29)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copyfile
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from httpx import Response
from sqlalchemy import MetaData, select

from app.negotiation import ForPeople
from tests.security.callers import Caller, Things, callers_of, things_of
from tests.security.policy import POLICIES, Policy, Who
from tests.support.house import House, build_house

OURS, THEIRS = "itip", "agt"
SAFE = ("GET", "HEAD", "OPTIONS")
FORMS = [key for key in POLICIES if not key.startswith((*SAFE, "POST /api/"))]


@pytest.fixture(scope="module")
def house(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("matrix")
    (database := folder / "database").mkdir()
    copyfile(migrated_sqlite, database / "sceau.sqlite")
    built = build_house(f"sqlite:///{database / 'sceau.sqlite'}", folder)
    yield built
    built.close()


@pytest.fixture(scope="module")
def things(house: House) -> dict[str, Things]:
    return {
        OURS: things_of(house, house.campus, house.trainer),
        THEIRS: things_of(house, house.other_campus, house.stranger),
    }


@pytest.fixture(scope="module")
def callers(house: House, things: dict[str, Things]) -> list[Caller]:
    return list(callers_of(house, things[OURS]))


@pytest.fixture(scope="module")
def pages(house: House) -> set[str]:
    """The addresses at which people find a page and programs a document."""
    routes = iter_route_contexts(house.client().app.routes)  # type: ignore[attr-defined]
    return {f"GET {each.path}" for each in routes if isinstance(each.original_route, ForPeople)}


def test_every_address_has_a_policy(house: House):
    routes = iter_route_contexts(house.client().app.routes)  # type: ignore[attr-defined]
    there = {f"{method} {each.path}" for each in routes for method in set(each.methods or ()) - {"HEAD"}}
    assert there == set(POLICIES)


@pytest.mark.parametrize("key", POLICIES)
def test_the_answer_is_the_one_foreseen(
    key: str, house: House, things: dict[str, Things], callers: list[Caller], pages: set[str]
):
    policy = POLICIES[key]
    wrong = []
    for accept in ("text/html", "*/*") if key in pages else ("*/*",):
        for caller in callers_of(house, things[OURS]) if policy.uses_up else callers:
            for case, path, expected in _cases(key, policy, caller, things):
                got = ask(caller, key, path, policy, accept=accept).status_code
                if got != expected:
                    wrong.append(f"{caller.name}, {case} ({accept}): {got} instead of {expected}")
    assert not wrong


def _cases(
    key: str, policy: Policy, caller: Caller, things: Mapping[str, Things]
) -> Iterator[tuple[str, str, int]]:
    """(what, address, status) of the things of each campus, and of one campus's things under the other's name."""
    path = key.partition(" ")[2]
    for campus in (OURS, THEIRS) if "{" in path else (OURS,):
        yield f"things of {campus}", things[campus].fill(path), _expected(policy, caller, things[campus])
    if "{slug}" in path and "_id" in path:
        own = caller.campus or OURS
        other = things[THEIRS if own == OURS else OURS]
        status = _expected(policy, caller, things[own])
        yield "another campus's things", other.fill(path, slug=own), 404 if status == policy.good else status


def _expected(policy: Policy, caller: Caller, things: Things) -> int:
    is_there = caller.campus == things.campus.slug
    match policy.who:
        case Who.ANYBODY:
            return policy.good
        case Who.GUEST:
            return 303 if caller.works else policy.good
        case Who.STAFF_ANYWHERE:
            return policy.good if caller.works else 401
        case Who.STAFF:
            return (policy.good if is_there else 404) if caller.works else 401
        case Who.HOLDER:
            return policy.good if caller.holds == things.award_id else 401
    if not caller.scopes:
        return 401
    if policy.scope not in caller.scopes:
        return 403
    return policy.good if is_there else 404


def ask(
    caller: Caller, key: str, path: str, policy: Policy, *, token: str | None = None, **headers: str
) -> Response:
    """As the caller's browser or program would: a form with the token of our own page, or a JSON body."""
    method = key.partition(" ")[0]
    sent: dict[str, Any] = {}
    if key in FORMS:
        sent["data"] = {"jeton": caller.form_token() if token is None else token, **policy.body}
    elif method == "POST":
        sent["json"] = policy.body
    return caller.client.request(method, path, headers=headers, **sent)


# --- nothing happens that nobody wanted


def rows(house: House) -> str:
    """A digest of all that is kept."""
    digest = hashlib.sha256()
    tables = MetaData()
    with house.process.engine.connect() as connection:
        tables.reflect(connection)
        for table in tables.sorted_tables:
            kept = sorted(map(repr, connection.execute(select(table))))
            digest.update(f"{table.name}{kept}".encode())
    return digest.hexdigest()


def allowed(callers: list[Caller], policy: Policy, things: Things) -> Caller:
    """Somebody who may."""
    return next(each for each in callers if _expected(policy, each, things) == policy.good)


# A private link opens a session for the browser that shows it; that is all it writes.
READING = [key for key in POLICIES if key.startswith("GET ") and key != "GET /recevoir/{token}"]


def test_looking_changes_nothing(
    house: House, things: dict[str, Things], callers: list[Caller], pages: set[str]
):
    """The one other exception has its own test: a status list is signed again when half its week is over."""
    before = rows(house)
    for key in READING:
        policy, path = POLICIES[key], things[OURS].fill(key.partition(" ")[2])
        caller = allowed(callers, policy, things[OURS])
        for accept in ("text/html", "*/*") if key in pages else ("*/*",):
            # 410: where the award was withdrawn meanwhile, its older rendition says so.
            assert ask(caller, key, path, policy, accept=accept).status_code in (policy.good, 410)
        assert rows(house) == before, key


def test_a_private_link_writes_a_session_and_nothing_else(house: House, things: dict[str, Things]):
    before = _counts(house)
    for method in ("GET", "HEAD"):
        assert house.client().request(method, things[OURS].fill("/recevoir/{token}")).status_code == 303
    after = _counts(house)
    assert {name for name in after if after[name] != before[name]} == {"session"}


def _counts(house: House) -> dict[str, int]:
    tables = MetaData()
    with house.process.engine.connect() as connection:
        tables.reflect(connection)
        return {table.name: len(connection.execute(select(table)).all()) for table in tables.sorted_tables}


FOREIGN = {
    "another origin": {"origin": "https://evil.example"},
    "a neighbour's origin": {"origin": "https://evil.localhost:8000"},
    "another site": {"sec-fetch-site": "cross-site"},
    "a neighbour": {"sec-fetch-site": "same-site"},
    "a hidden origin of another site": {"origin": "null", "sec-fetch-site": "cross-site"},
}


@pytest.mark.parametrize("key", FORMS)
def test_a_form_of_another_site_does_nothing(
    key: str, house: House, things: dict[str, Things], callers: list[Caller]
):
    """Even with the visitor's own cookies and a good token; and ours does nothing without one."""
    policy, path = POLICIES[key], things[OURS].fill(key.partition(" ")[2])
    caller = allowed(callers, policy, things[OURS])
    good = caller.form_token()
    before = rows(house)
    for name, headers in FOREIGN.items():
        assert ask(caller, key, path, policy, token=good, **headers).status_code == 403, name
    for token in ("", "A" * 88, good[:-4]):
        assert ask(caller, key, path, policy, token=token).status_code == 403, token
    assert caller.client.post(path, data=policy.body).status_code == 403
    assert caller.client.post(path, json=policy.body).status_code == 403
    assert rows(house) == before


@pytest.mark.parametrize("key", [key for key in POLICIES if POLICIES[key].scope and key.startswith("POST")])
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_form_of_another_site_could_send_is_no_request_of_a_program(
    key: str, kind: str, house: House, things: dict[str, Things], callers: list[Caller]
):
    policy, path = POLICIES[key], things[OURS].fill(key.partition(" ")[2])
    caller = allowed(callers, policy, things[OURS])
    before = rows(house)
    answer = caller.client.post(path, content=b"{}", headers={"content-type": kind})
    assert answer.status_code in (415, 422)
    assert rows(house) == before


# --- no address of another host


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "localhost:8000.evil.example"])
def test_no_answer_repeats_the_host_that_a_request_names(
    host: str, house: House, things: dict[str, Things], callers: list[Caller], pages: set[str]
):
    for key in READING:
        policy, path = POLICIES[key], things[OURS].fill(key.partition(" ")[2])
        caller = allowed(callers, policy, things[OURS])
        for accept in ("text/html", "*/*") if key in pages else ("*/*",):
            headers = {"host": host, "x-forwarded-host": host, "forwarded": f"host={host}"}
            answer = ask(caller, key, path, policy, accept=accept, **headers)
            assert b"evil" not in answer.content + str(answer.headers).encode(), key
