"""Slow clients, on real sockets: the server does not wait forever for headers, a body, or a reader."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from time import monotonic, sleep

import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from app.http.request_log import TimedHttpProtocol

PATIENCE = 20.0
"""Seconds, for a machine under load; what is tested takes a tenth of one."""
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONG = 64 * 1024 * 1024


class Hasty(TimedHttpProtocol):
    header_seconds = body_seconds = 0.15
    answer_seconds = 0.5
    header_bytes = 2_000
    body_rate = 100_000.0


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    request = Request(scope, receive)
    body = await request.body()
    answer = Response(bytes(LONG)) if scope["path"] == "/long" else PlainTextResponse(str(len(body)))
    await answer(scope, receive, send)


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(application, http=Hasty, log_config=None, lifespan="off", timeout_keep_alive=5)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    yield int(listening.getsockname()[1])
    server.should_exit = True
    thread.join(PATIENCE)


@pytest.fixture
def line(port: int) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connected:
        yield connected


def all_that_comes(line: socket.socket) -> bytes:
    """Reads until the server closes; a server that does not is an error after `PATIENCE`."""
    came = b""
    try:
        while piece := line.recv(65536):
            came += piece
    except ConnectionResetError:
        pass
    return came


def drip(line: socket.socket, data: bytes, *, every: float = 0.02) -> None:
    """Sends a byte now and then, until the server closes."""
    end = monotonic() + PATIENCE
    for at in range(len(data)):
        assert monotonic() < end, "the server continues to wait"
        try:
            line.sendall(data[at : at + 1])
        except OSError:
            return
        sleep(every)
    raise AssertionError("the server took it all")


def test_a_connection_that_sends_nothing_is_closed(line: socket.socket):
    assert all_that_comes(line).startswith(b"HTTP/1.1 408 ")


def test_headers_that_never_end_are_cut_off_however_often_a_byte_arrives(line: socket.socket):
    drip(line, b"GET / HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 1000)


def test_too_long_headers_are_refused(line: socket.socket):
    line.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nX-A: " + b"a" * 10_000)
    assert b"431 " in all_that_comes(line)


def test_a_body_that_stops_is_cut_off(line: socket.socket):
    line.sendall(POST % 1000 + b"only this")
    assert all_that_comes(line).startswith(b"HTTP/1.1 408 ")


def test_a_body_that_drips_is_cut_off(line: socket.socket):
    line.sendall(POST % 100_000)
    drip(line, bytes(100_000))


def test_a_slow_body_that_continues_is_accepted(line: socket.socket):
    """Longer than `body_seconds` in all, faster than `body_rate`."""
    pieces, piece = 12, bytes(20_000)
    line.sendall(POST % (pieces * len(piece)))
    for _ in range(pieces):
        sleep(0.03)
        line.sendall(piece)
    answer = line.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200 ")
    assert str(pieces * len(piece)).encode() in answer


def test_further_requests_of_a_connection_have_their_own_time(line: socket.socket):
    for _ in range(3):
        line.sendall(GET)
        assert line.recv(65536).startswith(b"HTTP/1.1 200 ")
    line.sendall(GET[:20])
    assert all_that_comes(line).startswith(b"HTTP/1.1 408 ")


def test_two_requests_in_one_packet_are_both_answered(line: socket.socket):
    line.sendall(GET + GET)
    came = b""
    while came.count(b"HTTP/1.1 200 ") < 2:
        piece = line.recv(65536)
        assert piece
        came += piece


def test_a_client_that_reads_nothing_is_disconnected(line: socket.socket):
    line.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    sleep(1.2)
    assert len(all_that_comes(line)) < LONG


def test_a_client_that_reads_slowly_gets_everything(line: socket.socket):
    line.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
    came = 0
    while came < LONG:
        piece = line.recv(1024 * 1024)
        assert piece, "closed before its end"
        came += len(piece)
    assert came > LONG - 1
