"""What a server process does before its first request, and what its supervisor observes when it ends."""

from __future__ import annotations

import multiprocessing
import sys
import time
from pathlib import Path
from threading import Timer

import pytest
from fastapi.testclient import TestClient
from sqlalchemy.exc import OperationalError
from uvicorn.config import STARTUP_FAILURE

import app.main
from app.cli.operations.serve import ServerProcess
from app.http import health
from app.main import create_app
from tests.support.app import App


def test_typefaces_are_parsed_before_the_first_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    monkeypatch.setattr("app.container.process._artist", lambda _: done.append("artist"))
    monkeypatch.setattr(app.main, "collect_rarely", lambda: done.append("collected"))
    monkeypatch.setattr(app.main, "configure_logging", lambda **_: None)
    monkeypatch.setenv("SCEAU_DATABASE_URL", f"sqlite:///{tmp_path}/database/sceau.sqlite")
    monkeypatch.setenv("SCEAU_DEVELOPMENT_DIR", str(tmp_path / "secrets"))
    monkeypatch.setenv("SCEAU_WORK", "false")
    app.main.served()
    assert done == ["artist", "collected"], "what stays is exempt from garbage collection"


def test_supervisor_does_not_wait_for_the_answer_of_a_killed_process():
    watched = object.__new__(ServerProcess)
    context = multiprocessing.get_context("spawn")
    watched.parent_conn, watched.child_conn = multiprocessing.Pipe()
    watched.process = context.Process(target=time.sleep, args=(120,))
    watched.process.start()
    watched.child_conn.send(True)
    assert watched.is_alive(60)
    killer = Timer(0.3, watched.process.kill)
    killer.start()
    begun = time.monotonic()
    assert not watched.is_alive(60)
    assert time.monotonic() - begun < 20
    assert not watched.is_alive(60)
    killer.join()
    watched.process.join()


def test_a_server_process_that_starts_without_a_database_waits_for_it(
    app: App, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []

    def check(**_: object) -> None:
        asked.append("check")
        if len(asked) < 3:
            raise OperationalError("SELECT 1", {}, ConnectionRefusedError())

    monkeypatch.setattr(app.process, "check", check)
    monkeypatch.setattr(health, "DATABASE_ASKED_EVERY", 0.0)
    stopped: list[str] = []
    with TestClient(create_app(process=app.process, on_stop=lambda: stopped.append("bounded"))) as client:
        assert client.get("/health/ready").status_code == 200
        assert (len(asked), stopped) == (3, [])
    assert stopped == ["bounded"]


def test_a_service_with_a_process_that_cannot_start_ends_with_an_error(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(ServerProcess, "has_failed_to_start", False)
    for code in (0, STARTUP_FAILURE):
        ended = object.__new__(ServerProcess)
        ended.process = multiprocessing.get_context("spawn").Process(target=sys.exit, args=(code,))
        ended.process.start()
        ended.join()
        assert ServerProcess.has_failed_to_start == (code == STARTUP_FAILURE)
