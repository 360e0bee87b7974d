"""Checkpoints: a log's signed state; and one entry's proof against it (C2SP tlog-checkpoint, tlog-proof)."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.transparency_log.notes import Note, decoded_hashes
from sceau_credentials.transparency_log.tree import EMPTY_ROOT, LONGEST_PROOF, is_included

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_PROOF: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class TreeHead:
    """`origin` names the log, such as `badges.example/campus/itip/journal`."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """The signed text: three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"

    @classmethod
    def from_text(cls, text: str) -> TreeHead:
        """Parse a checkpoint; lines after the third are signed but ignored here."""
        return _head(text)

    @classmethod
    def _read(cls, text: str) -> TreeHead:
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]) or not _NUMBER.fullmatch(lines[1]):
            raise MalformedInput("malformed_checkpoint")
        (root,) = decoded_hashes(lines[2:3])
        head = cls(lines[0], int(lines[1]), root)
        if head.size == 0 and root != EMPTY_ROOT:
            raise MalformedInput("malformed_checkpoint", "", "an empty tree has one root only")
        return head


@lru_cache(maxsize=64)
def _head(text: str) -> TreeHead:
    """Cached: one checkpoint proves thousands of awards. Failures are not."""
    return TreeHead._read(text)


@dataclass(frozen=True)
class EntryProof:
    """Proof that an entry is in a log: its index, the path to the root, and the checkpoint, not yet verified."""

    index: int
    hashes: Sequence[bytes]
    checkpoint: Note

    @property
    def head(self) -> TreeHead:
        return TreeHead.from_text(self.checkpoint.text)

    def holds_for(self, leaf: bytes) -> bool:
        """Whether the leaf hash leads to the checkpoint's root; the signature is not checked."""
        head = self.head
        return is_included(leaf, self.index, head.size, self.hashes, head.root)

    def to_text(self) -> str:
        """The content of a `.tlog-proof` file."""
        lines = [_PROOF, f"index {self.index}", *(base64.b64encode(each).decode() for each in self.hashes)]
        return "\n".join([*lines, "", self.checkpoint.to_text()])

    @classmethod
    def from_text(cls, text: str) -> EntryProof:
        """Parse a `.tlog-proof`; its line of extra data, which is not signed, is ignored."""
        head, found, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if lines[:1] != [_PROOF] or not found:
            raise MalformedInput("malformed_tlog_proof")
        rest = lines[2:] if lines[1:2] and lines[1].startswith("extra ") else lines[1:]
        index = rest[0].removeprefix("index ") if rest and rest[0].startswith("index ") else ""
        if not _NUMBER.fullmatch(index) or len(rest) - 1 > LONGEST_PROOF:
            raise MalformedInput("malformed_tlog_proof")
        return cls(int(index), tuple(decoded_hashes(rest[1:])), Note.from_text(checkpoint))
