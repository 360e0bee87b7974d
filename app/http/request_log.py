"""One line for each request, and its place in the figures: the route and not the address, the answer and its time."""

from __future__ import annotations

import logging
import secrets
import sys
from time import perf_counter

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.services.verification.metrics import note_request

# A traceback without local variables: they may be personal (I23).
_CONSOLE = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
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
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Addresses may hold a learner's private token: the server's own access log stays silent (I23).
    logging.getLogger("uvicorn.access").disabled = True
    # Asked whether the schema is the newest, Alembic tells each time how it looked.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True


def _on_a_terminal(logger: object, name: str, event: structlog.typing.EventDict) -> str:
    """One line for each event, whatever its values hold; a traceback has its own lines."""
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

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self.app(scope, receive, send_marked)
            finally:
                seconds, route = perf_counter() - started, route_of(scope)
                note_request(method, route, status, seconds)
                self.log.info(
                    "request",
                    method=method,
                    route=route,
                    status=status,
                    milliseconds=round(seconds * 1000, 1),
                )


def route_of(scope: Scope) -> str:
    """The template of the address that was asked for, with the prefixes of the routers around it; "" if none fits."""
    around = scope.get("fastapi", {}).get("effective_route_context")
    return str(getattr(around, "path", "") or getattr(scope.get("route"), "path", ""))
