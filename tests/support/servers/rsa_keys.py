"""Cached RSA keys for fake services: generating a key takes a tenth of a second."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """One key per name and worker."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)
