"""Services about requests: badges asked for, and decided by reviewers."""

from __future__ import annotations

from app.services.requests import AskingService, ReviewService
from app.wiring.endorsement_services import EndorsementServices
from app.wiring.made_once import made_once


class RequestServices(EndorsementServices):
    @made_once
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

    @made_once
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
