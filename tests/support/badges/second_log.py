"""An independent implementation of transparency logs after RFC 9162 and C2SP. It imports nothing from the application.

Proofs are made and checked with the recursive definitions of RFC 9162, section 2.1; the application iterates from
the leaf upwards.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def leaf(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def parent(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(count: int) -> int:
    """The largest power of two smaller than n."""
    power = 1
    while power < count - power:
        power += power
    return power


def root(leaves: Sequence[bytes]) -> bytes:
    """MTH over leaf hashes."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    at = split(len(leaves))
    return parent(root(leaves[:at]), root(leaves[at:]))


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D_n)."""
    if len(leaves) == 1:
        return []
    at = split(len(leaves))
    if index < at:
        return [*path(index, leaves[:at]), root(leaves[at:])]
    return [*path(index - at, leaves[at:]), root(leaves[:at])]


def consistency(old: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D_n)."""
    return [] if old in (0, len(leaves)) else _subproof(old, leaves, whole=True)


def _subproof(old: int, leaves: Sequence[bytes], *, whole: bool) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    at = split(len(leaves))
    if old <= at:
        return [*_subproof(old, leaves[:at], whole=whole), root(leaves[at:])]
    return [*_subproof(old - at, leaves[at:], whole=False), root(leaves[:at])]


def leads_to(found: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes) -> bool:
    """Whether the inclusion proof is valid; evaluates PATH from its last hash."""
    if not 0 <= index < size or {32} != {len(each) for each in (found, expected, *proof)}:
        return False
    try:
        return _climbed(found, index, size, list(proof)) == expected
    except ValueError:
        return False


def _climbed(found: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    if size == 1:
        if proof:
            raise ValueError("hashes left over")
        return found
    if not proof:
        raise ValueError("hashes missing")
    at, sibling = split(size), proof[-1]
    if index < at:
        return parent(_climbed(found, index, at, proof[:-1]), sibling)
    return parent(sibling, _climbed(found, index - at, size - at, proof[:-1]))


def grew(old: int, new: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes) -> bool:
    """Whether the consistency proof is valid; evaluates SUBPROOF for both roots."""
    if not 0 <= old <= new or any(len(each) != 32 for each in proof):
        return False
    if old == new:
        wrong_root = old == 0 and old_root != hashlib.sha256().digest()
        return not proof and old_root == new_root and not wrong_root
    if old == 0:  # the standard defines no proof from an empty tree
        return False
    try:
        return _both(old, new, list(proof), old_root, whole=True) == (old_root, new_root)
    except ValueError:
        return False


def _both(old: int, new: int, proof: list[bytes], old_root: bytes, *, whole: bool) -> tuple[bytes, bytes]:
    if old == new:
        if whole:
            if proof:
                raise ValueError("hashes left over")
            return old_root, old_root
        if len(proof) != 1:
            raise ValueError("one hash expected")
        return proof[0], proof[0]
    if not proof:
        raise ValueError("hashes missing")
    at, sibling = split(new), proof[-1]
    if old <= at:
        before, after = _both(old, at, proof[:-1], old_root, whole=whole)
        return before, parent(after, sibling)
    before, after = _both(old - at, new - at, proof[:-1], old_root, whole=False)
    return parent(sibling, before), parent(sibling, after)


# --- tiles (C2SP tlog-tiles)


def tile_path(level: int | str, index: int, width: int = 256) -> str:
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.insert(0, f"x{index % 1000:03}")
    return f"tile/{level}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def leaves_of(read: Callable[[str], bytes], size: int) -> list[bytes]:
    """All leaf hashes of the log, from its tiles of level 0; checks that higher tiles agree."""
    hashes: list[bytes] = []
    for index in range((size + 255) // 256):
        width = min(256, size - 256 * index)
        hashes += _in_32s(read(tile_path(0, index, width)), width)
    level, below = 1, hashes
    while len(below) >= 256:
        above = [root(below[at : at + 256]) for at in range(0, len(below) - 255, 256)]
        for index in range((len(above) + 255) // 256):
            part = above[256 * index : 256 * index + 256]
            if _in_32s(read(tile_path(level, index, len(part))), len(part)) != part:
                raise ValueError(f"tile {index} of level {level} differs")
        level, below = level + 1, above
    return hashes


def entries_of(read: Callable[[str], bytes], size: int) -> list[bytes]:
    entries: list[bytes] = []
    for index in range((size + 255) // 256):
        bundle, at = read(tile_path("entries", index, min(256, size - 256 * index))), 0
        while at < len(bundle):
            (length,) = struct.unpack_from(">H", bundle, at)
            entries.append(bundle[at + 2 : at + 2 + length])
            at += 2 + length
    return entries


def _in_32s(data: bytes, count: int) -> list[bytes]:
    if len(data) != 32 * count:
        raise ValueError("a tile of another width")
    return [data[at : at + 32] for at in range(0, len(data), 32)]


# --- checkpoints and cosignatures (C2SP signed-note, tlog-checkpoint, tlog-cosignature)


def opened(note: str, *vkeys: str) -> tuple[str, int, bytes, list[tuple[str, int | None]]]:
    """Origin, size and root of a checkpoint, and those of `vkeys` that signed it (witnesses with their timestamp)."""
    text, _, lines = note.partition("\n\n")
    text += "\n"
    keys = [_key(each) for each in vkeys]
    signers: list[tuple[str, int | None]] = []
    for line in lines.splitlines():
        dash, name, encoded = line.split(" ")
        if dash != "\u2014":
            raise ValueError("not a signature line")
        raw = base64.b64decode(encoded, validate=True)
        for known, identifier, kind, public in keys:
            if (name, raw[:4]) == (known, identifier):
                signers.append((name, _time_of(kind, public, raw[4:], text)))
    origin, size, encoded_root = text.splitlines()[:3]
    return origin, int(size), base64.b64decode(encoded_root, validate=True), signers


def _key(vkey: str) -> tuple[str, bytes, int, Ed25519PublicKey]:
    name, identifier, encoded = vkey.split("+", 2)
    raw = base64.b64decode(encoded, validate=True)
    if hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4].hex() != identifier:
        raise ValueError("the id is not that of the key")
    return name, bytes.fromhex(identifier), raw[0], Ed25519PublicKey.from_public_bytes(raw[1:])


def _time_of(kind: int, public: Ed25519PublicKey, signature: bytes, text: str) -> int | None:
    try:
        if kind == 1:
            public.verify(signature, text.encode())
            return None
        (at,) = struct.unpack(">Q", signature[:8])
        public.verify(signature[8:], f"cosignature/v1\ntime {at}\n{text}".encode())
        return int(at)
    except InvalidSignature:
        raise ValueError("a signature that does not hold") from None
