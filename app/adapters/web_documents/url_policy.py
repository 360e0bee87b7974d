"""URL policy: maps the text of a URL to its only permitted target, or refuses it.

The text is parsed once, by one strict expression, and its result is used to connect and to request: no second
parser may find another host in it.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address
from threading import BoundedSemaphore, Condition, Thread
from typing import Any, Final, cast
from urllib.parse import urljoin

import httpcore
import httpx


class RefusalReason(StrEnum):
    """Stable codes of DocumentUnavailable.

    Results that would reveal our network share one code: an unresolvable name, a non-public address, a closed
    port and a failed handshake are all UNREACHABLE (T15).
    """

    URL_NOT_ALLOWED = "url_not_allowed"
    UNREACHABLE = "unreachable"
    REDIRECT_REFUSED = "redirect_refused"
    TIMEOUT = "timeout"
    TOO_LARGE = "too_large"
    COMPRESSED = "compressed"
    WRONG_TYPE = "wrong_type"
    MALFORMED_ANSWER = "malformed_answer"
    NOT_FOUND = "not_found"
    GONE = "gone"
    HTTP_STATUS = "http_status"
    BUSY = "busy"


class Refused(Exception):
    """Ends this fetch; `why` and the seconds to wait are all that leaves the package, `cause` is for the log.

    A separate attribute because httpcore removes `__cause__`.
    """

    def __init__(
        self, why: RefusalReason, cause: BaseException | None = None, *, retry_after: int = 0
    ) -> None:
        self.why = why
        self.cause = cause
        self.retry_after = retry_after
        super().__init__(why.value)


@dataclass(frozen=True)
class Limits:
    seconds: float = 5.0
    """From the request to the last byte, waiting and redirects included (T16): three documents in fifteen."""
    connect_seconds: float = 3.0
    """For one of the addresses of a host, so that the next one still gets its chance."""
    body_bytes: int = 1024 * 1024
    header_bytes: int = 32 * 1024
    pieces: int = 8192
    """Chunks of a body: a megabyte in chunks of one byte would cost seconds of CPU."""
    redirects: int = 3
    at_once: int = 10
    at_once_per_host: int = 4
    present: int = 32
    """Maximum threads, waiting or running; beyond that the result is `busy`, and the rest of the service
    continues."""
    failures: int = 3
    """Consecutive failures, after which a host is not contacted for `pause_seconds`."""
    pause_seconds: float = 30.0
    cache_bytes: int = 16 * 1024 * 1024
    longest_kept: timedelta = timedelta(hours=1)
    """Upper bound on the issuer's lifetime: a revoked key or badge must show within the hour."""
    kept_unless_said: timedelta = timedelta(minutes=5)

    @property
    def wire_bytes(self) -> int:
        """Everything read from one connection: body, headers, chunk sizes and interim responses together."""
        return self.body_bytes + self.body_bytes // 4 + self.header_bytes


class Deadline:
    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always more than zero."""
        left = self._ends - self._monotonic()
        if left <= 0:
            raise Refused(RefusalReason.TIMEOUT)
        return left


# No blank, no control character, no backslash, nothing beyond ASCII: full-width digits are refused.
_PLAIN: Final = re.compile(r"[\x21-\x5b\x5d-\x7e]{1,2048}")
_URL: Final = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>/[^?#]*)?(?P<query>\?[^#]*)?(?:#.*)?",
    re.ASCII | re.IGNORECASE,
)
# At least two labels and a last one that begins with a letter: 2130706433, 0x7f.1 and 127.1 are not names.
_NAME: Final = re.compile(
    r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII
)
_LONGEST_NAME: Final = 253
_LOCAL_NAMES: Final = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True)
class Target:
    scheme: str
    host: str
    port: int
    path: str
    is_local: bool = False
    private: tuple[IPv4Network | IPv6Network, ...] = ()
    """Networks beyond the public internet where the host may be."""

    @property
    def authority(self) -> str:
        usual = 443 if self.scheme == "https" else 80
        return self.host if self.port == usual else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


@dataclass(frozen=True)
class NetworkScope:
    """Permitted targets: https on these ports of public hosts and of hosts in the networks `private`, and named
    ports of this machine."""

    ports: frozenset[int] = frozenset({443})
    local_ports: frozenset[int] = frozenset()
    private: tuple[IPv4Network | IPv6Network, ...] = ()

    def target(self, url: str) -> Target:
        read = _URL.fullmatch(url) if _PLAIN.fullmatch(url) else None
        if read is None:
            raise Refused(RefusalReason.URL_NOT_ALLOWED)
        scheme, host = read["scheme"].lower(), read["host"].lower()
        port = int(read["port"] or (443 if scheme == "https" else 80))
        path = (read["path"] or "/") + (read["query"] or "")
        if host in _LOCAL_NAMES and port in self.local_ports:
            # did:web always resolves to https (L-001); a service in development uses plain http.
            return Target("http", host, port, path, is_local=True)
        is_name = len(host) <= _LONGEST_NAME and _NAME.fullmatch(host)
        if scheme != "https" or not is_name or port not in self.ports:
            raise Refused(RefusalReason.URL_NOT_ALLOWED)
        return Target(scheme, host, port, path, private=self.private)

    def redirected(self, target: Target, location: str) -> Target:
        """Applies the same checks to a redirect target."""
        try:
            # Joining would repair what must be refused, so the location itself must be plain.
            moved = self.target(urljoin(target.url, location)) if _PLAIN.fullmatch(location) else None
        except (Refused, ValueError):
            moved = None
        if moved is None or (moved.is_local and not target.is_local):
            raise Refused(RefusalReason.REDIRECT_REFUSED)
        return moved


Resolve = Callable[[str, int], Sequence[str]]
"""The numeric addresses of a host name; OSError where it has none."""

_LOOKUPS_AT_ONCE: Final = 32


def system_resolve(host: str, port: int) -> Sequence[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(place[0]) for *_, place in found))


class TimedResolver:
    """Resolves in a thread of its own: the system's resolver has no timeout, and cannot be cancelled."""

    def __init__(self, resolve: Resolve) -> None:
        self._resolve = resolve
        self._places = BoundedSemaphore(_LOOKUPS_AT_ONCE)

    def addresses(self, host: str, port: int, deadline: Deadline) -> Sequence[str]:
        if not self._places.acquire(timeout=deadline.remaining()):
            raise Refused(RefusalReason.UNREACHABLE)
        answer: Future[Sequence[str]] = Future()
        Thread(target=self._look_up, args=(host, port, answer), name="resolver", daemon=True).start()
        try:
            return answer.result(deadline.remaining())
        except (OSError, UnicodeError) as error:  # TimeoutError is an OSError
            raise Refused(RefusalReason.UNREACHABLE, error) from error

    def _look_up(self, host: str, port: int, answer: Future[Sequence[str]]) -> None:
        try:
            answer.set_result(self._resolve(host, port))
        except Exception as error:
            answer.set_exception(error)
        finally:
            self._places.release()


_MOST_REMEMBERED: Final = 1024
_FAILURES: Final = (RefusalReason.UNREACHABLE, RefusalReason.TIMEOUT)


@dataclass
class _Trouble:
    failures: int = 0
    paused_until: float = 0.0


class Hosts:
    def __init__(self, limits: Limits, monotonic: Callable[[], float]) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._changed = Condition()
        self._busy: Counter[str] = Counter()
        self._troubles: OrderedDict[str, _Trouble] = OrderedDict()

    @contextmanager
    def place(self, host: str, deadline: Deadline) -> Iterator[None]:
        """Waits for a free slot for this host, and records the result of the fetch inside."""
        self._take(host, deadline)
        try:
            yield
        except Refused as refused:
            self._leave(host, failed=refused.why in _FAILURES)
            raise
        except BaseException:
            self._leave(host, failed=True)
            raise
        self._leave(host, failed=False)

    def _take(self, host: str, deadline: Deadline) -> None:
        with self._changed:
            self._refuse_if_paused(host)
            if not self._changed.wait_for(lambda: self._is_free(host), timeout=deadline.remaining()):
                raise Refused(RefusalReason.BUSY)
            # During the wait, a failure may have opened the circuit breaker.
            self._refuse_if_paused(host)
            self._busy[host] += 1

    def _is_free(self, host: str) -> bool:
        limits = self._limits
        return self._busy.total() < limits.at_once and self._busy[host] < limits.at_once_per_host

    def _refuse_if_paused(self, host: str) -> None:
        trouble = self._troubles.get(host)
        if trouble is not None and self._monotonic() < trouble.paused_until:
            raise Refused(RefusalReason.UNREACHABLE)

    def _leave(self, host: str, *, failed: bool) -> None:
        with self._changed:
            self._busy[host] -= 1
            if not self._busy[host]:
                del self._busy[host]
            if failed:
                self._note_failure(host)
            else:
                self._troubles.pop(host, None)
            self._changed.notify_all()

    def _note_failure(self, host: str) -> None:
        trouble = self._troubles.setdefault(host, _Trouble())
        trouble.failures += 1
        if trouble.failures >= self._limits.failures:
            trouble.paused_until = self._monotonic() + self._limits.pause_seconds
        self._troubles.move_to_end(host)
        if len(self._troubles) > _MOST_REMEMBERED:
            self._troubles.popitem(last=False)


# --- One request to one target, and its response within the limits; redirects are handled by the caller

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

    def post(
        self,
        target: Target,
        headers: Mapping[str, str],
        body: bytes,
        deadline: Deadline,
        *,
        status_only: bool = False,
    ) -> Answer:
        sent = {**headers, "Content-Length": str(len(body))}
        return self._ask("POST", target, sent, body, deadline, status_only=status_only)

    def _ask(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        deadline: Deadline,
        *,
        status_only: bool = False,
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
                return self._read(response, status_only=status_only)
        except httpx.InvalidURL as error:
            raise Refused(RefusalReason.URL_NOT_ALLOWED, error) from error
        except (httpcore.ProtocolError, httpx.ProtocolError, UnicodeDecodeError) as error:
            raise Refused(RefusalReason.MALFORMED_ANSWER, error) from error

    def _read(self, response: httpx.Response, *, status_only: bool) -> Answer:
        headers = self._headers(response.extensions["received_headers"])
        if status_only or response.status_code != _OK:
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
