"""Services about trust: registers of networks, labels as credentials, and the lists of others."""

from __future__ import annotations

from app.container.stores import made_once
from app.container.subjects.privacy import RightsServices
from app.services.trust.external_trust_lists import FollowedLists
from app.services.trust.labels import LabelService
from app.services.trust.network_register import NetworkRegister
from app.services.trust.organisations import PartnerKeys
from app.services.verification.batches import VcApi


class TrustServices(RightsServices):
    @made_once
    def labels(self) -> LabelService:
        return LabelService(
            self.stores.recognition,
            self.stores.campuses,
            self.network_signing,
            self.stores.history,
            self.addresses,
            self.verification.documents,
            self.clock,
        )

    @made_once
    def register(self) -> NetworkRegister:
        return NetworkRegister(
            self.stores.recognition,
            self.labels,
            self.network_signing,
            self.stores.history,
            self.addresses,
            self.clock,
        )

    @made_once
    def partner_keys(self) -> PartnerKeys:
        return PartnerKeys(
            self.network_signing,
            self.register,
            self.labels,
            self.organisations,
            self.stores.endorsements,
            self.stores.history,
            self.clock,
        )

    @made_once
    def followed_lists(self) -> FollowedLists:
        return FollowedLists(self.stores.recognition, self.stores.history, self.lent.beyond, self.clock)

    @made_once
    def vc_api(self) -> VcApi:
        return VcApi(
            self.verification.documents,
            self.signing,
            self.stores.history,
            self.clock,
            may_issue=self.lent.settings.vc_api_issue,
        )
