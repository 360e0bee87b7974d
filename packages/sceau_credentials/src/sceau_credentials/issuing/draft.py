"""A credential about to be signed, walked once so that each lint only queries it.

The shared part of one class's credentials, achievement and issuer, is walked once for all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import cached_property, lru_cache
from typing import Final, NamedTuple

import orjson

from sceau_credentials.canonical import canonical_nquads
from sceau_credentials.errors import MalformedInput
from sceau_credentials.keys import Signer
from sceau_credentials.values import JsonObject, JsonValue, dump_exactly, pointer_to

_MOST_PARTS: Final = 256
_LONGEST_PART: Final = 16 * 1024


class Text(NamedTuple):
    """One string of the document; `name` is the member that holds it, or its list."""

    pointer: str
    name: str
    value: str


class Part:
    """The content of a document, or of one object in it."""

    def __init__(self, value: JsonValue, pointer: str, depth: int, apart: frozenset[str]) -> None:
        self.texts: list[Text] = []
        self.names: set[str] = set()
        self.numbers: list[int | float] = []
        self.hollow: list[str] = []
        self.depth = depth
        self._apart = apart
        self._through(value, pointer, pointer.rpartition("/")[2], depth)
        self.joined = " ".join([text.value for text in self.texts])
        """All texts: where a character does not occur in it, no single text needs to be searched for it."""
        self._faulty: dict[Finder, bool] = {}

    def _through(self, value: JsonValue, pointer: str, name: str, depth: int) -> None:
        if depth > self.depth:
            self.depth = depth
        kind = type(value)
        if kind is str and value:
            self.texts.append(Text(pointer, name, value))  # type: ignore[arg-type]
        elif isinstance(value, dict) and value:
            self.names.update(value)
            for member, each in value.items():
                below = f"{pointer}/{member}"
                if "/" in member or "~" in member:
                    below = pointer + pointer_to(member)
                if below not in self._apart:
                    self._through(each, below, member, depth + 1)
        elif isinstance(value, list) and value:
            for index, each in enumerate(value):
                self._through(each, f"{pointer}/{index}", name, depth + 1)
        elif isinstance(value, str):
            self.texts.append(Text(pointer, name, value))
            if not value:
                self.hollow.append(pointer)
        elif isinstance(value, int | float):
            if not isinstance(value, bool):
                self.numbers.append(value)
        elif value is None or value in ([], {}):
            self.hollow.append(pointer)

    @cached_property
    def _by_name(self) -> dict[str, list[Text]]:
        named: dict[str, list[Text]] = {}
        for text in self.texts:
            named.setdefault(text.name, []).append(text)
        return named

    def named(self, names: frozenset[str]) -> list[Text]:
        """The texts of these members."""
        by_name = self._by_name
        return [text for name in names & by_name.keys() for text in by_name[name]]

    def has(self, finder: Finder) -> bool:
        known = self._faulty.get(finder)
        if known is None:
            known = self._faulty[finder] = bool(finder(self))
        return known


Finder = Callable[[Part], Sequence[Text]]
"""Which texts of a part are at fault: a pure function of the part."""


@lru_cache(maxsize=_MOST_PARTS)
def _part_of(written: bytes, pointer: str, depth: int) -> Part:
    return Part(orjson.loads(written), pointer, depth, frozenset())


class Draft:
    """The document, with how and when it will be signed."""

    def __init__(self, document: JsonObject, *, signer: Signer, jwt_signer: Signer, at: datetime) -> None:
        self.document = document
        self.signer = signer
        self.jwt_signer = jwt_signer
        self.at = at

    @cached_property
    def _parts(self) -> tuple[Part, ...]:
        shared = {}
        for pointer, value, depth in (("/issuer", self.issuer, 1), (_ACHIEVEMENT, self.achievement, 2)):
            written = dump_exactly(value) if value else b""
            if 0 < len(written) <= _LONGEST_PART:
                shared[pointer] = _part_of(written, pointer, depth)
        try:
            return (Part(self.document, "", 0, frozenset(shared)), *shared.values())
        except RecursionError:
            raise MalformedInput("too_deep") from None

    @property
    def depth(self) -> int:
        return max([part.depth for part in self._parts])

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset().union(*[part.names for part in self._parts])

    @property
    def numbers(self) -> list[int | float]:
        return [number for part in self._parts for number in part.numbers]

    @property
    def hollow(self) -> list[str]:
        """Pointers of nulls, empty strings, empty arrays and empty objects."""
        return [pointer for part in self._parts for pointer in part.hollow]

    def first(self, finder: Finder) -> str | None:
        """The pointer of the first text that the finder returns for any part of the document."""
        if not any(part.has(finder) for part in self._parts):
            return None
        found = {text.pointer for part in self._parts for text in finder(part)}
        return next(text.pointer for text in self.texts if text.pointer in found)

    @cached_property
    def texts(self) -> list[Text]:
        """In the order of the document."""
        return Part(self.document, "", 0, frozenset()).texts

    @property
    def length(self) -> int:
        """Characters in all texts."""
        return sum([len(part.joined) - max(0, len(part.texts) - 1) for part in self._parts])

    @cached_property
    def nquads(self) -> str:
        return canonical_nquads(self.document)

    @property
    def subject(self) -> JsonObject:
        return _object(self.document.get("credentialSubject"))

    @property
    def achievement(self) -> JsonObject:
        return _object(self.subject.get("achievement"))

    @property
    def issuer(self) -> JsonObject:
        return _object(self.document.get("issuer"))

    @property
    def status(self) -> JsonObject:
        return _object(self.document.get("credentialStatus"))

    def objects(self, owner: JsonObject, member: str) -> list[JsonObject]:
        listed = owner.get(member)
        return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


_ACHIEVEMENT: Final = "/credentialSubject/achievement"


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
