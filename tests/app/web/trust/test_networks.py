"""Public pages of a network: page, labels, list; and what an employer reads about known and unknown issuers."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.container import Process
from app.domain.campus.campus import LabelCategory
from app.main import create_app
from app.services.trust.network_register import Named
from sceau_credentials.keys import VerificationKey
from sceau_credentials.proofs.data_integrity import add_proof
from sceau_credentials.trust import PinnedNetwork, Standing, read_trust_list
from tests.support.app import COMMAND, App, send
from tests.support.badges.credentials import DID, DID_URL, LIST_URL, NOON, Campus, badge_document
from tests.support.badges.documents import Documents
from tests.support.content.networks import NETWORK, label, network_of

ELSEWHERE = Campus()
NAME = "École des Trois-Rivières"


@pytest.fixture
def employer(app: App):
    beyond = Documents({DID_URL: ELSEWHERE.did_document, LIST_URL: ELSEWHERE.status_list(at=app.clock())})
    process = Process(app.process.settings, clock=app.clock, beyond=beyond)
    with TestClient(
        create_app(process=process), base_url="http://localhost:8000", headers={"accept": "text/html"}
    ) as client:
        yield client


def presented(**issuer: str) -> str:
    document = badge_document()
    document["issuer"] |= issuer
    document["validFrom"] = "2026-11-01T12:00:00Z"
    return json.dumps(add_proof(document, signer=ELSEWHERE.signer, created=NOON))


def read(text: str) -> str:
    """With ordinary spaces instead of narrow and non-breaking ones."""
    return text.replace("\u00a0", " ").replace("\u202f", " ")


def answer(client: TestClient, text: str) -> str:
    return read(send(client, "/verifier", {"texte": text}).text)


def report(client: TestClient, text: str) -> dict[str, Any]:
    return client.post("/api/v1/verify", content=text, headers={"content-type": "application/json"}).json()


def test_the_register_is_a_page_for_people_and_a_signed_list_for_programs(app: App, employer: TestClient):
    today = app.clock().date()
    with app.unit_of_work() as services:
        network = network_of(services, app.campus, app.other_campus)
        given = label(services, network, app.campus, today, today + timedelta(days=90))
        services.register.move(
            network, app.other_campus.did, Standing.SUSPENDED, "Visite en cours.", by=COMMAND
        )
    page = employer.get(f"/reseau/{NETWORK}").text
    for said in ("Réseau BFC", app.campus.name, "Reconnu", "Reconnaissance suspendue", "Visite en cours."):
        assert said in page
    assert f'href="/labels/{given.id}"' in page
    listed = employer.get(f"/reseau/{NETWORK}/campus-reconnus.json")
    did = employer.get(f"/reseau/{NETWORK}/did.json").json()
    key = VerificationKey.from_multikey(did["verificationMethod"][0]["publicKeyMultibase"])
    assert read_trust_list(listed.content, PinnedNetwork(key, did["id"]), at=app.clock()).sequence == 4
    again = {"if-none-match": listed.headers["etag"]}
    assert employer.get(f"/reseau/{NETWORK}/campus-reconnus.json", headers=again).status_code == 304
    context = employer.get(listed.json()["@context"][1].removeprefix("http://localhost:8000")).json()
    assert "RecognisedIssuer" in context["@context"]


def test_a_label_is_a_page_and_a_credential_and_stands_on_the_campus_page(app: App, employer: TestClient):
    today = app.clock().date()
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        given = label(services, network, app.campus, today, today + timedelta(days=90))
    path = f"/labels/{given.id}"
    page = read(employer.get(path).text)
    words = "Signature du réseau vérifiée : le label est en cours."
    assert words in page
    assert read(employer.get("/campus/itip").text).count(words) == 1
    assert f'href="{path}"' in employer.get("/campus/itip").text
    document = employer.get(path, headers={"accept": "application/vc"})
    assert document.json()["id"] == f"http://localhost:8000{path}"
    with app.unit_of_work() as services:
        services.register.withdraw_label(given.id, by=COMMAND)
    assert employer.get(path, headers={"accept": "application/json"}).status_code == 410
    withdrawn = employer.get(path)
    assert (withdrawn.status_code, "Il ne vaut plus" in withdrawn.text) == (200, True)


def test_without_a_register_recognition_is_not_mentioned(employer: TestClient):
    result = answer(employer, presented())
    assert "Reconnu" not in result
    assert "Signature valable, émetteur inconnu" in result
    assert report(employer, presented())["issuer_standing"] is None


def test_an_unknown_issuer_keeps_its_good_verdict_and_is_named_unknown(app: App, employer: TestClient):
    with app.unit_of_work() as services:
        network_of(services, app.other_campus)
    result = answer(employer, presented(name="Lycée de Brest"))
    assert "Se présente comme « Lycée de Brest » ; non vérifié." in result
    assert "Attention" not in result
    found = report(employer, presented(name="Lycée de Brest"))
    assert found["verdict"] == "valid"
    assert found["issuer_standing"]["kind"] == "self_declared"
    assert found["issuer_standing"]["lookalike"] is None


def test_a_lookalike_issuer_is_warned_of_before_all_else(app: App, employer: TestClient):
    with app.unit_of_work() as services:
        network_of(services, app.campus)
    result = answer(employer, presented(name=app.campus.name.upper()))
    assert f"ce n’est pas « {app.campus.name} »" in result
    assert result.index("ce n’est pas «") < result.index("Ce que nous avons vérifié")
    alike = report(employer, presented(name=app.campus.name.upper()))["issuer_standing"]["lookalike"]
    assert (alike["likeness"], alike["issuer"]) == ("name", app.campus.did)
    assert "badges.example/campus/itip" in alike["message"]


def test_a_campus_elsewhere_that_the_network_recognises_is_reported_with_its_label(
    app: App, employer: TestClient
):
    today = app.clock().date()
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        services.register.write(network, Named(DID, "Industrie au registre"), by=COMMAND)
        services.register.give_label(
            network, DID, LabelCategory.EXCELLENCE, starts_on=today, ends_on=today + timedelta(days=9), by=COMMAND
        )  # fmt: skip
    result = answer(employer, presented())
    assert "Industrie au registre" in result
    assert "d’excellence" in result
    found = report(employer, presented())["issuer_standing"]
    assert (found["kind"], found["network"]) == ("recognised", "Réseau BFC")
    assert [each["category"] for each in found["labels"]] == ["excellence"]
