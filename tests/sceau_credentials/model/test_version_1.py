"""Badges on version 1.1 of the W3C data model are verified like others, and never written (a.13)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import Signer, encode_base64url, encode_multibase
from sceau_credentials.model import OpenBadgeCredential
from sceau_credentials.proofs.data_integrity import add_proof, hash_rdfc, proof_options
from sceau_credentials.verification.findings import RemarkCode
from sceau_credentials.verification.report import CheckId, Report, Verdict
from tests.support.badges.credentials import DID, NOON, Campus, badge_document
from tests.support.badges.forgery import CAMPUS, FORGER, asked

V1 = "https://www.w3.org/2018/credentials/v1"
OB = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
STATUS = "https://www.w3.org/ns/credentials/status/v1"
DATA_INTEGRITY = "https://w3id.org/security/data-integrity/v1"
ED25519_2020 = "https://w3id.org/security/suites/ed25519-2020/v1"


def version_1(*contexts: str, **changed: Any) -> dict[str, Any]:
    document = badge_document()
    document["issuanceDate"] = document.pop("validFrom")
    document["expirationDate"] = document.pop("validUntil")
    document["@context"] = [V1, OB, STATUS, *contexts]
    return {name: value for name, value in (document | changed).items() if value is not ...}


def embedded(kind: str, document: dict[str, Any], signer: Signer = CAMPUS.signer) -> str:
    """Signed with a proof type that we read and do not write."""
    options = proof_options(signer, NOON)
    if kind == "Ed25519Signature2020":
        options = {n: v for n, v in options.items() if n != "cryptosuite"} | {"type": kind}
    else:
        options["cryptosuite"] = kind
    value = encode_multibase(signer.key.sign(hash_rdfc(document, options)))
    return json.dumps(document | {"proof": options | {"proofValue": value}})


def token(document: dict[str, Any], *, wrapped: bool = True, **claims: Any) -> str:
    header = {"alg": "EdDSA", "kid": CAMPUS.jwt_signer.verification_method, "typ": "JWT"}
    repeated = {
        "iss": DID,
        "sub": document["credentialSubject"]["id"],
        "jti": document["id"],
        "nbf": int(NOON.timestamp()),
        "exp": 1_877_515_200,
    }
    inside = {"vc": document} if wrapped else document
    payload = {n: v for n, v in {**inside, **repeated, **claims}.items() if v is not ...}
    signing_input = ".".join(encode_base64url(json.dumps(each).encode()) for each in (header, payload))
    return f"{signing_input}.{encode_base64url(CAMPUS.key.sign(signing_input.encode()))}"


def reason(report: Report, check: CheckId) -> str:
    return report.check(check).reason


@pytest.mark.parametrize(
    ("kind", "context"),
    [
        ("eddsa-rdfc-2022", DATA_INTEGRITY),
        ("eddsa-2022", DATA_INTEGRITY),
        ("eddsa-2022", "https://w3id.org/security/data-integrity/v2"),
        ("Ed25519Signature2020", ED25519_2020),
    ],
)
def test_an_embedded_proof_under_the_older_data_model_is_verified(kind: str, context: str) -> None:
    """A-085, B-005."""
    report = asked(embedded(kind, version_1(context)))
    assert (report.verdict, reason(report, CheckId.STATUS)) == (Verdict.VALID, "not_revoked")
    assert report.document is not None
    assert report.document["issuanceDate"] == "2026-06-30T12:00:00Z"
    assert [remark.code for remark in report.remarks] == [RemarkCode.VERSION_1]


def test_a_token_that_wraps_the_older_data_model_is_verified() -> None:
    """B-012, B-019 step 6, B-025."""
    report = asked(token(version_1()))
    assert (report.verdict, report.form) == (Verdict.VALID, "vc_jwt")
    assert report.document == version_1()


def test_the_wrapper_claim_requires_the_older_data_model_and_vice_versa() -> None:
    """B-025, A-087."""
    bare = asked(token(version_1(), wrapped=False))
    assert (bare.verdict, bare.check(CheckId.PROOF).details) == (Verdict.INVALID, {"claim": "vc"})
    newer = asked(token(badge_document()))
    assert newer.verdict is not Verdict.VALID
    both = asked(token(version_1(), **{n: v for n, v in badge_document().items() if n != "vc"}))
    assert (both.verdict, both.check(CheckId.READABLE).details) == (Verdict.INVALID, {"cause": "vc_claim"})


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        (version_1(validFrom="2026-06-30T12:00:00Z"), "/validFrom"),
        (version_1(validUntil="2029-06-30T12:00:00Z"), "/validUntil"),
        (badge_document() | {"issuanceDate": "2026-06-30T12:00:00Z"}, "/issuanceDate"),
        (badge_document() | {"expirationDate": "2026-06-30T12:00:00Z"}, "/expirationDate"),
    ],
)
def test_dates_of_one_version_under_the_context_of_the_other_are_refused(
    document: dict[str, Any], pointer: str
) -> None:
    """A-087."""
    answer = asked(json.dumps(document)).check(CheckId.SCHEMA)
    assert (answer.reason, answer.details) == (
        "schema_violation",
        {"cause": "date_of_another_version", "pointer": pointer},
    )


@pytest.mark.parametrize("missing", ["name", "issuanceDate", "issuer", "credentialSubject"])
def test_the_older_version_has_its_own_required_members(missing: str) -> None:
    """A-085."""
    answer = asked(json.dumps(version_1(**{missing: ...}))).check(CheckId.SCHEMA)
    assert (answer.reason, answer.details["pointer"]) == ("schema_violation", f"/{missing}")


def test_the_issuer_of_the_older_version_may_not_be_a_bare_url() -> None:
    answer = asked(json.dumps(version_1(issuer=DID))).check(CheckId.SCHEMA)
    assert answer.details == {"cause": "wrong_type", "pointer": "/issuer"}


def test_the_dates_of_the_older_version_are_enforced() -> None:
    """C-007."""
    over = version_1(
        DATA_INTEGRITY, expirationDate="2026-06-29T12:00:00Z", issuanceDate="2026-06-01T12:00:00Z"
    )
    assert reason(asked(embedded("eddsa-2022", over)), CheckId.VALIDITY) == "expired"
    early = version_1(DATA_INTEGRITY, issuanceDate="2026-07-30T12:00:00Z")
    assert reason(asked(embedded("eddsa-2022", early)), CheckId.VALIDITY) == "not_yet_valid"


def test_members_that_the_older_context_does_not_cover_are_refused_too() -> None:
    changed = json.loads(embedded("eddsa-2022", version_1(DATA_INTEGRITY))) | {"name": "Autre chose"}
    assert reason(asked(json.dumps(changed)), CheckId.PROOF) == "signature_mismatch"
    foreign = Signer(CAMPUS.signer.verification_method, FORGER.key)
    forged = embedded("eddsa-2022", version_1(DATA_INTEGRITY), foreign)
    assert reason(asked(forged), CheckId.PROOF) == "signature_mismatch"
    unsigned_entry = version_1(DATA_INTEGRITY, **{"@context": [V1, OB, DATA_INTEGRITY]})
    answer = asked(json.dumps(unsigned_entry | {"proof": json.loads(SIGNED)["proof"]})).check(CheckId.PROOF)
    assert (answer.reason, answer.details["pointer"]) == ("undefined_term", "/credentialStatus/statusPurpose")


SIGNED = embedded("eddsa-2022", version_1(DATA_INTEGRITY))


def test_an_endorsement_inside_is_of_the_same_version() -> None:
    """A-078: it has its own contexts."""
    endorsement = {
        "@context": [V1, OB, DATA_INTEGRITY],
        "id": "urn:uuid:1b2d5f3a-8a54-4f4e-9d59-6a6d0b9a3f01",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Avis d'une entreprise",
        "issuer": {"id": "did:web:entreprise.example", "type": ["Profile"]},
        "issuanceDate": "2026-06-30T12:00:00Z",
        "credentialSubject": {"id": badge_document()["id"], "type": ["EndorsementSubject"]},
    }
    signer = Campus(did="did:web:entreprise.example").signer
    inner = add_proof(endorsement, signer=signer, created=NOON)
    report = asked(embedded("eddsa-2022", version_1(DATA_INTEGRITY, endorsement=[inner])))
    assert (reason(report, CheckId.SCHEMA), report.verdict) == ("schema_conforms", Verdict.VALID)


def test_nothing_of_the_older_version_is_ever_written() -> None:
    """A-086."""
    with pytest.raises(MalformedInput):
        OpenBadgeCredential.from_document(version_1())
