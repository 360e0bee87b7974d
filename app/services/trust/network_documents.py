"""What a network shows the world, byte for byte as signed: its keys, its list, its labels."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from app.db.trust.recognition import RecognitionStore
from app.domain.campus.campus import Label, Network
from app.domain.core.clock import Clock
from app.domain.publishing.addresses import Addresses
from app.errors import Gone, NotFound
from app.language import N_
from app.services.publishing.publication import Published
from app.services.trust.network_signing import NetworkSigning
from app.services.trust.partner_lists import PlaceAnchors, signed_list
from sceau_credentials.values.json_text import dump_json


class NetworkDocuments:
    def __init__(
        self,
        store: RecognitionStore,
        signing: NetworkSigning,
        anchors: PlaceAnchors,
        addresses: Addresses,
        clock: Clock,
    ) -> None:
        self.anchors = anchors
        self.store = store
        self.signing = signing
        self.addresses = addresses
        self.clock = clock

    def did(self, slug: str) -> Published:
        document = self.signing.document_of(self.store.network(slug))
        return Published.of(dump_json(document), "application/did+json")

    def trust_list(self, slug: str) -> Published:
        """The newest edition; the worker signs the next one before its time is over."""
        edition = self.store.edition_of(self.store.network(slug).id)
        if edition is None:
            raise NotFound(N_("Ce réseau n’a pas encore publié de liste."))
        return Published.of(edition.body, "application/vc+ld+json")

    def status_list(self, slug: str, form: str = "json", *, final: bool = False) -> Published:
        """Of the labels that the network gave: a bit is raised where it withdrew one."""
        network, at = self.store.network(slug), self.clock()
        if self.store.key_of(network.id) is None:
            raise NotFound(N_("Ce réseau n’a encore rien signé."))
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
        """The signed ones that were not withdrawn."""
        return [
            label
            for network in self.store.networks_about(issuer)
            for label in self.store.labels_given(network.id)
            if label.issuer == issuer and label.embedded and label.withdrawn_at is None
        ]

    def label(self, label_id: uuid.UUID) -> Published:
        """The signed label; gone where the network withdrew it."""
        label = self.store.label(label_id)
        if label.withdrawn_at is not None:
            raise Gone(N_("Le réseau a retiré ce label."))
        if not label.embedded:
            raise NotFound(N_("Ce label n’a pas été signé."))
        return Published.of(label.embedded, "application/vc+ld+json")
