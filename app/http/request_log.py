"""One log line and one metrics sample per request: route (not URL), status and duration."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import sys
import traceback
from collections.abc import Iterator
from time import perf_counter
from typing import Any, ClassVar, Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.telemetry import note_request, span

_CONSOLE = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ESCAPED = {sign: f"\\x{sign:02x}" for sign in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)}


def configure_logging(*, as_json: bool) -> None:
    """JSON lines for machines, or coloured text for a terminal; both go to standard error."""
    renderer = structlog.processors.JSONRenderer() if as_json else _on_a_terminal
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, _format_exception, renderer],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _format_exception,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # URLs may contain a learner's private token: the server's own access log is off (I23).
    logging.getLogger("uvicorn.access").disabled = True
    # Alembic logs at INFO each time the schema revision is checked.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True


_SPEAKING: Final = (
    AssertionError,
    AttributeError,
    ImportError,
    MemoryError,
    NameError,
    RuntimeError,
    TypeError,
)
"""Their messages are about code; those of others repeat the value that was wrong: an address, a name, a secret."""


_CODE: Final = re.compile(r"[a-z_ ]{1,60}")


def trace_of(exception: BaseException) -> str:
    """Where it was raised, and what kind it is; without local variables and without any value (I23)."""
    parts = []
    for each in _chain(exception):
        kind, words = type(each), _words_of(each)
        parts += traceback.format_tb(each.__traceback__)
        parts.append(f"{kind.__module__}.{kind.__qualname__}{': ' if words else ''}{words}\n")
    return "".join(parts).rstrip()


def _chain(exception: BaseException) -> Iterator[BaseException]:
    """The first cause first."""
    found: list[BaseException] = []
    each: BaseException | None = exception
    while each is not None and each not in found:
        found.append(each)
        each = each.__cause__ or (None if each.__suppress_context__ else each.__context__)
    return reversed(found)


def _words_of(exception: BaseException) -> str:
    if (statement := getattr(exception, "statement", None)) is not None:
        # The database's own message repeats the row that it refuses.
        diagnostics = getattr(getattr(exception, "orig", None), "diag", None)
        facts = [getattr(diagnostics, name, None) for name in ("sqlstate", "table_name", "constraint_name")]
        return " ".join([*(str(each) for each in facts if each), f"[{statement}]"])
    if isinstance(exception, OSError):
        return exception.strerror or ""
    if isinstance(exception, _SPEAKING):
        return str(exception)
    reason = getattr(exception, "reason", "")
    return reason if isinstance(reason, str) and _CODE.fullmatch(reason) else ""


_format_exception = structlog.processors.ExceptionRenderer(lambda failure: trace_of(failure[1]))


def _on_a_terminal(logger: object, name: str, event: structlog.typing.EventDict) -> str:
    """One line for each event, whatever its values contain; a traceback has its own lines."""
    for key, value in event.items():
        if isinstance(value, str) and key not in ("exception", "stack"):
            event[key] = value.translate(_ESCAPED)
    return str(_CONSOLE(logger, name, event))


class RequestLog:
    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.log = structlog.get_logger("request")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        method, request_id, started, status = scope["method"], secrets.token_hex(8), perf_counter(), 500

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id), span("request") as traced:
            try:
                await self.app(scope, receive, send_marked)
            finally:
                seconds, route = perf_counter() - started, route_of(scope)
                note_request(method, route, status, seconds)
                traced.set(method=method if method in _METHODS else "OTHER", route=route, status=status)
                self.log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )


def route_of(scope: Scope) -> str:
    """The path template of the matched route, including router prefixes; "" if none matches."""
    around = scope.get("fastapi", {}).get("effective_route_context")
    return str(getattr(around, "path", "") or getattr(scope.get("route"), "path", ""))


_REFUSED = "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 0\r\n\r\n"


class TimedHttpProtocol(HttpToolsProtocol):
    """A request that arrives in one piece, as most do, needs no timer."""

    header_seconds: ClassVar[float] = 10.0
    """From the connection, or the first byte of a further request, to the end of the headers."""
    header_bytes: ClassVar[int] = 64 * 1024
    body_seconds: ClassVar[float] = 20.0
    """How far a body may lag behind `body_rate`."""
    body_rate: ClassVar[float] = 4096.0
    """Bytes per second: slower than the slowest phone connection of today, faster than a slowloris attack."""
    answer_seconds: ClassVar[float] = 60.0
    """Time limit for a client to read `body_rate` of a pending response."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waits_for = "headers"
        self._received = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._left = 0
        self._unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._arm()

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        self._was_read()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._waits_for == "headers":
            self._received += len(data)
        if self._waits_for == "headers" and self._received > self.header_bytes:
            self._refuse("431 Request Header Fields Too Large")
        elif not self._waits_for:
            self._disarm()
        elif self._deadline is None:
            self._arm()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begin("headers")

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        self._begin("body")

    def on_body(self, body: bytes) -> None:
        self._received += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._begin("")

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._unread is None:
            self._left = self.transport.get_write_buffer_size()
            self._unread = self.loop.call_later(self.answer_seconds, self._check_read)

    def resume_writing(self) -> None:
        self._was_read()
        super().resume_writing()

    def _begin(self, waits_for: str) -> None:
        self._waits_for, self._received = waits_for, 0
        self._disarm()

    def _arm(self) -> None:
        self._since = self.loop.time()
        seconds = self.header_seconds if self._waits_for == "headers" else self.body_seconds
        self._deadline = self.loop.call_later(seconds, self._too_slow)

    def _disarm(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _check_read(self) -> None:
        left, before = self.transport.get_write_buffer_size(), self._left
        if before - left < self.body_rate * self.answer_seconds:
            self.transport.abort()
            return
        self._left = left
        self._unread = self.loop.call_later(self.answer_seconds, self._check_read)

    def _was_read(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _too_slow(self) -> None:
        self._deadline = None
        if self._waits_for == "body":
            left = self._since + self.body_seconds + self._received / self.body_rate - self.loop.time()
            if left > 0 or self.flow.read_paused:
                # The received bytes extended the deadline; or the application itself does not read them.
                again = left if left > 0 else self.body_seconds
                self._deadline = self.loop.call_later(again, self._too_slow)
                return
        self._refuse("408 Request Timeout")

    def _refuse(self, status: str) -> None:
        """Sends the error if no response has begun, then closes."""
        self._waits_for = ""
        self._disarm()
        if self.transport.is_closing():
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not is_answering or not self.cycle.response_started:
            self.transport.write(_REFUSED.format(status=status).encode())
        self.transport.close()
