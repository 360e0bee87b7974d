"""Small generated pictures, valid or broken in one way."""

from __future__ import annotations

import struct
import zlib

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
SVG = b'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9"/></svg>\n'


def chunk(kind: bytes, data: bytes = b"", checksum: int | None = None) -> bytes:
    crc = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


def header(width: int = 2, height: int = 2, depth: int = 8, colour: int = 2) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))


def itxt(keyword: bytes, text: bytes, flags: bytes = b"\0\0") -> bytes:
    return chunk(b"iTXt", keyword + b"\0" + flags + b"\0\0" + text)


PIXELS = chunk(b"IDAT", zlib.compress((b"\0" + b"\x20\x40\x60" * 2) * 2))
END = chunk(b"IEND")


def png(*between: bytes, head: bytes | None = None, pixels: bytes = PIXELS, end: bytes = END) -> bytes:
    return PNG_SIGNATURE + (header() if head is None else head) + b"".join(between) + pixels + end
