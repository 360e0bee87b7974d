"""Pictures encoded again: the pixels stay, upright, without any metadata."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from app.adapters.uploads import LONGEST_SIDE, PREVIEW_SIDE, PillowPhotographs
from app.domain.activities.files import media_type_of
from app.errors import InvalidInput
from tests.support.handed import PHONE, huge_png, photo

KINDS = ("JPEG", "PNG", "WEBP")


@pytest.fixture(scope="module")
def photographs() -> PillowPhotographs:
    return PillowPhotographs()


def opened(content: bytes) -> Image.Image:
    return Image.open(BytesIO(content))


@pytest.mark.parametrize("kind", KINDS)
def test_location_device_comments_and_profiles_are_removed_from_the_bytes(
    kind: str, photographs: PillowPhotographs
):
    handed = photo(kind)
    assert PHONE.encode() in handed, "the input contains the device name"
    assert opened(handed).getexif().get_ifd(0x8825)
    picture = photographs.cleaned(handed, f"image/{kind.lower()}")
    for content in (picture.content, picture.preview):
        found = opened(content)
        assert not found.getexif()
        assert not set(found.info) & {"exif", "icc_profile", "comment", "xmp", "dpi", "Author"}
        for trace in (PHONE.encode(), b"Exif", b"EXIF", b"eXIf", b"http://ns.adobe.com", b"ICC"):
            assert trace not in content
    assert media_type_of(picture.content) == f"image/{kind.lower()}"
    assert media_type_of(picture.preview) == "image/jpeg"


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_taken_sideways_is_turned_upright(kind: str, photographs: PillowPhotographs):
    picture = photographs.cleaned(photo(kind, (80, 40), sideways=True), f"image/{kind.lower()}")
    found = opened(picture.content).convert("RGB")
    assert found.size == (40, 80)
    # What was at the left before the rotation is at the top after it.
    top, bottom = found.getpixel((20, 10)), found.getpixel((20, 70))
    assert top[2] > bottom[2]


def test_large_photos_are_reduced_to_screen_size(photographs: PillowPhotographs):
    picture = photographs.cleaned(photo("JPEG", (5000, 3000)), "image/jpeg")
    assert max(opened(picture.content).size) == LONGEST_SIDE
    assert max(opened(picture.preview).size) == PREVIEW_SIDE


def test_transparency_is_retained_and_white_in_the_preview(photographs: PillowPhotographs):
    out = BytesIO()
    Image.new("RGBA", (30, 30), (0, 0, 0, 0)).save(out, "PNG")
    picture = photographs.cleaned(out.getvalue(), "image/png")
    assert opened(picture.content).mode == "RGBA"
    assert opened(picture.preview).getpixel((5, 5)) == (255, 255, 255)


def test_of_an_animation_the_first_frame_is_stored(photographs: PillowPhotographs):
    out, frames = BytesIO(), [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue", "green")]
    frames[0].save(out, "PNG", save_all=True, append_images=frames[1:])
    kept = opened(photographs.cleaned(out.getvalue(), "image/png").content)
    assert getattr(kept, "n_frames", 1) == 1


def test_data_appended_to_a_picture_are_removed(photographs: PillowPhotographs):
    hidden = b"PK\x03\x04evil.html<script>alert(1)</script>"
    for kind in KINDS:
        picture = photographs.cleaned(photo(kind) + hidden, f"image/{kind.lower()}")
        assert b"script" not in picture.content + picture.preview
        assert b"PK\x03\x04" not in picture.content


@pytest.mark.parametrize("size", [(30_000, 30_000), (2**31 - 1, 2**31 - 1), (100_000, 400)])
def test_a_decompression_bomb_is_refused_before_it_is_unpacked(
    size: tuple[int, int], photographs: PillowPhotographs
):
    with pytest.raises(InvalidInput):
        photographs.cleaned(huge_png(*size), "image/png")


@pytest.mark.parametrize("kind", KINDS)
def test_a_truncated_picture_is_refused(kind: str, photographs: PillowPhotographs):
    whole = photo(kind, (400, 300))
    for length in (len(whole) // 2, len(whole) - len(whole) // 5, 40, 12):
        with pytest.raises(InvalidInput, match="abîmée"):
            photographs.cleaned(whole[:length], f"image/{kind.lower()}")


def test_a_file_with_only_the_header_of_a_picture_is_refused(photographs: PillowPhotographs):
    for media_type, start in (
        ("image/png", b"\x89PNG\r\n\x1a\n"),
        ("image/jpeg", b"\xff\xd8\xff\xe0"),
        ("image/webp", b"RIFF1234WEBPVP8 "),
    ):
        with pytest.raises(InvalidInput, match="abîmée"):
            photographs.cleaned(start + b"<svg onload=alert(1)>" * 40, media_type)
        # Nor is one format opened under the name of another.
        with pytest.raises(InvalidInput, match="abîmée"):
            photographs.cleaned(photo("PNG" if media_type != "image/png" else "JPEG"), media_type)


def test_a_photo_of_thousands_of_scans_is_refused_before_decoding(photographs: PillowPhotographs):
    whole = photo("JPEG")
    start = whole.index(b"\xff\xda")
    with pytest.raises(InvalidInput, match="abîmée"):
        photographs.cleaned(whole[:start] + whole[start:-2] * 200 + whole[-2:], "image/jpeg")
