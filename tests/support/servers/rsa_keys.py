"""RSA keys for tests, and for what they test: looking for primes takes a tenth of a second a key."""

from __future__ import annotations

from collections import defaultdict, deque
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

_generate = rsa.generate_private_key
_KEPT = 12
_made: defaultdict[tuple[int, int], deque[rsa.RSAPrivateKey]] = defaultdict(deque)


@cache
def rsa_key(name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Another for each name, the same for each test of a worker."""
    return _generate(public_exponent=65537, key_size=bits)


def pytest_configure() -> None:
    rsa.generate_private_key = _in_turn  # type: ignore[assignment]


def _in_turn(public_exponent: int, key_size: int, backend: Any = None) -> rsa.RSAPrivateKey:
    """After twelve of one size the first comes again: no test makes so many, and each has databases of its own."""
    made = _made[public_exponent, key_size]
    made.append(made.popleft() if len(made) == _KEPT else _generate(public_exponent, key_size))
    return made[-1]
