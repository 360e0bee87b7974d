"""Is it written in known words, and in the shape the standard demands?"""

from __future__ import annotations

import re
from typing import Final

import orjson

from sceau_credentials.errors import MalformedInput
from sceau_credentials.model.conforming import check_conforms
from sceau_credentials.model.version_1 import in_version_2
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.vocabulary import (
    CONTEXT_OB_3_0_3,
    CONTEXT_V1,
    CONTEXT_V2,
    allowed_context_array,
    known_context_urls,
    known_schema_urls,
)
from sceau_credentials.verification.findings.reasons import Reason, found
from sceau_credentials.verification.report import CheckResult

_OB_CONTEXT: Final = re.compile(
    r"https://purl\.imsglobal\.org/spec/ob/v3p0/context(-3\.\d\.\d)*\.json"
)
_SCHEMA_TYPE: Final = "1EdTechJsonSchemaValidator2019"


def context(document: JsonObject, *, holds_one: bool = False) -> CheckResult:
    """Order counts even where no JSON-LD is processed (A-014); words are never redefined inside (M1).

    `holds_one`: it is known that nothing inside brings its own words.
    """
    contexts = document.get("@context")
    if not isinstance(contexts, list) or len(contexts) < 2:
        return found(Reason.CONTEXT_ORDER)
    second = contexts[1]
    if (
        contexts[0] not in (CONTEXT_V2, CONTEXT_V1)
        or not isinstance(second, str)
        or not _is_open_badges(second)
    ):
        return found(Reason.CONTEXT_ORDER)
    if not all(isinstance(each, str) for each in contexts):
        return found(Reason.CONTEXT_NOT_ALLOWED)
    nested = None if holds_one or not _may_hold_context(document) else _nested_context(document)
    if nested is not None:
        return found(Reason.CONTEXT_NOT_ALLOWED, pointer=nested)
    unknown = [str(each) for each in contexts if each not in known_context_urls()]
    if unknown:
        return found(Reason.CONTEXT_NOT_HELD, url=unknown[0][:500])
    if not allowed_context_array(contexts):
        return found(Reason.CONTEXT_NOT_ALLOWED)
    return found(Reason.CONTEXT_KNOWN)


def _is_open_badges(url: str) -> bool:
    return url == CONTEXT_OB_3_0_3 or _OB_CONTEXT.fullmatch(url) is not None


def _may_hold_context(document: JsonObject) -> bool:
    """Whether anything below the root may bring its own @context: the written text knows sooner than a walk."""
    try:
        return orjson.dumps(document).count(b'"@context":') > 1
    except TypeError:
        return True


def _nested_context(document: JsonObject) -> str | None:
    """Where an inner object brings its own @context; an embedded endorsement may repeat known ones (A-078)."""
    waiting: list[tuple[str, JsonValue]] = [(f"/{name}", value) for name, value in document.items()]
    while waiting:
        pointer, value = waiting.pop()
        if isinstance(value, dict):
            if "@context" in value and not _is_endorsement(value):
                return pointer
            waiting += [(f"{pointer}/{name}", each) for name, each in value.items()]
        elif isinstance(value, list):
            waiting += [(f"{pointer}/{index}", each) for index, each in enumerate(value)]
    return None


def _is_endorsement(value: JsonObject) -> bool:
    types, contexts = value.get("type"), value.get("@context")
    named = isinstance(types, list) and "EndorsementCredential" in types
    return named and isinstance(contexts, list) and allowed_context_array(contexts)


def schema(document: JsonObject) -> CheckResult:
    """Our model demands what the published schema does, and the rules no schema can say (I-007, I-008)."""
    try:
        check_conforms(in_version_2(document))
    except MalformedInput as error:
        return found(Reason.SCHEMA_VIOLATION, cause=error.reason, pointer=error.pointer)
    for url in _schemas_to_obey(document):
        if url not in known_schema_urls():
            return found(Reason.SCHEMA_NOT_HELD, url=url[:500])
    return found(Reason.SCHEMA_CONFORMS)


def _schemas_to_obey(document: JsonObject) -> list[str]:
    """C-002: schemas of this one type must be obeyed; others bind nobody (I-006)."""
    named = document.get("credentialSchema")
    entries = named if isinstance(named, list) else [named]
    return [
        str(entry.get("id"))
        for entry in entries
        if isinstance(entry, dict) and entry.get("type") == _SCHEMA_TYPE
    ]
