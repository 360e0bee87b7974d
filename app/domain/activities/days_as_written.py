"""Dates as French people and spreadsheets write them, and the days of a series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.people import name_key
from app.errors import InvalidInput
from app.language import N_

MOST_SESSIONS = 60
FAR_YEAR = N_("Une activité a lieu entre 1990 et 2100 : vérifiez l’année.")

_MONTHS = (
    "janvier", "fevrier", "mars", "avril", "mai", "juin", "juillet", "aout", "septembre", "octobre", "novembre", "decembre",
)  # fmt: skip
_SHORT_MONTHS = {
    "janv": 1, "fevr": 2, "fev": 2, "avr": 4, "juil": 7, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
}  # fmt: skip
_DAYS = {"lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "le"}
_FIGURES = re.compile(r"(\d{1,4})[/.\- ](\d{1,2})[/.\- ](\d{1,4})(?:[ T]\d{1,2}[:h]\d{2}(?::\d{2})?Z?)?")
# Day zero of the spreadsheet calendar; a cell that lost its format contains a serial number of days.
_DAY_ZERO, _FIRST_SERIAL, _LAST_SERIAL = date(1899, 12, 30), 25_000, 75_000


def check_day(day: date) -> None:
    """A year beyond any lifetime is a typing error."""
    if not 1990 <= day.year <= 2100:
        raise InvalidInput(FAR_YEAR)


def check_last_day(starts_on: date, ends_on: date) -> None:
    check_day(ends_on)
    if ends_on < starts_on:
        raise InvalidInput("L’activité finirait avant d’avoir commencé.")


def day_in(cell: str) -> date | None:
    """A date as French people and spreadsheets write it: 03/10/2025, 3 octobre 2025, 2025-10-03, or a serial
    number.
    """
    text = cell.strip()
    found = _FIGURES.fullmatch(text)
    if found:
        first, month, last = found.groups()[:3]
        return (
            _made(int(first), int(month), int(last))
            if len(first) == 4
            else _made(_year(last), int(month), int(first))
        )
    if re.fullmatch(r"\d{5}(?:[.,]\d+)?", text) and _FIRST_SERIAL <= int(text[:5]) <= _LAST_SERIAL:
        return _DAY_ZERO + timedelta(days=int(text[:5]))
    words = [word for word in re.findall(r"[a-z]+|\d+", _plain(text)) if word not in _DAYS]
    if len(words) == 3 or (len(words) == 4 and words[1] == "er"):
        day, month_word, year = words[0], words[-2], words[-1]
        number = _MONTHS.index(month_word) + 1 if month_word in _MONTHS else _SHORT_MONTHS.get(month_word, 0)
        if day.isdecimal() and year.isdecimal():
            return _made(_year(year), number, int(day))
    return None


def unclear_days(cells: Mapping[int, str]) -> dict[int, str]:
    """Of one column: « 01/12/2026 » may be in January where another cell, « 10/25/2025 », has the month first."""
    if not any(day_in(cell) is None and _with_month_first(cell) for cell in cells.values()):
        return {}
    return {
        row: cell
        for row, cell in cells.items()
        if day_in(cell) and _with_month_first(cell) not in (None, day_in(cell))
    }


def _with_month_first(cell: str) -> date | None:
    found = _FIGURES.fullmatch(cell.strip())
    if found is None or len(found[1]) > 2:
        return None
    return _made(_year(found[3]), int(found[1]), int(found[2]))


def is_of_a_far_year(cell: str) -> bool:
    """Whether only the year keeps this from being a date: 0026, 2126."""
    return day_in(cell) is None and day_in(re.sub(r"(?<!\d)\d{4}(?!\d)", "2000", cell)) is not None


def _plain(text: str) -> str:
    return " ".join(name_key("", word) for word in re.findall(r"\w+", text))


def _year(text: str) -> int:
    return 2000 + int(text) if len(text) == 2 else int(text)


def _made(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day) if 1990 <= year <= 2100 else None
    except ValueError:
        return None


@dataclass(frozen=True)
class Rhythm:
    """Every so many days; ends after a number of times or on a day, whichever comes first."""

    every: int
    times: int | None = None
    until: date | None = None


def days_of(first: date, rhythm: Rhythm | None = None, others: Iterable[date] = ()) -> list[date]:
    """Sorted, without duplicates; only `first` if nothing else is given."""
    days = {first, *others}
    if rhythm is not None:
        days |= set(_repeated(first, rhythm))
    check_count(len(days))
    return sorted(days)


def _repeated(first: date, rhythm: Rhythm) -> Sequence[date]:
    if rhythm.times is None and rhythm.until is None:
        raise InvalidInput("Dites combien de séances, ou jusqu’à quel jour.")
    if rhythm.times is not None:
        check_count(rhythm.times)
    if rhythm.until is not None and rhythm.until < first:
        raise InvalidInput("La série finirait avant d’avoir commencé.")
    until_then = (
        MOST_SESSIONS + 1 if rhythm.until is None else (rhythm.until - first).days // rhythm.every + 1
    )
    times = min(until_then, MOST_SESSIONS + 1 if rhythm.times is None else rhythm.times)
    check_count(times)
    return [first + timedelta(days=rhythm.every * number) for number in range(times)]


def check_count(count: int) -> None:
    if not 1 <= count <= MOST_SESSIONS:
        raise InvalidInput("Une série a de 1 à 60 séances.")


def days_in(text: str, *, after: date) -> list[date]:
    """Dates as people write them, one per line or separated by commas; without a year, the next such date.

    Raises InvalidInput for the first unreadable one.
    """
    return [_read(word.strip(), after) for word in re.split(r"[\n;,]+", text) if word.strip()]


def _read(word: str, after: date) -> date:
    day = day_in(word)
    if day is None:
        mark = "/" if re.fullmatch(r"\d{1,2}/\d{1,2}", word) else " "
        this_year, next_year = (day_in(f"{word}{mark}{after.year + more}") for more in (0, 1))
        day = this_year if this_year and this_year >= after else next_year
    if day is None and is_of_a_far_year(word):
        raise InvalidInput(FAR_YEAR)
    if day is None:
        raise InvalidInput(
            "« {word} » n’est pas une date : écrivez 08/12/2026 ou 8 décembre.", word=word[:40]
        )
    return day
