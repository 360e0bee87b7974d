"""A badge attached to a PDF is read like any other; a hostile PDF is refused in bounded time."""

from __future__ import annotations

import time
import zlib
from io import BytesIO

import pytest
from pypdf import PdfWriter
from pypdf.generic import ArrayObject, DecodedStreamObject, DictionaryObject, NameObject, TextStringObject

from sceau_credentials import Verdict, verify
from sceau_credentials.baking import unbake
from sceau_credentials.errors import ImageError
from tests.support.badges.credentials import NOON, Campus
from tests.support.running.every import for_each

CREDENTIAL = '{"@context":["https://www.w3.org/ns/credentials/v2"],"name":"Zoé"}'


def pdf(*attached: tuple[str, bytes]) -> bytes:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    for name, data in attached:
        writer.add_attachment(name, data)
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def tree_of(root: bytes, *others: bytes) -> bytes:
    """With a name tree with these root entries; the others are objects 2 and up."""
    return raw(b"<</Type/Catalog/Pages 9 0 R/Names<</EmbeddedFiles<<%s>>>>>>" % root, *others)


def raw(*objects: bytes) -> bytes:
    """A small PDF by hand: the first object is the catalogue."""
    body, offsets = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, start=1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    start = len(body)
    size = len(objects) + 1
    body += b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, table)
    return body + b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, start)


def stream(data: bytes, *filters: bytes) -> bytes:
    named = b"/Filter[%s]" % b"".join(filters) if filters else b""
    return b"<</Type/EmbeddedFile%s/Length %d>>\nstream\n%s\nendstream" % (named, len(data), data)


TREE = b"<</Type/Catalog/Pages 9 0 R/Names<</EmbeddedFiles<</Names[(a.json)2 0 R]>>>>>>"
FILE = b"<</Type/Filespec/F(a.json)/EF<</F 3 0 R>>>>"


def refusal(data: bytes) -> str:
    began = time.perf_counter()
    with pytest.raises(ImageError) as refused:
        unbake(data)
    assert time.perf_counter() - began < 5  # a hundred times the measured need
    return refused.value.reason


def test_an_attached_badge_is_found_and_judged_like_any_other() -> None:
    campus = Campus()
    signed = campus.issue()
    for name, data in (("badge.json", signed.embedded), ("badge.jwt", signed.token.encode())):
        report = verify(pdf((name, data)), documents=campus.documents(), at=NOON)
        assert report.verdict is Verdict.VALID
        assert report.container == "pdf"


def test_a_file_associated_with_the_document_needs_no_particular_name() -> None:
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    file = DecodedStreamObject()
    file.set_data(CREDENTIAL.encode())
    embedded = DictionaryObject({NameObject("/F"): writer._add_object(file)})
    specification = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Filespec"),
            NameObject("/F"): TextStringObject("justificatif"),
            NameObject("/AFRelationship"): NameObject("/Data"),
            NameObject("/EF"): embedded,
        }
    )
    writer.root_object[NameObject("/AF")] = ArrayObject([writer._add_object(specification)])
    assert unbake(written(writer)).text == CREDENTIAL


def test_other_attachments_are_ignored_and_a_repeated_badge_counts_once() -> None:
    twice = pdf(
        ("notice.txt", b"Bonjour"),
        ("factur-x.json", b'{"total": 3}'),
        ("badge.json", CREDENTIAL.encode()),
        ("copie.json", CREDENTIAL.encode()),
    )
    assert unbake(twice).text == CREDENTIAL
    assert unbake(twice).container == "pdf"


def test_two_badges_in_one_document_are_ambiguous() -> None:
    other = CREDENTIAL.replace("Zoé", "Léo").encode()
    escaped = other.replace(b'"@context"', b'"\\u0040context"')
    for second in (other, escaped):
        assert refusal(pdf(("a.json", CREDENTIAL.encode()), ("b.json", second))) == "several_credentials"


def test_the_hand_made_pdf_of_these_tests_is_valid() -> None:
    assert unbake(raw(TREE, FILE, stream(CREDENTIAL.encode()))).text == CREDENTIAL


BOMB = zlib.compress(b"\0" * 60_000_000, 9)


@for_each(
    ("data", "reason"),
    [
        (pdf(), "no_credential"),
        (pdf(("notice.txt", b"Bonjour")), "no_credential"),
        (b"%PDF-1.7\n", "malformed_pdf"),
        (b"%PDF-1.7\n" + b"%" * 3_000_000, "too_large"),
        (pdf(("a.json", CREDENTIAL.encode()))[:-400], "malformed_pdf"),
        (b"%PDF-1.7\n" + b"1 0 obj\n" * 30_000, "too_large"),
        (raw(TREE, FILE, stream(BOMB, b"/FlateDecode")), "too_large"),
        (raw(TREE, FILE, stream(zlib.compress(BOMB), b"/FlateDecode", b"/FlateDecode")), "too_large"),
        (raw(TREE, FILE, stream(b"x", *[b"/ASCIIHexDecode"] * 40)), "too_large"),
        (raw(TREE.replace(b"/Names[(a.json)2 0 R]", b"/Kids[4 0 R]"), FILE, b"null", b"<</Kids[4 0 R 4 0 R]>>"),
         "too_large"),
        (raw(TREE.replace(b"[(a.json)2 0 R]", b"[" + b"(a.json)2 0 R" * 5000 + b"]"), FILE, stream(b"{}")),
         "too_large"),
        (tree_of(b"/Kids[2 0 R 2 0 R]", b"<</Names[(a)0]>>"), "too_large"),
        (tree_of(b"/Names[" + b"0 " * 2_001 + b"]"), "too_large"),
        (tree_of(b"/Kids[2 0 R 3 0 R]", *[b"<</Names 4 0 R>>"] * 2, b"[" + b"0 " * 1_500 + b"]"), "too_large"),
        (tree_of(b"/Kids[" + b"2 0 R " * 501 + b"]", b"null"), "too_large"),
        (tree_of(b"/Kids[2 0 R 3 0 R]", *[b"<</Names 4 0 R>>"] * 2, b"[" + b"0 " * 500 + b"]"), "no_credential"),
        (raw(TREE, b"2 0 R", b"null"), "malformed_pdf"),
        (raw(TREE, FILE, b"3 0 R"), "malformed_pdf"),
        (raw(b"[" * 5_000 + b"]" * 5_000), "malformed_pdf"),
        (raw(b"<</Type/Catalog>>").replace(b"/Root 1 0 R", b"/Root 1 0 R/Prev 10"), "no_credential"),
        (raw(TREE, FILE, stream(CREDENTIAL.encode())).replace(b"/Root 1 0 R", b"/Root 1 0 R/Encrypt<<>>"),
         "malformed_pdf"),
    ],
)  # fmt: skip
def test_a_hostile_document_is_refused_by_name(data: bytes, reason: str) -> None:
    assert refusal(data) == reason


def test_a_document_full_of_faults_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    good = pdf(("badge.json", Campus().issue().embedded))
    for spoilt in (
        good[:-30],
        good.replace(b" 00000 n", b" 00001 n"),
        good.replace(b"\n0000000", b"\n0000009"),
    ):
        assert spoilt != good
        try:
            unbake(spoilt)
        except ImageError:
            continue
    assert caplog.messages == []


def test_every_cut_or_flipped_byte_gives_a_reason() -> None:
    good = raw(TREE, FILE, stream(CREDENTIAL.encode()))
    for position in range(0, len(good), 7):
        for changed in (good[:position], good[:position] + b"\xff" + good[position + 1 :]):
            try:
                unbake(changed)
            except ImageError:
                continue
