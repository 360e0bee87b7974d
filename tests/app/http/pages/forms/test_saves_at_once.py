"""Two people save the same page in the same milliseconds: the second is shown what the first has saved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import create_engine, event, text
from sqlmodel import Session

from app.db.engine import writes
from app.errors import Unavailable
from tests.app.http.pages.forms.test_written_meanwhile import CASES, the_form
from tests.support.app import App
from tests.support.databases.engines import on_postgres

_WRITTEN = text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")
_WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND (database IS NULL OR database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


@contextmanager
def meeting_before_commit(app: App) -> Iterator[None]:
    """The first transaction with writes commits once another has written too, or waits for a lock."""
    asking = create_engine(app.process.engine.url)
    arrived, both = [], threading.Event()

    def wait(session: Any) -> None:
        if session.in_nested_transaction() or not session.execute(_WRITTEN).scalar_one():
            return
        arrived.append(session)
        if len(arrived) > 1:
            both.set()
        for _ in range(1000):
            with asking.connect() as connection:
                if both.wait(0.01) or connection.execute(_WAITING).scalar_one():
                    return
        raise AssertionError("the other save never came")

    event.listen(Session, "before_commit", wait)
    try:
        yield
    finally:
        event.remove(Session, "before_commit", wait)
        asking.dispose()


@on_postgres
def test_a_transaction_that_waits_too_long_returns_its_connection(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "_TURN_WITHIN", "20ms")
    with app.unit_of_work() as first:
        first.take_turns([app.activity.id])
        with pytest.raises(Unavailable), app.unit_of_work() as second:
            second.take_turns([app.activity.id])
    with app.unit_of_work() as third:
        third.take_turns([app.activity.id])
        assert third.stores.session.execute(text("SHOW lock_timeout")).scalar_one() == "0"


@on_postgres
@pytest.mark.parametrize("make", CASES, ids=lambda each: each.__name__)
def test_the_second_of_two_concurrent_saves_is_shown_the_first(app: App, make) -> None:
    case = make(app)
    clients = [app.client(app.admin), app.client(app.admin)]
    shown = [client.get(case.path) for client in clients]
    filled = [
        the_form(page, case.form).fill(**typed)
        for page, typed in zip(shown, (case.newer, case.stale), strict=True)
    ]
    with meeting_before_commit(app), ThreadPoolExecutor(2) as people:
        answers = list(
            people.map(lambda one: one[0].press(*one[1:]), zip(filled, clients, shown, strict=True))
        )
    assert sorted(answer.status_code for answer in answers) == [303, 409]
