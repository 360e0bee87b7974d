"""The tree as static files of 256 hashes each, as any mirror can serve them (C2SP tlog-tiles)."""

from __future__ import annotations

import re
import struct
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sceau_credentials.errors import DocumentUnavailable, MalformedInput
from sceau_credentials.transparency_log.notes import HASH_BYTES, node_hash

HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
_LONGEST_ENTRY: Final = 0xFFFF
_ENTRIES: Final = "entries"
_TILE_PATH: Final = re.compile(
    r"tile/(?:(?P<level>[0-9]|[1-5][0-9]|6[0-3])|entries)/"
    r"(?P<number>(?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """A tile: `width` hashes, each over 256^level leaves, from the `index`·256th on."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def path(self) -> str:
        return f"tile/{self.level}/{_numbered(self.index, self.width)}"

    @property
    def entries_path(self) -> str:
        """Where the entries of a tile of level 0 are served."""
        return f"tile/{_ENTRIES}/{_numbered(self.index, self.width)}"

    def in_tree(self, size: int) -> Tile:
        """The tile of the same level and index in a tree of `size` leaves, as full as it is there."""
        return Tile(
            self.level, self.index, min((size >> HEIGHT * self.level) - (self.index << HEIGHT), WIDTH)
        )


@dataclass(frozen=True, slots=True)
class TileFile:
    """A requested file: a tile's hashes, or the entries under it."""

    tile: Tile
    holds_entries: bool = False

    @classmethod
    def at(cls, path: str) -> TileFile | None:
        """Parse a path in its only C2SP spelling; None for anything else."""
        found = _TILE_PATH.fullmatch(path)
        if found is None:
            return None
        index = int(found["number"].replace("/", "").replace("x", ""))
        tile = Tile(int(found["level"] or 0), index, int(found["width"] or WIDTH))
        file = cls(tile, holds_entries=found["level"] is None)
        return file if path == (tile.entries_path if file.holds_entries else tile.path) else None


def _numbered(index: int, width: int) -> str:
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return path if width == WIDTH else f"{path}.p/{width}"


def tiles_of(size: int) -> Iterator[Tile]:
    """Every tile of a tree of `size` leaves, partial ones included, level by level."""
    if size < 0:
        raise ValueError("a number of leaves")
    level, hashes = 0, size
    while hashes:
        for index in range(hashes >> HEIGHT):
            yield Tile(level, index)
        if hashes % WIDTH:
            yield Tile(level, hashes >> HEIGHT, hashes % WIDTH)
        level, hashes = level + 1, hashes >> HEIGHT


def new_tiles(old: int, new: int) -> Iterator[Tile]:
    """The tiles that a tree has at `new` leaves and did not have at `old`, level by level."""
    if old < 0 or new < 0:
        raise ValueError("numbers of leaves")
    level = 0
    while new:
        if new > old:
            for index in range(old >> HEIGHT, new >> HEIGHT):
                yield Tile(level, index)
            if new % WIDTH:
                yield Tile(level, new >> HEIGHT, new % WIDTH)
        level, old, new = level + 1, old >> HEIGHT, new >> HEIGHT


ReadTile = Callable[[Tile], bytes]
"""From a tile to its bytes, `width` hashes one after the other; a fuller tile of the same index is accepted.
"""
ReadRows = Callable[[Tile], list[Sequence[bytes]]]
"""From a tile to its hashes, followed by the rows of hashes over two, four, … of them."""


def tiles_read(read: Callable[[str], bytes]) -> ReadTile:
    """From a reader of the log's files by path."""

    def read_tile(tile: Tile) -> bytes:
        try:
            return read(tile.path)
        except DocumentUnavailable:
            if tile.width == WIDTH:
                raise
            # A mirror may have only the fuller tile that replaced it (C2SP tlog-tiles).
            return read(Tile(tile.level, tile.index).path)

    return read_tile


class TiledTree:
    """The hashes of a tree of `size` leaves, read from tiles; the last few tiles read are cached.

    `rows_of` returns what `rows_over` computes from a tile, or from a fuller tile of the same index, for a caller
    that shares it between several trees.
    """

    def __init__(
        self, read: ReadTile, size: int, *, remembered: int = 64, rows_of: ReadRows | None = None
    ) -> None:
        self._rows_of = rows_of or (lambda tile: rows_in(read(tile), tile))
        self.size, self._remembered = size, remembered
        self._seen: OrderedDict[tuple[int, int], list[Sequence[bytes]]] = OrderedDict()

    def node(self, level: int, index: int) -> bytes:
        tile_level, height = divmod(level, HEIGHT)
        tile_index, place = divmod(index, WIDTH >> height)
        return self._rows(tile_level, tile_index)[height][place]

    def _rows(self, level: int, index: int) -> list[Sequence[bytes]]:
        """The tile's own hashes, followed by the rows of hashes over two, four, … of them."""
        known = self._seen.get((level, index))
        if known is not None:
            self._seen.move_to_end((level, index))
            return known
        tile = Tile(level, index).in_tree(self.size)
        if tile.width <= 0:
            raise IndexError("beyond the tree")
        rows = self._rows_of(tile)
        self._seen[(level, index)] = rows
        if len(self._seen) > self._remembered:
            self._seen.popitem(last=False)
        return rows


def rows_in(encoded: bytes, tile: Tile) -> list[Sequence[bytes]]:
    """The hashes of a tile's bytes, and the rows above them."""
    return rows_over(hashes_in(encoded, tile.width))


def rows_over(hashes: Sequence[bytes]) -> list[Sequence[bytes]]:
    """`hashes`, followed by the rows of hashes over two, four, … of them, as far as they are complete."""
    rows = [hashes]
    for _ in range(HEIGHT):
        below = rows[-1]
        rows.append([node_hash(below[at], below[at + 1]) for at in range(0, len(below) - 1, 2)])
    return rows


def hashes_in(encoded: bytes, width: int) -> list[bytes]:
    """The first `width` hashes of a tile's bytes."""
    if len(encoded) < width * HASH_BYTES or len(encoded) % HASH_BYTES:
        raise MalformedInput("malformed_tile", "", f"{len(encoded)} bytes for {width} hashes")
    return [encoded[at : at + HASH_BYTES] for at in range(0, width * HASH_BYTES, HASH_BYTES)]


def entry_bundle(entries: Sequence[bytes]) -> bytes:
    """The entries of one tile of level 0, each after its length in two bytes, big-endian."""
    if any(len(entry) > _LONGEST_ENTRY for entry in entries):
        raise ValueError(f"an entry has at most {_LONGEST_ENTRY} bytes")
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def entries_in(bundle: bytes) -> list[bytes]:
    """The entries of a bundle, WIDTH at most."""
    entries: list[bytes] = []
    at = 0
    while at < len(bundle):
        if len(entries) == WIDTH or at + 2 > len(bundle):
            raise MalformedInput("malformed_bundle")
        (length,) = struct.unpack_from(">H", bundle, at)
        at += 2 + length
        if at > len(bundle):
            raise MalformedInput("malformed_bundle")
        entries.append(bundle[at - length : at])
    return entries
