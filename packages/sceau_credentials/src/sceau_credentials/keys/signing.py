"""Private keys, behind a small interface that a KMS or a hardware token can implement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from sceau_credentials.errors import UnusableKey
from sceau_credentials.keys.verification import CURVES, Algorithm, VerificationKey

_PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class SigningKey(Protocol):
    """A private key, wherever it is stored: in this process, in a hardware module, behind a service."""

    @property
    def public(self) -> VerificationKey: ...

    def sign(self, message: bytes) -> bytes:
        """64 bytes for EdDSA and ES256 (r || s), 96 for ES384, as long as the modulus for RS256."""
        ...


class LocalSigningKey:
    """A private key in this process's memory."""

    __slots__ = ("_private", "public")

    def __init__(self, private: _PrivateKey) -> None:
        self._private = private
        self.public = VerificationKey.of(private.public_key())

    @classmethod
    def generate(cls, algorithm: Algorithm) -> LocalSigningKey:
        if algorithm is Algorithm.EDDSA:
            return cls(ed25519.Ed25519PrivateKey.generate())
        if algorithm in CURVES:
            return cls(ec.generate_private_key(CURVES[algorithm].curve))
        return cls(rsa.generate_private_key(public_exponent=65537, key_size=3072))

    @classmethod
    def from_seed(cls, seed: bytes) -> LocalSigningKey:
        """The Ed25519 key of these 32 bytes."""
        return cls(ed25519.Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_bytes(cls, der: bytes) -> LocalSigningKey:
        """Read an unencrypted PKCS#8 DER key."""
        try:
            private = load_der_private_key(der, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise UnusableKey("malformed_key") from None
        if not isinstance(private, _PrivateKey):
            raise UnusableKey("unsupported_key")
        return cls(private)

    def to_bytes(self) -> bytes:
        return self._private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    def sign(self, message: bytes) -> bytes:
        if isinstance(self._private, ed25519.Ed25519PrivateKey):
            return self._private.sign(message)
        if isinstance(self._private, ec.EllipticCurvePrivateKey):
            curve = CURVES[self.public.algorithm]
            r, s = decode_dss_signature(self._private.sign(message, ec.ECDSA(curve.digest)))
            return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")
        return self._private.sign(message, padding.PKCS1v15(), SHA256())

    def __repr__(self) -> str:
        return f"LocalSigningKey({self.public.thumbprint()})"


@dataclass(frozen=True)
class Signer:
    """A signing key and the verification method under which its public half is published."""

    verification_method: str
    key: SigningKey

    @property
    def controller(self) -> str:
        return self.verification_method.partition("#")[0]
