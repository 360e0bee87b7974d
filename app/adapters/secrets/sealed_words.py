"""Words that travel in an address and that only this service, and only for one person, can read."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12
_LONGEST = 800


class SealedWords:
    """AES-256-GCM under a key made of the service's secret; `bound_to` says for whom the words are."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(secret, b"words sealed into an address", hashlib.sha256))

    def seal(self, words: str, *, bound_to: str) -> str:
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, words.encode("utf-8", "surrogatepass"), bound_to.encode())
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, token: str, *, bound_to: str) -> str | None:
        """None for anything that was not sealed here for that person."""
        if not 0 < len(token) <= _LONGEST:
            return None
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
            opened = self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], bound_to.encode())
            return opened.decode("utf-8", "surrogatepass")
        except (UnicodeError, binascii.Error, InvalidTag, ValueError):
            return None
