"""One question to one target, and its answer within the limits; following it elsewhere is not its business."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpcore
import httpx

from app.adapters.web_documents.limits import Deadline, Limits, Refused, Why
from app.adapters.web_documents.resolving import TimedResolver
from app.adapters.web_documents.targets import Target
from app.adapters.web_documents.transport import Dial, GuardedBackend, GuardedTransport

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
        """One client and one connection per question: no cookie, proxy, credential or state outlives it.

        Redirects are the caller's: httpx follows none, and never parses the address that one leads to.
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
            raise Refused(Why.URL_NOT_ALLOWED, error) from error
        except (httpcore.ProtocolError, httpx.ProtocolError, UnicodeDecodeError) as error:
            raise Refused(Why.MALFORMED_ANSWER, error) from error

    def _read(self, response: httpx.Response) -> Answer:
        headers = self._headers(response.extensions["received_headers"])
        if response.status_code != _OK:
            return Answer(response.status_code, headers)
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused(Why.COMPRESSED)
        if int(headers.get("content-length", "0")) > self.limits.body_bytes:
            raise Refused(Why.TOO_LARGE)
        body = bytearray()
        for count, piece in enumerate(response.iter_raw()):
            body += piece
            if len(body) > self.limits.body_bytes:
                raise Refused(Why.TOO_LARGE)
            if count > self.limits.pieces:
                raise Refused(Why.MALFORMED_ANSWER)
        return Answer(response.status_code, headers, bytes(body))

    def _headers(self, received: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
        if sum(len(name) + len(value) for name, value in received) > self.limits.header_bytes:
            raise Refused(Why.TOO_LARGE)
        headers: dict[str, str] = {}
        for raw_name, raw_value in received:
            name, value = raw_name.decode("ascii").lower(), raw_value.decode("latin-1").strip()
            if name in headers and name in _SINGLE:
                raise Refused(Why.MALFORMED_ANSWER)
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers
