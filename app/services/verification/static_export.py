"""Static export of a campus's public documents, and verification of an edition from its files alone."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial
from importlib.resources import files
from pathlib import Path
from typing import Final, Protocol

from app.db.awards import AwardRecord, AwardStore
from app.db.badges import BadgeStore
from app.db.campus import CampusStore, HistoryStore
from app.db.publishing import StatusStore
from app.domain.awards.open_badges import CONTEXT_PATH, SCHEMA_PATH
from app.domain.campus.audit_log import Actor
from app.domain.campus.campus import Campus
from app.domain.core import Clock
from app.domain.trust import TRUST_CONTEXT_PATH
from app.errors import NotFound
from app.services.activity_log.evidence import EvidenceDocuments, LogPublication
from app.services.publishing import OlderBadges, PublicationService, Published, Withdrawn
from app.services.publishing.status import StatusService
from app.services.trust.endorsements import EndorsementShowing
from app.services.trust.network_register import NetworkDocuments
from app.services.trust.organisations import OrganisationService
from app.services.verification.site_inputs import SiteInputs
from app.services.verification.verification import VerificationService
from sceau_credentials.errors import MalformedInput
from sceau_credentials.evidence.judging import EvidenceOutcome, judge_evidence
from sceau_credentials.values import DocumentSource
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.report import CheckId, Outcome, Report, Verdict
from sceau_credentials.verification.run_checks import verify, verify_endorsement

INDEX: Final = "index.json"
"""File name of a document with a URL that is also a folder: web servers must serve it as the index."""
_EVIDENCE: Final = {CONTEXT_PATH: "preuves-v1.jsonld", SCHEMA_PATH: "preuves-v1.schema.json"}
_AT_A_TIME: Final = 500
AWARD_FORMS: Final = ("json", "jwt", "png", "svg")
LIST_FILES: Final = {
    "json": "",
    "jwt": ".jwt",
    "statuslist": ".statuslist",
    "suspensions": ".suspensions",
    "suspensions.jwt": ".suspensions.jwt",
}
"""Each form of a status list, and the ending of its file."""
EXPORTED_FORMS: Final = ("json", "jwt")
"""Formats of an endorsement; one signed elsewhere only has its original format."""


@dataclass(frozen=True)
class ExportedFile:
    """`path`: the document's URL path, without the leading slash."""

    path: str
    body: bytes


@dataclass(frozen=True)
class ExportUnit:
    """Files that are made together. `inputs`: a digest of all they depend on; empty: they are made each time."""

    name: str
    inputs: str
    make: Callable[[], Iterable[ExportedFile]]

    def files(self) -> Iterator[tuple[str, bytes]]:
        return ((file.path, file.body) for file in self.make())


@dataclass(frozen=True, eq=False)
class StaticExport:
    campuses: CampusStore
    badges: BadgeStore
    awards: AwardStore
    statuses: StatusStore
    history: HistoryStore
    publication: PublicationService
    older_badges: OlderBadges
    evidence: EvidenceDocuments
    networks: NetworkDocuments
    endorsements: EndorsementShowing
    organisations: OrganisationService
    log: LogPublication
    status: StatusService
    verification: VerificationService
    inputs: SiteInputs
    clock: Clock

    def versions(self, campus: Campus) -> Sequence[tuple[uuid.UUID, int]]:
        """Every public badge version: (badge, number)."""
        return self.badges.frozen_of(campus.id)

    def documents(self, campus: Campus, *, final: bool) -> Iterator[ExportedFile]:
        """Everything except pages and awards; if `final`, status lists without expiry."""
        yield from self.documents_each_time(campus, final=final)
        for said in self.endorsements.readable_in(campus):
            yield from self.recommendation(said.id)
        for unit in self.log_files(campus):
            yield from unit.make()

    def documents_each_time(self, campus: Campus, *, final: bool) -> Iterator[ExportedFile]:
        """Documents that are few, or signed again while nothing changes."""
        place = f"campus/{campus.slug}"
        yield ExportedFile(f"{place}/did.json", self.publication.campus_did(campus.slug).body)
        yield ExportedFile(f"{place}/{INDEX}", self.publication.profile(campus.slug).body)
        yield ExportedFile(".well-known/did.json", self.publication.host_did().body)
        yield ExportedFile(".well-known/jwks.json", self.publication.jwks().body)
        for path, name in _EVIDENCE.items():
            yield ExportedFile(path.lstrip("/"), (files("sceau_credentials.evidence") / name).read_bytes())
        yield from self._trust(campus, final=final)
        yield from self._definitions(campus)
        yield from self._lists(campus, final=final)
        yield from self._organisations(campus, final=final)

    def documents_of(self, record: AwardRecord) -> Iterator[ExportedFile]:
        """An award in every format, and its evidence."""
        award_id, path = record.award.id, f"attributions/{record.award.id}"
        for form in AWARD_FORMS:
            yield ExportedFile(f"{path}.{form}", self.publication.award_file(record, form).body)
        yield ExportedFile(f"{path}.zip", self.verification.package_of(record).body)
        try:
            evidence = self.evidence.document(award_id).body
            yield ExportedFile(f"preuves/{award_id}/{INDEX}", evidence)
            yield ExportedFile(f"preuves/{award_id}/montrees", self.evidence.disclosure(award_id).body)
            yield ExportedFile(f"preuves/{award_id}/temoins", self.evidence.witnesses(award_id).body)
        except NotFound:
            pass
        yield from self._older(award_id)

    def note(self, campus: Campus, *, final: bool, by: Actor) -> None:
        """Record it in the campus's history: a final edition never expires."""
        action = "keep_for_ever" if final else "keep"
        self.history.write(by, action, "campus", campus.id, at=self.clock(), campus_id=campus.id)

    def _definitions(self, campus: Campus) -> Iterator[ExportedFile]:
        if campus.contact_email:
            yield ExportedFile(f"ob2/campus/{campus.slug}", self.older_badges.issuer(campus.slug).body)
        for badge_id, number in self.versions(campus):
            path = f"badges/{badge_id}/v{number}"
            _, definition = self.publication.definition(badge_id, number)
            yield ExportedFile(f"{path}/{INDEX}", definition.body)
            for form in ("png", "svg"):
                yield ExportedFile(
                    f"{path}/image.{form}", self.publication.picture(badge_id, number, form).body
                )
            yield ExportedFile(f"ob2/{path}", self.older_badges.badge_class(badge_id, number).body)

    def _trust(self, campus: Campus, *, final: bool) -> Iterator[ExportedFile]:
        """Who recognised the campus and its labels, as signed by those networks."""
        words = (files("sceau_credentials.trust") / "confiance-v1.jsonld").read_bytes()
        yield ExportedFile(TRUST_CONTEXT_PATH.lstrip("/"), words)
        for network in self.networks.networks_about(campus.did):
            place = f"reseau/{network.slug}"
            yield ExportedFile(f"{place}/did.json", self.networks.did(network.slug).body)
            yield ExportedFile(f"{place}/campus-reconnus.json", self.networks.trust_list(network.slug).body)
            standing = self.networks.status_list(network.slug, final=final)
            yield ExportedFile(f"{place}/statuts", standing.body)
        for label in self.networks.labels_of(campus.did):
            yield ExportedFile(f"labels/{label.id}/{INDEX}", self.networks.label(label.id).body)

    def _lists(self, campus: Campus, *, final: bool) -> Iterator[ExportedFile]:
        for list_id in self.statuses.ids_of(campus.id):
            if final:
                signed = self.status.final_edition(list_id)
                forms = {form: Published.of_list(signed, form).body for form in LIST_FILES}
            else:
                forms = {form: self.publication.status_list(list_id, form).body for form in LIST_FILES}
            for form, name in LIST_FILES.items():
                yield ExportedFile(f"statuts/{list_id}{name}", forms[form])

    def _organisations(self, campus: Campus, *, final: bool) -> Iterator[ExportedFile]:
        """The documents needed to verify endorsements by organisations."""
        signed_here, said_by = set(), set()
        for said in self.endorsements.readable_in(campus):
            said_by.add(said.organisation_id)
            if not said.foreign_issuer:
                signed_here.add(said.organisation_id)
        for number in sorted(said_by):
            place = f"organisations/{number}"
            yield ExportedFile(f"{place}/{INDEX}", self.organisations.profile(number).body)
            yield ExportedFile(f"{place}/did.json", self.organisations.did(number).body)
        for number in sorted(signed_here):
            standing = self.organisations.status_list(number, final=final)
            yield ExportedFile(f"organisations/{number}/statuts", standing.body)

    def recommendation(self, endorsement_id: uuid.UUID) -> Iterator[ExportedFile]:
        place = f"recommandations/{endorsement_id}"
        for form in EXPORTED_FORMS:
            try:
                body = self.endorsements.document(endorsement_id, form).body
            except NotFound:
                continue
            yield ExportedFile(f"{place}.{form}", body)
            if form == "json":
                yield ExportedFile(f"{place}/{INDEX}", body)

    def log_files(self, campus: Campus) -> Iterator[ExportUnit]:
        """Each file of the campus's logs; most of them never change, and are not even read."""
        for log in self.log.store.list_of(campus.id):
            public = self.log.published(campus, log)
            if public is None:
                continue
            folder = f"campus/{campus.slug}/journal" + (f"/{log.epoch}" if log.epoch > 1 else "")
            for path, body, never_changes in self.log.files(public):
                place = f"{folder}/{path}"
                inputs = self.inputs.of_fixed(log.id, path) if never_changes else ""
                yield ExportUnit(place, inputs, partial(_one_file, place, body))

    def _older(self, award_id: uuid.UUID) -> Iterator[ExportedFile]:
        """Open Badges 2.0 renditions, if the campus has the contact address that this version requires."""
        path = f"ob2/attributions/{award_id}"
        try:
            yield ExportedFile(path, self.older_badges.assertion(award_id).body)
            yield ExportedFile(f"{path}.png", self.older_badges.picture(award_id).body)
        except Withdrawn as withdrawn:
            yield ExportedFile(path, withdrawn.body)
        except NotFound:
            pass


def _one_file(path: str, body: Callable[[], bytes]) -> Iterator[ExportedFile]:
    yield ExportedFile(path, body())


_AWARD: Final = re.compile(rf"attributions/[0-9a-f-]{{36}}\.(?:{'|'.join(AWARD_FORMS)})")
_SAID: Final = re.compile(rf"recommandations/[0-9a-f-]{{36}}\.(?:{'|'.join(EXPORTED_FORMS)})")
_SIGNED: Final = re.compile(rf"{_AWARD.pattern}|{_SAID.pattern}")
_MAY_END: Final = frozenset({CheckId.VALIDITY, CheckId.STATUS})
_ENDED: Final = frozenset({Reason.EXPIRED.value, Reason.REVOKED.value, Reason.SUSPENDED.value})


class Written(Protocol):
    """What an export did to its folder."""

    @property
    def count(self) -> int:
        """Of all files."""
        ...

    @property
    def paths(self) -> Collection[str]:
        """Of the files that were made again, whether or not their bytes changed."""
        ...

    @property
    def removed(self) -> int: ...


class Folder(Protocol):
    @property
    def documents(self) -> DocumentSource: ...

    def write(
        self,
        host: str,
        slug: str,
        units: Sequence[ExportUnit],
        *,
        made_at: datetime,
        final: bool,
        anew: bool,
        each: Callable[[Sequence[ExportUnit]], Iterable[ExportUnit]],
    ) -> Written: ...

    def changed(self, among: Collection[str] | None) -> Iterator[str]: ...

    def files(self, pattern: re.Pattern[str]) -> Iterator[tuple[str, Path]]: ...


@dataclass(frozen=True)
class Finding:
    """The status of one signed file; `reasons`: those of the failed checks."""

    path: str
    verdict: Verdict
    standing: str
    """good, ended (expired or revoked), unknown, wrong; elsewhere: the signer publishes its own keys."""
    reasons: tuple[str, ...]

    @property
    def is_wrong(self) -> bool:
        return self.standing == "wrong"


@dataclass(frozen=True, eq=False)
class StaticEdition:
    folder: Folder

    def write(
        self,
        host: str,
        slug: str,
        units: Sequence[ExportUnit],
        *,
        made_at: datetime,
        final: bool,
        anew: bool = False,
        each: Callable[[Sequence[ExportUnit]], Iterable[ExportUnit]] = iter,
    ) -> Written:
        """Make what changed since the edition in the folder; all of it if `anew`. `each` shows the progress."""
        return self.folder.write(host, slug, units, made_at=made_at, final=final, anew=anew, each=each)

    def changed(self, among: Collection[str] | None = None) -> list[str]:
        """Files that are missing or not as they were written, of these paths or of all."""
        return list(self.folder.changed(among))

    def signed(self, among: Collection[str] | None = None) -> list[tuple[str, Path]]:
        """Every file that contains a badge or an endorsement, of these paths or of all."""
        found = self.folder.files(_SIGNED)
        return [(path, place) for path, place in found if among is None or path in among]

    def evaluate(self, path: str, place: Path, *, at: datetime) -> Finding:
        if _SAID.search(path):
            return self._recommendation(path, place, at=at)
        return self._award(path, place, at=at)

    def _recommendation(self, path: str, place: Path, *, at: datetime) -> Finding:
        try:
            answer = verify_endorsement(
                place.read_text("utf-8", errors="replace"), documents=self._documents, at=at
            )
        except MalformedInput as error:
            return Finding(path, Verdict.INVALID, "wrong", (error.reason,))
        match answer.outcome:
            case Outcome.PASSED:
                return Finding(path, Verdict.VALID, "good", ())
            case Outcome.FAILED:
                standing = "ended" if answer.reason in _ENDED else "wrong"
                return Finding(path, Verdict.INVALID, standing, (answer.reason,))
            case _:
                is_known = answer.reason != Reason.KEY_DOCUMENT_UNAVAILABLE.value
                standing = "unknown" if is_known else "elsewhere"
                return Finding(path, Verdict.UNDETERMINED, standing, (answer.reason,))

    def _award(self, path: str, place: Path, *, at: datetime) -> Finding:
        report = verify(place.read_bytes(), documents=self._documents, at=at)
        failed = tuple(check for check in report.checks if check.outcome is Outcome.FAILED)
        reasons = tuple(check.reason for check in failed)
        if report.verdict is Verdict.VALID:
            return self._with_evidence(path, report)
        if report.verdict is Verdict.UNDETERMINED:
            return Finding(path, report.verdict, "unknown", reasons)
        ended = all(check.id in _MAY_END for check in failed)
        return Finding(path, report.verdict, "ended" if ended else "wrong", reasons)

    def _with_evidence(self, path: str, report: Report) -> Finding:
        evidence = judge_evidence(report.document or {}, documents=self._documents)
        if evidence is not None and evidence.outcome is EvidenceOutcome.FAILED:
            return Finding(path, Verdict.INVALID, "wrong", (evidence.reason,))
        return Finding(path, report.verdict, "good", ())

    @cached_property
    def _documents(self) -> DocumentSource:
        return self.folder.documents
