"""The evidence document of an award: the log entries it rests on, and the proof that they were logged before
it.

Written once, when the award is decided; the credential contains its digest. It holds commitments only; the
fields the learner discloses are in a separate document, the disclosure, which may change at any time.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sceau_credentials.canonical import canonical_json
from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import decode_base64url, encode_base64url, encode_multibase
from sceau_credentials.transparency_log.notes import (
    LONGEST_PROOF,
    Note,
    NoteKey,
    TreeHead,
    decoded_hashes,
    is_included,
    leaf_hash,
)
from sceau_credentials.values import JsonObject, JsonValue, format_timestamp, parse_json_object

# --- Commitments to the content of a log entry: hiding, and each field can be opened separately later
#
# An entry has a random key of 32 bytes. From it are derived one key per field, under which the field's value is
# committed to (HMAC-SHA256), and one key for the entry, under which all those commitments are committed to
# again: that last value is in the log. Given a field with its key, and the other fields' commitments, a reader
# can check the field and learns nothing of the others. Once payload and key are erased, the entry can neither
# be read nor guessed.

KEY_BYTES: Final = 32
MOST_FIELDS: Final = 32
_NAME = re.compile(r"[a-zA-Z]{1,40}")


def commit(payload: Mapping[str, JsonValue], key: bytes) -> bytes:
    """The 32 bytes that the log stores for `payload`, under the entry's own random `key`."""
    return open_entry(payload, key, payload).commitment


@dataclass(frozen=True)
class Opening:
    """The disclosed fields of one entry.

    `commitments` has every field, so their number is known; `values` and `keys` have those disclosed.
    """

    entry_key: bytes
    commitments: Mapping[str, bytes]
    values: Mapping[str, JsonValue]
    keys: Mapping[str, bytes]

    @property
    def commitment(self) -> bytes:
        """The 32 bytes that the log holds, if this opens one of its entries."""
        return _entry_commitment(self.commitments, self.entry_key)

    def checked(self, commitment: bytes) -> Mapping[str, JsonValue]:
        """The disclosed values if the log commits to them; otherwise ProofError."""
        if not hmac.compare_digest(self.commitment, commitment):
            raise ProofError("opening_does_not_fit")
        for name, value in self.values.items():
            expected = self.commitments.get(name, b"")
            if not hmac.compare_digest(_field_commitment(self.keys[name], value), expected):
                raise ProofError("opening_does_not_fit", name)
        return self.values

    def to_document(self) -> JsonObject:
        fields: JsonObject = {}
        for name, commitment in self.commitments.items():
            field: JsonObject = {"commitment": encode_base64url(commitment)}
            if name in self.values:
                field |= {"value": self.values[name], "key": encode_base64url(self.keys[name])}
            fields[name] = field
        return {"key": encode_base64url(self.entry_key), "fields": fields}

    def to_bytes(self) -> bytes:
        """The canonical JSON of `to_document`."""
        # Names are ASCII letters and all but values is base64url: there is only one serialisation.
        fields = []
        for name in sorted(self.commitments):
            field = f'"{name}":{{"commitment":"{encode_base64url(self.commitments[name])}"'.encode()
            if name in self.values:
                key = encode_base64url(self.keys[name]).encode()
                field += b',"key":"%s","value":%s' % (key, canonical_json(self.values[name]))
            fields.append(field + b"}")
        entry_key = encode_base64url(self.entry_key).encode()
        return b'{"fields":{%s},"key":"%s"}' % (b",".join(fields), entry_key)

    @classmethod
    def from_document(cls, document: Any) -> Opening:
        """Inverse of `to_document`; MalformedInput for anything else."""
        if not isinstance(document, dict) or document.keys() != {"key", "fields"}:
            raise MalformedInput("malformed_opening")
        fields = document["fields"]
        if not isinstance(fields, dict) or not 0 < len(fields) <= MOST_FIELDS:
            raise MalformedInput("malformed_opening", "/fields")
        commitments, values, keys = {}, {}, {}
        for name, field in fields.items():
            pointer = f"/fields/{name}"
            if not _NAME.fullmatch(name) or not isinstance(field, dict):
                raise MalformedInput("malformed_opening", pointer)
            if field.keys() not in ({"commitment"}, {"commitment", "value", "key"}):
                raise MalformedInput("malformed_opening", pointer)
            commitments[name] = _decoded(field["commitment"], pointer)
            if "value" in field:
                values[name], keys[name] = field["value"], _decoded(field["key"], pointer)
        return cls(_decoded(document["key"], "/key"), commitments, values, keys)


def open_entry(payload: Mapping[str, JsonValue], key: bytes, shown: Collection[str]) -> Opening:
    """Disclose the fields in `shown`; of the others only that they exist."""
    unknown = set(shown) - payload.keys()
    if unknown:
        raise ValueError(f"no such fields: {sorted(unknown)}")
    if len(key) != KEY_BYTES or not 0 < len(payload) <= MOST_FIELDS or not all(map(_NAME.fullmatch, payload)):
        raise ValueError(f"a key of {KEY_BYTES} bytes, and 1 to {MOST_FIELDS} fields with plain names")
    keys = {name: _field_key(key, name) for name in sorted(payload)}
    return Opening(
        _entry_key(key),
        {name: _field_commitment(field_key, payload[name]) for name, field_key in keys.items()},
        {name: payload[name] for name in sorted(shown)},
        {name: keys[name] for name in sorted(shown)},
    )


def _entry_key(key: bytes) -> bytes:
    return hmac.digest(key, b"entry", "sha256")


def _field_key(key: bytes, name: str) -> bytes:
    return hmac.digest(key, b"field " + name.encode(), "sha256")


def _field_commitment(field_key: bytes, value: JsonValue) -> bytes:
    return hmac.digest(field_key, canonical_json(value), "sha256")


def _entry_commitment(commitments: Mapping[str, bytes], entry_key: bytes) -> bytes:
    # Names are ASCII letters and values have one length: sorted lines are as unambiguous as JSON, and
    # cheaper.
    lines = b"".join(name.encode() + b" " + commitments[name] + b"\n" for name in sorted(commitments))
    return hmac.digest(entry_key, lines, "sha256")


def _decoded(text: Any, pointer: str) -> bytes:
    """32 bytes in base64url without padding."""
    if not isinstance(text, str) or len(text) != 43:
        raise MalformedInput("malformed_opening", pointer)
    return decode_base64url(text)


VERSION: Final = 1
_KIND = re.compile(r"[a-z]{1,32}")
# Without 24:00, which some versions of Python read as the next day.
_MINUTE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]Z")


@dataclass(frozen=True, slots=True)
class Leaf:
    """`at` is truncated to the minute; `commitment` has 32 bytes (see commitments.py)."""

    kind: str
    at: datetime
    commitment: bytes

    def to_bytes(self) -> bytes:
        """The log entry as canonical JSON, which an entry bundle serves and the tree hashes."""
        # Every member has only one JSON spelling, so this is already RFC 8785.
        return (
            f'{{"at":"{self._minute()}","commitment":"{encode_base64url(self.commitment)}",'
            f'"kind":"{self.kind}","v":{VERSION}}}'
        ).encode()

    def hash(self) -> bytes:
        return leaf_hash(self.to_bytes())

    def to_document(self) -> JsonObject:
        return {
            "at": self._minute(),
            "commitment": encode_base64url(self.commitment),
            "kind": self.kind,
            "v": VERSION,
        }

    @classmethod
    def from_document(cls, document: Any) -> Leaf:
        """Inverse of `to_bytes`; MalformedInput for anything else."""
        if not isinstance(document, dict) or document.keys() != {"at", "commitment", "kind", "v"}:
            raise MalformedInput("malformed_leaf")
        at, kind, commitment = document["at"], document["kind"], document["commitment"]
        if (
            document["v"] != VERSION
            or isinstance(document["v"], bool)
            or not (isinstance(at, str) and _MINUTE.fullmatch(at))
            or not (isinstance(kind, str) and _KIND.fullmatch(kind))
            or not (isinstance(commitment, str) and len(commitment) == 43)
        ):
            raise MalformedInput("malformed_leaf")
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise MalformedInput("malformed_leaf", "/at") from None
        return cls(kind, moment, decode_base64url(commitment))

    def _minute(self) -> str:
        return _written_minute(self.at)


@lru_cache(maxsize=256)
def _written_minute(at: datetime) -> str:
    """Cached: the leaves of a bulk award share few minutes."""
    return f"{format_timestamp(at)[:16]}Z"


# --- documents

MEDIA_TYPE: Final = "application/json"
TYPE: Final = "ActivityLogEvidence"
DISCLOSURE: Final = "ActivityLogDisclosure"
MOST_ENTRIES: Final = 1_000
_MEMBERS: Final = {"@context", "id", "type", "award", "checkpoint", "decision", "entries"}


@lru_cache(maxsize=4_096)
def _written_hash(hash_: bytes) -> bytes:
    """Cached for hashes near the root, which every proof against one checkpoint ends with."""
    return b'"%s"' % base64.b64encode(hash_)


@lru_cache(maxsize=16)
def _written_note(note: Note) -> bytes:
    """Cached for a checkpoint that proves a whole bulk award."""
    return canonical_json(note.to_text())


@dataclass(frozen=True)
class LoggedEntry:
    """One entry of the log: its index, its content, and the hashes that lead to the root."""

    index: int
    leaf: Leaf
    hashes: Sequence[bytes]

    def is_in(self, head: TreeHead) -> bool:
        return is_included(self.leaf.hash(), self.index, head.size, self.hashes, head.root)

    def to_bytes(self, opening: Opening | None = None) -> bytes:
        """Its canonical JSON, with the disclosed fields if any."""
        shown = b"" if opening is None else b'"opening":%s,' % opening.to_bytes()
        proof = b",".join(map(_written_hash, self.hashes))
        return b'{"index":%d,"leaf":%s,%s"proof":[%s]}' % (self.index, self.leaf.to_bytes(), shown, proof)

    @classmethod
    def from_document(cls, document: Any, pointer: str) -> LoggedEntry:
        if not isinstance(document, dict) or document.keys() != {"index", "leaf", "proof"}:
            raise MalformedInput("malformed_evidence", pointer)
        index, proof = document["index"], document["proof"]
        if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < 2**53:
            raise MalformedInput("malformed_evidence", f"{pointer}/index")
        if (
            not isinstance(proof, list)
            or len(proof) > LONGEST_PROOF
            or not all(isinstance(e, str) for e in proof)
        ):
            raise MalformedInput("malformed_evidence", f"{pointer}/proof")
        return cls(index, Leaf.from_document(document["leaf"]), tuple(decoded_hashes(proof)))


@dataclass(frozen=True)
class Evidence:
    """`id` and `award` are URLs; `opening` discloses which award the decision's entry is about."""

    context: str
    id: str
    award: str
    checkpoint: Note
    decision: LoggedEntry
    opening: Opening
    entries: Sequence[LoggedEntry]

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785): the bytes that are served; the credential contains their digest."""
        # Written directly in RFC 8785 order and spelling: a bulk award has thousands.
        return (
            b'{"@context":%s,"award":%s,"checkpoint":%s,"decision":%s,"entries":[%s],"id":%s,"type":"%s"}'
            % (
                canonical_json(self.context),
                canonical_json(self.award),
                _written_note(self.checkpoint),
                self.decision.to_bytes(self.opening),
                b",".join([entry.to_bytes() for entry in self.entries]),
                canonical_json(self.id),
                TYPE.encode(),
            )
        )

    @classmethod
    def from_bytes(cls, encoded: bytes) -> Evidence:
        """Read an evidence document; MalformedInput for anything else."""
        return cls.from_document(parse_json_object(encoded))

    @classmethod
    def from_document(cls, document: JsonObject) -> Evidence:
        if document.keys() != _MEMBERS or document["type"] != TYPE:
            raise MalformedInput("malformed_evidence")
        texts = [document[name] for name in ("@context", "id", "award", "checkpoint")]
        decision, entries = document["decision"], document["entries"]
        if not all(isinstance(text, str) for text in texts) or not isinstance(decision, dict):
            raise MalformedInput("malformed_evidence")
        if not isinstance(entries, list) or len(entries) > MOST_ENTRIES:
            raise MalformedInput("malformed_evidence", "/entries")
        context, identifier, award, checkpoint = map(str, texts)
        rest = {name: value for name, value in decision.items() if name != "opening"}
        return cls(
            context,
            identifier,
            award,
            Note.from_text(checkpoint),
            LoggedEntry.from_document(rest, "/decision"),
            Opening.from_document(decision.get("opening")),
            tuple(LoggedEntry.from_document(entry, f"/entries/{at}") for at, entry in enumerate(entries)),
        )

    @property
    def head(self) -> TreeHead:
        return TreeHead.from_text(self.checkpoint.text)


@dataclass(frozen=True)
class ProvedEvidence:
    """What a checked document proves: which witnesses saw its log, and when the award was decided."""

    evidence: Evidence
    decided_at: datetime
    decided: Mapping[str, JsonValue]
    witnessed: Sequence[tuple[str, datetime]]


def check_evidence(
    encoded: bytes,
    *,
    digest: str,
    award: str,
    log: NoteKey,
    witnesses: Sequence[NoteKey] = (),
    read: Evidence | None = None,
) -> ProvedEvidence:
    """Check the document that a credential names by `digest`, against the key of the campus's log.

    `read`: the parsed document, where `encoded` was parsed already.

    ProofError names what does not hold: the digest, the checkpoint, one entry, or the decision.
    """
    if digest_of(encoded) != digest:
        raise ProofError("evidence_digest_differs")
    evidence = read or Evidence.from_bytes(encoded)
    signed, head = evidence.checkpoint.signed_by([log, *witnesses]), evidence.head
    if not any(each.key == log for each in signed) or head.origin != log.name:
        raise ProofError("checkpoint_not_of_the_log")
    for entry in (evidence.decision, *evidence.entries):
        if not entry.is_in(head):
            raise ProofError("entry_not_in_the_log", str(entry.index))
    if any(entry.index >= evidence.decision.index for entry in evidence.entries):
        raise ProofError("entry_after_the_decision")
    decided = evidence.opening.checked(evidence.decision.leaf.commitment)
    if evidence.award != award or decided.get("award") != award:
        raise ProofError("decision_about_another_award")
    seen = [(each.key.name, each.at) for each in signed if each.at is not None]
    return ProvedEvidence(evidence, evidence.decision.leaf.at, decided, seen)


def digest_of(encoded: bytes) -> str:
    """SHA-256 as a multibase multihash, the form of `digestMultibase` (VCDM 2.0, 5.3)."""
    return encode_multibase(b"\x12\x20" + hashlib.sha256(encoded).digest(), "u")


def disclosure(evidence_digest: str, openings: Mapping[int, Opening]) -> bytes:
    """The fields the learner discloses today, by the entries' index in the log."""
    shown: JsonObject = {str(index): openings[index].to_document() for index in sorted(openings)}
    return canonical_json({"type": DISCLOSURE, "evidence": evidence_digest, "entries": shown})


def disclosed(encoded: bytes, evidence: Evidence, *, digest: str) -> dict[int, Mapping[str, JsonValue]]:
    """The disclosed fields of each entry, each checked against the log; otherwise ProofError."""
    document = parse_json_object(encoded)
    if document.keys() != {"type", "evidence", "entries"} or document["type"] != DISCLOSURE:
        raise MalformedInput("malformed_disclosure")
    if document["evidence"] != digest:
        raise ProofError("disclosure_of_other_evidence")
    entries = document["entries"]
    if not isinstance(entries, dict) or len(entries) > MOST_ENTRIES:
        raise MalformedInput("malformed_disclosure", "/entries")
    leaves = {str(entry.index): entry for entry in evidence.entries}
    shown = {}
    for number, opening in entries.items():
        if number not in leaves:
            raise ProofError("disclosure_of_other_evidence", number)
        entry = leaves[number]
        shown[entry.index] = Opening.from_document(opening).checked(entry.leaf.commitment)
    return shown
