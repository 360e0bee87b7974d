"""The text of a page is what a person reads on it: text that only a program finds in the file does not count."""

from __future__ import annotations

import pytest

from app.adapters.picture_codes import PictureCodes, ReadCode
from app.services.verification.presented import NameMatch, lead_of_carrier
from tests.support.badges.hidden_pages import (
    FALSE,
    HIDDEN,
    HOLDER,
    PLAIN,
    SPOKEN_OTHERWISE,
    WHITE_ON_BLACK,
    document,
    revised,
    stream,
)


def seen_in(content: bytes) -> ReadCode:
    return PictureCodes().inspect(content)


@pytest.mark.parametrize("content", [PLAIN, WHITE_ON_BLACK], ids=["black on white", "white on black"])
def test_a_visible_name_is_read(content: bytes) -> None:
    seen = seen_in(content)
    assert HOLDER in seen.text
    assert seen.whole


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN)
def test_an_invisible_name_is_not_read(content: bytes) -> None:
    seen = seen_in(content)
    assert HOLDER.encode() in content
    assert FALSE in seen.text
    assert HOLDER not in seen.text


def test_a_page_with_another_text_for_screen_readers_is_not_read() -> None:
    seen = seen_in(SPOKEN_OTHERWISE)
    assert (seen.text, seen.whole) == ("", False)


def test_text_of_the_last_revision_counts() -> None:
    seen = seen_in(
        revised(PLAIN, _4=stream(b"BT /F1 12 Tf 40 700 Td (Certificat de %s) Tj ET" % FALSE.encode()))
    )
    assert FALSE in seen.text
    assert HOLDER not in seen.text


def page(words: str) -> bytes:
    return b"BT /F1 12 Tf 40 700 Td (%s) Tj ET " % words.encode()


@pytest.mark.parametrize(
    "rest",
    [
        [page("Certificat de robotique")] * 3 + [page(f"Certificat de {FALSE}")],
        [b"0 0 1 1 re f " * 6_000 + page(f"Certificat de {FALSE}")],
        [b"BT /F1 4 Tf 12 TL 40 800 Td " + b"(mot mot mot mot mot) ' " * 1_100 + b"ET " + page(FALSE)],
    ],
    ids=["a fifth page", "thousands of objects", "thousands of signs"],
)
def test_a_partly_read_document_is_reported_as_such(rest: list[bytes]) -> None:
    assert not seen_in(document(page(f"Certificat de {HOLDER}"), *rest)).whole


@pytest.mark.parametrize(
    ("text", "whole", "name", "written"),
    [
        (f"Certificat de robotique de {HOLDER}", True, NameMatch.SAME, ""),
        (f"Certificat de robotique de {HOLDER}", False, NameMatch.UNREAD, ""),
        ("Certificat de robotique d'une personne", True, NameMatch.DIFFERENT, ""),
        ("Certificat de robotique d'une personne", False, NameMatch.UNREAD, ""),
        (f"Le campus atteste que {FALSE} a reçu le badge", False, NameMatch.DIFFERENT, FALSE),
    ],
)
def test_the_unread_part_of_a_document_changes_no_verdict(
    text: str, whole: bool, name: NameMatch, written: str
) -> None:
    names = [{"identityType": "name", "identityHash": HOLDER, "hashed": False}]
    lead = lead_of_carrier("pdf", text, {"credentialSubject": {"identifier": names}}, whole=whole)
    assert (lead.name, lead.written) == (name, written)
