"""Services about requests: badges asked for, and decided by reviewers."""

from __future__ import annotations

from app.container.stores import made_once
from app.container.subjects.endorsements import EndorsementServices
from app.services.learners.requests import AskingService, ReviewService


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
