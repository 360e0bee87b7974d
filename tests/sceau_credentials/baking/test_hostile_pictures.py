"""Hostile pictures: each is refused with a reason, in bounded time and memory."""

from __future__ import annotations

import gzip
import zlib
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sceau_credentials.baking import bake_png, bake_svg, unbake
from sceau_credentials.errors import ImageError
from tests.sceau_credentials.baking.pictures import END, PIXELS, PNG_SIGNATURE, SVG, chunk, header, itxt, png
from tests.support.running.bounds import bounded
from tests.support.running.every import for_each
from tests.support.shared_data import shared

TOKEN = b"eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJkaWQ6d2ViOmEifQ.c2ln"
BADGE = itxt(b"openbadgecredential", TOKEN)
MEBIBYTE = 1024 * 1024


def svg(body: str, before: str = "") -> bytes:
    namespaces = 'xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"'
    return f"{before}<svg {namespaces}>{body}</svg>".encode()


ONE = f'<openbadges:credential verify="{TOKEN.decode()}"/>'


@for_each(
    ("picture", "reason"),
    [
        pytest.param(b"", "not_an_image", id="nothing"),
        pytest.param(b"\xff\xd8\xff\xe0JFIF", "not_an_image", id="jpeg"),
        pytest.param(gzip.compress(SVG), "not_an_image", id="svgz"),
        pytest.param(png(), "no_credential", id="png-without"),
        pytest.param(png(BADGE, BADGE), "several_credentials", id="png-twice"),
        pytest.param(png(BADGE, end=BADGE + END), "several_credentials", id="png-before-and-after-pixels"),
        pytest.param(png(BADGE) + BADGE, "malformed_png", id="png-after-end"),
        pytest.param(png(BADGE) + b"PK\x03\x04", "malformed_png", id="png-polyglot"),
        pytest.param(png(BADGE, end=b""), "truncated", id="png-without-end"),
        pytest.param(png(BADGE)[:-5], "truncated", id="png-cut"),
        pytest.param(PNG_SIGNATURE, "truncated", id="png-signature-only"),
        pytest.param(png(BADGE, head=b""), "malformed_png", id="png-without-header"),
        pytest.param(png(header(), BADGE), "malformed_png", id="png-two-headers"),
        pytest.param(png(BADGE, pixels=b""), "malformed_png", id="png-without-pixels"),
        pytest.param(png(BADGE, pixels=PIXELS + BADGE + PIXELS), "malformed_png", id="png-pixels-apart"),
        pytest.param(png(BADGE, end=chunk(b"IEND", b"x")), "malformed_png", id="png-full-end"),
        pytest.param(png(BADGE, chunk(b"te t", b"")), "malformed_png", id="png-chunk-type"),
        pytest.param(png(chunk(b"iTXt", BADGE[8:-4], checksum=0)), "bad_checksum", id="png-checksum-of-badge"),
        pytest.param(png(BADGE, pixels=chunk(b"IDAT", b"x", checksum=1)), "bad_checksum", id="png-checksum-of-pixels"),
        pytest.param(png(BADGE, head=header(65_535, 65_535)), "too_large", id="png-pixel-bomb"),
        pytest.param(png(BADGE, head=header(0, 1)), "malformed_png", id="png-empty"),
        pytest.param(png(BADGE, head=header(colour=1)), "malformed_png", id="png-colour"),
        pytest.param(png(BADGE, head=header(depth=3)), "malformed_png", id="png-depth"),
        pytest.param(png(b"\xff\xff\xff\xffiTXt"), "truncated", id="png-endless-chunk"),
        pytest.param(png(*[chunk(b"tEXt", b"a\0")] * 20_000), "too_large", id="png-many-chunks"),
        pytest.param(png(chunk(b"IDAT", bytes(3 * MEBIBYTE))), "too_large", id="png-file"),
        pytest.param(png(itxt(b"openbadgecredential", b"x" * 600_000)), "too_large", id="png-text"),
        pytest.param(
            png(itxt(b"openbadgecredential", zlib.compress(bytes(64 * MEBIBYTE)), b"\1\0")),
            "compressed_text",
            id="png-text-bomb",
        ),
        pytest.param(png(itxt(b"openbadgecredential", b"x", b"\0\1")), "malformed_png", id="png-method"),
        pytest.param(png(chunk(b"iTXt", b"openbadgecredential\0\0\0")), "malformed_png", id="png-half-itxt"),
        pytest.param(png(chunk(b"iTXt", b"openbadgecredential")), "malformed_png", id="png-keyword-only"),
        pytest.param(png(itxt(b"openbadgecredential", b"\xff\xfe{}")), "not_utf8", id="png-utf16"),
        pytest.param(png(chunk(b"zTXt", b"openbadgecredential\0\0x")), "no_credential", id="png-ztxt"),
        pytest.param(png(itxt(b"openbadgecredential2", TOKEN)), "no_credential", id="png-other-keyword"),
        pytest.param(SVG, "no_credential", id="svg-without"),
        pytest.param(svg(ONE + ONE), "several_credentials", id="svg-twice"),
        pytest.param(svg(f"{ONE}<g>{ONE}</g>"), "several_credentials", id="svg-hidden-second"),
        pytest.param(
            svg(f'<openbadges:credential verify="{TOKEN.decode()}">{{}}</openbadges:credential>'),
            "several_credentials",
            id="svg-token-and-json",
        ),
        pytest.param(
            svg("<openbadges:credential>{<g/>}</openbadges:credential>"), "malformed_svg", id="svg-element-inside"
        ),
        pytest.param(svg(ONE)[:-3], "malformed_svg", id="svg-cut"),
        pytest.param(svg(ONE) + b"<svg/>", "malformed_svg", id="svg-two-roots"),
        pytest.param(b"<html>" + svg(ONE) + b"</html>", "not_an_image", id="html"),
        pytest.param(b"<svg xmlns='urn:other'></svg>", "not_an_image", id="svg-of-another-namespace"),
        pytest.param(
            svg(ONE, '<!DOCTYPE svg [<!ENTITY a "b">]>'), "unsafe_svg", id="svg-entity"
        ),
        pytest.param(
            svg(ONE, '<!DOCTYPE svg SYSTEM "https://evil.example/x.dtd">'), "unsafe_svg", id="svg-outside-type"
        ),
        pytest.param(
            svg(ONE, '<!DOCTYPE svg PUBLIC "-//Evil//DTD SVG 1.1//EN" "https://evil.example/x.dtd">'),
            "unsafe_svg",
            id="svg-outside-public-type",
        ),
        pytest.param(
            svg(f"{ONE}&x;", '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'), "unsafe_svg", id="svg-xxe"
        ),
        pytest.param(
            svg(
                f"{ONE}&c;",
                '<!DOCTYPE svg [<!ENTITY a "' + "a" * 1000 + '"><!ENTITY b "' + "&a;" * 1000 + '">'
                '<!ENTITY c "' + "&b;" * 1000 + '">]>',
            ),
            "unsafe_svg",
            id="svg-laughs",
        ),
        pytest.param(
            svg(
                "<openbadges:credential>&x;</openbadges:credential>", '<!DOCTYPE svg SYSTEM "https://evil.example/x.dtd">'
            ),
            "unsafe_svg",
            id="svg-outside-entity",
        ),
        pytest.param(svg("<g>" * 5_000 + "</g>" * 5_000), "too_large", id="svg-deep"),
        pytest.param(svg("<g/>" * 100_000), "too_large", id="svg-wide"),
        pytest.param(svg(" " * 3 * MEBIBYTE), "too_large", id="svg-file"),
        pytest.param(
            svg("<openbadges:credential>" + "x" * 600_000 + "</openbadges:credential>"), "too_large", id="svg-text"
        ),
        pytest.param(
            svg('<openbadges:credential verify="' + "x" * 600_000 + '"/>'), "too_large", id="svg-attribute"
        ),
        pytest.param(b'<?xml version="1.0" encoding="nonsense"?>' + svg(ONE), "malformed_svg", id="svg-encoding"),
        pytest.param(svg(ONE).replace(b">", b">\xff", 1), "malformed_svg", id="svg-not-utf8"),
        pytest.param(svg("\x01"), "malformed_svg", id="svg-control-character"),
    ],
)  # fmt: skip
def test_picture_is_refused_with_its_reason_in_bounded_time_and_memory(picture, reason):
    assert bounded(lambda: refusal_of(picture)) == reason


def refusal_of(picture):
    with pytest.raises(ImageError) as refusal:
        unbake(picture)
    return refusal.value.reason


def test_document_type_without_entities_is_no_reason_to_refuse_a_drawing():
    public = (
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
    )
    assert unbake(svg(ONE, public)).text == TOKEN.decode()


@pytest.mark.parametrize(
    "drawing",
    [
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="urn:other"></svg>',
        '<?xml version="1.0" encoding="ISO-8859-1"?><svg xmlns="http://www.w3.org/2000/svg">é</svg>'.encode(
            "latin-1"
        ),
        '<?xml version="1.0" encoding="UTF-16"?><svg xmlns="http://www.w3.org/2000/svg"></svg>'.encode(
            "utf-16"
        ),
        svg("", '<!DOCTYPE svg [<!ENTITY a "b">]>'),
    ],
)
def test_nothing_is_baked_into_a_drawing_where_it_could_not_be_read_again(drawing):
    with pytest.raises(ImageError):
        bake_svg(drawing, TOKEN.decode())


@given(st.binary(max_size=300))
@example(b"<")
@example(b"\xff\xfe<")
@example(b'<?xml version="1.0" encoding="utf-7"?><svg/>')
@example(b"<svg xmlns:a=''/>")
def test_bytes_of_any_kind_are_a_credential_or_an_image_error(data):
    for picture in (
        data,
        PNG_SIGNATURE + data,
        PNG_SIGNATURE + header() + data,
        b"<svg>" + data,
        b"<" + data,
    ):
        with suppress(ImageError):
            assert isinstance(unbake(picture).text, str)


@given(st.integers(0, len(png(BADGE)) - 1), st.integers(1, 255))
def test_a_damaged_png_never_yields_another_credential(position, damage):
    picture = bytearray(png(BADGE))
    picture[position] ^= damage
    with pytest.raises(ImageError):
        unbake(bytes(picture))


def test_corrupt_files_of_the_png_suite_are_refused():
    refused = 0
    for path in sorted(shared("hostile/pngsuite/tests/pngsuite").glob("x*.png")):
        picture = path.read_bytes()
        with pytest.raises(ImageError):
            bake_png(picture, TOKEN.decode())
        refused += 1
    assert refused >= 10
