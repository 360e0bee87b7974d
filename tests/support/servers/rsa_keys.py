"""RSA keys for services that tests stand up: looking for primes takes a tenth of a second a key."""

from __future__ import annotations

from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Another for each name, the same for each test of a worker."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)
