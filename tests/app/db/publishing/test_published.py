"""What is read without the ORM is what the ORM would say, on both databases."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from psycopg import Error, OperationalError
from sqlalchemy import text

from app.db.publishing import LastView, published_store
from app.domain.awards import Visibility
from app.domain.awards.signed_bytes import InDatabase
from app.services.publishing import PublicDocuments
from tests.support.app import COMMAND, App, build_app

pytestmark = pytest.mark.both_engines

Found = TypeVar("Found")


@pytest.fixture
def postgres_app(postgres_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(postgres_url, tmp_path)
    yield built
    built.close()


async def _nothing_refused(_award_id: uuid.UUID) -> None:
    """No campus is behind its anchors."""


def read(app: App, question: Callable[[PublicDocuments], Awaitable[Found]]) -> Found:
    async def ask() -> Found:
        process = app.process
        published = published_store(process.engine, lambda: process.last_commit)
        documents = PublicDocuments(
            lambda: published,
            process.anchors,
            process.addresses,
            process.clock,
            _nothing_refused,
            InDatabase(),
        )
        await documents.open()
        try:
            return await question(documents)
        finally:
            await documents.close()

    return asyncio.run(ask())


def test_an_award_that_nothing_happened_to_stands_as_before_and_one_that_changed_does_not(
    app: App,
) -> None:
    award_id = app.award("Zoé N’Diaye; zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    shut = read(app, lambda documents: documents.standing(award_id))
    assert shut is not None
    assert not shut.is_open
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
    opened = read(app, lambda documents: documents.standing(award_id))
    assert opened is not None
    assert opened.is_open
    assert opened == read(app, lambda documents: documents.standing(award_id))
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Attribué par erreur.", by=COMMAND)
    assert read(app, lambda documents: documents.standing(award_id)) not in (shut, opened)
    assert read(app, lambda documents: documents.standing(uuid.UUID(int=1))) is None


def test_the_key_document_is_the_one_that_the_service_would_write(app: App) -> None:
    def written() -> bytes:
        with app.unit_of_work(reading=True) as services:
            return services.publication.campus_did("itip").body

    assert read(app, lambda documents: documents.campus_did("itip")).body == written()


def test_the_key_of_the_log_signs_no_badge(app: App) -> None:
    """One key, one purpose: whoever verifies a badge never meets the key of the log."""
    with app.unit_of_work() as services:
        before = services.publication.campus_did("itip").body, services.publication.jwks().body
        services.activity_log.checkpoint(app.campus)
    with app.unit_of_work(reading=True) as services:
        assert (services.publication.campus_did("itip").body, services.publication.jwks().body) == before
    assert read(app, lambda documents: documents.campus_did("itip")).body == before[0]


def test_whoever_asks_after_a_commit_is_informed_of_it_however_many_ask_at_once(app: App) -> None:
    async def ask(documents: PublicDocuments) -> None:
        before = set(await asyncio.gather(*(documents.version() for _ in range(50))))
        asked_before = asyncio.ensure_future(documents.version())
        with app.unit_of_work() as services:
            services.kept_site.note(app.campus, final=False, by=COMMAND)
        after = await asyncio.gather(*(documents.version() for _ in range(50)))
        assert None not in before
        assert not before & set(after)
        await asked_before

    read(app, ask)


def test_the_database_is_asked_again_after_a_commit_of_ours_and_every_fiftieth_of_a_second_for_others(
    app: App,
) -> None:
    now, commits = [0.0], [0]
    documents = published_store(app.process.engine, lambda: commits[0])
    documents.last_look = LastView(lambda: commits[0], lambda: now[0])  # type: ignore[attr-defined]

    def somebody_commits() -> None:
        with app.unit_of_work() as services:
            services.kept_site.note(app.campus, final=False, by=COMMAND)

    async def ask() -> None:
        await documents.open()
        first = await documents.version()
        somebody_commits()
        assert await documents.version() == first
        now[0] += 0.021
        second = await documents.version()
        assert second not in (first, None)
        somebody_commits()
        commits[0] += 1
        assert await documents.version() not in (second, None)
        await documents.close()

    asyncio.run(ask())


def test_many_questions_at_once_each_get_their_own_answer(app: App) -> None:
    ids = [app.award(f"Nom{number} Prénom; p{number}@exemple.fr").lines[0].award_id for number in range(3)]

    async def ask(documents: PublicDocuments) -> None:
        known = [each for each in ids if each is not None]
        alone = {each: await documents.standing(each) for each in known}
        asked = [*known, uuid.UUID(int=1)] * 20
        answers = await asyncio.gather(
            *(documents.standing(each) for each in asked), documents.campus_did("itip"), documents.version()
        )
        assert answers[: len(asked)] == [alone.get(each) for each in asked]
        assert answers[-2] == await documents.campus_did("itip")

    read(app, ask)


def test_connection_that_was_lost_is_made_again_and_no_question_waits_for_ever(
    postgres_app: App,
) -> None:
    async def ask(documents: PublicDocuments) -> None:
        before = await documents.campus_did("itip")
        line = documents.store._line  # type: ignore[attr-defined]
        with postgres_app.owner.begin() as connection:
            ended = text("SELECT pg_terminate_backend(:pid)").bindparams(pid=line._server.backend_pid)
            assert connection.execute(ended).scalar_one()
        assert await documents.campus_did("itip") == before
        assert line.is_over
        lost = documents.store._line  # type: ignore[attr-defined]
        waiting = lost.ask("SELECT pg_sleep(60)::text", ())
        lost.end(OperationalError("gone"))
        with pytest.raises(OperationalError):
            await waiting
        with pytest.raises(Error):
            await documents.store._asked("SELECT no_such_column", ())  # type: ignore[attr-defined]
        assert await documents.campus_did("itip") == before

    read(postgres_app, ask)
