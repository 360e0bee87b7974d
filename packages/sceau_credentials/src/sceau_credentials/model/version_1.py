"""A badge on version 1.1 of the W3C data model, converted to version 2: read, never written (a.13)."""

from __future__ import annotations

from typing import Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.vocabulary import CONTEXT_V1, CONTEXT_V2

_DATES: Final = ("validFrom", "validUntil")
_DATES_1: Final = ("issuanceDate", "expirationDate")


def is_version_1(document: JsonObject) -> bool:
    contexts = document.get("@context")
    return (contexts[0] if isinstance(contexts, list) and contexts else contexts) == CONTEXT_V1


def period_members(document: JsonObject) -> tuple[str, str]:
    """The names of the members for start and end of validity (A-085)."""
    return _DATES_1 if is_version_1(document) else _DATES


def in_version_2(document: JsonObject) -> JsonObject:
    """The document as the model reads it: itself, unless it is version 1.1.

    MalformedInput where it has dates of the other version (A-087), or lacks a member that only version 1.1
    requires.
    """
    if not is_version_1(document):
        _refuse(document, _DATES_1)
        return document
    _refuse(document, _DATES)
    if "name" not in document:
        raise MalformedInput("missing_member", "/name")
    if not isinstance(document.get("issuer"), dict):
        raise MalformedInput("wrong_type", "/issuer")
    if "issuanceDate" not in document:
        raise MalformedInput("missing_member", "/issuanceDate")
    return _renamed(document)


def _refuse(document: JsonObject, members: tuple[str, str]) -> None:
    for member in members:
        if member in document:
            raise MalformedInput("date_of_another_version", f"/{member}")


def _renamed(document: JsonObject) -> JsonObject:
    """Embedded endorsements are credentials of the same version."""
    is_credential = is_version_1(document)
    names = dict(zip(_DATES_1, _DATES, strict=True)) if is_credential else {}
    written = {names.get(name, name): _inside(value) for name, value in document.items()}
    contexts = written.get("@context")
    if is_credential and isinstance(contexts, list):
        written["@context"] = [CONTEXT_V2, *contexts[1:]]
    return written


def _inside(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return _renamed(value)
    return [_inside(item) for item in value] if isinstance(value, list) else value
