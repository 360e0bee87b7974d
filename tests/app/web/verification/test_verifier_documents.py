"""The answer is about the uploaded document: it shows another name than the badge inside it, or only leads to a badge."""

from __future__ import annotations

import csv
import io
import json
import re
from ctypes import c_float
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium
import pytest
import segno
from fastapi.testclient import TestClient
from PIL import Image
from pypdf import PdfReader, PdfWriter
from pypdf.annotations import Link

from app.domain.awards import Visibility
from app.language import speaking
from app.web.awards.claim_slips import certificate_of as made_certificate
from sceau_credentials.baking import NAMESPACE_3, bake_png, unbake
from tests.app.web.publishing.test_award_page import award
from tests.app.web.verification.test_verifier import files_of
from tests.app.web.verification.test_verifier_batches import csv_in
from tests.app.web.verification.test_verifier_pictures import plain, written
from tests.sceau_credentials.baking.pictures import itxt, png
from tests.support.app import BASE_URL, COMMAND, App, send

HOLDER, FALSE = "Zoé N’Diaye", "Jean Faux"


@pytest.fixture
def employer(app: App) -> TestClient:
    return app.client()


def certificate_of(app: App, award_id: Any) -> bytes:
    with app.unit_of_work(reading=True) as services:
        return made_certificate(services, services.awards.record(award_id)).body


def drawn_over(certificate: bytes, *, hide: bool, text: str) -> bytes:
    """The certificate with its name painted over and replaced by another."""
    document = pypdfium2.PdfDocument(certificate)
    page = document[0]
    box = next(
        each.get_bounds()
        for each in page.get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT])
        if "Diaye" in text_of(page, each)
    )
    if hide:
        cover = pdfium.FPDFPageObj_CreateNewRect(box[0] - 200, box[1] - 5, 600, box[3] - box[1] + 10)
        pdfium.FPDFPageObj_SetFillColor(cover, 255, 255, 255, 255)
        pdfium.FPDFPath_SetDrawMode(cover, pdfium.FPDF_FILLMODE_WINDING, False)
        pdfium.FPDFPage_InsertObject(page, cover)
    if text:
        name = pdfium.FPDFPageObj_NewTextObj(document, b"Helvetica", c_float(24))
        encoded = (text + "\0").encode("utf-16-le")
        pdfium.FPDFText_SetText(name, pdfium.cast(encoded, pdfium.FPDF_WIDESTRING))
        pdfium.FPDFPageObj_Transform(name, 1, 0, 0, 1, box[0], box[1])
        pdfium.FPDFPage_InsertObject(page, name)
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def text_of(page: Any, each: Any) -> str:
    return page.get_textpage().get_text_bounded(*each.get_bounds())


def as_scanned(certificate: bytes) -> bytes:
    """A picture of the page, with another name than the badge's painted into it."""
    page = pypdfium2.PdfDocument(certificate)[0].render(scale=3).to_pil().convert("RGB")
    page.paste((255, 255, 255), (0, page.height // 2, page.width, page.height // 2 + 60))
    return written(page, "JPEG")


def answer(employer: TestClient, body: bytes) -> str:
    return plain(send(employer, "/verifier", files={"fichier": ("document", body)}).text)


def saved_again(certificate: bytes) -> bytes:
    """As any program rewrites it: it appears the same, but its bytes could be anything."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(certificate)))
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def reported(employer: TestClient, body: bytes) -> dict[str, Any]:
    return employer.post("/api/v1/verify", content=body).json()


def test_our_own_certificate_is_verified_as_a_file(app: App, employer: TestClient):
    body = certificate_of(app, award(app))
    assert "Authentique, en cours de validité" in answer(employer, body)
    result = reported(employer, body)
    assert (result["verdict"], result["leads_to"]) == ("valid", None)


BADGE_ONLY = "Nous avons vérifié le badge contenu dans ce fichier, pas ce que la page montre"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_certificate_is_known_as_ours_in_either_language(app: App, employer: TestClient, language: str):
    with speaking(language):
        body = certificate_of(app, award(app))
    result = reported(employer, body)
    assert (result["verdict"], result["leads_to"]) == ("valid", None)


def test_the_printable_page_of_a_check_is_recognised_as_ours(app: App, employer: TestClient):
    text = files_of(app, award(app))["json"].decode()
    body = send(employer, "/verifier/trace", {"texte": text, "trace": "pdf"}, seen_on="/verifier").content
    assert body.startswith(b"%PDF-")
    assert reported(employer, body)["leads_to"] is None


@pytest.mark.parametrize("change", [saved_again, lambda body: body + b"\n", lambda body: body + b"% "])
def test_a_certificate_that_is_not_ours_to_the_byte_is_not_verified_as_a_page(
    app: App, employer: TestClient, change: Any
):
    """Extracted text is not displayed text: only bytes written by this service are known to show what they contain."""
    body = change(certificate_of(app, award(app)))
    result = answer(employer, body)
    assert BADGE_ONLY in result
    assert f"Comparez le nom : {HOLDER}." in result
    assert "verdict ok" not in result
    band, below = result.index("Comparez le nom"), result.index("Ce que nous avons vérifié du badge")
    assert band < result.index(f'<p class="h1 serif"><bdi>{HOLDER}</bdi></p>') < below
    report = reported(employer, body)
    assert (report["verdict"], report["headline"]) == ("undetermined", BADGE_ONLY)
    assert report["leads_to"] | {"address": "", "written": ""} == {
        "kind": "attached", "address": "", "badge_verdict": "valid", "holder": HOLDER, "name": "same", "written": "",
        "differences": [],
    }  # fmt: skip


def test_the_answer_is_translated_into_english(app: App, employer: TestClient):
    body = saved_again(certificate_of(app, award(app)))
    result = employer.post("/api/v1/verify", content=body, headers={"accept-language": "en"}).json()
    assert result["headline"] == "We checked the badge inside this file, not what the page shows"
    assert result["message"].startswith(f"Compare the name: {HOLDER}.")


def test_a_withdrawn_badge_in_a_changed_certificate_is_withdrawn_first(app: App, employer: TestClient):
    award_id = award(app)
    body = saved_again(certificate_of(app, award_id))
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Donné par erreur.", by=COMMAND)
    report = reported(employer, body)
    assert (report["verdict"], report["leads_to"]["kind"]) == ("invalid", "attached")
    assert report["headline"].startswith("Retiré par le campus")
    assert f"Comparez le nom : {HOLDER}." in report["message"]


def carrying(badge: bytes, *lines: str) -> bytes:
    """A page laid out as our certificates are, with these lines and a genuine badge attached."""
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(595, 842)
    for row, line in enumerate(("atteste que", HOLDER, "a reçu le badge de participation", *lines)):
        words = pdfium.FPDFPageObj_NewTextObj(document, b"Helvetica", c_float(14))
        encoded = (line + "\0").encode("utf-16-le")
        pdfium.FPDFText_SetText(words, pdfium.cast(encoded, pdfium.FPDF_WIDESTRING))
        pdfium.FPDFPageObj_Transform(words, 1, 0, 0, 1, 60, 760 - 24 * row)
        pdfium.FPDFPage_InsertObject(page, words)
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    writer = PdfWriter(clone_from=PdfReader(out))
    writer.add_attachment("badge.json", badge)
    carried = io.BytesIO()
    writer.write(carried)
    return carried.getvalue()


def test_a_page_that_states_another_title_or_day_is_named_as_different(app: App, employer: TestClient):
    badge = files_of(app, award(app))["json"]
    genuine = (
        "Robotique pour tous",
        "Attribué le",
        "24 novembre 2026",
        "Valable jusqu'au",
        "sans date de fin",
    )
    same = reported(employer, carrying(badge, *genuine))["leads_to"]
    assert (same["name"], same["written"], same["differences"]) == ("same", "", [])
    body = carrying(
        badge, "Chirurgie du cœur", "Attribué le", "3 mars 2019", "Valable jusqu'au", "1er mai 2044"
    )
    report = reported(employer, body)
    assert report["verdict"] == "undetermined"
    assert report["headline"] == "Le document et le badge ne disent pas la même chose"
    assert [
        (each["about"], each["written"], each["signed"]) for each in report["leads_to"]["differences"]
    ] == [
        ("title", "", "Robotique pour tous"),
        ("awarded", "3 mars 2019", "2026-11-24"),
        ("valid_until", "1 mai 2044", None),
    ]
    result = answer(employer, body)
    assert (
        "Le document dit que le badge est attribué le 3 mars 2019, le badge dit le 24 novembre 2026."
        in result
    )
    assert "verdict bad" in result


@pytest.mark.parametrize(("hide", "text"), [(True, FALSE), (True, "")], ids=["another", "none"])
def test_a_certificate_with_a_changed_visible_name_is_named_as_different(
    app: App, employer: TestClient, hide: bool, text: str
):
    """The genuine badge is attached, and the name that is no longer visible is still in the file."""
    body = drawn_over(certificate_of(app, award(app)), hide=hide, text=text)
    result = answer(employer, body)
    assert "Le document et le badge ne portent pas le même nom" in result
    assert HOLDER in result
    assert "verdict ok" not in result
    report = reported(employer, body)
    assert (report["verdict"], report["leads_to"]["name"]) == ("undetermined", "different")
    assert report["leads_to"]["holder"] == HOLDER


@pytest.mark.parametrize("scale", [0.05, 1], ids=["too small", "beside the page"])
def test_an_invisible_name_does_not_count(app: App, employer: TestClient, scale: float):
    """The genuine text is still in the file, drawn so small or so far away that another replaces it visibly."""
    document = pypdfium2.PdfDocument(certificate_of(app, award(app)))
    page = document[0]
    for each in page.get_objects(max_depth=1):
        pdfium.FPDFPageObj_Transform(each, scale, 0, 0, scale, 0 if scale < 1 else 2000, 0)
    name = pdfium.FPDFPageObj_NewTextObj(document, b"Helvetica", c_float(24))
    words = f"Le campus atteste que {FALSE} a reçu le badge\0".encode("utf-16-le")
    pdfium.FPDFText_SetText(name, pdfium.cast(words, pdfium.FPDF_WIDESTRING))
    pdfium.FPDFPageObj_Transform(name, 1, 0, 0, 1, 40, 500)
    pdfium.FPDFPage_InsertObject(page, name)
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    assert reported(employer, out.getvalue())["leads_to"]["written"] == FALSE


@pytest.mark.parametrize(
    ("first", "name"), [(f"On atteste que {FALSE} a reçu le badge « Souder ».", "different"), ("", "unread")]
)
def test_a_genuine_page_behind_another_does_not_make_it_genuine(
    app: App, employer: TestClient, first: str, name: str
):
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(certificate_of(app, award(app)))))
    writer.insert_page(PdfReader(io.BytesIO(page_with(app, first))).pages[0], 0)
    out = io.BytesIO()
    writer.write(out)
    report = reported(employer, out.getvalue())
    assert (report["verdict"], report["leads_to"]["name"]) == ("undetermined", name)


def test_a_scan_leads_to_the_badge_and_is_not_verified_itself(app: App, employer: TestClient):
    body = as_scanned(certificate_of(app, award(app)))
    result = answer(employer, body)
    assert "Ce document n’a pas été vérifié : il mène à ce badge" in result
    assert f"Comparez le nom : {HOLDER}." in result
    assert "verdict ok" not in result
    report = reported(employer, body)
    assert report["verdict"] == "undetermined"
    assert report["leads_to"]["badge_verdict"] == "valid"
    assert report["leads_to"]["kind"] == "code"
    assert report["headline"].startswith("Ce document n’a pas été vérifié")


def test_a_document_that_leads_to_a_withdrawn_badge_is_no_better(app: App, employer: TestClient):
    award_id = award(app)
    body = as_scanned(certificate_of(app, award_id))
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, award_id, "Donné par erreur.", by=COMMAND)
    result = answer(employer, body)
    assert re.search(r"<h1[^>]*>Retiré par le campus", result)
    assert "Nous avons lu un code QR dans ce document" in result
    assert "verdict bad" in result


def test_table_calls_a_withdrawn_badge_withdrawn_in_a_document_with_another_name(
    app: App, employer: TestClient
):
    """However the document leads to it; after what was changed, before a good badge with another name."""
    withdrawn, good = award(app), award(app, person="Zoé N’Diaye; zoe2@exemple.fr")
    bodies = {
        "nomme": drawn_over(certificate_of(app, withdrawn), hide=True, text="Léo Martin"),
        "lien": page_with(app, "Curriculum vitae", link=f"{BASE_URL}/attributions/{withdrawn}"),
        "scan": as_scanned(certificate_of(app, withdrawn)),
        "autre": drawn_over(certificate_of(app, good), hide=True, text="Léo Martin"),
        "forge": files_of(app, good)["json"].replace("Zoé".encode(), "Léa".encode()),
    }
    with app.unit_of_work() as services:
        services.awards.revoke(app.campus, withdrawn, "Donné par erreur.", by=COMMAND)
    files = [("fichier", (name, body)) for name, body in bodies.items()]
    table = csv_in(send(employer, "/verifier", files=files).text)
    rows = {line[0]: line for line in csv.reader(io.StringIO(table), delimiter=";")}
    for name in ("nomme", "lien", "scan"):
        assert rows[name][1].startswith("Retiré par le campus"), name
    assert "Le texte du document ne contient pas le nom" in plain(rows["nomme"][5])
    assert rows["autre"][1] == "Le document et le badge ne portent pas le même nom"
    order = [name for name in rows if name in bodies]
    assert order[0] == "forge"
    assert order[-1] == "autre"


def page_with(app: App, text: str, *, link: str = "") -> bytes:
    """A PDF without an attached badge: some text, and an address that a click opens."""
    document = pypdfium2.PdfDocument.new()
    page = document.new_page(595, 842)
    for row, line in enumerate(text.split("\n")):
        name = pdfium.FPDFPageObj_NewTextObj(document, b"Helvetica", c_float(14))
        encoded = (line + "\0").encode("utf-16-le")
        pdfium.FPDFText_SetText(name, pdfium.cast(encoded, pdfium.FPDF_WIDESTRING))
        pdfium.FPDFPageObj_Transform(name, 1, 0, 0, 1, 60, 760 - 24 * row)
        pdfium.FPDFPage_InsertObject(page, name)
    page.gen_content()
    out = io.BytesIO()
    document.save(out)
    if not link:
        return out.getvalue()
    writer = PdfWriter(clone_from=PdfReader(out))
    writer.add_annotation(0, Link(rect=(60, 700, 300, 720), url=link))
    linked = io.BytesIO()
    writer.write(linked)
    return linked.getvalue()


CV = "Curriculum vitae de Zoé N'Diaye\nFormation et badges obtenus"


@pytest.mark.parametrize("way", ["annotation", "text"])
def test_a_page_with_only_the_address_of_a_badge_leads_to_it(app: App, employer: TestClient, way: str):
    award_id = award(app)
    with app.unit_of_work(reading=True) as services:
        address, short = services.addresses.award(award_id), services.addresses.short_in_print(award_id)
    body = page_with(app, CV, link=address) if way == "annotation" else page_with(app, f"{CV}\n{short}")
    result = answer(employer, body)
    assert "Ce document n’a pas été vérifié : il mène à ce badge" in result
    assert reported(employer, body)["leads_to"]["name"] == "same"


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_picture_that_holds_an_address_instead_of_a_badge_leads_to_it(
    app: App, employer: TestClient, form: str
):
    with app.unit_of_work(reading=True) as services:
        address = services.addresses.award(award(app))
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:o="{NAMESPACE_3}"><o:credential verify="{address}"/></svg>'
    body = png(itxt(b"openbadgecredential", address.encode())) if form == "png" else drawing.encode()
    assert "Ce document n’a pas été vérifié : il mène à ce badge" in answer(employer, body)
    report = reported(employer, body)
    assert (report["verdict"], report["leads_to"]["kind"]) == ("undetermined", "link")
    assert report["leads_to"]["address"] == address


def test_a_page_that_leads_to_another_person_s_badge_is_named_as_different(app: App, employer: TestClient):
    with app.unit_of_work(reading=True) as services:
        link = services.addresses.award(award(app))
    body = page_with(app, "Curriculum vitae de Jean Faux\nFormation et badges obtenus", link=link)
    assert "Le document et le badge ne portent pas le même nom" in answer(employer, body)


def test_a_picture_that_holds_its_badge_is_verified_and_its_drawing_is_not(app: App, employer: TestClient):
    result = answer(employer, files_of(app, award(app))["png"])
    assert "Authentique, en cours de validité" in result
    assert "elle n’est pas signée" in result


IN_PICTURE = "Nous avons vérifié le badge contenu dans ce fichier, pas ce que l’image montre"


@pytest.mark.parametrize("form", ["png", "svg"])
def test_a_genuine_badge_in_another_picture_is_answered_as_the_badge_alone(
    app: App, employer: TestClient, form: str
):
    body = files_of(app, award(app))[form]
    if form == "png":
        other = io.BytesIO()
        Image.new("RGB", (200, 200), "gold").save(other, "PNG")
        body = bake_png(other.getvalue(), unbake(body).text)
    else:
        body = body.replace(b"</svg>", b"<text>Jean Faux</text></svg>")
    result = answer(employer, body)
    assert IN_PICTURE in result
    assert f"Comparez le nom : {HOLDER}." in result
    assert "verdict ok" not in result
    report = reported(employer, body)
    assert (report["verdict"], report["leads_to"]["kind"], report["headline"]) == (
        "valid",
        "picture",
        IN_PICTURE,
    )
    (row,) = employer.post("/api/v1/verify/batch", files={"file": ("a.png", body)}).json()["results"]
    assert row["report"]["headline"] == IN_PICTURE


def test_a_picture_of_version_2_is_known_as_ours(app: App, employer: TestClient):
    award_id = award(app)
    with app.unit_of_work() as services:
        services.awards.set_visibility(award_id, Visibility.OPEN, by=COMMAND)
        body = services.older_badges.picture(award_id).body
    report = reported(employer, body)
    assert (report["form"], report["container"], report["leads_to"]) == ("open_badges_2", "png", None)


def test_a_code_on_a_picture_of_nothing_leads_nowhere(employer: TestClient):
    out = io.BytesIO()
    segno.make("bonjour").save(out, kind="png", scale=8)
    assert "Cette image ne contient pas de badge" in answer(employer, written(Image.open(out).convert("L")))


@pytest.mark.parametrize("form", ["png", "pdf"])
def test_a_document_with_a_badge_that_names_no_person_asks_to_compare_no_name(
    app: App, employer: TestClient, form: str
):
    award_id = award(app)
    with app.unit_of_work() as services:
        record = services.awards.record(award_id)
        services.reissuing.choose_name(record.award, False, name=record.person.name, by=COMMAND)
    if form == "pdf":
        body = as_scanned(certificate_of(app, award_id))
    else:
        other = io.BytesIO()
        Image.new("RGB", (200, 200), "gold").save(other, "PNG")
        body = bake_png(other.getvalue(), unbake(files_of(app, award_id)["png"]).text)
    result = answer(employer, body)
    assert "Comparez le nom" not in result
    assert "Ce badge ne nomme personne" in result


def test_a_changed_badge_stands_before_a_document_with_another_name(app: App, employer: TestClient):
    award_id = award(app)
    painted = drawn_over(certificate_of(app, award_id), hide=True, text=FALSE)
    changed = files_of(app, award_id)["json"].replace(HOLDER.encode(), FALSE.encode())
    sent = [("fichier", ("a-autre-nom.pdf", painted)), ("fichier", ("b-change.json", changed))]
    shown = plain(send(employer, "/verifier", files=sent).text)
    assert "2 à écarter" in shown
    assert shown.index("b-change.json") < shown.index("a-autre-nom.pdf")


@pytest.mark.parametrize(
    "changed",
    [
        {"recipient": {"type": "email", "hashed": False, "identity": "jean@faux.example"}},
        {"issuedOn": "2001-01-01T00:00:00Z"},
        {"badge": f"{BASE_URL}/ob2/badges/x/v1"},
        {"badge": {"name": "Chirurgie du cœur"}},
        {"badge": {"description": "Sait opérer un cœur."}},
        {"badge": {"criteria": {"narrative": "A opéré trois cœurs."}}},
        {"badge": {"issuer": {"name": "Un autre campus"}}},
        {"narrative": "A dirigé le service."},
    ],
)
def test_changed_copy_of_a_hosted_badge_only_leads_to_it(
    app: App, employer: TestClient, changed: dict[str, Any]
):
    """Open Badges 2.0 is verified at its URL: whatever the copy stated used to be answered « authentique »."""
    address = f"/ob2/attributions/{award(app)}"
    served = employer.get(address, headers={"accept": "*/*"}).json()

    def reported(body: bytes) -> dict[str, Any]:
        return employer.post("/api/v1/verify", content=body).json()

    assert reported(json.dumps(served).encode())["verdict"] == "valid"
    text = json.dumps(served | changed)
    for body in (text.encode(), png(itxt(b"openbadges", text.encode()))):
        report = reported(body)
        assert (report["verdict"], report["leads_to"]["kind"]) == ("undetermined", "link")
        page = send(employer, "/verifier", files={"fichier": ("badge", body)}).text
        assert "il mène à ce badge" in page
