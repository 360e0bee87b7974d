"""What a server process does before its first request, and what its supervisor sees when it ends."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path
from threading import Timer

import pytest

import app.main
from app.cli.operations.serve import ServerProcess


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
