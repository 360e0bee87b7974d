"""What pages show of a badge, read out of a document that was verified just now."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from app.domain.badges.badges import Badge, BadgeVersion, Kind
from app.http.pages.typography import say
from app.http.pages.wording import DEFAULT_ZONE, day
from app.http.pages.words import BADGE_KINDS
from app.language import N_
from app.services.verification.verdicts import Claims

_HOW_JUDGED: Final = re.compile(
    r"\*\*\s*(?:Comment c[’']est jugé|How it is judged)\s*\.?\s*\*\*\s*(?P<how>.+?)(?:\n\s*\n|\Z)", re.DOTALL
)
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_EMPHASIS: Final = re.compile(r"[*_`]")
_LONGEST_HOW: Final = 160
_UNJUDGED = {
    Kind.BELONGING: N_("Sans épreuve : il dit que la personne fait partie du campus"),
    Kind.PARTICIPATION: N_("Sans épreuve : il dit que la personne était là"),
}
_LEVEL = N_("Niveau : {level}.")
_JUDGED = N_("Sur les critères publiés, par une personne du campus")
_JUDGED_ELSEWHERE = N_("Sur les critères que l’émetteur publie")


@dataclass(frozen=True)
class Moment:
    """One entry of what the badge rests on, in order of time; `key` for the award itself."""

    when: str
    title: str
    text: str
    link: str = ""
    key: bool = False


@dataclass(frozen=True)
class Mastery:
    """A competency the badge attests."""

    name: str
    beside: str
    link: str


@dataclass(frozen=True)
class BadgePieces:
    title: str
    kind: str
    holder: str
    description: str
    judged: str
    criteria: str
    competencies: Sequence[Mastery]
    evidence: Sequence[Moment]
    results: Sequence[tuple[str, str]]
    awarded: str
    version: str
    language: str
    """In which the badge is written, so that screen readers speak it; empty when it does not say."""


def pieces_of(claims: Claims, *, is_ours: bool, zone: str = DEFAULT_ZONE, base_url: str = "") -> BadgePieces:
    return BadgePieces(
        title=claims.title,
        kind=_kind_words(claims) if is_ours else say(N_("Badge ouvert")),
        holder=claims.holder,
        description=claims.description,
        judged=how_judged(claims, is_ours=is_ours),
        criteria=claims.criteria,
        competencies=[
            Mastery(each.name, _beside(each.framework, each.code, each.level), _own(each.url, base_url))
            for each in claims.alignments
        ],
        evidence=_evidence(claims, zone),
        results=[
            (each.name, f"{each.value} / {each.scale}" if each.scale else each.value)
            for each in claims.results
        ],
        awarded=day(claims.awarded_at, zone) if claims.awarded_at else "",
        version=claims.version,
        language=claims.language if _LANGUAGE.fullmatch(claims.language) else "",
    )


def _kind_words(claims: Claims) -> str:
    kind = say(BADGE_KINDS[claims.kind]) if claims.kind else say(N_("Badge"))
    levels = [each.level for each in claims.alignments if each.level]
    if len(levels) != 1:
        return kind
    return say(N_("{kind}, niveau : {level}")).format(kind=kind, level=levels[0])


def how_judged(claims: Claims, *, is_ours: bool) -> str:
    """What the criteria themselves say of the judging, in a sentence or two; else what the kind says."""
    if not is_ours:
        return say(_JUDGED_ELSEWHERE)
    told = _HOW_JUDGED.search(claims.criteria)
    if told is None:
        return say(_UNJUDGED.get(claims.kind, _JUDGED) if claims.kind else _JUDGED)
    sentences = _SENTENCE_END.split(" ".join(_EMPHASIS.sub("", told["how"]).split()))
    how = sentences[0]
    if len(sentences) > 1 and len(how) + len(sentences[1]) < _LONGEST_HOW:
        how = f"{how} {sentences[1]}"
    return how


def _beside(framework: str, code: str, level: str) -> str:
    named = " · ".join(part for part in (framework, code) if part)
    reached = say(_LEVEL).format(level=level) if level else ""
    return f"{reached} {named}".strip()


def _own(url: str, base_url: str) -> str:
    """Links in a badge are followed only inside this service: anywhere else its writer would choose the way."""
    return url if base_url and url.startswith(base_url + "/") else ""


def _evidence(claims: Claims, zone: str) -> list[Moment]:
    found = []
    for position, each in enumerate(claims.evidence):
        when = _period(claims.activity_starts, claims.activity_ends, zone) if position == 0 else ""
        found.append(Moment(when, each.name, each.narrative))
    if claims.awarded_at is not None:
        found.append(Moment(day(claims.awarded_at, zone), say(N_("Attribution décidée")), "", key=True))
    return found


def _period(starts: datetime | None, ends: datetime | None, zone: str) -> str:
    if starts is None:
        return ""
    first = day(starts, zone)
    last = day(ends, zone) if ends else first
    if first == last:
        return first
    return say(N_("Du {first} au {last}")).format(first=first, last=last)


def picture_of(badge: Badge, version: BadgeVersion) -> str:
    return f"/badges/{badge.id}/v{version.number}/image.svg"
