"""The smallest applications that can answer: with the one answer that a file holds, or with the one for each path."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI, Response

ANSWER_VARIABLE: Final = "SCEAU_BENCH_ANSWER"
DIFFERENT_VARIABLE: Final = "SCEAU_BENCH_ANSWERS"


async def application(scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """What remains when nothing is decided: the same bytes for everybody, head and body."""
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
    """Other bytes at each path, out of a dict."""
    if scope["type"] != "http":
        return
    headers, body = _DIFFERENT[scope["path"]]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def same_pages_stored() -> FastAPI:
    """Our own application, but for one thing: the page of an award is not made, it lies in a dict."""
    from app import main
    from app.web.publishing import award_page

    def shown(award_id: Any, _request: Any, _snapshot: Any) -> Response:
        return Response(_STORED[award_id], media_type="text/html", headers={"Cache-Control": "no-store"})

    award_page._shown = shown
    return main.served()
