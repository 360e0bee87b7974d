"""Labels as credentials of their own: signed by the network that gives them, published, and judged like all else."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date

from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.db.trust.recognition import RecognitionStore
from app.domain.campus.campus import Label, LabelCategory, LabelState, Network, check_label_dates, label_state
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.publishing.addresses import Addresses
from app.domain.trust.label_credentials import label_credential_of
from app.domain.trust.recognition import Recognition, day_in_france, label_period
from app.errors import Conflict
from app.language import N_
from app.services.trust.network_signing import NetworkSigning
from app.services.trust.partner_lists import entry_at, free_place
from sceau_credentials.issuing import issue_endorsement, signed_with
from sceau_credentials.model import BitstringStatusListEntry
from sceau_credentials.trust.lists import Standing
from sceau_credentials.values.documents import DocumentSource
from sceau_credentials.verification.ladder import verify_endorsement
from sceau_credentials.verification.report import EndorsementAnswer


@dataclass(frozen=True)
class LabelJudged:
    """A label, whose it is, and what its signature is worth now; no `answer` where nobody signed it."""

    label: Label
    network: Network
    campus_name: str
    state: LabelState
    answer: EndorsementAnswer | None
    is_suspended: bool = False
    """The network has suspended its recognition of the campus, and with it what rests on it."""


class LabelService:
    def __init__(
        self,
        store: RecognitionStore,
        campuses: CampusStore,
        signing: NetworkSigning,
        history: HistoryStore,
        addresses: Addresses,
        documents: DocumentSource,
        clock: Clock,
    ) -> None:
        self.store = store
        self.campuses = campuses
        self.signing = signing
        self.history = history
        self.addresses = addresses
        self.documents = documents
        self.clock = clock

    def give(
        self,
        network: Network,
        entry: Recognition,
        category: LabelCategory,
        *,
        starts_on: date | None,
        ends_on: date | None,
        note: str,
        by: Actor,
    ) -> Label:
        """Written down and signed at once; one whose last day is past is only written down."""
        label = Label(
            issuer=entry.issuer,
            network_id=network.id,
            category=category,
            starts_on=starts_on,
            ends_on=ends_on,
            note=note,
        )
        check_label_dates(label)
        self.sign(label, entry.name, network)
        self.store.add(label)
        self._note("label", label, by)
        return label

    def sign(self, label: Label, campus_name: str, network: Network) -> None:
        """One whose last day is past stays as it is."""
        at = self.clock()
        _, until = label_period(label)
        if until is not None and until <= at:
            return
        signers = self.signing.signers_of(network, at=at)
        did = self.signing.did_of(network)
        first_signed = label.signed_at or at
        credential = label_credential_of(
            label,
            campus_name,
            network,
            did,
            self.addresses,
            status=self._place_of(label, network),
            at=first_signed,
        )
        signed = issue_endorsement(
            credential,
            signer=signers.embedded,
            jwt_signer=signers.jwt,
            at=at,
            in_force_at=max(at, credential.valid_from),
        )
        label.embedded, label.signed_at = signed.embedded, first_signed

    def _place_of(self, label: Label, network: Network) -> BitstringStatusListEntry:
        """For ever this label's: whoever has a copy learns that the network withdrew it."""
        if label.position is None:
            label.position = free_place(lambda place: self.store.is_taken(network.id, place))
        return entry_at(self.addresses.network_list(network.slug), label.position)

    def sign_anew(self, network: Network, method_id: str) -> None:
        """With the key of now what that one signed and is in force or still to come; it says the same."""
        for label in self.store.labels_given(network.id):
            if label.embedded and label.withdrawn_at is None and signed_with(label.embedded) == method_id:
                self.sign(label, self._name_of(label, self.store.entry(network.id, label.issuer)), network)
                self.store.add(label)

    def withdraw(self, label_id: uuid.UUID, *, by: Actor) -> Label:
        """Its address and its bit say so from now on, and the network's next list leaves it out."""
        label = self.store.label(label_id)
        if label.withdrawn_at is not None:
            raise Conflict(N_("Ce label est déjà retiré."))
        label.withdrawn_at = self.clock()
        self.store.add(label)
        self._note("withdraw_label", label, by)
        return label

    def judge(self, label_id: uuid.UUID) -> LabelJudged:
        label = self.store.label(label_id)
        return self._judged(label, self.store.network_by_id(label.network_id))

    def of_issuer(self, issuer: str) -> list[LabelJudged]:
        """Every label of whoever signs under this identifier, judged now."""
        return [self._judged(label, network) for label, network in self.campuses.labels_of(issuer)]

    def _judged(self, label: Label, network: Network) -> LabelJudged:
        at = self.clock()
        entry = self.store.entry(network.id, label.issuer)
        answer = (
            verify_endorsement(label.embedded.decode(), documents=self.documents, at=at, about=label.issuer)
            if label.embedded
            else None
        )
        return LabelJudged(
            label,
            network,
            self._name_of(label, entry),
            label_state(label, on=day_in_france(at)),
            answer,
            is_suspended=entry is not None and entry.standing is not Standing.RECOGNISED,
        )

    def _name_of(self, label: Label, entry: Recognition | None) -> str:
        if entry is not None:
            return entry.name
        campus = self.campuses.find_by_did(label.issuer)
        return campus.name if campus else label.issuer

    def _note(self, deed: str, label: Label, by: Actor) -> None:
        campus = self.campuses.find_by_did(label.issuer)
        if campus is not None:
            self.history.write(by, deed, "campus", campus.id, at=self.clock(), campus_id=campus.id)
        else:
            self.history.write(by, deed, "label", label.id, at=self.clock())
