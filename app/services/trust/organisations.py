"""Partner organisations as issuers: a verified domain, and a key, DID and status list hosted here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from app.adapters.secrets import KeyVault
from app.db.campus import HistoryStore
from app.db.trust import EndorsementStore, OrganisationStore
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Network, check_retirement, end_key
from app.domain.core import Clock, name_as_signed, whole_second
from app.domain.publishing import Addresses
from app.domain.trust import NetworkKey
from app.domain.trust.organisations import (
    EndorsementStatusSlot,
    Organisation,
    OrganisationKey,
    domain_of,
    mailbox_of,
)
from app.errors import NotFound
from app.services.publishing import Published
from app.services.publishing.status import KeyOwner, Signers
from app.services.trust.labels import (
    LabelService,
    NetworkSigning,
    TrustAnchors,
    entry_at,
    free_place,
    signed_list,
)
from app.services.trust.network_register import NetworkRegister
from sceau_credentials.dids import PublishedKey, did_document, did_web
from sceau_credentials.issuing import sign_anew, signed_with
from sceau_credentials.keys import VerificationKey
from sceau_credentials.model import BitstringStatusListEntry, Profile
from sceau_credentials.values import CONTEXT_OB_3_0_3, CONTEXT_V2, dump_json

_PURPOSE: Final = "endorsement"


@dataclass(frozen=True, eq=False)
class OrganisationService:
    organisations: OrganisationStore
    vault: KeyVault
    anchors: TrustAnchors
    addresses: Addresses
    clock: Clock

    def get(self, organisation_id: uuid.UUID) -> Organisation:
        return self.organisations.get(organisation_id)

    def of_address(self, address: str, *, name: str, site: str, at: datetime) -> Organisation:
        """The organisation of a verified `address`, created if new; updates its name and site."""
        domain, mailbox = domain_of(address), mailbox_of(address)
        organisation = self.organisations.find_of(domain, mailbox)
        if organisation is None:
            number = uuid.uuid4()
            organisation = Organisation(
                id=number,
                domain=domain,
                mailbox=mailbox,
                did=did_web(self.addresses.base_url, "organisations", str(number)),
                name=name,
                site=site,
                created_at=at,
            )
        organisation.name, organisation.site = name, site
        self.organisations.add(organisation)
        return organisation

    def signers_of(self, organisation: Organisation, *, at: datetime) -> Signers:
        """Its key under both its identifiers; created at the first signature."""
        return self._opened(organisation, self._in_service(organisation) or self._make(organisation, at))

    def keys_of(self, organisation: Organisation) -> Sequence[OrganisationKey]:
        return self.organisations.keys_of(organisation.id)

    def known_as(self, named: str) -> Organisation:
        """By identifier or by domain."""
        found = self.organisations.find_named(named.strip().lower())
        if found is None:
            raise NotFound("Cette organisation n’existe pas ici.")
        return found

    def end(
        self, organisation: Organisation, row: OrganisationKey, *, since: datetime | None, at: datetime
    ) -> None:
        """The next key enters service immediately if this one was in service."""
        was_in_service = row.retired_at is None
        end_key(row, since=since, at=at)
        self.organisations.add(row)
        if was_in_service:
            self._make(organisation, at)

    def rewrap(self) -> int:
        """How many keys of organisations were sealed under another key-encryption key."""
        return sum(
            _owner(organisation).rewrap(self.vault, row)
            for organisation in self.organisations.list_all()
            for row in self.organisations.keys_of(organisation.id)
        )

    def _in_service(self, organisation: Organisation) -> OrganisationKey | None:
        rows = self.organisations.keys_of(organisation.id)
        return next((row for row in rows if row.retired_at is None), None)

    def _opened(self, organisation: Organisation, row: OrganisationKey) -> Signers:
        return _owner(organisation).signers(self.vault, row)

    def _make(self, organisation: Organisation, at: datetime) -> OrganisationKey:
        row = OrganisationKey(
            organisation_id=organisation.id, created_at=at, **_owner(organisation).sealed_anew(self.vault)
        )
        self.organisations.add(row)
        return row

    # --- public documents

    def profile_of(self, organisation: Organisation) -> Profile:
        return Profile(
            id=organisation.did, name=name_as_signed(organisation.name), url=organisation.site or None
        )

    def profile(self, organisation_id: uuid.UUID) -> Published:
        profile = self.profile_of(self.get(organisation_id)).to_document()
        document = {"@context": [CONTEXT_V2, CONTEXT_OB_3_0_3], **profile}
        return Published.of(dump_json(document), "application/ld+json")

    def did(self, organisation_id: uuid.UUID) -> Published:
        organisation = self.get(organisation_id)
        keys = [
            PublishedKey(row.method_id, VerificationKey.from_jwk(row.public_jwk), revoked_at=row.revoked_at)
            for row in self.organisations.keys_of(organisation.id)
        ]
        page = self.addresses.organisation(organisation.id)
        document = did_document(organisation.did, keys, also_known_as=(page,))
        return Published.of(dump_json(document), "application/did+json")

    def status_list(
        self, organisation_id: uuid.UUID, form: str = "json", *, final: bool = False
    ) -> Published:
        organisation = self.get(organisation_id)
        key = self._in_service(organisation)
        if key is None:
            raise NotFound("Cette organisation n’a rien signé ici.")
        return signed_list(
            self.anchors,
            self.addresses.organisation_list(organisation.id),
            issuer=organisation.did,
            raised=self.organisations.raised(organisation.id),
            signers=self._opened(organisation, key),
            at=self.clock(),
            form=form,
            final=final,
        )

    # --- status slots

    def reserve(self, organisation: Organisation, endorsement_id: uuid.UUID) -> BitstringStatusListEntry:
        """Reserve a random free slot in the organisation's list, permanently for that endorsement."""
        withdrawn = self.anchors.withdrawn(self.addresses.organisation_list(organisation.id))
        position = free_place(
            lambda place: place in withdrawn or self.organisations.is_taken(organisation.id, place)
        )
        self.organisations.add(
            EndorsementStatusSlot(
                organisation_id=organisation.id, position=position, endorsement_id=endorsement_id
            )
        )
        return entry_at(self.addresses.organisation_list(organisation.id), position)


def _owner(organisation: Organisation) -> KeyOwner:
    return KeyOwner(organisation.id, organisation.did, _PURPOSE)


K = TypeVar("K", NetworkKey, OrganisationKey)


@dataclass(frozen=True, eq=False)
class PartnerKeys:
    """A replaced key still proves what it signed; a stolen key is rejected by every verifier.

    What this service signed with a stolen key is in its own rows, which the thief cannot write: it can still
    be shown, and the next key signs it again.
    """

    signing: NetworkSigning
    register: NetworkRegister
    labels: LabelService
    organisations: OrganisationService
    endorsements: EndorsementStore
    history: HistoryStore
    clock: Clock

    def retire_of_network(
        self,
        network: Network,
        *,
        reason: str,
        method_id: str = "",
        stolen_since: datetime | None = None,
        by: Actor,
    ) -> NetworkKey:
        """Signs the network's next edition immediately; returns the current key."""
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
    """The key with that name; if empty, the key in service."""
    for row in rows:
        if row.method_id == method_id or (not method_id and row.retired_at is None):
            return row
    raise NotFound("Il n’y a pas de clé de ce nom, ou rien n’a encore été signé.")
