"""Saved forms of a person: which ones are deleted before the next is saved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event
from sqlmodel import Session, SQLModel, col, select

from app.db.accounts import DraftStore, SignInStore
from app.db.engine.session import open_engine
from app.domain.accounts.sessions import FormDraft, SetAside
from tests.support.app import NOON, App, build_app
from tests.support.databases.engines import as_owner


@pytest.fixture
def app(postgres_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(postgres_url, tmp_path)
    yield built
    built.close()


@pytest.fixture
def engine(app: App, postgres_url: str) -> Iterator[Engine]:
    opened = open_engine(as_owner(postgres_url))
    yield opened
    opened.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize("kind", [FormDraft, SetAside])
def test_form_saved_concurrently_by_another_process_stays(
    app: App, engine: Engine, kind: type[SQLModel]
) -> None:
    person, campus = app.trainer.id, app.campus.id

    def saved(minutes: int) -> SQLModel:
        sealed = {"sealed": b"", "expires_at": NOON + timedelta(minutes=minutes), "person_id": person}
        if kind is FormDraft:
            return FormDraft(campus_id=campus, **sealed)
        return SetAside(secret_digest=str(minutes), **sealed)

    def meanwhile(*result: object) -> None:
        if str(result[2]).startswith("DELETE"):
            another.add(saved(3))
            another.commit()

    with Session(engine) as session, Session(engine) as another:
        session.add_all([saved(1), saved(2)])
        session.commit()
        event.listen(engine, "before_cursor_execute", meanwhile)
        if kind is FormDraft:
            DraftStore(session).make_room(campus, person, but=1)
        else:
            SignInStore(session).make_room_for_form(person, but=1)
        event.remove(engine, "before_cursor_execute", meanwhile)
        session.commit()
        ends = session.exec(select(kind).order_by(col(kind.expires_at))).all()  # type: ignore[attr-defined]
        assert [each.expires_at - NOON for each in ends] == [timedelta(minutes=2), timedelta(minutes=3)]  # type: ignore[attr-defined]
