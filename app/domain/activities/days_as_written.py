"""Dates as French people and spreadsheets write them."""

from __future__ import annotations

import re
from datetime import date, timedelta

from app.domain.people.people import name_key

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
