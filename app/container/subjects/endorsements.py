"""Services about endorsements: asked for, signed in an organisation's name, shown and taken back."""

from __future__ import annotations

from app.container.stores import made_once
from app.container.subjects.awards import AwardServices
from app.services.trust.endorsement_requests import (
    EndorsementAsking,
    EndorsementsCheckedAgain,
    EndorsementsTakenBack,
)
from app.services.trust.endorsements import EndorsementShowing, EndorsementSigning


class EndorsementServices(AwardServices):
    @made_once
    def endorsement_asking(self) -> EndorsementAsking:
        return EndorsementAsking(
            self.stores.endorsements,
            self.stores.people,
            self.stores.letters,
            self.stores.history,
            self.clock,
        )

    @made_once
    def endorsement_signing(self) -> EndorsementSigning:
        return EndorsementSigning(
            self.stores.endorsements,
            self.organisations,
            self.endorsement_subjects,
            self.stores.letters,
            self.stores.history,
            self.verification.documents,
            self.addresses,
            self.lent.secret,
            self.clock,
        )

    @made_once
    def endorsements(self) -> EndorsementShowing:
        return EndorsementShowing(
            self.endorsement_documents,
            self.stores.endorsements,
            self.stores.organisations,
            self.endorsement_subjects,
            self.verification.documents,
            self.verification.documents.alone(),
            self.clock,
            self.snapshot,
        )

    @made_once
    def endorsements_checked_again(self) -> EndorsementsCheckedAgain:
        return EndorsementsCheckedAgain(self.stores.endorsements, self.verification.documents, self.clock)

    @made_once
    def endorsements_taken_back(self) -> EndorsementsTakenBack:
        return EndorsementsTakenBack(
            self.stores.endorsements,
            self.stores.organisations,
            self.stores.letters,
            self.stores.history,
            self.lent.secret,
            self.clock,
        )
