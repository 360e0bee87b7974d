"""Baking: what is put into a picture is read back unchanged, and the picture stays the same."""

from __future__ import annotations

import io
import json
import re
import xml.etree.ElementTree as ET

import openbadgeslib.baking as peer
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openbadges_bakery import bake as bakery_bake

from sceau_credentials.baking import PngMaster, SvgMaster, bake_png, bake_svg, unbake
from sceau_credentials.errors import ImageError
from tests.sceau_credentials.baking.pictures import SVG, chunk, itxt, png
from tests.support.shared_data import shared

TOKEN = "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJkaWQ6d2ViOmEifQ.c2lnbmF0dXJl"
CREDENTIAL = json.dumps(
    {"name": "Réseaux & câblage <niveau 2>", "note": "fin de [[liste]]> ici"}, ensure_ascii=False
)


@pytest.mark.parametrize("credential", [TOKEN, CREDENTIAL])
def test_png_gives_back_the_credential_and_keeps_every_other_byte(credential):
    original = png(chunk(b"tEXt", b"Author\0campus"))
    baked = bake_png(original, credential)
    unbaked = unbake(baked)
    assert (unbaked.text, unbaked.container, unbaked.generation) == (credential, "png", "3.0")
    inserted = itxt(b"openbadgecredential", credential.encode())
    assert baked == original[:33] + inserted + original[33:]


@pytest.mark.parametrize("credential", [TOKEN, CREDENTIAL])
def test_svg_gives_back_the_credential_and_keeps_every_other_byte(credential):
    baked = bake_svg(SVG, credential)
    unbaked = unbake(baked)
    assert (unbaked.text, unbaked.container, unbaked.generation) == (credential, "svg", "3.0")
    stripped = re.sub(rb"<openbadges:credential.*</openbadges:credential>", b"", baked, flags=re.DOTALL)
    assert stripped.replace(b' xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0"', b"") == SVG


def test_svg_is_written_as_the_specification_shows_it():
    token, embedded = ET.fromstring(bake_svg(SVG, TOKEN)), ET.fromstring(bake_svg(SVG, CREDENTIAL))
    for root in (token, embedded):
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert root[0].tag == "{https://purl.imsglobal.org/ob/v3p0}credential"
    assert token[0].attrib == {"verify": TOKEN}
    assert token[0].text is None
    assert embedded[0].attrib == {}
    assert embedded[0].text == CREDENTIAL
    assert b"<![CDATA[" in bake_svg(SVG, CREDENTIAL)


@pytest.mark.parametrize(
    "start",
    [
        '<svg xmlns="http://www.w3.org/2000/svg" aria-label="a &gt; b" data-x=\'>">\'>',
        '<svg:svg xmlns:svg="http://www.w3.org/2000/svg">',
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="https://purl.imsglobal.org/ob/v3p0">',
        '<!-- <svg> --><svg\n  xmlns="http://www.w3.org/2000/svg"\n>',
        '\ufeff<svg xmlns="http://www.w3.org/2000/svg">',
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">'
        '<svg xmlns="http://www.w3.org/2000/svg">',
    ],
)
def test_svg_start_tag_of_any_spelling_is_found(start):
    end = "</svg:svg>" if "<svg:svg" in start else "</svg>"
    baked = bake_svg(f"{start}<g/>{end}".encode(), TOKEN)
    assert unbake(baked).text == TOKEN


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=40), max_size=4))
def test_any_json_survives_both_carriers(members):
    credential = json.dumps(members, ensure_ascii=False)
    if re.search("[\ud800-\udfff]", credential):
        with pytest.raises(ImageError):
            bake_png(png(), credential)
        return
    assert unbake(bake_png(png(), credential)).text == credential
    assert json.loads(unbake(bake_svg(SVG, credential)).text) == members


def test_noncharacters_that_xml_forbids_survive_as_json_escapes():
    baked = bake_svg(SVG, '{"a":"\uffff]]>\ufffe"}')
    ET.fromstring(baked)
    assert json.loads(unbake(baked).text) == {"a": "\uffff]]>\ufffe"}


def test_one_master_bakes_many_credentials():
    for master in (PngMaster(png()), SvgMaster(SVG)):
        assert [unbake(master.bake(text)).text for text in (TOKEN, CREDENTIAL)] == [TOKEN, CREDENTIAL]


@pytest.mark.parametrize(
    "credential",
    ["", "hello", "https://badges.example/1", TOKEN + "\n", "{\0}", '{"a":"\ud800"}', "a.b", '{"' + "x" * 600_000 + '"}'],
)  # fmt: skip
def test_only_a_credential_is_baked(credential):
    for bake, picture in ((bake_png, png()), (bake_svg, SVG)):
        with pytest.raises(ImageError, match="not_a_credential"):
            bake(picture, credential)


def test_a_baked_picture_is_not_baked_again():
    for bake, picture in ((bake_png, png()), (bake_svg, SVG)):
        with pytest.raises(ImageError, match="already_baked"):
            bake(bake(picture, TOKEN), CREDENTIAL)


def test_open_badges_2_pictures_are_read_and_distinguished():
    assertion = '{"@context":"https://w3id.org/openbadges/v2","type":"Assertion"}'
    for picture, text in (
        (png(itxt(b"openbadges", assertion.encode())), assertion),
        (png(chunk(b"tEXt", b"openbadges\0https://old.example/1.json")), "https://old.example/1.json"),
        (svg_2(f'verify="{TOKEN}"'), TOKEN),
        (svg_2('verify="https://old.example/1.json"', f"<![CDATA[{assertion}]]>"), assertion),
    ):
        unbaked = unbake(picture)
        assert (unbaked.text, unbaked.generation) == (text, "2.0")


def test_a_picture_of_both_generations_is_read_as_the_newer_one():
    assert unbake(png(itxt(b"openbadges", b"{}"), itxt(b"openbadgecredential", TOKEN.encode()))).text == TOKEN
    assert unbake(bake_svg(SVG, TOKEN).replace(b"</svg>", svg_2('verify="x"')[-80:])).generation == "3.0"


@pytest.mark.parametrize("credential", [TOKEN, CREDENTIAL])
def test_another_program_reads_what_we_bake(credential):
    assert peer.extract_png(bake_png(png(), credential), keyword=peer.ITXT_KEYWORD_OB3) == credential
    baked = bake_svg(SVG, credential)
    assert peer.extract_svg(baked, element=peer.SVG_ELEMENT_OB3, text_fallback=True) == credential


@pytest.mark.parametrize("credential", [TOKEN, CREDENTIAL])
def test_we_read_what_another_program_baked(credential):
    baked = peer.bake_png(png(), credential, keyword=peer.ITXT_KEYWORD_OB3)
    assert unbake(baked).text == credential
    baked = peer.bake_svg(
        SVG,
        credential,
        element=peer.SVG_ELEMENT_OB3,
        namespace=peer.SVG_NS_OB3,
        as_text=credential == CREDENTIAL,
    )
    assert unbake(baked).text == credential


def test_we_read_what_another_baker_of_open_badges_2_made():
    for picture in (png(), SVG):
        baked = bakery_bake(io.BytesIO(picture), TOKEN)
        unbaked = unbake(baked.read())
        assert (unbaked.text, unbaked.generation) == (TOKEN, "2.0")


def test_every_sound_png_of_the_suite_is_baked_and_read_back():
    folder = shared("hostile/pngsuite/tests/pngsuite")
    sound = [path for path in folder.glob("*.png") if not path.name.startswith("x")]
    assert len(sound) > 100
    for path in sound:
        assert unbake(bake_png(path.read_bytes(), CREDENTIAL)).text == CREDENTIAL, path.name


def svg_2(attributes: str, body: str = "") -> bytes:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:openbadges="http://openbadges.org">'
        f"<openbadges:assertion {attributes}>{body}</openbadges:assertion></svg>"
    ).encode()
