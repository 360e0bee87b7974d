"""Reads per second of one core's time: public documents and a page, against a bare ASGI application.

Measured in the server's own CPU time, so that a slow client or other load changes nothing.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit

from app.db.engine import session
from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from bench.measuring.bare import ANSWER_VARIABLE
from bench.measuring.measure import Row, ratio_of, summary
from bench.measuring.targets import BARE
from sceau_credentials.values import parse_json_object
from tests.support.app import build_app
from tests.support.databases.postgres import database_of_this_run

_CONNECTIONS = 8
_SECONDS = 1.0
ROUNDS = 4
_TICKS = os.sysconf("SC_CLK_TCK")


def run() -> list[Row]:
    with TemporaryDirectory(prefix="sceau-bench-") as name:
        found = _reads(Path(name), f"sqlite:///{name}/database/sceau.sqlite", "")
    with database_of_this_run() as url, TemporaryDirectory(prefix="sceau-bench-") as name:
        if url is None:
            print("  without PostgreSQL: none is installed", file=sys.stderr)
            return found
        return found + _reads(Path(name), url, ", PostgreSQL")


def _reads(folder: Path, url: str, engine: str) -> list[Row]:
    with ExitStack() as servers:
        address, profile, definition, status_list = public_award(folder, url)
        result = {
            "SCEAU_DATABASE_URL": url,
            "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
            "SCEAU_WORK": "off",  # its time would be counted as that of reads
        }
        ours = servers.enter_context(serving("app.main:served", result))
        cases = {
            "award as JSON": (address, "application/json"),
            "award as a picture": (address + ".png", "image/png"),
            "badge definition": (definition, "application/ld+json"),
            "campus key document": (profile + "/did.json", "application/did+json"),
            "status list": (status_list, "application/vc"),
        }
        found = []
        for task, (path, accept) in cases.items():
            answer = folder / "answer"
            answer.write_bytes(_get(ours, path, accept))
            with serving("bench.measuring.bare:application", {ANSWER_VARIABLE: str(answer)}) as theirs:
                found.append(_row(task + engine, asyncio.run(_measure(ours, theirs, path, accept))))
        return found


def public_award(folder: Path, url: str) -> tuple[str, str, str, str]:
    """The paths of a public award, its campus, its badge definition and its status list."""
    session.upgrade(url)
    app = build_app(url, folder)
    award_id = app.award("Zoé Martin;zoe@exemple.fr").lines[0].award_id
    assert award_id is not None
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor(label="bench"))
        record = services.awards.record(award_id)
        credential = parse_json_object(services.publication.award_file(record, "json").body)
        definition = services.addresses.version(record.badge.id, record.version.number)
        status = credential["credentialStatus"]
        assert isinstance(status, dict)
        status_list = str(status["statusListCredential"])
    app.close()
    return f"/attributions/{award_id}", "/campus/itip", urlsplit(definition).path, urlsplit(status_list).path


def _row(task: str, measured: tuple[list[float], list[float]]) -> Row:
    ours, theirs = measured
    median, spread = summary(ours)
    # Reads per second, not seconds: the larger figure is the faster one.
    return Row(f"read {task}", median, spread, "/s", BARE, *ratio_of(ours, theirs))


# --- servers


class Server(NamedTuple):
    port: int
    pid: int

    def processor_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def serving(application: str, result: dict[str, str], *, is_factory: bool = False) -> Iterator[Server]:
    """One separate server process; its log is discarded."""
    port = _free_port()
    options = ["--port", str(port), "--no-access-log", "--log-level", "warning"]
    if is_factory or application.startswith("app."):
        options += ["--factory"]
    server = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        [sys.executable, "-m", "uvicorn", application, *options],
        env={**os.environ, **result},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, server)
        yield Server(port, server.pid)
    finally:
        server.terminate()
        server.wait(20)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 240
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


# --- readers


def request_for(path: str, accept: str, more: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost:8000\r\nAccept: {accept}\r\n{more}\r\n".encode()


def _get(server: Server, path: str, accept: str) -> bytes:
    """The whole response as raw bytes."""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        connection.sendall(request_for(path, accept))
        return answer_of(connection)


def answer_of(connection: socket.socket) -> bytes:
    """The next complete response."""
    answer, length = b"", None
    while length is None or len(answer) < length:
        received = connection.recv(262_144)
        assert received, "the server closed the connection"
        answer += received
        length = length or _length_of(answer)
    assert answer.startswith(b"HTTP/1.1 200"), answer[:200]
    return answer


def _length_of(answer: bytes) -> int | None:
    """Content length of a response, once its head is received."""
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
    """Sends the next request after each response; every response is counted, and inspected once."""

    def __init__(self, requests: Iterator[bytes]) -> None:
        self.requests = requests
        self.answered = 0
        self.received = b""
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(next(self.requests))

    def data_received(self, data: bytes) -> None:
        self.received += data
        length = _length_of(self.received)
        if length is not None and len(self.received) >= length:
            assert self.received.startswith(b"HTTP/1.1 200")
            self.received = self.received[length:]
            self.answered += 1
            assert self.transport is not None
            self.transport.write(next(self.requests))


async def _measure(ours: Server, theirs: Server, path: str, accept: str) -> tuple[list[float], list[float]]:
    """Responses per second of both servers' CPU time, in turns; the first turn of each is a warm-up."""
    request = request_for(path, accept)
    measured: dict[Server, list[float]] = {ours: [], theirs: []}
    for _ in range(ROUNDS + 1):
        for server, figures in measured.items():
            figures.append(await reads_per_second(server, [request]))
    return measured[ours][1:], measured[theirs][1:]


async def reads_per_second(server: Server, requests: Sequence[bytes]) -> float:
    """All connections take their next request from one shared cycle of `requests`."""
    loop = asyncio.get_running_loop()
    asked = itertools.cycle(requests)
    made = [
        await loop.create_connection(lambda: _Reader(asked), "127.0.0.1", server.port)
        for _ in range(_CONNECTIONS)
    ]
    readers = [reader for _, reader in made]
    before, begun = sum(reader.answered for reader in readers), server.processor_seconds()
    await asyncio.sleep(_SECONDS)
    answered = sum(reader.answered for reader in readers) - before
    seconds = server.processor_seconds() - begun
    for transport, _ in made:
        transport.close()
    return answered / seconds
