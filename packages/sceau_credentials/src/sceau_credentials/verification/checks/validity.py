"""Is this the time to rely on it?"""

from __future__ import annotations

from datetime import datetime

from sceau_credentials.errors import MalformedInput
from sceau_credentials.model.version_1 import period_members
from sceau_credentials.values.json_text import JsonObject
from sceau_credentials.values.timestamps import format_timestamp, parse_timestamp, shifted
from sceau_credentials.verification.findings.reasons import Reason, found
from sceau_credentials.verification.policy import Policy
from sceau_credentials.verification.report import CheckResult


def validity(document: JsonObject, at: datetime, policy: Policy) -> CheckResult:
    start, end = period_members(document)
    try:
        begins = parse_timestamp(document.get(start), zone_required=True)
        ends = parse_timestamp(document[end], zone_required=True) if end in document else None
    except MalformedInput:
        return found(Reason.PERIOD_UNREADABLE)
    return period(begins, ends, at, policy)


def period(begins: datetime, ends: datetime | None, at: datetime, policy: Policy) -> CheckResult:
    told = {"valid_from": format_timestamp(begins)}
    if ends is not None:
        told["valid_until"] = format_timestamp(ends)
    if ends is not None and ends < begins:  # C-018
        return found(Reason.PERIOD_REVERSED, **told)
    if shifted(at, policy.clock_skew) < begins:
        return found(Reason.NOT_YET_VALID, **told)
    if ends is not None and at > ends:
        return found(Reason.EXPIRED, **told)
    return found(Reason.IN_FORCE, **told)
