"""Whether a document conforms to the badge standard. What it shares with others of its class is read once."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from typing import Final

import orjson

from sceau_credentials.errors import MalformedInput
from sceau_credentials.model.achievement import Achievement, OpenBadgeCredential, Profile
from sceau_credentials.model.value import OpenBadgesValue, refuse_null
from sceau_credentials.values import CONTEXT_V1, CONTEXT_V2, JsonObject, JsonValue, dump_exactly

_MOST_KEPT: Final = 256
_LONGEST: Final = 16 * 1024
_AN_ID: Final = "urn:x"
_PLAIN_ID: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-Z_a-z~]*", re.ASCII)  # narrower than an IRI
_EVIDENCE_TEXTS: Final = frozenset({"name", "description", "narrative", "genre", "audience"})
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PLACE: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)


def check_conforms(document: JsonObject) -> None:
    """MalformedInput with reason and pointer, exactly as `OpenBadgeCredential.from_document` raises it."""
    if _is_like_one_read(document):
        return
    refuse_null(document)
    OpenBadgeCredential.read(_with_parts_read(document))


def reads_back(document: JsonObject) -> bool:
    """Whether the model writes it unchanged; MalformedInput as `OpenBadgeCredential.from_document`."""
    written = dump_exactly(_without_own_words(document))
    if 0 < len(written) <= _LONGEST:
        with suppress(MalformedInput):  # the error is raised for the document itself
            return _writes_back(written)
    return OpenBadgeCredential.from_document(document).to_document() == document


def _is_like_one_read(document: JsonObject) -> bool:
    """Whether another document conforms that differs only in the holder's own values."""
    written = dump_exactly(_without_own_words(document))
    if not 0 < len(written) <= _LONGEST:
        return False
    try:
        _read_whole(written)
    except MalformedInput:
        return False  # the error is raised for the document itself
    return True


@lru_cache(maxsize=_MOST_KEPT)
def _read_whole(written: bytes) -> OpenBadgeCredential:
    """Cached by these very bytes; failures are not. The cached value is private to this module."""
    return OpenBadgeCredential.read(_with_parts_read(orjson.loads(written)))


@lru_cache(maxsize=_MOST_KEPT)
def _writes_back(written: bytes) -> bool:
    return bool(_read_whole(written).to_document() == orjson.loads(written))


def _without_own_words(document: JsonObject) -> JsonObject:
    """The document with fixed values in the slots of the holder's own values, where those are valid by
    themselves.

    These are: its id, the holder's id and name, the index in the status list, the digests of what it relates
    to, the texts of its evidence. A value of an unusual form stays, and is checked with the whole.
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
        del shared["relatedResource"]  # Open Badges has no requirement on it
    return shared


def _put_id(thing: JsonObject) -> None:
    written = thing.get("id")
    if isinstance(written, str) and _PLAIN_ID.fullmatch(written):
        thing["id"] = _AN_ID


def _without_texts(entry: JsonValue) -> JsonValue:
    """Any text is valid for these members of an evidence."""
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
    """Its id may not be that of the list, and is not where it ends with a number."""
    number, url = status.get("statusListIndex"), status.get("statusListCredential")
    if not isinstance(number, str) or not _PLACE.fullmatch(number) or status.get("id") != f"{url}#{number}":
        return status
    return status | {"id": f"{url}#0", "statusListIndex": "0"}


def _with_parts_read(document: JsonObject) -> dict[str, object]:
    """The document with parsed values for its JSON; parts that do not conform are left as they are."""
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
    """Cached by these very bytes; failures are not. The cached value is private to this module."""
    return cls.read(orjson.loads(written))


# --- A badge on version 1.1 of the W3C data model, converted to version 2: read, never written (a.13)

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
