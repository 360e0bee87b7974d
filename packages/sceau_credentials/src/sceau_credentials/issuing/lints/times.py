"""Lints on moments: stated to the second, in UTC, and in an order that makes sense."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sceau_credentials.errors import MalformedInput
from sceau_credentials.issuing.draft import Draft
from sceau_credentials.issuing.lints.shape import Lint
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.values.timestamps import format_timestamp, parse_timestamp

_TOLERANCE: Final = timedelta(minutes=5)  # I20
DATES: Final = ("validFrom", "validUntil", "awardedDate")


def moments_are_whole_seconds_in_utc(draft: Draft) -> str | None:
    """The one way to write a moment that every parser and every token claim agrees with (B-015)."""
    for member in DATES:
        moment = _moment(draft.document, member)
        if member in draft.document and (
            moment is None or format_timestamp(moment) != draft.document[member]
        ):
            return member
    return None


def validity_has_begun(draft: Draft) -> str | None:
    begins = _moment(draft.document, "validFrom")
    return None if begins is not None and begins <= draft.at + _TOLERANCE else "validFrom"


def validity_is_not_backdated(draft: Draft) -> str | None:
    begins = _moment(draft.document, "validFrom")
    return None if begins is not None and begins >= draft.at - _TOLERANCE else "validFrom"  # T46


def validity_ends_after_it_begins(draft: Draft) -> str | None:
    begins, ends = _moment(draft.document, "validFrom"), _moment(draft.document, "validUntil")
    return "validUntil" if begins and ends and ends <= begins else None


def validity_is_not_over(draft: Draft) -> str | None:
    ends = _moment(draft.document, "validUntil")
    return "validUntil" if ends and ends <= draft.at else None


def award_is_not_in_the_future(draft: Draft) -> str | None:
    awarded = _moment(draft.document, "awardedDate")
    return "awardedDate" if awarded and awarded > draft.at + _TOLERANCE else None


def activity_ends_after_it_begins(draft: Draft) -> str | None:
    begins, ends = _moment(draft.subject, "activityStartDate"), _moment(draft.subject, "activityEndDate")
    return "activityEndDate" if begins and ends and ends < begins else None


def _moment(owner: JsonObject, member: str) -> datetime | None:
    try:
        return parse_timestamp(owner.get(member))
    except MalformedInput:
        return None


LINTS: Final[tuple[Lint, ...]] = (
    moments_are_whole_seconds_in_utc,
    validity_has_begun,
    validity_is_not_backdated,
    validity_ends_after_it_begins,
    validity_is_not_over,
    award_is_not_in_the_future,
    activity_ends_after_it_begins,
)
