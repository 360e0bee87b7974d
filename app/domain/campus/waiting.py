"""What waits for somebody in a campus, and after how long it does."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from app.domain.campus.campus import Label
from app.domain.campus.keys import KeyState, SealedKey

WEEK = timedelta(days=7)
FORGOTTEN_AFTER = timedelta(days=14)
"""An award nobody has claimed by then is worth a word."""
LOOKED_BACK = timedelta(days=90)
"""Older things no longer wait: they are history."""
LABEL_NOTICE = timedelta(days=90)
OLD_KEY = timedelta(days=2 * 365)
MOST_COUNTED = 100
"""More than that is « plus de 100 »: nobody counts on."""


def label_that_ends(labels: Sequence[Label], *, on: date) -> Label | None:
    """The label to see to: the one that runs out last, if it has run out or soon will."""
    standing = [label for label in labels if label.withdrawn_at is None]
    dated = [label for label in standing if label.ends_on is not None]
    if not dated or len(dated) < len(standing):
        return None
    last = max(dated, key=lambda label: label.ends_on or on)
    return last if last.ends_on is not None and last.ends_on < on + LABEL_NOTICE else None


def has_working_key(keys: Sequence[SealedKey]) -> bool:
    return any(key.state is KeyState.ACTIVE for key in keys)


def key_to_renew(keys: Sequence[SealedKey], *, at: datetime) -> SealedKey | None:
    """The oldest key in use, once it has signed for two years."""
    old = [
        key
        for key in keys
        if key.state is KeyState.ACTIVE and (key.activated_at or key.created_at) < at - OLD_KEY
    ]
    return min(old, key=lambda key: key.activated_at or key.created_at, default=None)
