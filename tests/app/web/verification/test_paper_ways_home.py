"""From paper, a screenshot or a picture without metadata back to the verification page."""

from __future__ import annotations

import io
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pypdfium2
import pytest
from fastapi.testclient import TestClient
from PIL import Image
from pypdf import PdfReader

from app.domain.awards import Visibility
from app.domain.campus.audit_log import Actor
from app.domain.publishing import short_code
from sceau_credentials.baking import unbake
from tests.support.app import App, send

HOLDER = "Zoé N’Diaye; zoe@exemple.fr"


@pytest.fixture
def award_id(app: App):
    return app.award(HOLDER).lines[0].award_id


@pytest.fixture
def zoe(app: App, award_id) -> TestClient:
    with app.unit_of_work() as services:
        token = services.people.private_link_token(award_id, 0)
    client = app.client()
    client.get(f"/recevoir/{token}")
    return client


@pytest.fixture
def certificate(zoe: TestClient, award_id) -> bytes:
    answer = zoe.get(f"/mes-badges/{award_id}/badge.pdf")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    return answer.content


def open_page(app: App, award_id) -> None:
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=Actor.command("tests"))


def test_the_certificate_states_holder_badge_issuer_and_where_to_check(
    app: App, certificate: bytes, award_id
):
    page = PdfReader(io.BytesIO(certificate)).pages[0].extract_text()
    words = re.sub(r"\s+", " ", page)
    for said in (
        "Zoé N’Diaye",
        app.presence.version.name,
        app.campus.name,
        f"localhost:8000/v/{short_code(award_id)}",
    ):
        assert said.casefold() in words.casefold()
    assert "ni un diplôme ni une certification" in words


def test_the_certificate_is_tagged_archivable_and_in_the_reader_s_language(
    zoe: TestClient, certificate: bytes, award_id
):
    for pdf, language in (
        (certificate, "fr"),
        (zoe.get(f"/mes-badges/{award_id}/badge.pdf?langue=en").content, None),
    ):
        reader = PdfReader(io.BytesIO(pdf))
        catalogue = reader.trailer["/Root"]
        assert catalogue["/MarkInfo"]["/Marked"]
        about = catalogue["/Metadata"].get_data().decode()
        assert re.search(r"pdfaid:part>3<", about)
        assert re.search(r"pdfaid:conformance>A<", about)
        assert re.search(r"pdfuaid:part>1<", about)
        if language:
            assert catalogue["/Lang"] == language


def test_the_certificate_carries_the_signed_badge_and_is_verified_as_a_file(
    app: App, zoe: TestClient, certificate: bytes, award_id
):
    signed = zoe.get(f"/mes-badges/{award_id}/badge.json").text
    assert unbake(certificate).text == signed
    with app.unit_of_work(reading=True) as services:
        answer = services.verification.verify(certificate)
    assert answer.report is not None
    assert answer.report.verdict.value == "valid"


def test_the_same_award_gives_the_same_certificate(zoe: TestClient, certificate: bytes, award_id):
    assert zoe.get(f"/mes-badges/{award_id}/badge.pdf").content == certificate


@pytest.mark.parametrize("name", ["Жанна Дьяченко", "Ελένη Παπαδοπούλου", "李雷", "A" * 120, "Zoé " * 30])
def test_any_name_gives_one_page(app: App, name: str):
    award_id = app.award(f"{name.strip()}; autre@exemple.fr").lines[0].award_id
    with app.unit_of_work() as services:
        token = services.people.private_link_token(award_id, 0)
    client = app.client()
    client.get(f"/recevoir/{token}")
    pdf = client.get(f"/mes-badges/{award_id}/badge.pdf")
    assert pdf.status_code == 200
    assert len(PdfReader(io.BytesIO(pdf.content)).pages) == 1


def test_the_short_address_leads_to_the_page_however_it_is_typed(app: App, award_id):
    open_page(app, award_id)
    employer = app.client()
    code = short_code(award_id)
    for typed in (code, code.lower(), code.replace("-", ""), code.replace("0", "O")):
        answer = employer.get(f"/v/{typed}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/attributions/{award_id}")


def test_the_short_address_typed_into_the_checker_leads_there_too(app: App, award_id):
    open_page(app, award_id)
    employer = app.client()
    for typed in (f"localhost:8000/v/{short_code(award_id)}", short_code(award_id)):
        answer = employer.get("/verifier", params={"lien": typed})
        assert (answer.status_code, answer.headers["location"]) == (303, f"/attributions/{award_id}")


def test_a_misread_short_address_is_reported_and_shown_again(app: App):
    answer = app.client().get("/v/ZZZZ-ZZZZ-ZZZZ")
    assert answer.status_code == 404
    assert "Relisez les douze signes" in answer.text
    assert "ZZZZ-ZZZZ-ZZZZ" in answer.text


def test_pictures_of_an_award_carry_its_own_short_address(app: App, zoe: TestClient, award_id):
    svg = zoe.get(f"/mes-badges/{award_id}/badge.svg").text
    assert f"localhost:8000/v/{short_code(award_id)}" in svg
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        own = services.publication.pictures().png(record)
    assert own != record.version.picture_png
    assert zoe.get(f"/mes-badges/{award_id}/badge.png").content.endswith(own[-1000:])


def test_linkedin_s_form_is_filled_with_a_month_from_one_to_twelve(app: App, zoe: TestClient, award_id):
    page = zoe.get(f"/mes-badges/{award_id}/partager").text
    link = unescape(re.search(r'href="(https://www\.linkedin\.com/[^"]+)"', page)[1])
    fields = {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}
    assert fields["issueYear"] == "2026"
    assert fields["issueMonth"] == "11"
    assert fields["certId"] == short_code(award_id)
    assert fields["certUrl"].endswith(f"/attributions/{award_id}")


def test_the_code_is_the_short_address(zoe: TestClient, award_id):
    svg = zoe.get(f"/mes-badges/{award_id}/code.svg")
    assert svg.headers["content-type"] == "image/svg+xml"
    assert zoe.get(f"/mes-badges/{award_id}/code.png").content.startswith(b"\x89PNG")


def test_a_stranger_gets_neither_certificate_nor_code(app: App, award_id):
    stranger = app.client()
    for path in ("badge.pdf", "code.svg"):
        assert stranger.get(f"/mes-badges/{award_id}/{path}").status_code == 401


def printed(certificate: bytes) -> Image.Image:
    """The certificate's first page as printed, or as shown on a screen."""
    return pypdfium2.PdfDocument(certificate)[0].render(scale=2).to_pil().convert("RGB")


def file_of(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


@pytest.mark.parametrize("way", ["screenshot", "scanned", "photo"])
def test_a_picture_of_the_certificate_leads_to_the_answer(app: App, certificate: bytes, award_id, way: str):
    open_page(app, award_id)
    page = printed(certificate)
    askew = page.rotate(3, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    name, content = {
        "screenshot": ("ecran.png", file_of(page, "PNG")),
        "scanned": ("scan.pdf", file_of(askew.convert("L"), "PDF")),
        "photo": ("photo.jpg", file_of(askew.point(lambda light: light * 3 // 4), "JPEG")),
    }[way]
    answer = send(app.client(), "/verifier", files={"fichier": (name, content, "application/octet-stream")})
    assert answer.status_code == 200
    assert "Ce document n’a pas été vérifié\xa0: il mène à ce badge" in unescape(answer.text)
    assert f"/attributions/{award_id}" in answer.text


def test_a_picture_with_the_code_of_a_closed_page_leads_to_403(app: App, certificate: bytes, award_id):
    picture = file_of(printed(certificate), "PNG")
    employer = app.client()
    led = send(employer, "/verifier", files={"fichier": ("ecran.png", picture, "image/png")})
    assert "N’Diaye" not in unescape(led.text)
    assert "Authentique" not in led.text
    shut = employer.get(f"/attributions/{award_id}", headers={"Accept": "text/html"})
    assert shut.status_code == 403
    assert "N’Diaye" not in unescape(shut.text)
