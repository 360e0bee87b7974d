"""What the activity log keeps of contributions and of the pieces that go with them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from app.domain.activities.activities import Activity
from app.domain.activities.files import StoredFile
from app.domain.activity_log.activity_log import EntryKind, Fact, minutes_of
from app.domain.learners.contributions import Contribution, ContributionState

CONTRIBUTION: Final = "contribution"
ARTEFACT: Final = "artefact"
_LINKS: Final = uuid.UUID("6a3f2f0e-5a0b-4a57-9c2f-6a8a1d6f5b10")


def contribution_fact(
    contribution: Contribution, activity: Activity | None, *, corrects: int | None = None, reason: str = ""
) -> Fact:
    """As a trainer confirmed it; a correction says all of it anew, and which entry it takes the place of."""
    facts: dict[str, Any] = {
        "title": contribution.title,
        "contribution": contribution.telling,
        "startsOn": contribution.done_on.isoformat(),
        "endsOn": contribution.done_on.isoformat(),
        "minutes": minutes_of(contribution.hours),
        "part": contribution.part.value,
        "confirmed": contribution.state is ContributionState.CONFIRMED,
        "by": str(contribution.decided_by or ""),
        "person": str(contribution.person_id),
    }
    if activity is not None:
        facts |= {"activity": activity.title, "activityKind": activity.kind.value}
    if corrects is not None:
        facts |= {"corrects": corrects, "reason": reason}
    return Fact(EntryKind.CONTRIBUTION, CONTRIBUTION, contribution.id, facts, contribution.person_id)


def file_fact(file: StoredFile, **more: Any) -> Fact:
    """A file by the digest of its bytes; `more` says what it belongs to."""
    return Fact(
        EntryKind.CONTRIBUTION,
        ARTEFACT,
        file.id,
        {**_told_of(file), **more, **({"person": str(file.person_id)} if file.person_id else {})},
        file.person_id,
    )


def removal_fact(file: StoredFile, *, corrects: int, reason: str) -> Fact:
    """That it is no longer kept; the digest stays, so that a copy elsewhere can still be told."""
    return Fact(
        EntryKind.CONTRIBUTION,
        ARTEFACT,
        file.id,
        {
            "contentDigest": file.digest,
            "mediaType": file.media_type,
            "removed": True,
            "corrects": corrects,
            "reason": reason,
        },
        file.person_id,
    )


def link_fact(contribution: Contribution, link: str) -> Fact:
    """As text: nobody looked behind it."""
    return Fact(
        EntryKind.CONTRIBUTION,
        ARTEFACT,
        link_id(contribution, link),
        {"link": link, "person": str(contribution.person_id)},
        contribution.person_id,
    )


def link_id(contribution: Contribution, link: str) -> uuid.UUID:
    return uuid.uuid5(_LINKS, f"{contribution.id} {link}")


def is_artefact(facts: Mapping[str, object]) -> bool:
    return "contentDigest" in facts or "link" in facts


def _told_of(file: StoredFile) -> dict[str, Any]:
    return {
        "artefact": file.name,
        "words": file.words,
        "mediaType": file.media_type,
        "bytes": file.size,
        "contentDigest": file.digest,
    }
