"""PNG: one uncompressed iTXt chunk, inserted and read without decoding pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sceau_credentials.baking.carrier import MAX_TEXT, Unbaked, check_size, is_compact_jws, the_one
from sceau_credentials.errors import ImageError

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_KEYWORD_3: Final = b"openbadgecredential"  # E-004
_KEYWORD_2: Final = b"openbadges"  # E-016
_AFTER_IHDR: Final = len(SIGNATURE) + 12 + 13
_MAX_CHUNKS: Final = 10_000  # T22
_MAX_PIXELS: Final = 4 * 1024 * 1024  # M10
_DEPTHS: Final = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}


@dataclass(frozen=True)
class _Chunk:
    type: bytes
    data: memoryview


class PngMaster:
    """A picture checked once, into which any number of credentials can be baked."""

    __slots__ = ("_head", "_tail")

    def __init__(self, png: bytes) -> None:
        check_size(png)
        if any(_keyword(chunk) in (_KEYWORD_3, _KEYWORD_2) for chunk in _chunks(png)):
            raise ImageError("already_baked")  # E-007 leaves the choice between this and overwriting
        self._head, self._tail = png[:_AFTER_IHDR], png[_AFTER_IHDR:]

    def bake(self, credential: str) -> bytes:
        return self._with(_KEYWORD_3, credential)

    def bake_older(self, assertion: str) -> bytes:
        """Bake an assertion of Open Badges 2.0: JSON or compact JWS (E-016)."""
        return self._with(_KEYWORD_2, assertion)

    def _with(self, keyword: bytes, credential: str) -> bytes:
        is_compact_jws(credential)
        # Compression flag and method 0, no language, no translated keyword (E-006, E-009).
        body = b"iTXt" + keyword + b"\0\0\0\0\0" + credential.encode()
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return b"".join((self._head, chunk, self._tail))


def unbake_png(png: bytes) -> Unbaked:
    check_size(png)
    found: dict[tuple[bytes, bytes], list[str]] = {}
    for chunk in _chunks(png):
        keyword = _keyword(chunk)
        if keyword in (_KEYWORD_3, _KEYWORD_2):
            found.setdefault((chunk.type, keyword), []).append(_text_of(chunk))
    current = the_one(found.get((b"iTXt", _KEYWORD_3), []))
    if current is not None:
        return Unbaked(current, "png", "3.0")
    earlier = the_one(found.get((b"iTXt", _KEYWORD_2), []) or found.get((b"tEXt", _KEYWORD_2), []))
    if earlier is not None:
        return Unbaked(earlier, "png", "2.0")
    raise ImageError("no_credential")


def _chunks(png: bytes) -> Iterator[_Chunk]:
    """The chunks of a complete, undamaged PNG file without trailing data; ImageError otherwise."""
    if not png.startswith(SIGNATURE):
        raise ImageError("malformed_png", "signature")
    view, position, previous, has_pixels = memoryview(png), len(SIGNATURE), b"", False
    for count in range(_MAX_CHUNKS):
        chunk, position = _chunk_at(view, position)
        if (count == 0) != (chunk.type == b"IHDR"):
            raise ImageError("malformed_png", "IHDR first, and once")
        if chunk.type == b"IHDR":
            _check_header(chunk.data)
        elif chunk.type == b"IDAT":
            if has_pixels and previous != b"IDAT":
                raise ImageError("malformed_png", "IDAT chunks apart")
            has_pixels = True
        elif chunk.type == b"IEND":
            if not has_pixels or len(chunk.data) or position != len(png):
                raise ImageError("malformed_png", "IDAT missing, or something in or after IEND")
            return
        previous = chunk.type
        yield chunk
    raise ImageError("too_large", "chunks")


def _chunk_at(view: memoryview, position: int) -> tuple[_Chunk, int]:
    if position + 12 > len(view):
        raise ImageError("truncated")
    (length,) = struct.unpack_from(">I", view, position)
    end = position + 12 + length
    if length > 2**31 - 1 or end > len(view):
        raise ImageError("truncated")
    chunk_type = bytes(view[position + 4 : position + 8])
    if not (chunk_type.isalpha() and chunk_type.isascii()):
        raise ImageError("malformed_png", "chunk type")
    (checksum,) = struct.unpack_from(">I", view, end - 4)
    if zlib.crc32(view[position + 4 : end - 4]) != checksum:
        raise ImageError("bad_checksum", chunk_type.decode())
    return _Chunk(chunk_type, view[position + 8 : end - 4]), end


def _check_header(data: memoryview) -> None:
    if len(data) != 13:
        raise ImageError("malformed_png", "IHDR")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", data)
    if (
        depth not in _DEPTHS.get(colour, ())
        or compression
        or filtering
        or interlace > 1
        or not (width and height)
    ):
        raise ImageError("malformed_png", "IHDR")
    if width * height > _MAX_PIXELS:
        raise ImageError("too_large", "pixels")


def _keyword(chunk: _Chunk) -> bytes:
    if chunk.type not in (b"iTXt", b"tEXt"):
        return b""
    return bytes(chunk.data[:80]).partition(b"\0")[0]


def _text_of(chunk: _Chunk) -> str:
    if len(chunk.data) > MAX_TEXT + 256:
        raise ImageError("too_large", "text")
    _, _, rest = bytes(chunk.data).partition(b"\0")
    if chunk.type == b"tEXt":
        return rest.decode("latin-1")
    if rest[:2] != b"\0\0":
        raise ImageError("compressed_text" if rest[:1] == b"\1" else "malformed_png", "iTXt")
    parts = rest[2:].split(b"\0", 2)
    if len(parts) != 3 or len(parts[2]) > MAX_TEXT:
        raise ImageError("malformed_png" if len(parts) != 3 else "too_large", "iTXt")
    try:
        return parts[2].decode()
    except UnicodeDecodeError:
        raise ImageError("not_utf8") from None
