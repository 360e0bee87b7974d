"""Every kind of promise there is."""

from __future__ import annotations

from app.worker.alignment import ALIGNMENTS
from app.worker.awards import AWARDS, UNDOINGS, WITHDRAWALS
from app.worker.brought_badges import BROUGHT_BADGES
from app.worker.endorsements import ENDORSEMENTS
from app.worker.files import SCANS
from app.worker.imports import IMPORTS
from app.worker.integrity import INTEGRITY
from app.worker.letters import LETTERS, REMINDERS
from app.worker.logs import CHECKPOINTS, REVIEWS
from app.worker.promises import Kind
from app.worker.requests import REVIEW_REMINDERS
from app.worker.retention import RETENTION
from app.worker.trust import FOLLOWED_LISTS, OWN_LISTS

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
