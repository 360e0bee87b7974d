"""What an award rests on in the activity log, and how much of it its holder shows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from app.domain.core.columns import moment, part_of, points_to, word_of, words

CONTEXT_PATH: Final = "/contextes/preuves-v1.jsonld"
SCHEMA_PATH: Final = "/schemas/preuves-v1.json"


class AwardEvidence(SQLModel, table=True):
    """The lines of the log that prove an award, as its credential names them by `digest`.

    The document itself is written anew whenever it is asked for: log and checkpoint give the same bytes for ever.
    """

    __tablename__ = "award_evidence"
    award_id: uuid.UUID = Field(sa_column=part_of("award"))
    log_id: uuid.UUID = Field(sa_column=points_to("campus_log", index=False))
    size: int = Field(sa_type=BigInteger)
    decision: int = Field(sa_type=BigInteger)
    entries: list[int] = Field(sa_column=words())
    digest: str = Field(max_length=80)


class Shown(StrEnum):
    """How much of one line its holder shows."""

    ALL = "all"
    SUMMARY = "summary"
    EXISTENCE = "existence"


_RANK: Final = {Shown.EXISTENCE: 0, Shown.SUMMARY: 1, Shown.ALL: 2}


def least_shown(*levels: Shown) -> Shown:
    """The most private of these levels."""
    return min(levels, key=_RANK.__getitem__)


@dataclass(frozen=True)
class Disclosed:
    """How much of each part of an award its signed documents contain.

    Where the holder chose nothing, a summary: the part, the hours and the dates, without any free text.
    """

    activity: Shown = Shown.SUMMARY
    grounds: Shown = Shown.SUMMARY
    assessment: Shown = Shown.SUMMARY

    @staticmethod
    def uniform(shown: Shown) -> Disclosed:
        return Disclosed(shown, shown, shown)


@dataclass(frozen=True)
class DisclosureBounds:
    """What the lines of one award show where nothing was chosen, and the most that may be chosen."""

    default: Shown = Shown.SUMMARY
    most: Shown = Shown.ALL

    def apply(self, chosen: Shown | None) -> Shown:
        return self.default if chosen is None else least_shown(chosen, self.most)


OF_ADULTS: Final = DisclosureBounds()
OF_MINORS: Final = DisclosureBounds(default=Shown.EXISTENCE, most=Shown.SUMMARY)
"""Titles, addresses and comments name a class or a school, which is never public for a minor."""


def bounds_for(*, is_minor: bool) -> DisclosureBounds:
    return OF_MINORS if is_minor else OF_ADULTS


class EvidenceDisclosure(SQLModel, table=True):
    """What a holder chose for one line of an award; `DisclosureBounds` has the level where nothing was chosen."""

    __tablename__ = "evidence_disclosure"
    award_id: uuid.UUID = Field(sa_column=part_of("award"))
    number: int = Field(primary_key=True, sa_type=BigInteger)
    shown: Shown = Field(sa_column=word_of(Shown, name="evidence_shown"))
    set_at: datetime = Field(sa_column=moment())


NEVER_SHOWN: Final = frozenset({"person", "by", "corrects", "reason"})
"""Whose line it is says the decision; who else had a part in it is nobody's business."""
_SUMMARY: Final = frozenset(
    {
        "activityKind",
        "startsOn",
        "endsOn",
        "minutes",
        "part",
        "present",
        "badge",
        "kind",
        "confirmed",
        "mediaType",
        "contentDigest",
        "removed",
    }
)


def fields_shown(facts: Mapping[str, Any], shown: Shown) -> frozenset[str]:
    """Which fields of a line are opened to whoever reads the award."""
    match shown:
        case Shown.ALL:
            return frozenset(facts) - NEVER_SHOWN
        case Shown.SUMMARY:
            return frozenset(facts) & _SUMMARY
        case Shown.EXISTENCE:
            return frozenset()
