"""What is left of the rate limits that a request counted for, in the headers of its answer.

`RateLimit-Policy` and `RateLimit` are those of the current draft (draft-ietf-httpapi-ratelimit-headers-10);
`RateLimit-Limit`, `-Remaining` and `-Reset` those of its first versions, which most clients read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.domain.accounts.rate_limits import LIMITS, Allowance

HEADERS: Final = (
    "RateLimit-Policy",
    "RateLimit",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)
FOR_PROGRAMS: Final = ("/api/", "/vc-api/")
"""Answers at these addresses show what is left."""
_ANY_ORIGIN: Final = "Access-Control-Allow-Origin"
_KEY: Final = "allowances"


def note_allowance(request: Request, allowance: Allowance | None) -> None:
    """None where nothing is limited, or where the counts are unavailable."""
    if allowance is not None:
        noted: dict[str, Allowance] = request.scope.setdefault("state", {}).setdefault(_KEY, {})
        noted[allowance.name] = allowance


_WAITS: Final = {429: "60", 503: "10"}
"""Seconds to wait, where an answer with this status names none."""


class AllowanceHeaders:
    """ASGI middleware: when to come back, and for programs what is left. Pages do not show what is left: of the tries
    for an address it would tell about that address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state, is_for_a_program = scope.setdefault("state", {}), scope["path"].startswith(FOR_PROGRAMS)

        async def send_with_allowances(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] in _WAITS:
                    MutableHeaders(scope=message).setdefault("Retry-After", _WAITS[message["status"]])
                if is_for_a_program and (noted := state.get(_KEY)):
                    _add(MutableHeaders(scope=message), noted.values())
            await send(message)

        await self.app(scope, receive, send_with_allowances)


def _add(headers: MutableHeaders, noted: Iterable[Allowance]) -> None:
    tightest_first = sorted(noted, key=lambda each: each.remaining / LIMITS[each.name].amount)
    policies, left = [], []
    for each in tightest_first:
        limit, name = LIMITS[each.name], each.name.replace(" ", "-")
        policies.append(f'"{name}";q={limit.amount};w={int(limit.per.total_seconds())}')
        left.append(f'"{name}";r={each.remaining};t={each.reset}')
    tightest = tightest_first[0]
    values = (
        ", ".join(policies),
        ", ".join(left),
        str(LIMITS[tightest.name].amount),
        str(tightest.remaining),
        str(tightest.reset),
    )
    headers.update(dict(zip(HEADERS, values, strict=True)))
    if _ANY_ORIGIN in headers:
        headers["Access-Control-Expose-Headers"] = ", ".join((*HEADERS, "Retry-After"))
