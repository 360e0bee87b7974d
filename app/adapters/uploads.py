"""The virus scanner clamd over its socket: a file is sent in chunks (INSTREAM), and the answer is one
line."""

from __future__ import annotations

import socket
import struct
from io import BytesIO
from threading import BoundedSemaphore
from typing import Any, Final
from urllib.parse import urlsplit

from PIL import Image, ImageOps

from app.adapters import Unusable
from app.domain.activities.files import Picture, ScannerSilent
from app.errors import InvalidInput

PATIENCE: Final = 20.0
"""Seconds for each step; a file that takes longer is retried later."""
_PIECE: Final = 64 * 1024
_LONGEST_ANSWER: Final = 4096


class ScannerUnusable(Unusable):
    """Invalid address of the scanner."""


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
            raise ScannerUnusable("SCEAU_SCANNER s’écrit tcp://hôte:3310 ou unix:/chemin/de/la/socket.")

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
        return _checked(answer)

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


def _checked(answer: bytes) -> bool:
    """« stream: OK », « stream: Name FOUND »; anything else, above all an exceeded limit, is no verdict."""
    words = answer.rstrip(b"\0\r\n ")
    if words == b"stream: OK":
        return True
    if words.startswith(b"stream: ") and words.endswith(b" FOUND"):
        return False
    raise ScannerSilent


LONGEST_SIDE: Final = 2560
PREVIEW_SIDE: Final = 720
MOST_PIXELS: Final = {"image/jpeg": 50_000_000, "image/png": 24_000_000, "image/webp": 24_000_000}
"""A JPEG is decoded at a fraction of its size; the others are decoded whole, four bytes per pixel."""
_MOST_SCANS: Final = 64
"""A camera's progressive JPEG has ten scans; thousands would occupy a decoder for minutes."""
_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/webp": "WEBP"}
_WRITTEN: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"quality": 85, "optimize": True},
    "PNG": {"optimize": True},
    "WEBP": {"quality": 85, "method": 4},
}


class PillowPhotographs:
    """Decodes two at a time at most: one may take hundreds of megabytes."""

    def __init__(self) -> None:
        self._room = BoundedSemaphore(2)

    def cleaned(self, content: bytes, media_type: str) -> Picture:
        kind = _FORMATS[media_type]
        with self._room:
            image = _opened(content, media_type, kind)
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            whole = _written(image, kind)
            image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE), Image.Resampling.LANCZOS)
            return Picture(whole, _written(_on_white(image), "JPEG"))


def _opened(content: bytes, media_type: str, kind: str) -> Image.Image:
    """The pixels in upright orientation, and nothing else: no profile, no comment, no second frame."""
    if kind == "JPEG" and content.count(b"\xff\xda") > _MOST_SCANS:
        raise _unreadable()
    try:
        image: Image.Image = Image.open(BytesIO(content), formats=(kind,))
        pixels = image.width * image.height
    except Exception as error:
        raise _unreadable() from error
    if pixels > MOST_PIXELS[media_type]:
        raise InvalidInput(
            "Cette image est trop grande : {most} millions de points au plus. Envoyez-en une plus petite.",
            most=MOST_PIXELS[media_type] // 1_000_000,
        )
    try:
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        turned = ImageOps.exif_transpose(image)
        plain = turned.convert(_mode_of(turned))
    # Any decoder error means an invalid picture.
    except Exception as error:
        raise _unreadable() from error
    # Encoders write comments, profiles and resolutions that they find here.
    plain.info = {}
    return plain


def _mode_of(image: Image.Image) -> str:
    if image.has_transparency_data:
        return "RGBA"
    return "L" if image.mode in ("1", "L") else "RGB"


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _written(image: Image.Image, kind: str) -> bytes:
    if kind == "JPEG" and image.mode == "RGBA":
        image = _on_white(image)
    out = BytesIO()
    image.save(out, kind, **_WRITTEN[kind])
    return out.getvalue()


def _unreadable() -> InvalidInput:
    return InvalidInput("Cette image est abîmée ou incomplète : elle ne s’ouvre pas. Envoyez-la de nouveau.")
