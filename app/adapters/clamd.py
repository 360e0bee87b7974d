"""The virus scanner clamd over its socket: a file is handed over in pieces (INSTREAM), and the answer is one line."""

from __future__ import annotations

import socket
import struct
from typing import Final
from urllib.parse import urlsplit

from app.domain.activities.files import ScannerSilent

PATIENCE: Final = 20.0
"""Seconds for each step; a file that takes longer waits for another try."""
_PIECE: Final = 64 * 1024
_LONGEST_ANSWER: Final = 4096


class ScannerUnusable(Exception):
    """The address of the scanner is none."""


class Clamd:
    """`address` is tcp://host:3310 or unix:/path/of/the/socket."""

    def __init__(self, address: str, *, patience: float = PATIENCE) -> None:
        self._patience = patience
        parts = urlsplit(address)
        try:
            port = parts.port
        except ValueError:
            port = None
        self._path = parts.path if parts.scheme == "unix" else ""
        self._host = (parts.hostname or "", port or 0) if parts.scheme == "tcp" else ("", 0)
        if not (self._path or all(self._host)):
            raise ScannerUnusable("SCEAU_SCANNER must be tcp://host:3310 or unix:/path/of/the/socket.")

    def is_clean(self, content: bytes) -> bool:
        try:
            with self._connected() as connection:
                connection.sendall(b"zINSTREAM\0")
                for start in range(0, len(content), _PIECE):
                    piece = content[start : start + _PIECE]
                    connection.sendall(struct.pack("!I", len(piece)) + piece)
                connection.sendall(struct.pack("!I", 0))
                answer = _read(connection)
        except OSError as error:
            raise ScannerSilent from error
        return _judged(answer)

    def _connected(self) -> socket.socket:
        if not self._path:
            return socket.create_connection(self._host, timeout=self._patience)
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self._patience)
        try:
            connection.connect(self._path)
        except OSError:
            connection.close()
            raise
        return connection


def _read(connection: socket.socket) -> bytes:
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < _LONGEST_ANSWER:
        more = connection.recv(_LONGEST_ANSWER)
        if not more:
            break
        answer += more
    return answer


def _judged(answer: bytes) -> bool:
    """« stream: OK », « stream: Name FOUND »; all else, a limit that was passed above all, says nothing."""
    words = answer.rstrip(b"\0\r\n ")
    if words == b"stream: OK":
        return True
    if words.startswith(b"stream: ") and words.endswith(b" FOUND"):
        return False
    raise ScannerSilent
