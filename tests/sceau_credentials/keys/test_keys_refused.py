"""Refused keys: weak ones, malformed ones, and any second spelling of a good one."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sceau_credentials.errors import UnusableKey
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    VerificationKey,
    encode_base64url,
    encode_multibase,
)
from tests.sceau_credentials.published.published_keys import ED25519_MULTIKEY, P256_JWK, RFC8037_JWK
from tests.support.running.every import for_each

ED25519_FIELD = 2**255 - 19


def small_order_encodings() -> list[bytes]:
    """The 14 spellings of the eight torsion points, from the curve equation and not from a list."""
    field, d = ED25519_FIELD, -121665 * pow(121666, -1, ED25519_FIELD) % ED25519_FIELD
    # Order 8: x² = y² · (something) with 2·x² = … ; solve d·y⁴ + 2·y² − 1 = 0, the doubling that lands on (±1·i, 0).
    root = square_root((1 + d) % field)
    eighth = next(y for sign in (1, -1) if (y := square_root((-1 + sign * root) * pow(d, -1, field) % field)))
    ordinates = [0, 1, field - 1, eighth, field - eighth, field, field + 1]
    return [(y | sign << 255).to_bytes(32, "little") for y in ordinates for sign in (0, 1)]


def square_root(value: int) -> int | None:
    field = ED25519_FIELD
    root = pow(value, (field + 3) // 8, field)
    for candidate in (root, root * pow(2, (field - 1) // 4, field) % field):
        if candidate * candidate % field == value % field:
            return candidate
    return None


def test_every_small_order_ed25519_key_is_refused_in_every_form():
    encodings = small_order_encodings()
    assert len(set(encodings)) == 14
    for encoded in encodings:
        with pytest.raises(UnusableKey, match="weak_key"):
            VerificationKey.from_multikey(encode_multibase(b"\xed\x01" + encoded))
        with pytest.raises(UnusableKey, match="weak_key"):
            VerificationKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(encoded)})


def test_openssl_alone_would_have_accepted_a_forgery_under_a_small_order_key():
    """The reason for the list: with the neutral element as key, R = S·B verifies for any message."""
    neutral = (1).to_bytes(32, "little")
    base_point = bytes.fromhex("58" + "66" * 31)
    forgery = base_point + (1).to_bytes(32, "little")
    ed25519.Ed25519PublicKey.from_public_bytes(neutral).verify(forgery, b"anything at all")


def test_non_canonical_ed25519_point_is_refused():
    for y in range(ED25519_FIELD, 2**255):
        with pytest.raises(UnusableKey, match="weak_key"):
            VerificationKey.from_multikey(encode_multibase(b"\xed\x01" + y.to_bytes(32, "little")))


def test_small_rsa_is_refused_and_2048_bits_are_accepted():
    small = rsa.generate_private_key(65537, 1024).public_key()
    with pytest.raises(UnusableKey, match="weak_key"):
        VerificationKey.of(small)
    assert VerificationKey.of(rsa.generate_private_key(65537, 2048).public_key()).algorithm is Algorithm.RS256


def test_huge_rsa_modulus_is_refused_before_it_costs_time():
    modulus = encode_base64url((2**9000 + 1).to_bytes(1126))
    with pytest.raises(UnusableKey, match="weak_key"):
        VerificationKey.from_jwk({"kty": "RSA", "n": modulus, "e": "AQAB"})


def test_rsa_modulus_of_the_infineon_generator_is_refused():
    primes = [3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97]
    primes += [101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167]
    product = 1
    for prime in primes:
        product *= prime
    modulus = product * (2**1830 + 12345) + pow(65537, 4711, product)
    assert modulus.bit_length() >= 2048
    jwk = {"kty": "RSA", "n": encode_base64url(modulus.to_bytes(-(-modulus.bit_length() // 8))), "e": "AQAB"}
    with pytest.raises(UnusableKey, match="ROCA"):
        VerificationKey.from_jwk(jwk)


@for_each(
    ("change", "reason"),
    [
        ({"use": "enc"}, "key_use"),
        ({"use": None}, "key_use"),
        ({"key_ops": ["sign"]}, "key_use"),
        ({"key_ops": []}, "key_use"),
        ({"key_ops": "verify"}, "key_use"),
        ({"key_ops": ["verify", "verify"]}, "key_use"),
        ({"key_ops": ["verify", {}]}, "key_use"),
        ({"d": "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}, "private_key_published"),
        ({"k": "c2VjcmV0"}, "private_key_published"),
        ({"alg": "HS256"}, "key_algorithm_mismatch"),
        ({"alg": "ES256"}, "key_algorithm_mismatch"),
        ({"alg": ["EdDSA"]}, "key_algorithm_mismatch"),
        ({"alg": None}, "key_algorithm_mismatch"),
        ({"crv": "X25519"}, "unsupported_key"),
        ({"crv": ["Ed25519"]}, "unsupported_key"),
        ({"kty": "oct"}, "unsupported_key"),
        ({"x": RFC8037_JWK["x"] + "="}, "malformed_key"),
        ({"x": RFC8037_JWK["x"] + "\n"}, "malformed_key"),
        ({"x": RFC8037_JWK["x"][:-1]}, "malformed_key"),
        ({"x": RFC8037_JWK["x"][:-1] + "p"}, "malformed_key"),
        ({"x": 3}, "malformed_key"),
        ({"x": "A" * 100_000}, "malformed_key"),
    ],
)
def test_a_jwk_that_is_not_exactly_a_public_verification_key_is_refused(change, reason):
    with pytest.raises(UnusableKey) as refusal:
        VerificationKey.from_jwk(RFC8037_JWK | change)
    assert refusal.value.reason == reason


def test_p256_point_off_the_curve_is_refused():
    with pytest.raises(UnusableKey, match="malformed_key"):
        VerificationKey.from_jwk(P256_JWK | {"y": P256_JWK["x"]})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "z",
        "z6Mk",
        "u7QEu",
        ED25519_MULTIKEY + "a",
        ED25519_MULTIKEY[:-1] + "0",  # 0 is not in the alphabet
        encode_multibase(b"\x80\x26" + bytes(32)),  # a secret P-256 key
        encode_multibase(b"\xec\x01" + bytes(range(32))),  # X25519
        encode_multibase(b"\xed\x01" + bytes(31)),
        encode_multibase(b"\x80\x24" + b"\x04" + bytes(64)),
        "z" + "2" * 1_000_000,
    ],
)
def test_multikey_of_another_kind_or_length_is_refused(text):
    """B-032, B-058"""
    with pytest.raises(UnusableKey):
        VerificationKey.from_multikey(text)


def test_each_key_has_one_multikey_text_and_no_second_spelling():
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    uncompressed = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    with pytest.raises(UnusableKey, match="malformed_key"):
        VerificationKey.from_multikey(encode_multibase(b"\x80\x24" + uncompressed))
    rsa_public = rsa.generate_private_key(65537, 2048).public_key()
    spki = rsa_public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(UnusableKey, match="unsupported_key"):
        VerificationKey.from_multikey(encode_multibase(b"\x85\x24" + spki))


def test_coordinates_of_other_lengths_are_refused_even_when_they_add_up():
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    for cut in (31, 33):
        jwk = {
            "kty": "EC",
            "crv": "P-256",
            "x": encode_base64url(point[:cut]),
            "y": encode_base64url(point[cut:]),
        }
        with pytest.raises(UnusableKey, match="malformed_key"):
            VerificationKey.from_jwk(jwk)


def test_an_unsupported_curve_is_refused():
    with pytest.raises(UnusableKey, match="unsupported_key"):
        VerificationKey.of(ec.generate_private_key(ec.SECP521R1()).public_key())
    jwk = {"kty": "EC", "crv": "P-521", "x": P256_JWK["x"], "y": P256_JWK["y"]}
    with pytest.raises(UnusableKey, match="unsupported_key"):
        VerificationKey.from_jwk(jwk)


def test_an_excessive_rsa_exponent_is_refused():
    jwk = LocalSigningKey.generate(Algorithm.RS256).public.to_jwk()
    for exponent in (1, 2**32 + 1):
        with pytest.raises(UnusableKey):
            VerificationKey.from_jwk(jwk | {"e": encode_base64url(exponent.to_bytes(5))})
