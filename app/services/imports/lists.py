"""Lists in any form, read into people and doubts: the same answer for pages, programs and commands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.adapters.sheets.list_files import MAX_BYTES as MAX_BYTES
from app.adapters.sheets.list_files import blocks_of_file, blocks_of_text
from app.domain.imports.lists.model import Column, Doubt, Line, Mapping, Reading
from app.domain.imports.lists.reading import read_blocks
from app.language import gettext as _


def read_list_file(
    data: bytes, *, activity_hours: float | None = None, columns: Sequence[Column] = ()
) -> Reading:
    """Raises InvalidInput, with what to do, where no list can be read."""
    return read_blocks(blocks_of_file(data), activity_hours=activity_hours, columns=columns)


def read_list_text(
    text: str, *, activity_hours: float | None = None, columns: Sequence[Column] = ()
) -> Reading:
    return read_blocks(blocks_of_text(text), activity_hours=activity_hours, columns=columns)


def sentence_of(doubt: Doubt) -> str:
    """In the reader's language."""
    return _(doubt.sentence).format(**doubt.values)


def as_document(reading: Reading) -> dict[str, Any]:
    """The reading as commands and programs get it."""
    mappings = [_mapping(one) for one in reading.mappings]
    return {
        "lines": [_line(line) for line in reading.lines],
        "mapping": next((one for one in mappings if one["columns"]), mappings[0] if mappings else None),
        "mappings": mappings,
    }


def _line(line: Line) -> dict[str, Any]:
    first = line.doubts[0] if line.doubts else None
    return {
        "line": line.line,
        "text": line.text,
        "given_name": line.given_name,
        "family_name": line.family_name,
        "address": line.address,
        "hours": line.hours,
        "state": line.state.value,
        "reason": first.reason.value if first else None,
        "sentence": sentence_of(first) if first else None,
        "doubts": [
            {
                "reason": doubt.reason.value,
                "sentence": sentence_of(doubt),
                **({"suggestion": doubt.suggestion} if doubt.suggestion else {}),
            }
            for doubt in line.doubts
        ],
        "hours_as_written": line.hours_as_written,
        "contribution": line.contribution,
        "other_addresses": list(line.other_addresses),
        **({"sheet": line.sheet} if line.sheet else {}),
    }


def _mapping(mapping: Mapping) -> dict[str, Any]:
    return {
        "heading_line": mapping.heading_line,
        "columns": [
            {"heading": column.heading, "holds": column.holds.value, "sample": list(column.sample)}
            for column in mapping.columns
        ],
        "order": mapping.order.value,
        "sure": mapping.sure,
        **({"sheet": mapping.sheet} if mapping.sheet else {}),
    }
