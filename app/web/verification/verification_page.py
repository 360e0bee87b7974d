"""The verification of a badge as a page: verdict first, then its reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.awards import Visibility
from app.domain.awards.open_badges import DisclosedContent, is_dated_in_utc
from app.domain.campus.campus import Campus
from app.http.pages.render import page
from app.http.pages.words import DEFAULT_ZONE, day, moment, sentence_text
from app.http.workplaces import look_of
from app.language import N_, translated
from app.services.awards.awards import AwardRecord
from app.services.badges import picture_words
from app.services.verification.answers import Answer
from app.services.verification.verdicts import (
    Claims,
    Headline,
    HeadlineKind,
    check_messages,
    claims_of,
    difference_message,
    endorsements,
    headline,
    is_part,
    is_recognised,
    issuer_named,
    limits,
    plain,
    remarks,
)
from app.web.activity_log import EvidenceShown, evidence_shown
from app.web.badges.rules import BadgePieces, pieces_of
from app.web.trust.endorsements import PeerShown, RecommendationShown, peer_shown, recommendations
from app.web.trust.issuers import (
    IssuerShown,
    StandingShown,
    as_named,
    campus_issuer,
    foreign_issuer,
    standing_shown,
)


@dataclass(frozen=True)
class CheckShown:
    state: str
    word: str
    title: str
    sentence: str
    detail: str


@dataclass(frozen=True)
class EndorsementShown:
    state: str
    word: str
    sentence: str
    detail: str
    comment: str


@dataclass(frozen=True)
class Picture:
    src: str
    words: str
    stamp: str


@dataclass(frozen=True)
class Still:
    """Current validity as a short label, and a supplement."""

    words: str
    beside: str = ""


@dataclass(frozen=True)
class Newer:
    """A later version of the badge exists."""

    number: int
    url: str


@dataclass(frozen=True)
class LeadShown:
    """The badge a document leads to, its holder, another name written in the document, and the check
    result."""

    kind: str
    holder: str
    written: str
    address: str
    page: str
    found: str
    differences: Sequence[str]


@dataclass(frozen=True)
class PossessionShown:
    """For an answer to a request: whether its sender is known to hold the badge."""

    state: str
    title: str
    words: str


@dataclass(frozen=True)
class AnswerShown:
    kind: HeadlineKind
    state: str
    seal: str
    word: str
    sentence: str
    when: str
    again: str
    advice: str
    checks: Sequence[CheckShown]
    limits: Sequence[str]
    remarks: Sequence[str]
    endorsements: Sequence[EndorsementShown]
    technical: Sequence[tuple[str, str]]
    claimed: Sequence[tuple[str, str]]
    badge: BadgePieces | None = None
    issuer: IssuerShown | None = None
    standing: StandingShown | None = None
    still: Still | None = None
    picture: Picture | None = None
    newer: Newer | None = None
    current: str = ""
    """URL of the edition that replaced the presented one."""
    journal: EvidenceShown | None = None
    lead: LeadShown | None = None
    """Set where the badge was verified instead of the submitted document."""
    packed: str = ""
    """The date of the package used for the verification."""
    recommendations: Sequence[RecommendationShown] = ()
    """Endorsements beside the badge; they do not change its verdict."""
    peers: Sequence[PeerShown] = ()
    """What people who worked with the holder wrote, apart from the endorsements of organisations."""
    is_part: bool = False
    """The holder chose what it shows: what others wrote on the badge's page is not shown beside it."""
    presented: str = ""
    """The credential itself, to be sent back with a form; nothing of it is stored here."""


_STAMPS = {
    HeadlineKind.REVOKED: N_("Retiré"),
    HeadlineKind.REPLACED: N_("Remplacé"),
    HeadlineKind.RENEWED: N_("Renouvelé"),
    HeadlineKind.EXPIRED: N_("Expiré"),
    HeadlineKind.SUSPENDED: N_("Suspendu"),
}
_CONTAINERS = {"json": "JSON", "jwt": "JWT", "png": "PNG", "svg": "SVG", "pdf": "PDF"}
_FORMS = {
    "data_integrity": "DataIntegrityProof",
    "vc_jwt": "VC-JWT",
    "sd_jwt": "SD-JWT VC",
    "open_badges_1": "Open Badges 1.x",
    "open_badges_2": "Open Badges 2.0",
}


def shown(services: Services, answer: Answer, *, again: str = "") -> AnswerShown:
    """The full view of `answer`; `again` is the URL to repeat the check."""
    head = headline(answer)
    zone = answer.campus.time_zone if answer.campus else DEFAULT_ZONE
    report = answer.report
    document = report.document if report else None
    claims = claims_of(document) if document is not None else None
    campus = answer.campus if claims is not None else None
    part = is_part(answer)
    return AnswerShown(
        kind=head.kind,
        state=f"{head.state} broken" if head.seal == "broken" else head.state,
        seal=head.seal,
        word=sentence_text(head.heading, zone),
        sentence=sentence_text(head.message, zone),
        when=moment(report.at if report else services.clock(), zone),
        again=again,
        advice=sentence_text(head.advice, zone),
        checks=_checks(answer, zone),
        limits=[sentence_text(each, zone) for each in limits(answer, claims)],
        remarks=_remarks(answer, zone),
        endorsements=_endorsements(answer, zone),
        technical=_technical(answer),
        claimed=_claimed(answer, head, zone),
        badge=_badge(services, claims, campus, zone),
        issuer=_issuer(services, answer, claims, campus),
        standing=standing_shown(answer.standing, zone) if claims else None,
        still=_still(answer, head, claims, zone) if claims else None,
        picture=_picture(services, answer, head) if claims else None,
        newer=_newer(services, answer) if claims else None,
        current=services.addresses.award(answer.record.award.id)
        if answer.record is not None and answer.replaced_at is not None
        else "",
        journal=_journal(services, answer, zone),
        is_part=part,
        recommendations=_recommendations(services, answer, zone) if claims and not part else (),
        peers=[peer_shown(each, zone) for each in services.peer_recommendations.shown_about(answer.record)]
        if claims and answer.record and not part
        else (),
        lead=_lead(services, answer, claims, zone),
        packed=day(answer.packed_at, zone) if answer.packed_at else "",
        presented=answer.text,
    )


def shown_now(services: Services, record: AwardRecord) -> AnswerShown:
    """The public page of an award in its current state, open or not."""
    return shown(services, services.verification.verify_award(record))


def shown_with(
    services: Services, record: AwardRecord, chosen: Mapping[int, DisclosedContent]
) -> AnswerShown:
    """The same page as it would be with this much shown of each line of the log."""
    answer = services.verification.verify_award(record)
    view, zone = shown(services, answer), record.campus.time_zone
    document = services.reissuing.document_as(record, services.reissuing.disclosed_of(record, chosen))
    badge = _badge(services, claims_of(document), record.campus, zone)
    answer = services.verification.with_evidence(answer)
    if answer.evidence is None:
        return replace(view, badge=badge)
    opened = services.evidence.fields_with(record.award.id, chosen)
    answer = replace(answer, evidence=replace(answer.evidence, shown=opened))
    return replace(view, badge=badge, journal=evidence_shown(answer, zone, ""))


def _lead(services: Services, answer: Answer, claims: Claims | None, zone: str) -> LeadShown | None:
    if answer.lead is None or answer.closed:
        return None
    is_open = answer.record is not None and answer.record.award.visibility is Visibility.OPEN
    return LeadShown(
        kind=answer.lead.kind.value,
        holder=claims.holder if claims else "",
        written=plain(answer.lead.written),
        address=plain(answer.lead.address, 120),
        page=services.addresses.award(answer.record.award.id) if answer.record and is_open else "",
        found=sentence_text(headline(replace(answer, lead=None)).heading, zone),
        differences=[sentence_text(difference_message(each), zone) for each in answer.lead.differences],
    )


def answer_page(
    request: Request,
    services: Services,
    answer: Answer,
    *,
    again: str = "",
    share: object = None,
    findable: bool = False,
    possession: PossessionShown | None = None,
) -> HTMLResponse:
    """`findable`: search engines may index it."""
    view = shown(services, answer, again=again)
    genuine = view.badge is not None and answer.campus is not None
    campus = look_of(answer.campus) if genuine and answer.campus else None
    return page(
        request,
        "verification/answer.html",
        campus=campus,
        private=not findable,
        a=view,
        share=share,
        possession=possession,
    )


def _checks(answer: Answer, zone: str) -> list[CheckShown]:
    if answer.report is None:
        return []
    return [
        CheckShown(
            line.state,
            translated(line.word),
            translated(line.title),
            sentence_text(line.sentence, zone),
            sentence_text(line.beside, zone),
        )
        for line in check_messages(answer.report, answer.campus, is_recognised=is_recognised(answer))
    ]


_DATED_IN_UTC = N_(
    "Les jours d’activité de ce badge y sont écrits en temps universel : un autre logiciel peut montrer la veille. "
    "Les dates affichées ici, à l’heure du campus, sont les bonnes."
)


def _remarks(answer: Answer, zone: str) -> list[str]:
    report = answer.report
    if report is None:
        return []
    lines = [sentence_text(each, zone) for each in remarks(report)]
    if answer.campus is not None and report.document and is_dated_in_utc(report.document, zone):
        lines.append(translated(_DATED_IN_UTC))
    return lines


def _endorsements(answer: Answer, zone: str) -> list[EndorsementShown]:
    if answer.report is None:
        return []
    return [
        EndorsementShown(
            each.state,
            translated(each.word),
            sentence_text(each.sentence, zone),
            sentence_text(each.beside, zone),
            each.comment,
        )
        for each in endorsements(answer.report)
    ]


def _recommendations(services: Services, answer: Answer, zone: str) -> list[RecommendationShown]:
    record = answer.record
    if record is None:
        return []
    found = services.endorsements.about_award(record)
    return recommendations(found, zone, contact=record.campus.contact_email)


def _badge(services: Services, claims: Claims | None, campus: Campus | None, zone: str) -> BadgePieces | None:
    if claims is None:
        return None
    return pieces_of(
        claims, is_ours=campus is not None, zone=zone, base_url=services.addresses.base_url if campus else ""
    )


def _issuer(
    services: Services, answer: Answer, claims: Claims | None, campus: Campus | None
) -> IssuerShown | None:
    if claims is None:
        return None
    if campus is not None:
        return as_named(campus_issuer(services, campus), issuer_named(answer.report, campus), campus.name)
    report = answer.report
    return foreign_issuer(
        claims,
        report.issuer or "" if report else "",
        answer.standing,
        report.at if report else services.clock(),
    )


_END_OF_FILE: Final = N_("La fin de ce fichier, qui ne montre qu’une partie du badge")


def _still(answer: Answer, head: Headline, claims: Claims, zone: str) -> Still:
    until = day(claims.valid_until, zone) if claims.valid_until else ""
    match head.kind:
        case HeadlineKind.REVOKED:
            award = answer.record.award if answer.record else None
            on = day(award.revoked_at, zone) if award and award.revoked_at else ""
            return Still(
                translated("Non, retiré le {day}").format(day=on) if on else translated("Non, retiré")
            )
        case HeadlineKind.SUSPENDED:
            paused = answer.record.award if answer.record else None
            last = paused.suspended_through(at=answer.report.at) if paused and answer.report else None
            if last:
                return Still(
                    translated("Non, suspendu jusqu’au {day}").format(day=day(last, zone)),
                    translated("Il n’est pas retiré"),
                )
            return Still(translated("Non, suspendu pour le moment"))
        case HeadlineKind.EXPIRED:
            return Still(
                translated("Non, expiré depuis le {day}").format(day=until),
                translated(_END_OF_FILE if is_part(answer) else N_("Comme annoncé le jour de l’attribution")),
            )
        case HeadlineKind.NOT_YET_VALID:
            return Still(translated("Pas encore"))
        case (
            HeadlineKind.UNVERIFIABLE
            | HeadlineKind.NOT_CHECKABLE
            | HeadlineKind.SIGNED_NOT_CONFORMING
            | HeadlineKind.OTHER_FILE
        ):
            return Still(translated("Nous ne savons pas"))
    if until:
        beside = translated(_END_OF_FILE) if is_part(answer) else ""
        return Still(translated("Oui, jusqu’au {day}").format(day=until), beside)
    return Still(translated("Oui, sans date de fin"))


def _picture(services: Services, answer: Answer, head: Headline) -> Picture | None:
    """Our own master picture of the awarded version; a picture inside a file is never shown."""
    record = answer.record
    if record is None:
        return None
    words = services.snapshot.until_commit(
        ("picture", record.version.id),
        lambda: picture_words(record.campus, record.version, services.badges.competencies_of(record.version)),
    )
    stamp = _STAMPS.get(head.kind, "")
    return Picture(
        f"/badges/{record.badge.id}/v{record.version.number}/image.svg",
        sentence_text(words),
        translated(stamp) if stamp else "",
    )


def _journal(services: Services, answer: Answer, zone: str) -> EvidenceShown | None:
    document = f"/preuves/{answer.record.award.id}" if answer.record else ""
    answer = services.verification.with_evidence(answer)
    shown = evidence_shown(answer, zone, document)
    if shown is None or answer.record is None or not services.shown_files.shows_the_activity(answer.record):
        return shown
    with services.beside(answer.record.award.id):
        photos = services.shown_files.photos(answer.record)
    return replace(shown, photos=[(f"{document}/photos/{each.id}/apercu", each.words) for each in photos])


def _newer(services: Services, answer: Answer) -> Newer | None:
    record = answer.record
    if record is None:
        return None
    newest = services.publication.newest_number(record)
    if newest <= record.version.number:
        return None
    return Newer(newest, f"/badges/{record.badge.id}/v{newest}")


def _claimed(answer: Answer, head: Headline, zone: str) -> list[tuple[str, str]]:
    """Unsigned claims of a file: shown as its own statements, or not at all."""
    report = answer.report
    if report is None or report.document is not None or report.presented is None:
        return []
    if not head.kind.is_an_answer:
        return []
    claims = claims_of(report.presented)
    lines = [
        (N_("Qui"), claims.holder),
        (N_("A fait quoi"), claims.title),
        (N_("Par qui"), claims.issuer_name),
        (N_("Quand"), day(claims.awarded_at, zone) if claims.awarded_at else ""),
        (N_("Jusqu’à quand"), day(claims.valid_until, zone) if claims.valid_until else ""),
    ]
    return [(translated(label), value) for label, value in lines if value]


def _technical(answer: Answer) -> list[tuple[str, str]]:
    report = answer.report
    if report is None:
        return []
    document = report.document or {}
    identifier = document.get("id")
    key = (report.key or {}).get("kty"), (report.key or {}).get("crv")
    lines = [
        (N_("Numéro"), identifier if isinstance(identifier, str) else ""),
        (N_("Lu dans"), _CONTAINERS.get(report.container, "")),
        (N_("Preuve"), _FORMS.get(report.form or "", "")),
        (N_("Émetteur"), report.issuer or ""),
        (N_("Méthode de vérification"), report.verification_method or ""),
        (N_("Type de clé"), " ".join(str(part) for part in key if part)),
        (N_("Heure du contrôle (UTC)"), report.at.strftime("%Y-%m-%d %H:%M:%S")),
    ]
    return [(translated(label), place) for label, place in ((a, _short(b)) for a, b in lines) if place]


def _short(text: str) -> str:
    return plain(text, 300)


def closed_page(request: Request, services: Services, *, mine: str = "") -> HTMLResponse:
    """The same for every closed award of any campus: they are indistinguishable."""
    view = shown(services, Answer(None, closed=True))
    answer = page(request, "verification/closed.html", status=403, private=True, a=view, mine=mine)
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
