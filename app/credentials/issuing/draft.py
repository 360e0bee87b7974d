"""A credential about to be signed, walked through once so that each lint only has to look."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from app.credentials.canonical import canonical_nquads
from app.credentials.json_text import JsonObject, JsonValue, pointer_to
from app.credentials.keys import Signer


@dataclass(frozen=True)
class Text:
    """One string of the document; `name` is the member that holds it, or its list."""

    pointer: str
    name: str
    value: str


@dataclass
class _Walk:
    texts: list[Text] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    numbers: list[int | float] = field(default_factory=list)
    hollow: list[str] = field(default_factory=list)
    depth: int = 0

    def through(self, value: JsonValue, pointer: str, name: str, depth: int) -> None:
        self.depth = max(self.depth, depth)
        if isinstance(value, str):
            self.texts.append(Text(pointer, name, value))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            self.numbers.append(value)
        if value is None or value in ("", [], {}):
            self.hollow.append(pointer)
        elif isinstance(value, dict):
            self.names.update(value)
            for member, each in value.items():
                self.through(each, pointer + pointer_to(member), member, depth + 1)
        elif isinstance(value, list):
            for index, each in enumerate(value):
                self.through(each, f"{pointer}/{index}", name, depth + 1)


class Draft:
    """The document with what is known about how and when it is going to be signed."""

    def __init__(self, document: JsonObject, *, signer: Signer, jwt_signer: Signer, at: datetime) -> None:
        self.document = document
        self.signer = signer
        self.jwt_signer = jwt_signer
        self.at = at
        walk = _Walk()
        walk.through(document, "", "", 0)
        self.texts, self.numbers, self.depth = walk.texts, walk.numbers, walk.depth
        self.names = frozenset(walk.names)
        self.hollow = walk.hollow
        """Pointers of nulls, empty strings, empty arrays and empty objects."""

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


def _object(value: JsonValue) -> JsonObject:
    return value if isinstance(value, dict) else {}
