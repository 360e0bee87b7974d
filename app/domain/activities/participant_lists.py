"""Lists of participants from trainers: typed, pasted, or a French spreadsheet saved as CSV."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from app.domain.activities.activities import PartKind
from app.domain.activities.list_columns import (
    ABOVE,
    BELOW,
    Column,
    address_column,
    columns_of_cells,
    columns_of_heading,
    heading_words,
    is_age_band,
    order_of_names,
    split_name,
    without_civility,
)
from app.domain.core import as_written
from app.domain.people.people import is_address, name_key, normal_address
from app.errors import InvalidInput
from app.language import N_

MAX_BYTES = 5 * 1024 * 1024
MAX_LINES = 10_000
MAX_CELL = 4_000
_SEPARATORS = ";\t,"
MAX_COLUMNS = 60
_NUMBERED = re.compile(r"(.*\S)\s*\(([1-9])\)")
_NAME_COLUMNS = {Column.FAMILY, Column.GIVEN, Column.FAMILY_FIRST, Column.GIVEN_FIRST}
# A heading may follow a title and a date within this many lines.
_TITLE_LINES = 12


@dataclass(frozen=True)
class ListedPerson:
    """One parsed line of a list; `line` counts from 1 in the input, heading included."""

    line: int
    given_name: str = ""
    family_name: str = ""
    address: str = ""
    hours: float | None = None
    part: PartKind = PartKind.LEARNER
    contribution: str = ""
    fault: str = ""
    hours_as_written: str = ""
    """Set only if the hours could not be parsed."""
    under_15: bool | None = None
    """The age band, where known; never an age."""
    homonym: int = 1
    """2 for the second person of the same name, where neither has an address; 3 for the next.

    Lists contain « Zoé Martin (2) ».
    """
    told_first: bool = field(default=False, repr=False)
    """Written « Zoé Martin (1) »: explicitly the first of that name.

    Excluded from the repr because the digests of stored bulk requests cover the repr, and older ones lack
    this field.
    """

    @property
    def name(self) -> str:
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def number(self) -> str:
        return f" ({self.homonym})" if self.told_first or self.homonym > 1 else ""

    @property
    def told_apart(self) -> str:
        """The name, with its number after the first."""
        return self.name + self.number

    @property
    def line_key(self) -> str:
        """Same key for the same person on two lists: the name, and the address if there is one."""
        key = f"{self.address}|{name_key(self.given_name, self.family_name)}"
        return key if self.homonym == 1 or self.address else f"{key}#{self.homonym}"


def check_size(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise InvalidInput(N_("Cette liste dépasse 5 Mo. Découpez-la en plusieurs fichiers."))


def decode_list(data: bytes) -> str:
    """Decodes UTF-8 with or without BOM, UTF-16 with BOM, else CP1252 as saved by French Excel."""
    check_size(data)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if data[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise InvalidInput(
            N_("Ce classeur n’est pas un fichier .xlsx. Enregistrez-le en .xlsx ou en CSV, puis déposez-le.")
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


@dataclass(frozen=True)
class Row:
    """The cells of one line; `number` counts from 1 in the input."""

    number: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class ListTable:
    """A list as rows and columns, with the guessed meaning of each column."""

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    heading: tuple[str, ...] = ()
    titles: tuple[int, ...] = ()
    """Numbers of the lines above the heading, which contain no people."""
    line_by_line: bool = False
    """Without a heading, each line is parsed by itself until the user assigns the columns."""

    def lines(self) -> list[ListedPerson]:
        """Every row, in order; faults are recorded on the line, never raised."""
        read = _from_free_line if self.line_by_line else _from_columns
        return [read(row, self.columns) for row in self.rows]

    def corrected(self, columns: Sequence[Column]) -> ListTable:
        """The same rows with the user's columns; columns not given stay as guessed."""
        told = (*columns, *self.columns[len(columns) :])[: len(self.columns)]
        return self if told == self.columns else replace(self, columns=told, line_by_line=False)


def read_list(text: str) -> list[ListedPerson]:
    return read_table(text).lines()


def read_table(text: str) -> ListTable:
    if "\x00" in text:
        raise InvalidInput(N_("Ce fichier n’est pas une liste lisible."))
    rows = [row for row in rows_in(text.lstrip("\ufeff")) if any(row.cells)]
    if len(rows) > MAX_LINES:
        raise InvalidInput(N_("Cette liste dépasse 10 000 lignes. Découpez-la en plusieurs fichiers."))
    for index, row in enumerate(rows[:_TITLE_LINES]):
        if columns := columns_of_heading(row.cells):
            titles = tuple(title.number for title in rows[:index])
            return _table(rows[index + 1 :], columns, row.cells, titles)
    return ListTable(tuple(rows), columns_of_cells([row.cells for row in rows]), line_by_line=True)


def _table(
    rows: Sequence[Row], columns: Sequence[Column], heading: tuple[str, ...], titles: tuple[int, ...]
) -> ListTable:
    cells = cells_by_column(rows, len(heading))
    kept = [
        order_of_names(cells[index], column) if column is Column.FAMILY_FIRST else column
        for index, column in enumerate(columns)
    ]
    named = kept.index(Column.ADDRESS) if Column.ADDRESS in kept else None
    free = [index for index, column in enumerate(kept) if column is Column.NOTHING]
    found = address_column(heading, cells, named, free)
    if named is not None:
        kept[named] = Column.NOTHING
    if found is not None:
        kept[found] = Column.ADDRESS
    return ListTable(tuple(rows), tuple(kept), heading, titles)


def cells_by_column(rows: Sequence[Row], width: int) -> list[list[str]]:
    return [[row.cells[index] for row in rows if index < len(row.cells)] for index in range(width)]


def rows_in(text: str) -> Iterable[Row]:
    """The lines of a table, whatever its separator."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_separator_of(text), strict=False)
    csv.field_size_limit(MAX_BYTES)
    line = 1
    try:
        for cells in reader:
            yield Row(line, tuple(as_written(cell[:MAX_CELL].strip()) for cell in cells[:MAX_COLUMNS]))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidInput(N_("Ce fichier n’est pas une liste lisible.")) from error


def _separator_of(text: str) -> str:
    """The most consistent separator of the first lines; a lone comma in « Nom, Prénom » counts as one."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    counts = {mark: [_outside_quotes(line).count(mark) for line in lines] for mark in _SEPARATORS}
    steady = {mark: (min(found, default=0), sum(found)) for mark, found in counts.items()}
    best = max(_SEPARATORS, key=lambda mark: steady[mark])
    return best if steady[best][1] else ";"


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _from_columns(row: Row, columns: Sequence[Column]) -> ListedPerson:
    cells = dict(zip(columns, row.cells, strict=False))
    homonym = 0
    for column in _NAME_COLUMNS & cells.keys():
        cells[column], number = without_number(cells[column])
        homonym = max(homonym, number)
        if column is not Column.GIVEN:
            cells[column] = without_civility(cells[column])
    given, family = cells.get(Column.GIVEN, ""), cells.get(Column.FAMILY, "")
    for order in (Column.FAMILY_FIRST, Column.GIVEN_FIRST):
        if order in cells:
            given, family = split_name(cells[order], order)
    written = cells.get(Column.HOURS, "")
    hours, fault = hours_in(written)
    part = name_key("", cells.get(Column.PART, ""))
    return ListedPerson(
        row.number,
        given_name=_one_line(given),
        family_name=_one_line(family),
        address=normal_address(cells.get(Column.ADDRESS, "")),
        hours=hours,
        part=PartKind.RESOURCE if part.startswith("ressource") else PartKind.LEARNER,
        contribution=cells.get(Column.CONTRIBUTION, ""),
        fault=fault,
        hours_as_written=written if fault else "",
        under_15=under_15_in(cells.get(Column.UNDER_15, "")),
        homonym=max(homonym, 1),
        told_first=homonym == 1,
    )


def _from_free_line(row: Row, columns: Sequence[Column]) -> ListedPerson:
    """A line without a heading: one or two cells of names, an address in any, « moins de 15 ans » last."""
    address, homonym = "", 0
    names: list[str] = []
    under_15: bool | None = None
    for cell in row.cells:
        if names and is_age_band(cell):
            under_15 = under_15_in(cell)
            continue
        cell, number = without_number(cell)
        homonym = max(homonym, number)
        words = (cell if names else without_civility(cell)).split()
        marked = [word for word in words if "@" in word]
        if marked and not address:
            address = normal_address(marked[0].strip("<>()"))
            words.remove(marked[0])
            words = " ".join(words).rstrip(" ,;").split()
        if words:
            names.append(" ".join(words))
    if len(names) >= 2:
        family, given = _order_of(names[0], names[1])
    else:
        order = Column.FAMILY_FIRST if Column.FAMILY_FIRST in columns else Column.GIVEN_FIRST
        given, family = split_name(names[0] if names else "", order)
    return ListedPerson(
        row.number,
        given_name=given,
        family_name=family,
        address=address,
        under_15=under_15,
        homonym=max(homonym, 1),
        told_first=homonym == 1,
    )


def without_number(cell: str) -> tuple[str, int]:
    """« Zoé Martin (2) » is another Zoé Martin; 0 where no number is written."""
    found = _NUMBERED.fullmatch(cell)
    return (found[1], int(found[2])) if found else (cell, 0)


def _order_of(first: str, second: str) -> tuple[str, str]:
    """(family, given) of two cells: the family name is in capitals, else first, as usual in lists."""
    if second.isupper() and not first.isupper():
        return second, first
    return first, second


def under_15_in(cell: str) -> bool | None:
    """The age band in a cell, if any; an age or birth date is never stored."""
    words = heading_words(cell)
    if not words:
        return None
    if words in ABOVE or words == "non":
        return False
    return True if words in BELOW or words == "oui" else None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def hours_in(cell: str) -> tuple[float | None, str]:
    """Hours as written in French: 14, 14,5, 14 h, 14h30; and the fault "hours" for anything else."""
    text = cell.strip().lower().replace("\u202f", "").replace("\xa0", "").replace(" ", "")
    if not text:
        return None, ""
    found = re.fullmatch(r"(\d{1,5})(?:[.,](\d{1,2}))?(?:h(?:eures?)?(\d{1,2})?)?", text)
    if not found:
        return None, "hours"
    whole, decimals, minutes = found.groups()
    return float(f"{whole}.{decimals or 0}") + int(minutes or 0) / 60, ""


def without_repeats(lines: Sequence[ListedPerson]) -> tuple[list[ListedPerson], list[ListedPerson]]:
    """The lines to retain, and those that repeat an earlier line."""
    seen: set[str] = set()
    kept: list[ListedPerson] = []
    repeated: list[ListedPerson] = []
    for line in lines:
        (repeated if line.line_key in seen else kept).append(line)
        seen.add(line.line_key)
    return kept, repeated


def tidy(line: ListedPerson) -> ListedPerson:
    """Lists in capitals are respelt: « LE GOFF » becomes « Le Goff »."""
    family = (
        _small(line.family_name)
        if line.family_name.isupper() and len(line.family_name) > 2
        else line.family_name
    )
    given = (
        _small(line.given_name) if line.given_name.isupper() and len(line.given_name) > 2 else line.given_name
    )
    return replace(line, family_name=family, given_name=given)


def _small(name: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda word: word.group()[0].upper() + word.group()[1:].lower(), name)


def has_usable_address(line: ListedPerson) -> bool:
    """True without an address (a printed slip will do); false for an invalid one."""
    return not line.address or is_address(line.address)
