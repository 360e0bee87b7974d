"""What an award rests on in the activity log, and how much of it its holder shows."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from app.domain.columns import moment, part_of, points_to, word_of, words

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


class EvidenceDisclosure(SQLModel, table=True):
    """What a holder chose for one line of an award; where they chose nothing, a summary is shown."""

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
