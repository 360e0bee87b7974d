"""The signature is valid, and written as required (C-004). One test for each clause."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from sceau_credentials.keys import Algorithm, LocalSigningKey, encode_base64url
from sceau_credentials.verification.report import CheckId, Verdict
from tests.support.badges.credentials import badge_document
from tests.support.badges.forgery import CAMPUS, EMBEDDED, asked, token, with_proof
from tests.support.running.every import for_each


def test_the_unchanged_token_of_these_tests_is_valid() -> None:
    assert asked(token()).verdict is Verdict.VALID


@pytest.mark.parametrize("algorithm", ["none", "nOnE", "", "HS256", "ES512", "PS999", 5, None, ["EdDSA"]])
def test_an_algorithm_that_is_not_allowed_is_named(algorithm: Any) -> None:
    """B-007; T04, T05."""
    for signature in (b"", None):
        report = asked(token({"alg": algorithm}, signature=signature))
        assert (report.verdict, report.check(CheckId.PROOF).reason) == (
            Verdict.INVALID,
            "algorithm_not_allowed",
        )


@pytest.mark.parametrize("secret", ["raw", "pem", "jwk"])
def test_the_public_key_is_not_accepted_as_a_shared_secret(secret: str) -> None:
    """T05, M5."""
    jwk = CAMPUS.key.public.to_jwk()
    raw = base64.urlsafe_b64decode(str(jwk["x"]) + "=")
    material = {"raw": raw, "pem": base64.encodebytes(raw), "jwk": json.dumps(jwk).encode()}[secret]
    unsigned = token({"alg": "HS256"}, signature=b"").rpartition(".")[0]
    forged = f"{unsigned}.{encode_base64url(hmac.digest(material, unsigned.encode(), hashlib.sha256))}"
    assert asked(forged).check(CheckId.PROOF).reason == "algorithm_not_allowed"


@pytest.mark.parametrize("member", ["jku", "x5u", "x5c", "crit", "b64", "x5t#S256", "iss", "zip"])
def test_a_header_with_extra_members_is_refused_by_name(member: str) -> None:
    report = asked(token({member: "https://evil.example/keys"}))
    assert report.check(CheckId.PROOF).reason == "header_not_allowed"


@pytest.mark.parametrize("typ", ["JWE", "at+jwt", 5, "", "vp+jwt"])
def test_a_token_of_another_type_is_refused(typ: Any) -> None:
    assert asked(token({"typ": typ})).verdict is Verdict.INVALID


CLAIMS: list[tuple[str, Any, str]] = [
    ("iss", "did:web:elsewhere.example", "claims_disagree"),
    ("iss", ..., "claim_missing"),
    ("sub", "urn:uuid:00000000-0000-4000-8000-000000000000", "claims_disagree"),
    ("sub", ..., "claim_missing"),
    ("jti", "https://badges.example/attributions/other", "claims_disagree"),
    ("jti", ..., "claim_missing"),
    ("nbf", 1_000_000_000, "claims_disagree"),
    ("nbf", "1782820800", "claims_disagree"),
    ("nbf", True, "claims_disagree"),
    ("nbf", ..., "claim_missing"),
    ("exp", "1877515200", "claims_disagree"),
    ("exp", True, "claims_disagree"),
    ("exp", 9_999_999_999, "claims_disagree"),
    ("exp", 10**300, "claims_disagree"),
    ("exp", -1e300, "claims_disagree"),
    ("exp", ..., "claim_missing"),
]


@for_each(("claim", "value", "reason"), CLAIMS)
def test_a_signed_token_that_contradicts_its_badge_is_named(claim: str, value: Any, reason: str) -> None:
    """T08, B-013, B-020 to B-024: the issuer signed it, and the half that it meant is unknown."""
    report = asked(token(claims={claim: value}))
    answer = report.check(CheckId.PROOF)
    assert (report.verdict, answer.reason, answer.details["claim"]) == (Verdict.INVALID, reason, claim)


def test_other_registered_claims_do_not_affect_the_badge() -> None:
    """B-017"""
    others = {"aud": ["https://employer.example"], "iat": 1_782_820_800}
    assert asked(token(claims=others)).verdict is Verdict.VALID


@pytest.mark.parametrize("claim", ["vc", "vp"])
def test_a_badge_beside_a_second_one_in_a_wrapper_claim_is_refused(claim: str) -> None:
    report = asked(token(claims={claim: badge_document()}))
    assert report.check(CheckId.READABLE).reason == "malformed_jwt"


@pytest.mark.parametrize("digits", ["1e999", "1" * 5_000, "NaN", "Infinity", "-0"])
def test_numbers_that_parsers_disagree_about_are_refused_before_any_check(digits: str) -> None:
    head, payload, _ = token().split(".")
    text = base64.urlsafe_b64decode(payload + "==").decode().replace('"exp": ', f'"exp": {digits}, "x": ')
    signing_input = f"{head}.{encode_base64url(text.encode())}"
    forged = f"{signing_input}.{encode_base64url(CAMPUS.key.sign(signing_input.encode()))}"
    assert asked(forged).verdict is Verdict.INVALID


PROOFS: list[tuple[dict[str, Any], str]] = [
    ({"proofPurpose": "authentication"}, "proof_purpose"),
    ({"proofPurpose": ...}, "proof_malformed"),
    ({"verificationMethod": ...}, "proof_malformed"),
    ({"type": ...}, "proof_malformed"),
    ({"proofValue": ...}, "proof_malformed"),
    ({"proofValue": "u" + EMBEDDED["proof"]["proofValue"][1:]}, "proof_malformed"),
    ({"proofValue": "z" + "1" * 64}, "signature_mismatch"),
    ({"proofValue": "z"}, "proof_malformed"),
    ({"proofValue": "z" * 100_000}, "proof_malformed"),
    ({"created": "2026-07-01T12:00:00Z"}, "proof_from_the_future"),
    ({"created": "hier"}, "proof_malformed"),
    ({"expires": "2026-06-01T00:00:00Z"}, "proof_expired"),
    ({"cryptosuite": "eddsa-jcs-2022"}, "signature_mismatch"),
    ({"cryptosuite": "ecdsa-rdfc-2019"}, "algorithm_not_allowed"),
    ({"@context": {"proofPurpose": "https://evil.example/#x"}}, "proof_malformed"),
    ({"note": "x"}, "undefined_term"),
    ({"previousProof": "urn:uuid:1"}, "proof_malformed"),
]


@for_each(("changed", "reason"), PROOFS)
def test_an_invalid_proof_is_named(changed: dict[str, Any], reason: str) -> None:
    """B-030, B-034, B-036, B-046, B-047; T12."""
    report = asked(with_proof(**changed))
    assert (report.verdict, report.check(CheckId.PROOF).reason) == (Verdict.INVALID, reason)


@pytest.mark.parametrize("proof", [None, [], {}, "x", 5, [[]], ["x"], [{}] * 5, [EMBEDDED["proof"]] * 500])
def test_a_malformed_proof_is_invalid_without_a_fetch(proof: Any) -> None:
    documents = CAMPUS.documents()
    assert asked(json.dumps(EMBEDDED | {"proof": proof}), documents).verdict is Verdict.INVALID
    assert documents.asked == []


def test_an_unsupported_suite_leaves_the_verdict_open() -> None:
    report = asked(with_proof(cryptosuite="bbs-2023"))
    assert (report.verdict, report.check(CheckId.PROOF).reason) == (Verdict.UNDETERMINED, "proof_not_read")


def test_the_key_decides_the_algorithm() -> None:
    """B-011: an ES256 token under a kid that is an Ed25519 key is refused."""
    p256 = LocalSigningKey.generate(Algorithm.ES256)
    report = asked(token({"alg": "ES256"}, key=p256))
    assert report.check(CheckId.PROOF).reason == "algorithm_not_allowed"
