"""An in-memory log, honest or not, that serves the files of a tiled log."""

from __future__ import annotations

from collections.abc import Sequence

from sceau_credentials.errors import DocumentUnavailable
from sceau_credentials.keys import LocalSigningKey
from sceau_credentials.transparency_log.notes import (
    LeafHashes,
    Note,
    NoteKey,
    TreeHead,
    leaf_hash,
    root_of,
    sign,
)
from sceau_credentials.transparency_log.tiles import TileFile

ORIGIN = "badges.exemple.fr/campus/itip/journal"


class ToyLog:
    """Tests may change `entries`, as a dishonest operator would; each checkpoint signs the current entries."""

    def __init__(self, *entries: bytes) -> None:
        self.entries = list(entries)
        self.signing = LocalSigningKey.from_seed(b"\x07" * 32)
        self.key = NoteKey(ORIGIN, self.signing.public)
        self.lost: set[str] = set()

    @property
    def head(self) -> TreeHead:
        tree = self._tree(self.entries)
        return TreeHead(ORIGIN, len(self.entries), root_of(tree, len(self.entries)))

    def note(self) -> Note:
        text = self.head.to_text()
        return Note(text, (sign(text, ORIGIN, self.signing),))

    def read(self, path: str) -> bytes:
        if path == "checkpoint":
            return self.note().to_text().encode()
        asked = TileFile.at(path)
        if asked is None or path in self.lost:
            raise DocumentUnavailable(path, "not_found")
        tile, tree = asked.tile, self._tree(self.entries)
        if tile.index * 256 + tile.width > len(self.entries) >> 8 * tile.level:
            raise DocumentUnavailable(path, "not_found")
        return b"".join(tree.node(8 * tile.level, tile.index * 256 + place) for place in range(tile.width))

    @staticmethod
    def _tree(entries: Sequence[bytes]) -> LeafHashes:
        return LeafHashes(map(leaf_hash, entries))
