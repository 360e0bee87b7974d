"""What is taken of the files that people hand in: by content, within limits, under a name that tells no lie."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest

from app.domain.activities.files import (
    LARGEST_FILE,
    LONGEST_TEXT,
    MOST_FILES,
    FileNoun,
    FileState,
    check_content,
    check_may_open,
    check_room,
    media_type_of,
    new_file,
    refuse,
    shown_name,
)
from app.errors import Conflict, InvalidInput
from tests.support.handed import PDF, photo, taken

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def test_a_file_is_what_its_content_says():
    there = (PDF, photo("PNG"), photo("JPEG"), photo("WEBP"), "Ma journée à l’atelier.\n".encode())
    assert [media_type_of(each) for each in there] == [
        "application/pdf", "image/png", "image/jpeg", "image/webp", "text/plain",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b" \n",
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"\xef\xbb\xbf<?xml version='1.0'?><svg/>",
        b"Bonjour. < script >alert(1)</script>",
        b"<!DOCTYPE html><p>Bonjour",
        b"PK\x03\x04 une archive",
        b"MZ\x90",
        b"GIF89a\x01\x00\x01\x00\x80",
        b"texte\x00avec un zero",
        "latin-1 : é".encode("latin-1"),
        b"a" * (LONGEST_TEXT + 1),
    ],
    ids=range(12),
)
def test_pages_drawings_programs_and_archives_are_not_taken(content: bytes):
    with pytest.raises(InvalidInput, match="ni une photo"):
        check_content(content)


def test_what_is_too_heavy_or_of_a_phone_s_own_format_is_refused_with_what_to_do():
    with pytest.raises(InvalidInput, match="trop lourd"):
        check_content(PDF + b"x" * LARGEST_FILE)
    with pytest.raises(InvalidInput, match="Le plus compatible"):
        check_content(b"\0\0\0\x18ftypheic\0\0\0\0")


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("carnet de bord.pdf", "carnet de bord.pdf"),
        ("photo.png", "photo.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("facture.pdf.exe", "facture.pdf.pdf"),
        ("a\u202efdp.exe", "afdp.pdf"),
        ("", "fichier.pdf"),
        ('x"; filename=evil.html\r\n', "x ; filename=evil.pdf"),
    ],
    ids=range(7),
)
def test_a_name_tells_no_lie_about_the_file(name: str, kept: str):
    assert shown_name(name, "application/pdf") == kept


def test_a_request_holds_five_files():
    check_room(MOST_FILES)
    with pytest.raises(InvalidInput, match="trop de fichiers"):
        check_room(MOST_FILES + 1)


def test_nobody_opens_what_is_not_known_to_be_clean_and_of_a_refused_file_nothing_stays():
    row, content = new_file(
        taken("a.pdf", PDF, state=FileState.WAITING),
        campus_id=uuid.uuid4(), noun=FileNoun.REQUEST, noun_id=uuid.uuid4(), at=NOON,
    )  # fmt: skip
    assert (row.size, content.content, len(row.digest)) == (len(PDF), PDF, 64)
    with pytest.raises(Conflict, match="en attente d’analyse"):
        check_may_open(row)
    refuse(row)
    with pytest.raises(Conflict, match="refusé"):
        check_may_open(row)
    assert (row.digest, row.size) == ("", 0)
