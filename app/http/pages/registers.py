"""Registers: filters, order and columns of a list, all in its address; its table as CSV and as a workbook."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from tempfile import TemporaryFile
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import StreamingResponse
from starlette.datastructures import QueryParams

from app.container import Services
from app.domain.core import csv_for_excel, lines_for_excel
from app.errors import InvalidInput
from app.http.pages.words import number
from app.http.request_scope import visit
from app.language import N_, translated
from app.services.campus.registers import Cell, Register, SavedView, write_workbook

__all__ = [
    "COUNTED",
    "COUNTED_LINES",
    "Cell",
    "Column",
    "ListQuery",
    "RegisterView",
    "Ticks",
    "table_file",
    "view_links",
]

_SORT, _COLUMN, _AFTER = "tri", "colonne", "apres"
_PERIOD, _FROM, _TO = "periode", "du", "au"
_UNKNOWN_VALUE = N_("« {label} » n’a pas ce choix : « {value} ». Choisissez dans la liste.")
_UNKNOWN_FILTER = N_("Cette liste n’a pas de filtre « {name} ».")
_UNKNOWN_SORT = N_("Cette liste ne se trie pas par « {value} ».")
_UNKNOWN_COLUMN = N_("Cette liste n’a pas de colonne « {value} ».")
_BAD_DATE = N_("Écrivez les dates ainsi : 2026-11-24.")
_BACKWARDS = N_("Le dernier jour vient avant le premier : échangez les deux dates.")
_FIRST_DAY, _LAST_DAY = date.min, date.max - timedelta(days=1)
"""Beyond these, the previous or next day has no date in some time zone."""
_LONGEST_SHOWN = 60
_MOST_COUNTED = 999
COUNTED = _MOST_COUNTED + 1
"""Where the counts beside views stop."""
_MOST_LINES = 10_000
COUNTED_LINES = _MOST_LINES + 1
"""Where the count of a list's lines stops."""
_A_BLOCK = 500
_A_PIECE = 256 * 1024
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Period(StrEnum):
    WEEK = "semaine"
    MONTH = "mois"
    YEAR = "annee"
    LAST_YEAR = "annee-passee"
    DAYS = "dates"


@dataclass(frozen=True)
class Column:
    """`sort` is the order that its heading asks for first, a minus sign for descending; `heads` are those of its columns in a table."""

    name: str
    label: str
    is_usual: bool = True
    sort: str = ""
    classes: str = ""
    heads: Sequence[str] = ()


@dataclass(frozen=True)
class FilterField:
    name: str
    label: str
    kind: str
    """`select`, `date` or `search`."""
    value: str
    options: Sequence[tuple[str, str]] = ()
    error: str = ""


@dataclass(frozen=True)
class Heading:
    label: str
    classes: str
    href: str = ""
    order: str = ""
    """The value of `aria-sort`; empty if not sorted by this."""


@dataclass(frozen=True)
class ViewLink:
    """`saved` is the id of a person's own view; empty for those that everyone has."""

    label: str
    href: str
    count: str
    is_current: bool
    saved: str = ""


@dataclass(frozen=True)
class Ticks:
    """What was ticked in a list that comes back, and why it does."""

    trouble: str = ""
    ids: frozenset[uuid.UUID] = frozenset()
    is_whole: bool = False
    base: str = ""
    """Where the links of the list lead, as its page is not at the list's address."""


@dataclass(frozen=True)
class RegisterView:
    """What the macros of `registers.html` show."""

    fields: Sequence[FilterField]
    summary: Sequence[str]
    """The labels of the filters in force."""
    headings: Sequence[Heading]
    columns: Sequence[tuple[str, str, bool]]
    """(name, label, whether shown) of those that may be hidden."""
    shown: frozenset[str]
    sort: str
    query: str
    """The address's query without its page, with its question mark."""
    errors: Sequence[tuple[str, str]]
    matching: int
    """The number of lines; COUNTED_LINES for more than are counted. So is `total`."""
    total: int
    first: str
    next: str
    register: str
    views: Sequence[ViewLink]
    after: str
    """The line that the page begins after; empty for the first page."""
    ticks: Ticks

    @property
    def lines(self) -> str:
        """The number of lines, as text."""
        return _counted(self.matching, N_("Plus de {most}"))

    @property
    def out_of(self) -> str:
        """The number of lines without filters; empty where both numbers are too large to be compared."""
        return "" if self.is_uncounted else _counted(self.total, N_("plus de {most}"))

    @property
    def is_uncounted(self) -> bool:
        return self.matching > _MOST_LINES

    @property
    def current_view(self) -> ViewLink | None:
        return next((view for view in self.views if view.is_current), None)

    @property
    def is_filtered(self) -> bool:
        return bool(self.summary)


def _counted(lines: int, more: str) -> str:
    return number(lines) if lines <= _MOST_LINES else translated(more).format(most=number(_MOST_LINES))


_Sort = TypeVar("_Sort", bound=StrEnum)


class ListQuery:
    """What the address of a list asks for. Each unknown value is an error, and none of it is ignored."""

    def __init__(self, params: QueryParams, columns: Sequence[Column], *, sort: str) -> None:
        """`sort`: the usual order; a minus sign in front makes it descending."""
        self._params = params
        self._columns = columns
        self._usual_sort = sort
        self._fields: list[FilterField] = []
        self._kept: list[tuple[str, str]] = []
        self._summary: list[str] = []
        self.errors: dict[str, str] = {}
        self._known = {_SORT, _COLUMN, _AFTER}
        self.after = self._after()
        self.sort = self._sort()
        self.shown = self._shown()

    # --- reading

    def choice(self, name: str, label: str, options: Sequence[tuple[str, str]], *, every: str) -> str:
        """One of `options`, or empty for `every`."""
        value, words = self._typed(name), dict(options)
        error = ""
        if value and value not in words:
            error = translated(_UNKNOWN_VALUE).format(label=label, value=value[:_LONGEST_SHOWN])
        self._add(
            FilterField(name, label, "select", "" if error else value, [("", every), *options], error),
            words.get(value, ""),
        )
        return "" if error else value

    def choice_id(
        self, name: str, label: str, options: Sequence[tuple[uuid.UUID, str]], *, every: str
    ) -> uuid.UUID | None:
        found = self.choice(name, label, [(str(row_id), words) for row_id, words in options], every=every)
        return uuid.UUID(found) if found else None

    def search(self, name: str, label: str) -> str:
        value = " ".join(self._typed(name).replace("\x00", " ").split())[:100]
        self._add(FilterField(name, label, "search", value), value)
        return value

    def days(self, label: str, today: date) -> tuple[date | None, date | None]:
        """The first and the last day of the period; dates in the address are enough to choose them."""
        year = today.year if today.month >= 9 else today.year - 1
        names = {
            Period.WEEK: translated("Cette semaine"),
            Period.MONTH: translated("Ce mois-ci"),
            Period.YEAR: translated("Année scolaire {first}-{last}").format(first=year, last=year + 1),
            Period.LAST_YEAR: translated("Année scolaire {first}-{last}").format(first=year - 1, last=year),
            Period.DAYS: translated("Dates à choisir"),
        }
        typed = self._typed(_FROM), self._typed(_TO)
        by_dates = any(typed)
        every = translated("Toutes les dates")
        chosen = self.choice(
            _PERIOD, label, [(each.value, words) for each, words in names.items()], every=every
        )
        if by_dates and chosen in ("", Period.DAYS):
            chosen = Period.DAYS
            self._fields[-1] = FilterField(
                _PERIOD, label, "select", Period.DAYS, self._fields[-1].options, self._fields[-1].error
            )
        first, last = self._day(_FROM, N_("Du"), chosen), self._day(_TO, N_("Au"), chosen)
        if first and last and last < first:
            self.errors[_TO] = translated(_BACKWARDS)
        match chosen:
            case Period.DAYS:
                return first, last
            case Period.WEEK:
                monday = today - timedelta(days=today.weekday())
                return monday, monday + timedelta(days=6)
            case Period.MONTH:
                following = (today.replace(day=1) + timedelta(days=31)).replace(day=1)
                return today.replace(day=1), following - timedelta(days=1)
            case Period.YEAR:
                return date(year, 9, 1), date(year + 1, 8, 31)
            case Period.LAST_YEAR:
                return date(year - 1, 9, 1), date(year, 8, 31)
        return None, None

    def times(self, label: str, today: date, zone: str) -> tuple[datetime | None, datetime | None]:
        """The period's beginning, and the beginning of the day after it, in UTC."""
        first, last = self.days(label, today)
        return (
            _beginning(first, zone) if first else None,
            _beginning(last + timedelta(days=1), zone) if last else None,
        )

    def check(self) -> None:
        """After all filters were read: names that no filter has are errors too."""
        for name in self._params:
            if name not in self._known:
                self.errors.setdefault(
                    name[:_LONGEST_SHOWN],
                    translated(_UNKNOWN_FILTER).format(name=name[:_LONGEST_SHOWN]),
                )
        self.errors.update({field.name: field.error for field in self._fields if field.error})

    def raise_errors(self) -> None:
        """For a table, which cannot show them."""
        self.check()
        if self.errors:
            raise InvalidInput(next(iter(self.errors.values())))

    def order(self, kind: type[_Sort]) -> tuple[_Sort, bool]:
        """The order, and whether it is descending."""
        return kind(self.sort.removeprefix("-")), self.sort.startswith("-")

    # --- showing

    def view(
        self,
        register: Register,
        *,
        matching: int,
        total: int,
        next_after: uuid.UUID | None,
        views: Sequence[ViewLink] = (),
        ticks: Ticks = Ticks(),
    ) -> RegisterView:
        query = self.query
        more = f"{query or '?'}{'&' if query else ''}{_AFTER}={next_after}" if next_after else ""
        return RegisterView(
            self._fields,
            self._summary,
            [self._heading(column) for column in self._columns if column.name in self.shown],
            [
                (column.name, translated(column.label), column.name in self.shown)
                for column in self._columns[1:]
            ],
            self.shown,
            self.sort if self.sort != self._usual_sort else "",
            query,
            list(self.errors.items()),
            matching,
            total,
            (query or "?") if self.after else "",
            more,
            register.value,
            views,
            str(self.after or ""),
            ticks,
        )

    @property
    def query(self) -> str:
        return self._address(self.sort)

    def heads(self) -> list[str]:
        """The headings of a table with the columns shown."""
        return [
            translated(head)
            for column in self._columns
            if column.name in self.shown
            for head in column.heads or (column.label,)
        ]

    def _address(self, sort: str) -> str:
        pairs = list(self._kept)
        if sort != self._usual_sort:
            pairs.append((_SORT, sort))
        usual = {column.name for column in self._columns if column.is_usual}
        if self.shown != usual:
            pairs += [
                (_COLUMN, column.name) for column in self._columns[1:] if column.name in self.shown
            ] or [(_COLUMN, self._columns[0].name)]
        return f"?{urlencode(pairs)}" if pairs else ""

    def _heading(self, column: Column) -> Heading:
        label = translated(column.label)
        if not column.sort:
            return Heading(label, column.classes)
        name = column.sort.removeprefix("-")
        if self.sort.removeprefix("-") != name:
            usual = self._usual_sort.removeprefix("-") == name
            return Heading(
                label, column.classes, self._address(self._usual_sort if usual else column.sort) or "?"
            )
        is_down = self.sort.startswith("-")
        turned = name if is_down else f"-{name}"
        return Heading(
            label, column.classes, self._address(turned) or "?", "descending" if is_down else "ascending"
        )

    def _add(self, field: FilterField, words: str) -> None:
        self._fields.append(field)
        if field.value:
            self._kept.append((field.name, field.value))
            if field.value != Period.DAYS:
                self._summary.append(words)

    def _typed(self, name: str) -> str:
        self._known.add(name)
        return self._params.get(name, "").strip()

    def _day(self, name: str, label: str, period: str) -> date | None:
        """Dates typed before another period was chosen are dropped, and so is their field's value."""
        typed = self._typed(name) if period in ("", Period.DAYS) else ""
        try:
            found = date.fromisoformat(typed) if typed else None
        except ValueError:
            found = _FIRST_DAY
        is_good = found is None or _FIRST_DAY < found < _LAST_DAY
        error = "" if is_good else translated(_BAD_DATE)
        words = f"{translated(label).lower()} {found:%d/%m/%Y}" if found and is_good else ""
        self._add(FilterField(name, translated(label), "date", typed[:_LONGEST_SHOWN], (), error), words)
        return found if is_good else None

    def _after(self) -> uuid.UUID | None:
        typed = self._params.get(_AFTER, "")
        try:
            return uuid.UUID(typed) if typed else None
        except ValueError:
            self.errors[_AFTER] = translated("Cette page de la liste n’existe pas. Reprenez au début.")
            return None

    def _sort(self) -> str:
        value = self._params.get(_SORT, "") or self._usual_sort
        if value.removeprefix("-") in {
            column.sort.removeprefix("-") for column in self._columns if column.sort
        }:
            return value
        self.errors[_SORT] = translated(_UNKNOWN_SORT).format(value=value[:_LONGEST_SHOWN])
        return self._usual_sort

    def _shown(self) -> frozenset[str]:
        """The first column is always there."""
        asked, names = self._params.getlist(_COLUMN), [column.name for column in self._columns]
        for value in asked:
            if value not in names:
                self.errors[_COLUMN] = translated(_UNKNOWN_COLUMN).format(value=value[:_LONGEST_SHOWN])
        chosen = {value for value in asked if value in names}
        usual = {column.name for column in self._columns if column.is_usual}
        return frozenset(chosen | {names[0]} if asked else usual)


def view_links(
    query: ListQuery,
    usual: Sequence[tuple[str, str]],
    saved: Sequence[SavedView],
    count: Callable[[QueryParams], int | None],
) -> list[ViewLink]:
    """The views that everyone has, (name, query), then the person's own; `count` is None if one is no longer
    valid."""
    here = sorted(parse_qsl(query.query.lstrip("?")))
    named = [(name, wanted, "") for name, wanted in usual]
    named += [(view.name, view.query, str(view.id)) for view in saved]
    found: list[ViewLink] = []
    for name, wanted, view_id in named:
        number = count(QueryParams(wanted))
        is_current = sorted(parse_qsl(wanted)) == here and not any(each.is_current for each in found)
        shown = "–" if number is None else f"{_MOST_COUNTED}+" if number > _MOST_COUNTED else str(number)
        found.append(ViewLink(name, f"?{wanted}", shown, is_current, view_id))
    return found


def _beginning(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def table_file(
    request: Request,
    name: str,
    heading: Sequence[str],
    rows: Callable[[Services], Iterable[Sequence[Cell]]],
    kind: str = "",
) -> Response:
    """A workbook for `kind` xlsx or an address that ends with it, else CSV; read in its own transaction, open until all is
    sent."""
    is_csv = kind == "csv" if kind else not request.url.path.endswith(".xlsx")
    kind = "csv" if is_csv else "xlsx"
    pieces = _csv(request, heading, rows) if is_csv else _workbook(request, name, heading, rows)
    return StreamingResponse(
        pieces,
        media_type="text/csv; charset=utf-8" if is_csv else _XLSX,
        headers={"Content-Disposition": f'attachment; filename="{name}.{kind}"', "Cache-Control": "no-store"},
    )


def _csv(
    request: Request, heading: Sequence[str], rows: Callable[[Services], Iterable[Sequence[Cell]]]
) -> Iterator[bytes]:
    yield csv_for_excel(heading, [])
    with visit(request, reading=True) as services:
        block: list[Sequence[str]] = []
        for row in rows(services):
            block.append([_written(cell) for cell in row])
            if len(block) >= _A_BLOCK:
                yield lines_for_excel(block)
                block = []
        yield lines_for_excel(block)


def _workbook(
    request: Request, name: str, heading: Sequence[str], rows: Callable[[Services], Iterable[Sequence[Cell]]]
) -> Iterator[bytes]:
    """A workbook's directory comes last, so it is written to a temporary file first."""
    with TemporaryFile() as file:
        with visit(request, reading=True) as services:
            write_workbook(file, name, heading, rows(services))
        file.seek(0)
        while piece := file.read(_A_PIECE):
            yield piece


def _written(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case date():
            return f"{cell:%d/%m/%Y}"
        case float():
            return f"{cell:g}".replace(".", ",")
        case _:
            return str(cell)
