"""The primitive types of the standard, and the terms of its vocabularies."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Final, TypeAlias, cast

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, FiniteFloat, Strict, Tag
from pydantic_core import PydanticCustomError

from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import vocabulary
from sceau_credentials.values.timestamps import is_our_form, parse_timestamp


class WrittenDateTime(datetime):
    """A datetime with its original text, where that differs from our own format.

    A signature covers the text: an embedded endorsement must be written as it was read (A-078).
    """

    text: str


def _refused(reason: str) -> PydanticCustomError:
    return PydanticCustomError(cast(Any, reason), cast(Any, reason), {})


def _read_moment(value: object) -> object:
    return _written_moment(value, False) if type(value) is str else _given_moment(value)


def _read_moment_with_zone(value: object) -> object:
    return _written_moment(value, True) if type(value) is str else _given_moment(value)


def _given_moment(value: object) -> object:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise _refused("timestamp")


@lru_cache(maxsize=4_096)
def _written_moment(value: str, zone_required: bool) -> datetime:
    """Cached, as in `parse_timestamp`; failures are not."""
    try:
        moment = parse_timestamp(value, zone_required=zone_required)
    except MalformedInput:
        raise _refused("timestamp") from None
    if is_our_form(value):
        return moment
    written = WrittenDateTime.fromisoformat(moment.isoformat())
    written.text = value
    return written


def written_moment(text: str) -> datetime:
    """A datetime that serialises as `text`, with its offset, and not in UTC; MalformedInput for invalid text."""
    parse_timestamp(text, zone_required=True)
    return _written_moment(text, True)


def _check_pattern(pattern: str, reason: str) -> Callable[[str], str]:
    compiled = re.compile(pattern)

    def check(text: str) -> str:
        if not compiled.fullmatch(text):
            raise _refused(reason)
        return text

    return check


def _as_tuple(value: object) -> object:
    """A-005: the few members that may be a bare value when there is only one."""
    if type(value) is list:
        return value
    return (value,) if isinstance(value, str | dict) or hasattr(value, "model_fields_set") else value


Compactable: Final = BeforeValidator(_as_tuple)

Text: TypeAlias = Annotated[str, Strict()]
Flag: TypeAlias = Annotated[bool, Strict()]
Number: TypeAlias = Annotated[
    Annotated[int, Strict(), Tag("~int")] | Annotated[FiniteFloat, Strict(), Tag("~float")],
    Discriminator(lambda value: "~int" if type(value) is int else "~float"),
]
Iri: TypeAlias = Annotated[str, Strict(), Field(pattern=vocabulary.PATTERN)]
DateTimeZ: TypeAlias = Annotated[
    datetime, BeforeValidator(_read_moment_with_zone)
]
DateTime: TypeAlias = Annotated[datetime, BeforeValidator(_read_moment)]
Date: TypeAlias = Annotated[
    str, Strict(), AfterValidator(_check_pattern(r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])", "date"))
]
LanguageCode: TypeAlias = Annotated[
    str,
    Strict(),
    AfterValidator(
        _check_pattern(r"[a-z]{2,4}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?", "not_a_language_code")
    ),
]
CompactJws: TypeAlias = Annotated[
    str, Strict(), AfterValidator(_check_pattern(r"[\w-]+\.[\w-]+\.[\w-]+", "not_compact_jws"))
]


Types: TypeAlias = Annotated[tuple[Text, ...], Compactable]
"""A `type` of multiplicity 1..*; the other classes have a plain string (A-006)."""


def holding(*names: str) -> AfterValidator:
    """Requires these names among the types (A-021)."""
    required = frozenset(names)

    def check(types: tuple[str, ...]) -> tuple[str, ...]:
        if not required.issubset(types):
            raise _refused("wrong_class")
        return types

    return AfterValidator(check)


def one_of(words: str, *, extensible: bool = True) -> AfterValidator:
    """One of these terms, or, in an open vocabulary, a custom term that starts with `ext:` (A-080)."""
    known = frozenset(words.split())
    extended = re.compile(r"ext:[A-Za-z0-9._|-]+")

    def check(word: str) -> str:
        if word in known or (extensible and extended.fullmatch(word)):
            return word
        raise _refused("not_in_vocabulary")

    return AfterValidator(check)
