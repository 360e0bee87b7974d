"""Workbooks to be filled in: a heading, an example on a separate sheet, and dropdown lists."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

from xlsxwriter import Workbook

_LAST_LINE = 5_000


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
