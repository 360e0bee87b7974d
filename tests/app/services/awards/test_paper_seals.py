"""Seals of papers: only the service can make one, and any changed byte invalidates it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.awards.papers import KEYWORD, is_sealed, sealed

SECRET = b"a secret of the service, long enough"
PAPER = (
    b"%PDF-1.7\n1 0 obj <</Title(Badge)/Keywords(" + KEYWORD.encode() + b")>> endobj\n"
    b"<x><pdf:Keywords>" + KEYWORD.encode() + b"</pdf:Keywords></x>\n%%EOF"
)  # fmt: skip
SEALED = sealed(PAPER, SECRET)


def test_sealed_paper_is_recognised_and_sealing_is_deterministic():
    assert is_sealed(SEALED, SECRET)
    assert len(SEALED) == len(PAPER)
    assert sealed(PAPER, SECRET) == SEALED


@given(st.integers(0, len(SEALED) - 1), st.integers(1, 255))
def test_seal_is_invalid_after_any_changed_byte(place: int, change: int):
    changed = bytearray(SEALED)
    changed[place] ^= change
    assert not is_sealed(bytes(changed), SECRET)


@pytest.mark.parametrize(
    "paper", [PAPER, SEALED + b" ", SEALED[:-1], b"", SEALED.replace(b"/Keywords", b"/Nothing")]
)
def test_unsealed_paper_is_not_recognised(paper: bytes):
    assert not is_sealed(paper, SECRET)


def test_seal_of_another_service_is_refused():
    assert not is_sealed(sealed(PAPER, b"another secret of the same length"), SECRET)


def test_seal_is_invalid_on_another_paper():
    other = PAPER.replace(b"Badge", b"Titre")
    start = SEALED.index(b"sceau:")
    assert not is_sealed(other.replace(KEYWORD.encode(), SEALED[start : start + len(KEYWORD)]), SECRET)
