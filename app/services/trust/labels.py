"""Labels as separate credentials: signed by the granting network, published, verified like any other."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from app.adapters.secrets import KeyVault
from app.db.campus import CampusStore, HistoryStore
from app.db.trust import RecognitionStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import (
    Label,
    LabelCategory,
    LabelState,
    Network,
    check_label_dates,
    end_key,
    label_state,
)
from app.domain.campus.signed_terms import day_in_france
from app.domain.core import Clock
from app.domain.publishing import Addresses, ServiceDocuments
from app.domain.trust import ANNOUNCED_FOR, NetworkKey, Recognition, label_credential_of, label_period
from app.errors import Conflict
from app.language import N_
from app.services.publishing.status import KeyOwner, Signers
from app.services.trust.external_trust_lists import entry_at, free_place
from sceau_credentials.dids import PublishedKey, did_document, did_web
from sceau_credentials.issuing import issue_endorsement, signed_with
from sceau_credentials.keys import Signer, VerificationKey
from sceau_credentials.model import BitstringStatusListEntry
from sceau_credentials.trust import Standing
from sceau_credentials.values import JsonObject
from sceau_credentials.verification.report import EndorsementAnswer
from sceau_credentials.verification.run_checks import verify_endorsement

_PURPOSE = "network"


@dataclass(frozen=True, eq=False)
class NetworkSigning:
    store: RecognitionStore
    vault: KeyVault
    addresses: Addresses

    def did_of(self, network: Network) -> str:
        key = next(iter(self.store.keys_of(network.id)), None)
        return key.did if key else did_web(self.addresses.base_url, "reseau", network.slug)

    def signers_of(self, network: Network, *, at: datetime) -> Signers:
        row = self.store.key_of(network.id) or self._make_key(network, at=at)
        return self._owner(network).signers(self.vault, row)

    def rewrap(self) -> int:
        """How many keys of networks were sealed under another key-encryption key."""
        return sum(
            self._owner(network).rewrap(self.vault, row)
            for network in self.store.networks()
            for row in self.store.keys_of(network.id)
        )

    def leaving_signer_of(self, network: Network, *, at: datetime) -> Signer | None:
        """The recently replaced key: it cosigns the list, for consumers that only know that key."""
        row = self.store.leaving_key_of(network.id, retired_after=at - ANNOUNCED_FOR)
        return self._owner(network).signers(self.vault, row).embedded if row else None

    def keys_of(self, network: Network) -> Sequence[NetworkKey]:
        return self.store.keys_of(network.id)

    def end(self, network: Network, row: NetworkKey, *, since: datetime | None, at: datetime) -> None:
        """The next key enters service immediately if this one was in service."""
        was_in_service = row.retired_at is None
        end_key(row, since=since, at=at)
        self.store.add(row)
        if was_in_service:
            self._make_key(network, at=at)

    def public_key_of(self, network: Network) -> VerificationKey | None:
        row = self.store.key_of(network.id)
        return VerificationKey.from_jwk(row.public_jwk) if row else None

    def document_of(self, network: Network) -> JsonObject:
        """The DID document: without keys until the network signs something."""
        keys = [
            PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk), revoked_at=row.revoked_at)
            for row in self.store.keys_of(network.id)
        ]
        return did_document(self.did_of(network), keys, also_known_as=(self.addresses.network(network.slug),))

    def _make_key(self, network: Network, *, at: datetime) -> NetworkKey:
        row = NetworkKey(network_id=network.id, created_at=at, **self._owner(network).sealed_anew(self.vault))
        self.store.add(row)
        return row

    def _owner(self, network: Network) -> KeyOwner:
        return KeyOwner(network.id, self.did_of(network), _PURPOSE)


@dataclass(frozen=True)
class LabelJudged:
    """A label, its holder, and the current verification result; `answer` is None if it was never signed."""

    label: Label
    network: Network
    campus_name: str
    state: LabelState
    answer: EndorsementAnswer | None
    is_suspended: bool = False
    """The network suspended its recognition of the campus, and so its labels."""


@dataclass(frozen=True, eq=False)
class LabelService:
    store: RecognitionStore
    campuses: CampusStore
    signing: NetworkSigning
    history: HistoryStore
    addresses: Addresses
    documents: ServiceDocuments
    clock: Clock

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
        """Record and sign; an expired label is only recorded."""
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
        """Expired labels are left unchanged."""
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
        """Permanent slot: every copy can detect that the network withdrew the label."""
        if label.position is None:
            label.position = free_place(lambda place: self.store.is_taken(network.id, place))
        return entry_at(self.addresses.network_list(network.slug), label.position)

    def sign_anew(self, network: Network, method_id: str) -> None:
        """Sign again, with the current key and the same content, unexpired labels of that key."""
        for label in self.store.labels_given(network.id):
            if label.embedded and label.withdrawn_at is None and signed_with(label.embedded) == method_id:
                self.sign(label, self._name_of(label, self.store.entry(network.id, label.issuer)), network)
                self.store.add(label)

    def withdraw(self, label_id: uuid.UUID, *, by: Actor) -> Label:
        """Its document and status bit report it immediately; the network's next list omits it."""
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
        """Every label of the issuer with this identifier, verified now."""
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
