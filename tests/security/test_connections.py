"""Anonymous clients cannot exhaust database connections; the log contains no personal data."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import ExitStack
from pathlib import Path
from threading import current_thread

import httpx
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from tests.support.app import App, build_app


class Counter:
    """The maximum number of connections in use at once."""

    def __init__(self, app: App) -> None:
        self.now = self.most = 0
        self.taken_beside: list[str] = []
        """Thread and call stack of each checkout while another connection was in use, and of that other."""
        self._before = ""
        event.listen(app.process.engine, "checkout", self._taken)
        event.listen(app.process.engine, "checkin", self._given_back)

    def _taken(self, *_) -> None:
        self.now += 1
        self.most = max(self.most, self.now)
        frames = [each for each in traceback.extract_stack() if "/app/" in each.filename]
        places = " < ".join(f"{Path(each.filename).name}:{each.lineno}" for each in reversed(frames))
        here = f"{current_thread().name}: {places}"
        if self.now > 1:
            self.taken_beside += [self._before, here]
        self._before = here

    def _given_back(self, *_) -> None:
        self.now -= 1


@pytest.mark.parametrize(
    "path", ["/", "/verifier", "/campus/itip", "/couleurs/tous.css", "/rien", "/gestion"]
)
def test_an_invalid_session_uses_one_connection(app: App, path: str):
    """With two per request, concurrent requests would deadlock: each holds one and waits for another."""
    client = app.client()
    client.cookies.set("sid", "invented")
    used = Counter(app)
    client.get(path)
    assert used.most == 1, used.taken_beside


def test_a_trainer_page_uses_one_connection(app: App):
    client = app.client(app.trainer)
    used = Counter(app)
    assert client.get("/gestion/itip").status_code == 200
    assert used.most == 1, used.taken_beside


def test_forty_readers_leave_a_connection_for_a_writer(app: App):
    """As many readers as threads, each in the middle of a page, while a form is saved."""
    with ExitStack() as readers:
        for _ in range(40):
            services = readers.enter_context(app.unit_of_work(reading=True))
            assert services.campuses.list_all()
        app.record("MARTIN Chloé; chloe@exemple.fr")


def test_database_errors_contain_no_personal_data(database_url, tmp_path):
    """Its text is written to the log (I23)."""
    app = build_app(database_url, tmp_path)
    with (
        pytest.raises(DBAPIError) as caught,
        app.unit_of_work() as services,
    ):
        services.people.people.session.execute(
            text("INSERT INTO nowhere VALUES (:address)"), {"address": "chloe@exemple.fr"}
        )
    app.close()
    assert "chloe@exemple.fr" not in str(caught.value)


def test_more_requests_than_threads_and_connections_are_all_answered(postgres_url: str, tmp_path: Path):
    """Each page holds a connection while it waits for a thread: without a limit, requests deadlock."""
    app = build_app(postgres_url, tmp_path)
    application = app.client(app.trainer).app
    cookies = dict(app.client(app.trainer).cookies)

    async def everybody() -> set[int]:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", cookies=cookies, timeout=None
        ) as browser:
            answers = await asyncio.gather(*(browser.get("/gestion/itip") for _ in range(150)))
        return {answer.status_code for answer in answers}

    assert asyncio.run(everybody()) == {200}
    app.close()


SLOW_FORMS = (
    "/verifier",
    "/verifier/demander",
    "/mes-badges/portfolio",
    "/mes-badges/quitter",
    "/gestion/itip/reglages",
)


def test_an_incomplete_form_upload_takes_no_database_slot(postgres_url: str, tmp_path: Path):
    app = build_app(postgres_url, tmp_path)
    client = app.client()
    application = client.app

    async def places_left(path: str) -> tuple[int, int]:
        """Free slots before the form arrives, and after a part of it arrived."""
        before, waits = application.state.places._value, asyncio.Event()  # type: ignore[attr-defined]
        parts = iter((b"jeton=",))

        async def receive() -> dict[str, object]:
            if (part := next(parts, None)) is None:
                waits.set()
                await asyncio.Event().wait()
            return {"type": "http.request", "body": part, "more_body": True}

        async def send(_message: object) -> None:
            waits.set()

        headers = {
            "host": "localhost:8000", "content-type": "application/x-www-form-urlencoded", "content-length": "999",
        }  # fmt: skip
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "path": path,
            "raw_path": path.encode(), "root_path": "", "scheme": "http", "query_string": b"", "state": {},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("localhost", 8000),
        }  # fmt: skip
        answering = asyncio.ensure_future(application(scope, receive, send))
        await waits.wait()
        left = application.state.places._value  # type: ignore[attr-defined]
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        return before, left

    try:
        for path in SLOW_FORMS:
            before, left = client.portal.call(places_left, path)  # type: ignore[union-attr]
            assert before == left, path
    finally:
        app.close()
