"""What a badge says of itself, read out of its document: whatever shape that has, and as plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.badges.badges import Kind
from app.domain.people.names import name_said_of
from app.language.sentences import plain
from sceau_credentials.errors import MalformedInput
from sceau_credentials.model.version_1 import period_members
from sceau_credentials.values.json_text import JsonObject, JsonValue
from sceau_credentials.values.timestamps import parse_timestamp

_LONGEST_TEXT: Final = 8000
_MOST_ITEMS: Final = 50
_KINDS: Final = {kind.value: kind for kind in Kind}


@dataclass(frozen=True)
class AlignedTo:
    name: str
    framework: str
    code: str
    level: str
    url: str


@dataclass(frozen=True)
class EvidencePiece:
    name: str
    narrative: str
    url: str


@dataclass(frozen=True)
class Outcome:
    """A result, such as a mark, with the scale it stands on where the badge says it."""

    name: str
    value: str
    scale: str


@dataclass(frozen=True)
class Claims:
    """Every text is plain and short enough to show; links are https or http, else empty."""

    holder: str
    title: str
    description: str
    kind: Kind | None
    criteria: str
    criteria_url: str
    issuer_name: str
    issuer_url: str
    awarded_at: datetime | None
    valid_until: datetime | None
    activity_starts: datetime | None
    activity_ends: datetime | None
    version: str
    language: str
    alignments: Sequence[AlignedTo]
    evidence: Sequence[EvidencePiece]
    results: Sequence[Outcome]


def holder_in(document: JsonObject) -> str:
    """`claims_of(document).holder`, alone."""
    if "badge" in document:
        return ""
    return plain(name_said_of(_object(document.get("credentialSubject"))) or "", 120)


def claims_of(document: JsonObject) -> Claims:
    if "badge" in document:
        return _older_claims_of(document)
    subject = _object(document.get("credentialSubject"))
    achievement = _object(subject.get("achievement"))
    criteria = _object(achievement.get("criteria"))
    issuer = _object(document.get("issuer"))
    starts, ends = period_members(document)
    return Claims(
        holder=holder_in(document),
        title=_line(achievement.get("name")) or _line(document.get("name")),
        description=_text(achievement.get("description")),
        kind=_kind(achievement),
        criteria=_text(criteria.get("narrative")),
        criteria_url=_link(criteria.get("id")),
        issuer_name=_line(issuer.get("name")),
        issuer_url=_link(issuer.get("url")),
        awarded_at=_moment(document.get("awardedDate")) or _moment(document.get(starts)),
        valid_until=_moment(document.get(ends)),
        activity_starts=_moment(subject.get("activityStartDate")),
        activity_ends=_moment(subject.get("activityEndDate")),
        version=_line(achievement.get("version")),
        language=_line(achievement.get("inLanguage")),
        alignments=[_alignment(each) for each in _objects(achievement.get("alignment"))],
        evidence=[_evidence(each) for each in _objects(document.get("evidence"))],
        results=_results(subject, achievement),
    )


def _older_claims_of(document: JsonObject) -> Claims:
    """An assertion of Open Badges 2.0 or 1.x with its badge class and issuer inside it."""
    badge = _object(document.get("badge"))
    criteria = _object(badge.get("criteria"))
    issuer = _object(badge.get("issuer"))
    evidence = _objects(document.get("evidence")) or [
        {"id": each} for each in _list(document.get("evidence"))
    ]
    return Claims(
        holder="",
        title=_line(badge.get("name")),
        description=_text(badge.get("description")),
        kind=None,
        criteria=_text(criteria.get("narrative")),
        criteria_url=_link(criteria.get("id")) or _link(badge.get("criteria")),
        issuer_name=_line(issuer.get("name")),
        issuer_url=_link(issuer.get("url")),
        awarded_at=_moment(document.get("issuedOn")),
        valid_until=_moment(document.get("expires")),
        activity_starts=None,
        activity_ends=None,
        version=_line(badge.get("version")),
        language=_line(badge.get("@language")),
        alignments=[_alignment(each) for each in _objects(badge.get("alignment"))],
        evidence=[_evidence(each) for each in evidence],
        results=[],
    )


def _kind(achievement: JsonObject) -> Kind | None:
    """Our own badges carry their kind as a tag, inside what is signed."""
    tags = achievement.get("tag")
    found = [
        _KINDS[tag]
        for tag in (tags if isinstance(tags, list) else [])
        if isinstance(tag, str) and tag in _KINDS
    ]
    return found[-1] if found else None


def _alignment(each: JsonObject) -> AlignedTo:
    return AlignedTo(
        name=_line(each.get("targetName")),
        framework=_line(each.get("targetFramework")),
        code=_line(each.get("targetCode")),
        level=_line(each.get("targetDescription")),
        url=_link(each.get("targetUrl")),
    )


def _evidence(each: JsonObject) -> EvidencePiece:
    return EvidencePiece(
        name=_line(each.get("name")) or _line(each.get("genre")),
        narrative=_text(each.get("narrative")) or _text(each.get("description")),
        url=_link(each.get("id")),
    )


def _results(subject: JsonObject, achievement: JsonObject) -> list[Outcome]:
    described = {str(each.get("id")): each for each in _objects(achievement.get("resultDescription"))}
    found = []
    for each in _objects(subject.get("result")):
        about = described.get(str(each.get("resultDescription")), {})
        most = _line(about.get("valueMax"))
        value = _line(each.get("value")) or _line(each.get("status"))
        if value:
            found.append(Outcome(_line(about.get("name")), value, most))
    return found


def _object(value: JsonValue) -> JsonObject:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[JsonObject]:
    return [each for each in _list(value) if isinstance(each, dict)]


def _list(value: JsonValue) -> list[JsonValue]:
    return value[:_MOST_ITEMS] if isinstance(value, list) else [value]


def _line(value: JsonValue) -> str:
    return plain(value, 300) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def _text(value: JsonValue) -> str:
    """A text of several lines, each of them plain."""
    if not isinstance(value, str):
        return ""
    return "\n".join(plain(line, 2000, keep_indent=True) for line in value[:_LONGEST_TEXT].splitlines())


def _link(value: JsonValue) -> str:
    is_link = isinstance(value, str) and value.startswith(("https://", "http://")) and len(value) <= 2000
    return plain(value, 2000) if is_link else ""


def _moment(value: JsonValue) -> datetime | None:
    try:
        return parse_timestamp(value)
    except MalformedInput:
        return None
