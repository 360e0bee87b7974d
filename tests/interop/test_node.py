"""Digital Bazaar's and Panva's libraries and ours: each accepts what the other signed."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import load_der_private_key

from sceau_credentials import bake_png, bake_svg, unbake
from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.dids import jwt_method_id
from sceau_credentials.keys import Algorithm, VerificationKey
from sceau_credentials.verification.report import Verdict
from sceau_credentials.verification.run_checks import verify
from tests.interop.node_peer import NodePeer
from tests.support.badges.credentials import DID, DID_URL, NOON, Campus, badge_document
from tests.support.badges.pictures import PNG, SVG
from tests.support.shared_data import shared

pytestmark = pytest.mark.node

AT = "2026-06-30T12:00:00Z"
CARRIERS = {
    "as is": lambda text: text,
    "png": lambda text: unbake(bake_png(PNG, text)).text,
    "svg": lambda text: unbake(bake_svg(SVG, text)).text,
}


@pytest.fixture(scope="module")
def campus(node: NodePeer) -> Campus:
    campus = Campus()
    node.publish(campus.did_document)
    return campus


@pytest.mark.parametrize("carrier", CARRIERS)
def test_digital_bazaar_accepts_our_embedded_proof(carrier: str, node: NodePeer, campus: Campus) -> None:
    text = CARRIERS[carrier](campus.issue().embedded.decode())
    answer = node.call("verifyDataIntegrity", credential=json.loads(text), at=AT)
    assert answer == {"verified": True, "error": None}


def test_digital_bazaar_accepts_our_proof_in_an_array_too(node: NodePeer, campus: Campus) -> None:
    document = json.loads(campus.issue().embedded)
    answer = node.call("verifyDataIntegrity", credential=document | {"proof": [document["proof"]]}, at=AT)
    assert answer == {"verified": True, "error": None}


def test_digital_bazaar_refuses_our_badge_once_a_word_is_changed(node: NodePeer, campus: Campus) -> None:
    signed = json.loads(campus.issue().embedded)
    signed["credentialSubject"]["result"][0]["value"] = "4"
    assert node.call("verifyDataIntegrity", credential=signed, at=AT)["verified"] is False


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_jose_accepts_our_token(algorithm: Algorithm, carrier: str, node: NodePeer) -> None:
    campus = Campus(jwt_algorithm=algorithm)
    token = CARRIERS[carrier](campus.issue().token)
    answer = node.call("verifyJwt", token=token, jwk=campus.jwt_key.public.to_jwk(), at=AT)
    assert answer["verified"] is True
    assert {name: answer["payload"][name] for name in badge_document()} == badge_document()


def their_key(node: NodePeer, controller: str) -> dict[str, Any]:
    return node.call("generate", controller=controller)


def controller_document(key: dict[str, Any]) -> dict[str, Any]:
    public = {name: key[name] for name in ("id", "type", "controller", "publicKeyMultibase")}
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"],
        "id": key["controller"],
        "verificationMethod": [public],
        "assertionMethod": [key["id"]],
    }


def test_we_accept_what_digital_bazaar_signed(node: NodePeer, campus: Campus) -> None:
    key = their_key(node, DID)
    signed = node.call("signDataIntegrity", credential=badge_document(), key=key, created=AT)
    documents = campus.documents(**{DID_URL: controller_document(key)})
    report = verify(json.dumps(signed), documents=documents, at=NOON)
    assert report.check("proof").reason == "signature_holds"
    assert report.check("key").reason == "key_bound"
    # The status list is still signed by the campus's other key, which this document no longer publishes.
    assert report.check("status").reason == "status_list_not_authentic"


def test_a_badge_they_signed_without_a_status_entry_is_valid_here(node: NodePeer, campus: Campus) -> None:
    key = their_key(node, DID)
    unsigned = {name: value for name, value in badge_document().items() if name != "credentialStatus"}
    signed = node.call("signDataIntegrity", credential=unsigned, key=key, created=AT)
    documents = campus.documents(**{DID_URL: controller_document(key)})
    assert verify(json.dumps(signed), documents=documents, at=NOON).verdict is Verdict.VALID
    signed["name"] = "Autre badge"
    assert verify(json.dumps(signed), documents=documents, at=NOON).verdict is Verdict.INVALID


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_we_accept_a_token_that_jose_signed(algorithm: str, node: NodePeer) -> None:
    campus = Campus(jwt_algorithm=Algorithm(algorithm))
    document = badge_document()
    claims = {
        "iss": DID,
        "sub": document["credentialSubject"]["id"],
        "jti": document["id"],
        "nbf": 1782820800,
        "exp": 1877515200,
    }
    token = node.call(
        "signJwt",
        payload=document | claims,
        header={"alg": algorithm, "typ": "JWT", "kid": jwt_method_id(campus.published[-1].id)},
        jwk=private_jwk(campus),
    )
    assert verify(token, documents=campus.documents(), at=NOON).verdict is Verdict.VALID


def private_jwk(campus: Campus) -> dict[str, Any]:
    private = load_der_private_key(campus.jwt_key.to_bytes(), None)
    if isinstance(private, ed25519.Ed25519PrivateKey):
        secret = private.private_bytes_raw()
    else:
        assert isinstance(private, ec.EllipticCurvePrivateKey)
        secret = private.private_numbers().private_value.to_bytes(32, "big")
    return campus.jwt_key.public.to_jwk() | {"d": base64.urlsafe_b64encode(secret).rstrip(b"=").decode()}


def test_their_key_and_ours_have_the_same_written_form(node: NodePeer) -> None:
    key = their_key(node, DID)
    assert VerificationKey.from_multikey(key["publicKeyMultibase"]).to_multikey() == key["publicKeyMultibase"]


def documents_to_canonize() -> dict[str, dict[str, Any]]:
    whole = badge_document()
    return {
        "the whole badge": whole,
        "without identifier": _without(whole, "credentialSubject", "identifier"),
        "without result": _without(whole, "credentialSubject", "result"),
        "two results alike": _two_results_alike(whole),
        "hostile letters": whole
        | {"name": 'guillemets « », "droits", \\ barre,\ttabulation,\nligne, 😀 é e\u0301'},
        "status list": Campus().status_list(),
        "a number": whole | {"credentialSubject": whole["credentialSubject"] | {"creditsEarned": 42.5}},
        "a whole number": whole | {"credentialSubject": whole["credentialSubject"] | {"creditsEarned": 42}},
        "index as a number": whole
        | {"credentialStatus": whole["credentialStatus"] | {"statusListIndex": 23}},
    }


def _without(document: dict[str, Any], owner: str, member: str) -> dict[str, Any]:
    return document | {owner: {n: v for n, v in document[owner].items() if n != member}}


def _two_results_alike(document: dict[str, Any]) -> dict[str, Any]:
    """Blank nodes that only the full algorithm tells apart."""
    subject = document["credentialSubject"]
    results = [{"type": ["Result"], "value": "3"}, {"type": ["Result"], "value": "3"}]
    return document | {"credentialSubject": subject | {"result": results}}


@pytest.mark.parametrize("name", documents_to_canonize())
def test_the_bytes_we_sign_are_the_bytes_they_sign(name: str, node: NodePeer) -> None:
    document = documents_to_canonize()[name]
    assert canonical_nquads(document) == node.call("canonize", document=document)


@pytest.mark.parametrize(
    "path",
    [
        "open-badges/test-vectors/ob3-impl-guide/credential.json",
        "open-badges/test-vectors/vc-di-eddsa/unsigned.json",
    ],
)
def test_published_documents_have_the_same_canonical_form_here_and_there(path: str, node: NodePeer) -> None:
    document = json.loads(shared(path).read_text())
    assert canonical_nquads(document) == node.call("canonize", document=document)
