"""The JSON Canonicalization Scheme (RFC 8785)."""

from __future__ import annotations

import re
from typing import Final

import orjson
import rfc8785

from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.json_text import JsonValue

_SORTED: Final = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_SUBCLASS
)
# Where the fast writer may differ: fractions, exponents, integers near 2^53, a null that may have been NaN,
# and characters beyond the basic plane, which change the order of members. A false positive costs only time.
_DOUBTFUL_NUMBER: Final = re.compile(rb"[:\[,]-?\d+(?:\d{15}|\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+)[,\]}]")
_BEYOND_BASIC: Final = tuple(bytes([lead]) for lead in range(0xF0, 0xF5))
"""UTF-8 lead bytes of characters beyond the basic plane."""


def canonical_json(value: JsonValue) -> bytes:
    """The canonical text of this value; MalformedInput for values that have none (large integers, NaN, lone
    surrogates).
    """
    try:
        if isinstance(value, str):
            return orjson.dumps(value, option=_SORTED)  # a text alone holds no number, and nothing to sort
        if isinstance(value, dict | list):
            written = orjson.dumps(value, option=_SORTED)
            if not _is_doubtful(written):
                return written
    except TypeError:
        pass
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise MalformedInput("not_canonicalizable", detail=str(error)[:200]) from None


def _is_doubtful(written: bytes) -> bool:
    return (
        b"null" in written
        or (not written.isascii() and any(lead in written for lead in _BEYOND_BASIC))
        or _DOUBTFUL_NUMBER.search(_outside_texts(written)) is not None
    )


def _outside_texts(written: bytes) -> bytes:
    """The parts outside quotes, where numbers are; the whole text where a string may contain a quote."""
    return written if b"\\" in written else b"".join(written.split(b'"')[::2])
