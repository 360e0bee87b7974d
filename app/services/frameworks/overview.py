"""Which competencies a person's badges attest, at which level, on the strength of which badges and hours."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from app.db.awards.awards import AwardRecord
from app.domain.frameworks.competencies import Competency, Framework
from app.services.badges.pictures import Attested


@dataclass(frozen=True)
class Mastered:
    """`level` is the highest that any of the badges attests, None where none names one.

    `hours` counts an activity once, however many badges rest on it; None where no hours were noted.
    """

    competency: Competency
    framework: Framework
    level: int | None
    records: Sequence[AwardRecord]
    hours: float | None


def overview_of(awards: Iterable[tuple[AwardRecord, Attested, float | None]]) -> list[Mastered]:
    """In the order in which the competencies first appear; with each award the hours that its holder shows."""
    found: dict[uuid.UUID, list[tuple[AwardRecord, int | None]]] = {}
    hours: dict[uuid.UUID, float] = {}
    known: dict[uuid.UUID, tuple[Competency, Framework]] = {}
    for record, attested, shown in awards:
        if shown is not None:
            hours[record.award.id] = shown
        for link, competency, framework in attested:
            known[competency.id] = competency, framework
            found.setdefault(competency.id, []).append((record, link.level))
    return [_mastered(*known[key], rests, hours) for key, rests in found.items()]


def _mastered(
    competency: Competency,
    framework: Framework,
    rests: Sequence[tuple[AwardRecord, int | None]],
    hours: Mapping[uuid.UUID, float],
) -> Mastered:
    levels = [level for _, level in rests if level is not None]
    return Mastered(
        competency,
        framework,
        max(levels, default=None),
        [record for record, _ in rests],
        _hours([record for record, _ in rests], hours),
    )


def _hours(records: Sequence[AwardRecord], hours: Mapping[uuid.UUID, float]) -> float | None:
    noted = {
        record.award.activity_id or record.award.id: hours[record.award.id]
        for record in records
        if record.award.id in hours
    }
    return sum(noted.values()) if noted else None
