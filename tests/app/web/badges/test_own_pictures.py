"""A logo or a picture of the campus in the editor, and everywhere the picture of its badge is shown."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image, ImageDraw

from app.domain.campus.audit_log import Actor
from app.services.badges import Wording
from sceau_credentials.baking import unbake
from tests.app.web.badges.test_badge_editor import _id_in, made, plain
from tests.support.app import App
from tests.support.forms import form_with


def picture(colour: str = "#aa3300", size: int = 700) -> bytes:
    image = Image.new("RGBA", (size, size))
    ImageDraw.Draw(image).ellipse((20, 20, size - 20, size - 20), fill=colour)
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def designer(app: App) -> TestClient:
    return app.client(app.admin)


def sent(client: TestClient, here: str, content: bytes, look: str = "image", **typed: str) -> Response:
    page = client.get(f"{here}/modifier/image")
    form = form_with(page, "etat").fill(dessin=look, **({"geste": "garder"} | typed))
    return form.press(client, page, files={"fichier": ("logo.png", content, "image/png")})


def shown(client: TestClient, here: str) -> str:
    return plain(client.get(f"{here}/modifier/image").text)


def test_the_six_shapes_stay_the_default(app: App, designer: TestClient):
    here = made(designer)
    assert re.search(r'name="dessin" value="forme" checked', shown(designer, here))
    with app.unit_of_work(reading=True) as services:
        assert "<image" not in services.badges.manuscript(app.campus, _id_in(here)).page.version.picture_svg


@pytest.mark.parametrize("look", ["logo", "image"])
def test_a_file_is_drawn_stored_and_named_in_the_differences(app: App, designer: TestClient, look: str):
    here = made(designer)
    assert sent(designer, here, picture("#ffffff"), look).status_code == 303
    assert re.search(rf'name="dessin" value="{look}" checked', shown(designer, here))
    with app.unit_of_work(reading=True) as services:
        version = services.badges.manuscript(app.campus, _id_in(here)).page.version
        assert "data:image/png;base64," in version.picture_svg
        assert version.art


def test_a_choice_without_a_file_asks_for_one_and_a_logo_is_remembered(designer: TestClient):
    first, second = made(designer), made(designer, nom="Autre rôle")
    page = designer.get(f"{first}/modifier/image")
    refused = form_with(page, "etat").fill(dessin="logo", geste="garder").press(designer, page)
    assert refused.status_code == 422
    assert "Choisissez le fichier" in plain(refused.text)
    sent(designer, first, picture("#ffffff"), "logo")
    page = designer.get(f"{second}/modifier/image")
    assert (
        form_with(page, "etat").fill(dessin="logo", geste="garder").press(designer, page).status_code == 303
    )


def test_a_refused_file_is_reported_and_the_other_fields_stay(designer: TestClient):
    here = made(designer)
    answer = sent(designer, here, b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", sigle="TUT")
    assert answer.status_code == 422
    assert 'href="#fichier"' in answer.text
    assert 'value="TUT"' in answer.text
    odd = b"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 . 100 100'><path d='M0 0h9v9z'/></svg>"
    assert sent(designer, here, odd).status_code == 422


def test_a_file_waits_where_another_field_is_to_correct(designer: TestClient):
    here = made(designer)
    answer = sent(designer, here, picture(), couleurs="propres", teinte="400")
    assert answer.status_code == 422
    form = form_with(answer, "etat")
    assert form.fields["art"][0]
    assert form.fill(teinte="40", geste="garder").press(designer, answer).status_code == 303
    assert re.search(r'name="dessin" value="image" checked', shown(designer, here))


def test_a_low_contrast_logo_is_reported_with_two_remedies(designer: TestClient):
    here = made(designer)
    sent(designer, here, picture("#002233"), "logo")
    page = designer.get(f"{here}/modifier/image")
    result = plain(page.text)
    assert "Ce logo se verra mal" in result
    assert "Prenez sa version claire, ou gardez le sigle" in result
    assert 'href="#fichier"' in result
    assert form_with(page, "etat").press(designer, page, ("geste", "sigle")).status_code == 303
    assert re.search(r'name="dessin" value="forme" checked', shown(designer, here))
    sent(designer, here, picture("#ffffff"), "logo")
    assert "Ce logo se verra mal" not in shown(designer, here)


def test_the_logo_of_one_campus_is_not_offered_to_another(app: App, designer: TestClient):
    sent(designer, made(designer), picture("#ffffff"), "logo")
    with app.unit_of_work(reading=True) as services:
        assert services.badges.read_art(app.campus, b"", "logo")
        assert services.badges.read_art(app.other_campus, b"", "logo") == b""


@pytest.mark.parametrize("look", ["logo", "image"])
def test_an_own_picture_stands_wherever_a_badge_s_picture_stands(app: App, designer: TestClient, look: str):
    here = made(designer)
    sent(designer, here, picture("#ffffff"), look)
    page = designer.get(f"{here}/modifier/publier")
    assert form_with(page, "geste").press(designer, page, ("geste", "ouvrir")).headers["location"] == here
    with app.unit_of_work(reading=True) as services:
        badge = services.badges.page(app.campus, _id_in(here))
    award_id = (
        app.award("Zoé Martin;zoe@exemple.fr", badge=badge, evidence="A aidé trois groupes.")
        .lines[0]
        .award_id
    )
    with app.unit_of_work() as services:
        token = services.people.private_link_token(award_id, 0)
    holder = app.client()
    holder.get(f"/recevoir/{token}")
    public = f"/badges/{badge.badge.id}/v1/image"
    master = holder.get(f"{public}.svg")
    assert "<image " in master.text
    assert "img-src data:" in master.headers["content-security-policy"]
    assert Image.open(BytesIO(holder.get(f"{public}.png").content)).size == (600, 600)
    signed = holder.get(f"/mes-badges/{award_id}/badge.json").text
    for form in ("svg", "png", "pdf"):
        baked = holder.get(f"/mes-badges/{award_id}/badge.{form}").content
        assert unbake(baked).text == signed
        with app.unit_of_work(reading=True) as services:
            answer = services.verification.verify(baked)
        assert answer.report is not None
        assert answer.report.verdict.value == "valid"
    assert Image.open(BytesIO(holder.get(f"/mes-badges/{award_id}/partager/cv.png").content)).width
    with app.unit_of_work(reading=True) as services:
        record = services.awards.record(award_id)
        drawn = services.publication.pictures().svg(record)
    assert "<image " in drawn


def test_the_next_version_by_a_program_keeps_the_picture(app: App, designer: TestClient):
    here = made(designer)
    sent(designer, here, picture("#ffffff"))
    with app.unit_of_work() as services:
        before = services.badges.manuscript(app.campus, _id_in(here)).page.version
        wording = Wording(before.kind, "Tutorat", before.description, before.criteria)
        after = services.badges.revise(app.campus, _id_in(here), wording, by=Actor(app.admin.id)).version
        assert (after.look, after.art) == (before.look, before.art)
