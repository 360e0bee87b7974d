"""Whether a document is a badge as the standard has it. Its achievement and issuer, as others have them too, are read once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import orjson

from app.credentials.errors import MalformedInput
from app.credentials.json_text import JsonObject, JsonValue, dump_exactly
from app.credentials.model.achievement import Achievement
from app.credentials.model.award import OpenBadgeCredential
from app.credentials.model.endorsement import Profile
from app.credentials.model.value import OpenBadgesValue, refuse_null

_MOST_KEPT: Final = 256
_LONGEST: Final = 16 * 1024


def check_conforms(document: JsonObject) -> None:
    """MalformedInput says what is wrong and where, exactly as `OpenBadgeCredential.from_document` does."""
    refuse_null(document)
    OpenBadgeCredential.read(_with_parts_read(document))


def _with_parts_read(document: JsonObject) -> dict[str, object]:
    """The document with values in place of the JSON they were read from; what does not conform stays for the whole to judge."""
    members: dict[str, object] = dict(document)
    if "issuer" in document:
        members["issuer"] = _part(Profile, document["issuer"])
    subject = document.get("credentialSubject")
    if isinstance(subject, dict) and "achievement" in subject:
        members["credentialSubject"] = subject | {"achievement": _part(Achievement, subject["achievement"])}
    return members


def _part(cls: type[OpenBadgesValue], value: JsonValue) -> object:
    written = dump_exactly(value) if isinstance(value, dict) else b""
    if not 0 < len(written) <= _LONGEST:
        return value
    try:
        return _read(cls, written)
    except MalformedInput:
        return value


@lru_cache(maxsize=_MOST_KEPT)
def _read(cls: type[OpenBadgesValue], written: bytes) -> OpenBadgesValue:
    """Kept for these very bytes; what is refused is not kept. Nothing that is kept is ever given away."""
    return cls.read(orjson.loads(written))
