"""The slots in which credentials of one badge differ: identifiers, status index, holder's name, evidence."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from sceau_credentials.canonical.tables import NotCovered
from sceau_credentials.canonical.templates import mark
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.timestamps import is_our_form

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_LAST: Final = 36  # characters of an identifier are its UUID
_ENDS_WITH_UUID: Final = re.compile(rf"[/:]{_UUID}", re.ASCII)
_PART_OF_A_PAGE: Final = re.compile(r"#[a-z]{1,20}", re.ASCII)
_DIGEST: Final = re.compile(r"[A-Za-z0-9_-]{40,120}", re.ASCII)
_DATES: Final = ("validFrom", "validUntil", "awardedDate")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}", re.ASCII)
# Letters of European languages and the punctuation of their texts: no character that reverses, hides or
# combines, no markup, no e-mail address. Texts with any other character go through every lint.
_EASY: Final = re.compile(
    r"(?=\S)[\n\t\x20-\x3b=?A-~\u00a0-\u00ac\u00ae-\u02ff\u0391-\u03a9\u03b1-\u03c9\u0410-\u044f"
    r"\u2013\u2014\u2018\u2019\u201c\u201d\u2026\u202f]{1,300}"
)
_NAMES: Final = frozenset({"name", "identityHash"})  # on one line
_FEW_CHARACTERS: Final = 2_000
_RETIRED: Final = "1EdTechRevocationList"  # a term that is rejected anywhere


@dataclass
class Slotted:
    """A credential split into what it shares with others (with marks in it), and its own values."""

    marked: JsonObject
    values: list[str] = field(default_factory=list)
    marks: int = 0
    dates: int = 0
    """How many of the values, the last ones, are dates."""
    is_easy: bool = True
    """Whether no lint could find in these values what it does not find in those of another such credential.
    """

    def take_end(self, owner: JsonObject, member: str, prefix: str, value: str, suffix: str = "") -> None:
        owner[member] = prefix + mark(len(self.values)) + suffix
        self.values.append(value)
        self.marks += 1

    def take_text(self, owner: JsonObject, member: str) -> None:
        text = owner[member]
        if not isinstance(text, str):
            raise NotCovered
        is_easy = _EASY.fullmatch(text) is not None and text != _RETIRED
        is_line = member not in _NAMES or ("\n" not in text and "\t" not in text)
        self.is_easy = self.is_easy and is_easy and is_line
        self.take_end(owner, member, "", text)


def extract(document: JsonObject) -> Slotted:
    """NotCovered for a document that is not structured like the badges issued here.

    Only the end of an identifier varies, so that scheme, host and status list stay in the shared part.
    """
    placed = Slotted(dict(document))
    marked = placed.marked
    subject = marked["credentialSubject"] = _copy(marked.get("credentialSubject"))
    for owner in (marked, subject):
        placed.take_end(owner, "id", *_split_uuid(owner.get("id")))
    if "credentialStatus" in marked:
        marked["credentialStatus"] = _take_index(placed, _copy(marked["credentialStatus"]))
    if "identifier" in subject:
        subject["identifier"] = [_take_name(placed, each) for each in _list(subject["identifier"])]
    if "evidence" in marked:
        marked["evidence"] = [_take_evidence(placed, each) for each in _list(marked["evidence"])]
    if "relatedResource" in marked:
        marked["relatedResource"] = [
            _take_resource(placed, each) for each in _list(marked["relatedResource"])
        ]
    placed.is_easy = placed.is_easy and sum(map(len, placed.values)) <= _FEW_CHARACTERS
    return placed


def take_apart_with_dates(document: JsonObject) -> Slotted:
    """As `extract`, for credentials of one badge issued at different times."""
    placed = extract(document)
    for member in _DATES:
        date = document.get(member)
        if isinstance(date, str) and is_our_form(date):
            placed.take_end(placed.marked, member, "", date)
            placed.dates += 1
    return placed


def _take_index(placed: Slotted, status: JsonObject) -> JsonObject:
    index, url = status.get("statusListIndex"), status.get("statusListCredential")
    if not isinstance(index, str) or not _INDEX.fullmatch(index) or status.get("id") != f"{url}#{index}":
        raise NotCovered
    status["statusListIndex"] = mark(len(placed.values))
    placed.marks += 1
    placed.take_end(status, "id", f"{url}#", index)
    return status


def _take_name(placed: Slotted, entry: JsonValue) -> JsonObject:
    identifier = _copy(entry)
    if identifier.get("hashed") is False and "identityHash" in identifier:
        placed.take_text(identifier, "identityHash")
    return identifier


def _take_evidence(placed: Slotted, entry: JsonValue) -> JsonObject:
    evidence = _copy(entry)
    identifier = evidence.get("id")
    if isinstance(identifier, str):
        page, sign, part = identifier.partition("#")
        if _PART_OF_A_PAGE.fullmatch(sign + part) and _ends_with_uuid(page):
            placed.take_end(evidence, "id", *_split_uuid(page), sign + part)
    if "narrative" in evidence:
        placed.take_text(evidence, "narrative")
    return evidence


def _take_resource(placed: Slotted, entry: JsonValue) -> JsonObject:
    resource = _copy(entry)
    digest = resource.get("digestMultibase")
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise NotCovered
    placed.take_end(resource, "id", *_split_uuid(resource.get("id")))
    placed.take_end(resource, "digestMultibase", "", digest)
    return resource


def _copy(value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise NotCovered
    return dict(value)


def _list(value: JsonValue) -> list[JsonValue]:
    if not isinstance(value, list):
        raise NotCovered
    return value


def _split_uuid(identifier: JsonValue) -> tuple[str, str]:
    if not isinstance(identifier, str) or not _ends_with_uuid(identifier):
        raise NotCovered
    return identifier[:-_LAST], identifier[-_LAST:]


def _ends_with_uuid(identifier: str) -> bool:
    return _ENDS_WITH_UUID.fullmatch(identifier, max(0, len(identifier) - _LAST - 1)) is not None
