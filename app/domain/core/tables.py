"""Tables that a French Excel opens properly, and that hold no formula (T24)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

_RISKY = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
_INVISIBLE = " \u00a0\u200b\u202f\ufeff"


def csv_for_excel(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> bytes:
    """UTF-8 with its mark, `;` between cells, CRLF between lines."""
    return b"\xef\xbb\xbf" + lines_for_excel([heading, *rows])


def lines_for_excel(rows: Iterable[Sequence[str]]) -> bytes:
    """Further lines of such a table."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def harmless(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.lstrip(_INVISIBLE).startswith(_RISKY) or cell.startswith(("\t", "\r")) else cell


def as_written(cell: str) -> str:
    """The cell as it was before `harmless`, so that an exported list can be dropped again."""
    rest = cell[1:]
    return rest if cell.startswith("'") and harmless(rest) != rest else cell
