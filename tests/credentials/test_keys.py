"""Keys: what is accepted as one, what it verifies, and that its written forms are the published ones."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from app.credentials.errors import MalformedInput, UnusableKey
from app.credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    VerificationKey,
    decode_base64url,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from tests.support.shared_data import shared

ED25519_FIELD = 2**255 - 19
# did:key specification, section "Example": an Ed25519 and a P-256 key.
ED25519_MULTIKEY = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
P256_MULTIKEY = "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"
P256_JWK = {
    "kty": "EC",
    "crv": "P-256",
    "x": "igrFmi0whuihKnj9R3Om1SoMph72wUGeFaBbzG2vzns",
    "y": "efsX5b10x8yjyrj4ny3pGfLcY7Xby1KzgqOdqnsrJIM",
}
# RFC 8037, appendix A.1 and A.3.
RFC8037_JWK = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
RFC8037_THUMBPRINT = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


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


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_what_a_key_signs_its_public_half_verifies_and_nothing_else(algorithm):
    key, other = LocalSigningKey.generate(algorithm), LocalSigningKey.generate(algorithm)
    signature = key.sign(b"ten competencies")
    assert key.public.verify(signature, b"ten competencies")
    assert not key.public.verify(signature, b"ten competencie")
    assert not other.public.verify(signature, b"ten competencies")
    assert not key.public.verify(signature[:-1], b"ten competencies")
    assert not key.public.verify(signature + b"\0", b"ten competencies")
    assert not key.public.verify(b"", b"ten competencies")


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_key_is_the_same_after_any_of_its_written_forms(algorithm):
    key = LocalSigningKey.generate(algorithm)
    public = key.public
    assert public.algorithm is algorithm
    assert VerificationKey.from_jwk(public.to_jwk()) == public
    assert VerificationKey.from_multikey(public.to_multikey()) == public
    read_again = LocalSigningKey.from_bytes(key.to_bytes())
    assert read_again.public == public
    assert public.verify(read_again.sign(b"again"), b"again")


def test_signatures_are_those_another_implementation_expects():
    eddsa = LocalSigningKey.generate(Algorithm.EDDSA)
    raw = decode_multibase(eddsa.public.to_multikey())[2:]
    ed25519.Ed25519PublicKey.from_public_bytes(raw).verify(eddsa.sign(b"m"), b"m")

    private = ec.generate_private_key(ec.SECP256R1())
    r, s = decode_dss_signature(private.sign(b"m", ec.ECDSA(SHA256())))
    assert VerificationKey.of(private.public_key()).verify(r.to_bytes(32) + s.to_bytes(32), b"m")

    rsa_private = rsa.generate_private_key(65537, 2048)
    signature = rsa_private.sign(b"m", padding.PKCS1v15(), SHA256())
    assert VerificationKey.of(rsa_private.public_key()).verify(signature, b"m")


def test_es256_signature_is_64_raw_bytes_and_der_is_refused():
    private = ec.generate_private_key(ec.SECP256R1())
    key = VerificationKey.of(private.public_key())
    assert not key.verify(private.sign(b"m", ec.ECDSA(SHA256())), b"m")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    signature = LocalSigningKey(private).sign(b"m")
    assert key.verify(signature, b"m")
    assert not key.verify(signature[:32] + b"\0" + signature[32:], b"m")
    for r, s in ((0, 1), (1, 0), (order, 1), (1, order)):
        assert not key.verify(r.to_bytes(32) + s.to_bytes(32), b"m")


def test_published_forms_of_a_key_are_read_and_written_exactly():
    key = VerificationKey.from_multikey(P256_MULTIKEY)
    assert key.algorithm is Algorithm.ES256
    assert key == VerificationKey.from_jwk(P256_JWK)
    assert key.to_multikey() == P256_MULTIKEY
    assert key.to_jwk() == P256_JWK
    ed = VerificationKey.from_multikey(ED25519_MULTIKEY)
    assert ed.algorithm is Algorithm.EDDSA
    assert ed.to_multikey() == ED25519_MULTIKEY


def test_thumbprint_is_the_one_of_rfc_8037():
    assert VerificationKey.from_jwk(RFC8037_JWK).thumbprint() == RFC8037_THUMBPRINT


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_thumbprint_hashes_the_required_members_in_order_without_space(algorithm):
    public = LocalSigningKey.generate(algorithm).public
    text = json.dumps(public.to_jwk(), sort_keys=True, separators=(",", ":"))
    expected = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
    assert public.thumbprint() == expected


def test_every_small_order_ed25519_key_is_refused_in_every_form():
    encodings = small_order_encodings()
    assert len(set(encodings)) == 14
    for encoded in encodings:
        with pytest.raises(UnusableKey, match="weak_key"):
            VerificationKey.from_multikey(encode_multibase(b"\xed\x01" + encoded))
        with pytest.raises(UnusableKey, match="weak_key"):
            VerificationKey.from_jwk({"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(encoded)})


def test_openssl_alone_would_have_accepted_a_forgery_under_a_small_order_key():
    """Why the list exists: with the neutral element as key, R = S·B verifies for any message."""
    neutral = (1).to_bytes(32, "little")
    base_point = bytes.fromhex("58" + "66" * 31)
    forgery = base_point + (1).to_bytes(32, "little")
    ed25519.Ed25519PublicKey.from_public_bytes(neutral).verify(forgery, b"anything at all")


def test_non_canonical_ed25519_point_is_refused():
    for y in range(ED25519_FIELD, 2**255):
        with pytest.raises(UnusableKey, match="weak_key"):
            VerificationKey.from_multikey(encode_multibase(b"\xed\x01" + y.to_bytes(32, "little")))


def test_signature_with_a_small_order_r_does_not_verify_even_where_the_equation_holds():
    """Made with the private key and the neutral element as commitment: OpenSSL by itself accepts it."""
    private, order = ed25519.Ed25519PrivateKey.generate(), 2**252 + 27742317777372353535851937790883648493
    public = private.public_key()
    digest = bytearray(hashlib.sha512(private.private_bytes_raw()).digest()[:32])
    digest[0] &= 248
    digest[31] = digest[31] & 127 | 64
    neutral = (1).to_bytes(32, "little")
    challenge = hashlib.sha512(neutral + public.public_bytes_raw() + b"m").digest()
    scalar = int.from_bytes(challenge, "little") * int.from_bytes(digest, "little") % order
    signature = neutral + scalar.to_bytes(32, "little")
    public.verify(signature, b"m")
    assert not VerificationKey.of(public).verify(signature, b"m")


def test_small_rsa_is_refused_and_2048_bits_are_enough():
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


@pytest.mark.parametrize(
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
def test_jwk_that_is_not_a_clean_public_verification_key_is_refused(change, reason):
    with pytest.raises(UnusableKey) as refusal:
        VerificationKey.from_jwk(RFC8037_JWK | change)
    assert refusal.value.reason == reason


def test_jwk_may_name_its_use_and_algorithm_and_carry_other_members():
    extra = {"use": "sig", "key_ops": ["verify"], "alg": "EdDSA", "kid": "1", "iss": "did:web:campus.example"}
    assert VerificationKey.from_jwk(RFC8037_JWK | extra) == VerificationKey.from_jwk(RFC8037_JWK)


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


def test_curve_that_is_not_used_here_is_refused():
    with pytest.raises(UnusableKey, match="unsupported_key"):
        VerificationKey.of(ec.generate_private_key(ec.SECP384R1()).public_key())
    jwk = {"kty": "EC", "crv": "P-384", "x": P256_JWK["x"], "y": P256_JWK["y"]}
    with pytest.raises(UnusableKey, match="unsupported_key"):
        VerificationKey.from_jwk(jwk)


def test_rsa_exponent_out_of_all_proportion_is_refused():
    jwk = LocalSigningKey.generate(Algorithm.RS256).public.to_jwk()
    for exponent in (1, 2**32 + 1):
        with pytest.raises(UnusableKey):
            VerificationKey.from_jwk(jwk | {"e": encode_base64url(exponent.to_bytes(5))})


def test_private_key_that_is_no_key_is_refused_and_a_key_does_not_show_itself():
    with pytest.raises(UnusableKey):
        LocalSigningKey.from_bytes(b"0\x03\x02\x01\x00")
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    assert encode_base64url(key.to_bytes()[-32:]) not in repr(key)
    assert key.to_bytes().hex() not in repr(key)


def test_controller_of_a_signer_is_the_method_without_its_fragment():
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    assert Signer("did:web:campus.example#k", key).controller == "did:web:campus.example"


@given(st.binary(max_size=80))
def test_multibase_gives_back_every_byte_string(data):
    assert decode_multibase(encode_multibase(data)) == data
    assert decode_multibase(encode_multibase(data, "u"), "u") == data


@given(st.text(max_size=12))
def test_two_texts_never_stand_for_the_same_bytes(text):
    for base in ("z", "u"):
        try:
            data = decode_multibase(base + text, base)
        except MalformedInput:
            continue
        assert encode_multibase(data, base) == base + text


def test_base58_is_the_bitcoin_alphabet():
    assert encode_multibase(b"Hello World!") == "z2NEpo7TZRRrLZSi2U"  # draft-msporny-base58, section 5
    assert encode_multibase(bytes.fromhex("0000287fb4cd")) == "z11233QC4"


def test_base64url_takes_no_padding_space_or_spare_bits():
    assert decode_base64url("AQAB") == b"\x01\x00\x01"
    for text in ("AQ==", "AQ\n", "AQ ", "AR", "A", "AQ+/", "é"):
        with pytest.raises(MalformedInput):
            decode_base64url(text)


@pytest.mark.parametrize(
    ("name", "algorithm", "supported"),
    [("ed25519-x25519", "EdDSA", "z6Mk"), ("nist-curves", "ES256", "zDn"), ("rsa", "RS256", "z4MX")],
)
def test_published_did_keys_are_read_and_written_exactly(name, algorithm, supported):
    vectors = json.loads(shared(f"open-badges/test-vectors/did-key/{name}.json").read_text())
    read = {did.removeprefix("did:key:"): v for did, v in vectors.items() if did[8:].startswith(supported)}
    assert read
    for multikey, vector in read.items():
        key = VerificationKey.from_multikey(multikey)
        assert key.algorithm == algorithm
        assert key.to_multikey() == multikey
        jwk = vector.get("publicKeyJwk") or vector.get("verificationMethod", {}).get("publicKeyJwk")
        assert jwk in (None, key.to_jwk())
