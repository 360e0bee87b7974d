"""Parts of a workbook beside the values of its cells: struck and hidden rows, comments, headers, text boxes."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from posixpath import normpath
from typing import Any, Final

from app.adapters.sheets.document_parts import attribute_of, is_on, open_archive, part_of, tag_of


@dataclass
class AboutSheet:
    """What a sheet holds beside the values of its cells."""

    struck: set[int] = field(default_factory=set)
    """Rows with a name or other text that is struck out."""
    hidden: set[int] = field(default_factory=set)
    notes: dict[tuple[int, int], str] = field(default_factory=dict)
    """Comments, by row and column."""
    around: list[str] = field(default_factory=list)
    """Headers, footers and text boxes."""


_CELL: Final = re.compile(r"([A-Z]{1,3})(\d{1,7})")


def _place_of(reference: str) -> tuple[int, int]:
    found = _CELL.fullmatch(reference)
    if not found:
        return 0, 0
    column = 0
    for letter in found[1]:
        column = 26 * column + ord(letter) - 64
    return int(found[2]), column


def about_sheets(data: bytes) -> dict[str, AboutSheet]:
    """By name of sheet."""
    found: dict[str, AboutSheet] = {}
    with open_archive(data) as archive:
        names = set(archive.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
            return {}
        marks = _crossed_formats(part_of(archive, "xl/styles.xml")) if "xl/styles.xml" in names else set()
        targets = _related(archive, "xl/workbook.xml", names)
        for sheet in part_of(archive, "xl/workbook.xml").iter():
            path = targets.get(attribute_of(sheet, "id"), "")
            if tag_of(sheet) != "sheet" or path not in names:
                continue
            about = found.setdefault(attribute_of(sheet, "name"), AboutSheet())
            if marks or any(word in archive.read(path) for word in (b'hidden="', b"<headerFooter")):
                _read_marks(part_of(archive, path), marks, about)
            for part in _related(archive, path, names).values():
                if re.search(r"/comments\d*\.xml$", part):
                    _read_comments(part_of(archive, part), about)
                elif re.search(r"/drawing\d*\.xml$", part):
                    about.around += _paragraphs_of(part_of(archive, part))
    return found


def _related(archive: zipfile.ZipFile, path: str, names: set[str]) -> dict[str, str]:
    """Paths of the parts that a part refers to, by the identifier of the reference."""
    folder, _, name = path.rpartition("/")
    own = f"{folder}/_rels/{name}.rels"
    if own not in names:
        return {}
    found = {}
    for one in part_of(archive, own):
        target = attribute_of(one, "Target")
        whole = target[1:] if target.startswith("/") else normpath(f"{folder}/{target}")
        if whole in names:
            found[attribute_of(one, "Id")] = whole
    return found


def _crossed_formats(styles: Any) -> set[str]:
    fonts = next((part for part in styles if tag_of(part) == "fonts"), ())
    crossed = {
        str(index)
        for index, font in enumerate(fonts)
        if any(tag_of(mark) == "strike" and is_on(mark) for mark in font)
    }
    formats = next((part for part in styles if tag_of(part) == "cellXfs"), ())
    return {str(index) for index, one in enumerate(formats) if attribute_of(one, "fontId") in crossed}


def _read_marks(sheet: Any, marks: set[str], about: AboutSheet) -> None:
    for one in sheet.iter():
        match tag_of(one):
            case "row" if attribute_of(one, "hidden") in ("1", "true"):
                about.hidden.add(int(attribute_of(one, "r") or 0))
            case "c" if len(one) and attribute_of(one, "s") in marks:
                about.struck.add(_place_of(attribute_of(one, "r"))[0])
            case "headerFooter":
                texts = (
                    re.sub(r"&(?:[LCR]|\"[^\"]*\"|\d+|K[0-9A-F]{6}|[A-Z])", " ", part.text or "")
                    for part in one
                )
                about.around += [text.strip() for text in texts if any(map(str.isalpha, text))]


def _read_comments(comments: Any, about: AboutSheet) -> None:
    for one in comments.iter():
        if tag_of(one) == "comment":
            text = " ".join("".join(t.text or "" for t in one.iter() if tag_of(t) == "t").split())
            if text:
                about.notes[_place_of(attribute_of(one, "ref"))] = text.replace("(", "[").replace(")", "]")


def _paragraphs_of(drawing: Any) -> list[str]:
    texts = (
        "".join(t.text or "" for t in p.iter() if tag_of(t) == "t").strip()
        for p in drawing.iter()
        if tag_of(p) == "p"
    )
    return [text for text in texts if text]
