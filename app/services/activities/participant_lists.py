"""The text of a list that somebody dropped, whatever the file is."""

from __future__ import annotations

from app.adapters.sheets.workbooks import is_workbook, text_of_workbook
from app.domain.activities.participant_lists import check_size, decode_list


def text_of_file(data: bytes) -> str:
    """Raises InvalidInput, with what to do, where no list can be read."""
    check_size(data)
    return text_of_workbook(data) if is_workbook(data) else decode_list(data)
