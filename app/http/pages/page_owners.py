"""Whose page a form was on: sealed in the form, so that what was typed finds its person when their session is over."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import uuid

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class PageOwners:
    """AES-256-GCM: a seal shows nothing, is another one on each page, and only pages shown to that person have one."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(hmac.digest(key, b"owner of a page", hashlib.sha256))

    def seal(self, person_id: uuid.UUID) -> str:
        nonce = os.urandom(_NONCE)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, person_id.bytes, None)).decode()

    def open(self, sealed: str) -> uuid.UUID | None:
        try:
            raw = base64.urlsafe_b64decode(sealed.encode("ascii"))
            return uuid.UUID(bytes=self._cipher.decrypt(raw[:_NONCE], raw[_NONCE:], None))
        except (UnicodeEncodeError, binascii.Error, InvalidTag, ValueError):
            return None
