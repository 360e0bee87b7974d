"""Common base of Open Badges values: frozen, typed, read from JSON and written back to it without loss."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, lru_cache
from typing import Annotated, Any, Final, Self, TypeAlias, cast

import orjson
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    FiniteFloat,
    Strict,
    Tag,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from sceau_credentials import values
from sceau_credentials.errors import MalformedInput
from sceau_credentials.values import (
    JsonObject,
    JsonValue,
    check_depth,
    format_timestamp,
    is_our_form,
    parse_timestamp,
    pointer_to,
)

# --- The primitive types of the standard, and the terms of its vocabularies


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
Iri: TypeAlias = Annotated[str, Strict(), Field(pattern=values.PATTERN)]
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


# --- value

READING: Final = "reading"
"""Validation context of `from_document`: lenient where the sources contradict each other."""


def is_reading(info: ValidationInfo) -> bool:
    return info.context == READING


def problem(reason: str, *path: str | int) -> PydanticCustomError:
    """A validator's error: `reason` becomes that of MalformedInput, `path` is appended to its pointer."""
    return PydanticCustomError(cast(Any, reason), cast(Any, reason), {"path": list(path)})


class OpenBadgesValue(BaseModel):
    """A class of the standard. Members it does not define are preserved (A-008) and written back."""

    model_config = ConfigDict(
        frozen=True,
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    @classmethod
    def from_document(cls, document: JsonObject) -> Self:
        """Read JSON; MalformedInput names the reason and the pointer."""
        refuse_null(document)
        return cls.read(document)

    @classmethod
    def read(cls, members: Mapping[str, object]) -> Self:
        """`from_document`, for a document without nulls; parts may be values that were parsed before."""
        try:
            return cls.model_validate(members, context=READING)
        except ValidationError as error:
            raise _malformed(error.errors(include_url=False, include_input=False)[0]) from None

    def to_document(self) -> JsonObject:
        """The JSON the standard requires: arrays where it has them, no empty members (A-003, A-004)."""
        document: JsonObject = {}
        values = self.__dict__
        for name, alias in _members(type(self)):
            value = values[name]
            if value is None or value == ():
                continue
            document[alias] = value if type(value) is str else _written(value)
        if self.model_extra:
            document.update(self.model_extra)
        return document

    @model_validator(mode="after")
    def _says_what_it_is(self, info: ValidationInfo) -> Self:
        """The class is a default when writing; when reading it must be named (A-047)."""
        if info.context == READING and not _self_description(type(self)) <= self.__pydantic_fields_set__:
            for name in sorted(_self_description(type(self)) - self.model_fields_set):
                raise problem("missing_member", "@context" if name == "context" else name)
        return self


class ClosedValue(OpenBadgesValue):
    """One of the classes that allow no additional member (A-008)."""

    model_config = ConfigDict(extra="forbid")


@cache
def _members(cls: type[OpenBadgesValue]) -> tuple[tuple[str, str], ...]:
    return tuple((name, field.alias or name) for name, field in cls.model_fields.items())


@cache
def _self_description(cls: type[OpenBadgesValue]) -> frozenset[str]:
    """The members that identify a document's type."""
    return frozenset({"context", "type"} & cls.model_fields.keys())


def _written(value: Any) -> JsonValue:
    kind = type(value)
    writer = _WRITERS.get(kind)
    if writer is None:
        # Found once for each class: isinstance on a pydantic class takes longer than writing most of them.
        writer = _WRITERS[kind] = kind.to_document if issubclass(kind, OpenBadgesValue) else _as_it_is
    return writer(value)


def _as_it_is(value: JsonValue) -> JsonValue:
    return value


_WRITERS: Final[dict[type, Callable[[Any], JsonValue]]] = {
    tuple: lambda items: [item if type(item) is str else _written(item) for item in items],
    datetime: format_timestamp,
    WrittenDateTime: lambda moment: moment.text,
}


def refuse_null(document: JsonObject) -> None:
    """A-004: a null means neither yes nor no, and is not covered by a signature over quads (M1).

    MalformedInput also for a document nested deeper than any reader accepts.
    """
    if not _may_hold_null(document):
        return
    waiting: list[tuple[JsonValue, tuple[str | int, ...]]] = [(document, ())]
    while waiting:
        value, path = waiting.pop()
        if isinstance(value, dict):
            waiting += [(item, (*path, name)) for name, item in value.items() if type(item) is not str]
        elif isinstance(value, list):
            waiting += [(item, (*path, index)) for index, item in enumerate(value) if type(item) is not str]
        elif value is None:
            raise MalformedInput("null_member", pointer_to(*path))


def _may_hold_null(document: JsonObject) -> bool:
    """Searching the text is faster than a walk; "null" in a string is a harmless false positive."""
    try:
        return b"null" in orjson.dumps(document)
    except TypeError:
        check_depth(document)
        return True


def _malformed(error: ErrorDetails) -> MalformedInput:
    path = [part for part in error["loc"] if not str(part).startswith("~")]  # "~": which form was taken
    path += error.get("ctx", {}).get("path", [])
    own = error["type"] == error["msg"]
    reason = error["type"] if own else _REASONS.get(error["type"], "wrong_type")
    return MalformedInput(reason, pointer_to(*path))


_REASONS: Final = {
    "missing": "missing_member",
    "extra_forbidden": "unknown_member",
    "literal_error": "wrong_value",
    "finite_number": "number_out_of_range",
    "string_pattern_mismatch": "not_an_absolute_iri",  # the only pattern that pydantic itself checks
}
