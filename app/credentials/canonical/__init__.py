"""Canonical bytes of a JSON-LD document (RDFC-1.0) and of JSON (RFC 8785)."""

from __future__ import annotations

from app.credentials.canonical import compiled, expansion
from app.credentials.canonical.jcs import canonical_json
from app.credentials.canonical.rdfc import Quad, canonicalize
from app.credentials.canonical.tables import NotCovered
from app.credentials.canonical.ways import Way, note, ways_taken
from app.credentials.errors import UnsafeDocument
from app.credentials.json_text import JsonObject

__all__ = ["Way", "canonical_json", "canonical_nquads", "ways_taken"]


def canonical_nquads(document: JsonObject) -> str:
    """The canonical N-Quads (RDFC-1.0) that stand for all of this document.

    UnsafeDocument if they would stand for less or for something else than a reader of the JSON sees;
    CanonicalizationTooHard if its blank nodes cannot be told apart within the work limit.
    """
    try:
        nquads = canonicalize(_quads_of(document))
        nquads.encode()
    except UnicodeEncodeError:
        raise UnsafeDocument("lone_surrogate") from None
    return nquads


def _quads_of(document: JsonObject) -> list[Quad]:
    """The compiled way for the documents it was made for; PyLD for the others, and to say what is wrong."""
    try:
        quads = compiled.quads_of(document)
    except NotCovered:
        note(Way.GENERAL)
        return expansion.quads_of(document)
    note(Way.COMPILED)
    return quads
