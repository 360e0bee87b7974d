"""Sheets of .xlsx workbooks as text; the library only reads input after a size check."""

from __future__ import annotations

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, iterparse
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from app.errors import InvalidInput
from app.language import N_

MOST_UNPACKED = 48 * 1024 * 1024
MOST_PARTS = 400
# Twenty thousand lines below their title and heading.
MOST_ROWS = 20_020
MOST_COLUMNS = 200
MOST_CELLS = 500_000
MOST_SHEETS = 30
_NO_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    NotImplementedError,
    RuntimeError,
    EOFError,
    OSError,
    ValueError,
)
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_PIECE = 64 * 1024
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_CELL_NAME = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")


class Unreadable(InvalidInput):
    """The bytes are no readable workbook, or one too large to be a list of people."""


def is_workbook(data: bytes) -> bool:
    return data[:4] == b"PK\x03\x04"


def text_of_workbook(data: bytes) -> str:
    """The first visible non-empty sheet, as `;` separated lines; empty rows stay, so that line numbers
    match."""
    measured = io.BytesIO(_repacked(data))
    try:
        with CalamineWorkbook.from_filelike(measured) as workbook:
            visible = [s.name for s in workbook.sheets_metadata if s.visible == SheetVisibleEnum.Visible]
            for name in visible[:MOST_SHEETS]:
                rows = workbook.get_sheet_by_name(name).to_python(skip_empty_area=False)
                cells = [[_as_typed(cell) for cell in row] for row in rows]
                if any(cell.strip() for row in cells for cell in row):
                    return _as_csv(cells)
    except BaseException as error:
        # A bug of the library may raise any exception.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        # The library's message could repeat a cell.
        raise _unreadable() from None
    return ""


def _repacked(data: bytes) -> bytes:
    """The same parts in a new archive: the bytes checked here are the bytes parsed later."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as given:
            parts = given.infolist()
            if len(parts) > MOST_PARTS:
                raise _too_large()
            if any(part.compress_type not in _PACKINGS for part in parts):
                raise _unreadable()
            kept = io.BytesIO()
            with zipfile.ZipFile(kept, "w", zipfile.ZIP_STORED) as own:
                left = MOST_UNPACKED
                for part in parts:
                    # Pictures, macros and printer settings contain no people.
                    if not part.filename.endswith((".xml", ".rels")):
                        continue
                    content = b"".join(_pieces(given, part, left))
                    left -= len(content)
                    if _SHEET.fullmatch(part.filename):
                        _check_sheet(content)
                    own.writestr(part.filename, content)
    except _NO_ARCHIVE:
        raise _unreadable() from None
    return kept.getvalue()


def _pieces(archive: zipfile.ZipFile, part: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    """A part in chunks during decompression, whatever its declared size."""
    with archive.open(part) as opened:
        while piece := opened.read(_PIECE):
            most -= len(piece)
            if most < 0:
                raise _too_large()
            yield piece


def _check_sheet(content: bytes) -> None:
    """Refuses a sheet with cells so far apart that the library would allocate millions of empty ones."""
    cells = rows = columns = 0
    try:
        for _, element in iterparse(io.BytesIO(content), events=("end",), forbid_dtd=True):
            tag = element.tag.rpartition("}")[2]
            if tag not in ("c", "row", "dimension", "mergeCell"):
                continue
            cells += tag == "c"
            rows += tag == "row"
            if tag in ("c", "row"):
                row, column = _place(element.get("r", ""))
                rows, columns = max(rows, row), max(columns, column)
            if rows > MOST_ROWS or columns > MOST_COLUMNS or cells > MOST_CELLS:
                raise _too_large()
            if tag == "row":
                columns = max(columns, len(element))
                element.clear()
    except (ParseError, DefusedXmlException, ValueError):
        raise _unreadable() from None
    if columns > MOST_COLUMNS or rows * columns > MOST_CELLS * 2:
        raise _too_large()


def _place(reference: str) -> tuple[int, int]:
    """(row, column) of « B12 », or of a row's « 12 »."""
    if reference.isdecimal():
        return int(reference[:9]), 0
    found = _CELL_NAME.fullmatch(reference)
    if not found:
        if reference:
            raise ValueError("not the name of a cell")
        return 0, 0
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column


def _as_typed(cell: Any) -> str:
    """A value as a French user would have typed it."""
    match cell:
        case bool():
            return "oui" if cell else "non"
        case float():
            return f"{cell:.10g}".replace(".", ",")
        case datetime():
            return cell.strftime("%d/%m/%Y")
        case date():
            return cell.strftime("%d/%m/%Y")
        case time():
            return f"{cell.hour}h{cell.minute:02d}"
        case timedelta():
            minutes = round(cell.total_seconds() / 60)
            return f"{minutes // 60}h{minutes % 60:02d}"
        case _:
            return str(cell)


def _as_csv(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\n")
    for row in rows:
        # A cell of several lines is one cell: line numbers are those of the sheet.
        writer.writerow([" ".join(cell.replace("\x00", "").split()) for cell in row])
    return text.getvalue()


def _too_large() -> Unreadable:
    return Unreadable(
        N_(
            "Ce classeur est trop grand pour une liste. Gardez une feuille de 10 000 lignes au plus, puis déposez-la."
        )
    )


def _unreadable() -> Unreadable:
    return Unreadable(
        N_(
            "Ce classeur ne se lit pas : il est abîmé ou protégé. Enregistrez la feuille en CSV, puis déposez le CSV."
        )
    )
