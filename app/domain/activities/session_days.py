"""The days of a series as a trainer says them: every week so many times or until a day, or one by one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.activities.days_as_written import day_in
from app.domain.activities.plans import MOST_SESSIONS
from app.errors import InvalidInput
from app.language import N_


@dataclass(frozen=True)
class Rhythm:
    """Every so many days; it ends after so many times or on a day, whichever comes first."""

    every: int
    times: int | None = None
    until: date | None = None


def days_of(first: date, rhythm: Rhythm | None = None, others: Iterable[date] = ()) -> list[date]:
    """In order, each once; only the first where nothing more is said."""
    days = {first, *others}
    if rhythm is not None:
        days |= set(_repeated(first, rhythm))
    check_count(len(days))
    return sorted(days)


def _repeated(first: date, rhythm: Rhythm) -> Sequence[date]:
    if rhythm.times is None and rhythm.until is None:
        raise InvalidInput(N_("Dites combien de séances, ou jusqu’à quel jour."))
    if rhythm.times is not None:
        check_count(rhythm.times)
    if rhythm.until is not None and rhythm.until < first:
        raise InvalidInput(N_("La série finirait avant d’avoir commencé."))
    until_then = (
        MOST_SESSIONS + 1 if rhythm.until is None else (rhythm.until - first).days // rhythm.every + 1
    )
    times = min(until_then, MOST_SESSIONS + 1 if rhythm.times is None else rhythm.times)
    check_count(times)
    return [first + timedelta(days=rhythm.every * number) for number in range(times)]


def check_count(count: int) -> None:
    if not 1 <= count <= MOST_SESSIONS:
        raise InvalidInput(N_("Une série a de 1 à 60 séances."))


def days_in(text: str, *, after: date) -> list[date]:
    """Days as people write them, one to a line or between commas; one without a year is the next such day.

    Raises InvalidInput for the first that cannot be read.
    """
    return [_read(word.strip(), after) for word in re.split(r"[\n;,]+", text) if word.strip()]


def _read(word: str, after: date) -> date:
    day = day_in(word)
    if day is None:
        mark = "/" if re.fullmatch(r"\d{1,2}/\d{1,2}", word) else " "
        this_year, next_year = (day_in(f"{word}{mark}{after.year + more}") for more in (0, 1))
        day = this_year if this_year and this_year >= after else next_year
    if day is None:
        raise InvalidInput(
            N_("« {word} » n’est pas une date : écrivez 08/12/2026 ou 8 décembre."), word=word[:40]
        )
    return day
