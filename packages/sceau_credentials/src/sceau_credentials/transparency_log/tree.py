"""The Merkle tree of RFC 9162, section 2.1: hashes, roots, and the making and checking of proofs."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Protocol

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
# 2^63 leaves: no real proof needs more hashes, so a longer one is rejected unread.
LONGEST_PROOF: Final = 63
_BLOCK: Final = 8  # levels
_ONE_BY_ONE: Final = 64


class Nodes(Protocol):
    """Storage of a tree's hashes."""

    def node(self, level: int, index: int) -> bytes:
        """The hash over the 2^level leaves that start at leaf `index`·2^level, all of them present."""
        ...


def leaf_hash(entry: bytes) -> bytes:
    """The hash of one entry, whatever its bytes (2.1.1): 32 bytes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two adjacent subtrees, of 32 bytes each (2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(nodes: Nodes, size: int) -> bytes:
    """The root over the first `size` leaves."""
    return range_hash(nodes, 0, size) if size else EMPTY_ROOT


def range_hash(nodes: Nodes, begin: int, count: int) -> bytes:
    """The hash over `count` leaves from `begin`, which is a multiple of the next power of two above `count`."""
    return _folded(nodes.node(level, index) for level, index in _whole_subtrees(begin, count))


def inclusion_proof(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """The hashes that lead from leaf `index` to the root over `size` leaves, the leaf's sibling first (2.1.3.1)."""
    return InclusionProofs(nodes, size).of(index)


class InclusionProofs:
    """Many proofs against one tree: shared hashes are computed once."""

    def __init__(self, nodes: Nodes, size: int) -> None:
        self._nodes, self._size = nodes, size
        self._known: dict[tuple[int, int], bytes] = {}
        self._above: dict[int, list[bytes]] = {}
        self._asked: Counter[int] = Counter()
        self._rows: dict[int, list[list[bytes]]] = {}

    def of(self, index: int) -> list[bytes]:
        """As `inclusion_proof`."""
        if not 0 <= index < self._size:
            raise ValueError("a leaf of the tree")
        block = index >> _BLOCK
        if block + 1 << _BLOCK > self._size:
            return self._path_to(index, 1)
        # The leaves of a whole block share the path from its root upwards.
        above = self._above.get(block)
        if above is None:
            above = self._above[block] = self._path_to(block << _BLOCK, 1 << _BLOCK)
        rows = self._rows.get(block) or self._rows_of(block)
        if rows is None:
            node = self._nodes.node
            return [node(level, index >> level ^ 1) for level in range(_BLOCK)] + above
        place = index - (block << _BLOCK)
        return [row[place >> level ^ 1] for level, row in enumerate(rows)] + above

    def _rows_of(self, block: int) -> list[list[bytes]] | None:
        """All hashes of the block, once enough of its leaves were requested that this is cheaper."""
        self._asked[block] += 1
        if self._asked[block] <= _ONE_BY_ONE:
            return None
        node = self._nodes.node
        rows = self._rows[block] = [
            [node(level, (block << _BLOCK - level) + at) for at in range(1 << _BLOCK - level)]
            for level in range(_BLOCK)
        ]
        return rows

    def _path_to(self, index: int, width: int) -> list[bytes]:
        """The sibling hashes from the subtree of `width` leaves at `index` up to the root, the lowest first."""
        begin, count, path = 0, self._size, list[bytes]()
        while count > width:
            left = _largest_power_below(count)
            if index - begin < left:
                path.append(self._over(begin + left, count - left))
                count = left
            else:
                path.append(self._over(begin, left))
                begin, count = begin + left, count - left
        path.reverse()
        return path

    def _over(self, begin: int, count: int) -> bytes:
        known = self._known.get((begin, count))
        if known is None:
            known = self._known[(begin, count)] = range_hash(self._nodes, begin, count)
        return known


def consistency_proof(nodes: Nodes, old: int, new: int) -> list[bytes]:
    """The hashes that prove the first `old` leaves unchanged in the tree of `new` leaves (2.1.4.1)."""
    if not 0 < old <= new:
        raise ValueError("a tree and a later one")
    begin, count, rest, path = 0, new, old, []
    while rest != count:
        left = _largest_power_below(count)
        if rest <= left:
            path.append(range_hash(nodes, begin + left, count - left))
            count = left
        else:
            path.append(range_hash(nodes, begin, left))
            begin, count, rest = begin + left, count - left, rest - left
    if begin:
        # The old tree's right edge; where the old tree is a whole left part, the verifier has its hash
        # already.
        path.append(range_hash(nodes, begin, count))
    path.reverse()
    return path


def is_included(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` leads from the leaf hash `leaf` at `index` to `root` over `size` leaves (2.1.3.2)."""
    if not 0 <= index < size or not _are_hashes((leaf, root, *proof)):
        return False
    inner, border = _lengths(index, size)
    if len(proof) != inner + border:
        return False
    found = leaf
    for height, sibling in enumerate(proof):
        is_right = height >= inner or bool(index >> height & 1)
        found = node_hash(sibling, found) if is_right else node_hash(found, sibling)
    return found == root


def is_consistent(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether `proof` proves that the tree of `new` leaves begins with the tree of `old` leaves (2.1.4.2).

    Every tree begins with the empty one, and no proof can show it: False for `old` 0.
    """
    if old == new > 0:
        return not proof and old_root == new_root
    if not 0 < old < new or not proof or not _are_hashes((old_root, new_root, *proof)):
        return False
    edge = (old & -old).bit_length() - 1  # the level of the last whole subtree of the old tree
    inner, border = _lengths(old - 1, new)
    inner -= edge
    seed, rest = (old_root, proof) if old == 1 << edge else (proof[0], proof[1:])
    if len(rest) != inner + border:
        return False
    index = (old - 1) >> edge
    in_old = in_new = seed
    for height, sibling in enumerate(rest):
        if height >= inner or index >> height & 1:
            in_old, in_new = node_hash(sibling, in_old), node_hash(sibling, in_new)
        else:
            in_new = node_hash(in_new, sibling)
    return in_old == old_root and in_new == new_root


def _lengths(index: int, size: int) -> tuple[int, int]:
    """How many proof steps may go either way, and how many above them always join from the left."""
    inner = (index ^ (size - 1)).bit_length()
    return inner, (index >> inner).bit_count()


def _whole_subtrees(begin: int, count: int) -> Iterator[tuple[int, int]]:
    """(level, index) of the complete subtrees that make up the range, the largest first."""
    for level in range(count.bit_length() - 1, -1, -1):
        if count >> level & 1:
            yield level, begin >> level
            begin += 1 << level


def _folded(subtrees: Iterable[bytes]) -> bytes:
    """The hash over adjacent complete subtrees, the largest first."""
    largest_last = list(subtrees)
    found = largest_last.pop()
    while largest_last:
        found = node_hash(largest_last.pop(), found)
    return found


def _largest_power_below(count: int) -> int:
    return 1 << (count - 1).bit_length() - 1


def _are_hashes(hashes: Sequence[bytes]) -> bool:
    return len(hashes) <= LONGEST_PROOF + 2 and all(len(each) == HASH_BYTES for each in hashes)


class Frontier:
    """The right edge of a growing tree: enough to append to it and to compute its root, in 64 hashes at most.

    `subtrees` are the complete subtrees from left to right, the largest first; `size` determines their
    levels.
    """

    __slots__ = ("size", "subtrees")

    def __init__(self, size: int = 0, subtrees: Iterable[bytes] = ()) -> None:
        self.size, self.subtrees = size, list(subtrees)
        if size < 0 or len(self.subtrees) != size.bit_count() or not _are_hashes(self.subtrees):
            raise ValueError("one hash for each bit of the size")

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        joined, size = leaf, self.size
        while size & 1:
            joined = node_hash(self.subtrees.pop(), joined)
            size >>= 1
        self.subtrees.append(joined)
        self.size += 1

    def root(self) -> bytes:
        """32 bytes; `EMPTY_ROOT` before the first leaf."""
        return _folded(self.subtrees) if self.subtrees else EMPTY_ROOT

    def to_bytes(self) -> bytes:
        """The subtrees one after the other, 32 bytes each."""
        return b"".join(self.subtrees)

    @classmethod
    def from_bytes(cls, size: int, encoded: bytes) -> Frontier:
        """Inverse of `to_bytes` for `size` leaves; ValueError where they do not match."""
        return cls(size, (encoded[at : at + HASH_BYTES] for at in range(0, len(encoded), HASH_BYTES)))


class LeafHashes:
    """A small tree with every leaf hash in memory; inner hashes are computed as it grows."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    def __len__(self) -> int:
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        self._levels[0].append(leaf)
        level = 0
        while len(self._levels[level]) % 2 == 0:
            row = self._levels[level]
            if level + 1 == len(self._levels):
                self._levels.append([])
            self._levels[level + 1].append(node_hash(row[-2], row[-1]))
            level += 1

    def node(self, level: int, index: int) -> bytes:
        return self._levels[level][index]
