"""Signed documents aligned with what their holders show, after an upgrade and whenever facts changed."""

from __future__ import annotations

import uuid

from app.container import Process
from app.domain.campus.history import Actor
from app.jobs.looking import Looking
from app.jobs.promises import Kind

_BY = Actor.command("align")


def align_some(process: Process, campus_id: uuid.UUID) -> bool:
    """The next portion of one campus, in its tenant scope; the rows themselves are what is left to do."""
    with process.visit(campus_id=campus_id) as services:
        return services.award_alignment.align_some(campus_id, by=_BY) > 0


ALIGNMENTS = Kind(
    "align", Looking(lambda services: services.award_alignment.campuses_due()).due, align_some, at_once=1
)
