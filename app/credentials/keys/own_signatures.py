"""Whether a signature that was just made holds, asked by whoever has the private key: at a third of the price."""

from __future__ import annotations

import hashlib
from typing import Final

from nacl.bindings import (
    crypto_core_ed25519_scalar_mul,
    crypto_core_ed25519_scalar_reduce,
    crypto_core_ed25519_scalar_sub,
    crypto_scalarmult_ed25519_base_noclamp,
)
from nacl.exceptions import CryptoError

from app.credentials.errors import UnusableKey

_ORDER: Final = 2**252 + 27742317777372353535851937790883648493


class OwnSignatures:
    """The verification equation of Ed25519 (RFC 8032, 5.1.7), solved for its only unknown.

    A verifier computes k = SHA-512(R, A, message) and asks whether S·B = R + k·A, which takes a multiplication of A,
    a point like any other. Here A = a·B, so the same equation reads (S - k·a)·B = R: a multiplication of the base
    point, for which there are tables. Nothing of how the signature was made is used: neither the nonce nor any
    intermediate value, and k is hashed by another library than the one that signed. What a verifier would refuse is
    refused: another message, another key, one bit of R or S, an S that was not reduced. R is compared as it is
    written, so that no second spelling of a point passes.

    It is sound for the published key only if a·B is that key: asked when this is made.
    """

    __slots__ = ("_public", "_scalar")

    def __init__(self, seed: bytes, public: bytes) -> None:
        scalar = bytearray(hashlib.sha512(seed).digest()[:32])
        scalar[0] &= 0xF8
        scalar[31] = scalar[31] & 0x7F | 0x40
        self._scalar = crypto_core_ed25519_scalar_reduce(bytes(scalar) + bytes(32))
        self._public = public
        if crypto_scalarmult_ed25519_base_noclamp(self._scalar) != public:
            raise UnusableKey("malformed_key", "the public key is not that of the private one")

    def holds(self, signature: bytes, message: bytes) -> bool:
        """What `VerificationKey.verify` says of the published key."""
        if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= _ORDER:
            return False
        digest = hashlib.sha512(b"".join((signature[:32], self._public, message))).digest()
        share = crypto_core_ed25519_scalar_mul(crypto_core_ed25519_scalar_reduce(digest), self._scalar)
        nonce = crypto_core_ed25519_scalar_sub(signature[32:], share)
        try:
            return crypto_scalarmult_ed25519_base_noclamp(nonce) == signature[:32]
        except CryptoError:  # R would be the neutral point, which no signer makes and no verifier here takes
            return False
