"""The smallest application that can answer: it gives the answer that a file holds, whatever is asked."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

ANSWER_VARIABLE: Final = "SCEAU_BENCH_ANSWER"


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
