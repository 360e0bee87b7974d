"""Weak public keys, for which anyone could forge signatures; detected before use."""

from __future__ import annotations

_ED25519_FIELD = 2**255 - 19
# The y coordinates of the eight points of order dividing the cofactor; libsodium's block list, and M3.
_SMALL_ORDER_Y = (
    0,
    1,
    _ED25519_FIELD - 1,
    2707385501144840649318225287225658788936804267575313519463743609750303402022,
    55188659117513257062467267217118295137698188065244968500265048394206261417927,
)
_SMALL_ORDER = frozenset((y | sign << 255).to_bytes(32, "little") for y in _SMALL_ORDER_Y for sign in (0, 1))
_LEAST_NOT_REDUCED = _ED25519_FIELD & 0xFF
"""The first byte of the field's prime, the others being 0xff: larger values are second spellings."""
_SMALL_PRIMES = (
    3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97,
    101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
)  # fmt: skip


def is_weak_ed25519_point(encoded: bytes) -> bool:
    """A point of small order, for which a signature needs no private key, or a second spelling of a point.

    OpenSSL verifies both; the 14 small-order encodings of M3 are all covered.
    """
    if encoded in _SMALL_ORDER:
        return True
    return encoded[31] & 0x7F == 0x7F and encoded[0] >= _LEAST_NOT_REDUCED and encoded[1:31] == b"\xff" * 30


def has_roca_fingerprint(modulus: int) -> bool:
    """A modulus made by the Infineon generator (CVE-2017-15361): its primes are powers of 65537 mod small
    primes.

    An honest modulus passes all the subgroup tests with a probability below one in 2**27.
    """
    return all(modulus % prime in powers for prime, powers in _POWERS_OF_65537.items())


def _powers_of_65537(prime: int) -> frozenset[int]:
    powers, value = set(), 1
    while value not in powers:
        powers.add(value)
        value = value * 65537 % prime
    return frozenset(powers)


# Primes for which the subgroup is the whole group are no evidence.
_POWERS_OF_65537 = {
    prime: powers for prime in _SMALL_PRIMES if len(powers := _powers_of_65537(prime)) < prime - 1
}
