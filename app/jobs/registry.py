"""Every kind of promise there is."""

from __future__ import annotations

from app.jobs.kinds.alignment import ALIGNMENTS
from app.jobs.kinds.awards import AWARDS, UNDOINGS, WITHDRAWALS
from app.jobs.kinds.brought_badges import BROUGHT_BADGES
from app.jobs.kinds.endorsements import ENDORSEMENTS
from app.jobs.kinds.files import SCANS
from app.jobs.kinds.imports import IMPORTS
from app.jobs.kinds.integrity import INTEGRITY
from app.jobs.kinds.letters import LETTERS, REMINDERS
from app.jobs.kinds.logs import CHECKPOINTS, REVIEWS
from app.jobs.kinds.requests import REVIEW_REMINDERS
from app.jobs.kinds.retention import RETENTION
from app.jobs.kinds.trust import FOLLOWED_LISTS, OWN_LISTS
from app.jobs.promises import Kind

KINDS: tuple[Kind, ...] = (
    AWARDS,
    UNDOINGS,
    WITHDRAWALS,
    IMPORTS,
    LETTERS,
    REMINDERS,
    REVIEW_REMINDERS,
    CHECKPOINTS,
    REVIEWS,
    ALIGNMENTS,
    INTEGRITY,
    RETENTION,
    SCANS,
    BROUGHT_BADGES,
    OWN_LISTS,
    FOLLOWED_LISTS,
    ENDORSEMENTS,
)
