"""Erasures that an older copy of the database lacks, done once more."""

from __future__ import annotations

from dataclasses import dataclass

from app.db.activity_log.integrity import RecoveryStore
from app.domain.activity_log.recovery import JournaledErasure
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.people.consents import Erasure
from app.services.activity_log import LoggedEvents
from app.services.people.privacy import ErasureService
from app.services.people.record_merge import MergingService


@dataclass(frozen=True, eq=False)
class RestoredErasures:
    """The copy has the records of people as they were merged by the time of the backup."""

    store: RecoveryStore
    erasures: ErasureService
    merging: MergingService
    logged_events: LoggedEvents
    clock: Clock

    def repeat(self, campus: Campus, erased: JournaledErasure, erasure: Erasure, *, by: Actor) -> None:
        """Of every record that the person had then, and of no other.

        A number below 0: the log has no line about it, and gets one.
        """
        while merge := self.store.merge_ended_since(erased):
            self.merging.part(merge, by=by)
        for record in erased.records:
            self.erasures.erase_in_copy(campus, record)
        self.logged_events.forget_again(campus, erased, erasure)
        self.erasures.keep(campus, erasure, at=self.clock(), by=by)
