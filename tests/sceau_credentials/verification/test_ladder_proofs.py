"""The whole climb of a badge that bears several proofs."""

from __future__ import annotations

import json

from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.proofs.vc_jwt import sign_jwt
from sceau_credentials.verification.report import Verdict
from sceau_credentials.verification.run_checks import verify
from tests.sceau_credentials.verification.reports import reasons
from tests.support.badges.credentials import NOON, Campus, badge_document, without_status


def test_one_good_proof_is_enough_when_the_other_cannot_be_read(campus: Campus) -> None:
    signed = json.loads(campus.issue().embedded)
    foreign = {
        "type": "SomeProofType",
        "verificationMethod": "https://elsewhere.example#1",
        "proofPurpose": "assertionMethod",
    }
    report = verify(
        json.dumps(signed | {"proof": [foreign, signed["proof"]]}), documents=campus.documents(), at=NOON
    )
    assert report.verdict is Verdict.VALID


def test_a_good_proof_beside_a_bad_one_is_not_enough(campus: Campus) -> None:
    signed = json.loads(campus.issue().embedded)
    bad = signed["proof"] | {
        "proofValue": json.loads(campus.issue(without_status()).embedded)["proof"]["proofValue"]
    }
    report = verify(
        json.dumps(signed | {"proof": [bad, signed["proof"]]}), documents=campus.documents(), at=NOON
    )
    assert (report.verdict, reasons(report)["proof"]) == (Verdict.INVALID, "signature_mismatch")


def test_a_badge_signed_in_both_ways_at_once_is_read_as_the_token(campus: Campus) -> None:
    """B-002: the embedded proof is part of what the token carries."""
    both = sign_jwt(add_proof(badge_document(), signer=campus.signer, created=NOON), signer=campus.jwt_signer)
    report = verify(both, documents=campus.documents(), at=NOON)
    assert (report.verdict, report.form) == (Verdict.VALID, "vc_jwt")
