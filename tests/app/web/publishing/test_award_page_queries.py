"""The page of an award that was not read before: how many database queries it takes."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from app.db.engine import queries
from app.domain.awards import Visibility
from tests.support.app import COMMAND, App, build_app
from tests.support.badges.endorsed import endorsed


def test_the_page_of_another_award_takes_three_queries(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = [line.award_id for line in app.award("Zoé Martin;zoe@exemple.fr", "Ali Ben;ali@exemple.fr").lines]
    with app.unit_of_work() as services:
        for each in ids:
            assert each
            services.awards.set_visibility(each, Visibility.OPEN, by=COMMAND)
            endorsed(services, app.campus, award=services.awards.record(each))
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    def ask(connection: Any, text: str, given: Any) -> Any:
        asked.append(text)
        return quick_reads_ask(connection, text, given)

    quick_reads_ask = queries._asked
    client = app.client()
    assert _page(client, ids[0])
    event.listen(app.process.engine, "before_cursor_execute", note)
    monkeypatch.setattr(queries, "_asked", ask)
    assert _page(client, ids[1])
    assert asked
    assert len(asked) <= 3, asked


def test_the_tenant_is_set_by_the_driver_and_not_by_a_query(postgres_url: str, tmp_path: Path) -> None:
    """Setting it through SQLAlchemy takes several times as long as reading the rows."""
    app = build_app(postgres_url, tmp_path)
    ids = [line.award_id for line in app.award("Zoé Martin;zoe@exemple.fr", "Ali Ben;ali@exemple.fr").lines]
    with app.unit_of_work() as services:
        for each in ids:
            assert each
            services.awards.set_visibility(each, Visibility.OPEN, by=COMMAND)
    client, sent = app.client(), list[str]()
    assert _page(client, ids[0])
    event.listen(app.process.engine, "before_cursor_execute", lambda *result: sent.append(result[2]))
    assert _page(client, ids[1])
    assert not [each for each in sent if "set_config" in each]
    app.close()


def _page(client: Any, award_id: uuid.UUID | None) -> bool:
    answer = client.get(f"/attributions/{award_id}")
    return bool(answer.status_code == 200)
