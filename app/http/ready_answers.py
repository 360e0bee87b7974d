"""ASGI middleware: a public document that is read again and again is given while nothing in the database has changed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import InitVar, dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.core.clock import Clock
from app.http.negotiation import has_already
from app.http.request_log import route_of
from app.services.verification.metrics import noter_of

GOOD_FOR: Final = timedelta(seconds=10)
"""A status list is renewed with time alone, without a change in the database."""
MOST_BYTES: Final = 64 * 1024 * 1024
_LARGEST: Final = 512 * 1024
_LONGEST_WISH: Final = 300
_ASKED_BY: Final = frozenset((b"host", b"accept", b"accept-encoding", b"accept-language", b"origin"))
"""All that an answer may differ by; that the rest changes nothing is what `Cache-Control: public` says."""
_NEVER: Final = frozenset((b"range", b"authorization"))
_OF_A_BODY: Final = (b"content-length", b"content-type", b"content-security-policy")

_MOST_REMEMBERED: Final = 10_000

Version = Callable[[], Awaitable[object]]
"""Another value after every commit; None where the database cannot tell."""
_Key = tuple[object, ...]


@dataclass
class _Ready:
    version: object
    made_at: datetime
    start: Message
    body: Message
    etag: str
    route: InitVar[str]
    unchanged: Message = field(init=False)
    note: Callable[[float], None] = field(init=False)
    note_unchanged: Callable[[float], None] = field(init=False)

    def __post_init__(self, route: str) -> None:
        headers = [(name, value) for name, value in self.start["headers"] if name not in _OF_A_BODY]
        self.unchanged = {"type": "http.response.start", "status": 304, "headers": headers}
        self.note, self.note_unchanged = noter_of("GET", route, 200), noter_of("GET", route, 304)


class ReadyAnswers:
    """Outermost, and on the event loop alone: an answer that is ready passes nothing else, and is counted all the same.

    An answer is kept from the second time on that it is asked for: what is read once costs no look at the version,
    which with some databases is a question over a network.
    """

    def __init__(self, app: ASGIApp, *, version: Version, clock: Clock, most_bytes: int = MOST_BYTES) -> None:
        self.app = app
        self.version = version
        self.clock = clock
        self.most_bytes = most_bytes
        self._answers: OrderedDict[_Key, _Ready] = OrderedDict()
        self._bytes = 0
        self._asked_before: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        key, known = _question_of(scope)
        if key is None:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        ready = self._answers.get(key)
        is_wanted = ready is not None or hash(key) in self._asked_before
        version = await self.version() if is_wanted else None
        if (
            ready is None
            or version is None
            or ready.version != version
            or self.clock() - ready.made_at > GOOD_FOR
        ):
            await self._ask(key, version, scope, receive, send)
            return
        self._answers.move_to_end(key)
        if known is not None and has_already(known.decode("latin-1"), ready.etag):
            await send(ready.unchanged)
            await send(_NOTHING)
            ready.note_unchanged(perf_counter() - started)
            return
        await send(ready.start)
        await send(ready.body)
        ready.note(perf_counter() - started)

    async def _ask(self, key: _Key, version: object, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the question on, and keep an answer that is the same for everybody."""
        heard: list[Message] = []

        async def send_and_hear(message: Message) -> None:
            if len(heard) < 3:
                heard.append(message)
            await send(message)

        await self.app(scope, receive, send_and_hear)
        if len(heard) != 2 or not _is_everybodys(heard[0], heard[1]):
            return
        if version is None:
            self._remember(key)
        else:
            self._keep(key, _ready(heard[0], heard[1], version, self.clock(), route_of(scope)))

    def _remember(self, key: _Key) -> None:
        if len(self._asked_before) >= _MOST_REMEMBERED:
            self._asked_before.clear()
        self._asked_before.add(hash(key))

    def _keep(self, key: _Key, ready: _Ready) -> None:
        self._drop(self._answers.pop(key, None))
        self._answers[key] = ready
        self._bytes += len(ready.body["body"])
        while self._bytes > self.most_bytes:
            self._drop(self._answers.popitem(last=False)[1])

    def _drop(self, ready: _Ready | None) -> None:
        if ready is not None:
            self._bytes -= len(ready.body["body"])


_NOTHING: Final[Message] = {"type": "http.response.body", "body": b""}


def _question_of(scope: Scope) -> tuple[_Key | None, bytes | None]:
    """What an answer depends on, and the copy that the client says it has; no key for what is never kept."""
    if scope["type"] != "http" or scope["method"] != "GET" or scope["query_string"]:
        return None, None
    key: list[object] = [scope["path"]]
    known = None
    for header in scope["headers"]:
        name = header[0]
        if name in _ASKED_BY:
            if len(header[1]) > _LONGEST_WISH:
                return None, None
            key.append(header)
        elif name == b"if-none-match":
            known = header[1]
        elif name in _NEVER:
            return None, None
    return tuple(key), known


def _is_everybodys(start: Message, body: Message) -> bool:
    """Not an answer that is somebody's own, may not be kept, or would fill the memory."""
    headers = dict(start.get("headers", ()))
    shared = headers.get(b"cache-control", b"").startswith(b"public")
    is_one = start["status"] == 200 and shared and b"etag" in headers and b"set-cookie" not in headers
    return is_one and not body.get("more_body") and len(body["body"]) <= _LARGEST


def _ready(start: Message, body: Message, version: object, made_at: datetime, route: str) -> _Ready:
    etag = dict(start["headers"])[b"etag"]
    # The number in there is that of another request.
    same = [(name, value) for name, value in start["headers"] if name != b"x-request-id"]
    first: Message = {"type": "http.response.start", "status": 200, "headers": same}
    kept: Message = {"type": "http.response.body", "body": bytes(body["body"])}
    return _Ready(version, made_at, first, kept, etag.decode("latin-1"), route)
