"""What is handed over in an odd spelling is still read, and what holds too much is named as that."""

from __future__ import annotations

import codecs
import json

import pytest

from sceau_credentials import bake_svg, verify
from sceau_credentials.canonical import expansion
from sceau_credentials.errors import CanonicalizationTooHard
from sceau_credentials.values import dump_json, members_in, objects_in
from sceau_credentials.verification.reading import read
from tests.sceau_credentials.signed import credential
from tests.support.badges.credentials import NOON, badge_document
from tests.support.badges.documents import Documents
from tests.support.badges.forgery import SIGNED
from tests.support.badges.pictures import SVG

DRAWN = bake_svg(SVG, SIGNED.token).decode()


@pytest.mark.parametrize(
    "written",
    [
        codecs.BOM_UTF16_LE + DRAWN.encode("utf-16-le"),
        codecs.BOM_UTF16_BE + DRAWN.encode("utf-16-be"),
        codecs.BOM_UTF8 + DRAWN.encode(),
        f'<?xml version="1.0" encoding="UTF-16"?>{DRAWN[DRAWN.index("<svg") :]}'.encode("utf-16"),
    ],
)
def test_a_drawing_is_read_in_every_encoding_that_xml_begins_with(written: bytes) -> None:
    reading = read(written)
    assert (reading.answer.reason, reading.container) == ("readable", "svg")


@pytest.mark.parametrize(
    "presented", ["https://badges.example/\ud800", "\ud800", '{"a":"\ud800"}', "<svg>\ud800"]
)
def test_a_report_on_half_a_character_can_be_written_down(presented: str) -> None:
    report = verify(presented, documents=Documents(), at=NOON)
    assert json.loads(dump_json(report.to_document()))["verdict"] != "valid"


def with_members(count: int) -> str:
    document = badge_document() | {"x": []}
    document["x"] = [0] * (count - members_in(document) - 1)
    assert members_in(document) == count
    return json.dumps(document, separators=(",", ":"))


def test_a_badge_of_more_members_than_anybody_needs_is_not_judged_one_by_one() -> None:
    assert read(with_members(20_000)).answer.reason == "readable"
    answer = read(with_members(20_001)).answer
    assert (answer.reason, dict(answer.details)) == ("too_large", {"cause": "too_many_members"})


@pytest.mark.parametrize(
    ("document", "members", "objects"),
    [
        ({}, 0, 1),
        ({"a": 1}, 2, 1),
        ({"a": [1, 2]}, 5, 1),
        ({"a": [{}, {"b": "c"}], "c": 2**70}, 8, 3),
    ],
)
def test_members_and_objects_are_counted_as_they_are_written(document, members: int, objects: int) -> None:
    assert members_in(document) == members
    assert objects_in(document) == objects


@pytest.mark.parametrize(("objects", "is_read"), [(2_000, True), (2_001, False)])
def test_the_general_way_is_not_gone_with_more_objects_than_it_can_bear(objects: int, is_read: bool) -> None:
    document = credential(evidence=[])
    more = objects - objects_in(document)
    document["evidence"] = [{"id": f"urn:x:{number}", "type": ["Evidence"]} for number in range(more)]
    if is_read:
        assert expansion.quads_of(document)
    else:
        with pytest.raises(CanonicalizationTooHard):
            expansion.quads_of(document)
