"""A software passkey: answers WebAuthn requests like a phone or a security key."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

_PRESENT_AND_VERIFIED = 0b101
_WITH_A_NEW_KEY = 0b1000000


@dataclass
class Authenticator:
    """Holds one key; `count` is the reported signature counter, which tests may falsify."""

    origin: str
    count: int = 1
    is_verified: bool = True
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    handle: bytes = b""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: dict[str, Any]) -> str:
        self.handle = _bytes(options["user"]["id"])
        public = cbor2.dumps(self._public())
        attested = bytes(16) + len(self.credential_id).to_bytes(2) + self.credential_id + public
        data = self._data(options["rp"]["id"], _WITH_A_NEW_KEY) + attested
        made = {"fmt": "none", "attStmt": {}, "authData": data}
        return self._answer("webauthn.create", options, attestationObject=_text(cbor2.dumps(made)))

    def get(self, options: dict[str, Any]) -> str:
        data, client = self._data(options["rpId"]), self._client("webauthn.get", options)
        to_sign = data + hashlib.sha256(client).digest()
        if isinstance(self.key, rsa.RSAPrivateKey):
            signed = self.key.sign(to_sign, padding.PKCS1v15(), hashes.SHA256())
        else:
            signed = self.key.sign(to_sign, ec.ECDSA(hashes.SHA256()))
        return self._answer(
            "webauthn.get",
            options,
            authenticatorData=_text(data),
            signature=_text(signed),
            userHandle=_text(self.handle),
        )

    def _public(self) -> dict[int, int | bytes]:
        """As COSE (RFC 9053, RFC 8230)."""
        if isinstance(self.key, rsa.RSAPrivateKey):
            modulus = self.key.public_key().public_numbers().n
            return {1: 3, 3: -257, -1: modulus.to_bytes(self.key.key_size // 8), -2: b"\x01\x00\x01"}
        numbers = self.key.public_key().public_numbers()
        return {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}

    def _data(self, site: str, flags: int = 0) -> bytes:
        flags |= _PRESENT_AND_VERIFIED if self.is_verified else 1
        return hashlib.sha256(site.encode()).digest() + bytes([flags]) + self.count.to_bytes(4)

    def _client(self, kind: str, options: dict[str, Any]) -> bytes:
        result = {
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
        }
        return json.dumps(result).encode()

    def _answer(self, kind: str, options: dict[str, Any], **response: str) -> str:
        response["clientDataJSON"] = _text(self._client(kind, options))
        name = _text(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
