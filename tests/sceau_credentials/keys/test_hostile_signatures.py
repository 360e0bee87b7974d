"""Hostile signatures: every published case gets the answer that its authors expect."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sceau_credentials.errors import UnusableKey
from sceau_credentials.keys import VerificationKey, encode_base64url
from tests.support.shared_data import shared


def test_ed25519_cases_of_wycheproof_are_all_answered_as_expected():
    groups = json.loads(shared("hostile/wycheproof/ed25519_test.json").read_text())["testGroups"]
    wrong = [
        case["tcId"]
        for group in groups
        for case in group["tests"]
        if verifies({"kty": "OKP", "crv": "Ed25519", "x": b64(group["publicKey"]["pk"])}, case)
        != (case["result"] == "valid")
    ]
    assert sum(len(group["tests"]) for group in groups) >= 150
    assert wrong == []


def test_p256_cases_of_wycheproof_are_all_answered_as_expected():
    path = shared("hostile/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json")
    groups = json.loads(path.read_text())["testGroups"]
    wrong = []
    for group in groups:
        point = bytes.fromhex(group["publicKey"]["uncompressed"])
        jwk = {"kty": "EC", "crv": "P-256", "x": b64(point[1:33].hex()), "y": b64(point[33:].hex())}
        wrong += [
            case["tcId"] for case in group["tests"] if verifies(jwk, case) != (case["result"] == "valid")
        ]
    assert sum(len(group["tests"]) for group in groups) >= 250
    assert wrong == []


def test_signature_scalar_beyond_the_group_order_is_refused():
    """S + L is the same scalar: accepting it would give each badge a second, different proof."""

    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    signature = private.sign(b"m")
    order = 2**252 + 27742317777372353535851937790883648493
    shifted = int.from_bytes(signature[32:], "little") + order
    key = VerificationKey.of(private.public_key())
    assert key.verify(signature, b"m")
    assert not key.verify(signature[:32] + shifted.to_bytes(32, "little"), b"m")


@pytest.mark.parametrize("length", [0, 1, 32, 63, 65, 96, 4096])
def test_signature_of_another_length_is_false_and_no_exception(length):
    multikeys = (
        "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
        "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv",
    )
    for multikey in multikeys:
        assert VerificationKey.from_multikey(multikey).verify(b"\x01" * length, b"m") is False


def verifies(jwk, case) -> bool:
    try:
        key = VerificationKey.from_jwk(jwk)
    except UnusableKey:
        return False
    return key.verify(bytes.fromhex(case["sig"]), bytes.fromhex(case["msg"]))


def b64(hexadecimal: str) -> str:
    return encode_base64url(bytes.fromhex(hexadecimal))
