"""Sentences of the services said on a page: in the reader's language, well set, with dates as pages write them."""

from __future__ import annotations

from datetime import date, datetime

from app.http.pages.typography import say
from app.http.pages.wording import DEFAULT_ZONE, day
from app.language.sentences import fields_of
from app.services.verification.verdicts import Sentence


def said(sentence: Sentence | None, zone: str = DEFAULT_ZONE) -> str:
    """Plain text, to be escaped like any other; empty for no sentence."""
    if sentence is None:
        return ""
    words = say(sentence.words)
    return words.format(**{name: _in_words(sentence.values[name], zone) for name in fields_of(words)})


def _in_words(value: object, zone: str) -> str:
    match value:
        case Sentence():
            return said(value, zone)
        case datetime() | date():
            return day(value, zone)
        case _:
            return str(value)
