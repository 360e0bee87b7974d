"""Forms sealed so that the database alone, or a page alone, shows nothing of them."""

from __future__ import annotations

import hashlib
import hmac
import json
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from app.domain.accounts.set_aside import WaitingFile, WaitingForm

_NONCE = 12


class SealedForms:
    """AES-256-GCM under a key made of the service's secret and of the one that the page holds."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def seal(self, form: WaitingForm, *, token: str) -> bytes:
        told = {
            "path": form.path,
            "fields": list(form.fields),
            "files": [[each.field, each.name, each.media_type, len(each.content)] for each in form.files],
        }
        nonce, head = os.urandom(_NONCE), json.dumps(told).encode()
        plain = len(head).to_bytes(4, "big") + head + b"".join(each.content for each in form.files)
        return nonce + self._cipher(token).encrypt(nonce, plain, None)

    def open(self, sealed: bytes, *, token: str) -> WaitingForm | None:
        """None where the seal is another one's, or broken."""
        try:
            plain = self._cipher(token).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            return None
        size = int.from_bytes(plain[:4], "big")
        told, at, files = json.loads(plain[4 : 4 + size]), 4 + size, []
        for field, name, media_type, length in told["files"]:
            files.append(WaitingFile(field, name, media_type, plain[at : at + length]))
            at += length
        return WaitingForm(told["path"], [(name, value) for name, value in told["fields"]], files)

    def _cipher(self, token: str) -> AESGCM:
        return AESGCM(hmac.digest(self._secret, b"form set aside|" + token.encode(), hashlib.sha256))
