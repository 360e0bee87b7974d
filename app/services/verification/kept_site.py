"""Everything public of a campus as files: any web server can serve them, and they are verified without this service."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from app.db.awards.awards import AwardRecord, AwardStore
from app.db.badges.badges import BadgeStore
from app.db.campus.campus import CampusStore
from app.db.campus.history import HistoryStore
from app.db.publishing.status import StatusStore
from app.domain.awards.evidence import CONTEXT_PATH, SCHEMA_PATH
from app.domain.campus.campus import Campus
from app.domain.campus.history import Actor
from app.domain.core.clock import Clock
from app.domain.trust.recognition import TRUST_CONTEXT_PATH
from app.errors import NotFound
from app.services.activity_log.evidence_documents import EvidenceDocuments
from app.services.activity_log.publication import LogPublication
from app.services.publishing.older_badges import OlderBadges, Withdrawn
from app.services.publishing.publication import PublicationService
from app.services.publishing.status import StatusService
from app.services.trust.endorsements import EndorsementShowing
from app.services.trust.network_documents import NetworkDocuments
from app.services.trust.organisations import OrganisationService
from app.services.verification.verification import VerificationService

INDEX: Final = "index.json"
"""Where a document lies whose address is a folder as well: web servers are told to look for that name."""
_EVIDENCE: Final = {CONTEXT_PATH: "preuves-v1.jsonld", SCHEMA_PATH: "preuves-v1.schema.json"}
_AT_A_TIME: Final = 500
AWARD_FORMS: Final = ("json", "jwt", "png", "svg")
SAID_FORMS: Final = ("json", "jwt")
"""Of what an organisation says; one signed elsewhere has only the form in which it came."""


@dataclass(frozen=True)
class KeptFile:
    """`path` is that of the document's own address, without a slash before it."""

    path: str
    body: bytes


class KeptSite:
    def __init__(
        self,
        campuses: CampusStore,
        badges: BadgeStore,
        awards: AwardStore,
        statuses: StatusStore,
        history: HistoryStore,
        publication: PublicationService,
        older_badges: OlderBadges,
        evidence: EvidenceDocuments,
        networks: NetworkDocuments,
        endorsements: EndorsementShowing,
        organisations: OrganisationService,
        log: LogPublication,
        status: StatusService,
        verification: VerificationService,
        clock: Clock,
    ) -> None:
        self.campuses = campuses
        self.badges = badges
        self.awards = awards
        self.statuses = statuses
        self.history = history
        self.publication = publication
        self.older_badges = older_badges
        self.evidence = evidence
        self.networks = networks
        self.endorsements = endorsements
        self.organisations = organisations
        self.log = log
        self.status = status
        self.verification = verification
        self.clock = clock

    def open_awards(self, campus: Campus) -> Iterator[AwardRecord]:
        """Those that their holders opened, withdrawn ones too: their page says that they no longer count."""
        after = uuid.UUID(int=0)
        while page := self.awards.open_ids(campus.id, after=after, limit=_AT_A_TIME):
            yield from self.awards.records_among(page, campus.id)
            after = page[-1]

    def versions(self, campus: Campus) -> Sequence[tuple[uuid.UUID, int]]:
        """Every version of a badge that the world may read: (badge, number)."""
        return self.badges.frozen_of(campus.id)

    def documents(self, campus: Campus, *, final: bool) -> Iterator[KeptFile]:
        """All but pages and awards; status lists without an end where nothing will be signed any more (`final`)."""
        place = f"campus/{campus.slug}"
        yield KeptFile(f"{place}/did.json", self.publication.campus_did(campus.slug).body)
        yield KeptFile(f"{place}/{INDEX}", self.publication.profile(campus.slug).body)
        yield KeptFile(".well-known/did.json", self.publication.host_did().body)
        yield KeptFile(".well-known/jwks.json", self.publication.jwks().body)
        for path, name in _EVIDENCE.items():
            yield KeptFile(path.lstrip("/"), (files("sceau_credentials.evidence") / name).read_bytes())
        yield from self._trust(campus, final=final)
        yield from self._definitions(campus)
        yield from self._lists(campus, final=final)
        yield from self._recommendations(campus, final=final)
        yield from self._log(campus)

    def documents_of(self, record: AwardRecord) -> Iterator[KeptFile]:
        """An award in every form, and what it rests on."""
        award_id, path = record.award.id, f"attributions/{record.award.id}"
        for form in AWARD_FORMS:
            yield KeptFile(f"{path}.{form}", self.publication.award_file(record, form).body)
        yield KeptFile(f"{path}.zip", self.verification.package_of(record).body)
        try:
            evidence = self.evidence.document(award_id).body
            yield KeptFile(f"preuves/{award_id}/{INDEX}", evidence)
            yield KeptFile(f"preuves/{award_id}/montrees", self.evidence.disclosure(award_id).body)
            yield KeptFile(f"preuves/{award_id}/temoins", self.evidence.witnesses(award_id).body)
        except NotFound:
            pass
        yield from self._older(award_id)

    def note(self, campus: Campus, *, final: bool, by: Actor) -> None:
        """In the campus's history: a final edition says for ever what it says today."""
        deed = "keep_for_ever" if final else "keep"
        self.history.write(by, deed, "campus", campus.id, at=self.clock(), campus_id=campus.id)

    def _definitions(self, campus: Campus) -> Iterator[KeptFile]:
        if campus.contact_email:
            yield KeptFile(f"ob2/campus/{campus.slug}", self.older_badges.issuer(campus.slug).body)
        for badge_id, number in self.versions(campus):
            path = f"badges/{badge_id}/v{number}"
            _, definition = self.publication.definition(badge_id, number)
            yield KeptFile(f"{path}/{INDEX}", definition.body)
            for form in ("png", "svg"):
                yield KeptFile(f"{path}/image.{form}", self.publication.picture(badge_id, number, form).body)
            yield KeptFile(f"ob2/{path}", self.older_badges.badge_class(badge_id, number).body)

    def _trust(self, campus: Campus, *, final: bool) -> Iterator[KeptFile]:
        """Who recognised the campus and which labels it had, as those networks signed it."""
        words = (files("sceau_credentials.trust") / "confiance-v1.jsonld").read_bytes()
        yield KeptFile(TRUST_CONTEXT_PATH.lstrip("/"), words)
        for network in self.networks.networks_about(campus.did):
            place = f"reseau/{network.slug}"
            yield KeptFile(f"{place}/did.json", self.networks.did(network.slug).body)
            yield KeptFile(f"{place}/campus-reconnus.json", self.networks.trust_list(network.slug).body)
            standing = self.networks.status_list(network.slug, final=final)
            yield KeptFile(f"{place}/statuts", standing.body)
        for label in self.networks.labels_of(campus.did):
            yield KeptFile(f"labels/{label.id}/{INDEX}", self.networks.label(label.id).body)

    def _lists(self, campus: Campus, *, final: bool) -> Iterator[KeptFile]:
        for list_id in self.statuses.ids_of(campus.id):
            if final:
                signed = self.status.final_edition(list_id)
                embedded, token = signed.embedded, signed.token.encode()
            else:
                embedded = self.publication.status_list(list_id).body
                token = self.publication.status_list(list_id, "jwt").body
            yield KeptFile(f"statuts/{list_id}", embedded)
            yield KeptFile(f"statuts/{list_id}.jwt", token)

    def _recommendations(self, campus: Campus, *, final: bool) -> Iterator[KeptFile]:
        """What organisations say of it, as they signed it, and what it takes to verify that."""
        signed_here, said_by = set(), set()
        for said in self.endorsements.readable_in(campus):
            said_by.add(said.organisation_id)
            if not said.foreign_issuer:
                signed_here.add(said.organisation_id)
            yield from self._recommendation(said.id)
        for number in sorted(said_by):
            place = f"organisations/{number}"
            yield KeptFile(f"{place}/{INDEX}", self.organisations.profile(number).body)
            yield KeptFile(f"{place}/did.json", self.organisations.did(number).body)
        for number in sorted(signed_here):
            standing = self.organisations.status_list(number, final=final)
            yield KeptFile(f"organisations/{number}/statuts", standing.body)

    def _recommendation(self, endorsement_id: uuid.UUID) -> Iterator[KeptFile]:
        place = f"recommandations/{endorsement_id}"
        for form in SAID_FORMS:
            try:
                body = self.endorsements.document(endorsement_id, form).body
            except NotFound:
                continue
            yield KeptFile(f"{place}.{form}", body)
            if form == "json":
                yield KeptFile(f"{place}/{INDEX}", body)

    def _log(self, campus: Campus) -> Iterator[KeptFile]:
        for log in self.log.store.list_of(campus.id):
            public = self.log.published(campus, log)
            if public is None:
                continue
            folder = f"campus/{campus.slug}/journal" + (f"/{log.epoch}" if log.epoch > 1 else "")
            for path, body, _never_changes in self.log.files(public):
                yield KeptFile(f"{folder}/{path}", body)

    def _older(self, award_id: uuid.UUID) -> Iterator[KeptFile]:
        """In Open Badges 2.0 too, where the campus gives the address that this version asks for."""
        path = f"ob2/attributions/{award_id}"
        try:
            yield KeptFile(path, self.older_badges.assertion(award_id).body)
            yield KeptFile(f"{path}.png", self.older_badges.picture(award_id).body)
        except Withdrawn as withdrawn:
            yield KeptFile(path, withdrawn.body)
        except NotFound:
            pass
