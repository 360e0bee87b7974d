"""Published documents of the standards: their signed examples verify, their other formats are named."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.values import NoDocuments
from sceau_credentials.verification.answers import Policy, secured_from_text
from sceau_credentials.verification.checks import context, schema, signature
from sceau_credentials.verification.report import CheckId, Outcome, Verdict
from sceau_credentials.verification.run_checks import verify
from tests.support.badges.documents import Documents
from tests.support.running.every import for_each
from tests.support.shared_data import SHARED_DATA, shared

AT = datetime(2026, 6, 30, 12, tzinfo=UTC)
VECTORS = Path(__file__).resolve().parents[1] / "vectors"
GUIDE = VECTORS / "ob3-impl-guide"
GUIDE_ISSUER = "https://example.edu/issuers/565049"
GUIDE_KEY = "z6MkjZRZv3aez3r18pB1RBFJR1kwUVJ5jHt92JmQwXbd5hwi"


def controller_document(controller: str, multikey: str) -> dict[str, Any]:
    method = f"{controller}#{multikey}"
    return {
        "@context": ["https://www.w3.org/ns/cid/v1"],
        "id": controller,
        "verificationMethod": [
            {"id": method, "type": "Multikey", "controller": controller, "publicKeyMultibase": multikey}
        ],
        "assertionMethod": [method],
    }


def test_the_example_of_the_implementation_guide_is_valid_once_its_issuer_publishes_the_key() -> None:
    """B-048"""
    text = (GUIDE / "signed-credential.json").read_bytes()
    documents = Documents({GUIDE_ISSUER: controller_document(GUIDE_ISSUER, GUIDE_KEY)})
    report = verify(text, documents=documents, at=AT)
    assert report.verdict is Verdict.VALID
    assert report.check(CheckId.ISSUER).details == {"domain": "example.edu"}
    assert documents.asked == [GUIDE_ISSUER]


def test_the_same_example_is_not_valid_without_that_document_although_its_address_spells_the_key() -> None:
    """B-051a: the 1EdTech validator reads the key from the fragment; that proves nothing."""
    report = verify((GUIDE / "signed-credential.json").read_bytes(), documents=NoDocuments(), at=AT)
    assert report.verdict is Verdict.UNDETERMINED


def test_the_example_is_canonicalised_as_published() -> None:
    signed = json.loads((GUIDE / "signed-credential.json").read_text())
    unsigned = {name: value for name, value in signed.items() if name != "proof"}
    canonical = canonical_nquads(unsigned)
    assert canonical == (GUIDE / "obv3p0-document-canon.txt").read_text()
    assert sha256(canonical.encode()).hexdigest().startswith("87f65a76d4014620")


def test_the_vector_of_the_cryptosuite_verifies_and_its_key_is_reported_as_foreign() -> None:
    """Its issuer is an https URL, its key a did:key: a valid signature by an unidentified signer."""
    secured = secured_from_text((VECTORS / "vc-di-eddsa" / "signedDataInt.json").read_text())
    findings = signature(
        secured, str(secured.document["issuer"]), documents=NoDocuments(), at=AT, policy=Policy()
    )
    assert findings.proof.reason == "signature_holds"
    assert findings.key.reason == "key_not_bound_to_issuer"
    controller = str(secured.claims["proof"]["verificationMethod"]).partition("#")[0]
    assert signature(secured, controller, documents=NoDocuments(), at=AT, policy=Policy()).by_the_issuer


@pytest.mark.parametrize(
    "name",
    [
        "basicOpenBadgeCredential.json",
        "fullOpenBadge.json",
        "achievementAlignmentCase.json",
        "achievementAlignmentCe.json",
        "skillAssertionCase.json",
        "skillAssertionCtdl.json",
        "impl-rp-achievement-alignment-case.json",
        "impl-rp-skill-assertion-credential-registry.json",
    ],
)
def test_the_examples_of_the_standard_have_known_contexts_and_the_right_shape(name: str) -> None:
    document = json.loads(shared(f"open-badges/examples/ob3/{name}").read_text())
    unsigned = {member: value for member, value in document.items() if member != "proof"}
    assert context(unsigned).outcome is Outcome.PASSED
    assert schema(unsigned).reason == "schema_conforms"


def published(folder: str) -> list[Path]:
    return sorted((SHARED_DATA / "open-badges" / folder).rglob("*.json"))


@for_each("path", published("examples/ob2"), ids=lambda path: path.stem)
def test_the_older_format_is_named_and_not_accepted_offline(path: Path) -> None:
    report = verify(path.read_bytes(), documents=NoDocuments(), at=AT)
    assert report.verdict is not Verdict.VALID
    assert report.document is None
    assert report.check(CheckId.READABLE).reason in ("open_badge_2", "not_an_open_badge_3")


@for_each("path", published(""), ids=lambda path: path.stem)
def test_every_published_document_yields_a_report_and_none_is_valid_without_its_issuer(path: Path) -> None:
    report = verify(path.read_bytes(), documents=NoDocuments(), at=AT)
    assert report.verdict is not Verdict.VALID
    assert [answer.id for answer in report.checks] == list(CheckId)
