"""The gallery of a campus: pictures are encoded again, have a text, and belong to one campus."""

from __future__ import annotations

import io
import re

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from PIL import Image

from app.adapters.badge_pictures import BadgeArtist
from app.domain.campus.campus import MOST_PICTURES
from tests.support.app import App, may_write, send

PATH = "/gestion/itip/images"
FILLED = {"texte": "Un bras robotisé", "accord": "oui"}


def photograph() -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "Lycée de Zoé"
    Image.new("RGB", (1200, 900), "teal").save(out, "JPEG", exif=exif, comment=b"secret")
    return out.getvalue()


@pytest.fixture
def admin(app: App) -> TestClient:
    return app.client(app.admin)


def add(admin: TestClient, content: bytes, form: dict[str, str]) -> Response:
    return send(admin, PATH, form, files={"fichier": ("photo.jpg", content, "image/jpeg")})


def test_a_picture_is_shown_with_its_text_and_without_what_the_camera_wrote(app: App, admin: TestClient):
    assert add(admin, photograph(), FILLED).status_code == 303
    page = app.client().get("/campus/itip").text
    found = re.search(
        r'src="(/campus/itip/images/[^"]+)" alt="Un bras robotisé" width="800" height="600"', page
    )
    assert found
    answer = app.client().get(found[1])
    assert answer.headers["content-type"] in ("image/jpeg", "image/png")
    assert answer.headers["cache-control"] == "public, max-age=300", "one taken away is soon gone everywhere"
    assert b"Zo" not in answer.content
    assert b"secret" not in answer.content
    assert app.client().get(found[1].replace("itip", "agt")).status_code == 404
    remove = re.search(r'action="(/gestion/itip/images/[^"]+/retirer)"', admin.get(PATH).text)
    assert remove
    assert send(admin, remove[1], seen_on=PATH).status_code == 303
    assert app.client().get(found[1]).status_code == 404


def test_a_picture_needs_a_file_a_text_and_everybodys_agreement(app: App, admin: TestClient):
    for content, form in (
        (b"", FILLED),
        (b"<html>", FILLED),
        (photograph(), {**FILLED, "texte": " "}),
        (photograph(), {"texte": "Un bras robotisé"}),
    ):
        answer = add(admin, content, form)
        assert answer.status_code == 422
    assert "Un bras robotisé" in answer.text
    assert "/images/" not in app.client().get("/campus/itip").text


def test_a_gallery_has_a_maximum_size(app: App, admin: TestClient):
    for _ in range(MOST_PICTURES):
        assert add(admin, photograph(), FILLED).status_code == 303
    assert "La galerie est pleine" in admin.get(PATH).text


def test_a_picture_is_made_smaller_while_another_person_may_write(
    app: App, admin: TestClient, monkeypatch: pytest.MonkeyPatch
):
    read, free = BadgeArtist.read_photograph, list[bool]()
    monkeypatch.setattr(
        BadgeArtist, "read_photograph", lambda *given: free.append(may_write(app)) or read(*given)
    )
    assert (add(admin, photograph(), FILLED).status_code, free) == (303, [True])
