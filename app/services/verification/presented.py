"""Presented documents that are not the badge itself: where they lead, and what their text states."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import Final

from babel.dates import get_month_names

from app.domain.campus.signed_terms import BadgeKind, name_said_of
from app.language import N_, in_every_language, known_locales
from sceau_credentials.errors import MalformedInput
from sceau_credentials.model.conforming import period_members
from sceau_credentials.values import JsonObject, JsonValue, parse_timestamp
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import CheckId, Report

_FEWEST_LETTERS: Final = 20
"""A page with less text than that is treated as a scan."""
_LONG_NAME: Final = 12
"""Fewer characters occur in other text by chance."""
ATTESTS: Final = N_("atteste que")
RECEIVED: Final = {
    BadgeKind.BELONGING: N_("a reçu le badge d’appartenance"),
    BadgeKind.PARTICIPATION: N_("a reçu le badge de participation"),
    BadgeKind.ENGAGEMENT: N_("a reçu le badge d’engagement"),
    BadgeKind.ATTITUDE: N_("a reçu le badge de savoir-être"),
    BadgeKind.COMPETENCY: N_("a reçu le badge de compétence"),
    BadgeKind.REALISATION: N_("a reçu le badge de réalisation"),
}
AWARDED_ON: Final = N_("Attribué le")
VALID_UNTIL: Final = N_("Valable jusqu’au")
NO_END: Final = N_("sans date de fin")
_RECEIVED_EARLIER: Final = r"a reçu le badge|received the badge|received the \w+ badge"
"""As older certificates are worded."""


def _in_any_language(*sentences: str) -> str:
    found = (each for sentence in sentences for each in in_every_language(sentence))
    return "|".join(re.escape(each).replace("’", "[’']") for each in found)


@cache
def _named() -> re.Pattern[str]:
    """Where our certificates name their holder, in each language."""
    received = f"{_RECEIVED_EARLIER}|{_in_any_language(*RECEIVED.values())}"
    return re.compile(
        rf"(?:{_in_any_language(ATTESTS)})\s+(?P<name>\S.{{0,200}}?)\s+(?:{received})",
        re.IGNORECASE | re.DOTALL,
    )


_LIGATURES: Final = str.maketrans({"œ": "oe", "Œ": "oe", "æ": "ae", "Æ": "ae"})


CARRIERS: Final = frozenset({"pdf", "png", "svg"})
"""File formats with an unsigned visual appearance."""


class LeadKind(StrEnum):
    """How the document leads to the badge."""

    CODE = "code"
    LINK = "link"
    ATTACHED = "attached"
    """A page with the badge as an attachment."""
    PICTURE = "picture"
    """A picture with the badge baked in (Open Badges): its visual appearance is unsigned."""


class NameMatch(StrEnum):
    SAME = "same"
    DIFFERENT = "different"
    UNREAD = "unread"
    """The document has no readable text, or the badge names no holder."""


class Stated(StrEnum):
    """What one of our certificates states besides its holder's name."""

    TITLE = "title"
    AWARDED = "awarded"
    VALID_UNTIL = "valid_until"


@dataclass(frozen=True)
class Difference:
    """The document and the badge differ. `written`: empty if the document does not state it at all."""

    about: Stated
    written: str
    signed: str | date | None
    """The badge's value; None if it does not expire."""


@dataclass(frozen=True)
class Lead:
    """A document that was not verified, and how it leads to the badge that was.

    `written`: the name on the document, if known; `address`: empty for an embedded badge.
    """

    kind: LeadKind
    address: str
    name: NameMatch
    written: str = ""
    differences: tuple[Difference, ...] = ()


def lead_of_link(
    kind: LeadKind, address: str, text: str, report: Report | None, *, whole: bool = True
) -> Lead:
    """For a document with this visible text and a link to the badge of the report.

    `whole`: False where a part of the document was not read.
    """
    document = (report.document if report else None) or {}
    name, written = _as_far_as_read(*compare_name(text, holder_in(document)), whole=whole)
    return Lead(kind, address, name, written, _differences(text, document) if document else ())


def lead_of_carrier(container: str, text: str, document: JsonObject, *, whole: bool = True) -> Lead:
    """For a PDF or picture with an embedded badge: its visual appearance is unsigned."""
    if container != "pdf":
        return Lead(LeadKind.PICTURE, "", NameMatch.UNREAD)
    name, written = _as_far_as_read(*compare_pages(text, holder_in(document)), whole=whole)
    return Lead(LeadKind.ATTACHED, "", name, written, _differences(text, document))


_TYPES: Final = ("@context", "type", "@type")
_HOSTED: Final = ("recipient", "issuedOn", "expires", "narrative", "evidence")


def lead_of_copy(report: Report) -> Lead | None:
    """For a copy of a hosted badge (Open Badges 2.0 and 1.x) that states otherwise than its issuer serves: such a
    badge is verified at its URL alone. None for any other document."""
    given, served = report.presented, report.document
    proof = report.check(CheckId.PROOF)
    if given is None or served is None or proof.reason != Reason.HOSTED:
        return None
    is_same = all(_is_alike(given[name], served.get(name)) for name in (*_HOSTED, "badge") if name in given)
    return None if is_same else Lead(LeadKind.LINK, proof.details.get("url", ""), NameMatch.UNREAD)


def _is_alike(given: JsonValue, served: JsonValue) -> bool:
    """Whether everything in `given` is served so; a URL stands for the object that it names."""
    if isinstance(given, dict):
        stated = {name: value for name, value in given.items() if name not in _TYPES}
        if isinstance(served, dict):
            return all(_is_alike(value, served.get(name)) for name, value in stated.items())
        return stated == {"id": served}
    return given == (served.get("id") if isinstance(given, str) and isinstance(served, dict) else served)


def _as_far_as_read(name: NameMatch, written: str, *, whole: bool) -> tuple[NameMatch, str]:
    """The unread part may name another person, or the holder; another name found stays found."""
    return (name, written) if whole or written else (NameMatch.UNREAD, "")


def holder_in(document: JsonObject) -> str:
    subject = document.get("credentialSubject")
    return (name_said_of(subject) or "") if isinstance(subject, dict) else ""


def compare_name(text: str, holder: str) -> tuple[NameMatch, str]:
    """Whether the visible text names the holder; and the name it contains, if it has our layout."""
    words, wanted = _words(text), _words(holder)
    if not wanted or sum(map(len, words)) < _FEWEST_LETTERS:
        return NameMatch.UNREAD, ""
    named = [each["name"].strip() for each in _named().finditer(" ".join(text.split()))]
    if named:
        other = next((each for each in named if "".join(_words(each)) != "".join(wanted)), "")
        return (NameMatch.DIFFERENT, other) if other else (NameMatch.SAME, "")
    is_there = set(wanted) <= set(words) or _is_run_of("".join(wanted), words)
    return NameMatch.SAME if is_there else NameMatch.DIFFERENT, ""


def _is_run_of(name: str, words: list[str]) -> bool:
    """Whatever its spaces; a short name, « Ana Li », occurs inside longer ones, « canalisation »."""
    text = "".join(words)
    if len(name) >= _LONG_NAME:
        return name in text
    edges = {0, *accumulate(map(len, words))}
    starts = (start for start in edges if text.startswith(name, start))
    return any(start + len(name) in edges for start in starts)


def compare_pages(text: str, holder: str) -> tuple[NameMatch, str]:
    """As `compare_name`, for an embedding document: each page, separated by form feeds, must name the holder.

    Otherwise a genuine page could cover for a forged one in front of it.
    """
    pages = [compare_name(page, holder) for page in text.split("\f")]
    if NameMatch.SAME not in (match for match, _ in pages):
        return compare_name(text, holder)
    other = next((written for _, written in pages if written), "")
    if other:
        return NameMatch.DIFFERENT, other
    is_same = all(match is NameMatch.SAME for match, _ in pages)
    return NameMatch.SAME if is_same else NameMatch.UNREAD, ""


_DAY: Final = r"(?P<day>\d{1,2})(?:er|\.)?\s+(?:de\s+)?(?P<month>[^\W\d]+)\s+(?:de\s+)?(?P<year>\d{4})(?!\d)"

_FEW: Final = r"(?:[^.;:!?]|\.(?= ?\d)){0,30}?"
_FIGURES: Final = r"\d{1,4}(?:[-/. ]{1,3}\d{1,4}){2}(?!\d)"
_OTHERWISE: Final = rf"(?P<other>{_FIGURES}|{_FEW}\d{{4,}}|{_FEW}\d+)"
"""A day as no certificate of ours writes it: in figures, abbreviated, with letters of another alphabet."""


@cache
def _on_certificates() -> Mapping[Stated, re.Pattern[str]]:
    awarded, until, no_end = map(_in_any_language, (AWARDED_ON, VALID_UNTIL, NO_END))
    return {
        Stated.AWARDED: re.compile(rf"(?:{awarded})\s+(?:{_DAY}|{_OTHERWISE})"),
        Stated.VALID_UNTIL: re.compile(rf"(?:{until})\s+(?:{_DAY}|{no_end}|{_OTHERWISE})"),
    }


@cache
def _months() -> Mapping[str, int]:
    named = (get_month_names("wide", "format", locale).items() for locale in known_locales())
    return {name.casefold(): number for months in named for number, name in months}


_ONE_DAY: Final = timedelta(days=1)
"""In any time zone."""


def _differences(text: str, document: JsonObject) -> tuple[Difference, ...]:
    """Only for pages with the layout of our certificates: others state much about other things."""
    pages = [" ".join(page.split()) for page in text.split("\f")]
    pages = [page for page in pages if _named().search(page)]
    starts, ends = period_members(document)
    signed = {
        Stated.AWARDED: _moment(document.get("awardedDate")) or _moment(document.get(starts)),
        Stated.VALID_UNTIL: _moment(document.get(ends)),
    }
    found = [
        Difference(Stated.TITLE, "", title)
        for page in pages
        if (title := _title_in(document)) and "".join(_words(title)) not in "".join(_words(page))
    ]
    found += [
        Difference(about, other, (at := signed[about]) and at.date())
        for page in pages
        for about, pattern in _on_certificates().items()
        for stated in pattern.finditer(page)
        if (other := _other_day(stated, signed[about])) is not None
    ]
    return tuple(dict.fromkeys(found))


def _other_day(stated: re.Match[str], signed: datetime | None) -> str | None:
    """The written date, if the badge has another or none; a missing expiry date counts as none.

    One that no calendar has is another.
    """
    if stated["other"]:
        written = stated["other"]
        first, month, last = (
            map(int, re.findall(r"\d+", written)) if re.fullmatch(_FIGURES, written) else (0, 0, 0)
        )
        days = [_day(last, month, first), _day(first, month, last), _day(last, first, month)]
    elif stated["day"] is None:
        return "" if signed is not None else None
    else:
        written = f"{stated['day']} {stated['month']} {stated['year']}"
        days = [_day(int(stated["year"]), _months().get(stated["month"].casefold(), 0), int(stated["day"]))]
    is_signed = signed is not None and any(abs(each - signed.date()) <= _ONE_DAY for each in days if each)
    return None if is_signed else written


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _title_in(document: JsonObject) -> str:
    subject = document.get("credentialSubject")
    achievement = subject.get("achievement") if isinstance(subject, dict) else None
    title = achievement.get("name") if isinstance(achievement, dict) else None
    return title if isinstance(title, str) else ""


def _moment(value: JsonValue) -> datetime | None:
    try:
        return parse_timestamp(value)
    except MalformedInput:
        return None


def _words(text: str) -> list[str]:
    # Remove marks first: normalising a long run of them takes quadratic time.
    bare = "".join(sign for sign in text if not unicodedata.combining(sign))
    plain = unicodedata.normalize("NFKD", bare.translate(_LIGATURES).casefold())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return re.findall(r"\w+", letters)
