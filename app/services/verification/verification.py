"""Verification for employers: is this credential genuine and valid?"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

from app.adapters.picture_codes import PictureCodes, ReadCode
from app.adapters.web_documents import WebDocuments
from app.db.activity_log import LogWatchStore
from app.db.awards import AwardRecord, AwardStore
from app.db.campus import CampusStore
from app.domain.awards import Award, AwardState, Visibility, check_aligned, is_suspended
from app.domain.campus.campus import Campus
from app.domain.core import UNSHARED, Clock, Snapshot
from app.domain.publishing import Addresses, ids_of_code, short_code
from app.errors import AppError, Gone, Unavailable
from app.services.activity_log.evidence import EvidenceDocuments, LogPublication
from app.services.awards.papers import is_sealed
from app.services.publishing import OlderBadges, PublicationService, Published, Withdrawn
from app.services.trust.endorsements import EndorsementDocuments
from app.services.trust.network_register import NetworkDocuments
from app.services.trust.organisations import OrganisationService
from app.services.verification.answers import Answer, is_listed, keys_in
from app.services.verification.issuer_standing import IssuerStandings
from app.services.verification.presented import (
    CARRIERS,
    LeadKind,
    lead_of_carrier,
    lead_of_copy,
    lead_of_link,
)
from app.telemetry import note_verdict
from sceau_credentials.baking import unbake
from sceau_credentials.dids import did_web_document_url
from sceau_credentials.errors import CredentialError, DocumentUnavailable, ImageError, MalformedInput
from sceau_credentials.evidence.judging import judge_evidence
from sceau_credentials.package import SIGNATURE as PACKAGE
from sceau_credentials.package import Anchors, make_package, open_package, verify_package
from sceau_credentials.trust import Entry
from sceau_credentials.values import DocumentSource, FetchedDocument, NoDocuments, parse_timestamp
from sceau_credentials.verification.answers import FetchBudget, Policy, SignatureState
from sceau_credentials.verification.findings import Reason, found
from sceau_credentials.verification.other_documents import verify_other
from sceau_credentials.verification.report import CheckId, EndorsementAnswer, Outcome, Report, Verdict
from sceau_credentials.verification.run_checks import verify

_BADGES = "application/vc+jwt, application/vc, application/ld+json, application/json;q=0.9, image/png, image/svg+xml, text/plain;q=0.5"

_LONGEST_TEXT = 300_000
_UNSIGNED: Final = (SignatureState.FALSE, SignatureState.NOT_CHECKABLE)
_UNSIGNED_REASONS: Final = frozenset({Reason.SIGNATURE_MISMATCH, Reason.KEY_NOT_FOUND})
_OF_ONE_AWARD = ("/preuves/", "/ob2/", "/recommandations/")
"""Documents needed by few pages: not worth caching."""


def _is_unsigned(answer: EndorsementAnswer) -> bool:
    return answer.outcome is Outcome.FAILED and answer.reason in _UNSIGNED_REASONS


class _Opened:
    """The document behind a link, and related ones: at most three in total, including the first (T49)."""

    def __init__(self, link: str, documents: FetchBudget) -> None:
        self.first = documents.fetch(link, accept=_BADGES)
        self._addresses = (link, self.first.url)
        self._documents = documents

    def fetch(self, url: str, *, accept: str = "application/json") -> FetchedDocument:
        return self.first if url in self._addresses else self._documents.fetch(url, accept=accept)


@dataclass(frozen=True, eq=False)
class OwnDocuments:
    """Our own DID documents and status lists directly from the services; others from `beyond`."""

    publication: PublicationService
    older_badges: OlderBadges
    evidence: EvidenceDocuments
    logs: LogPublication
    networks: NetworkDocuments
    organisations: OrganisationService
    endorsements: EndorsementDocuments
    addresses: Addresses
    beyond: DocumentSource
    snapshot: Snapshot = UNSHARED

    def alone(self) -> OwnDocuments:
        """Own documents only: never waits for a remote server."""
        return replace(self, beyond=NoDocuments())

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
            except Unavailable as error:
                # An outage of ours, as one of any other host.
                raise DocumentUnavailable(url) from error
            except AppError as error:
                raise DocumentUnavailable(url, "not_found") from error
        return self.beyond.fetch(url, accept=accept)

    def judged_anew(self, judge: Callable[[], Report]) -> Report:
        """What no cached key of its issuer signed is judged once more by the keys published now."""
        report = judge()
        refused = {each.issuer for each in report.endorsements if _is_unsigned(each)}
        if report.verdict is Verdict.INVALID and report.signature in _UNSIGNED:
            refused.add(report.issuer)
        if not [each for each in refused if each and self._doubt_keys_of(each)]:
            return report
        again = judge()
        return report if again.verdict is Verdict.UNDETERMINED else again

    def endorsement_anew(self, judge: Callable[[], EndorsementAnswer]) -> EndorsementAnswer:
        answer = judge()
        if not (_is_unsigned(answer) and answer.issuer and self._doubt_keys_of(answer.issuer)):
            return answer
        again = judge()
        return answer if again.outcome is Outcome.UNKNOWN else again

    def _doubt_keys_of(self, issuer: str) -> bool:
        """Whether a cached key document of another issuer is asked for again."""
        try:
            url = did_web_document_url(issuer) if issuer.startswith("did:web:") else issuer
            places = (url, urljoin(url, "/.well-known/jwks.json"))
        except (CredentialError, ValueError):
            return False
        if self.names_us(url) or not isinstance(self.beyond, WebDocuments):
            return False
        return sum(self.beyond.doubt(each) for each in places) > 0

    def names_us(self, url: str) -> bool:
        # did:web implies https, even for a service on localhost over http (L-001).
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
            case ["statuts", named]:
                list_id, _dot, form = named.partition(".")
                return self.publication.status_list(_uuid(list_id), form or "json").body
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
    """The award with its evidence document at that path; None for any other path."""
    match path.strip("/").split("/"):
        case ["preuves", award_id]:
            return _uuid(award_id)
    return None


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise DocumentUnavailable(text, "not_found") from error


@dataclass(frozen=True, eq=False)
class VerificationService:
    awards: AwardStore
    campuses: CampusStore
    publication: PublicationService
    standings: IssuerStandings
    documents: OwnDocuments
    addresses: Addresses
    codes: PictureCodes
    log_watch: LogWatchStore
    secret: bytes
    clock: Clock
    snapshot: Snapshot = UNSHARED

    def verify_document(self, presented: bytes) -> Answer:
        """Verify an uploaded file: a document without a badge by the link it contains, others by their badge.

        The report is the badge's; `lead` is set since the document itself was not verified, except for byte-exact
        documents of this service.
        """
        return self.verify_documents(presented)[0]

    def verify_documents(self, presented: bytes) -> list[Answer]:
        """As `verify_document`, with one answer for each badge of this service that a document such as a CV
        leads to."""
        answer = self.verify(presented)
        report = answer.report
        if report is None:
            return [answer]
        readable = report.check(CheckId.READABLE)
        if readable.outcome is not Outcome.PASSED:
            held = readable.details.get("url", "") if report.container in CARRIERS else ""
            return self._led_by(presented, held) or [answer]
        return [self._carried(presented, answer)]

    def _carried(self, presented: bytes, answer: Answer) -> Answer:
        report = answer.report
        if report is None or report.document is None or report.container not in CARRIERS or answer.lead:
            return answer
        if self._is_own(presented, answer):
            return answer
        seen = self.codes.inspect(presented) if report.container == "pdf" else ReadCode()
        lead = lead_of_carrier(report.container, seen.text, report.document, whole=seen.whole)
        return replace(answer, lead=lead)

    def _is_own(self, presented: bytes, answer: Answer) -> bool:
        """Whether every byte is as this service wrote it: a sealed paper, or the award's picture."""
        report = answer.report
        if report is None or answer.campus is None:
            return False
        if report.container == "pdf":
            return is_sealed(presented, secret=self.secret)
        if answer.record is not None:
            try:
                return self.publication.award_file(answer.record, report.container).body == presented
            except Unavailable:
                return False
        identifier = str((report.document or {}).get("id"))
        if not identifier.startswith(self.addresses.older_awards):
            return False
        try:
            award_id = _uuid(identifier.removeprefix(self.addresses.older_awards))
            return self.documents.older_badges.picture(award_id).body == presented
        except (AppError, DocumentUnavailable):
            return False

    def _led_by(self, presented: bytes, held: str) -> list[Answer]:
        """`held`: the address that a picture holds instead of a badge, if any."""
        seen = self.codes.inspect(presented)
        sources = (
            (LeadKind.CODE, seen.codes),
            (LeadKind.LINK, [*([held] if held else []), *seen.links, *_links_in(seen.text)]),
        )
        links: dict[str, tuple[LeadKind, str]] = {}
        for kind, texts in sources:
            link = self._best_link(texts, any_site=kind is LeadKind.CODE)
            if link:
                links[self._code_named_by(link) or link] = (kind, link)
                break
        if any(map(self.addresses.is_ours, (link for _, link in links.values()))):
            for kind, texts in sources:
                for text in texts:
                    code = self._code_named_by(text)
                    if code and len(links) < _MOST_LINKS:
                        links.setdefault(code, (kind, text))
        return [self._led_to(kind, link, seen) for kind, link in links.values()]

    def verify_code(self, read: str) -> Answer | None:
        """The badge that the QR code of an unseen document leads to; None for a code that leads to something else."""
        if not self._best_link([read], any_site=True):
            return None
        answer = self._led_to(LeadKind.CODE, read, ReadCode([read]))
        return answer if answer.record is not None or not self.addresses.is_ours(read) else None

    def _led_to(self, kind: LeadKind, link: str, seen: ReadCode) -> Answer:
        answer = self.verify(link)
        lead = lead_of_link(kind, link, seen.text, answer.report, whole=seen.whole)
        return replace(answer, lead=lead)

    def _code_named_by(self, link: str) -> str:
        """The short code of one of our badges, from either of its URLs."""
        if not link.startswith(("http://", "https://")) or not self.addresses.is_ours(link):
            return ""
        award_id = self.addresses.award_named_by(link)
        return short_code(award_id) if award_id else self.addresses.code_named_by(link).upper()

    def _best_link(self, texts: Sequence[str], *, any_site: bool) -> str:
        """Prefers URLs of our badges; another site's link on a page only counts if it is the only one."""
        links = [text for text in texts if text.startswith(("http://", "https://"))]
        ours = [text for text in links if self.addresses.is_ours(text)]
        of_awards = [
            text for text in ours if self.addresses.award_named_by(text) or self.addresses.code_named_by(text)
        ]
        others = ours + links if any_site or len(set(links)) == 1 else []
        return next(iter([*of_awards, *others]), "")

    def verify(self, presented: bytes | str, policy: Policy | None = None) -> Answer:
        """Verify a file or text; a link to one of our awards is verified as that award."""
        if isinstance(presented, bytes) and presented.startswith(PACKAGE):
            packed = self._verify_package(presented, policy)
            if packed is not None:
                return packed
        link, policy = _link_in(presented), self.standings.trusting(policy or Policy())
        if link is not None:
            return self._verify_link(link, policy)
        return self._answer_about(presented, policy, self.documents)

    def verify_itself(self, credential: str) -> Answer:
        """Verify a signed text; never what it leads to."""
        return self._answer_about(credential, self.standings.trusting(Policy()), self.documents)

    def _answer_about(
        self, presented: bytes | str, policy: Policy, documents: DocumentSource, served_by: str = ""
    ) -> Answer:
        report = self.documents.judged_anew(
            lambda: verify(presented, documents=documents, at=self.clock(), policy=policy)
        )
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
        """The badge in a package, by published documents; if unreachable, by the package, with log keys
        and witnesses known here.

        None if the input is not a package.
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
        witnesses = frozenset(self.log_watch.keys_of_witnesses())
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
            return self._open(link, policy, award_id)
        if record.award.visibility is not Visibility.OPEN:
            return Answer(None, campus=record.campus, closed=True)
        return self.verify_award(record, policy)

    def _award_of_code(self, link: str) -> uuid.UUID | None:
        ends = ids_of_code(self.addresses.code_named_by(link))
        return self.awards.find_between(*ends) if ends else None

    def _open(self, link: str, policy: Policy, award_id: uuid.UUID | None) -> Answer:
        """External links get the protections of key downloads; of ours, only signed or public documents."""
        opened: DocumentSource = self.documents
        is_ours, unread = self.addresses.is_ours(link), ""
        try:
            if award_id is not None and self.documents.evidence.store.is_erased(award_id):
                raise DocumentUnavailable(link, "erased")
            if is_ours:
                served = opened.fetch(link)
            else:
                opened = _Opened(link, FetchBudget(self.documents, policy.max_fetches))
                served = opened.first
        except DocumentUnavailable as error:
            unread = error.reason
        else:
            answer = self._answer_about(served.body, policy, opened, served_by=served.url)
            carried = self._carried(served.body, answer)
            return carried if is_ours else replace(carried, elsewhere=link)
        report = verify(link, documents=self.documents, at=self.clock(), policy=policy)
        return Answer(report, elsewhere="" if is_ours else link, unread=unread)

    def verify_award(self, record: AwardRecord, policy: Policy | None = None) -> Answer:
        """Verify the stored bytes of one of our awards now, as any visitor would."""
        check_aligned(record.award)
        embedded = self.awards.document_of(record.award.id).embedded
        report = verify(embedded, documents=self.documents, at=self.clock(), policy=policy or Policy())
        return self._answer(report, embedded, record)

    def with_evidence(self, answer: Answer) -> Answer:
        """What the campus's log proves of a genuine badge of ours; never fetched for others' badges."""
        document = answer.report.document if answer.report else None
        if answer.evidence is not None or document is None or answer.campus is None:
            return answer
        if answer.replaced_at is not None:
            # An earlier edition references evidence by a digest that the newest edition replaced.
            return answer
        return replace(
            answer,
            evidence=judge_evidence(document, documents=self.documents),
            correction=self.documents.evidence.corrected_since(answer.record.award.id)
            if answer.record
            else None,
        )

    def package_of(self, record: AwardRecord) -> Published:
        """One file for offline verification of this award, in its current state."""
        check_aligned(record.award)
        return self._package(self.awards.document_of(record.award.id).embedded)

    def package_of_text(self, credential: str) -> Published:
        """As `package_of`, for any badge, as presented."""
        return self._package(credential.encode())

    def _package(self, credential: bytes) -> Published:
        package = make_package(credential, documents=self.documents, at=self.clock())
        return Published.of(package, "application/zip")

    def _own_campuses(self) -> list[Entry]:
        return [Entry(each.did, each.name, short_name=each.short_name) for each in self.campuses.list_all()]

    def _own_issuer(self, report: Report) -> Campus | None:
        """The issuing campus of this service; in Open Badges 2.0 identified by its profile URL."""
        if not report.issuer:
            return None
        base = f"{self.addresses.base_url}/ob2/campus/"
        if report.issuer.startswith(base):
            return self.campuses.find(report.issuer.removeprefix(base))
        return self._campus_of(report.issuer)

    def _answer(
        self, report: Report, presented: bytes | str, asked_about: AwardRecord | None = None
    ) -> Answer:
        """`asked_about`: an award already loaded, if the credential names it."""
        note_verdict(report.verdict.value, report.form)
        campus = self._own_issuer(report)
        identifier = (report.document or {}).get("id")
        award_id = self.addresses.award_named_by(identifier) if isinstance(identifier, str) else None
        if asked_about is not None and award_id == asked_about.award.id:
            record = asked_about if campus else None
        else:
            record = self.awards.find_record(award_id) if award_id and campus else None
        if record is not None and campus is not None and record.award.campus_id == campus.id:
            report = with_standing(report, record.award, at=self.clock())
        replaced_at = _replaced_at(report, record) if record else None
        return Answer(
            report,
            record,
            campus,
            standing=self.standings.of(report, campuses=() if campus else self._own_campuses()),
            replaced_at=replaced_at,
            renewed_until=_renewed_until(report, record) if record and replaced_at else None,
            lead=lead_of_copy(report),
            text=_credential_in(presented),
        )

    def _campus_of(self, did: str) -> Campus | None:
        return self.snapshot.until_commit(("campus", did), lambda: self.campuses.find_by_did(did))


def with_standing(report: Report, award: Award, *, at: datetime) -> Report:
    """The report with what this service knows of its own award beyond the presented edition.

    An edition from before a suspension names only the list of revocations, one from during it only that of
    suspensions.
    """
    before = report.check(CheckId.STATUS)
    if before.reason not in (Reason.NOT_REVOKED, Reason.SUSPENDED):
        return report
    if award.state is AwardState.REVOKED:
        reason = Reason.REVOKED
    else:
        reason = Reason.SUSPENDED if is_suspended(award, at=at) else Reason.NOT_REVOKED
    if reason == before.reason:
        return report
    after = found(reason, **{name: str(value) for name, value in before.details.items()})
    return replace(report, checks=tuple(after if each is before else each for each in report.checks))


def _replaced_at(report: Report, record: AwardRecord) -> datetime | None:
    """Of two editions of one badge, the one with the later `validFrom` is newer (A-034)."""
    said = (report.document or {}).get("validFrom")
    newest = record.award.reissued_at
    if newest is None or not isinstance(said, str):
        return None
    try:
        return newest if parse_timestamp(said) < newest else None
    except MalformedInput:
        return None


def _renewed_until(report: Report, record: AwardRecord) -> datetime | None:
    until, now = (report.document or {}).get("validUntil"), record.award.valid_until
    if now is None or record.award.revoked_at is not None or not isinstance(until, str):
        return None
    try:
        return now if parse_timestamp(until) < now else None
    except MalformedInput:
        return None


def _credential_in(presented: bytes | str) -> str:
    """The text of the input, extracted from its picture; empty if not text or too long for a page."""
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


_WRITTEN_LINK: Final = re.compile(r"(?:https?://|(?<![\w.:-]))[\w.:-]++/(?:v|attributions)/[\w‐‑–—-]+")


_MOST_LINKS: Final = 40
"""Badges that one document may lead to."""


def _links_in(text: str) -> list[str]:
    """URLs as printed, mostly without a scheme."""
    found = _WRITTEN_LINK.findall(text)
    return [
        address
        for each in found
        for address in ([each] if "://" in each else [f"https://{each}", f"http://{each}"])
    ]


_LONGEST_LINK: Final = 2048
_NOT_IN_A_LINK: Final = re.compile(r'[\s"<>{}]')


def _link_in(presented: bytes | str) -> str | None:
    """The URL given instead of a badge; for a did:web, that of its document.

    Of all that was given: a credential after a URL, or in its fragment, is not answered by that URL.
    """
    if len(presented) > _LONGEST_LINK:
        return None
    text = presented if isinstance(presented, str) else presented.decode("utf-8", errors="replace")
    text = text.strip()
    if text.startswith("did:web:"):
        try:
            return did_web_document_url(text)
        except CredentialError:
            return None
    return text if text.startswith(("https://", "http://")) and _NOT_IN_A_LINK.search(text) is None else None
