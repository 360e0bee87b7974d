"""The seal of a paper that this service made: a keyed digest (HMAC-SHA-256) of all its other bytes, among its keywords.

Only this service can make or check one. It says that the page shows what was written there, and nothing of any badge.
"""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Final

_NAME: Final = b"sceau:"
_UNSEALED: Final = b"A" * 43
KEYWORD: Final = (_NAME + _UNSEALED).decode()
"""Stands in the document information and in its XMP metadata until the paper is sealed."""
_PLACES: Final = re.compile(rb"(/Keywords\s*\(|<pdf:Keywords>)sceau:([A-Za-z0-9_-]{43})(?=\)|<)")


def sealed(paper: bytes, secret: bytes) -> bytes:
    mac = _mac(paper, secret)
    return _PLACES.sub(lambda found: found[1] + _NAME + mac, paper)


def is_sealed(paper: bytes, secret: bytes) -> bool:
    """Whether every byte is as this service wrote it."""
    macs = {found[2] for found in _PLACES.finditer(paper)}
    if len(macs) != 1:
        return False
    blank = _PLACES.sub(lambda found: found[1] + _NAME + _UNSEALED, paper)
    return hmac.compare_digest(_mac(blank, secret), macs.pop())


def _mac(paper: bytes, secret: bytes) -> bytes:
    key = hmac.digest(secret, b"seal of a paper", sha256)
    return urlsafe_b64encode(hmac.digest(key, paper, sha256)).rstrip(b"=")
