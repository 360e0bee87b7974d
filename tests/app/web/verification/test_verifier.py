"""The verifier's page: takes a file, a text or a link, gives one answer, and stores nothing."""

from __future__ import annotations

import json
import re

import pytest
from fastapi.testclient import TestClient

from sceau_credentials.dids import did_key
from sceau_credentials.keys import Algorithm, LocalSigningKey, Signer
from sceau_credentials.proofs.data_integrity import add_proof
from tests.app.web.publishing.test_award_page import award
from tests.support.app import App, asked_of, send
from tests.support.badges.credentials import NOON, badge_document
from tests.support.badges.pictures import PNG


@pytest.fixture
def employer(app: App) -> TestClient:
    return app.client()


def files_of(app: App, award_id) -> dict[str, bytes]:
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        return {
            form: services.publication.award_file(record, form).body for form in ("json", "jwt", "png", "svg")
        }


def drop(client: TestClient, body: bytes, name: str = "badge") -> str:
    answer = send(client, "/verifier", files={"fichier": (name, body)})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("form", ["json", "jwt", "png", "svg"])
def test_the_file_of_a_closed_award_gets_the_whole_answer(app: App, employer: TestClient, form: str):
    files = files_of(app, award(app, is_open=False))
    page = drop(employer, files[form])
    assert "Authentique, en cours de validité" in page
    assert "Zoé N’Diaye" in page
    assert "og:" not in page


@pytest.mark.parametrize("form", ["json", "jwt"])
def test_a_pasted_text_gets_the_same_answer(app: App, employer: TestClient, form: str):
    text = files_of(app, award(app, is_open=False))[form].decode()
    page = send(employer, "/verifier", {"texte": f"\n  {text}\n"}).text
    assert "Authentique, en cours de validité" in page


def test_a_text_in_the_field_for_links_is_understood(app: App, employer: TestClient):
    token = files_of(app, award(app))["jwt"].decode()
    assert "Authentique" in send(employer, "/verifier", {"lien": token}).text


@pytest.mark.parametrize(
    "written", ["http://localhost:8000/attributions/{}", "localhost:8000/attributions/{}.png"]
)
def test_the_link_of_an_open_award_leads_to_its_page(app: App, employer: TestClient, written: str):
    award_id = award(app)
    answer = send(employer, "/verifier", {"lien": written.format(award_id)})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/attributions/{award_id}")


def test_the_first_page_s_short_form_leads_there_too(app: App, employer: TestClient):
    award_id = award(app)
    answer = employer.get("/verifier", params={"lien": f"localhost:8000/attributions/{award_id}"})
    assert answer.headers["location"] == f"/attributions/{award_id}"


def test_the_link_of_a_closed_award_is_answered_as_closed(app: App, employer: TestClient):
    award_id = award(app, is_open=False)
    page = send(employer, "/verifier", {"lien": f"http://localhost:8000/attributions/{award_id}"})
    assert "Page fermée par son titulaire" in page.text
    assert "Zoé" not in page.text


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://autre.example/badge/1", "Pas de badge lisible à cette adresse"),
        ("autre.example/badge/1", "Pas de badge lisible à cette adresse"),
        (
            "http://localhost:8000/attributions/9f3d2e7a-0000-4000-8000-000000000000",
            "Aucun badge à cette adresse",
        ),
        ("localhost:8000/campus/itip", "l’adresse d’un campus"),
        ("http://localhost:8000/aide", "n’est pas celle d’un badge"),
    ],
)
def test_other_links_are_explained_and_stay_in_the_field(employer: TestClient, link: str, words: str):
    page = send(employer, "/verifier", {"lien": link}).text
    assert words in page
    assert f'value="{link}"' in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (PNG, "Cette image ne contient pas de badge"),
        (b'{"rien": 1}', "Ce n’est pas un badge"),
        (b"\x00\x01", "Ce fichier n’a pas pu être lu"),
    ],
)
def test_a_file_that_is_not_a_badge_is_explained_with_what_to_do(
    employer: TestClient, body: bytes, words: str
):
    page = drop(employer, body)
    assert words in page
    assert "Que faire" in page
    assert 'action="/verifier"' in page


def test_a_truncated_picture_is_unreadable(app: App, employer: TestClient):
    png = files_of(app, award(app))["png"]
    assert "n’a pas pu être lu" in drop(employer, png[: len(png) // 2])


def test_an_altered_file_is_not_genuine_and_its_claims_are_not_shown_as_facts(app: App, employer: TestClient):
    body = files_of(app, award(app))["json"].replace("Zoé".encode(), "Léa".encode())
    page = drop(employer, body)
    assert "Non authentique" in page
    claims = page[page.index("Ce que le fichier affirme") :]
    assert "Léa" not in page[: page.index("Ce que le fichier affirme")]
    assert "Selon le fichier" in claims
    assert "Conforme<" not in page
    assert "image.svg" not in page


def test_hostile_text_of_a_file_is_shown_inert(employer: TestClient):
    badge = badge_document()
    badge["name"] = badge["credentialSubject"]["achievement"]["name"] = "<script>alert(1)</script>\u202e"
    badge["issuer"]["name"] = '"><img src=x onerror=alert(2)>'
    badge["proof"] = {"type": "DataIntegrityProof"}
    page = drop(employer, json.dumps(badge).encode())
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_a_badge_that_a_stranger_signed_is_shown_inert_and_without_links(employer: TestClient):
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    did = did_key(key.public)
    badge = badge_document()
    del badge["credentialStatus"]
    badge["issuer"] = {"id": did, "type": ["Profile"], "name": '<b onclick="x">Banque</b>\u202e'}
    achievement = badge["credentialSubject"]["achievement"]
    achievement["name"] = "<script>alert(1)</script>"
    achievement["criteria"]["narrative"] = "[Gagnez](https://piege.example) <iframe src=//piege.example>"
    signer = Signer(f"{did}#{did.removeprefix('did:key:')}", key)
    page = drop(employer, json.dumps(add_proof(badge, signer=signer, created=NOON)).encode())
    assert "Signature valable, émetteur inconnu" in page
    assert "Personne ne répond de ce nom" in page
    for alive in ("<script>alert", "<iframe", "<b onclick", 'href="https://', "\u202e"):
        assert alive not in page


def test_a_signed_text_is_checked_as_it_was_pasted(employer: TestClient):
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    did = did_key(key.public)
    badge = badge_document()
    del badge["credentialStatus"]
    badge["issuer"] = {"id": did, "type": ["Profile"], "name": "Ban\u202eque"}
    signer = Signer(f"{did}#{did.removeprefix('did:key:')}", key)
    text = json.dumps(add_proof(badge, signer=signer, created=NOON), ensure_ascii=False)
    page = send(employer, "/verifier", {"texte": f"\n{text}\n"}).text
    assert "Signature valable, émetteur inconnu" in page


def test_an_empty_form_is_refused_beside_the_field(employer: TestClient):
    answer = send(employer, "/verifier", {})
    assert answer.status_code == 422
    assert "un seul suffit" in answer.text


def test_a_form_from_elsewhere_is_refused(employer: TestClient):
    assert employer.post("/verifier", data={"lien": "x"}).status_code == 403


def test_the_answer_about_an_uploaded_file_is_not_cached(app: App, employer: TestClient):
    body = files_of(app, award(app))["json"]
    answer = send(employer, "/verifier", files={"fichier": ("b.json", body)})
    assert answer.headers["cache-control"] == "no-store"


def test_lists_keys_and_log_tiles_are_read_once_for_all_who_verify(app: App, employer: TestClient) -> None:
    first, second = (files_of(app, award(app, is_open=False))["json"] for _ in range(2))
    drop(employer, first)
    with asked_of(app) as asked:
        drop(employer, second)
    tables = {table for statement, _ in asked for table in re.findall(r"\bFROM (\w+)", statement)}
    assert tables.isdisjoint({"trust_edition", "followed_list", "signing_key", "status_list", "log_witness"})


@pytest.mark.parametrize("field", ["texte", "lien"])
def test_a_badge_is_verified_as_it_was_pasted_in_any_field(app: App, employer: TestClient, field: str):
    """Characters that turn the direction of a text used to be removed from links: changes made with them passed."""
    badge = json.loads(files_of(app, award(app, is_open=False))["json"])
    changed = json.dumps({**badge, "name": f"\u202e{badge['name']}"}, ensure_ascii=False)
    page = send(employer, "/verifier", {field: changed})
    assert "modifié après signature" in page.text
    kept = send(employer, "/verifier/trace", {"texte": changed, "trace": "json"}, seen_on="/verifier").json()
    assert kept["verdict"] == "invalid"


def test_a_name_from_right_to_left_is_no_change(employer: TestClient):
    key = LocalSigningKey.generate(Algorithm.EDDSA)
    did = did_key(key.public)
    badge = badge_document() | {"issuer": {"id": did, "type": ["Profile"], "name": "École du Nil"}}
    del badge["credentialStatus"]
    badge["credentialSubject"]["identifier"][0]["identityHash"] = "\u202bعلي\u202c"
    method = f"{did}#{did.removeprefix('did:key:')}"
    signed = json.dumps(add_proof(badge, signer=Signer(method, key), created=NOON), ensure_ascii=False)
    for field in ("texte", "lien"):
        assert "Signature valable, émetteur inconnu" in send(employer, "/verifier", {field: signed}).text
