"""The evidence document of an award: the log entries it rests on, and the proof that they were logged before
it.

Written once, when the award is decided; the credential contains its digest. It holds commitments only; the
fields the learner discloses are in a separate document, the disclosure, which may change at any time.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sceau_credentials.canonical import canonical_json
from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.evidence.commitments import Leaf, Opening
from sceau_credentials.keys import encode_multibase
from sceau_credentials.transparency_log.checkpoints import TreeHead
from sceau_credentials.transparency_log.notes import Note, NoteKey, decoded_hashes
from sceau_credentials.transparency_log.tree import LONGEST_PROOF, is_included
from sceau_credentials.values.json_text import JsonObject, JsonValue, parse_json_object

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
