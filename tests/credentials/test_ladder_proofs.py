"""The whole climb of a badge that bears several proofs, or shows only a part of itself."""

from __future__ import annotations

import json

from openvc.keys import P256SigningKey
from openvc.proof.ecdsa_sd import EcdsaSdProofSuite

from app.credentials import vocabulary
from app.credentials.dids import did_key
from app.credentials.keys import Algorithm, LocalSigningKey, Signer
from app.credentials.proofs.data_integrity import add_proof
from app.credentials.proofs.vc_jwt import sign_jwt
from app.credentials.verification.ladder import verify
from app.credentials.verification.report import Verdict
from app.credentials.vocabulary import CONTEXT_OB_3_0_3
from tests.credentials.reports import reasons
from tests.credentials.test_selective_disclosure import without_invented_names
from tests.support.credentials import DID_URL, NOON, Campus, badge_document, without_status


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


def did_key_signer() -> Signer:
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    return Signer(f"{did_key(key.public)}#{key.public.to_multikey()}", key)


def test_a_holder_who_shows_a_part_cannot_hide_an_end_or_a_withdrawal() -> None:
    """What an ecdsa-sd-2023 presentation leaves out is not missed by its signature."""
    campus = Campus()
    issuer = P256SigningKey.generate(f"{campus.did}#p256")
    method = {
        "id": issuer.kid,
        "type": "JsonWebKey",
        "controller": campus.did,
        "publicKeyJwk": issuer.public_jwk(),
    }
    keys = campus.did_document
    keys["verificationMethod"].append(method)
    keys["assertionMethod"].append(issuer.kid)
    mandatory = ["/@context", "/id", "/type", "/issuer", "/validFrom", "/name"]
    subject = badge_document()["credentialSubject"]
    achievement = {n: subject["achievement"][n] for n in ("id", "type", "name", "description", "criteria")}
    base = EcdsaSdProofSuite().add_base_proof(
        {n: v for n, v in badge_document().items() if n != "evidence"}
        | {"credentialSubject": {"id": subject["id"], "type": subject["type"], "achievement": achievement}},
        signing_key=issuer,
        verification_method=issuer.kid,
        mandatory_pointers=mandatory[1:],
        created=NOON,
        extra_contexts={CONTEXT_OB_3_0_3: vocabulary.context(CONTEXT_OB_3_0_3)},
    )
    shown = {
        "all": ["/credentialSubject", "/validUntil", "/credentialStatus"],
        "no end": ["/credentialSubject", "/credentialStatus"],
        "no status": ["/credentialSubject", "/validUntil"],
    }
    found: dict[str, set[tuple[Verdict, str, str]]] = {}
    for name, pointers in shown.items():
        derived = EcdsaSdProofSuite().derive_proof(
            base,
            selective_pointers=pointers,
            extra_contexts={CONTEXT_OB_3_0_3: vocabulary.context(CONTEXT_OB_3_0_3)},
        )
        part = without_invented_names(derived)
        holder = add_proof(part, signer=did_key_signer(), created=NOON)
        for presented in (json.dumps(part), json.dumps(holder)):
            report = verify(presented, documents=campus.documents(**{DID_URL: keys}), at=NOON)
            found.setdefault(name, set()).add(
                (report.verdict, reasons(report)["validity"], reasons(report)["status"])
            )
    assert found == {
        "all": {(Verdict.VALID, "in_force", "not_revoked")},
        "no end": {(Verdict.UNDETERMINED, "end_may_be_withheld", "not_revoked")},
        "no status": {(Verdict.UNDETERMINED, "in_force", "status_may_be_withheld")},
    }
