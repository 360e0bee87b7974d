"""The keys of networks and of organisations give way to others, or are found stolen: what still counts is signed anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from app.db.campus.history import HistoryStore
from app.db.trust.endorsements import EndorsementStore
from app.domain.campus.campus import Network
from app.domain.campus.history import Actor
from app.domain.campus.keys import check_retirement
from app.domain.core.clock import Clock
from app.domain.core.columns import whole_second
from app.domain.trust.organisations import Organisation, OrganisationKey
from app.domain.trust.recognition import NetworkKey
from app.errors import NotFound
from app.language import N_
from app.services.trust.labels import LabelService
from app.services.trust.network_register import NetworkRegister
from app.services.trust.network_signing import NetworkSigning
from app.services.trust.organisations import OrganisationService
from sceau_credentials.issuing import sign_anew, signed_with

K = TypeVar("K", NetworkKey, OrganisationKey)


class PartnerKeys:
    """A key that gave way proves all it signed. Of a stolen one nothing is believed any more, wherever it is checked.

    What this service signed with it stands in its own rows, which no thief of the key can write: that is how it can be
    shown, and the next key signs it again.
    """

    def __init__(
        self,
        signing: NetworkSigning,
        register: NetworkRegister,
        labels: LabelService,
        organisations: OrganisationService,
        endorsements: EndorsementStore,
        history: HistoryStore,
        clock: Clock,
    ) -> None:
        self.signing = signing
        self.register = register
        self.labels = labels
        self.organisations = organisations
        self.endorsements = endorsements
        self.history = history
        self.clock = clock

    def retire_of_network(
        self,
        network: Network,
        *,
        reason: str,
        method_id: str = "",
        stolen_since: datetime | None = None,
        by: Actor,
    ) -> NetworkKey:
        """The network's next edition is signed at once; the key of now is returned."""
        self.register.store.hold(network.id)
        row = _named(self.signing.keys_of(network), method_id)
        since = self._checked(row, reason, stolen_since)
        self.signing.end(network, row, since=since, at=self.clock())
        if since is not None:
            self.labels.sign_anew(network, row.method_id)
        self.register.publish(network)
        self._write("network_key", row, reason, by)
        return _named(self.signing.keys_of(network), "")

    def retire_of_organisation(
        self,
        organisation: Organisation,
        *,
        reason: str,
        method_id: str = "",
        stolen_since: datetime | None = None,
        by: Actor,
    ) -> OrganisationKey:
        row = _named(self.organisations.keys_of(organisation), method_id)
        since = self._checked(row, reason, stolen_since)
        self.organisations.end(organisation, row, since=since, at=self.clock())
        if since is not None:
            self._sign_recommendations_anew(organisation, row.method_id)
        self._write("organisation_key", row, reason, by)
        return _named(self.organisations.keys_of(organisation), "")

    def _sign_recommendations_anew(self, organisation: Organisation, method_id: str) -> None:
        at = self.clock()
        signers = self.organisations.signers_of(organisation, at=at)
        for each in self.endorsements.of_organisation(organisation.id):
            if not each.written or each.foreign_issuer or signed_with(each.written.encode()) != method_id:
                continue
            signed = sign_anew(each.written, signer=signers.embedded, jwt_signer=signers.jwt, at=at)
            each.written, each.token = signed.embedded.decode(), signed.token
            each.changes += 1
            self.endorsements.save(each)

    def _checked(
        self, row: NetworkKey | OrganisationKey, reason: str, stolen_since: datetime | None
    ) -> datetime | None:
        since = whole_second(stolen_since) if stolen_since else None
        check_retirement(row, reason, since, at=self.clock())
        return since

    def _write(self, noun: str, row: NetworkKey | OrganisationKey, reason: str, by: Actor) -> None:
        state = "revoked" if row.revoked_at else "verify_only"
        self.history.write(by, "retire", noun, row.id, at=self.clock(), reason=reason.strip(), state=state)


def _named(rows: Sequence[K], method_id: str) -> K:
    """The key of that name; without one the key in service."""
    for row in rows:
        if row.method_id == method_id or (not method_id and row.retired_at is None):
            return row
    raise NotFound(N_("Il n’y a pas de clé de ce nom, ou rien n’a encore été signé."))
