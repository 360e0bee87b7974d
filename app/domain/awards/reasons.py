"""Why a line of an award came out as it did: facts when it is judged, words in the language of whoever reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from babel.numbers import format_decimal

from app.domain.badges.rule_words import asked_words, rule_words
from app.domain.badges.rules import Progress, Rule, asked_of, missing_of
from app.language.dates import babel_locale


def rule_facts(progress: Progress) -> dict[str, Any]:
    """What the rule asks for and what is missing on the nearest way, as plain values that can be kept."""
    return {"rule": progress.rule.to_document(), "missing": missing_of(progress.nearest)}


def in_words(values: Mapping[str, Any] | None) -> dict[str, str]:
    """The places of a reason's sentence filled in, in the language of the moment."""
    return {name: _said(value) for name, value in (values or {}).items()}


def _said(value: Any) -> str:
    match value:
        case {"any": _}:
            return rule_words(Rule.from_document(value))
        case list():
            return asked_words(asked_of(value))
        case bool() | str():
            return str(value)
        case int() | float():
            return format_decimal(value, locale=babel_locale())
        case _:
            return str(value)
