"""Other documents that this service signs or publishes are recognised by URL and as a file, on the page and by the API."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import segno
from fastapi.testclient import TestClient

from app.domain.awards import Visibility
from sceau_credentials.proofs.data_integrity import add_plain_proof
from sceau_credentials.values import JsonObject
from tests.app.services.verification.test_verdicts import key_of_nobody
from tests.app.web.publishing.test_award_page import award
from tests.app.web.verification.test_verifier_pictures import plain
from tests.support.app import COMMAND, App, send
from tests.support.badges.credentials import NOON
from tests.support.badges.endorsed import endorsed
from tests.support.content.networks import label, network_of

LOCAL = "http://localhost:8000"
KINDS = {
    "recommendation": ("endorsement", "Recommandation ou label : en règle"),
    "recommendation as a file": ("endorsement", "Recommandation ou label : en règle"),
    "label": ("endorsement", "Recommandation ou label : en règle"),
    "trust list": ("trust_list", "Liste de campus reconnus : en règle"),
    "list of a network": ("status_list", "Liste des retraits : en règle"),
    "list of an organisation": ("status_list", "Liste des retraits : en règle"),
    "list of a campus": ("status_list", "Liste des retraits : en règle"),
    "keys of a campus": ("key_document", "Document de clés : en règle"),
    "keys of a network": ("key_document", "Document de clés : en règle"),
    "keys of an organisation": ("key_document", "Document de clés : en règle"),
    "key set": ("key_set", "Jeu de clés (JWKS) : en règle"),
}


@dataclass(frozen=True)
class Published:
    client: TestClient
    paths: dict[str, str]
    dids: dict[str, str]
    app: App

    def reported(self, presented: str | bytes) -> dict[str, Any]:
        if isinstance(presented, bytes):
            return self.client.post("/api/v1/verify", content=presented).json()
        return self.client.post("/api/v1/verify", json={"url": presented}).json()

    def shown(self, link: str) -> str:
        return plain(send(self.client, "/verifier", {"lien": link}).text)

    def served(self, name: str) -> bytes:
        return self.client.get(self.paths[name], headers={"accept": "application/json"}).content


@pytest.fixture
def published(app: App) -> Published:
    paths = app.once((__name__, "published"), lambda: _paths(app))
    return Published(app.client(), paths, {"campus": app.campus.did}, app)


def _paths(app: App) -> dict[str, str]:
    award_id = award(app)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        endorsement = endorsed(services, app.campus, award=services.awards.record(award_id))
        network = network_of(services, app.campus)
        given = label(services, network, app.campus)
    with app.unit_of_work(reading=True) as services:
        credential: JsonObject = json.loads(
            services.publication.award_file(services.awards.record(award_id), "json").body
        )
    status = str(credential["credentialStatus"]["statusListCredential"]).partition("/statuts/")[2]  # type: ignore[index,call-overload]
    organisation = f"/organisations/{endorsement.organisation_id}"
    recommendation = f"/recommandations/{endorsement.id}"
    return {
        "recommendation": recommendation,
        "recommendation as a file": f"{recommendation}.jwt",
        "label": f"/labels/{given.id}",
        "trust list": f"/reseau/{network.slug}/campus-reconnus.json",
        "list of a network": f"/reseau/{network.slug}/statuts",
        "list of an organisation": f"{organisation}/statuts",
        "list of a campus": f"/statuts/{status}",
        "keys of a campus": f"/campus/{app.campus.slug}/did.json",
        "keys of a network": f"/reseau/{network.slug}/did.json",
        "keys of an organisation": f"{organisation}/did.json",
        "key set": "/.well-known/jwks.json",
    }


@pytest.mark.parametrize("name", KINDS)
def test_the_address_of_a_document_of_this_service_is_answered_by_page_and_program(
    published: Published, name: str
):
    kind, words = KINDS[name]
    path = published.paths[name]
    for link in (f"{LOCAL}{path}", f"localhost:8000{path}"):
        assert words in published.shown(link)
    report = published.reported(f"{LOCAL}{path}")
    assert (report["verdict"], report["other"]["kind"]) == ("valid", kind)
    assert report["headline"] == words


@pytest.mark.parametrize("name", KINDS)
def test_the_same_document_as_a_file_has_the_same_answer(published: Published, name: str):
    report = published.reported(published.served(name))
    assert (report["verdict"], report["other"]["kind"]) == ("valid", KINDS[name][0])


def test_several_addresses_are_answered_in_one_table(published: Published):
    links = [f"localhost:8000{path}" for path in published.paths.values()]
    answered = published.client.post("/api/v1/verify/batch", json={"items": links}).json()["results"]
    assert [each["report"]["other"]["kind"] for each in answered] == [kind for kind, _ in KINDS.values()]
    table = plain(send(published.client, "/verifier", {"texte": "\n".join(links)}).text)
    assert table.count("Recommandation ou label : en règle") == 3
    assert table.count("Jeu de clés (JWKS) : en règle") == 1
    assert "11 autres documents, en règle" in table
    assert "non vérifiables" not in table


def test_a_paper_with_the_code_of_a_recommendation_is_not_a_recommendation(published: Published):
    out = io.BytesIO()
    segno.make(f"{LOCAL}{published.paths['recommendation']}").save(out, kind="png", scale=8)
    report = published.reported(out.getvalue())
    assert report["verdict"] == "undetermined"
    assert report["headline"] == "Ce document n’a pas été vérifié : il mène à un autre document"
    assert "À cette adresse : Recommandation ou label : en règle." in report["message"]


def test_the_answer_names_who_signed(published: Published):
    report = published.reported(f"{LOCAL}{published.paths['recommendation']}")
    assert report["other"]["issuer_name"] == "Atelier Roy"
    assert "Signé par Atelier Roy (localhost:8000/organisations/" in report["message"]


def test_the_name_of_a_campus_is_answered_with_its_keys(published: Published):
    did = published.dids["campus"]
    assert published.reported(did)["other"]["kind"] == "key_document"
    assert "Document de clés : en règle" in published.shown(did)


def test_a_short_address_given_to_a_program_is_answered_as_its_badge(app: App):
    award_id = award(app)
    with app.unit_of_work(reading=True) as services:
        short = services.addresses.short(award_id)
    report = app.client().post("/api/v1/verify", json={"url": short}).json()
    assert report["verdict"] == "valid"
    assert report["document"]["id"].endswith(str(award_id))


def test_a_withdrawn_recommendation_is_named_as_withdrawn(published: Published):
    path = published.paths["recommendation"]
    with published.app.unit_of_work() as services:
        token = services.endorsement_signing.withdraw_token(_id_in(path))
        services.endorsements_taken_back.withdraw(token)
    assert "Retiré : ce document n’est plus à cette adresse" in published.shown(f"{LOCAL}{path}")
    report = published.reported(f"{LOCAL}{path}")
    assert report["verdict"] == "undetermined"
    assert report["headline"].startswith("Retiré")


def test_a_recommendation_of_a_closed_badge_is_not_shown(published: Published):
    path = published.paths["recommendation"]
    with published.app.unit_of_work() as services:
        award_id = services.stores.endorsements.get(_id_in(path)).award_id
        services.awards.set_visibility(award_id, Visibility.CLOSED, by=COMMAND)
    assert "Nous embauchons" not in published.shown(f"{LOCAL}{path}")
    assert "Nous embauchons" not in json.dumps(published.reported(f"{LOCAL}{path}"))


def keys_in(published: Published) -> list[dict[str, Any]]:
    return json.loads(published.served("key set"))["keys"]


def test_some_keys_of_the_set_are_good_and_one_that_is_not_published_makes_it_bad(published: Published):
    keys = keys_in(published)
    of_campus = [each for each in keys if each["iss"] == published.dids["campus"]]
    report = published.reported(json.dumps({"keys": of_campus}).encode())
    assert (report["other"]["outcome"], report["other"]["issuer"]) == ("passed", "https://localhost:8000")
    added = [*keys, {**keys[0], "x": keys[0]["x"][::-1]}]
    for other in ({"keys": added}, {"keys": keys, "name": "Le campus atteste que Léa est diplômée"}):
        report = published.reported(json.dumps(other).encode())
        assert (report["verdict"], report["headline"]) == ("invalid", "Jeu de clés (JWKS) : à écarter")


@pytest.mark.parametrize("issuer", [{}, [], {"id": "x"}, 5, "", "did:web:", "https://[", "did:web:%00"])
def test_a_set_of_keys_with_an_odd_issuer_is_an_answer(published: Published, issuer: Any):
    report = published.reported(json.dumps({"keys": [{"kty": "OKP", "iss": issuer}]}).encode())
    assert (report["verdict"], report["other"]["reason"]) == ("undetermined", "publisher_not_named")


def test_a_key_set_without_an_issuer_is_undetermined(published: Published):
    bare = [{name: value for name, value in each.items() if name != "iss"} for each in keys_in(published)]
    report = published.reported(json.dumps({"keys": bare}).encode())
    assert (report["verdict"], report["other"]["reason"]) == ("undetermined", "publisher_not_named")
    assert "quel site le publie" in report["message"]
    two = [{**bare[0], "iss": "did:web:a.example"}, {**bare[0], "iss": "did:web:b.example"}]
    assert published.reported(json.dumps({"keys": two}).encode())["other"]["reason"] == "publisher_not_named"


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("BitstringStatusListCredential", {"statusPurpose": "revocation", "encodedList": "uAAAA"}),
        (
            "BitstringStatusListCredential",
            {"statusPurpose": "revocation", "encodedList": "uH4sIAAAAAAAAA2MAAI3vAtIBAAAA"},
        ),
        ("BitstringStatusListCredential", {"encodedList": ""}),
        ("RecognisedIssuersCredential", {"issuers": "did:web:x.example"}),
        ("RecognisedIssuersCredential", {"issuers": [{"name": "Sans identifiant"}]}),
        ("EndorsementCredential", {"endorsementComment": 3}),
    ],
)
def test_a_signature_over_something_unusable_makes_no_list_and_no_recommendation(
    published: Published, kind: str, subject: dict[str, Any]
):
    did, signer = key_of_nobody()
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": "https://x.example/liste",
        "type": ["VerifiableCredential", kind],
        "issuer": did,
        "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "https://x.example/liste#0", "type": kind.removesuffix("Credential")}
        | subject,
    }
    report = published.reported(json.dumps(add_plain_proof(document, signer=signer, created=NOON)).encode())
    assert report["other"]["reason"] == "schema_violation"
    assert (report["verdict"], "à écarter" in report["headline"]) == ("invalid", True)


@pytest.mark.parametrize("path", ["/recommandations/rien", "/labels/rien", "/reseau/bfc"])
def test_an_address_without_a_signed_document_is_reported(published: Published, path: str):
    assert "Aucun document signé n’est lisible" in published.shown(f"{LOCAL}{path}")


def _id_in(path: str) -> uuid.UUID:
    return uuid.UUID(path.rpartition("/")[2])
