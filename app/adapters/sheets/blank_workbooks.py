"""Workbooks that are written: to be filled in, with an example and dropdown lists; and tables."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import IO

from xlsxwriter import Workbook

from app.domain.core import harmless

_LAST_LINE = 5_000
_MOST_LINES = 1_048_576
_LONGEST_NAME = 31
Cell = str | int | float | date | None


def blank_workbook(
    name: str,
    heading: Sequence[str],
    *,
    example: Sequence[Sequence[str]],
    example_name: str,
    choices: Mapping[int, Sequence[str]],
    days: Sequence[int],
) -> bytes:
    """`choices` and `days` are indices of columns: those with a list of choices, and those with dates."""
    made = io.BytesIO()
    with Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet, shown = book.add_worksheet(name), book.add_worksheet(example_name)
        for each in (sheet, shown):
            for place, words in enumerate(heading):
                each.write_string(0, place, words, bold)
                each.set_column(place, place, max(12, len(words) + 2), day if place in days else None)
            each.freeze_panes(1, 0)
        for place, listed in choices.items():
            sheet.data_validation(
                1,
                place,
                _LAST_LINE,
                place,
                {"validate": "list", "source": list(listed), "error_type": "warning"},
            )
        for line, cells in enumerate(example, 1):
            for place, cell in enumerate(cells):
                shown.write_string(line, place, cell)
    return made.getvalue()


def write_workbook(
    file: IO[bytes], name: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> None:
    """Row by row, in constant memory. No cell is a formula or becomes one elsewhere."""
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(file, options) as book:
        bold = book.add_format({"bold": True, "bottom": 1})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet(name[:_LONGEST_NAME])
        sheet.freeze_panes(1, 0)
        for place, words in enumerate(heading):
            sheet.set_column(place, place, max(14, len(words) + 2))
        for place, words in enumerate(heading):
            sheet.write_string(0, place, words, bold)
        for line, row in enumerate(rows, 1):
            if line >= _MOST_LINES:
                return
            for place, cell in enumerate(row):
                match cell:
                    case None | "":
                        continue
                    case str():
                        sheet.write_string(line, place, harmless(cell))
                    case date():
                        sheet.write_datetime(line, place, cell, day)
                    case _:
                        sheet.write_number(line, place, cell)
