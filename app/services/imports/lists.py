"""Lists in any form, read into people and doubts: the same answer for pages, programs and commands."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Sequence
from typing import Any

from app.adapters.sheets.list_files import MAX_BYTES as MAX_BYTES
from app.adapters.sheets.list_files import blocks_of_file, blocks_of_text
from app.domain.imports.lists.model import (
    NOT_A_PERSON,
    Block,
    Column,
    Doubt,
    Line,
    Mapping,
    Reading,
    Reason,
    Row,
)
from app.domain.imports.lists.reading import read_blocks as read_blocks
from app.domain.imports.lists.suspicion import confirmed
from app.domain.imports.lists.text import MAX_COLUMNS, check_length, check_people
from app.domain.imports.lists.vocabulary.names import fold, may_be_given
from app.errors import InvalidInput
from app.language import gettext as _


def shape_of(reading: Reading, blocks: Sequence[Block]) -> str:
    """The same for lists with the same headings; empty where there are none to recognise it by."""
    mapping = next((one for one in reading.mappings if one.columns), None)
    if mapping is None:
        return ""
    headings = [fold(column.heading) for column in mapping.columns]
    if not any(headings):
        first = blocks[0].rows[0].cells if blocks and blocks[0].rows else ()
        text = " ; ".join(first)
        named = any(may_be_given(word) for cell in first for word in cell.split())
        if len(first) < 2 or "@" in text or any(sign.isdigit() for sign in text) or named:
            return ""
        headings = [fold(cell) for cell in first]
    return hashlib.sha256("\n".join(headings).encode()).hexdigest()[:40]


def read_list_file(
    data: bytes,
    *,
    activity_hours: float | None = None,
    columns: Sequence[Column] = (),
    settled: Collection[Reason] = (),
) -> Reading:
    """`settled` are reasons that a person confirmed for all lines. Raises InvalidInput, with the remedy, where no list can
    be read."""
    blocks = blocks_of_file(data)
    check_people(blocks)
    return confirmed(read_blocks(blocks, activity_hours=activity_hours, columns=columns), settled)


def read_list_text(
    text: str,
    *,
    activity_hours: float | None = None,
    columns: Sequence[Column] = (),
    settled: Collection[Reason] = (),
) -> Reading:
    blocks = blocks_of_text(text)
    check_people(blocks)
    return confirmed(read_blocks(blocks, activity_hours=activity_hours, columns=columns), settled)


def blocks_of(given: bytes | str) -> list[Block]:
    """Rows of a file or a text; none of an empty text."""
    if isinstance(given, bytes):
        return blocks_of_file(given)
    return blocks_of_text(given) if given.strip() else []


def blocks_as_text(blocks: Sequence[Block]) -> str:
    """For a hidden field, so that a list is read again without its file."""
    return json.dumps(
        [
            {
                "name": block.name,
                "mark": block.delimited,
                "rows": [
                    [row.number, row.cells, row.text, [doubt.value for doubt in row.doubts]]
                    for row in block.rows
                ],
            }
            for block in blocks
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def blocks_from_text(text: str) -> list[Block]:
    """Raises InvalidInput where a form brings anything else than `blocks_as_text` made."""
    try:
        blocks = [
            Block(
                tuple(
                    Row(
                        int(number),
                        tuple(map(str, cells))[: MAX_COLUMNS + 1],
                        str(shown),
                        tuple(map(Reason, doubts)),
                    )
                    for number, cells, shown, doubts in found["rows"]
                ),
                str(found["name"]),
                str(found["mark"]),
            )
            for found in json.loads(text)
        ]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise InvalidInput("Cette liste n’est plus lisible : donnez-la de nouveau.") from None
    check_length(sum(len(block.rows) for block in blocks))
    return blocks


def reasons_in(text: str) -> frozenset[Reason]:
    """« order, unusual »; raises InvalidInput for an unknown reason."""
    try:
        found = frozenset(map(Reason, re.findall(r"[\w-]+", text)))
    except ValueError:
        found = NOT_A_PERSON
    if found & NOT_A_PERSON:
        raise InvalidInput(
            "Ce motif n’existe pas : utilisez un motif des lignes à vérifier, par exemple « order »."
        )
    return found


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
        "evidence": [kind.value for kind in line.evidence],
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
