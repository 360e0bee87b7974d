"""Canonical bytes of a JSON-LD document (RDFC-1.0) and of JSON (RFC 8785)."""

from __future__ import annotations

from functools import cached_property
from hashlib import sha256
from typing import Final

from sceau_credentials.canonical import compiled, expansion
from sceau_credentials.canonical.rdfc import canonical_json, canonicalize
from sceau_credentials.canonical.templates import Template, Way, make_template, mark, note, ways_taken
from sceau_credentials.errors import NotCovered, UnsafeDocument
from sceau_credentials.values import JsonObject, dump_exactly

__all__ = [
    "NotCovered",
    "Template",
    "Way",
    "canonical_bytes",
    "canonical_digest",
    "canonical_json",
    "canonical_nquads",
    "keep_canonical_form",
    "make_template",
    "mark",
    "ways_taken",
]


def canonical_nquads(document: JsonObject) -> str:
    """The canonical N-Quads (RDFC-1.0) that represent all of this document.

    UnsafeDocument if they would represent less than a reader of the JSON sees, or something else;
    CanonicalizationTooHard if its blank nodes cannot be distinguished within the work limit.
    """
    return canonical_bytes(document).decode()


def canonical_bytes(document: JsonObject) -> bytes:
    """`canonical_nquads` in UTF-8, as hashed."""
    return _canonical_form(document).nquads


def canonical_digest(document: JsonObject) -> bytes:
    """The SHA-256 of `canonical_bytes`."""
    return _canonical_form(document).digest


def keep_canonical_form(written: bytes, nquads: bytes) -> bytes:
    """Cache a canonical form found from a template, for the document that `dump_exactly` serialises as
    `written`.

    Returns its digest.
    """
    form = _Form(nquads)
    if 0 < len(written) <= _LONGEST_RECENT:
        _keep(written, form)
    return form.digest


class _Form:
    def __init__(self, nquads: bytes) -> None:
        self.nquads = nquads

    @cached_property
    def digest(self) -> bytes:
        return sha256(self.nquads).digest()


_MOST_RECENT: Final = 16
_LONGEST_RECENT: Final = 16 * 1024
_recent: Final[dict[bytes, _Form]] = {}
"""Keyed by the document's serialised bytes: an issuer needs the form three times, to check, to sign and to
read back. Failures are not cached.
"""


def _canonical_form(document: JsonObject) -> _Form:
    written = dump_exactly(document)
    if len(written) > _LONGEST_RECENT:
        written = b""  # so that the traceback of a failure does not hold it: one document may have twenty
    form = _recent.get(written)
    if form is None:
        try:
            form = _Form(_nquads_of(document).encode())
        except UnicodeEncodeError:
            raise UnsafeDocument("lone_surrogate") from None
        if written:
            _keep(written, form)
    return form


def _keep(written: bytes, form: _Form) -> None:
    if len(_recent) >= _MOST_RECENT:
        _recent.clear()
    _recent[written] = form


def _nquads_of(document: JsonObject) -> str:
    """Compiled tables for the documents they cover; PyLD for the others, and for the error messages."""
    try:
        nquads = compiled.nquads_of(document)
    except NotCovered:
        note(Way.GENERAL)
        return canonicalize(expansion.quads_of(document))
    note(Way.COMPILED)
    return nquads
