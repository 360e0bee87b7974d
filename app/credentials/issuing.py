"""From a credential to signed bytes that have passed our own verifier once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SignedCredential:
    """A credential in its two final forms. Stored and served as these bytes, never rebuilt."""

    embedded: bytes
    """JSON with its Data Integrity proof inside."""
    token: str
    """The same credential as a compact JWS."""
