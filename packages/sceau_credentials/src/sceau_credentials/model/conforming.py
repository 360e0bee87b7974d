"""Whether a document is a badge as the standard has it. What it shares with others of its class is read once."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Final

import orjson

from sceau_credentials.errors import MalformedInput
from sceau_credentials.model.achievement import Achievement
from sceau_credentials.model.award import OpenBadgeCredential
from sceau_credentials.model.endorsement import Profile
from sceau_credentials.model.value import OpenBadgesValue, refuse_null
from sceau_credentials.values.json_text import JsonObject, JsonValue, dump_exactly

_MOST_KEPT: Final = 256
_LONGEST: Final = 16 * 1024
_AN_ID: Final = "urn:x"
_PLAIN_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z_a-z~]*", re.ASCII)  # narrower than an IRI
_EVIDENCE_TEXTS: Final = frozenset({"name", "description", "narrative", "genre", "audience"})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PLACE: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def check_conforms(document: JsonObject) -> None:
    """MalformedInput says what is wrong and where, exactly as `OpenBadgeCredential.from_document` does."""
    if _is_like_one_read(document):
        return
    refuse_null(document)
    OpenBadgeCredential.read(_with_parts_read(document))


def reads_back(document: JsonObject) -> bool:
    """Whether the model writes it as it is; MalformedInput where `OpenBadgeCredential.from_document` raises it."""
    written = dump_exactly(_without_own_words(document))
    if 0 < len(written) <= _LONGEST:
        with suppress(MalformedInput):  # where it is wrong is said of the document itself
            return _writes_back(written)
    return OpenBadgeCredential.from_document(document).to_document() == document


def _is_like_one_read(document: JsonObject) -> bool:
    """Whether it conforms because another does that differs only in what a holder has of their own."""
    written = dump_exactly(_without_own_words(document))
    if not 0 < len(written) <= _LONGEST:
        return False
    try:
        _read_whole(written)
    except MalformedInput:
        return False  # where it is wrong is said of the document itself
    return True


@lru_cache(maxsize=_MOST_KEPT)
def _read_whole(written: bytes) -> OpenBadgeCredential:
    """Kept for these very bytes; what is refused is not kept. Nothing that is kept is ever given away."""
    return OpenBadgeCredential.read(_with_parts_read(orjson.loads(written)))


@lru_cache(maxsize=_MOST_KEPT)
def _writes_back(written: bytes) -> bool:
    return bool(_read_whole(written).to_document() == orjson.loads(written))


def _without_own_words(document: JsonObject) -> JsonObject:
    """The document with the same words wherever a holder's own stand that are good by themselves.

    Nothing else in a badge is held against these: its id, the holder's id and name, the number of its place in the
    status list, the digests of what it relates to, the texts of its evidence. A word of an unusual form stays, and is
    judged with the whole.
    """
    shared = dict(document)
    _put_id(shared)
    subject, status = document.get("credentialSubject"), document.get("credentialStatus")
    evidence = document.get("evidence")
    if isinstance(subject, dict):
        shared["credentialSubject"] = own = dict(subject)
        _put_id(own)
        named = subject.get("identifier")
        if isinstance(named, list):
            own["identifier"] = [_without_name(each) for each in named]
    if isinstance(status, dict):
        shared["credentialStatus"] = _without_number(status)
    if isinstance(evidence, list):
        shared["evidence"] = [_without_texts(each) for each in evidence]
    if dump_exactly(document.get("relatedResource")):
        del shared["relatedResource"]  # Open Badges asks nothing of it
    return shared


def _put_id(thing: JsonObject) -> None:
    written = thing.get("id")
    if isinstance(written, str) and _PLAIN_ID.fullmatch(written):
        thing["id"] = _AN_ID


def _without_texts(entry: JsonValue) -> JsonValue:
    """Any text will do for these members of an evidence."""
    if not isinstance(entry, dict):
        return entry
    evidence = dict(entry)
    _put_id(evidence)
    for member in _EVIDENCE_TEXTS & evidence.keys():
        text = evidence[member]
        if isinstance(text, str) and (text.isprintable() or not _SURROGATE.search(text)):
            evidence[member] = ""
    return evidence


def _without_name(entry: JsonValue) -> JsonValue:
    if not isinstance(entry, dict) or entry.get("hashed") is not False:
        return entry
    name = entry.get("identityHash")
    return entry | {"identityHash": ""} if isinstance(name, str) and name.isprintable() else entry


def _without_number(status: JsonObject) -> JsonObject:
    """Its id may not be that of the list, and is none with a number behind it."""
    number, url = status.get("statusListIndex"), status.get("statusListCredential")
    if not isinstance(number, str) or not _PLACE.fullmatch(number) or status.get("id") != f"{url}#{number}":
        return status
    return status | {"id": f"{url}#0", "statusListIndex": "0"}


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
