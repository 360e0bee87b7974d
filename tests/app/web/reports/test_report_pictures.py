"""Pictures of the gallery and moderated sentences in the yearly report; a signed version has its own by digest."""

from __future__ import annotations

import hashlib
import io
import re
import uuid
import zipfile

import pytest
from PIL import Image
from pypdf import PdfReader

from app.domain.reports.editions import TEXTS, ChosenPicture, document_of
from app.domain.reports.ledger import Period
from app.domain.reports.surveys import Answer
from app.errors import InvalidInput
from tests.support.app import COMMAND, App, send

HERE, YEAR = "/gestion/itip/rapport/annuel/2026", Period.civil(2026)
REVIEWED = {f"texte-{number}": "Texte" for number in TEXTS} | {f"relu-{number}": "oui" for number in TEXTS}


def photograph(colour: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (600, 400), colour).save(made, "JPEG")
    return made.getvalue()


@pytest.fixture
def pictures(app: App) -> list[uuid.UUID]:
    with app.unit_of_work() as services:
        for words, colour in (("Un bras robotisé", "navy"), ("L’atelier", "olive")):
            picture = services.campus_pictures.read(
                app.campus, photograph(colour), alternative=words, agreed=True
            )
            services.campus_pictures.add(app.campus, picture, by=COMMAND)
        gallery = services.campus_pictures.list_of(app.campus)
        return [each.id for each in sorted(gallery, key=lambda each: each.alternative, reverse=True)]


def approve(app: App, *sentences: str) -> None:
    with app.unit_of_work() as services:
        day = app.campus.day_of(services.clock())
        code = services.surveys.open(app.campus, app.activity.id, closes_on=day, by=COMMAND).code
        for sentence in sentences:
            services.surveys.answer(code, Answer(4, True, sentence), phone=sentence)
        for one in services.surveys.page(app.campus, app.activity.id).sentences:
            services.surveys.moderate(app.campus, app.activity.id, one.id, approved=True, by=COMMAND)


def publish(app: App, chosen: list[ChosenPicture]) -> str:
    app.clock.move(days=60)
    with app.unit_of_work() as services:
        texts = dict.fromkeys(TEXTS, ("Texte", True))
        services.report_editions.save(app.campus, YEAR, texts, [], chosen, by=COMMAND)
        return services.report_editions.publish(app.campus, YEAR, by=COMMAND).token


def words_of(pdf: bytes) -> str:
    return re.sub(r"\s+", " ", " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages))


def images_in(pdf: bytes) -> int:
    return sum(len(page.images) for page in PdfReader(io.BytesIO(pdf)).pages)


def test_the_editor_chooses_pictures_with_credit_and_moderated_sentences(app: App, pictures: list[uuid.UUID]):
    approve(app, "On a vu le robot bouger.", "Trop court.")
    trainer = app.client(app.trainer)
    sent = REVIEWED | {
        "image": str(pictures[0]),
        f"credit-{pictures[0]}": "Lycée des Tilleuls",
        "phrase": "On a vu le robot bouger.",
        "paroles": "Une autre parole.",
    }
    assert send(trainer, HERE, sent).status_code == 303
    page = trainer.get(HERE).text
    assert re.search(rf'value="{pictures[0]}" checked', page)
    assert not re.search(rf'value="{pictures[1]}" checked', page)
    assert 'value="On a vu le robot bouger." checked' in page
    assert 'value="Trop court." checked' not in page
    assert re.search(r"Une autre parole\.\s*</textarea>", page)
    no_credit = send(
        trainer,
        HERE,
        REVIEWED | {"texte-1.3": "x" * 8001, "image": str(pictures[1]), "paroles": "x" * 401},
    )
    assert no_credit.status_code == 422
    at = ["texte-1.3", f"credit-{pictures[1]}", "paroles"]
    assert re.findall(r'<li><a href="#([^"]+)">', no_credit.text) == at
    assert "qui l’a prise" in no_credit.text
    assert re.search(rf'value="{pictures[1]}" checked', no_credit.text), "what was chosen is not lost"


def test_a_sentence_rejected_since_leaves_the_draft(app: App):
    approve(app, "On a vu le robot bouger.")
    with app.unit_of_work() as services:
        services.report_editions.save(app.campus, YEAR, {}, ["On a vu le robot bouger."], by=COMMAND)
        (one,) = services.surveys.page(app.campus, app.activity.id).sentences
        services.surveys.moderate(app.campus, app.activity.id, one.id, approved=False, by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        assert services.report_editions.page(app.campus, YEAR).quotes == []


def test_seven_pictures_are_too_many(app: App):
    chosen = [ChosenPicture(uuid.uuid4(), "Campus") for _ in range(7)]
    with app.unit_of_work() as services, pytest.raises(InvalidInput):
        services.report_editions.save(app.campus, YEAR, {}, [], chosen, by=COMMAND)


def test_a_signed_version_names_its_pictures_by_digest_and_has_them_once_the_gallery_changes(
    app: App, pictures: list[uuid.UUID]
):
    with app.unit_of_work(reading=True) as services:
        content = services.campus_pictures.content(app.campus, pictures[0])
    token = publish(app, [ChosenPicture(pictures[0], "Lycée des Tilleuls")])
    (named,) = document_of(token)["pictures"]
    assert named["digest"] == hashlib.sha256(content).hexdigest()
    assert (named["alternative"], named["credit"]) == ("Un bras robotisé", "Lycée des Tilleuls")
    with app.unit_of_work() as services:
        services.campus_pictures.remove(app.campus, pictures[0], by=COMMAND)
        assert services.report_editions.page(app.campus, YEAR).pictures == []
        assert services.report_editions.check(app.campus, token) == []
    trainer = app.client(app.trainer)
    pdf = trainer.get(f"{HERE}/rapport.pdf?version=1").content
    assert images_in(pdf) == 1
    assert "Crédit : Lycée des Tilleuls" in words_of(pdf)
    assert PdfReader(io.BytesIO(pdf)).trailer["/Root"]["/MarkInfo"]["/Marked"]
    docx = zipfile.ZipFile(io.BytesIO(trainer.get(f"{HERE}/rapport.docx?version=1").content))
    (media,) = (name for name in docx.namelist() if name.startswith("word/media/"))
    assert docx.read(media) == content
    assert 'descr="Un bras robotisé"' in docx.read("word/document.xml").decode()
    assert f'Target="{media.removeprefix("word/")}"' in docx.read("word/_rels/document.xml.rels").decode()


def test_an_agreement_taken_back_removes_the_picture_from_signed_versions(
    app: App, pictures: list[uuid.UUID]
):
    token = publish(app, [ChosenPicture(pictures[0], "Lycée des Tilleuls")])
    admin = app.client(app.admin)
    gallery = "/gestion/itip/images"
    removed = send(admin, f"{gallery}/{pictures[0]}/retirer", {"rapports": "oui"}, seen_on=gallery)
    assert removed.status_code == 303
    pdf = admin.get(f"{HERE}/rapport.pdf?version=1").content
    assert images_in(pdf) == 0
    assert "Image retirée depuis" in words_of(pdf)
    docx = zipfile.ZipFile(io.BytesIO(admin.get(f"{HERE}/rapport.docx?version=1").content))
    assert not [name for name in docx.namelist() if "media" in name]
    with app.unit_of_work(reading=True) as services:
        assert services.report_editions.check(app.campus, token) == []


def test_an_agreement_taken_back_after_the_picture_left_the_gallery_still_removes_it(
    app: App, pictures: list[uuid.UUID]
):
    token = publish(app, [ChosenPicture(pictures[0], "Lycée des Tilleuls")])
    admin, gallery = app.client(app.admin), "/gestion/itip/images"
    assert "/images/rapports/" not in admin.get(gallery).text
    send(admin, f"{gallery}/{pictures[0]}/retirer", seen_on=gallery)
    digest = document_of(token)["pictures"][0]["digest"]
    assert f"{gallery}/rapports/{digest}" in admin.get(gallery).text
    kept = admin.get(f"{gallery}/rapports/{digest}")
    assert (kept.status_code, kept.headers["cache-control"]) == (200, "no-store")
    removed = send(admin, f"{gallery}/rapports/{digest}/retirer", seen_on=gallery)
    assert (removed.status_code, removed.headers["location"]) == (303, f"{gallery}?fait=oui")
    assert admin.get(f"{gallery}/rapports/{digest}").status_code == 404
    assert images_in(admin.get(f"{HERE}/rapport.pdf?version=1").content) == 0
    assert "Image retirée des rapports signés" in admin.get("/gestion/itip/historique").text


def test_a_stored_copy_that_was_changed_is_not_shown(app: App, pictures: list[uuid.UUID]):
    token = publish(app, [ChosenPicture(pictures[0], "Campus")])
    document = document_of(token)
    with app.unit_of_work() as services:
        services.campus_pictures.remove(app.campus, pictures[0], by=COMMAND)
        digest = document["pictures"][0]["digest"]
        services.stores.report_editions.delete_picture(app.campus.id, digest)
        services.stores.report_editions.keep_picture(app.campus.id, digest, photograph("red"))
    with app.unit_of_work(reading=True) as services:
        assert services.report_editions.illustrations(app.campus, document) == {}
