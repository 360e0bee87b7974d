"""Files that are no lists, or mean harm: a truthful sentence, in bounded time and memory."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from app.adapters.sheets.list_files import UnreadableList
from app.errors import InvalidInput
from app.services.imports.lists import read_list_file
from tests.lists.documents import docx, xlsx

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def archive(parts: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            zipped.writestr(name, content)
    return made.getvalue()


def compound(stream: str) -> bytes:
    return OLE + bytes(504) + stream.encode("utf-16-le") + bytes(1024)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (compound("WordDocument"), "doc"),
        (compound("EncryptedPackage"), "protected"),
        (compound("PowerPoint Document"), "ppt"),
        (compound("__substg1.0_0037"), "msg"),
        (compound("Workbook"), "damaged"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "image"),
        (b"\xff\xd8\xff\xe0" + bytes(100), "image"),
        (b"\0\0\0\x18ftypheic" + bytes(100), "image"),
        (b"\0\0\0\x18ftypmp42" + bytes(100), "film"),
        (b"RIFF\0\0\0\0WEBPVP8 " + bytes(100), "image"),
        (b"RIFF\0\0\0\0WAVEfmt " + bytes(100), "film"),
        (archive({"notes.txt": b"Marie"}), "zip"),
        (archive({"Index/Document.iwa": b"x", "Index/Tables/DataList.iwa": b"x"}), "numbers"),
        (archive({"Index/Document.iwa": b"x"}), "pages"),
        (archive({"ppt/presentation.xml": b"<x/>"}), "ppt"),
        (b"PK\x03\x04 nothing more", "damaged"),
        (b"%PDF-1.4 nothing more", "damaged"),
        (bytes(range(256)) * 40, "binary"),
        (b"  \r\n", "empty"),
        (b"a" * (5 * 1024 * 1024 + 1), "too-many-bytes"),
    ],
)
def test_what_cannot_be_read_is_named(data: bytes, kind: str) -> None:
    with pytest.raises(UnreadableList) as error:
        read_list_file(data)
    assert error.value.kind == kind


BOMB = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>'
_ROW = '<table:table-row table:number-rows-repeated="900000"><table:table-cell table:number-columns-repeated="900"><text:p>a</text:p></table:table-cell></table:table-row>'
_SHEET = (
    '<office:document-content xmlns:office="o" xmlns:table="t" xmlns:text="x"><office:body><office:spreadsheet>'
    f"<table:table>{_ROW}</table:table></office:spreadsheet></office:body></office:document-content>"
)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (archive({"word/document.xml": BOMB}), "damaged"),
        (archive({"word/document.xml": b"<a>" + b" " * (40 * 1024 * 1024)}), "too-large"),
        (archive({"xl/workbook.xml": b"<a/>", "xl/worksheets/sheet1.xml": b" " * (80 * 1024 * 1024)}), "too-large"),
        (archive({"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": _SHEET.encode()}), "too-large"),
        (archive({f"word/{n}.xml": b"" for n in range(2_100)} | {"word/document.xml": b"<a/>"}), "too-large"),
        (docx([{"table": [["Marie", "Dupont"]] * 21_000}]), "too-large"),
        (xlsx([{"table": [["Marie", "Dupont"]] * 21_000}]), "too-large"),
    ],
)  # fmt: skip
def test_a_bomb_is_refused(data: bytes, kind: str) -> None:
    with pytest.raises(UnreadableList) as error:
        read_list_file(data)
    assert error.value.kind == kind


def test_a_hundred_thousand_lines_are_refused() -> None:
    with pytest.raises(InvalidInput, match="20 000 lignes"):
        read_list_file(b"Marie Dupont\n" * 100_000)


def test_ten_thousand_lines_are_read() -> None:
    reading = read_list_file(
        "Nom;Prénom\n".encode() + b"".join(b"Dupont%d;Marie\n" % n for n in range(9_000))
    )
    assert len(reading.lines) == 9_001


def test_one_quote_does_not_swallow_the_rest() -> None:
    reading = read_list_file('Nom;Prénom\n"Dupont;Marie\nDurand;Paul\nPetit;Léa\n'.encode())
    assert [line.line for line in reading.lines] == [1, 2, 3, 4]


def test_records_of_many_keys_keep_their_names_and_all_their_text() -> None:
    record = {f"question {n}": f"réponse {n}" for n in range(80)} | {"nom": "Dupont", "prénom": "Marie"}
    reading = read_list_file(json.dumps([record, record | {"nom": "Durand"}]).encode())
    assert [line.name for line in reading.lines[1:]] == ["Marie Dupont", "Marie Durand"]
    assert "réponse 79" in reading.lines[1].text
