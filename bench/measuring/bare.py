"""Minimal ASGI applications: with the one response in a file, or with one response per path."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response

ANSWER_VARIABLE: Final = "SCEAU_BENCH_ANSWER"
DIFFERENT_VARIABLE: Final = "SCEAU_BENCH_ANSWERS"


async def application(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """The minimum without any logic: the same bytes for every request, head and body."""
    if scope["type"] != "http":
        return
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    await send({"type": "http.response.body", "body": _BODY})


def _parted(answer: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    head, _, body = answer.partition(b"\r\n\r\n")
    lines = (line.partition(b": ") for line in head.split(b"\r\n")[1:])
    return [(name, value) for name, _, value in lines if name not in (b"date", b"server")], body


_HEADERS, _BODY = (
    _parted(Path(os.environ[ANSWER_VARIABLE]).read_bytes()) if ANSWER_VARIABLE in os.environ else ([], b"")
)


# Pickled by the measuring process itself, in a folder of its own.
_STORED: dict[Any, bytes] = (
    pickle.loads(Path(os.environ[DIFFERENT_VARIABLE]).read_bytes())  # noqa: S301
    if DIFFERENT_VARIABLE in os.environ
    else {}
)
_DIFFERENT = {path: _parted(answer) for path, answer in _STORED.items() if isinstance(path, str)}


async def different(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """Different bytes at each path, from a dict."""
    if scope["type"] != "http":
        return
    headers, body = _DIFFERENT[scope["path"]]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def same_pages_stored() -> FastAPI:
    """Our own application, except that the page of an award is read from a dict instead of rendered."""
    from app import main
    from app.web.publishing import award_page

    def shown(award_id: Any, _request: Any, _snapshot: Any) -> Response:
        return Response(_STORED[award_id], media_type="text/html", headers={"Cache-Control": "no-store"})

    award_page._shown = shown
    return main.served()
