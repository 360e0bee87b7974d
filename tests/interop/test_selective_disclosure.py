"""Digital Bazaar's selective disclosure and ours: each derives from, and accepts, what the other signed."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, VerificationKey
from sceau_credentials.proofs.data_integrity import verify_proofs
from sceau_credentials.proofs.selective_disclosure import add_base_proof, derive_proof
from tests.app.services.learners.test_disclosure import EVERYTHING, presentation, switch
from tests.app.services.learners.test_wallets import open_award
from tests.interop.node_peer import NodePeer
from tests.support.app import App
from tests.support.badges.credentials import DID, NOON, badge_document

pytestmark = pytest.mark.node

AT = "2026-06-30T12:00:00Z"
KEY = LocalSigningKey.generate(Algorithm.ES256)
SIGNER = Signer(f"{DID}#{KEY.public.thumbprint()}", KEY)
MANDATORY = ["/id", "/issuer", "/validFrom", "/validUntil", "/credentialStatus"] + [
    f"/credentialSubject/achievement/{name}" for name in ("name", "description", "criteria")
]
CHOICES = (
    [],
    ["/name"],
    ["/evidence"],
    ["/evidence/1", "/credentialSubject/identifier"],
    ["/credentialSubject"],
    ["/name", "/credentialSubject/result", "/credentialSubject/achievement/resultDescription"],
)


def controller_document(method: str, public: VerificationKey) -> dict[str, Any]:
    key = {
        "id": method,
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": public.to_multikey(),
    }
    contexts = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
    return {"@context": contexts, "id": DID, "verificationMethod": [key], "assertionMethod": [method]}


@pytest.fixture(scope="module")
def base(node: NodePeer) -> dict[str, Any]:
    node.publish(controller_document(SIGNER.verification_method, KEY.public))
    return add_base_proof(badge_document(), MANDATORY, signer=SIGNER, created=NOON)


def believed(document: dict[str, Any], key: VerificationKey = KEY.public) -> bool:
    return verify_proofs(document, key_for=lambda _: key, at=NOON).accepted is not None


@pytest.mark.parametrize("chosen", CHOICES, ids=lambda chosen: " ".join(chosen) or "mandatory only")
def test_digital_bazaar_accepts_what_we_derive_and_refuses_it_altered(
    chosen: list[str], node: NodePeer, base: dict[str, Any]
) -> None:
    derived = derive_proof(base, chosen)
    answer = node.call("verifyDerivedProof", credential=derived, at=AT)
    assert answer == {"verified": True, "error": None}
    altered = copy.deepcopy(derived)
    altered["credentialSubject"]["achievement"]["name"] = "Autre badge"
    assert node.call("verifyDerivedProof", credential=altered, at=AT)["verified"] is False
    added = derived | {"awardedDate": "2026-06-01T00:00:00Z"}
    assert node.call("verifyDerivedProof", credential=added, at=AT)["verified"] is False


def test_digital_bazaar_does_not_take_a_base_proof_for_a_derived_one(
    node: NodePeer, base: dict[str, Any]
) -> None:
    assert node.call("verifyDerivedProof", credential=base, at=AT)["verified"] is False


@pytest.mark.parametrize("chosen", CHOICES[1:], ids=" ".join)
def test_digital_bazaar_derives_from_our_base_proof_what_we_derive(
    chosen: list[str], node: NodePeer, base: dict[str, Any]
) -> None:
    theirs = node.call("deriveProof", credential=base, selectivePointers=chosen)
    assert believed(theirs)
    assert without_proof(theirs) == without_proof(derive_proof(base, chosen))


@pytest.mark.parametrize("chosen", CHOICES[1:], ids=" ".join)
def test_we_derive_from_their_base_proof(chosen: list[str], node: NodePeer) -> None:
    key = node.call("generateP256", controller=DID)
    public = VerificationKey.from_multikey(key["publicKeyMultibase"])
    node.publish(controller_document(key["id"], public))
    signed = node.call(
        "addBaseProof",
        credential=badge_document(),
        key=key,
        mandatoryPointers=MANDATORY,
        created=AT,
    )
    derived = derive_proof(signed, chosen)
    assert believed(derived, public)
    assert node.call("verifyDerivedProof", credential=derived, at=AT)["verified"] is True


def test_digital_bazaar_accepts_what_a_learner_downloads(node: NodePeer, app: App) -> None:
    award_id = open_award(app)
    switch(app)
    with app.unit_of_work(reading=True) as services:
        node.publish(services.publication.did_of(app.campus))
    at = app.clock().isoformat().replace("+00:00", "Z")
    for names in ((), ("nom", "resultats"), tuple(EVERYTHING)):
        part = presentation(app, award_id, *names)
        answer = node.call("verifyDerivedProof", credential=part, at=at)
        assert answer == {"verified": True, "error": None}
        altered = part | {"name": "Autre badge"}
        assert node.call("verifyDerivedProof", credential=altered, at=at)["verified"] is False


def without_proof(document: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps({name: value for name, value in document.items() if name != "proof"}))
