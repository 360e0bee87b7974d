"""The picture of a badge said in words, for those who do not see it."""

from __future__ import annotations

from collections.abc import Sequence

from app.adapters.badge_pictures import PictureOrder, picture_alternative
from app.domain.badges import BadgeCompetency, BadgeVersion, version_year
from app.domain.campus import Campus
from app.domain.competencies import Competency, Framework
from app.services.verdicts import Sentence


def picture_words(
    campus: Campus,
    version: BadgeVersion,
    competencies: Sequence[tuple[BadgeCompetency, Competency, Framework]] = (),
) -> Sentence:
    """« Badge de compétence « … », niveau 2 sur 3, campus TI, 2026 »."""
    level, levels = None, None
    if len(competencies) == 1 and competencies[0][0].level is not None:
        level, levels = competencies[0][0].level, len(competencies[0][1].levels)
    order = PictureOrder(
        kind=version.kind.value,
        title=version.name,
        campus_short_name=campus.short_name,
        year=str(version_year(version)),
        address="",
        hue=campus.hue,
        liveliness=campus.liveliness,
        level=level,
        levels=levels,
    )
    words, values = picture_alternative(order)
    return Sentence(words, values)
