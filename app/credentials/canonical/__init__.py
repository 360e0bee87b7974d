"""Canonical bytes of a JSON-LD document (RDFC-1.0) and of JSON (RFC 8785)."""

from __future__ import annotations

from app.credentials.canonical import compiled, expansion
from app.credentials.canonical.jcs import canonical_json
from app.credentials.canonical.rdfc import canonicalize
from app.credentials.canonical.tables import NotCovered
from app.credentials.canonical.ways import Way, note, ways_taken
from app.credentials.errors import UnsafeDocument
from app.credentials.json_text import JsonObject

__all__ = ["Way", "canonical_bytes", "canonical_json", "canonical_nquads", "ways_taken"]


def canonical_nquads(document: JsonObject) -> str:
    """The canonical N-Quads (RDFC-1.0) that stand for all of this document.

    UnsafeDocument if they would stand for less or for something else than a reader of the JSON sees;
    CanonicalizationTooHard if its blank nodes cannot be told apart within the work limit.
    """
    return canonical_bytes(document).decode()


def canonical_bytes(document: JsonObject) -> bytes:
    """`canonical_nquads`, as they are hashed."""
    try:
        return _nquads_of(document).encode()
    except UnicodeEncodeError:
        raise UnsafeDocument("lone_surrogate") from None


def _nquads_of(document: JsonObject) -> str:
    """The compiled way for the documents it was made for; PyLD for the others, and to say what is wrong."""
    try:
        nquads = compiled.nquads_of(document)
    except NotCovered:
        note(Way.GENERAL)
        return canonicalize(expansion.quads_of(document))
    note(Way.COMPILED)
    return nquads
