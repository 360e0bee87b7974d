"""A PNG of true colours made several times lighter: the same pixels through a palette of at most 256 colours."""

from __future__ import annotations

import struct
import sys
import zlib
from collections import Counter
from collections.abc import Mapping
from io import BytesIO
from typing import Final

from PIL import Image

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_MOST_COLOURS: Final = 256
_PIXEL: Final = 4
_INDEXED_8: Final = (8, 3, 0, 0, 0)

Colours = list[tuple[bytes, int]]
"""Colours as four bytes, with how often each is seen."""


def with_palette(png: bytes) -> bytes:
    """The same picture with a palette."""
    with Image.open(BytesIO(png)) as picture:
        width, height = picture.size
        # A pixel is one number made of its four bytes.
        pixels = memoryview(picture.convert("RGBA").tobytes()).cast("I")
    seen = Counter(pixels)
    groups = _groups({_colour(pixel): count for pixel, count in seen.items()})
    place = {colour: number for number, group in enumerate(groups) for colour, _ in group}
    palette = [max(group, key=lambda seen: (seen[1], seen[0]))[0] for group in groups]
    place_of_pixel = {pixel: place[_colour(pixel)] for pixel in seen}
    places = bytes(map(place_of_pixel.__getitem__, pixels))
    data = b"".join(b"\0" + places[start : start + width] for start in range(0, len(places), width))
    return _SIGNATURE + b"".join(
        (
            _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *_INDEXED_8)),
            _chunk(b"PLTE", b"".join(colour[:3] for colour in palette)),
            _chunk(b"tRNS", bytes(colour[3] for colour in palette)),
            _chunk(b"IDAT", zlib.compress(data, 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


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
