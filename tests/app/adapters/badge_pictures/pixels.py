"""The pixels of a picture, decoded independently of the code that drew it."""

from __future__ import annotations

import struct
import zlib

import resvg_py


def true_colours(svg: str, width: int) -> bytes:
    return bytes(resvg_py.svg_to_bytes(svg_string=svg, width=width, skip_system_fonts=True))


def pixels(png: bytes) -> list[bytes]:
    """Every pixel as RGBA, decoded slowly and exactly as RFC 2083 specifies."""
    chunks, at = dict[bytes, bytes](), 8
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack_from(">I", png, at + 8 + length) == (zlib.crc32(name + content),)
        chunks[name] = chunks.get(name, b"") + content
        at += 12 + length
    width, height, _depth, colour, *_ = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    size = {3: 1, 6: 4}[colour]
    data, rows = zlib.decompress(chunks[b"IDAT"]), [bytes(width * size)]
    for start in range(0, len(data), width * size + 1):
        rows.append(plain_row(data[start], data[start + 1 : start + 1 + width * size], rows[-1], size))
    assert len(rows) == height + 1
    flat = b"".join(rows[1:])
    if colour == 6:
        return [flat[i : i + 4] for i in range(0, len(flat), 4)]
    colours, alphas = chunks[b"PLTE"], chunks[b"tRNS"]
    return [colours[3 * i : 3 * i + 3] + alphas[i : i + 1] for i in flat]


def plain_row(kind: int, line: bytes, above: bytes, size: int) -> bytes:
    row = bytearray(line)
    for i in range(len(row)):
        left, corner = (row[i - size], above[i - size]) if i >= size else (0, 0)
        estimate = left + above[i] - corner
        nearest = min((left, above[i], corner), key=lambda value: abs(estimate - value))
        row[i] = (row[i] + (0, left, above[i], (left + above[i]) // 2, nearest)[kind]) & 255
    return bytes(row)
