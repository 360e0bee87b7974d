"""The JSON Canonicalization Scheme (RFC 8785)."""

from __future__ import annotations

import rfc8785

from app.credentials.errors import MalformedInput
from app.credentials.json_text import JsonValue


def canonical_json(value: JsonValue) -> bytes:
    """The one spelling of this value; what has none (large integers, NaN, lone surrogates) is refused."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise MalformedInput("not_canonicalizable", detail=str(error)[:200]) from None
