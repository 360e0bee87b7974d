"""Codes are read from pictures and pages; other or too large files give no code and no error."""

from __future__ import annotations

import subprocess
import sys
from io import BytesIO

import pytest
import segno
from PIL import Image

from app.adapters.picture_codes import PictureCodes

ADDRESS = "https://badges.exemple.fr/v/7H2K-MQ4T-9XWB"


def code(scale: int = 4) -> Image.Image:
    out = BytesIO()
    segno.make(ADDRESS, error="m").save(out, kind="png", scale=scale)
    return Image.open(out).convert("L")


def written(image: Image.Image, kind: str) -> bytes:
    out = BytesIO()
    image.save(out, kind)
    return out.getvalue()


def on_a_desk() -> Image.Image:
    """As photographed by a phone: rotated, grey, off-centre."""
    desk = Image.new("L", (1600, 1200), 150)
    turned = code(8).rotate(17, expand=True, fillcolor=150, resample=Image.Resampling.BICUBIC)
    desk.paste(turned.point(lambda light: 40 + light * 3 // 4), (700, 300))
    return desk


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "PDF"])
def test_a_code_is_read_from_a_photo_and_from_a_scanned_page(kind: str) -> None:
    assert PictureCodes().read(written(on_a_desk(), kind)) == [ADDRESS]


def test_a_code_on_a_transparent_background_is_read_as_on_white() -> None:
    clear = Image.new("RGBA", (400, 400), (0, 0, 0, 0))
    black = code().point(lambda light: 255 - light)
    clear.paste((0, 0, 0, 255), (60, 60), black)
    assert PictureCodes().read(written(clear, "PNG")) == [ADDRESS]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"%PDF-1.7\nnothing",
        written(code(), "PNG")[:300],
        written(Image.new("L", (90, 90), 255), "PNG"),
        written(Image.new("1", (9000, 9000)), "PNG"),
    ],
    ids=["nothing", "another kind", "no pages", "cut off", "no code", "too large"],
)
def test_a_file_without_a_code_is_not_an_error(content: bytes) -> None:
    assert PictureCodes().read(content) == []


def test_a_server_that_only_answers_requests_never_loads_the_decoders() -> None:
    asked = "import sys, app.main; sys.exit('zxingcpp' in sys.modules or 'pypdfium2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", asked], check=False).returncode == 0
