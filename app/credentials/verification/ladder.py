"""The order of the checks, and where a failure leaves nothing to ask the next ones."""

from __future__ import annotations

from datetime import datetime

from app.credentials.documents import DocumentSource
from app.credentials.verification.policy import Policy
from app.credentials.verification.reasons import Reason, found, not_reached
from app.credentials.verification.report import CheckId, CheckResult, Report

DEFAULT_POLICY = Policy()


def verify(
    presented: bytes | str, *, documents: DocumentSource, at: datetime, policy: Policy = DEFAULT_POLICY
) -> Report:
    """Is this credential genuine, and still good, at this moment?

    Takes JSON or compact JWS text, or the bytes of a PNG or SVG that carries one. Whatever it holds,
    the answer is a report, never an exception; and no more than `policy.max_fetches` documents are
    asked for, none at all for what is no badge.
    """
    if at.tzinfo is None:
        raise ValueError("the moment of checking needs a time zone")
    return Report(at=at, checks=_after(found(Reason.UNRECOGNISED_FORMAT)))


def _after(unreadable: CheckResult) -> tuple[CheckResult, ...]:
    rest = tuple(not_reached(check, unreadable.id) for check in CheckId if check is not unreadable.id)
    return (unreadable, *rest)
