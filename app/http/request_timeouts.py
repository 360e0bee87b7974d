"""The HTTP protocol of the server, with an end to the patience for slow clients.

The server below waits for ever for the headers, the body and the reading of an answer: a few hundred connections that
send a byte now and then would hold all of them.
"""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_REFUSED = "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: text/plain\r\ncontent-length: 0\r\n\r\n"


class TimedHttpProtocol(HttpToolsProtocol):
    """A request that arrives in one piece, as most do, costs no timer."""

    header_seconds: ClassVar[float] = 10.0
    """From the connection, or the first byte of a further request, to the end of the headers."""
    header_bytes: ClassVar[int] = 64 * 1024
    body_seconds: ClassVar[float] = 20.0
    """How far a body may lag behind `body_rate`."""
    body_rate: ClassVar[float] = 4096.0
    """Bytes in a second: less than the slowest telephone line of today, more than somebody who holds a connection."""
    answer_seconds: ClassVar[float] = 60.0
    """In so long a client reads `body_rate` of an answer that waits for it."""

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
                # The bytes that came bought time; or it is the application that does not take them.
                again = left if left > 0 else self.body_seconds
                self._deadline = self.loop.call_later(again, self._too_slow)
                return
        self._refuse("408 Request Timeout")

    def _refuse(self, status: str) -> None:
        """Say why where no answer has begun, and close."""
        self._waits_for = ""
        self._disarm()
        if self.transport.is_closing():
            return
        is_answering = self.cycle is not None and not self.cycle.response_complete
        if not is_answering or not self.cycle.response_started:
            self.transport.write(_REFUSED.format(status=status).encode())
        self.transport.close()
