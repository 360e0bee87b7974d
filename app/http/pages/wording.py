"""Dates, numbers and sizes in the reader's language: the filters of the templates."""

from __future__ import annotations

from babel.lists import format_list
from babel.numbers import format_decimal, format_percent

from app.http.pages.typography import NARROW, NO_BREAK
from app.language import current_locale
from app.language.dates import (
    DEFAULT_ZONE,
    babel_locale,
    clock,
    day,
    days,
    local,
    moment,
    month,
    short_day,
)


def number(value: int | float) -> str:
    """61 904 with a narrow space; 61,904."""
    return format_decimal(value, locale=babel_locale())


def percent(value: float) -> str:
    """0.4 is 40 %."""
    words = format_percent(value, locale=babel_locale())
    return words.replace(NO_BREAK, NARROW) if current_locale() == "fr" else words


def size(count: int) -> str:
    """A number of bytes as people read it: 5 Mo; 5 MB."""
    units = ("octets", "ko", "Mo", "Go") if current_locale() == "fr" else ("bytes", "kB", "MB", "GB")
    amount, power = float(count), 0
    while amount >= 1000 and power < len(units) - 1:
        amount, power = amount / 1000, power + 1
    shown = round(amount) if amount >= 10 or amount == int(amount) else round(amount, 1)
    return f"{number(shown)}{NO_BREAK}{units[power]}"


def listing(values: list[str]) -> str:
    """A, B et C; A, B and C."""
    return format_list(values, locale=babel_locale())


__all__ = [
    "DEFAULT_ZONE",
    "FILTERS",
    "clock",
    "day",
    "days",
    "listing",
    "local",
    "moment",
    "month",
    "number",
    "percent",
    "short_day",
    "size",
]

FILTERS = {
    "day": day,
    "days": days,
    "short_day": short_day,
    "clock": clock,
    "moment": moment,
    "month": month,
    "number": number,
    "percent": percent,
    "size": size,
    "listing": listing,
}


def hours_text(hours: float | None) -> str:
    """14,5: as one types it, and as a French spreadsheet reads it."""
    if hours is None:
        return ""
    return f"{hours:.2f}".rstrip("0").rstrip(".").replace(".", ",")
