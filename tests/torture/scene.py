"""The app on its own database, real processes that can be killed, and a mail server that stores every letter."""

from __future__ import annotations

import json
import os
import random
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx
from sqlmodel import select

from app.db.engine import session
from app.db.engine.schema import SchemaState, schema_state
from app.db.engine.session import open_engine
from app.domain.badges import BadgeKind, Repeat
from app.domain.core import WorkerBeat
from app.services.badges import BadgePage, Wording
from tests.support.app import COMMAND, App, build_app
from tests.support.servers.post_office import PostOffice

REPOSITORY = Path(__file__).resolve().parents[2]
UNDO_MINUTES = 1
LONG_ENOUGH = 900.0
"""Generous, for busy machines."""


class Nest:
    """The process that forks nodes; closing it ends all of them."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.nest"],
            cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def hatch(self, argv: list[str], env: dict[str, str], log: Path) -> int:
        assert self._process.stdin, self._process.stdout
        self._process.stdin.write(json.dumps({"argv": argv, "env": env, "log": str(log)}) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(timeout=30)


@dataclass
class Node:
    """A process that is restarted after each kill: a web server, with or without a worker inside, or a worker."""

    name: str
    argv: list[str]
    env: dict[str, str]
    log: Path
    nest: Nest
    url: str = ""
    """Its base URL, if it is a web server."""
    works: bool = False
    pid: int = 0

    def start(self) -> None:
        self.pid = self.nest.hatch(self.argv, self.env, self.log)

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not _runs(self.pid), pause=0.005)


@dataclass
class Scene:
    app: App
    office: PostOffice
    nodes: list[Node]
    folder: Path
    always: BadgePage
    """A badge that people may have several times: only the idempotency of a batch prevents duplicates."""
    problems: list[str] = field(default_factory=list)

    @property
    def webs(self) -> list[Node]:
        return [node for node in self.nodes if node.url]

    @property
    def host(self) -> str:
        return urlsplit(self.app.process.settings.base_url).netloc

    def is_up(self, node: Node) -> bool:
        """Whether the web server answers and the worker has written its heartbeat."""
        return (not node.url or _answers(node.url)) and (not node.works or self._has_beaten(node))

    def _has_beaten(self, node: Node) -> bool:
        with self.app.unit_of_work(reading=True) as services:
            beats = services.stores.session.exec(select(WorkerBeat.pid)).all()
        return node.pid in beats

    def wait_until_up(self) -> None:
        for node in self.nodes:
            wait_until(lambda node=node: self.is_up(node), f"{node.name} does not start: see {node.log}")


@contextmanager
def scene_on(database_url: str) -> Iterator[Scene]:
    """A web server with a worker inside, a separate worker, and on PostgreSQL a second web server."""
    webs = 1 if database_url.startswith("sqlite") else 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="sceau-torture-")))
        url = database_url.format(folder=folder / "database")
        if schema_state(open_engine(url)) is not SchemaState.CURRENT:
            session.upgrade(url)
        office = PostOffice()
        office.start()
        stack.callback(office.stop)
        ports = [free_port() for _ in range(webs)]
        base_url = f"http://localhost:{ports[0]}"
        app = build_app(url, folder, base_url=base_url, at=datetime.now(UTC))
        stack.callback(app.close)
        nest = Nest()
        stack.callback(nest.close)
        env = {
            "SCEAU_BASE_URL": base_url,
            "SCEAU_DATABASE_URL": url,
            "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
            "SCEAU_FETCH": "off",
            "SCEAU_SMTP_URL": f"smtp://127.0.0.1:{office.port}",
            "SCEAU_LETTERS_PER_MINUTE": "100000",
            "SCEAU_UNDO_MINUTES": str(UNDO_MINUTES),
        }
        nodes = [
            Node(
                f"web{number}", ["serve"], {**env, "SCEAU_PORT": str(port), "SCEAU_WORK": "off" if number else "on"},
                folder / f"web{number}.log", nest, f"http://localhost:{port}", works=not number,
            )
            for number, port in enumerate(ports)
        ]  # fmt: skip
        nodes.append(Node("worker", ["work"], env, folder / "worker.log", nest, works=True))
        yield Scene(app, office, nodes, folder, _badge_for_always(app))


def _badge_for_always(app: App) -> BadgePage:
    wording = Wording(
        BadgeKind.PARTICIPATION,
        "Coup de main",
        "Ce que dit le badge.",
        "Avoir donné un coup de main, chaque fois.",
    )
    with app.unit_of_work() as services:
        return services.badges.create(
            app.campus, wording, slug="coup-de-main", repeat=Repeat.ALWAYS, by=COMMAND
        )


def free_port() -> int:
    """Below the ephemeral ports, so that no other process takes the port while the server is down."""
    while True:
        port = 20_000 + secrets.randbelow(10_000)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=2.0, trust_env=False, verify=False).is_success
    except httpx.TransportError:
        return False


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(
    holds: Callable[[], bool], otherwise: str = "it did not come about", *, pause: float = 0.1
) -> None:
    deadline = time.monotonic() + LONG_ENOUGH
    while not holds():
        assert time.monotonic() < deadline, otherwise
        time.sleep(pause)


def seeded(seed: int, name: str) -> random.Random:
    return random.Random(f"{seed}/{name}")
