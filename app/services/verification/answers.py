"""What a verification answers, and who the issuer is by lists of recognised campuses: nothing is stored or fetched here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from app.services.verification.presented import Lead, LeadKind
from sceau_credentials.errors import CredentialError
from sceau_credentials.evidence.judging import EvidenceReport
from sceau_credentials.keys import VerificationKey
from sceau_credentials.trust import Entry, GivenLabel, Resemblance, Standing, TrustList, resemblance
from sceau_credentials.values import JsonObject
from sceau_credentials.verification.answers import Policy
from sceau_credentials.verification.other_documents import OtherDocument
from sceau_credentials.verification.report import Outcome, Report, Verdict

if TYPE_CHECKING:
    from app.db.awards import AwardRecord
    from app.domain.awards.open_badges import Correction
    from app.domain.campus.campus import Campus

_LONGEST_NAME: Final = 300


class StandingKind(StrEnum):
    """Stable codes for programs; the sentences are in `verdicts`."""

    RECOGNISED = "recognised"
    SUSPENDED = "recognition_suspended"
    ENDED = "recognition_ended"
    OTHER_KEY = "recognised_under_another_key"
    LIST_EXPIRED = "recognised_by_an_expired_list"
    SELF_DECLARED = "self_declared"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class IssuerStanding:
    """`network`, `known_as`: from a register; `says`: the issuer's claim; `alike`: a confusable issuer."""

    kind: StandingKind
    issuer: str
    says: str = ""
    network: str = ""
    list_url: str = ""
    known_as: str = ""
    changed_at: datetime | None = None
    """When the recognition was suspended or ended, or when the list expired."""
    labels: Sequence[GivenLabel] = ()
    alike: Resemblance | None = None


@dataclass(frozen=True)
class Answer:
    """The verification result, with this service's own knowledge beyond the credential.

    `closed`: the input is an award with a private page, without a report. `campus`: the issuer, if it is
    one of ours; `record`: the award, if we signed it.
    """

    report: Report | None
    record: AwardRecord | None = None
    campus: Campus | None = None
    closed: bool = False
    elsewhere: str = ""
    """A link to another service that led to no badge."""
    unread: str = ""
    """Why the document at that link is missing, as in `DocumentUnavailable`; « erased »: the award is."""
    evidence: EvidenceReport | None = None
    """What the issuer's log proves, if requested."""
    correction: Correction | None = None
    """Of the evidence, in our log, after the award."""
    standing: IssuerStanding | None = None
    """Who the issuer is by trusted registers; None if there are none."""
    replaced_at: datetime | None = None
    """When the award was reissued, if the input is an earlier edition."""
    renewed_until: datetime | None = None
    """The award's end, if it is later than that of the input."""
    packed_at: datetime | None = None
    """When the supporting documents were collected, if they came in a package."""
    lead: Lead | None = None
    """If the presented document is not what was verified: how it leads to the verified badge."""
    other: OtherDocument | None = None
    """The input is not a badge but another known document."""
    is_by_stranger: bool = False
    """`other` has an issuer outside this service and all trusted registers."""
    text: str = ""
    """The verified credential, extracted from its picture or page; empty if too long."""

    @property
    def verdict(self) -> Verdict:
        """Of the input: a document that only leads to a badge was not verified itself.

        A picture is the normal form of an Open Badge, so it gets the badge's verdict; so does a page with an
        invalid badge.
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


def keys_in(lists: Iterable[TrustList], *, at: datetime) -> dict[str, set[str]]:
    """Key thumbprints that lists in force give to recognised issuers; a did:key is itself a key."""
    found: dict[str, set[str]] = {}
    for each in lists:
        for entry in each.entries if each.is_current(at) else ():
            if entry.standing is Standing.RECOGNISED:
                found.setdefault(entry.id, set()).update(entry.keys, _own_key_of(entry.id))
    return found


def is_listed(lists: Iterable[TrustList], issuer: str, *, at: datetime) -> bool:
    """Whether a list in force belongs to that issuer, or recognises it."""
    current = [each for each in lists if each.is_current(at)]
    entries = [entry for each in current if (entry := each.find(issuer)) is not None]
    return issuer in {each.issuer for each in current} or any(
        entry.standing is Standing.RECOGNISED for entry in entries
    )


def _own_key_of(issuer: str) -> set[str]:
    if not issuer.startswith("did:key:"):
        return set()
    try:
        return {VerificationKey.from_multikey(issuer.removeprefix("did:key:")).thumbprint()}
    except CredentialError:
        return set()


def trusting(policy: Policy, lists: Iterable[TrustList], *, at: datetime) -> Policy:
    keys = {
        entry.id
        for each in lists
        if each.is_current(at)
        for entry in each.entries
        if entry.standing is Standing.RECOGNISED and entry.id.startswith("did:key:")
    }
    if not keys or policy.only_trusted_issuers:
        return policy
    return replace(policy, trusted_issuers=policy.trusted_issuers | keys)


def standing_in(
    lists: Sequence[TrustList], report: Report, *, beside: Iterable[Entry] = ()
) -> IssuerStanding:
    """Of several lists, the most favourable entry counts: a network may not know another's members."""
    issuer, name = report.issuer or "", name_in(report.document or {})
    says = name[:_LONGEST_NAME]
    named = [
        _named(each, entry, issuer, says, report)
        for each in lists
        if (entry := each.find(issuer)) is not None
    ]
    if named:
        return min(named, key=lambda each: _ORDER.index(each.kind))
    every = [*(entry for each in lists for entry in each.entries), *beside]
    return IssuerStanding(
        StandingKind.SELF_DECLARED if says else StandingKind.UNKNOWN,
        issuer,
        says,
        alike=resemblance(every, issuer=issuer, name=name),
    )


_ORDER: Final = tuple(StandingKind)
_OF_STANDING: Final = {
    Standing.RECOGNISED: StandingKind.RECOGNISED,
    Standing.SUSPENDED: StandingKind.SUSPENDED,
    Standing.ENDED: StandingKind.ENDED,
}


def _named(listed: TrustList, entry: Entry, issuer: str, says: str, report: Report) -> IssuerStanding:
    kind, changed_at = _OF_STANDING[entry.standing], entry.until
    if kind is StandingKind.RECOGNISED and not _may_sign(entry, report):
        kind = StandingKind.OTHER_KEY
    elif kind is StandingKind.RECOGNISED and not listed.is_current(report.at):
        kind, changed_at = StandingKind.LIST_EXPIRED, listed.valid_until
    return IssuerStanding(
        kind, issuer, says, listed.name, listed.url, entry.name, changed_at, labels=entry.labels
    )


def _may_sign(entry: Entry, report: Report) -> bool:
    """Hosted, unsigned badges have no key to compare."""
    if not entry.keys or report.key is None:
        return True
    try:
        return VerificationKey.from_jwk(report.key).thumbprint() in entry.keys
    except CredentialError:
        return False


def name_in(document: JsonObject) -> str:
    badge = document.get("badge")  # in Open Badges 2.0
    issuer = document.get("issuer") or (badge.get("issuer") if isinstance(badge, dict) else None)
    name = issuer.get("name") if isinstance(issuer, dict) else None
    return name.strip() if isinstance(name, str) else ""
