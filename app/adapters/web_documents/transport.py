"""The guard at connect time: vetted addresses only, within the deadline and a budget of bytes.

The client is httpx; its transport here hands each request to httpcore with our network backend, which resolves
the name once, refuses the host if any of its addresses is not public, and connects to a vetted address itself:
no other address can come between check and connection (DNS rebinding, T15). TLS still proves the name.
"""

# ruff: noqa: ARG002 - httpcore names the arguments; its time limits give way to ours

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

import httpcore
import httpx

from app.adapters.web_documents.addresses import is_public
from app.adapters.web_documents.limits import Deadline, Limits, Refused, Why
from app.adapters.web_documents.resolving import TimedResolver
from app.adapters.web_documents.targets import Target

# httpx logs whole addresses at INFO: they may hold what only the two ends should know (`fetcher` logs the host).
logging.getLogger("httpx").setLevel(logging.WARNING)

Dial = Callable[[str, int, float], socket.socket]
"""Connects to a numeric address and port within so many seconds; OSError where that fails."""

_LOCAL_ADDRESS = "127.0.0.1"


def system_dial(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), seconds)


class GuardedTransport(httpx.BaseTransport):
    """Sends a request of httpx to `target`, whatever httpx read its address as.

    The received headers go out as an extension of the response and not as its headers: httpx would parse a
    `Location` and store a `Set-Cookie` by itself, before any limit of ours was applied.
    """

    def __init__(self, target: Target, backend: GuardedBackend, ssl_context: ssl.SSLContext) -> None:
        self._url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path.encode(),
        )
        self._pool = httpcore.ConnectionPool(ssl_context=ssl_context, network_backend=backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.handle_request(
            httpcore.Request(request.method, self._url, headers=request.headers.raw, content=request.stream)
        )
        return httpx.Response(
            answer.status,
            stream=_Received(answer),
            extensions={"received_headers": answer.headers},
        )

    def close(self) -> None:
        self._pool.close()


class _Received(httpx.SyncByteStream):
    """The body as it comes from the connection."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        return iter(cast("Iterable[bytes]", self._answer.stream))

    def close(self) -> None:
        self._answer.close()


class GuardedBackend(httpcore.NetworkBackend):
    """Makes the connections of one request to one target; httpcore's own timeouts are not used."""

    def __init__(
        self, target: Target, resolver: TimedResolver, dial: Dial, limits: Limits, deadline: Deadline
    ) -> None:
        self._target = target
        self._resolver = resolver
        self._dial = dial
        self._limits = limits
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> GuardedStream:
        last: OSError | None = None
        for address in self._vetted_addresses():
            try:
                seconds = min(self._deadline.remaining(), self._limits.connect_seconds)
                return GuardedStream(
                    self._dial(address, self._target.port, seconds), self._deadline, self._limits.wire_bytes
                )
            except OSError as error:
                last = error
        raise Refused(Why.UNREACHABLE, last) from last

    def _vetted_addresses(self) -> Sequence[str]:
        if self._target.is_local:
            return (_LOCAL_ADDRESS,)
        addresses = self._resolver.addresses(self._target.host, self._target.port, self._deadline)
        # All, not any: who mixes a private address among public ones means to get past a guard.
        if not all(is_public(address) for address in addresses):
            raise Refused(Why.UNREACHABLE)
        return addresses


class GuardedStream(httpcore.NetworkStream):
    """A connection that ends with its deadline or its budget of bytes, however slowly it is fed."""

    def __init__(self, connection: socket.socket, deadline: Deadline, bytes_left: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._bytes_left = bytes_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._connection.settimeout(self._deadline.remaining())
            received = self._connection.recv(max_bytes)
        except TimeoutError as error:
            raise Refused(Why.TIMEOUT, error) from error
        except OSError as error:
            raise Refused(Why.UNREACHABLE, error) from error
        self._bytes_left -= len(received)
        if self._bytes_left < 0:
            raise Refused(Why.TOO_LARGE)
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._connection.settimeout(self._deadline.remaining())
            self._connection.sendall(buffer)
        except TimeoutError as error:
            raise Refused(Why.TIMEOUT, error) from error
        except OSError as error:
            raise Refused(Why.UNREACHABLE, error) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> GuardedStream:
        try:
            self._connection.settimeout(self._deadline.remaining())
            wrapped = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise Refused(Why.UNREACHABLE, error) from error
            raise
        return GuardedStream(wrapped, self._deadline, self._bytes_left)

    def close(self) -> None:
        self._connection.close()

    def get_extra_info(self, info: str) -> Any:
        return (
            self._connection if info == "ssl_object" and isinstance(self._connection, ssl.SSLSocket) else None
        )
