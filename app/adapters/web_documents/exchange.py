"""One question to one target, and its answer within the limits; following it elsewhere is not its business."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpcore

from app.adapters.web_documents.limits import Deadline, Limits, Refused, Why
from app.adapters.web_documents.resolving import TimedResolver
from app.adapters.web_documents.targets import Target
from app.adapters.web_documents.transport import Dial, GuardedBackend

_OK: Final = 200
# Two answers to one of these are no answer: which one counts would depend on the reader.
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
        """A connection of its own for each question: no cookie, no proxy, nothing left from the last one."""
        backend = GuardedBackend(target, self.resolver, self.dial, self.limits, deadline)
        url = httpcore.URL(
            scheme=target.scheme.encode(),
            host=target.host.encode(),
            port=target.port,
            target=target.path.encode(),
        )
        sent = {**headers, "Accept-Encoding": "identity", "Connection": "close"}
        try:
            with (
                httpcore.ConnectionPool(ssl_context=self.ssl_context, network_backend=backend) as pool,
                pool.stream(method, url, headers=list(sent.items()), content=body) as response,
            ):
                return self._read(response)
        except (httpcore.ProtocolError, UnicodeDecodeError) as error:
            raise Refused(Why.MALFORMED_ANSWER, error) from error

    def _read(self, response: httpcore.Response) -> Answer:
        headers = self._headers(response)
        if response.status != _OK:
            return Answer(response.status, headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(Why.COMPRESSED)
        if int(headers.get("content-length", "0")) > self.limits.body_bytes:
            raise Refused(Why.TOO_LARGE)
        body = bytearray()
        for count, piece in enumerate(response.iter_stream()):
            body += piece
            if len(body) > self.limits.body_bytes:
                raise Refused(Why.TOO_LARGE)
            if count > self.limits.pieces:
                raise Refused(Why.MALFORMED_ANSWER)
        return Answer(response.status, headers, bytes(body))

    def _headers(self, response: httpcore.Response) -> dict[str, str]:
        if sum(len(name) + len(value) for name, value in response.headers) > self.limits.header_bytes:
            raise Refused(Why.TOO_LARGE)
        headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1").strip()
            if name in headers and name in _SINGLE:
                raise Refused(Why.MALFORMED_ANSWER)
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers
