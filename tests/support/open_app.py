"""The app served on a free port, for tests with a real browser."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.domain.awards import Visibility
from app.services.badges import BadgePage
from tests.support.app import COMMAND, App, build_app
from tests.support.servers.server import LiveServer, serving


@dataclass
class OpenApp:
    app: App
    server: LiveServer

    def url(self, path: str) -> str:
        return self.server.url(path)

    def award(self, person: str, *, is_open: bool = False, badge: BadgePage | None = None) -> Given:
        result = self.app.award(person, badge=badge)
        award_id = result.lines[0].award_id
        assert award_id is not None
        with self.app.unit_of_work() as services:
            if is_open:
                services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
            record = services.awards.record(award_id)
            files = {
                form: services.publication.award_file(record, form).body
                for form in ("json", "jwt", "png", "svg")
            }
        return Given(self.url(f"/attributions/{award_id}"), self.url(self.app.private_link(result)), files)


@dataclass(frozen=True)
class Given:
    """An award: its public URL, its holder's private link, and its files."""

    page: str
    private_link: str
    files: dict[str, bytes]


@pytest.fixture
def open_app(sqlite_url: str, tmp_path: Path, listener: socket.socket) -> Iterator[OpenApp]:
    app = build_app(sqlite_url, tmp_path, base_url=f"http://localhost:{listener.getsockname()[1]}")
    with serving(app.process.settings, listener, process=app.process) as server:
        yield OpenApp(app, server)
    app.close()
