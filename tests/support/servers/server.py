"""The real server on a free local port, with the demo loaded."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn

from app.settings import Settings

if TYPE_CHECKING:
    from app.container import Process

REPOSITORY = Path(__file__).resolve().parents[3]
START_TIMEOUT = 60.0


@dataclass(frozen=True)
class LiveServer:
    """The URL of the server, and the `sceau` command with the same settings."""

    settings: Settings

    @property
    def base_url(self) -> str:
        return self.settings.base_url

    def url(self, path: str) -> str:
        return self.settings.base_url + path

    def sceau(self, *arguments: str) -> str:
        return sceau(self.settings, *arguments)


def sceau(settings: Settings, *arguments: str) -> str:
    """The output of the command; the test fails on a non-zero exit code."""
    set_ = ((name, value) for name, value in settings.model_dump().items() if value is not None)
    result = {f"SCEAU_{name.upper()}": str(value) for name, value in set_}
    done = subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        env={**os.environ, **result}, cwd=REPOSITORY, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"sceau {' '.join(arguments)}: {done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def listener() -> Iterator[socket.socket]:
    """One port per worker, so that all apps served on it have the same URL and are copies of one snapshot."""
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listening:
        yield listening


@contextmanager
def serving(
    settings: Settings, listener: socket.socket, *, process: Process | None = None
) -> Iterator[LiveServer]:
    """Serve on `listener`, which already listens: early connections wait instead of failing.

    `process` is an existing process with its own clock.
    """
    # Imported here, because tests of a single module must not import the whole app.
    from app.main import create_app

    mine = listener.dup()
    server = uvicorn.Server(uvicorn.Config(create_app(settings, process=process), log_level="warning"))

    def serve() -> None:
        with mine:
            server.run(sockets=[mine])

    thread = Thread(target=serve, name="live-server", daemon=True)
    thread.start()
    try:
        wait_until_ready(settings.base_url, thread.is_alive)
        yield LiveServer(settings)
    finally:
        server.should_exit = True
        thread.join(timeout=START_TIMEOUT)
        assert not thread.is_alive(), "the server does not stop"


def wait_until_ready(
    base_url: str,
    is_alive: Callable[[], bool],
    *,
    path: str = "/health/ready",
    patience: float = START_TIMEOUT,
) -> None:
    """Polls with a pause: a busy loop would take half of the CPU time from the server."""
    deadline = monotonic() + patience
    answer = "nothing"
    with httpx.Client(base_url=base_url, timeout=5.0, trust_env=False, verify=False) as client:
        while is_alive() and monotonic() < deadline:
            try:
                response = client.get(path)
            except httpx.TransportError as error:
                answer = repr(error)
            else:
                if response.is_success:
                    return
                answer = response.text
            _PAUSE.wait(0.03)
    raise AssertionError(f"the server did not become ready; last answer: {answer}")


_PAUSE = Event()
"""Never set; used to sleep."""


@dataclass(frozen=True)
class DemoTemplate:
    """The loaded demo, to be copied; its signed documents contain the URL of `listener`."""

    listener: socket.socket
    folder: Path
    development_dir: Path

    def settings(self, folder: Path) -> Settings:
        port = self.listener.getsockname()[1]
        return Settings(
            base_url=f"http://localhost:{port}",
            port=port,
            database_url=f"sqlite:///{folder / 'sceau.sqlite'}",
            development_dir=self.development_dir,
            log_anchors=folder / "anchors",
            fetch=False,
        )


@pytest.fixture(scope="session")
def demo_template(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoTemplate]:
    """Runs `sceau demo load` in this process, where all modules are already imported."""
    from app.container import Process
    from demo.loader import load_demo
    from demo.witness import cosign_logs

    with socket.create_server(("127.0.0.1", 0)) as listener:
        made = DemoTemplate(listener, tmp_path_factory.mktemp("demo"), tmp_path_factory.mktemp("secrets"))
        settings = made.settings(made.folder)
        shutil.copyfile(migrated_sqlite, made.folder / "sceau.sqlite")
        process = Process(settings)
        process.check()
        assert load_demo(settings)
        cosign_logs(process)
        process.engine.dispose()
        yield made


@pytest.fixture(scope="module")
def live_server(
    demo_template: DemoTemplate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A separate server for each test file, so that awards of one file are not visible in others."""
    folder = tmp_path_factory.mktemp("live") / "database"
    shutil.copytree(demo_template.folder, folder)
    with serving(demo_template.settings(folder), demo_template.listener) as server:
        yield server
