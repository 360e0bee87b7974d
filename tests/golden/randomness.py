"""Seed every source of randomness the service draws from, so that two recordings are equal byte for byte."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from cryptography.hazmat.primitives.asymmetric import ec, ed25519

_P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


_source = random.Random()


def reseed(seed: str) -> None:
    """Before each page: what one page draws changes no other."""
    _source.seed(seed)


@contextmanager
def seeded() -> Iterator[None]:
    """Everything but ECDSA nonces, which OpenSSL draws itself: ES256 signatures differ between recordings."""
    reseed("golden")
    draw = _source.randbytes

    def ed25519_key() -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(draw(32))

    def ec_key(curve: ec.EllipticCurve) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(int.from_bytes(draw(32)) % (_P256_ORDER - 1) + 1, curve)

    with (
        patch.object(os, "urandom", draw),
        patch.object(random, "_urandom", draw),
        patch.object(ed25519.Ed25519PrivateKey, "generate", ed25519_key),
        patch.object(ec, "generate_private_key", ec_key),
    ):
        yield
