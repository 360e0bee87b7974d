"""Keys: what each verifies, and that its serialised forms are the published ones."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import MalformedInput, UnusableKey
from sceau_credentials.keys import (
    Algorithm,
    LocalSigningKey,
    Signer,
    VerificationKey,
    decode_base64url,
    decode_multibase,
    encode_base64url,
    encode_multibase,
)
from tests.sceau_credentials.published.published_keys import (
    ED25519_MULTIKEY,
    P256_JWK,
    P256_MULTIKEY,
    RFC8037_JWK,
    RFC8037_THUMBPRINT,
)
from tests.support.shared_data import shared


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_the_public_half_verifies_what_its_key_signs_and_nothing_else(algorithm):
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


def test_jwk_may_name_its_use_and_algorithm_and_carry_other_members():
    extra = {"use": "sig", "key_ops": ["verify"], "alg": "EdDSA", "kid": "1", "iss": "did:web:campus.example"}
    assert VerificationKey.from_jwk(RFC8037_JWK | extra) == VerificationKey.from_jwk(RFC8037_JWK)


def test_an_invalid_private_key_is_refused_and_a_key_hides_itself_in_repr():
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


@given(st.text("AQRZaz09-_+/= \n", max_size=12), st.binary(max_size=40))
def test_base64url_is_read_only_in_its_canonical_form(text: str, data: bytes):
    assert decode_base64url(encode_base64url(data)) == data
    try:
        read = decode_base64url(text)
    except MalformedInput:
        return
    assert encode_base64url(read) == text


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
