"""The register of campuses that a network recognises: written here, and published as a list that the network signs."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from app.db.campus.history import HistoryStore
from app.db.trust.recognition import RecognitionStore
from app.domain.campus.campus import Label, LabelCategory, Network
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.core.signed_text import check_signed_name, name_as_listed, name_as_signed
from app.domain.publishing.addresses import Addresses
from app.domain.trust.recognition import (
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
from app.errors import NotFound
from app.language import N_
from app.services.trust.labels import LabelService
from app.services.trust.network_signing import NetworkSigning
from sceau_credentials.trust.lists import Entry, Standing, TrustList, sign_trust_list


@dataclass(frozen=True)
class Named:
    """What a register says of one campus, as it was typed."""

    issuer: str
    name: str
    short_name: str = ""
    domain: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class RegisterPage:
    """A network and all that it recognises, with the labels it gave by the campus that has them."""

    network: Network
    did: str
    key: str
    """The public key as Multikey, to be handed to those who follow the list; empty while there is none."""
    edition: TrustEdition | None
    entries: Sequence[Recognition]
    labels: dict[str, list[Label]]
    former: Sequence[NetworkKey] = ()
    """Keys that gave way, or were found stolen; the newest first."""


class NetworkRegister:
    def __init__(
        self,
        store: RecognitionStore,
        labels: LabelService,
        signing: NetworkSigning,
        history: HistoryStore,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.store = store
        self.labels = labels
        self.signing = signing
        self.history = history
        self.addresses = addresses
        self.clock = clock

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
        """Recognise a campus, or put right what the register says of it; the same again changes nothing."""
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
        """A label for a campus of the register; the list says so at once."""
        self.store.hold(network.id)
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
        """Sign the next edition: same address, larger number."""
        self.store.hold(network.id)
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
        if edition is None:
            edition = TrustEdition(
                network_id=network.id, sequence=0, signed_at=at, valid_until=at, content="", body=b""
            )
        edition.sequence, edition.body, edition.content = listed.sequence, body, _content(network, entries)
        edition.signed_at, edition.valid_until = at, listed.valid_until
        self.store.add(edition)
        return edition

    def due(self) -> list[uuid.UUID]:
        """Networks whose list is a day old, or no longer says what the register says."""
        return [network.id for network in self.store.networks() if self._is_due(network)]

    def renew(self, network_id: uuid.UUID) -> None:
        """The next edition, and a signature for labels that were only written down so far."""
        self.store.hold(network_id)
        network = self.store.network_by_id(network_id)
        if not self._is_due(network):
            return
        names = {entry.issuer: entry.name for entry in self.store.entries_of(network_id)}
        for label in self.store.labels_given(network_id):
            # Those of before there was a status list are signed anew, with a place in it.
            if label.position is None and label.withdrawn_at is None and label.issuer in names:
                self.labels.sign(label, names[label.issuer], network)
                self.store.add(label)
        self.publish(network)

    def _is_due(self, network: Network) -> bool:
        edition = self.store.edition_of(network.id)
        if edition is None:
            return bool(self.store.entries_of(network.id))
        if self.clock() >= edition.signed_at + RENEWED_AFTER:
            return True
        return edition.content != _content(network, self._entries(network))

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
            raise NotFound(N_("Ce campus n’est pas dans le registre du réseau."))
        return entry

    def _keep(self, network: Network, entry: Recognition, deed: str, by: Actor) -> None:
        self.store.add(entry)
        self.history.write(by, deed, "recognition", entry.id, at=self.clock())
        self.publish(network)


def _said(entry: Recognition) -> Named:
    return Named(entry.issuer, entry.name, entry.short_name, entry.domain, tuple(entry.keys))


def _content(network: Network, entries: Sequence[Entry]) -> str:
    return hashlib.sha256(repr((network.name, entries)).encode()).hexdigest()
