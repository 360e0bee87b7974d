"""All services over one transaction; each is made when first asked for."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from app.container.made_once import made_once
from app.container.subjects.imports import ImportServices
from app.container.workers import WorkerService


class Services(ImportServices):
    @made_once
    def workers(self) -> WorkerService:
        return WorkerService(self.stores.workers, self.clock)

    def enter(self, campus_id: uuid.UUID, person_id: uuid.UUID | None = None) -> None:
        """From now on, rows of this campus and of no other, for that person."""
        self.stores.reach.enter(campus_id, person_id)

    def enter_campus_of(self, award_id: uuid.UUID) -> None:
        award = self.stores.awards.find(award_id)
        if award is not None:
            self.enter(award.campus_id)

    @contextmanager
    def beside(self, award_id: uuid.UUID) -> Iterator[None]:
        """For a public page, for a moment: rows of the award's campus that the world does not read by itself."""
        self.enter_campus_of(award_id)
        try:
            yield
        finally:
            self.stores.reach.leave()

    def join_organisers(self, campus_id: uuid.UUID, activity_id: uuid.UUID) -> bool:
        """Over the walls, if this campus organises the activity together with others; whether it does."""
        is_shared = self.stores.activity_plans.is_shared(activity_id, campus_id)
        if is_shared:
            self.stores.reach.everywhere()
        return is_shared

    def search_everywhere(self) -> None:
        """To find by its secret what names a campus, and whether somebody works in another one."""
        self.stores.reach.everywhere()

    def settle(self) -> None:
        """What may only be done once the transaction stands."""
        if "status" in vars(self):
            self.status.settle()
        if "activity_log" in vars(self):
            self.activity_log.settle()
