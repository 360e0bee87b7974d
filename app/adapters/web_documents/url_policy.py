"""URL policy: maps the text of a URL to its only permitted target, or refuses it.

The text is parsed once, by one strict expression, and its result is used to connect and to request: no second
parser may find another host in it.
"""

from __future__ import annotations

import re
import socket
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from threading import BoundedSemaphore, Condition, Thread
from typing import Final
from urllib.parse import urljoin


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
    """Ends this fetch; `why` is the only part that leaves the package, `cause` is for the log.

    A separate attribute because httpcore removes `__cause__`.
    """

    def __init__(self, why: RefusalReason, cause: BaseException | None = None) -> None:
        self.why = why
        self.cause = cause
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
