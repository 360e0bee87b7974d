"""Signed notes: text, an empty line, and one line for each signature (C2SP signed-note, tlog-cosignature)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import Final, Protocol

from sceau_credentials.errors import MalformedInput, ProofError, UnusableKey
from sceau_credentials.keys import Algorithm, LocalSigningKey, SigningKey, VerificationKey, encode_multibase
from sceau_credentials.values import check_aware

LONGEST_NOTE: Final = 64 * 1024
_HASH_LINE: Final = 44
"""Characters of a SHA-256 hash in base64."""
MOST_SIGNATURES: Final = 64  # the specification asks for 16 at least
_NAME = re.compile(r"[^\s+]+")
_SIGNATURE_LINE = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_LATEST: Final = 2**63 - 1


class SignatureType(IntEnum):
    """How a line signs the text; the byte is part of the key's id."""

    ED25519 = 0x01
    COSIGNATURE = 0x04


@dataclass(frozen=True)
class NoteKey:
    """A signer to search for: a name, a public Ed25519 key, and a signature type."""

    name: str
    public: VerificationKey
    type: SignatureType = SignatureType.ED25519

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("a key's name has no spaces and no plus sign")
        if self.public.algorithm is not Algorithm.EDDSA:
            raise UnusableKey("unsupported_key", "notes are signed with Ed25519")

    @property
    def id(self) -> bytes:
        """Four bytes."""
        named = self.name.encode() + b"\n" + bytes([self.type]) + self.public.encoded
        return hashlib.sha256(named).digest()[:4]

    def to_vkey(self) -> str:
        """The key in the one-line format that other tools are configured with: name+id+key."""
        encoded = base64.b64encode(bytes([self.type]) + self.public.encoded).decode()
        return f"{self.name}+{self.id.hex()}+{encoded}"

    @classmethod
    def from_vkey(cls, text: str) -> NoteKey:
        """Inverse of `to_vkey`; MalformedInput `malformed_vkey`, UnusableKey for a weak key."""
        name, _, rest = text.strip().partition("+")
        key_id, _, encoded = rest.partition("+")
        material = _decoded(encoded)
        if not _NAME.fullmatch(name) or len(material) != 33 or material[0] not in set(SignatureType):
            raise MalformedInput("malformed_vkey")
        public = VerificationKey.from_multikey(encode_multibase(b"\xed\x01" + material[1:], "z"))
        key = cls(name, public, SignatureType(material[0]))
        if key.id.hex() != key_id.lower():
            raise MalformedInput("malformed_vkey", "", "its id is not that of the key")
        return key


_PRIVATE: Final = "PRIVATE+KEY+"


@dataclass(frozen=True)
class WitnessKey:
    """The private key of a witness (a seed of 32 bytes), and the name under which it cosigns."""

    name: str
    seed: bytes = field(repr=False)

    @property
    def key(self) -> SigningKey:
        return LocalSigningKey.from_seed(self.seed)

    @property
    def public(self) -> NoteKey:
        return NoteKey(self.name, self.key.public, SignatureType.COSIGNATURE)

    def to_skey(self) -> str:
        """The one-line format in which other tools store such a key; a secret."""
        material = base64.b64encode(bytes([SignatureType.COSIGNATURE]) + self.seed).decode()
        return f"{_PRIVATE}{self.name}+{self.public.id.hex()}+{material}"

    @classmethod
    def from_skey(cls, text: str) -> WitnessKey:
        line = text.strip()
        name, _, rest = line.removeprefix(_PRIVATE).partition("+")
        key_id, _, encoded = rest.partition("+")
        material = _decoded(encoded)
        if not line.startswith(_PRIVATE) or len(material) != 33 or material[0] != SignatureType.COSIGNATURE:
            raise MalformedInput("malformed_skey")
        if not _NAME.fullmatch(name):
            raise MalformedInput("malformed_skey")
        witness = cls(name, material[1:])
        if witness.public.id.hex() != key_id.lower():
            raise MalformedInput("malformed_skey", "", "its id is not that of the key")
        return witness


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: `key_id` has 4 bytes, `signature` 64, or 72 with a witness's time before it."""

    name: str
    key_id: bytes
    signature: bytes

    def to_line(self) -> str:
        return f"\u2014 {self.name} {base64.b64encode(self.key_id + self.signature).decode()}\n"


@dataclass(frozen=True)
class Note:
    """`text` ends in a newline. Trust it only after `signed_by` returned a trusted key."""

    text: str
    signatures: tuple[NoteSignature, ...] = ()

    @classmethod
    def from_text(cls, note: str) -> Note:
        """Read a signed note; MalformedInput for a format error."""
        return _note(note)

    @classmethod
    def _read(cls, note: str) -> Note:
        if len(note) > LONGEST_NOTE or any(sign < " " and sign != "\n" for sign in note):
            raise MalformedInput("malformed_note")
        text, found, lines = note.rpartition("\n\n")
        if not found or not text or not lines.endswith("\n"):
            raise MalformedInput("malformed_note")
        signatures = signatures_in(lines)
        if not signatures:
            raise MalformedInput("malformed_note", "", "no signature")
        return cls(text + "\n", signatures)

    def to_text(self) -> str:
        return self.text + "\n" + "".join(each.to_line() for each in self.signatures)

    def signed_by(self, keys: Iterable[NoteKey]) -> list[Signed]:
        """The keys among these that signed the text. ProofError for an invalid signature by one of them."""
        known = {(key.name, key.id): key for key in keys}
        found = []
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is not None:
                found.append(Signed(key, _checked(key, signature.signature, self.text)))
        return found

    def with_signatures(self, more: Iterable[NoteSignature]) -> Note:
        """The same text with more lines; duplicates are not added."""
        return Note(self.text, tuple(dict.fromkeys((*self.signatures, *more))))


@lru_cache(maxsize=64)
def _note(note: str) -> Note:
    """Cached: one checkpoint proves thousands of awards. Failures are not."""
    return Note._read(note)


@dataclass(frozen=True)
class Signed:
    """`at` is when a witness attests that it saw the text; other signatures carry no time."""

    key: NoteKey
    at: datetime | None = None


def signatures_in(lines: str) -> tuple[NoteSignature, ...]:
    """Read signature lines, each ended by a newline."""
    read: list[NoteSignature] = []
    for line in lines.split("\n")[:-1]:
        found = _SIGNATURE_LINE.fullmatch(line)
        encoded = _decoded(found[2]) if found else b""
        if found is None or len(encoded) <= 4 or len(read) == MOST_SIGNATURES:
            raise MalformedInput("malformed_note", "", "a signature line")
        read.append(NoteSignature(found[1], encoded[:4], encoded[4:]))
    return tuple(read)


def sign(text: str, name: str, key: SigningKey) -> NoteSignature:
    """A plain Ed25519 signature over the whole text."""
    return NoteSignature(name, NoteKey(name, key.public).id, key.sign(text.encode()))


def cosign(text: str, name: str, key: SigningKey, *, at: datetime) -> NoteSignature:
    """A witness's statement that at `at` this was the largest tree it had seen, consistent with all others.

    `at` must be timezone-aware and not before 1970, else ValueError.
    """
    check_aware(at)
    seconds = int(at.timestamp())
    if seconds < 0:
        raise ValueError("`at` must not be before 1970")
    signature = struct.pack(">Q", seconds) + key.sign(_cosigned(text, seconds))
    return NoteSignature(name, NoteKey(name, key.public, SignatureType.COSIGNATURE).id, signature)


@lru_cache(maxsize=64)
def _checked(key: NoteKey, signature: bytes, text: str) -> datetime | None:
    if key.type is SignatureType.ED25519:
        if not key.public.verify(signature, text.encode()):
            raise ProofError("bad_note_signature", key.name)
        return None
    if len(signature) != 72:
        raise ProofError("bad_note_signature", key.name)
    (seconds,) = struct.unpack_from(">Q", signature)
    if seconds > _LATEST or not key.public.verify(signature[8:], _cosigned(text, seconds)):
        raise ProofError("bad_note_signature", key.name)
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        raise ProofError("bad_note_signature", key.name) from None


def _cosigned(text: str, seconds: int) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _decoded(encoded: str) -> bytes:
    try:
        decoded = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
    # One spelling for one value: only the canonical base64 is accepted.
    return decoded if base64.b64encode(decoded).decode() == encoded else b""


def decoded_hashes(lines: Sequence[str]) -> list[bytes]:
    """One SHA-256 hash in base64 on each line."""
    hashes = [_decoded_hash(line) for line in lines]
    if any(len(each) != 32 for each in hashes):
        raise MalformedInput("malformed_hash")
    return hashes


@lru_cache(maxsize=4_096)
def _decoded_hash(line: str) -> bytes:
    """Cached for hashes near the root, which every proof against one checkpoint ends with."""
    return _decoded(line) if len(line) <= _HASH_LINE else b""


# --- The Merkle tree of RFC 9162, section 2.1: hashes, roots, and the making and checking of proofs

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
    """The root over the first `size` leaves; ValueError for a negative number of them."""
    if size < 0:
        raise ValueError("a number of leaves")
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


# --- Checkpoints: a log's signed state; and one entry's proof against it (C2SP tlog-checkpoint, tlog-proof)

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_LEAST_TOO_LONG: Final = 10**19
_PROOF: Final = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True)
class TreeHead:
    """`origin` names the log, such as `badges.example/campus/itip/journal`."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """The signed text: three lines; ValueError where `from_text` would not read them back."""
        is_line = bool(self.origin) and "\n" not in self.origin
        if not (is_line and 0 <= self.size < _LEAST_TOO_LONG and len(self.root) == HASH_BYTES):
            raise ValueError("an origin of one line, a number of leaves, and a hash")
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
