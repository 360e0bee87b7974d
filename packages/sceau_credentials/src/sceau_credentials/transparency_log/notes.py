"""Signed notes: text, an empty line, and one line for each signature (C2SP signed-note, tlog-cosignature)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from functools import lru_cache
from typing import Final

from sceau_credentials.errors import MalformedInput, ProofError, UnusableKey
from sceau_credentials.keys import Algorithm, LocalSigningKey, SigningKey, VerificationKey, encode_multibase

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
    """A witness's statement that at `at` this was the largest tree it had seen, consistent with all others."""
    seconds = int(at.timestamp())
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
