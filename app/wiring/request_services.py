"""Services about requests: badges asked for, and decided by reviewers."""

from __future__ import annotations

from functools import cached_property

from app.services.requests import AskingService, ReviewService
from app.wiring.endorsement_services import EndorsementServices


class RequestServices(EndorsementServices):
    @cached_property
    def asking(self) -> AskingService:
        return AskingService(
            self.stores.requests,
            self.stores.badges,
            self.stores.campuses,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.directory,
            self.stores.awards,
            self.stores.files,
            self.stores.letters,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )

    @cached_property
    def reviewing(self) -> ReviewService:
        return ReviewService(
            self.stores.requests,
            self.stores.badges,
            self.stores.campuses,
            self.stores.people,
            self.stores.own_addresses,
            self.stores.directory,
            self.awards,
            self.stores.files,
            self.stores.letters,
            self.stores.history,
            self.clock,
        )
