"""Foreign verifiers accept a credential with levels, hours and competencies practised, as this service issues it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from openbadgeslib.ob3 import ldp
from openbadgeslib.ob3.verifier import OB3Verifier
from openvc import VerificationPolicy, verify_credential
from openvc.did.base import parse_did_document

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer, decode_base64url
from tests.app.api import clients
from tests.interop.node_peer import NodePeer
from tests.interop.test_python_peers import EXTRA_CONTEXTS
from tests.interop.test_sd_jwt import ISSUER, badge, verified
from tests.support.app import App
from tests.support.content.skills import awarded, document_of, levelled

pytestmark = pytest.mark.node


def test_foreign_verifiers_accept_levels_hours_and_practice(app: App, node: NodePeer) -> None:
    app.clock.now = datetime.now(UTC).replace(microsecond=0)
    award_id = awarded(app, levelled(app).badge)
    with clients.anybody(app) as world:

        def download(url: str, *_: Any, **__: Any) -> bytes:
            path = url.replace("https://", "http://").removeprefix("http://localhost:8000")
            return world.get(path, headers={"accept": "application/vc+jwt, application/json;q=0.5"}).content

        token = world.get(f"/attributions/{award_id}.jwt").text
        text = world.get(f"/attributions/{award_id}.json").text
        keys = json.loads(download(did_web_document_url(app.campus.did)))
        listed = json.loads(text)["credentialStatus"]["statusListCredential"].removeprefix(
            "http://localhost:8000"
        )
        status_list = world.get(listed, headers={"accept": "application/vc"}).json()
        jwks = world.get("/.well-known/jwks.json").json()["keys"]
        did = app.campus.did
        assert OB3Verifier.for_issuer_did(did, download).verify(token).issuer.id == did
        assert ldp.OB3LdpVerifier.for_issuer_did(did).verify(text, download=download).issuer.id == did

    class Resolver:
        def supports(self, asked: str) -> bool:
            return asked == did

        def resolve(self, _asked: str) -> Any:
            return parse_did_document(keys)

    assert verify_credential(
        json.loads(text),
        resolver=Resolver(),
        resolve_status_list=lambda _: status_list,
        policy=VerificationPolicy(expected_types=["OpenBadgeCredential"]),
        extra_contexts=EXTRA_CONTEXTS,
    )
    node.call("documents", held={did: keys, **{each["id"]: each for each in _methods(keys)}})
    at = app.clock.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    answer = node.call("verifyDataIntegrity", credential=json.loads(text), at=at)
    assert answer == {"verified": True, "error": None}
    kid = json.loads(_decoded(token))["kid"]
    jwk = next(each for each in jwks if each["kid"] == kid)
    assert node.call("verifyJwt", token=token, jwk=jwk, at=at)["verified"] is True
    unsigned = {name: value for name, value in json.loads(text).items() if name != "proof"}
    assert node.call("canonize", document=unsigned) == canonical_nquads(unsigned)


def test_the_verifier_of_sd_jwt_reads_levels_hours_and_practice(app: App, node: NodePeer) -> None:
    """What a wallet gets of the same award."""
    document = document_of(app, awarded(app, levelled(app).badge))
    signer = Signer(f"{ISSUER}#1", LocalSigningKey.generate(Algorithm.EDDSA))
    answer = verified(node, badge(signer, document), signer)
    assert answer["verified"], answer
    subject, payload = document["credentialSubject"], answer["payload"]
    assert payload["achievement"] == subject["achievement"]
    assert payload["achievement"]["resultDescription"][0]["rubricCriterionLevel"]
    assert payload["result"] == subject["result"]
    assert {each["targetCode"] for each in payload["achievement"]["alignment"]} >= {"H3203", "CA-3"}


def _methods(keys: dict[str, Any]) -> list[dict[str, Any]]:
    context = {"@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]}
    return [{**context, **each} for each in keys["verificationMethod"]]


def _decoded(token: str) -> bytes:
    return decode_base64url(token.partition(".")[0])
