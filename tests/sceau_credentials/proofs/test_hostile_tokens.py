"""Hostile tokens: one spelling for each, no algorithm but the key's, no key but the issuer's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import Algorithm, encode_base64url
from sceau_credentials.proofs.vc_jwt import check_header, parse_compact_jws, sign_jwt, verify_jws
from tests.sceau_credentials.signed import KeyRing, credential
from tests.support.running.every import for_each
from tests.support.shared_data import shared

SIGNER = KeyRing().signer()
TOKEN = sign_jwt(credential(), signer=SIGNER)
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")


def text(value) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return encode_base64url(data)


def signed(header, payload=PAYLOAD) -> str:
    """A token with this header, correctly signed by the good key."""
    signing_input = f"{text(header)}.{payload}"
    return f"{signing_input}.{text(SIGNER.key.sign(signing_input.encode()))}"


def with_header(header: bytes) -> str:
    return f"{encode_base64url(header)}.{PAYLOAD}.{SIGNATURE}"


def with_payload(payload: bytes) -> str:
    return f"{HEADER}.{encode_base64url(payload)}.{SIGNATURE}"


@for_each(
    "token",
    [
        pytest.param("", id="nothing"),
        pytest.param("a.b", id="two-parts"),
        pytest.param(f"{TOKEN}.x", id="four-parts"),
        pytest.param(f".{PAYLOAD}.{SIGNATURE}", id="no-header"),
        pytest.param(f"{HEADER}..{SIGNATURE}", id="detached-payload"),
        pytest.param(f"{TOKEN}==", id="padding"),
        pytest.param(f"{TOKEN}\n", id="newline"),
        pytest.param(f" {TOKEN}", id="space"),
        pytest.param(f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-2]}+/", id="other-alphabet"),
        pytest.param(f"{HEADER}.{PAYLOAD}.{SIGNATURE[:-1]}", id="impossible-length"),
        pytest.param(with_header(b"[]"), id="header-is-a-list"),
        pytest.param(with_header(b"not json"), id="header-is-no-json"),
        pytest.param(with_header(b'{"alg":"none","alg":"EdDSA"}'), id="alg-twice"),
        pytest.param(with_header(b'{"a":' * 9 + b"1" + b"}" * 9), id="deep-header"),
        pytest.param(with_payload(b"[]"), id="payload-is-a-list"),
        pytest.param(with_payload(b'{"iss":"a","iss":"b"}'), id="claim-twice"),
        pytest.param(with_payload(b'{"exp":NaN}'), id="nan"),
        pytest.param(with_payload(b'{"exp":1e999}'), id="infinite"),
        pytest.param(with_payload(b'{"exp":' + b"9" * 5000 + b"}"), id="endless-number"),
        pytest.param(with_payload('{"a":1}'.encode("utf-16")), id="utf-16"),
        pytest.param(with_payload(b'\xef\xbb\xbf{"a":1}'), id="byte-order-mark"),
        pytest.param(with_payload(b'{"a":"\\ud800"}'), id="lone-surrogate"),
        pytest.param(with_payload(b"[" * 40_000), id="deep"),
        pytest.param(with_payload(b'{"a":"' + b"x" * 60_000 + b'"}'), id="large"),
        pytest.param('{"payload":"","signatures":[]}', id="json-serialization"),
    ],
)
def test_text_that_is_not_a_strict_compact_jws_is_refused_by_the_parser(token):
    """B-018"""
    with pytest.raises(MalformedInput):
        parse_compact_jws(token)


def test_last_character_of_a_signature_has_one_spelling():
    """64 bytes leave four spare bits in the last character: 16 texts would be one signature."""
    accepted = 0
    for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_":
        with suppress(MalformedInput, ProofError):
            verify_jws(parse_compact_jws(TOKEN[:-1] + character), SIGNER.key.public)
            accepted += 1
    assert accepted == 1


@for_each(
    "algorithm",
    ["none", "None", "nOnE", "NONE", "", "HS256", "HS384", "HS512", "PS256", "ES512", "RS1", "eddsa", None, 1, ["EdDSA"], {}],
)  # fmt: skip
def test_only_the_three_algorithms_are_accepted(algorithm):
    for token in (signed({"alg": algorithm}), f"{text({'alg': algorithm})}.{PAYLOAD}."):
        jws = parse_compact_jws(token)
        for check in (check_header, lambda jws: verify_jws(jws, SIGNER.key.public)):
            with pytest.raises(ProofError, match="algorithm_not_allowed"):
                check(jws)


def test_header_without_algorithm_is_refused():
    with pytest.raises(ProofError, match="algorithm_not_allowed"):
        check_header(parse_compact_jws(signed({"kid": "k"})))


def test_the_algorithm_in_the_header_must_be_that_of_the_key():
    for algorithm in (Algorithm.ES256, Algorithm.RS256):
        with pytest.raises(ProofError, match="algorithm_not_allowed"):
            verify_jws(parse_compact_jws(signed({"alg": algorithm.value})), SIGNER.key.public)
    verify_jws(parse_compact_jws(signed({"alg": "Ed25519"})), SIGNER.key.public)


@pytest.mark.parametrize("secret", [
    SIGNER.key.public.encoded,
    json.dumps(SIGNER.key.public.to_jwk()).encode(),
    SIGNER.key.public.to_multikey().encode(),
    b"-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA" + base64.b64encode(SIGNER.key.public.encoded) + b"\n",
], ids=["raw", "jwk", "multikey", "pem"])  # fmt: skip
def test_a_public_key_is_never_used_as_a_shared_secret(secret):
    for algorithm in ("HS256", "EdDSA"):
        signing_input = f"{text({'alg': algorithm})}.{PAYLOAD}"
        mac = hmac.new(secret, signing_input.encode(), hashlib.sha256).digest()
        for signature in (mac, mac + mac):
            with pytest.raises(ProofError):
                verify_jws(parse_compact_jws(f"{signing_input}.{text(signature)}"), SIGNER.key.public)


@for_each(
    "members",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"jku": "https://169.254.169.254/latest"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MII"]},
        {"x5t": "a"},
        {"zip": "DEF"},
        {"iss": "did:web:evil.example"},
        {"typ": "JOSE"},
        {"typ": "at+jwt"},
        {"typ": ["JWT"]},
        {"typ": None},
        {"kid": ["k"]},
        {"kid": {"$ne": 1}},
        {"kid": None},
        {"jwk": "key"},
        {"jwk": None},
    ],
)
def test_header_member_that_could_affect_the_check_is_refused(members):
    jws = parse_compact_jws(signed({"alg": "EdDSA"} | members))
    with pytest.raises(ProofError, match="header_not_allowed"):
        verify_jws(jws, SIGNER.key.public)


@for_each(
    "member",
    [
        "enc",
        "epk",
        "apu",
        "apv",
        "iv",
        "tag",
        "p2s",
        "p2c",
        "url",
        "nonce",
        "x5t#S256",
        "x5t",
        "x5c",
        "zip",
        "b64",
    ],
)
def test_header_members_of_encrypted_or_other_tokens_are_refused(member):
    with pytest.raises(ProofError, match="header_not_allowed"):
        check_header(parse_compact_jws(signed({"alg": "EdDSA", member: "x"})))


@pytest.mark.parametrize("kind", ["JWT", "vc+jwt", "application/vc+jwt"])
def test_either_published_type_of_a_token_is_read(kind):
    verify_jws(parse_compact_jws(signed({"alg": "EdDSA", "typ": kind})), SIGNER.key.public)


def test_a_key_inside_a_token_is_not_used_to_verify_it():
    forger = KeyRing().signer()
    header = {"alg": "EdDSA", "jwk": forger.key.public.to_jwk()}
    signing_input = f"{text(header)}.{PAYLOAD}"
    token = f"{signing_input}.{text(forger.key.sign(signing_input.encode()))}"
    jws = parse_compact_jws(token)
    assert jws.jwk == forger.key.public.to_jwk()
    with pytest.raises(ProofError, match="signature_mismatch"):
        verify_jws(jws, SIGNER.key.public)


def test_a_der_signature_is_not_accepted_for_es256():
    signer = KeyRing().signer(Algorithm.ES256)
    token = sign_jwt(credential(), signer=signer)
    jws = parse_compact_jws(token)
    r, s = (int.from_bytes(half) for half in (jws.signature[:32], jws.signature[32:]))
    der = f"{token.rpartition('.')[0]}.{text(encode_dss_signature(r, s))}"
    with pytest.raises(ProofError, match="signature_mismatch"):
        verify_jws(parse_compact_jws(der), signer.key.public)


@given(st.integers(0, len(TOKEN) - 1), st.characters(codec="ascii"))
def test_any_change_of_a_character_breaks_the_token(position, character):
    changed = TOKEN[:position] + character + TOKEN[position + 1 :]
    if changed == TOKEN:
        return
    with pytest.raises((MalformedInput, ProofError)):
        verify_jws(parse_compact_jws(changed), SIGNER.key.public)


def test_naughty_strings_are_refused():
    for line in json.loads(shared("hostile/blns/blns.json").read_text()):
        with pytest.raises(MalformedInput):
            parse_compact_jws(line)
