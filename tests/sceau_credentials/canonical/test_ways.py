"""Counters of the path that each document took."""

from __future__ import annotations

import pytest

from sceau_credentials.canonical import Way, canonical_nquads, ways_taken
from sceau_credentials.canonical.templates import Template, mark
from sceau_credentials.errors import UnsafeDocument
from tests.support.badges.credentials import badge_document


def _taken_by(document: dict) -> dict[Way, int]:
    before = ways_taken()
    try:
        canonical_nquads(document)
    finally:
        after = ways_taken()
    return {way: after[way] - before[way] for way in Way if after[way] != before[way]}


def test_each_document_is_counted_once_by_its_path() -> None:
    assert _taken_by(badge_document()) == {Way.COMPILED: 1}
    endorsed = badge_document()
    endorsed["credentialSubject"]["achievement"]["otherIdentifier"] = []
    assert _taken_by(endorsed) == {Way.COMPILED: 1}
    described_twice = badge_document()
    described_twice["evidence"][0] |= {"id": described_twice["id"]}
    assert _taken_by(described_twice) == {Way.GENERAL: 1}


def test_a_refused_document_is_counted_as_well() -> None:
    before = ways_taken()[Way.GENERAL]
    with pytest.raises(UnsafeDocument):
        canonical_nquads(badge_document() | {"unknown": "word"})
    assert ways_taken()[Way.GENERAL] == before + 1


def test_documents_of_a_template_are_counted_separately() -> None:
    template = Template(badge_document() | {"name": mark(0)})
    before = ways_taken()[Way.TEMPLATE]
    template.canonical_bytes(["a"])
    assert ways_taken()[Way.TEMPLATE] == before + 1


def test_the_answer_is_a_copy() -> None:
    ways_taken().clear()
    assert set(ways_taken()) == set(Way)
