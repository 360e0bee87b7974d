"""The successive keys of a log: how each was announced by its predecessor, and which checkpoints it vouches
for.

A log keeps its name when its key changes, and the next key has an id of its own (C2SP signed-note). A
replaced key signs one last checkpoint, of a tree that holds the entry naming the next. A stolen key announces
none, and its checkpoints count only where they are consistent with the log as it was before the theft.
"""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sceau_credentials.canonical import canonical_json
from sceau_credentials.errors import CredentialError, DocumentUnavailable, MalformedInput, ProofError
from sceau_credentials.evidence.commitments import Opening
from sceau_credentials.evidence.documents import Evidence, LoggedEntry
from sceau_credentials.transparency_log.checkpoints import EntryProof, TreeHead
from sceau_credentials.transparency_log.notes import Note, NoteKey, SignatureType, decoded_hashes
from sceau_credentials.transparency_log.tiles import ReadTile, TiledTree, tiles_read
from sceau_credentials.transparency_log.tree import consistency_proof, is_consistent
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object
from sceau_credentials.values.timestamps import format_timestamp, parse_timestamp

TYPE: Final = "ActivityLogKeys"
FILE: Final = "keys"
MOST_KEYS: Final = 200
_TERM: Final = {"key", "state", "from"}
_NOT_THERE: Final = ("not_found", "not_in_package")


class LogKeyState(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"
    """May have been compromised since `ended`."""


@dataclass(frozen=True)
class Announcement:
    """The entry that names a key, in a tree signed by its predecessor."""

    entry: LoggedEntry
    opening: Opening
    checkpoint: Note

    @property
    def head(self) -> TreeHead:
        return TreeHead.from_text(self.checkpoint.text)

    def names(self, following: NoteKey, *, signed_by: NoteKey) -> bool:
        """Whether `signed_by` announced `following` as its successor; faults in it give False."""
        try:
            head = self.head
            signed = self.checkpoint.signed_by([signed_by])
            said = self.opening.checked(self.entry.leaf.commitment)
        except (MalformedInput, ProofError):
            return False
        return (
            bool(signed)
            and head.origin == signed_by.name == following.name
            and self.entry.is_in(head)
            and (said.get("purpose"), said.get("state")) == ("activity_log", "active")
            and said.get("thumbprint") == following.public.thumbprint()
        )

    def to_document(self) -> JsonObject:
        entry = parse_json_object(self.entry.to_bytes(self.opening))
        return {"entry": entry, "checkpoint": self.checkpoint.to_text()}

    @classmethod
    def from_document(cls, document: Any, pointer: str) -> Announcement:
        entry = document.get("entry") if isinstance(document, dict) else None
        if not isinstance(entry, dict) or not isinstance(document.get("checkpoint"), str):
            raise MalformedInput("malformed_log_keys", pointer)
        rest = {name: value for name, value in entry.items() if name != "opening"}
        return cls(
            LoggedEntry.from_document(rest, f"{pointer}/entry"),
            Opening.from_document(entry.get("opening")),
            Note.from_text(document["checkpoint"]),
        )


@dataclass(frozen=True)
class LogKeyTerm:
    """A key of the log with its period; `last` is the largest tree that it vouches for, where that is known."""

    key: NoteKey
    state: LogKeyState
    since: datetime
    ended: datetime | None = None
    last: TreeHead | None = None
    announcement: Announcement | None = None

    def vouches_for(self, head: TreeHead, read: ReadTile) -> bool:
        """Whether a checkpoint that this key signed counts.

        A checkpoint of a former key counts where it is a prefix of the last tree that the key vouches for,
        which the log's files prove. So earlier checkpoints stay valid, and nothing a thief signs becomes
        valid, whether or not the theft is known. Of a key replaced without known theft, the files may be
        missing.
        """
        gave_way = self.state is LogKeyState.RETIRED
        if self.state is LogKeyState.ACTIVE or (gave_way and self.last is None):
            return True
        if self.last is None or not 0 < head.size <= self.last.size:
            return False
        try:
            return self._began_as(head, self.last, read)
        except DocumentUnavailable as error:
            if gave_way and error.reason in _NOT_THERE:
                return True
            raise

    @staticmethod
    def _began_as(head: TreeHead, last: TreeHead, read: ReadTile) -> bool:
        proof = consistency_proof(TiledTree(read, last.size), head.size, last.size)
        return is_consistent(head.size, last.size, proof, head.root, last.root)

    def to_document(self) -> JsonObject:
        told: JsonObject = {
            "key": self.key.to_vkey(),
            "state": self.state.value,
            "from": format_timestamp(self.since),
        }
        if self.ended is not None:
            told["ended"] = format_timestamp(self.ended)
        if self.last is not None:
            told["last"] = {"size": self.last.size, "root": base64.b64encode(self.last.root).decode()}
        if self.announcement is not None:
            told["announcement"] = self.announcement.to_document()
        return told

    @classmethod
    def from_document(cls, document: Any, origin: str, pointer: str) -> LogKeyTerm:
        if not isinstance(document, dict) or not document.keys() >= _TERM:
            raise MalformedInput("malformed_log_keys", pointer)
        if document["state"] not in set(LogKeyState) or not isinstance(document["key"], str):
            raise MalformedInput("malformed_log_keys", pointer)
        key = NoteKey.from_vkey(document["key"])
        if key.name != origin:
            raise MalformedInput("malformed_log_keys", f"{pointer}/key", "of another log")
        ended, announced = document.get("ended"), document.get("announcement")
        return cls(
            key,
            LogKeyState(document["state"]),
            parse_timestamp(document["from"]),
            None if ended is None else parse_timestamp(ended),
            _last(document.get("last"), origin, f"{pointer}/last"),
            None if announced is None else Announcement.from_document(announced, f"{pointer}/announcement"),
        )


def _last(document: Any, origin: str, pointer: str) -> TreeHead | None:
    if document is None:
        return None
    size, root = (document.get(name) for name in ("size", "root")) if isinstance(document, dict) else (0, 0)
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(root, str):
        raise MalformedInput("malformed_log_keys", pointer)
    return TreeHead(origin, size, *decoded_hashes([root]))


@dataclass(frozen=True)
class LogKeys:
    """All keys of one log, oldest first."""

    origin: str
    terms: Sequence[LogKeyTerm]

    def to_bytes(self) -> bytes:
        keys = [each.to_document() for each in self.terms]
        return canonical_json({"type": TYPE, "origin": self.origin, "keys": [*keys]})

    @classmethod
    def from_bytes(cls, encoded: bytes) -> LogKeys:
        """Inverse of `to_bytes`; MalformedInput for anything else."""
        document = parse_json_object(encoded)
        origin, keys = document.get("origin"), document.get("keys")
        if document.get("type") != TYPE or not isinstance(origin, str):
            raise MalformedInput("malformed_log_keys")
        if not isinstance(keys, list) or len(keys) > MOST_KEYS:
            raise MalformedInput("malformed_log_keys", "/keys")
        return cls(
            origin,
            tuple(LogKeyTerm.from_document(each, origin, f"/keys/{at}") for at, each in enumerate(keys)),
        )

    def signed(self, note: Note) -> LogKeyTerm | None:
        """The newest of these keys that signed the note."""
        return next((each for each in reversed(self.terms) if note.signed_by([each.key])), None)

    def announced_after(self, key: NoteKey) -> Iterable[LogKeyTerm]:
        """The successors of `key`, as far as each was announced by its predecessor."""
        found = [at for at, each in enumerate(self.terms) if each.key == key]
        for term in self.terms[found[0] + 1 :] if found else ():
            if term.announcement is None or not term.announcement.names(term.key, signed_by=key):
                return
            yield term
            key = term.key


def log_key_of(checkpoint: Note, documents: DocumentSource) -> NoteKey:
    """The log's key that validly signed this checkpoint: the present one or a former one.

    The log's own URL lists its keys. ProofError where the key was stolen and the checkpoint is not known to
    precede that; DocumentUnavailable where the log does not answer. The present key where none of them
    signed.
    """
    head = TreeHead.from_text(checkpoint.text)
    place = f"https://{head.origin}/"
    current = NoteKey.from_vkey(documents.fetch(f"{place}key", accept="text/plain").body.decode("ascii"))
    if checkpoint.signed_by([current]):
        return current
    try:
        keys = LogKeys.from_bytes(documents.fetch(place + FILE).body)
    except DocumentUnavailable as error:
        if error.reason in _NOT_THERE:
            return current
        raise
    term = keys.signed(checkpoint) if keys.origin == head.origin else None
    if term is None:
        return current
    read = tiles_read(lambda path: documents.fetch(place + path, accept="application/octet-stream").body)
    if not _vouches(term, head, read):
        raise ProofError("checkpoint_of_a_stolen_key")
    return term.key


def _vouches(term: LogKeyTerm, head: TreeHead, read: ReadTile) -> bool:
    try:
        return term.vouches_for(head, read)
    except DocumentUnavailable:
        raise
    except CredentialError:
        return False


WITNESS_TYPE: Final = "ActivityLogWitnesses"
WITNESSES: Final = "/temoins"
"""Suffix of the document's URL where witnesses are served: separate, since they sign later."""
MOST_WITNESSES: Final = 16
_LONGEST_NAME: Final = 200


@dataclass(frozen=True)
class Witnessed:
    """`name` is the campus's name for the witness, `at` the time at which it attests to the award in the log."""

    name: str
    at: datetime


def witnesses_document(digest: str, seen: Sequence[tuple[str, NoteKey, EntryProof]]) -> bytes:
    """Per witness: its display name, its key, and the proof that the decision is in the tree that it signed."""
    witnesses: list[JsonValue] = [
        {"name": name, "key": key.to_vkey(), "proof": proof.to_text()} for name, key, proof in seen
    ]
    return canonical_json({"type": WITNESS_TYPE, "evidence": digest, "witnesses": witnesses})


def witnessed(
    encoded: bytes,
    evidence: Evidence,
    *,
    digest: str,
    documents: DocumentSource,
    known: Collection[str] | None = None,
) -> list[Witnessed]:
    """The witnesses with a valid proof, earliest first; invalid ones prove nothing and are omitted.

    `known`: verifier keys; where given, no other witness counts.

    MalformedInput where it is not a witnesses document, or belongs to other evidence.
    """
    document = parse_json_object(encoded)
    listed = document.get("witnesses")
    if (
        document.get("type") != WITNESS_TYPE
        or document.get("evidence") != digest
        or not isinstance(listed, list)
    ):
        raise MalformedInput("malformed_witnesses")
    found: dict[str, Witnessed] = {}
    for each in listed[:MOST_WITNESSES]:
        try:
            key, seen = _checked(each, evidence, documents)
        except CredentialError:
            continue
        if seen is not None and (known is None or key in known):
            found.setdefault(key, seen)
    return sorted(found.values(), key=lambda one: (one.at, one.name))


def _checked(document: Any, evidence: Evidence, documents: DocumentSource) -> tuple[str, Witnessed | None]:
    name, vkey, text = (
        document.get(member) if isinstance(document, dict) else None for member in ("name", "key", "proof")
    )
    if not isinstance(name, str) or not isinstance(vkey, str) or not isinstance(text, str):
        raise MalformedInput("malformed_witnesses")
    key, proof = NoteKey.from_vkey(vkey), EntryProof.from_text(text)
    decision = evidence.decision
    in_the_log = (
        proof.head.origin == evidence.head.origin
        and proof.index == decision.index
        and proof.holds_for(decision.leaf.hash())
    )
    if not in_the_log or key.type is not SignatureType.COSIGNATURE:
        return vkey, None
    log = log_key_of(proof.checkpoint, documents)
    signed = {each.key: each.at for each in proof.checkpoint.signed_by([log, key])}
    at = signed.get(key)
    return vkey, Witnessed(name[:_LONGEST_NAME], at) if log in signed and at is not None else None
