"""Who else saw an award in the log: each witness that the campus named, with the first tree it signed that holds it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sceau_credentials.canonical import canonical_json
from sceau_credentials.errors import CredentialError, MalformedInput
from sceau_credentials.evidence.documents import Evidence
from sceau_credentials.evidence.log_keys import log_key_of
from sceau_credentials.transparency_log.checkpoints import EntryProof
from sceau_credentials.transparency_log.notes import NoteKey, SignatureType
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.values.json_text import JsonValue, parse_json_object

TYPE: Final = "ActivityLogWitnesses"
WITNESSES: Final = "/temoins"
"""Witnesses come after the document, whose digest is signed: they stand beside it, under this end of its address."""
MOST_WITNESSES: Final = 16
_LONGEST_NAME: Final = 200


@dataclass(frozen=True)
class Witnessed:
    """`name` is how the campus calls the witness, `at` when it says that it saw the award in the log."""

    name: str
    at: datetime


def witnesses_document(digest: str, seen: Sequence[tuple[str, NoteKey, EntryProof]]) -> bytes:
    """Of each: its name in plain words, its key, and the proof that the decision is in the tree that it signed."""
    witnesses: list[JsonValue] = [
        {"name": name, "key": key.to_vkey(), "proof": proof.to_text()} for name, key, proof in seen
    ]
    return canonical_json({"type": TYPE, "evidence": digest, "witnesses": witnesses})


def witnessed(
    encoded: bytes,
    evidence: Evidence,
    *,
    digest: str,
    documents: DocumentSource,
    known: Collection[str] | None = None,
) -> list[Witnessed]:
    """The witnesses whose proof holds, the earliest first; what does not hold proves nothing and is left out.

    `known`: verifier keys; where given, no other witness counts.

    MalformedInput where it is no such document, or one beside other evidence.
    """
    document = parse_json_object(encoded)
    listed = document.get("witnesses")
    if document.get("type") != TYPE or document.get("evidence") != digest or not isinstance(listed, list):
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
