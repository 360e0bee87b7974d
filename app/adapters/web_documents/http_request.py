"""One request to one target, and its response within the limits; redirects are handled by the caller."""

from __future__ import annotations

import logging
import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final, cast

import httpcore
import httpx

from app.adapters.web_documents.url_policy import (
    Deadline,
    Limits,
    RefusalReason,
    Refused,
    Target,
    TimedResolver,
)

_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(network)
    for network in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # carrier-grade NAT; 100.100.100.200 is a metadata service
        "127.0.0.0/8",  # loopback
        "168.63.129.16/32",  # Azure's wire server, a public number that only its guests reach
        "169.254.0.0/16",  # link-local, home of most metadata services
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments; 192.0.0.192 is a metadata service
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",  # private
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Whatever lies outside is not public: ::1, ::ffff:0:0/96, 64:ff9b::/96, fc00::/7, fe80::/10, fec0::/10, ff00::/8…
_PUBLIC_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: holds any IPv4 address
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)


def is_public(written: str) -> bool:
    """Whether this numeric address, as a resolver wrote it, is one of the public internet."""
    try:
        address = ip_address(written)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        public = address in _PUBLIC_6 and not any(address in network for network in _NOT_PUBLIC_6)
        return public and address.scope_id is None
    return not any(address in network for network in _NOT_PUBLIC_4)


def _is_in(written: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(written)
    except ValueError:
        return False
    return any(address in network for network in networks)


# ruff: noqa: ARG002 - httpcore names the arguments; our time limits replace its own


# httpx logs whole URLs at INFO: they may contain secrets (`fetcher` logs the host).
logging.getLogger("httpx").setLevel(logging.WARNING)

Dial = Callable[[str, int, float], socket.socket]
"""Connects to a numeric address and port within so many seconds; OSError where that fails."""

_LOCAL_ADDRESS = "127.0.0.1"


def system_dial(address: str, port: int, seconds: float) -> socket.socket:
    return socket.create_connection((address, port), seconds)


class GuardedTransport(httpx.BaseTransport):
    """Sends a request of httpx to `target`, whatever httpx parsed from its URL.

    The received headers are returned as an extension of the response and not as its headers: httpx would
    parse a `Location` and store a `Set-Cookie` by itself, before any limit of ours was applied.
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
        raise Refused(RefusalReason.UNREACHABLE, last) from last

    def _vetted_addresses(self) -> Sequence[str]:
        if self._target.is_local:
            return (_LOCAL_ADDRESS,)
        addresses = self._resolver.addresses(self._target.host, self._target.port, self._deadline)
        # All, not any: a host that mixes a private address among public ones is trying to bypass the check.
        if not all(is_public(each) or _is_in(each, self._target.private) for each in addresses):
            raise Refused(RefusalReason.UNREACHABLE)
        return addresses


class GuardedStream(httpcore.NetworkStream):
    """A connection with a deadline and a budget of bytes, however slowly data arrives."""

    def __init__(self, connection: socket.socket, deadline: Deadline, bytes_left: int) -> None:
        self._connection = connection
        self._deadline = deadline
        self._bytes_left = bytes_left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            self._connection.settimeout(self._deadline.remaining())
            received = self._connection.recv(max_bytes)
        except TimeoutError as error:
            raise Refused(RefusalReason.TIMEOUT, error) from error
        except OSError as error:
            raise Refused(RefusalReason.UNREACHABLE, error) from error
        self._bytes_left -= len(received)
        if self._bytes_left < 0:
            raise Refused(RefusalReason.TOO_LARGE)
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._connection.settimeout(self._deadline.remaining())
            self._connection.sendall(buffer)
        except TimeoutError as error:
            raise Refused(RefusalReason.TIMEOUT, error) from error
        except OSError as error:
            raise Refused(RefusalReason.UNREACHABLE, error) from error

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> GuardedStream:
        try:
            self._connection.settimeout(self._deadline.remaining())
            wrapped = ssl_context.wrap_socket(self._connection, server_hostname=server_hostname)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise Refused(RefusalReason.UNREACHABLE, error) from error
            raise
        return GuardedStream(wrapped, self._deadline, self._bytes_left)

    def close(self) -> None:
        self._connection.close()

    def get_extra_info(self, info: str) -> Any:
        return (
            self._connection if info == "ssl_object" and isinstance(self._connection, ssl.SSLSocket) else None
        )


_OK: Final = 200
# Duplicates of these headers are refused: the effective one would depend on the parser.
_SINGLE: Final = frozenset(
    {"content-type", "content-encoding", "etag", "expires", "last-modified", "location"}
)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Exchange:
    ssl_context: ssl.SSLContext
    resolver: TimedResolver
    dial: Dial
    limits: Limits

    def get(self, target: Target, headers: Mapping[str, str], deadline: Deadline) -> Answer:
        return self._ask("GET", target, headers, None, deadline)

    def post(self, target: Target, headers: Mapping[str, str], body: bytes, deadline: Deadline) -> Answer:
        return self._ask("POST", target, {**headers, "Content-Length": str(len(body))}, body, deadline)

    def _ask(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes | None, deadline: Deadline
    ) -> Answer:
        """One client and one connection per request: no cookie, proxy, credential or state outlives it.

        Redirects are handled by the caller: httpx follows none, and never parses their target.
        """
        backend = GuardedBackend(target, self.resolver, self.dial, self.limits, deadline)
        transport = GuardedTransport(target, backend, self.ssl_context)
        sent = {
            **headers,
            "Host": target.authority,
            "Accept-Encoding": "identity",
            "Connection": "close",
        }
        try:
            with (
                httpx.Client(transport=transport, trust_env=False, timeout=self.limits.seconds) as client,
                client.stream(method, target.url, headers=sent, content=body) as response,
            ):
                return self._read(response)
        except httpx.InvalidURL as error:
            raise Refused(RefusalReason.URL_NOT_ALLOWED, error) from error
        except (httpcore.ProtocolError, httpx.ProtocolError, UnicodeDecodeError) as error:
            raise Refused(RefusalReason.MALFORMED_ANSWER, error) from error

    def _read(self, response: httpx.Response) -> Answer:
        headers = self._headers(response.extensions["received_headers"])
        if response.status_code != _OK:
            return Answer(response.status_code, headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(RefusalReason.COMPRESSED)
        if int(headers.get("content-length", "0")) > self.limits.body_bytes:
            raise Refused(RefusalReason.TOO_LARGE)
        body = bytearray()
        for count, piece in enumerate(response.iter_raw()):
            body += piece
            if len(body) > self.limits.body_bytes:
                raise Refused(RefusalReason.TOO_LARGE)
            if count > self.limits.pieces:
                raise Refused(RefusalReason.MALFORMED_ANSWER)
        return Answer(response.status_code, headers, bytes(body))

    def _headers(self, received: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
        if sum(len(name) + len(value) for name, value in received) > self.limits.header_bytes:
            raise Refused(RefusalReason.TOO_LARGE)
        headers: dict[str, str] = {}
        for raw_name, raw_value in received:
            name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1").strip()
            if name in headers and name in _SINGLE:
                raise Refused(RefusalReason.MALFORMED_ANSWER)
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers
