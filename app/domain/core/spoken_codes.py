"""The signs of codes that people read aloud and type."""

from __future__ import annotations

# Crockford's alphabet: no I, L, O or U, whatever the typeface.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
