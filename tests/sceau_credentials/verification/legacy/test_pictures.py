"""Pictures of Open Badges 2.0 and 1.0: the badge inside is verified by its own rules."""

from __future__ import annotations

import json
import struct
import zlib

import pytest

from sceau_credentials import Verdict, verify
from sceau_credentials.baking import PngMaster, bake_png, bake_svg, unbake
from sceau_credentials.errors import ImageError
from sceau_credentials.verification.report import CheckId
from tests.sceau_credentials.verification.legacy.older_issuer import (
    ASSERTION,
    NOON,
    Gone,
    assertion,
    jws,
    published,
    signed_assertion,
)
from tests.support.badges.credentials import Campus
from tests.support.badges.pictures import PNG, SVG

OLDER = PngMaster(PNG)


def with_text(chunk_type: bytes, text: str) -> bytes:
    body = chunk_type + b"openbadges\0" + text.encode()
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return PNG[:33] + chunk + PNG[33:]


def drawing(element: str) -> bytes:
    start, rest = SVG.decode().split("<svg", 1)
    head, body = rest.split(">", 1)
    return f'{start}<svg xmlns:openbadges="http://openbadges.org"{head}>{element}{body}'.encode()


TOKEN = jws(signed_assertion())
WRITTEN = json.dumps(assertion())
PICTURES = {
    "png, assertion": OLDER.bake_older(WRITTEN),
    "png, token": OLDER.bake_older(TOKEN),
    "png of 1.0, address": with_text(b"tEXt", ASSERTION),
    "svg, address": drawing(f'<openbadges:assertion verify="{ASSERTION}"></openbadges:assertion>'),
    "svg, token": drawing(f'<openbadges:assertion verify="{TOKEN}"></openbadges:assertion>'),
    "svg, address and assertion": drawing(
        f'<openbadges:assertion verify="{ASSERTION}"><![CDATA[{WRITTEN}]]></openbadges:assertion>'
    ),
}


@pytest.mark.parametrize("name", list(PICTURES))
def test_an_older_picture_is_judged_by_the_badge_inside(name: str) -> None:
    """E-016, E-017"""
    report = verify(PICTURES[name], documents=published(), at=NOON)
    assert report.verdict is Verdict.VALID, report.to_document()
    assert report.form == "open_badges_2"
    assert report.container == ("png" if name.startswith("png") else "svg")


def test_a_picture_with_only_an_address_reports_where_it_was_read() -> None:
    report = verify(PICTURES["svg, address"], documents=published(), at=NOON)
    assert report.check(CheckId.READABLE).reason == "older_badge_address"
    gone = verify(PICTURES["svg, address"], documents=Gone(published(), ASSERTION), at=NOON)
    assert gone.verdict is Verdict.INVALID


def test_of_both_generations_in_one_picture_the_newer_is_judged() -> None:
    """E-018"""
    campus = Campus()
    signed = campus.issue().embedded.decode()
    baked = bake_png(PNG, signed)
    body = b"iTXtopenbadges\0\0\0\0\0" + WRITTEN.encode()
    both = (
        baked[:33]
        + struct.pack(">I", len(body) - 4)
        + body
        + struct.pack(">I", zlib.crc32(body))
        + baked[33:]
    )
    report = verify(both, documents=campus.documents(), at=NOON)
    assert (report.verdict, report.form) == (Verdict.VALID, "data_integrity")


def test_a_picture_that_already_contains_a_badge_is_not_baked_again() -> None:
    for carrier in (PICTURES["png, token"], bake_png(PNG, TOKEN)):
        with pytest.raises(ImageError, match="already_baked"):
            PngMaster(carrier)
    with pytest.raises(ImageError, match="already_baked"):
        bake_svg(PICTURES["svg, token"], TOKEN)


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "file:///etc/passwd", "ftp://a.example/b", "pas une adresse"]
)
def test_a_value_that_is_not_a_web_address_is_not_followed(text: str) -> None:
    documents = published()
    report = verify(with_text(b"tEXt", text), documents=documents, at=NOON)
    assert report.verdict is not Verdict.VALID
    assert documents.asked == []


def test_a_baked_badge_is_read_back_unchanged() -> None:
    unbaked = unbake(PICTURES["png, assertion"])
    assert (unbaked.text, unbaked.generation) == (WRITTEN, "2.0")
