"""How much one fetch may take, and the reasons for which it is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Why(StrEnum):
    """Stable codes of DocumentUnavailable.

    What would tell a stranger about our network has one code: a name that does not resolve, an address
    that is not public, a closed port and a failed handshake are all UNREACHABLE (T15).
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
    """This fetch ends here; `why` is all that leaves the package, `cause` is for the log.

    It has a name of its own because httpcore cuts `__cause__` off.
    """

    def __init__(self, why: Why, cause: BaseException | None = None) -> None:
        self.why = why
        self.cause = cause
        super().__init__(why.value)


@dataclass(frozen=True)
class Limits:
    seconds: float = 5.0
    """From the question to the last byte, waiting and redirects included (T16): three documents in fifteen."""
    connect_seconds: float = 3.0
    """For one of the addresses of a host, so that the next one still gets its chance."""
    body_bytes: int = 1024 * 1024
    header_bytes: int = 32 * 1024
    pieces: int = 8192
    """Chunks of a body: a megabyte in chunks of one byte would cost seconds of work."""
    redirects: int = 3
    at_once: int = 10
    at_once_per_host: int = 4
    present: int = 32
    """Threads inside, waiting or at work; beyond that the answer is `busy`, and the rest of the service goes on."""
    failures: int = 3
    """In a row, after which a host is left alone for `pause_seconds`."""
    pause_seconds: float = 30.0
    cache_bytes: int = 16 * 1024 * 1024
    longest_kept: timedelta = timedelta(hours=1)
    """However long an issuer allows: a withdrawn key or badge must show within the hour."""
    kept_unless_said: timedelta = timedelta(minutes=5)

    @property
    def wire_bytes(self) -> int:
        """Everything read from one connection: body, headers, chunk sizes and interim answers together."""
        return self.body_bytes + self.body_bytes // 4 + self.header_bytes


class Deadline:
    def __init__(self, seconds: float, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._ends = monotonic() + seconds

    def remaining(self) -> float:
        """Seconds left, always more than none."""
        left = self._ends - self._monotonic()
        if left <= 0:
            raise Refused(Why.TIMEOUT)
        return left
