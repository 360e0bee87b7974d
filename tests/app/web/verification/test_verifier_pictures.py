"""A picture without its metadata, a screenshot of it, a small JPEG copy: each leads to the answer."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.domain.publishing import short_code
from tests.app.web.publishing.test_award_page import award
from tests.app.web.verification.test_verifier import files_of
from tests.support.app import BASE_URL, App, send


def plain(page: str) -> str:
    """As a reader sees it: with ordinary spaces."""
    return page.replace("\u00a0", " ").replace("\u202f", " ")


INK, PAPER = (18, 20, 24), (255, 255, 255)


def written(image: Image.Image, kind: str = "PNG") -> bytes:
    out = BytesIO()
    image.save(out, kind, **({"quality": 70} if kind == "JPEG" else {}))
    return out.getvalue()


def stripped(picture: bytes) -> Image.Image:
    """The pixels only, without any other data of the file."""
    seen = Image.open(BytesIO(picture)).convert("RGBA")
    return Image.frombytes("RGBA", seen.size, seen.tobytes())


def on(ground: tuple[int, int, int], picture: Image.Image) -> Image.Image:
    shown = Image.new("RGB", picture.size, ground)
    shown.paste(picture, (0, 0), picture)
    return shown


def screenshot(picture: Image.Image) -> Image.Image:
    """Of a dark page on a screen of 1440 points that shows it at three quarters of its size."""
    screen = Image.new("RGB", (1440, 900), INK)
    side = picture.width * 3 // 4
    screen.paste(on(INK, picture).resize((side, side), Image.Resampling.LANCZOS), (611, 203))
    return screen


def small(picture: Image.Image, ground: tuple[int, int, int]) -> Image.Image:
    return on(ground, picture).resize((picture.width // 2, picture.height // 2), Image.Resampling.LANCZOS)


AS_SEEN = {
    "stripped": written,
    "a screenshot": lambda picture: written(screenshot(picture)),
    "half as large, as JPEG": lambda picture: written(small(picture, PAPER), "JPEG"),
    "the same on black": lambda picture: written(small(picture, INK), "JPEG"),
}


@pytest.mark.parametrize("seen", AS_SEEN)
def test_a_picture_without_its_data_leads_to_the_answer(app: App, seen: str) -> None:
    award_id = award(app)
    employer: TestClient = app.client()
    body = AS_SEEN[seen](stripped(files_of(app, award_id)["png"]))
    answer = send(employer, "/verifier", files={"fichier": ("image", body)})
    assert answer.status_code == 200
    assert "Ce document n’a pas été vérifié : il mène à ce badge" in plain(answer.text)
    assert "Zoé N’Diaye" in answer.text
    assert f"/attributions/{award_id}" in answer.text
    assert "verdict ok" not in answer.text, "never as green as a file that was verified"


@pytest.mark.parametrize("short", [False, True])
def test_a_code_that_the_camera_read_is_no_verified_paper(app: App, short: bool) -> None:
    award_id = award(app)
    address = f"/v/{short_code(award_id)}" if short else f"/attributions/{award_id}"
    answer = send(app.client(), "/verifier", {"code": f"{BASE_URL}{address}", "lien": "", "texte": ""})
    assert answer.status_code == 200
    assert "Ce document n’a pas été vérifié : il mène à ce badge" in plain(answer.text)
    assert "Zoé N’Diaye" in answer.text
    assert "verdict ok" not in answer.text


def test_a_code_that_is_a_badge_itself_is_verified(app: App) -> None:
    award_id = award(app)
    token = app.client().get(f"/attributions/{award_id}.jwt").text
    answer = send(app.client(), "/verifier", {"code": token})
    assert "n’a pas été vérifié" not in plain(answer.text)
    assert "verdict ok" in answer.text


@pytest.mark.parametrize("path", ["/v/K7QM-29XF-4R8T", "/campus/itip", "/recevoir/x.y"])
def test_a_code_that_leads_to_no_badge_is_answered_as_the_same_address_typed(app: App, path: str) -> None:
    read, typed = (
        send(app.client(), "/verifier", {field: f"{BASE_URL}{path}"}) for field in ("code", "lien")
    )
    assert (read.status_code, faults_in(read.text)) == (typed.status_code, faults_in(typed.text))
    assert faults_in(read.text)


def faults_in(page: str) -> list[str]:
    return re.findall(r'id="lien-erreur".*?</div>', page, re.DOTALL)


def test_the_picture_of_a_closed_badge_is_answered_as_closed_only(app: App) -> None:
    award_id = award(app, is_open=False)
    body = written(stripped(files_of(app, award_id)["png"]))
    employer = app.client()
    page = send(employer, "/verifier", files={"fichier": ("image", body)})
    assert page.status_code == 403
    assert "N’Diaye" not in page.text


def test_a_picture_too_small_to_be_read_asks_for_its_printed_address(app: App) -> None:
    tiny = small(small(stripped(files_of(app, award(app))["png"]), PAPER).convert("RGBA"), PAPER)
    answer = send(app.client(), "/verifier", files={"fichier": ("image", written(tiny, "JPEG"))})
    assert "Cette image ne contient pas de badge" in answer.text
    assert "L’adresse écrite sur l’image marche toujours" in answer.text
