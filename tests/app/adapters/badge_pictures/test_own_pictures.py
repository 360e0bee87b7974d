"""Logos and pictures of a campus: only pixels are accepted, hostile files are refused, and every shape draws them."""

from __future__ import annotations

import struct
import zlib
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from app.adapters.badge_pictures import BadgeArtist, own_pictures
from app.adapters.badge_pictures.own_pictures import SIDE, contrast_of, read_art, side_of
from app.adapters.slots import Slots
from app.errors import InvalidInput
from tests.app.adapters.badge_pictures.orders import KINDS, order

XLINK = 'xmlns:xlink="http://www.w3.org/1999/xlink"'


def svg(content: str, attributes: str = 'viewBox="0 0 100 100"', before: str = "") -> bytes:
    return f'{before}<svg xmlns="http://www.w3.org/2000/svg" {XLINK} {attributes}>{content}</svg>'.encode()


def picture(
    kind: str = "PNG", size: tuple[int, int] = (700, 700), mode: str = "RGB", **sent: object
) -> bytes:
    image = Image.new(mode, size, "#284" if mode == "RGB" else (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((20, 20, size[0] - 20, size[1] - 20), fill="#fff")
    out = BytesIO()
    image.save(out, kind, **sent)
    return out.getvalue()


CIRCLE = svg('<circle cx="50" cy="50" r="40" fill="#123456"/>')
BOMB = "".join(f'<g id="g{n}">' + f'<use xlink:href="#g{n - 1}"/>' * 10 + "</g>" for n in range(1, 9))
PATTERNS = "".join(
    f'<pattern id="p{n}" width="9" height="9">' + f'<rect width="9" height="9" fill="url(#p{n - 1})"/>' * 10
    + "</pattern>" for n in range(1, 9)
)  # fmt: skip


@pytest.mark.parametrize(
    "hostile",
    [
        svg('<image href="file:///etc/passwd" width="9" height="9"/>'),
        svg('<image xlink:href="https://exemple.fr/suivi.png" width="9" height="9"/>'),
        svg('<use href="autre.svg#a"/>'),
        svg('<use xlink:href="file:///etc/hostname#a"/>'),
        svg('<filter id="f"><feImage href="file:///etc/passwd"/></filter><rect filter="url(#f)"/>'),
        svg('<rect width="9" height="9" fill="url(https://exemple.fr/a#b)"/>'),
        svg('<style>@import "https://exemple.fr/a.css";</style>'),
        svg("<style>rect{fill:url(file:///etc/passwd)}</style>"),
        svg("<script>alert(1)</script>"),
        svg("<foreignObject><p>a</p></foreignObject>"),
        svg('<circle r="9"><animate attributeName="r" to="1"/></circle>'),
        svg("<text>ITIP</text>"),
        svg(f'<g id="g0"><rect width="1" height="1"/></g>{BOMB}<use href="#g8"/>'),
        svg(f'<pattern id="p0"/>{PATTERNS}<rect width="99" height="99" fill="url(#p8)"/>'),
        svg('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'),
        svg("<g>" * 5000 + "</g>" * 5000),
        svg('<rect width="9" height="9"/>', 'viewBox="0 0 1 100000"'),
        svg('<rect width="9" height="9"/>', 'width="100%"'),
        svg('<rect width="9" height="9"/>', 'viewBox="0 0 nan nan"'),
        svg("&a;", before='<!DOCTYPE svg [<!ENTITY a "a">]>'),
        svg("&a;", before='<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>'),
        CIRCLE.decode().encode("utf-16"),
        CIRCLE[:-9],
        b"<html><svg></svg></html>",
        b"GIF89a" + bytes(99),
        b"",
    ],
)
def test_an_svg_with_references_scripts_or_repetition_is_refused(hostile: bytes):
    with pytest.raises(InvalidInput):
        read_art(hostile)


def test_an_svg_of_a_drawing_program_is_drawn():
    doctype = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    )
    content = (
        '<style>.a{fill:url(#g)}</style><defs><linearGradient id="g"><stop stop-color="#f00"/></linearGradient></defs>'
        '<path class="a" d="M0 0h200v100H0z"/><use xlink:href="#d"/><a href="https://exemple.fr"><path id="d" d="M0 0h1v1z"/></a>'
    )
    art = read_art(svg(content, 'width="200px" height="100"', before=f'<?xml version="1.0"?>{doctype}'))
    with Image.open(BytesIO(art)) as image:
        assert image.size == (SIDE, SIDE // 2)
        assert image.convert("RGB").getpixel((400, 200)) == (255, 0, 0)


def filtered(effect: str) -> bytes:
    return svg(f'<filter id="f">{effect}</filter><rect width="100" height="100" filter="url(#f)"/>')


ENDLESS = (
    filtered('<feTurbulence baseFrequency="0.1" numOctaves="1000"/>'),
    filtered('<feMorphology operator="dilate" radius="50"/>'),
    filtered(f'<feConvolveMatrix order="60" kernelMatrix="{"1 " * 3600}"/>'),
    svg('<g opacity=".5"><rect width="100" height="100" opacity=".5"/></g>' * 20_000),
)


@pytest.mark.parametrize("endless", ENDLESS, ids=["octaves", "radius", "order", "layers"])
def test_an_svg_that_takes_minutes_to_draw_is_interrupted(monkeypatch: pytest.MonkeyPatch, endless: bytes):
    monkeypatch.setattr(own_pictures, "_SECONDS", 1)
    with pytest.raises(InvalidInput, match="trop compliqué"):
        read_art(endless)


def test_a_shadow_of_a_drawing_program_is_drawn():
    shadow = '<feGaussianBlur stdDeviation="3"/><feOffset dx="2"/><feMerge><feMergeNode/></feMerge>'
    assert side_of(read_art(filtered(shadow))) == SIDE


CHAIN = "".join(
    f'<pattern id="p{n}" width="9" height="9">'
    + f'<rect id="r{n}x{{n}}" data-k="{n - 1}" class="c{n - 1}" width="9" height="9"/>' * 10
    + "</pattern>"
    for n in range(1, 9)
)


@pytest.mark.parametrize(
    "selector", ['[data-k="{}"]', ".c{}", "g > *.c{}", "rect[class=c{}]", "@media all{{.c{}"]
)
def test_style_sheets_repeat_for_every_element_that_they_select(selector: str):
    rules = "".join(f"{selector.format(n)}{{fill:url(#p{n})}}" for n in range(1, 9))
    with pytest.raises(InvalidInput, match="trop compliqué"):
        read_art(svg(f'<style>{rules}</style>{CHAIN}<rect data-k="8" class="c8" width="99" height="99"/>'))


@pytest.mark.parametrize("selector", [".a", "path", "#d", "g > path.a:hover", "/* .b, */ path"])
def test_style_sheets_of_drawing_programs_are_counted_once(selector: str):
    rules = "".join(f".b{n}{{fill:url(#g{n})}}" for n in range(90))
    gradients = "".join(
        f'<linearGradient id="g{n}"><stop stop-color="#f00"/></linearGradient>' for n in range(90)
    )
    paths = '<path id="d" class="a b1" d="M0 0h9v9z"/>' * 1_000
    assert read_art(svg(f"<style>{rules}{selector}{{fill:url(#g1)}}</style>{gradients}<g>{paths}</g>"))


@pytest.mark.parametrize(
    ("size", "result"),
    [
        ('viewBox="0 . 100 100"', "ne dit pas sa taille"),
        ('viewBox="0 0 1e999 100"', "ne dit pas sa taille"),
        (f'width="{"9" * 5_000}" height="100"', "ne dit pas sa taille"),
        (f'width="{"0" * 5_000}x" height="100"', "ne dit pas sa taille"),
        ('width="12." height="100"', "ne dit pas sa taille"),
    ],
)
def test_an_invalid_size_is_reported(size: str, result: str):
    with pytest.raises(InvalidInput, match=result):
        read_art(svg('<rect width="9" height="9"/>', size))


@pytest.mark.parametrize(
    "size", ['viewBox="+0,0 1.6e2 .4E+2"', 'width="160.0px" height=" 040 "', 'viewBox="0 0 1.2.3 100"']
)
def test_a_size_is_read_in_every_spelling(size: str):
    with Image.open(BytesIO(read_art(svg('<rect width="9" height="9"/>', size)))) as image:
        assert image.size == (SIDE, SIDE // 4)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_keeps_its_pixels_and_nothing_else(kind: str):
    hidden = b"position 47.23, 4.46"
    result = PngImagePlugin.PngInfo()
    result.add_text("Comment", hidden.decode())
    sent: dict[str, object] = {
        "PNG": {"pnginfo": result},
        "JPEG": {"comment": hidden},
        "WEBP": {"xmp": hidden},
    }[kind]
    art = read_art(picture(kind, (1600, 1600), **sent) + hidden)
    assert hidden not in art
    assert side_of(art) == SIDE
    assert len(art) < 200_000


def test_a_picture_that_claims_too_many_pixels_is_refused_before_it_is_decoded():
    head = struct.pack(">IIBBBBB", 6_000, 6_000, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(bytes(1000))), (b"IEND", b""))
    bomb = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
    with pytest.raises(InvalidInput, match="trop grande"):
        read_art(bomb)


@pytest.mark.parametrize(
    ("content", "result"),
    [
        (picture(size=(100, 100)), "trop petite"),
        (picture(size=(2000, 200)), "trop allongée"),
        (picture()[:400], "abîmée"),
        (b"\x89PNG\r\n\x1a\n" + bytes(3 * 1024 * 1024), "2 Mo"),
    ],
)
def test_the_fault_of_a_picture_is_reported(content: bytes, result: str):
    with pytest.raises(InvalidInput, match=result):
        read_art(content)


def test_an_own_picture_is_larger_than_a_logo(artist: BadgeArtist):
    assert artist.read_art(picture(size=(300, 300)), is_own=False)
    with pytest.raises(InvalidInput, match="trop petite") as refused:
        artist.read_art(picture(size=(300, 300)), is_own=True)
    assert refused.value.values == {"least": 600}


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b"<svg ", b"<?xml ", b""]),
    st.binary(max_size=300),
)
def test_any_bytes_are_at_most_refused(start: bytes, rest: bytes):
    with pytest.raises(InvalidInput):
        read_art(start + rest)


def test_the_contrast_of_a_logo_is_that_of_its_visible_pixels():
    assert contrast_of(read_art(picture(mode="RGBA")), "#ffffff") == 1
    assert contrast_of(read_art(picture(mode="RGBA")), "#000000") == 21
    assert 3 < contrast_of(read_art(picture()), "#ffffff") < 6, "opaque: on its own background"


@pytest.mark.parametrize("kind", KINDS)
def test_every_shape_draws_a_logo_instead_of_the_letters(kind: str, artist: BadgeArtist):
    logo = read_art(CIRCLE)
    with_logo, without = (artist.draw(order(kind=kind, logo=art)) for art in (logo, b""))
    assert with_logo.count("<image ") == 2
    assert "<image " not in without
    drawn = artist.rasterise(with_logo)
    assert drawn != artist.rasterise(without)
    assert artist.draw(order(kind=kind)) == without, "pictures without art keep their bytes"


def test_an_own_picture_retains_the_address_and_the_texts(artist: BadgeArtist):
    own = read_art(picture())
    drawn = artist.draw(order(own=own, code="https://sceau.example/v/ABCD"))
    assert "Vérifier : sceau.example/verifier" in drawn
    assert "Assurer la maintenance" in drawn
    with Image.open(BytesIO(artist.rasterise(drawn))) as image:
        assert image.size == (600, 600)
        assert image.convert("RGBA").getpixel((300, 200)) == (255, 255, 255, 255)


def test_the_small_mark_of_an_own_picture_is_small(artist: BadgeArtist):
    own = read_art(picture(size=(1600, 1600)))
    small = artist.small_mark(order(own=own))
    assert small.count("<image ") == 1
    assert len(small) < len(own)


def test_a_photograph_becomes_a_small_png(artist: BadgeArtist):
    out = BytesIO()
    Image.effect_noise((900, 900), 90).convert("RGB").save(out, "JPEG")
    drawn = artist.rasterise(artist.draw(order(own=read_art(out.getvalue()))))
    assert len(drawn) < 400_000


def test_many_drawings_at_once_use_few_threads_and_the_others_are_asked_to_retry(monkeypatch):
    drawn, go_on = [], Event()

    def wait(content: bytes) -> bytes:
        drawn.append(content)
        go_on.wait(30)
        return content

    monkeypatch.setattr(own_pictures, "_read", wait)
    monkeypatch.setattr(own_pictures, "_SLOTS", Slots(2, waiting=4, seconds=60))
    with ThreadPoolExecutor(20) as uploads:
        sent = [uploads.submit(read_art, CIRCLE) for _ in range(20)]
        done, _ = futures.wait(sent, timeout=30, return_when=futures.FIRST_COMPLETED)
        while len(done) < 14:
            done, _ = futures.wait(sent, timeout=0.01)
        refused = [each.exception() for each in done]
        assert all(isinstance(each, InvalidInput) for each in refused)
        assert len(drawn) == 2
        go_on.set()
        outcomes = [each.exception() for each in sent]
    assert sum(each is None for each in outcomes) == 6
    assert read_art(CIRCLE) == CIRCLE
