"""Proof as a JWT: what is written, and the claims that must repeat the credential."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3.verifier import OB3Verifier

from sceau_credentials.errors import MalformedInput, ProofError
from sceau_credentials.keys import Algorithm
from sceau_credentials.proofs.vc_jwt import (
    ClaimProblem,
    claim_problems,
    credential_of,
    jws_that_says,
    parse_compact_jws,
    sign_jwt,
    verify_jws,
)
from tests.sceau_credentials.signed import DID, KeyRing, credential
from tests.support.running.every import for_each

VC_1 = "https://www.w3.org/2018/credentials/v1"


@pytest.fixture
def signer():
    return KeyRing().signer()


def part(token: str, index: int):
    text = token.split(".")[index]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def claims(**changes):
    payload = credential() | {
        "iss": DID,
        "sub": "urn:uuid:0d8a4f0c-52a5-4c63-8a3e-0f6a1c9d2b77",
        "jti": "https://badges.example/attributions/7b1e7f0e-6f8c-4a53-9c5e-2f1f8f0f3c11",
        "nbf": 1782810000,
    }
    return {name: value for name, value in (payload | changes).items() if value is not ABSENT}


ABSENT = object()


def test_token_has_the_header_and_the_claims_of_open_badges_and_no_vc(signer):
    token = sign_jwt(credential(validUntil="2029-06-30T11:00:00+02:00"), signer=signer)
    assert part(token, 0) == {"alg": "EdDSA", "kid": signer.verification_method, "typ": "JWT"}
    payload = part(token, 1)
    assert payload == claims(validUntil="2029-06-30T11:00:00+02:00", exp=1877504400)
    assert datetime.fromtimestamp(payload["nbf"], UTC) == datetime(2026, 6, 30, 9, tzinfo=UTC)
    assert "=" not in token
    assert claim_problems(payload) == ()


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_token_is_signed_by_the_algorithm_of_its_key_and_read_back(algorithm):
    signer = KeyRing().signer(algorithm)
    jws = parse_compact_jws(sign_jwt(credential(), signer=signer))
    assert jws.header["alg"] == algorithm
    verify_jws(jws, signer.key.public)
    assert credential_of(jws.payload) == credential()
    with pytest.raises(ProofError, match="signature_mismatch"):
        verify_jws(jws, KeyRing().signer(algorithm).key.public)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_two_other_implementations_accept_our_token(algorithm):
    signer = KeyRing().signer(algorithm)
    token = sign_jwt(credential(validFrom="2020-01-01T00:00:00Z"), signer=signer)
    key = jwt.PyJWK(signer.key.public.to_jwk() | {"alg": algorithm.value})
    assert jwt.decode(token, key, algorithms=[algorithm.value])["jti"] == credential()["id"]
    pem = key.key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert OB3Verifier(pem).verify(token) is not None


def test_we_accept_the_token_of_another_implementation(signer):
    other = jwt.encode(
        claims(), signer.key._private, algorithm="EdDSA", headers={"kid": signer.verification_method}
    )
    jws = parse_compact_jws(other)
    verify_jws(jws, signer.key.public)
    assert jws.kid == signer.verification_method
    assert claim_problems(jws.payload) == ()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id": None}, "/id"),
        ({"issuer": {"name": "?"}}, "/issuer/id"),
        ({"credentialSubject": {"type": ["AchievementSubject"]}}, "/credentialSubject/id"),
        ({"validFrom": None}, "/validFrom"),
        ({"validFrom": "yesterday"}, "/validFrom"),
        ({"validFrom": "2026-06-30T09:00:00.5Z"}, "/validFrom"),
        ({"validUntil": "2026-06-30T09:00:00.5Z"}, "/validUntil"),
        ({"nbf": 1}, "/nbf"),
        ({"iss": "x"}, "/iss"),
        ({"vc": {}}, "/vc"),
    ],
)
def test_a_credential_that_the_claims_cannot_repeat_is_not_signed(signer, changes, pointer):
    with pytest.raises(MalformedInput) as refusal:
        sign_jwt(credential(**changes), signer=signer)
    assert refusal.value.pointer == pointer


def test_issuer_may_be_a_plain_identifier(signer):
    payload = parse_compact_jws(sign_jwt(credential(issuer=DID), signer=signer)).payload
    assert payload["iss"] == DID
    assert claim_problems(payload) == ()


@for_each(
    ("changes", "problem"),
    [
        ({"iss": ABSENT}, ("claim_missing", "iss")),
        ({"sub": ABSENT}, ("claim_missing", "sub")),
        ({"jti": ABSENT}, ("claim_missing", "jti")),
        ({"nbf": ABSENT}, ("claim_missing", "nbf")),
        ({"validUntil": "2029-06-30T09:00:00Z"}, ("claim_missing", "exp")),
        ({"iss": "did:web:evil.example"}, ("claims_disagree", "iss")),
        ({"iss": [DID]}, ("claims_disagree", "iss")),
        ({"iss": None, "issuer": ABSENT}, ("claims_disagree", "iss")),
        ({"sub": "urn:uuid:1"}, ("claims_disagree", "sub")),
        ({"jti": "https://badges.example/other"}, ("claims_disagree", "jti")),
        ({"nbf": 1782810001}, ("claims_disagree", "nbf")),
        ({"nbf": 1782810000.5}, ("claims_disagree", "nbf")),
        ({"nbf": "1782810000"}, ("claims_disagree", "nbf")),
        ({"nbf": True}, ("claims_disagree", "nbf")),
        ({"nbf": None}, ("claims_disagree", "nbf")),
        ({"nbf": 10**300}, ("claims_disagree", "nbf")),
        ({"validFrom": ABSENT}, ("claims_disagree", "nbf")),
        ({"exp": "never"}, ("claims_disagree", "exp")),
        ({"exp": True}, ("claims_disagree", "exp")),
        ({"exp": 10**300}, ("claims_disagree", "exp")),
        ({"exp": -1e300}, ("claims_disagree", "exp")),
        ({"exp": 1877504401, "validUntil": "2029-06-30T09:00:00Z"}, ("claims_disagree", "exp")),
        ({"iat": "now"}, ("claims_disagree", "iat")),
        ({"vc": {}}, ("claims_disagree", "vc")),
        ({"vp": {}}, ("claims_disagree", "vc")),
    ],
)
def test_claim_that_does_not_repeat_the_credential_is_named(changes, problem):
    assert ClaimProblem(*problem) in claim_problems(claims(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"validFrom": "2026-06-30T11:00:00.000+02:00"},
        {"nbf": 1782810000.0},
        {"iat": 1782810000, "aud": "anyone", "azp": "x"},
        {"exp": 1877504400, "validUntil": "2029-06-30T09:00:00.000Z"},
        {"exp": 1877504400},
    ],
)
def test_datetimes_are_compared_by_value_not_spelling(changes):
    """B-015"""
    assert claim_problems(claims(**changes)) == ()


def test_the_expiry_of_the_token_is_the_end_of_a_credential_without_one():
    assert credential_of(claims(exp=1877504400))["validUntil"] == "2029-06-30T09:00:00Z"
    assert "validUntil" not in credential_of(claims())
    assert (
        credential_of(claims(exp=1, validUntil="2029-06-30T09:00:00Z"))["validUntil"]
        == "2029-06-30T09:00:00Z"
    )


def test_credential_of_data_model_1_is_read_from_its_vc_claim():
    document = credential(issuanceDate="2026-06-30T09:00:00Z")
    del document["validFrom"]
    document["@context"] = [VC_1, *document["@context"][1:]]
    registered = {name: claims()[name] for name in ("iss", "sub", "jti", "nbf")}
    payload = registered | {"vc": document}
    assert credential_of(payload) == document
    assert claim_problems(payload) == ()
    assert credential_of(payload | {"exp": 1877504400})["expirationDate"] == "2029-06-30T09:00:00Z"
    unwrapped = document | registered
    assert ClaimProblem("claims_disagree", "vc") in claim_problems(unwrapped)


def test_credential_leaves_out_the_claims_of_the_token():
    assert credential_of(claims(exp=1, iat=1, aud="x", validUntil="2029-06-30T09:00:00Z")).keys() == {
        *credential(),
        "validUntil",
    }


@pytest.mark.parametrize("contexts", [[], None, "", {}, 3, [None]])
def test_payload_without_proper_contexts_is_compared_nevertheless(contexts):
    assert claim_problems(claims(**{"@context": contexts})) == ()


def test_dates_at_either_end_of_the_calendar_are_compared():
    first, last = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"
    edges = claims(validFrom=first, nbf=-62135596800, validUntil=last, exp=253402300799)
    assert claim_problems(edges) == ()
    assert ClaimProblem("claims_disagree", "exp") in claim_problems(edges | {"exp": 253402300800})


def test_token_may_be_as_long_as_allowed_and_no_longer(signer):
    token = sign_jwt(credential(), signer=signer)
    assert parse_compact_jws(token, max_length=len(token)).payload["id"] == credential()["id"]
    with pytest.raises(MalformedInput, match="too_large"):
        parse_compact_jws(token, max_length=len(token) - 1)


def test_a_token_is_recognised_by_its_claims_only_if_parsing_gives_them(signer):
    token = sign_jwt(credential(), signer=signer)
    said = parse_compact_jws(token)
    assert jws_that_says(said.payload, token) == said
    for place in range(0, len(token), 7):
        for character in ("A", "-", ".", "=", ""):
            changed = token[:place] + character + token[place + 1 :]
            try:
                known = jws_that_says(said.payload, changed)
            except MalformedInput:
                known = None
            assert known is None or known == parse_compact_jws(changed)
