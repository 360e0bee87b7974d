"""An employer asks: is this credential genuine, and still good?"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from app.adapters.picture_codes import ReadCode
from app.db.awards.awards import AwardRecord, AwardStore
from app.db.campus.campus import CampusStore
from app.domain.awards.awards import Visibility, check_aligned
from app.domain.campus.campus import Campus
from app.domain.core import UNSHARED, Clock, Snapshot
from app.domain.publishing import Addresses, ids_of_code
from app.errors import AppError, Gone
from app.services.activity_log.evidence import EvidenceDocuments, LogPublication
from app.services.publishing.publication import OlderBadges, PublicationService, Published, Withdrawn
from app.services.trust.endorsements import EndorsementDocuments
from app.services.trust.network_register import NetworkDocuments
from app.services.trust.organisations import OrganisationService
from app.services.verification.issuer_standing import IssuerStanding, IssuerStandings, is_listed, keys_in
from app.services.verification.metrics import note_verdict
from app.services.verification.presented import CARRIERS, Lead, LeadKind, lead_of_carrier, lead_of_link
from sceau_credentials.baking import unbake
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import CredentialError, DocumentUnavailable, ImageError, MalformedInput
from sceau_credentials.evidence.judging import EvidenceReport, judge_evidence
from sceau_credentials.package import Anchors, make_package, open_package, verify_package
from sceau_credentials.package.reading import SIGNATURE as PACKAGE
from sceau_credentials.trust import Entry
from sceau_credentials.values.documents import DocumentSource, FetchedDocument, NoDocuments
from sceau_credentials.values.timestamps import parse_timestamp
from sceau_credentials.verification.answers import FetchBudget, Policy
from sceau_credentials.verification.findings import Reason
from sceau_credentials.verification.other_documents import OtherDocument, verify_other
from sceau_credentials.verification.report import CheckId, Outcome, Report, Verdict
from sceau_credentials.verification.run_checks import verify

_BADGES = "application/vc+jwt, application/vc, application/ld+json, application/json;q=0.9, image/png, image/svg+xml, text/plain;q=0.5"

_LONGEST_TEXT = 300_000
_OF_ONE_AWARD = ("/preuves/", "/ob2/", "/recommandations/")
"""Documents that few pages ask for: not worth remembering for others."""


@dataclass(frozen=True)
class Answer:
    """What was found, and what we know of it beyond the credential itself.

    `closed` says that the thing asked about is an award whose holder keeps its page shut: then there is
    no report. `campus` is the issuer when it is one of ours; `record` the award when we signed it.
    """

    report: Report | None
    record: AwardRecord | None = None
    campus: Campus | None = None
    closed: bool = False
    elsewhere: str = ""
    """A link to another service, which led to no badge."""
    unread: str = ""
    """Why the document at that link is missing, as `DocumentUnavailable` has it."""
    evidence: EvidenceReport | None = None
    """What the issuer's log proves, where somebody asked for it."""
    standing: IssuerStanding | None = None
    """Who the issuer is by the registers believed here; None where there are none."""
    replaced_at: datetime | None = None
    """When the award was signed anew, where what was presented is an earlier edition of it."""
    packed_at: datetime | None = None
    """When the documents were gathered that the answer rests on, where they came in a package."""
    lead: Lead | None = None
    """Where the document that was presented is not what was verified: how it leads to the badge that was."""
    other: OtherDocument | None = None
    """What was presented is no badge but another document that is known here."""
    is_by_stranger: bool = False
    """`other` is of an issuer that is neither of this service nor in a register believed here."""
    text: str = ""
    """The credential that was checked, out of the picture or the page it came in; empty where it is too long."""

    @property
    def verdict(self) -> Verdict:
        """Of what was presented: a document that only leads to a badge was not verified, whatever the badge is.

        A picture is how Open Badges are handed on, so that its verdict is the badge's; a page around a bad badge is bad.
        """
        if self.report is None:
            return Verdict.UNDETERMINED
        if self.lead is not None:
            kind, found = self.lead.kind, self.report.verdict
            is_badge_s = kind is LeadKind.PICTURE or (kind is LeadKind.ATTACHED and found is Verdict.INVALID)
            return found if is_badge_s else Verdict.UNDETERMINED
        if self.other is not None:
            return _VERDICTS.get(self.other.outcome, Verdict.UNDETERMINED)
        return self.report.verdict


_VERDICTS: Final = {Outcome.PASSED: Verdict.VALID, Outcome.FAILED: Verdict.INVALID}


class _Opened:
    """What a link led to, and whatever else is asked for: three documents in all, the first included (T49)."""

    def __init__(self, link: str, documents: FetchBudget) -> None:
        self.first = documents.fetch(link, accept=_BADGES)
        self._addresses = (link, self.first.url)
        self._documents = documents

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        return self.first if url in self._addresses else self._documents.fetch(url, accept=accept)


class OwnDocuments:
    """Our own DID documents and status lists straight from the services; others from `beyond`."""

    def __init__(
        self,
        publication: PublicationService,
        older_badges: OlderBadges,
        evidence: EvidenceDocuments,
        logs: LogPublication,
        networks: NetworkDocuments,
        organisations: OrganisationService,
        endorsements: EndorsementDocuments,
        addresses: Addresses,
        beyond: DocumentSource,
        snapshot: Snapshot = UNSHARED,
    ) -> None:
        self.snapshot = snapshot
        self.networks = networks
        self.publication = publication
        self.older_badges = older_badges
        self.evidence = evidence
        self.logs = logs
        self.organisations = organisations
        self.endorsements = endorsements
        self.addresses = addresses
        self.beyond = beyond

    def alone(self) -> OwnDocuments:
        """The same without others': nobody waits for another server."""
        return OwnDocuments(
            self.publication,
            self.older_badges,
            self.evidence,
            self.logs,
            self.networks,
            self.organisations,
            self.endorsements,
            self.addresses,
            NoDocuments(),
            self.snapshot,
        )

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        if self.names_us(url):
            path = urlsplit(url).path
            try:
                if (award_id := _award_proved_at(path)) is not None:
                    evidence = self.evidence.evidence(award_id)
                    return FetchedDocument(url, evidence.to_bytes(), holds=evidence)
                if path.startswith(_OF_ONE_AWARD):
                    return FetchedDocument(url, self._own(path))
                return FetchedDocument(
                    url, self.snapshot.until_commit(("document", path), lambda: self._own(path))
                )
            except (Withdrawn, Gone) as error:
                raise DocumentUnavailable(url, "gone") from error
            except AppError as error:
                raise DocumentUnavailable(url, "not_found") from error
        return self.beyond.fetch(url, accept=accept)

    def names_us(self, url: str) -> bool:
        # did:web always says https, even of a service that runs on localhost over http (L-001).
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return (
            parts.scheme in ("https", urlsplit(self.addresses.base_url).scheme)
            and parts.netloc == self.addresses.host
        )

    def _own(self, path: str) -> bytes:
        match path.strip("/").split("/"):
            case ["campus", slug, "did.json"]:
                return self.publication.campus_did(slug).body
            case ["reseau", slug, "did.json"]:
                return self.networks.did(slug).body
            case ["reseau", slug, "campus-reconnus.json"]:
                return self.networks.trust_list(slug).body
            case ["reseau", slug, "statuts"]:
                return self.networks.status_list(slug).body
            case ["labels", label_id]:
                return self.networks.label(_uuid(label_id)).body
            case [".well-known", "did.json"]:
                return self.publication.host_did().body
            case [".well-known", "jwks.json"]:
                return self.publication.jwks().body
            case ["statuts", list_id]:
                return self.publication.status_list(_uuid(list_id)).body
            case ["recommandations", endorsement]:
                named, dot, form = endorsement.partition(".")
                return self._endorsement(_uuid(named), form if dot else "")
            case ["organisations", organisation_id, "did.json"]:
                return self.organisations.did(_uuid(organisation_id)).body
            case ["organisations", organisation_id, "statuts"]:
                return self.organisations.status_list(_uuid(organisation_id)).body
            case ["preuves", award_id, "montrees"]:
                return self.evidence.disclosure(_uuid(award_id)).body
            case ["preuves", award_id, "temoins"]:
                return self.evidence.witnesses(_uuid(award_id)).body
            case ["campus", slug, "journal", *file]:
                return self.logs.file(slug, "/".join(file)).document.body
            case ["ob2", "attributions", award_id]:
                return self.older_badges.assertion(_uuid(award_id)).body
            case ["ob2", "badges", badge_id, version] if version[:1] == "v" and version[1:].isdecimal():
                return self.older_badges.badge_class(_uuid(badge_id), int(version[1:6])).body
            case ["ob2", "campus", slug]:
                return self.older_badges.issuer(slug).body
        raise DocumentUnavailable(path, "not_found")

    def _endorsement(self, endorsement_id: uuid.UUID, form: str) -> bytes:
        if form in ("json", "jwt"):
            return self.endorsements.document(endorsement_id, form).body
        return self.endorsements.in_any_form(endorsement_id).body


def _award_proved_at(path: str) -> uuid.UUID | None:
    """The award whose evidence document lies there; None for any other path."""
    match path.strip("/").split("/"):
        case ["preuves", award_id]:
            return _uuid(award_id)
    return None


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise DocumentUnavailable(text, "not_found") from error


class VerificationService:
    def __init__(
        self,
        awards: AwardStore,
        campuses: CampusStore,
        publication: PublicationService,
        older_badges: OlderBadges,
        evidence: EvidenceDocuments,
        logs: LogPublication,
        networks: NetworkDocuments,
        standings: IssuerStandings,
        organisations: OrganisationService,
        endorsements: EndorsementDocuments,
        addresses: Addresses,
        beyond: DocumentSource,
        inspect: Callable[[bytes], ReadCode],
        is_own_paper: Callable[[bytes], bool],
        keys_of_witnesses: Callable[[], Sequence[str]],
        clock: Clock,
        snapshot: Snapshot = UNSHARED,
    ) -> None:
        self.snapshot = snapshot
        self.standings = standings
        self.awards = awards
        self.campuses = campuses
        self.publication = publication
        self.addresses = addresses
        self.documents = OwnDocuments(
            publication,
            older_badges,
            evidence,
            logs,
            networks,
            organisations,
            endorsements,
            addresses,
            beyond,
            snapshot,
        )
        self.inspect = inspect
        self.is_own_paper = is_own_paper
        self.keys_of_witnesses = keys_of_witnesses
        self.clock = clock

    def verify_document(self, presented: bytes) -> Answer:
        """A file as it was deposited: of one that holds no badge, what it leads to; of another what its look is worth.

        The report is that of the badge; `lead` says that the document itself was not verified: every one but those
        that this service made, to the byte.
        """
        answer = self.verify(presented)
        report = answer.report
        if report is None:
            return answer
        if report.check(CheckId.READABLE).outcome is not Outcome.PASSED:
            return self._led_by(presented) or answer
        return self._carried(presented, answer)

    def _carried(self, presented: bytes, answer: Answer) -> Answer:
        report = answer.report
        if report is None or report.document is None or report.container not in CARRIERS:
            return answer
        if self._is_own(presented, answer):
            return answer
        text = self.inspect(presented).text if report.container == "pdf" else ""
        return replace(answer, lead=lead_of_carrier(report.container, text, report.document))

    def _is_own(self, presented: bytes, answer: Answer) -> bool:
        """Whether every byte is as this service hands it out: a sealed paper, or the picture of the award."""
        report = answer.report
        if report is None or answer.campus is None:
            return False
        if report.container == "pdf":
            return self.is_own_paper(presented)
        if answer.record is not None:
            return self.publication.award_file(answer.record, report.container).body == presented
        identifier = str((report.document or {}).get("id"))
        if not identifier.startswith(self.addresses.older_awards):
            return False
        try:
            award_id = _uuid(identifier.removeprefix(self.addresses.older_awards))
            return self.documents.older_badges.picture(award_id).body == presented
        except (AppError, DocumentUnavailable):
            return False

    def _led_by(self, presented: bytes) -> Answer | None:
        seen = self.inspect(presented)
        for kind, texts in (
            (LeadKind.CODE, seen.codes),
            (LeadKind.LINK, [*seen.links, *_links_in(seen.text)]),
        ):
            link = self._best_link(texts, any_site=kind is LeadKind.CODE)
            if link:
                answer = self.verify(link)
                return replace(answer, lead=lead_of_link(kind, link, seen.text, answer.report))
        return None

    def _best_link(self, texts: Sequence[str], *, any_site: bool) -> str:
        """The address of one of our badges before others; of a page's links another site's only where it is alone."""
        links = [text for text in texts if text.startswith(("http://", "https://"))]
        ours = [text for text in links if self.addresses.is_ours(text)]
        of_awards = [
            text for text in ours if self.addresses.award_named_by(text) or self.addresses.code_named_by(text)
        ]
        others = ours + links if any_site or len(set(links)) == 1 else []
        return next(iter([*of_awards, *others]), "")

    def verify(self, presented: bytes | str, policy: Policy | None = None) -> Answer:
        """Check a file or a text; a link to one of our awards is checked as that award."""
        if isinstance(presented, bytes) and presented.startswith(PACKAGE):
            packed = self._verify_package(presented, policy)
            if packed is not None:
                return packed
        link, policy = _link_in(presented), self.standings.trusting(policy or Policy())
        if link is not None:
            return self._verify_link(link, policy)
        return self._answer_about(presented, policy, self.documents)

    def _answer_about(
        self, presented: bytes | str, policy: Policy, documents: DocumentSource, served_by: str = ""
    ) -> Answer:
        report = verify(presented, documents=documents, at=self.clock(), policy=policy)
        answer = self._answer(report, presented)
        if report.check(CheckId.READABLE).reason not in (Reason.NOT_AN_OPEN_BADGE_3, Reason.TOO_LARGE):
            return answer
        other = verify_other(presented, documents=documents, at=self.clock(), served_by=served_by)
        return replace(
            answer, other=other, is_by_stranger=other is not None and not self._is_known(other.issuer)
        )

    def _is_known(self, issuer: str) -> bool:
        if is_listed(self.standings.lists(), issuer, at=self.clock()):
            return True
        try:
            return issuer.startswith("did:web:") and self.documents.names_us(did_web_document_url(issuer))
        except CredentialError:
            return False

    def _verify_package(self, presented: bytes, policy: Policy | None) -> Answer | None:
        """The badge in it by what is published now; where that is out of reach, by the package, and by keys and
        witnesses of logs that are known here.

        None for what is no package.
        """
        try:
            package = open_package(presented)
        except MalformedInput:
            return None
        answer = self.verify(package.badge, policy)
        if answer.campus is not None or answer.report is None:
            return answer
        if answer.report.verdict is not Verdict.UNDETERMINED:
            return answer
        at = self.clock()
        witnesses = frozenset(self.keys_of_witnesses())
        anchors = Anchors(witnesses=witnesses).with_keys(keys_in(self.standings.lists(), at=at))
        found = verify_package(package, anchors=anchors, at=at, policy=policy)
        if found.report.document is None:
            return answer
        packed = self._answer(found.report, package.badge)
        return replace(packed, evidence=found.evidence, packed_at=min(package.made_at, at))

    def _verify_link(self, link: str, policy: Policy) -> Answer:
        award_id = self.addresses.award_named_by(link) or self._award_of_code(link)
        record = self.awards.find_record(award_id) if award_id else None
        if record is None:
            return self._open(link, policy)
        if record.award.visibility is not Visibility.OPEN:
            return Answer(None, campus=record.campus, closed=True)
        return self.verify_award(record, policy)

    def _award_of_code(self, link: str) -> uuid.UUID | None:
        ends = ids_of_code(self.addresses.code_named_by(link))
        return self.awards.find_between(*ends) if ends else None

    def _open(self, link: str, policy: Policy) -> Answer:
        """Another service's link is read as guardedly as a key; of ours only what this service signs or publishes."""
        opened: DocumentSource = self.documents
        is_ours, unread = self.addresses.is_ours(link), ""
        try:
            if is_ours:
                served = opened.fetch(link)
            else:
                opened = _Opened(link, FetchBudget(self.documents, policy.max_fetches))
                served = opened.first
        except DocumentUnavailable as error:
            unread = error.reason
        else:
            answer = self._answer_about(served.body, policy, opened, served_by=served.url)
            return self._carried(served.body, answer)
        report = verify(link, documents=self.documents, at=self.clock(), policy=policy)
        return Answer(report, elsewhere="" if is_ours else link, unread=unread)

    def verify_award(self, record: AwardRecord, policy: Policy | None = None) -> Answer:
        """Check the stored bytes of one of our own awards, now, as anybody would."""
        check_aligned(record.award)
        embedded = self.awards.document_of(record.award.id).embedded
        report = verify(embedded, documents=self.documents, at=self.clock(), policy=policy or Policy())
        return self._answer(report, embedded, record)

    def evidence_of(self, answer: Answer) -> EvidenceReport | None:
        """What the campus's log proves of a genuine badge of ours; of others' nothing is fetched for it."""
        document = answer.report.document if answer.report else None
        if answer.evidence is not None:
            return answer.evidence
        if document is None or answer.campus is None or answer.replaced_at is not None:
            # An earlier edition names evidence by a digest that the newest one has taken the place of.
            return None
        return judge_evidence(document, documents=self.documents)

    def package_of(self, record: AwardRecord) -> Published:
        """One file to verify this award again without a network, as things stand now."""
        check_aligned(record.award)
        return self._package(self.awards.document_of(record.award.id).embedded)

    def package_of_text(self, credential: str) -> Published:
        """The same for a badge of anybody, as it was presented."""
        return self._package(credential.encode())

    def _package(self, credential: bytes) -> Published:
        package = make_package(credential, documents=self.documents, at=self.clock())
        return Published.of(package, "application/zip")

    def _own_campuses(self) -> list[Entry]:
        return [Entry(each.did, each.name, short_name=each.short_name) for each in self.campuses.list_all()]

    def _own_issuer(self, report: Report) -> Campus | None:
        """The campus of this service that issued it; in Open Badges 2.0 it is named by the address of its profile."""
        if not report.issuer:
            return None
        base = f"{self.addresses.base_url}/ob2/campus/"
        if report.issuer.startswith(base):
            return self.campuses.find(report.issuer.removeprefix(base))
        return self._campus_of(report.issuer)

    def _answer(
        self, report: Report, presented: bytes | str, asked_about: AwardRecord | None = None
    ) -> Answer:
        """`asked_about`: an award that was read already, if it is the one that the credential names."""
        note_verdict(report.verdict.value, report.form)
        campus = self._own_issuer(report)
        identifier = (report.document or {}).get("id")
        award_id = self.addresses.award_named_by(identifier) if isinstance(identifier, str) else None
        if asked_about is not None and award_id == asked_about.award.id:
            record = asked_about if campus else None
        else:
            record = self.awards.find_record(award_id) if award_id and campus else None
        replaced_at = _replaced_at(report, record) if record else None
        return Answer(
            report,
            record,
            campus,
            standing=self.standings.of(report, campuses=() if campus else self._own_campuses()),
            replaced_at=replaced_at,
            text=_credential_in(presented),
        )

    def _campus_of(self, did: str) -> Campus | None:
        return self.snapshot.until_commit(("campus", did), lambda: self.campuses.find_by_did(did))


def _replaced_at(report: Report, record: AwardRecord) -> datetime | None:
    """Of two editions of one badge the one with the later `validFrom` is the newer (A-034)."""
    said = (report.document or {}).get("validFrom")
    newest = record.award.reissued_at
    if newest is None or not isinstance(said, str):
        return None
    try:
        return newest if parse_timestamp(said) < newest else None
    except MalformedInput:
        return None


def _credential_in(presented: bytes | str) -> str:
    """The text of what was presented, out of its picture; empty for what is no text, or more than a page may hold."""
    try:
        if isinstance(presented, bytes):
            presented = _unbaked(presented)
    except (ImageError, UnicodeDecodeError):
        return ""
    return presented if len(presented) <= _LONGEST_TEXT else ""


def _unbaked(presented: bytes) -> str:
    if presented.lstrip()[:1] in (b"{", b"e"):
        return presented.decode()
    return unbake(presented).text


_WRITTEN_LINK: Final = re.compile(r"(?:https?://)?[\w.:-]+/(?:v|attributions)/[\w‐‑–—-]+")


def _links_in(text: str) -> list[str]:
    """Addresses as paper has them, most often without a scheme."""
    found = _WRITTEN_LINK.findall(text)
    return [
        address
        for each in found
        for address in ([each] if "://" in each else [f"https://{each}", f"http://{each}"])
    ]


def _link_in(presented: bytes | str) -> str | None:
    """The address that was given instead of a badge; of a did:web, that of its document."""
    text = presented if isinstance(presented, str) else presented[:2048].decode("utf-8", errors="replace")
    text = text.strip()
    if text.startswith("did:web:"):
        try:
            return did_web_document_url(text)
        except CredentialError:
            return None
    return (
        text
        if text.startswith(("https://", "http://")) and len(text) < 2048 and not any(map(str.isspace, text))
        else None
    )
