"""What SQLite does for a page of one person, award or request, in a small campus and in a large one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.pool import Pool

import app.db.engine.session as session
from app.domain.accounts.sessions import Scope
from app.domain.awards import Visibility
from tests.app.api.clients import program
from tests.security.matrix.callers import things_of
from tests.security.matrix.policy import CASES
from tests.support.app import COMMAND, App

_OF_ONE = re.compile(
    r"GET .*{(award|person|request|contribution|portfolio|imported|enrolment|participation)_id"
)
_COMPARES_EVERYBODY = "/gestion/{slug}/repertoire/{person_id:uuid}/reunir"
_INSTRUCTIONS = 50
_ROOM = 80
"""For cached parts of the page that was read before: walking along 300 awards takes more."""


@contextmanager
def counting() -> Iterator[list[int]]:
    """One for every fifty instructions of SQLite's virtual machine."""
    steps: list[int] = []

    def count(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(lambda: steps.append(1), _INSTRUCTIONS)

    def end(connection: Any, *_: Any) -> None:
        connection.set_progress_handler(None, _INSTRUCTIONS)

    listeners = (Pool, "checkout", count), (Pool, "checkin", end)
    for each in listeners:
        event.listen(*each)
    try:
        yield steps
    finally:
        for each in listeners:
            event.remove(*each)


def test_page_of_one_person_award_or_request_costs_the_same_in_a_large_campus(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    things = things_of(app, app.campus, app.admin)
    learner = app.client()
    learner.get(f"/recevoir/{things.ids['token']}")
    clients = [app.client(), learner, app.client(app.admin), program(app, *(each.value for each in Scope))]
    paths = {name.removeprefix("GET ") for name in CASES if _OF_ONE.match(name)} - {_COMPARES_EVERYBODY}

    def costs() -> dict[tuple[str, int], int]:
        found = {}
        for path in sorted(paths):
            address = things.fill(path)
            for place, client in enumerate(clients):
                if client.get(address, follow_redirects=False).status_code == 200:
                    with counting() as steps:
                        client.get(address, follow_redirects=False)
                    found[path, place] = len(steps)
                    break
        return found

    small = costs()
    result = app.award(
        *(f"Nom{number} Prénom{number};p{number}@exemple.fr" for number in range(300)),
        badge=app.role,
        evidence="A animé la table des capteurs.",
    )
    with app.unit_of_work() as services:
        for line in result.lines:
            assert line.award_id is not None
            services.awards.set_visibility(line.award_id, Visibility.OPEN, by=COMMAND)
        monkeypatch.setattr(session, "_FEW_PAGES", 1)
        services.stores.workers.refresh_statistics()
    # As after some minutes, when connections are replaced.
    app.process.engine.dispose()
    large = costs()
    assert len(large) > 60
    assert {each: (small[each], cost) for each, cost in large.items() if cost > small[each] + _ROOM} == {}
