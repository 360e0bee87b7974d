"""A table of activities and participations, read line by line: French dates, decimal commas, words for roles and kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from app.domain.activities.activities import PartKind
from app.domain.activities.days_as_written import day_in
from app.domain.activities.list_columns import Column, heading_words, order_of_names, split_name
from app.domain.activities.participant_lists import (
    ListedPerson,
    Row,
    cells_by_column,
    hours_in,
    rows_in,
    tidy,
    without_number,
)
from app.domain.imports.columns import (
    ImportColumn,
    ReadingPlan,
    columns_of,
    is_heading,
    kind_of_word,
    part_of_word,
)
from app.domain.imports.imports import MOST_LINES
from app.domain.imports.records import Record, ToldActivity, fault_in, quoted, without_contradictions
from app.domain.people.people import check_name, normal_address
from app.errors import InvalidInput
from app.language import N_

_TITLE_LINES = 12
_WHOLE = {
    ImportColumn.FAMILY_FIRST: Column.FAMILY_FIRST,
    ImportColumn.GIVEN_FIRST: Column.GIVEN_FIRST,
}


@dataclass(frozen=True)
class Sheet:
    """A table as rows under a heading."""

    heading: tuple[str, ...]
    rows: tuple[Row, ...]

    @cached_property
    def _cells(self) -> list[list[str]]:
        return cells_by_column(self.rows, len(self.heading))

    def columns(self, plan: ReadingPlan) -> tuple[ImportColumn, ...]:
        return columns_of(self.heading, plan, self._cells)

    def words_in(self, column: ImportColumn, plan: ReadingPlan, *, most: int = 30) -> list[str]:
        """The different words of one column, as they are first written."""
        found: dict[str, str] = {}
        for index, each in enumerate(self.columns(plan)):
            if each is column:
                for row in self.rows:
                    if index < len(row.cells) and row.cells[index] and len(found) < most:
                        found.setdefault(heading_words(row.cells[index]), row.cells[index])
        return list(found.values())


def read_sheet(text: str) -> Sheet:
    """The first line that names two columns of ours is the heading, else the first line of all."""
    if "\x00" in text:
        raise InvalidInput(N_("Ce fichier n’est pas un tableau lisible."))
    rows = [row for row in rows_in(text.lstrip("\ufeff")) if any(row.cells)]
    if len(rows) < 2:
        raise InvalidInput(
            N_("Ce tableau est vide : une ligne d’en-tête, puis une ligne par personne et par activité.")
        )
    at = next((index for index, row in enumerate(rows[:_TITLE_LINES]) if is_heading(row.cells)), 0)
    below = rows[at + 1 :]
    if len(below) > MOST_LINES:
        raise InvalidInput(N_("Ce tableau dépasse 20 000 lignes. Découpez-le en plusieurs fichiers."))
    width = max(len(row.cells) for row in rows[at:])
    heading = (*rows[at].cells, *("",) * (width - len(rows[at].cells)))
    return Sheet(heading, tuple(below))


def read_records(sheet: Sheet, plan: ReadingPlan) -> list[Record]:
    """Every line, in order; what is wrong with it is kept on the line."""
    columns = sheet.columns(plan)
    orders = _orders(sheet, columns)
    read = [_record(row, columns, plan, orders) for row in sheet.rows]
    return without_contradictions(read)


def _orders(sheet: Sheet, columns: Sequence[ImportColumn]) -> Mapping[ImportColumn, Column]:
    """Whether whole names begin with the family name: the column as a whole tells."""
    orders = dict(_WHOLE)
    for index, column in enumerate(columns):
        if column in _WHOLE:
            cells = [row.cells[index] for row in sheet.rows if index < len(row.cells)]
            orders[column] = order_of_names(cells, _WHOLE[column])
    return orders


def _record(
    row: Row,
    columns: Sequence[ImportColumn],
    plan: ReadingPlan,
    orders: Mapping[ImportColumn, Column],
) -> Record:
    cells: dict[ImportColumn, str] = {
        column: cell
        for column, cell in zip(columns, row.cells, strict=False)
        if column is not ImportColumn.NOTHING
    }
    record = Record(row.number, external_id=cells.get(ImportColumn.EXTERNAL, ""))
    try:
        record = Record(
            row.number,
            cells.get(ImportColumn.EXTERNAL, ""),
            _activity(cells, plan),
            _person(row.number, cells, orders),
            _part(cells, plan),
        )
        check_name(record.person.given_name, record.person.family_name)
    except InvalidInput as error:
        title = ToldActivity(title=cells.get(ImportColumn.TITLE, ""))
        told = Record(row.number, record.external_id, title, _person_as_written(row.number, cells, orders))
        return told.refused(error.sentence, **error.values)
    fault = fault_in(record)
    return record.refused(fault.sentence, **fault.values) if fault else record


def _activity(cells: Mapping[ImportColumn, str], plan: ReadingPlan) -> ToldActivity:
    kind = cells.get(ImportColumn.KIND, "")
    known = kind_of_word(kind, plan) if kind else plan.kind
    if kind and known is None:
        raise InvalidInput(
            N_("Le type « {word} » n’est pas connu : dites ce qu’il veut dire."), word=quoted(kind)
        )
    return ToldActivity(
        cells.get(ImportColumn.ACTIVITY_EXTERNAL, ""),
        " ".join(cells.get(ImportColumn.TITLE, "").split()),
        known,
        _day(cells.get(ImportColumn.STARTS_ON, "")),
        _day(cells.get(ImportColumn.ENDS_ON, "")),
        " ".join(cells.get(ImportColumn.PLACE, "").split()),
        _hours(cells.get(ImportColumn.ACTIVITY_HOURS, "")) or None,
    )


def _person(
    number: int, cells: Mapping[ImportColumn, str], orders: Mapping[ImportColumn, Column]
) -> ListedPerson:
    named = _person_as_written(number, cells, orders)
    return ListedPerson(
        number,
        given_name=named.given_name,
        family_name=named.family_name,
        address=named.address,
        homonym=named.homonym,
        told_first=named.told_first,
        hours=_hours(cells.get(ImportColumn.HOURS, "")),
        contribution=cells.get(ImportColumn.CONTRIBUTION, "").strip(),
    )


def _person_as_written(
    number: int, cells: Mapping[ImportColumn, str], orders: Mapping[ImportColumn, Column]
) -> ListedPerson:
    given, family = cells.get(ImportColumn.GIVEN, ""), cells.get(ImportColumn.FAMILY, "")
    family, homonym = without_number(family)
    for column, order in orders.items():
        if column in cells:
            whole, homonym = without_number(cells[column])
            given, family = split_name(whole, order)
    return tidy(
        ListedPerson(
            number,
            given_name=" ".join(given.split()),
            family_name=" ".join(family.split()),
            address=normal_address(cells.get(ImportColumn.ADDRESS, "")),
            homonym=max(homonym, 1),
            told_first=homonym == 1,
        )
    )


def _part(cells: Mapping[ImportColumn, str], plan: ReadingPlan) -> PartKind | None:
    word = cells.get(ImportColumn.PART, "")
    part = part_of_word(word, plan) if word else None
    if word and part is None:
        raise InvalidInput(
            N_("Le rôle « {word} » n’est ni apprenant ni ressource : dites ce qu’il veut dire."),
            word=quoted(word),
        )
    return part


def _hours(cell: str) -> float | None:
    hours, fault = hours_in(cell)
    if fault:
        raise InvalidInput(
            N_("« {word} » n’est pas un nombre d’heures : écrivez 14 ou 14,5."), word=quoted(cell)
        )
    return hours


def _day(cell: str) -> date | None:
    if not cell.strip():
        return None
    day = day_in(cell)
    if day is None:
        raise InvalidInput(
            N_("« {word} » n’est pas une date : écrivez 03/10/2025 (jour, mois, année)."), word=quoted(cell)
        )
    return day
