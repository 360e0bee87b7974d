"""Partner organisations as issuers: known by a proved domain, each with a key, a DID and a status list hosted here."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from app.adapters.secrets.key_vault import KeyVault
from app.db.trust.organisations import OrganisationStore
from app.domain.campus.keys import end_key
from app.domain.core.clock import Clock
from app.domain.core.signed_text import name_as_signed
from app.domain.publishing.addresses import Addresses
from app.domain.trust.organisations import (
    EndorsementPlace,
    Organisation,
    OrganisationKey,
    domain_of,
    mailbox_of,
)
from app.errors import NotFound
from app.language import N_
from app.services.publishing.publication import Published
from app.services.publishing.signing import KeyOwner, Signers
from app.services.trust.partner_lists import PlaceAnchors, entry_at, free_place, signed_list
from sceau_credentials.dids import PublishedKey, did_document, did_web
from sceau_credentials.keys import VerificationKey
from sceau_credentials.model import BitstringStatusListEntry, Profile
from sceau_credentials.values.json_text import dump_json
from sceau_credentials.values.vocabulary import CONTEXT_OB_3_0_3, CONTEXT_V2

_PURPOSE: Final = "endorsement"


class OrganisationService:
    def __init__(
        self,
        organisations: OrganisationStore,
        vault: KeyVault,
        anchors: PlaceAnchors,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.anchors = anchors
        self.organisations = organisations
        self.vault = vault
        self.addresses = addresses
        self.clock = clock

    def get(self, organisation_id: uuid.UUID) -> Organisation:
        return self.organisations.get(organisation_id)

    def of_address(self, address: str, *, name: str, site: str, at: datetime) -> Organisation:
        """The organisation that whoever reads mail at `address` speaks for, as they call it now."""
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
        """Its key under both its names; made when it first signs."""
        return self._opened(organisation, self._in_service(organisation) or self._make(organisation, at))

    def keys_of(self, organisation: Organisation) -> Sequence[OrganisationKey]:
        return self.organisations.keys_of(organisation.id)

    def known_as(self, named: str) -> Organisation:
        """By its number, or by the domain that is its own."""
        found = self.organisations.find_named(named.strip().lower())
        if found is None:
            raise NotFound(N_("Cette organisation n’existe pas ici."))
        return found

    def end(
        self, organisation: Organisation, row: OrganisationKey, *, since: datetime | None, at: datetime
    ) -> None:
        """The next key is in service at once, where this one was."""
        was_in_service = row.retired_at is None
        end_key(row, since=since, at=at)
        self.organisations.add(row)
        if was_in_service:
            self._make(organisation, at)

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

    # --- what the world reads

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
            raise NotFound(N_("Cette organisation n’a rien signé ici."))
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

    # --- places

    def reserve(self, organisation: Organisation, endorsement_id: uuid.UUID) -> BitstringStatusListEntry:
        """A random free place in the organisation's list, for ever that endorsement's."""
        withdrawn = self.anchors.withdrawn(self.addresses.organisation_list(organisation.id))
        position = free_place(
            lambda place: place in withdrawn or self.organisations.is_taken(organisation.id, place)
        )
        self.organisations.add(
            EndorsementPlace(
                organisation_id=organisation.id, position=position, endorsement_id=endorsement_id
            )
        )
        return entry_at(self.addresses.organisation_list(organisation.id), position)


def _owner(organisation: Organisation) -> KeyOwner:
    return KeyOwner(organisation.id, organisation.did, _PURPOSE)
