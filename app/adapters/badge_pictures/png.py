"""A PNG of true colours made several times lighter: the same pixels through a palette of at most 256 colours."""

from __future__ import annotations

import struct
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Final

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MOST_COLOURS: Final = 256
_PIXEL: Final = 4
_RGBA_8: Final = (8, 6, 0, 0, 0)
_INDEXED_8: Final = (8, 3, 0, 0, 0)

Colours = list[tuple[bytes, int]]
"""Colours as four bytes, with how often each is seen."""


def with_palette(png: bytes) -> bytes:
    """The same picture with a palette. Takes what the rasteriser gives: 8-bit RGBA, not interlaced."""
    chunks = _chunks(png)
    width, height, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if tuple(form) != _RGBA_8:
        raise ValueError("only 8-bit RGBA pictures that are not interlaced are understood")
    rows = list(_rows(zlib.decompress(chunks[b"IDAT"]), width))
    seen = Counter(chain.from_iterable(rows))
    groups = _groups({_colour(pixel): count for pixel, count in seen.items()})
    place = {colour: number for number, group in enumerate(groups) for colour, _ in group}
    palette = [max(group, key=lambda seen: (seen[1], seen[0]))[0] for group in groups]
    place_of_pixel = {pixel: place[_colour(pixel)] for pixel in seen}
    data = b"".join(b"\0" + bytes(map(place_of_pixel.__getitem__, row)) for row in rows)
    return _SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *_INDEXED_8)),
            _chunk(b"PLTE", b"".join(colour[:3] for colour in palette)),
            _chunk(b"tRNS", bytes(colour[3] for colour in palette)),
            _chunk(b"IDAT", zlib.compress(data, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunks(png: bytes) -> Mapping[bytes, bytes]:
    """The content of each kind of chunk, joined."""
    at, found = len(_SIGNATURE), dict[bytes, bytes]()
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        name = png[at + 4 : at + 8]
        found[name] = found.get(name, b"") + png[at + 8 : at + 8 + length]
        at += 12 + length
    return found


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def _rows(data: bytes, width: int) -> Iterator[Sequence[int]]:
    """The pixels of each row, freed from the filters of PNG (RFC 2083, section 6).

    A pixel is one number made of its four bytes, so that one operation serves four channels.
    """
    stride = width * _PIXEL
    above: Sequence[int] = [0] * width
    for start in range(0, len(data), stride + 1):
        line = memoryview(data[start + 1 : start + 1 + stride]).cast("I")
        above = _unfiltered(data[start], line, above)
        yield above


def _unfiltered(kind: int, line: Sequence[int], above: Sequence[int]) -> Sequence[int]:
    if kind == 0:
        return line
    if kind == 2:
        return [_sum(here, over) if here else over for here, over in zip(line, above, strict=True)]
    predict = {1: _from_left, 3: _from_average, 4: _from_nearest}[kind]
    row: list[int] = []
    left = corner = 0
    for here, over in zip(line, above, strict=True):
        predicted = predict(left, over, corner)
        left = _sum(here, predicted) if here else predicted
        corner = over
        row.append(left)
    return row


def _sum(one: int, other: int) -> int:
    """Byte by byte and without carry: the highest bit of each byte is added apart."""
    return ((one & 0x7F7F7F7F) + (other & 0x7F7F7F7F)) ^ ((one ^ other) & 0x80808080)


def _from_left(left: int, _above: int, _corner: int) -> int:
    return left


def _from_average(left: int, above: int, _corner: int) -> int:
    return (left & above) + (((left ^ above) & 0xFEFEFEFE) >> 1)


def _from_nearest(left: int, above: int, corner: int) -> int:
    """Paeth's predictor on whole pixels first: flat colours, which are most of a badge, need no arithmetic."""
    if left == above or corner == above:
        return left
    if corner == left:
        return above
    channels = zip(_colour(left), _colour(above), _colour(corner), strict=True)
    return int.from_bytes(bytes([_nearest(*channel) for channel in channels]), sys.byteorder)


def _nearest(left: int, above: int, corner: int) -> int:
    from_left, from_above = abs(above - corner), abs(left - corner)
    from_corner = abs(left + above - 2 * corner)
    if from_left <= from_above and from_left <= from_corner:
        return left
    return above if from_above <= from_corner else corner


def _colour(pixel: int) -> bytes:
    return pixel.to_bytes(_PIXEL, sys.byteorder)


def _groups(seen: Mapping[bytes, int]) -> list[Colours]:
    """Colours that share one place in the palette: the widest group is halved until the palette is full."""
    groups: list[Colours] = [sorted(seen.items())]
    spreads = [_spread(groups[0])]
    while len(groups) < _MOST_COLOURS and max(spreads)[0]:
        widest = spreads.index(max(spreads))
        halves = _halves(groups[widest], spreads[widest][1])
        groups[widest : widest + 1] = halves
        spreads[widest : widest + 1] = map(_spread, halves)
    return groups


def _spread(group: Colours) -> tuple[int, int]:
    """How far a group reaches on its widest channel, and which channel that is."""
    channels = zip(*(colour for colour, _ in group), strict=True)
    return max((max(values) - min(values), channel) for channel, values in enumerate(channels))


def _halves(group: Colours, channel: int) -> list[Colours]:
    values = [colour[channel] for colour, _ in group]
    middle = (min(values) + max(values)) / 2
    low = [seen for seen in group if seen[0][channel] <= middle]
    high = [seen for seen in group if seen[0][channel] > middle]
    return [low, high]
