"""Reads per second of a public document and of a page, one server process, against a bare ASGI application."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from app.db import migrations
from app.domain.awards import Visibility
from app.domain.history import Actor
from bench.measure import Row, ratio_of, summary
from tests.support.house import build_house

_CONNECTIONS = 8
_SECONDS = 1.0
ROUNDS = 4
BARE = "a bare ASGI application with the same bytes"
_BODY_VARIABLE = "SCEAU_BENCH_BODY"


def run() -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as name, ExitStack() as servers:
        folder = Path(name)
        url = f"sqlite:///{folder}/database/sceau.sqlite"
        address, profile = _public_award(folder, url)
        told = {
            "SCEAU_DATABASE_URL": url,
            "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        }
        ours = servers.enter_context(_serving("app.main:served", told))
        cases = {
            "award as JSON": (address, "application/json"),
            "award as a page": (address, "text/html"),
            "campus key document": (profile + "/did.json", "application/did+json"),
        }
        found = []
        for task, (path, accept) in cases.items():
            body = folder / "body"
            body.write_bytes(_get(ours, path, accept))
            with _serving("bench.web:bare", {_BODY_VARIABLE: str(body)}) as theirs:
                found.append(_row(task, asyncio.run(_measure(ours, theirs, path, accept))))
        return found


def _public_award(folder: Path, url: str) -> tuple[str, str]:
    """The paths of an award that anybody may read, and of its campus."""
    migrations.upgrade(url)
    house = build_house(url, folder)
    award_id = house.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    with house.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(label="bench"))
    house.close()
    return f"/attributions/{award_id}", "/campus/itip"


def _row(task: str, measured: tuple[list[float], list[float]]) -> Row:
    ours, theirs = measured
    median, spread = summary(ours)
    # Reads per second, not seconds: the larger figure is the faster one.
    return Row(f"read {task}", median, spread, "/s", BARE, *ratio_of(ours, theirs))


# --- the servers


async def bare(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """What remains when nothing is decided: the same bytes for everybody."""
    if scope["type"] != "http":
        return
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(_BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": _BODY})


_BODY = Path(os.environ[_BODY_VARIABLE]).read_bytes() if _BODY_VARIABLE in os.environ else b""


@contextmanager
def _serving(application: str, told: dict[str, str]) -> Iterator[int]:
    """The port of one server process of its own; its log is written and thrown away."""
    port = _free_port()
    options = ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    if application.startswith("app."):
        options += ["--factory"]
    server = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        [sys.executable, "-m", "uvicorn", application, *options],
        env={**os.environ, **told},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError("the server did not start")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not answer in time")


# --- the readers


def _request(path: str, accept: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost:8000\r\nAccept: {accept}\r\n\r\n".encode()


def _get(port: int, path: str, accept: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(_request(path, accept))
        answer = b""
        while _length_of(answer) is None or len(answer) < (_length_of(answer) or 0):
            answer += connection.recv(65536)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head[:200]
    return body


def _length_of(answer: bytes) -> int | None:
    """How many bytes an answer has, once its head is there."""
    head, found, _ = answer.partition(b"\r\n\r\n")
    if not found:
        return None
    size = next(
        int(line.partition(b":")[2])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    return len(head) + 4 + size


class _Reader(asyncio.Protocol):
    """Asks again as soon as it is answered; every answer is counted, none is looked at twice."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.answered = 0
        self.received = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        length = _length_of(self.received)
        if length is not None and len(self.received) >= length:
            assert self.received.startswith(b"HTTP/1.1 200")
            self.received = self.received[length:]
            self.answered += 1
            assert self.transport is not None
            self.transport.write(self.request)


async def _measure(ours: int, theirs: int, path: str, accept: str) -> tuple[list[float], list[float]]:
    """Answers per second of both servers, in turns; the first turn of each only warms up."""
    request = _request(path, accept)
    measured: dict[int, list[float]] = {ours: [], theirs: []}
    for _ in range(ROUNDS + 1):
        for port, figures in measured.items():
            figures.append(await _reads_per_second(port, request))
    return measured[ours][1:], measured[theirs][1:]


async def _reads_per_second(port: int, request: bytes) -> float:
    loop = asyncio.get_running_loop()
    made = [
        await loop.create_connection(lambda: _Reader(request), "127.0.0.1", port) for _ in range(_CONNECTIONS)
    ]
    readers = [reader for _, reader in made]
    before, begun = sum(reader.answered for reader in readers), time.perf_counter()
    await asyncio.sleep(_SECONDS)
    answered, seconds = sum(reader.answered for reader in readers) - before, time.perf_counter() - begun
    for transport, _ in made:
        transport.close()
    return answered / seconds
