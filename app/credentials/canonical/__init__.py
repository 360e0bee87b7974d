"""Canonical bytes of a JSON-LD document (RDFC-1.0) and of JSON (RFC 8785)."""

from __future__ import annotations

import rfc8785

from app.credentials.canonical.expansion import quads_of
from app.credentials.canonical.rdfc import canonicalize
from app.credentials.errors import MalformedInput, UnsafeDocument
from app.credentials.json_text import JsonObject, JsonValue

__all__ = ["canonical_json", "canonical_nquads"]


def canonical_nquads(document: JsonObject) -> str:
    """The canonical N-Quads (RDFC-1.0) that stand for all of this document.

    UnsafeDocument if they would stand for less or for something else than a reader of the JSON sees;
    CanonicalizationTooHard if its blank nodes cannot be told apart within the work limit.
    """
    try:
        nquads = canonicalize(quads_of(document))
        nquads.encode()
    except UnicodeEncodeError:
        raise UnsafeDocument("lone_surrogate") from None
    return nquads


def canonical_json(value: JsonValue) -> bytes:
    """The JSON Canonicalization Scheme (RFC 8785)."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise MalformedInput("not_canonicalizable", detail=str(error)[:200]) from None
