"""The verifier recognises lists, labels and key documents, with issuer and validity."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from app.domain.campus.campus import LabelCategory
from app.services.verification import verdicts
from app.services.verification.answers import Answer
from app.services.verification.verdicts import HeadlineKind
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.verification.report import Verdict
from tests.app.services.verification.test_verdicts import key_of_nobody
from tests.support.app import COMMAND, App
from tests.support.badges.credentials import Campus
from tests.support.content.networks import NETWORK, network_of
from tests.support.running.every import for_each

K = HeadlineKind
CONTEXT_3_0_3 = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"


@pytest.fixture
def published(app: App) -> dict[str, bytes]:
    """One of each document that this service publishes."""
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        label = services.register.give_label(
            network,
            app.campus.did,
            LabelCategory.EXCELLENCE,
            starts_on=app.clock().date(),
            ends_on=None,
            by=COMMAND,
        )
    with app.unit_of_work() as services:
        return {
            "trust list": services.network_documents.trust_list(NETWORK).body,
            "label": services.network_documents.label(label.id).body,
            "status list of labels": services.network_documents.status_list(NETWORK).body,
            "network keys": services.network_documents.did(NETWORK).body,
            "campus keys": services.publication.campus_did(app.campus.slug).body,
        }


def ask(app: App, presented: bytes) -> Answer:
    with app.unit_of_work(reading=True) as services:
        return services.verification.verify(presented)


EVERY = ["trust list", "label", "status list of labels", "network keys", "campus keys"]


@for_each("name", EVERY)
def test_each_published_document_is_named_and_valid(app: App, published: dict[str, bytes], name: str):
    answer = ask(app, published[name])
    result = verdicts.headline(answer)
    assert answer.other is not None
    assert (result.kind, answer.verdict) == (K.DOCUMENT_GOOD, Verdict.VALID), answer.other
    assert "localhost:8000" in result.text()
    assert result.state != "ok", "it is no badge"


def changed(body: bytes) -> bytes:
    document = json.loads(body)
    return json.dumps(document | {"name": "Autre nom", "alsoKnownAs": ["https://autre.example"]}).encode()


def unsigned(body: bytes) -> bytes:
    return json.dumps({name: value for name, value in json.loads(body).items() if name != "proof"}).encode()


@for_each("name", EVERY)
@for_each("change", [changed, unsigned])
def test_altered_document_is_not_valid(
    app: App, published: dict[str, bytes], name: str, change: Callable[[bytes], bytes]
):
    if "keys" in name and change is unsigned:
        pytest.skip("nobody signs a key document")
    answer = ask(app, change(published[name]))
    assert (verdicts.headline(answer).kind, answer.verdict) == (K.DOCUMENT_BAD, Verdict.INVALID)


def test_addresses_of_documents_are_verified_too(app: App, published: dict[str, bytes]):
    assert set(published) == set(EVERY)
    with app.unit_of_work(reading=True) as services:
        address = services.addresses.trust_list(NETWORK)
        assert services.verification.verify(address).verdict is Verdict.VALID
    page = app.client().get("/verifier", params={"lien": address})
    assert "Liste de campus reconnus" in page.text
    result = app.client().post("/api/v1/verify", content=published["trust list"]).json()
    assert (result["verdict"], result["other"]["kind"]) == ("valid", "trust_list")


def test_foreign_list_with_unreachable_keys_is_undetermined(app: App):
    listed = json.dumps(Campus().status_list()).encode()
    answer = ask(app, listed)
    assert (verdicts.headline(answer).kind, answer.verdict) == (K.DOCUMENT_OPEN, Verdict.UNDETERMINED)


@pytest.mark.parametrize("kind", ["EndorsementCredential", "BitstringStatusListCredential"])
def test_document_of_an_unknown_issuer_is_not_reported_as_recognised(app: App, kind: str):
    did, signer = key_of_nobody()
    listed = Campus().status_list()["credentialSubject"]
    comment = {
        "id": "https://faux.example",
        "type": "EndorsementSubject",
        "endorsementComment": "Un campus reconnu.",
    }
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", CONTEXT_3_0_3],
        "id": "urn:uuid:6f1b1c1e-0000-4000-8000-000000000001",
        "type": ["VerifiableCredential", kind],
        "name": "Campus reconnus",
        "issuer": {"id": did, "type": "Profile", "name": app.campus.name},
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": comment if kind == "EndorsementCredential" else listed,
    }
    answer = ask(app, json.dumps(add_proof(document, signer=signer, created=app.clock())).encode())
    result = verdicts.headline(answer)
    assert answer.other is not None
    assert result.kind is not K.DOCUMENT_GOOD or "émetteur inconnu" in result.title()
    assert (result.state, result.seal) == ("unk", "unk")


def test_other_data_are_not_a_badge(app: App):
    for presented in (b'{"a": 1}', b'{"id": "did:web:x.example"}', b"[]"):
        answer = ask(app, presented)
        assert answer.other is None
        assert verdicts.headline(answer).kind is K.NOT_A_BADGE
