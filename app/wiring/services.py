"""All services over one transaction; each is made when first asked for."""

from __future__ import annotations

from functools import cached_property

from app.services.workers import WorkerService
from app.wiring.log_services import LogServices


class Services(LogServices):
    @cached_property
    def workers(self) -> WorkerService:
        return WorkerService(self.stores.workers, self.clock)

    def settle(self) -> None:
        """What may only be done once the transaction stands."""
        if "activity_log" in vars(self):
            self.activity_log.settle()
