"""Days and times of day in the reader's language."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.core import Locale, UnknownLocaleError, get_global, parse_locale
from babel.dates import format_date, format_skeleton, format_time

from app.language.catalogues import N_, current_locale, gettext
from app.language.typography import NO_BREAK

DEFAULT_ZONE = "Europe/Paris"
# English here is European: day before month, 24-hour clock.
_BABEL_LOCALE = {"en": "en_GB"}
_MOMENT = N_("{day} à {time}")


def babel_locale() -> str:
    return _BABEL_LOCALE.get(current_locale(), current_locale())


def regional_locale() -> str:
    """fr_FR; en_GB: the current language, with its main region."""
    likely = get_global("likely_subtags").get(babel_locale(), babel_locale())
    language, region, *_ = parse_locale(likely)
    return f"{language}_{region}" if region else language


def language_in_words(code: str) -> str:
    """anglais; English: the name of a language, in the current one."""
    try:
        return Locale.parse(code, sep="-").get_language_name(current_locale()) or code
    except (UnknownLocaleError, ValueError):
        return code


def local(value: datetime, zone: str = DEFAULT_ZONE) -> datetime:
    """`value`, a timezone-aware datetime, in `zone`."""
    if value.tzinfo is None:
        raise ValueError("a time without a zone cannot be shown: keep times aware and in UTC")
    try:
        return value.astimezone(ZoneInfo(zone))
    except OverflowError:  # the first and last hours of the calendar do not exist in every zone
        return value


def day(value: datetime | date, zone: str = DEFAULT_ZONE) -> str:
    """9 octobre 2026; 9 October 2026."""
    that_day = local(value, zone).date() if isinstance(value, datetime) else value
    return _long_day(that_day, current_locale())


@lru_cache(maxsize=1024)
def _long_day(that_day: date, locale: str) -> str:
    words = format_date(that_day, "long", locale=_BABEL_LOCALE.get(locale, locale))
    if locale == "fr":
        number, _, rest = words.partition(" ")
        words = ("1er" if number == "1" else number) + NO_BREAK + rest
    return words


def days(first: date, last: date) -> str:
    """24 novembre 2026; 2–24 novembre 2026; 30 novembre 2026 – 4 décembre 2026."""
    if first == last:
        return day(first)
    if (first.year, first.month) == (last.year, last.month):
        start = "1er" if first.day == 1 and current_locale() == "fr" else str(first.day)
        return f"{start}–{day(last)}"
    return f"{day(first)} – {day(last)}"


def short_day(value: datetime | date, zone: str = DEFAULT_ZONE) -> str:
    """09/10/2026, for narrow table columns."""
    that_day = local(value, zone).date() if isinstance(value, datetime) else value
    return format_date(that_day, "dd/MM/yyyy", locale=babel_locale())


def clock(value: datetime, zone: str = DEFAULT_ZONE) -> str:
    """14 h 32; 14:32."""
    here = local(value, zone)
    if current_locale() == "fr":
        return f"{here.hour}{NO_BREAK}h{NO_BREAK}{here.minute:02d}"
    return format_time(here, "HH:mm", locale=babel_locale())


def time_of_day(value: time) -> str:
    """13 h 30; 13:30. Without a zone: as it is on the clocks of the campus."""
    if current_locale() == "fr":
        return f"{value.hour}{NO_BREAK}h{NO_BREAK}{value.minute:02d}"
    return f"{value:%H:%M}"


def weekday(value: date) -> str:
    """mardi 24 novembre; Tuesday 24 November; martes 24 de noviembre."""
    name = format_date(value, "EEEE", locale=babel_locale())
    return f"{name} {format_skeleton('MMMMd', value, locale=babel_locale())}"


def weekday_short(value: date) -> str:
    """mardi 24; Tuesday 24."""
    return f"{format_date(value, 'EEEE', locale=babel_locale())} {value.day}"


def moment(value: datetime, zone: str = DEFAULT_ZONE) -> str:
    """24 novembre 2026 à 14 h 32; 24 November 2026 at 14:32."""
    return gettext(_MOMENT).format(day=day(value, zone), time=clock(value, zone))


def month(value: datetime | date) -> str:
    """novembre 2026; November 2026."""
    return format_skeleton("yMMMM", value, locale=babel_locale())
