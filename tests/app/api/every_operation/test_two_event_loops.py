"""Two servers of one application in one process, as an embedder or two test clients start them, do not block each other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import httpx
import pytest
from fastapi import FastAPI

from app.main import create_app
from tests.support.app import App, build_app

LONGEST = 60.0
"""Seconds for work of one second: a deadlock fails here."""
AT_ONCE, ROUNDS = 12, 20


@pytest.fixture
def app(database_url: str, tmp_path: Path) -> Iterator[App]:
    built = build_app(database_url, tmp_path)
    yield built
    built.close()


def test_two_event_loops_read_the_same_public_documents_at_the_same_time(app: App) -> None:
    application, start, end = create_app(process=app.process), Barrier(2), Barrier(2)

    def serve_and_read() -> set[int]:
        return asyncio.run(
            asyncio.wait_for(_read(application, app.process.settings.base_url, start, end), LONGEST)
        )

    with ThreadPoolExecutor(2) as threads:
        servers = [threads.submit(serve_and_read) for _ in range(2)]
        assert [server.result() for server in servers] == [{200}, {200}]


async def _read(application: FastAPI, base_url: str, start: Barrier, end: Barrier) -> set[int]:
    """The statuses of all answers."""
    transport = httpx.ASGITransport(application)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url=base_url) as client,
    ):
        await asyncio.to_thread(start.wait, LONGEST)
        answers = [
            await asyncio.gather(*(client.get("/campus/itip/did.json") for _ in range(AT_ONCE)))
            for _ in range(ROUNDS)
        ]
        await asyncio.to_thread(end.wait, LONGEST)
        return {answer.status_code for some in answers for answer in some}
