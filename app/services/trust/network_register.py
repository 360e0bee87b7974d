"""A network's register of recognised campuses, published as a list that the network signs."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.db.accounts import OwnAddressStore
from app.db.campus import HistoryStore
from app.db.trust import NetworkTeamStore, RecognitionStore
from app.domain.accounts.permissions import NetworkAdministrator
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Label, LabelCategory, Network
from app.domain.core import Clock, check_signed_name, name_as_listed, name_as_signed
from app.domain.people import Person, new_person
from app.domain.publishing import Addresses
from app.domain.trust import (
    LIST_LIFE,
    RENEWED_AFTER,
    TRUST_CONTEXT_PATH,
    NetworkKey,
    Recognition,
    TrustEdition,
    check_recognition,
    entry_of,
    move,
)
from app.errors import Gone, InvalidInput, NotFound
from app.services.publishing import Published
from app.services.trust.labels import LabelService, NetworkSigning, TrustAnchors, note_edition, signed_list
from sceau_credentials.trust import Entry, Standing, TrustList, parse_trust_list, sign_trust_list
from sceau_credentials.values import dump_json


@dataclass(frozen=True)
class Named:
    """Form: a register entry for one campus."""

    issuer: str
    name: str
    short_name: str = ""
    domain: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegisterPage:
    """A network and its recognitions, with labels grouped by campus."""

    network: Network
    did: str
    key: str
    """The public key as Multikey, for those who follow the list; empty if there is none yet."""
    edition: TrustEdition | None
    entries: Sequence[Recognition]
    labels: dict[str, list[Label]]
    former: Sequence[NetworkKey] = ()
    """Replaced or stolen keys, newest first."""


@dataclass(frozen=True, eq=False)
class NetworkRegister:
    store: RecognitionStore
    labels: LabelService
    signing: NetworkSigning
    anchors: TrustAnchors
    history: HistoryStore
    addresses: Addresses
    clock: Clock

    def networks(self) -> Sequence[Network]:
        return self.store.networks()

    def network(self, slug: str) -> Network:
        return self.store.network(slug)

    def page(self, slug: str) -> RegisterPage:
        network = self.store.network(slug)
        labels: dict[str, list[Label]] = {}
        for label in self.store.labels_given(network.id):
            labels.setdefault(label.issuer, []).append(label)
        key = self.signing.public_key_of(network)
        return RegisterPage(
            network,
            self.signing.did_of(network),
            key.to_multikey() if key else "",
            self.store.edition_of(network.id),
            self.store.entries_of(network.id),
            labels,
            [row for row in reversed(self.signing.keys_of(network)) if row.retired_at is not None],
        )

    def write(self, network: Network, named: Named, *, by: Actor) -> Recognition:
        """Recognise a campus, or correct its register entry. Idempotent."""
        self._hold(network)
        at = self.clock()
        entry = self.store.entry(network.id, named.issuer)
        is_new = entry is None
        if entry is None:
            entry = Recognition(network_id=network.id, issuer=named.issuer, name="", since=at, changed_at=at)
        elif _said(entry) == named:
            return entry
        check_signed_name(named.name)
        check_signed_name(named.short_name)
        entry.name, entry.short_name = name_as_signed(named.name), name_as_signed(named.short_name)
        entry.domain, entry.keys = named.domain.strip().lower(), list(named.keys)
        check_recognition(entry)
        self._keep(network, entry, "recognise" if is_new else "amend", by)
        return entry

    def move(
        self, network: Network, issuer: str, standing: Standing, reason: str, *, by: Actor
    ) -> Recognition:
        self._hold(network)
        entry = self._entry(network, issuer)
        move(entry, standing, reason, at=self.clock())
        self._keep(network, entry, standing.value, by)
        return entry

    def give_label(
        self,
        network: Network,
        issuer: str,
        category: LabelCategory,
        *,
        starts_on: date | None,
        ends_on: date | None,
        note: str = "",
        by: Actor,
    ) -> Label:
        """Grant a label to a registered campus; published in the list immediately."""
        self._hold(network)
        entry = self._entry(network, issuer)
        label = self.labels.give(
            network, entry, category, starts_on=starts_on, ends_on=ends_on, note=note, by=by
        )
        self.publish(network)
        return label

    def withdraw_label(self, label_id: uuid.UUID, *, by: Actor) -> Label:
        label = self.labels.withdraw(label_id, by=by)
        self.publish(self.store.network_by_id(label.network_id))
        return label

    def publish(self, network: Network) -> TrustEdition:
        """Sign the next edition: same URL, higher number than any that was served."""
        self._hold(network)
        at = self.clock()
        signers = self.signing.signers_of(network, at=at)
        edition = self.store.edition_of(network.id)
        entries = self._entries(network)
        listed = TrustList(
            url=self.addresses.trust_list(network.slug),
            issuer=self.signing.did_of(network),
            name=name_as_listed(network.name),
            sequence=edition.sequence + 1 if edition else 1,
            valid_from=at,
            valid_until=at + LIST_LIFE,
            entries=entries,
            key=signers.embedded.key.public.to_multikey(),
        )
        body = sign_trust_list(
            listed,
            page=self.addresses.network(network.slug),
            context=self.addresses.base_url + TRUST_CONTEXT_PATH,
            signer=signers.embedded,
            at=at,
            beside=self.signing.leaving_signer_of(network, at=at),
        )
        edition = edition or _no_edition(network, at=at)
        edition.sequence, edition.body, edition.content = listed.sequence, body, _content(network, entries)
        edition.signed_at, edition.valid_until = at, listed.valid_until
        self.store.add(edition)
        return edition

    def due(self) -> list[uuid.UUID]:
        """Networks with a list older than a day or different from the register."""
        return [network.id for network in self.store.networks() if self._is_due(network)]

    def renew(self, network_id: uuid.UUID) -> None:
        """Publish the next edition, and sign labels not signed yet."""
        network = self.store.network_by_id(network_id)
        self._hold(network)
        if not self._is_due(network):
            return
        names = {entry.issuer: entry.name for entry in self.store.entries_of(network_id)}
        for label in self.store.labels_given(network_id):
            # Labels older than the status list are signed again, with a slot in it.
            if label.position is None and label.withdrawn_at is None and label.issuer in names:
                self.labels.sign(label, names[label.issuer], network)
                self.store.add(label)
        self.publish(network)

    def _is_due(self, network: Network) -> bool:
        edition, served = self.store.edition_of(network.id), self._served(network)[0]
        if edition is None:
            return served > 0 or bool(self.store.entries_of(network.id))
        if served > edition.sequence or self.clock() >= edition.signed_at + RENEWED_AFTER:
            return True
        return edition.content != _content(network, self._entries(network))

    def _served(self, network: Network) -> tuple[int, bytes]:
        return self.anchors.edition(self.addresses.trust_list(network.slug))

    def _hold(self, network: Network) -> None:
        """Lock the register. In an older copy of the database it becomes first what was served last."""
        self.store.hold(network.id)
        edition, (number, body) = self.store.edition_of(network.id), self._served(network)
        if number <= (edition.sequence if edition else 0):
            return
        for listed in parse_trust_list(body).entries:
            row = self.store.entry(network.id, listed.id)
            if row is None:
                self.store.add(_recognition(network, listed, at=self.clock()))
            else:
                if row.standing is not listed.standing:
                    row.standing, row.changed_at = listed.standing, listed.until or self.clock()
                row.since = listed.since or row.since
                self.store.add(row)
        edition = edition or _no_edition(network, at=self.clock())
        edition.sequence = number
        self.store.add(edition)

    def _entries(self, network: Network) -> tuple[Entry, ...]:
        labels: dict[str, list[Label]] = {}
        for label in self.store.labels_given(network.id):
            labels.setdefault(label.issuer, []).append(label)
        return tuple(
            entry_of(row, labels.get(row.issuer, ()), self.addresses)
            for row in self.store.entries_of(network.id)
        )

    def _entry(self, network: Network, issuer: str) -> Recognition:
        entry = self.store.entry(network.id, issuer)
        if entry is None:
            raise NotFound("Ce campus n’est pas dans le registre du réseau.")
        return entry

    def _keep(self, network: Network, entry: Recognition, action: str, by: Actor) -> None:
        self.store.add(entry)
        self.history.write(by, action, "recognition", entry.id, at=self.clock())
        self.publish(network)


@dataclass(frozen=True, eq=False)
class NetworkTeam:
    """Who shares definitions for a network; appointed by the operator of the service."""

    store: NetworkTeamStore
    own_addresses: OwnAddressStore
    history: HistoryStore
    clock: Clock

    def networks_of(self, person_id: uuid.UUID) -> Sequence[Network]:
        return self.store.of_person(person_id)

    def administers(self, network: Network, person_id: uuid.UUID) -> bool:
        return self.store.find(network.id, person_id) is not None

    def members(self, network: Network) -> Sequence[Person]:
        return self.store.of_network(network.id)

    def appoint(
        self, network: Network, given_name: str, family_name: str, address: str, *, by: Actor
    ) -> Person:
        """The operator who runs the command vouches for the address. Idempotent."""
        at = self.clock()
        newcomer, address = new_person(given_name, family_name, address, at=at)
        person = self.own_addresses.owner_of(newcomer, address, at=at)
        if self.store.find(network.id, person.id) is None:
            self.store.add(NetworkAdministrator(network_id=network.id, person_id=person.id, since=at))
            self.history.write(by, "appoint", "network", network.id, at=at, person=str(person.id))
        return person

    def dismiss(self, network: Network, person_id: uuid.UUID, *, by: Actor) -> None:
        row = self.store.find(network.id, person_id)
        if row is None:
            raise NotFound("Cette personne n’administre pas ce réseau.")
        self.store.remove(row)
        self.history.write(by, "dismiss", "network", network.id, at=self.clock(), person=str(person_id))


def _no_edition(network: Network, *, at: datetime) -> TrustEdition:
    return TrustEdition(network_id=network.id, sequence=0, signed_at=at, valid_until=at, content="", body=b"")


def _recognition(network: Network, listed: Entry, *, at: datetime) -> Recognition:
    return Recognition(
        network_id=network.id,
        issuer=listed.id,
        name=listed.name,
        short_name=listed.short_name,
        domain=listed.domain,
        keys=list(listed.keys),
        standing=listed.standing,
        since=listed.since or at,
        changed_at=listed.until or listed.since or at,
    )


def _said(entry: Recognition) -> Named:
    return Named(entry.issuer, entry.name, entry.short_name, entry.domain, tuple(entry.keys))


def _content(network: Network, entries: Sequence[Entry]) -> str:
    return hashlib.sha256(repr((network.name, entries)).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class NetworkDocuments:
    store: RecognitionStore
    signing: NetworkSigning
    anchors: TrustAnchors
    addresses: Addresses
    clock: Clock

    def did(self, slug: str) -> Published:
        document = self.signing.document_of(self.store.network(slug))
        return Published.of(dump_json(document), "application/did+json")

    def trust_list(self, slug: str) -> Published:
        """The newest edition ever served; the worker signs the next before it expires."""
        url, edition = self.addresses.trust_list(slug), self.store.edition_of(self.store.network(slug).id)
        if edition is not None:
            note_edition(self.anchors, url, edition.sequence, edition.body)
        number, body = self.anchors.edition(url)
        if edition is not None and edition.sequence >= number:
            body = edition.body
        if not body:
            raise NotFound("Ce réseau n’a pas encore publié de liste.")
        return Published.of(body, "application/vc+ld+json")

    def status_list(self, slug: str, form: str = "json", *, final: bool = False) -> Published:
        """Status list of the network's labels: a set bit means withdrawn."""
        network, at = self.store.network(slug), self.clock()
        if self.store.key_of(network.id) is None:
            raise NotFound("Ce réseau n’a encore rien signé.")
        return signed_list(
            self.anchors,
            self.addresses.network_list(slug),
            issuer=self.signing.did_of(network),
            raised=self.store.withdrawn_places(network.id),
            signers=self.signing.signers_of(network, at=at),
            at=at,
            form=form,
            final=final,
        )

    def networks_about(self, issuer: str) -> Sequence[Network]:
        return self.store.networks_about(issuer)

    def labels_of(self, issuer: str) -> Sequence[Label]:
        """Signed and not withdrawn."""
        return [
            label
            for network in self.store.networks_about(issuer)
            for label in self.store.labels_given(network.id)
            if label.issuer == issuer and label.embedded and label.withdrawn_at is None
        ]

    def label(self, label_id: uuid.UUID) -> Published:
        """The signed label; raises Gone if the network withdrew it."""
        label = self.store.label(label_id)
        if label.withdrawn_at is not None:
            raise Gone("Le réseau a retiré ce label.")
        if not label.embedded:
            raise NotFound("Ce label n’a pas été signé.")
        return Published.of(label.embedded, "application/vc+ld+json")


MOST_BYTES: Final = 4 * 1024 * 1024


class _Written(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WrittenLabel(_Written):
    category: LabelCategory
    starts_on: date | None = None
    ends_on: date | None = None
    note: str = Field("", max_length=300)


class WrittenEntry(_Written):
    issuer: str
    name: str
    short_name: str = Field("", max_length=20)
    domain: str = ""
    keys: tuple[str, ...] = ()
    standing: Standing = Standing.RECOGNISED
    reason: str = ""
    labels: Annotated[tuple[WrittenLabel, ...], Field(max_length=20)] = ()


class WrittenRegister(_Written):
    campuses: Annotated[tuple[WrittenEntry, ...], Field(max_length=2_000)]


def export_register(register: NetworkRegister, slug: str) -> str:
    """Hand-editable JSON; omits withdrawn labels."""
    page = register.page(slug)
    written = WrittenRegister(
        campuses=tuple(
            WrittenEntry(
                issuer=row.issuer,
                name=row.name,
                short_name=row.short_name,
                domain=row.domain,
                keys=tuple(row.keys),
                standing=row.standing,
                reason=row.reason,
                labels=tuple(
                    WrittenLabel(
                        category=each.category, starts_on=each.starts_on, ends_on=each.ends_on, note=each.note
                    )
                    for each in page.labels.get(row.issuer, ())
                    if each.withdrawn_at is None
                ),
            )
            for row in page.entries
        )
    )
    return written.model_dump_json(indent=2) + "\n"


def import_register(register: NetworkRegister, network: Network, text: bytes, *, by: Actor) -> int:
    """Returns the number of campuses in the file. Idempotent; campuses not in the file are unchanged."""
    if len(text) > MOST_BYTES:
        raise InvalidInput("Ce fichier est trop grand pour un registre.")
    try:
        written = WrittenRegister.model_validate_json(text)
    except ValidationError as error:
        fault = error.errors()[0]
        raise InvalidInput(
            "Ce fichier n’est pas un registre : à « {place} », {fault}",
            place=".".join(map(str, fault["loc"])) or "…",
            fault=fault["msg"],
        ) from error
    given = register.page(network.slug).labels
    for entry in written.campuses:
        named = Named(entry.issuer, entry.name, entry.short_name, entry.domain, entry.keys)
        row = register.write(network, named, by=by)
        if row.standing is not entry.standing:
            register.move(network, entry.issuer, entry.standing, entry.reason, by=by)
        known = {_facts(label) for label in given.get(entry.issuer, ()) if label.withdrawn_at is None}
        for label in entry.labels:
            if (label.category, label.starts_on, label.ends_on) not in known:
                register.give_label(
                    network,
                    entry.issuer,
                    label.category,
                    starts_on=label.starts_on,
                    ends_on=label.ends_on,
                    note=label.note,
                    by=by,
                )
    return len(written.campuses)


def _facts(label: Label) -> tuple[LabelCategory, date | None, date | None]:
    return label.category, label.starts_on, label.ends_on
