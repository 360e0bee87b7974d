"""Documents of a check for an employer: a dated page, a report, a package, each generated anew and not stored."""

from __future__ import annotations

import io
import json
import re
import zipfile
from datetime import date

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from pypdf import PdfReader

from app.domain.awards import Visibility
from sceau_credentials.baking import unbake
from tests.app.web.trust.test_networks import employer as employer_of_others
from tests.app.web.trust.test_networks import presented
from tests.support.app import COMMAND, App, send
from tests.support.content.networks import label, network_of
from tests.support.forms import form_with

__all__ = ["employer_of_others"]
HOLDER = "N’DIAYE;Zoé;zoe@exemple.fr"


@pytest.fixture
def badge(app: App) -> str:
    award_id = app.award(HOLDER).lines[0].award_id
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        return services.publication.award_file(record, "json").body.decode()


@pytest.fixture
def employer(app: App) -> TestClient:
    return app.client()


def trace(employer: TestClient, text: str, wanted: str) -> Response:
    page = send(employer, "/verifier", {"texte": text})
    return form_with(page, "trace").press(employer, page, ("trace", wanted))


def words_of(pdf: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def test_the_printable_page_states_the_verdict_its_date_and_that_it_may_change(
    employer: TestClient, badge: str
):
    answer = trace(employer, badge, "pdf")
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["cache-control"] == "no-store"
    words = words_of(answer.content)
    for said in ("Authentique", "24 novembre 2026", "Ce que cela ne prouve pas", "n’est pas signée"):
        assert said in words, words


def test_the_printable_page_can_be_verified_again(employer: TestClient, badge: str):
    pdf = trace(employer, badge, "pdf").content
    assert unbake(pdf).text == badge
    again = send(employer, "/verifier", files={"fichier": ("v.pdf", pdf, "application/pdf")})
    assert "Authentique" in again.text


def test_the_page_of_a_forged_badge_states_it_and_repeats_no_claim(employer: TestClient, badge: str):
    forged = json.loads(badge)
    forged["credentialSubject"]["achievement"]["name"] = "Chirurgie à cœur ouvert"
    words = words_of(trace(employer, json.dumps(forged, ensure_ascii=False), "pdf").content)
    assert "Modifié après signature" in words or "Non authentique" in words
    assert "Chirurgie" not in words


def test_the_report_and_the_package_are_for_programs(employer: TestClient, badge: str):
    report = trace(employer, badge, "json").json()
    assert report["verdict"] == "valid"
    assert {check["id"] for check in report["checks"]} >= {"proof", "status", "validity"}
    package = zipfile.ZipFile(io.BytesIO(trace(employer, badge, "zip").content))
    assert package.read("badge.json").decode() == badge


@pytest.mark.parametrize("form", [{}, {"trace": "pdf"}, {"trace": "exe", "texte": "x"}])
def test_a_form_without_a_badge_leads_back_to_the_checker(employer: TestClient, form: dict[str, str]):
    answer = send(employer, "/verifier/trace", form, seen_on="/verifier")
    assert (answer.status_code, answer.headers["location"]) == (303, "/verifier")


def open_page_of(app: App, visibility: Visibility = Visibility.OPEN) -> str:
    award_id = app.award(HOLDER).lines[0].award_id
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, visibility, by=COMMAND)
    return f"/attributions/{award_id}"


def test_a_badge_that_is_here_is_named_by_its_address_and_does_not_travel_with_the_form(
    app: App, employer: TestClient
):
    address = open_page_of(app)
    page = employer.get(address, headers={"Accept": "text/html"})
    signed = employer.get(f"{address}.json").json()
    (proof,) = signed["proof"] if isinstance(signed["proof"], list) else [signed["proof"]]
    assert proof["proofValue"] not in page.text
    assert f'action="{address}/trace"' in page.text
    pdf = employer.get(f"{address}/trace", params={"trace": "pdf"})
    assert "Authentique" in words_of(pdf.content)
    assert unbake(pdf.content).text == employer.get(f"{address}.json").text
    assert employer.get(f"{address}/trace", params={"trace": "json"}).json()["verdict"] == "valid"
    led = employer.get(f"{address}/trace", params={"trace": "exe"}, follow_redirects=False)
    assert (led.status_code, led.headers["location"]) == (303, address)


def test_a_closed_badge_gets_no_printable_page(app: App, employer: TestClient):
    shut = employer.get(f"{open_page_of(app, Visibility.CLOSED)}/trace", params={"trace": "pdf"})
    assert shut.status_code == 403
    assert "N’Diaye" not in shut.text


def printed(employer: TestClient, text: str) -> str:
    return words_of(trace(employer, text, "pdf").content)


def test_a_name_that_no_network_confirms_is_printed_as_self_declared(
    app: App, employer_of_others: TestClient
):
    words = printed(employer_of_others, presented(name="Lycée de Brest"))
    assert "Ce nom est celui que l’émetteur se donne" in words
    with app.unit_of_work() as services:
        network_of(services, app.other_campus)
    words = printed(employer_of_others, presented(name="Lycée de Brest"))
    assert "Se présente comme « Lycée de Brest » ; non vérifié." in words
    assert "Attention" not in words


def test_a_lookalike_issuer_is_printed_before_the_verdict(app: App, employer_of_others: TestClient):
    with app.unit_of_work() as services:
        network_of(services, app.campus)
    words = printed(employer_of_others, presented(name=app.campus.name.upper()))
    assert words.index("À lire avant tout") < words.index("Attention : ce n’est pas « Industrie")
    assert "Authentique" not in words
    assert "Attention : ce nom ressemble à" in words


def test_a_campus_of_the_register_is_printed_with_the_network_that_recognises_it_and_its_label(
    app: App, employer: TestClient, badge: str
):
    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
        label(services, network, app.campus, date(2026, 1, 1), date(2029, 1, 1))
    words = printed(employer, badge)
    assert words.index("Qui l’a attribué") < words.index("Ce que nous avons vérifié")
    assert "Reconnu par « Réseau BFC »" in words
    assert "le label est en cours" in words
