"""The picture of a badge: what is ordered from the artist, and the same said in words."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.badge_pictures import PictureOrder, kind_alone, picture_alternative
from app.domain.badges.badges import BadgeCompetency, BadgeVersion, version_year
from app.domain.campus.campus import Campus
from app.domain.frameworks.competencies import Competency, Framework
from app.language.sentences import Sentence

Attested = Sequence[tuple[BadgeCompetency, Competency, Framework]]


def picture_order(
    campus: Campus, version: BadgeVersion, competencies: Attested = (), *, address: str = "", code: str = ""
) -> PictureOrder:
    """A picture shows the level when the badge attests one competency, at one level; `code` is what to scan on it."""
    level, levels = None, None
    if len(competencies) == 1 and competencies[0][0].level is not None:
        level, levels = competencies[0][0].level, len(competencies[0][1].levels)
    return PictureOrder(
        kind=version.kind.value,
        title=version.name,
        campus_short_name=campus.short_name,
        year=str(version_year(version)),
        address=address,
        hue=campus.hue if version.hue is None else version.hue,
        liveliness=campus.liveliness if version.liveliness is None else version.liveliness,
        level=level,
        levels=levels,
        emblem=version.emblem,
        code=code,
    )


def kind_words(campus: Campus, version: BadgeVersion, competencies: Attested = ()) -> Sentence:
    """« Badge de compétence, niveau 2 sur 3 »."""
    kind, values = kind_alone(picture_order(campus, version, competencies))
    return Sentence(kind, values)


def picture_words(campus: Campus, version: BadgeVersion, competencies: Attested = ()) -> Sentence:
    """« Badge de compétence « … », niveau 2 sur 3, campus TI, 2026 », unless the campus wrote its own words."""
    if version.alternative:
        return Sentence("{text}", {"text": version.alternative})
    words, values = picture_alternative(picture_order(campus, version, competencies))
    return Sentence(words, values)
