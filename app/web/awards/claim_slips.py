"""Printable claim slips, as one PDF."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Annotated
from urllib.parse import urlencode

import segno
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards import AwardState, LineOutcome
from app.domain.core import plain_text
from app.domain.messages import shown_name
from app.domain.publishing import TO_WALLET
from app.errors import Conflict, InvalidInput, NotFound
from app.http.pages.forms import Count, SafeForm, text_of, texts_of
from app.http.pages.render import page
from app.http.pages.words import BADGE_KINDS, day, sentence_text
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    client_network,
    limited,
    process_of,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.response_cache import cache_here
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, current_locale, known_locales, translated
from app.services.awards.awards import AwardRecord
from app.services.awards.papers import SLIPS_PER_DOCUMENT, CertificateWords
from app.services.badges import picture_words
from app.services.people.people import LinksTurnedOff
from app.services.publishing import Published
from app.services.verification.presented import ATTESTS, AWARDED_ON, NO_END, RECEIVED, VALID_UNTIL
from app.web.accounts.sign_in import same_browser
from app.web.activities import ActivityView
from app.web.awards.delivery import MOST_SHOWN, activity_page, award_page
from app.web.awards.results import files_of, result_page
from app.web.badges.rules import picture_of
from app.web.verification.verification_page import AnswerShown, shown

router = APIRouter(prefix="/gestion/{slug}")


@router.post("/activites/{activity_id}/bulletins", dependencies=[staff(Permission.AWARD)])
def of_activity(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """For the ticked badges, or for all unclaimed ones."""
    work = at_work(request)
    there = [
        record.award.id
        for record in services.awards.list_in(work.campus, activity_id=activity_id, limit=MOST_SHOWN)
    ]
    ticked = set(texts_of(form, "attribution"))
    wanted = [award_id for award_id in there if not ticked or str(award_id) in ticked]
    try:
        return slips_response(request, services, work, wanted, text_of(form, "langue"))
    except (Conflict, InvalidInput) as error:
        trouble = sentence_of(error)
        return activity_page(request, services, work, activity_id, trouble=trouble, status=status_for(error))


@router.post("/resultats/{batch_id}/bulletins", dependencies=[staff(Permission.AWARD)])
def of_batch(batch_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """For a whole batch, with or without an activity; large batches are split into several files."""
    work = at_work(request)
    overview = services.award_batches.overview(work.campus, batch_id)
    number = text_of(form, "fichier")
    before = int(number) - 1 if number in files_of(overview.count(LineOutcome.AWARDED)) else 0
    files = services.award_batches.lines_in_turn(
        overview.batch, (LineOutcome.AWARDED,), at_a_time=SLIPS_PER_DOCUMENT
    )
    given = [line.award_id for line in next(islice(files, before, None), ()) if line.award_id]
    try:
        if text_of(form, "remettre") == "oui":
            with write_transaction(request) as writing:
                writing.award_batches.hand_over(work.campus, batch_id, by=work.actor)
            process_of(request).on_enqueue()
        return slips_response(request, services, work, given, text_of(form, "langue"))
    except Conflict as error:
        return result_page(request, services, work, batch_id, sentence_of(error))


@router.post("/attributions/{award_id}/bulletin", dependencies=[staff(Permission.AWARD)])
def of_award(award_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    services.awards.get(work.campus, award_id)
    try:
        return slips_response(request, services, work, [award_id], text_of(form, "langue"))
    except Conflict as error:
        return award_page(request, services, work, award_id, error=error)


def slips_response(
    request: Request, services: Services, work: AtWork, award_ids: Sequence[uuid.UUID], language: str
) -> Response:
    spoken = language if language in known_locales() else work.campus.language
    with write_transaction(request) as writing:
        sheet = writing.slips.prepare(work.campus, award_ids, language=spoken, day=day, by=work.actor)
    return Response(
        services.slips.printed(sheet),
        media_type="application/pdf",
        headers={
            "Content-Disposition": f'attachment; filename="bulletins-{len(sheet.slips)}.pdf"',
            "Cache-Control": "no-store",
        },
    )


claiming_router = APIRouter(dependencies=[CROSS_TENANT])


@claiming_router.get("/recuperer")
@public
def ask(request: Request, vers: str = "") -> HTMLResponse:
    return _page(request, towards=vers)


@claiming_router.post("/recuperer", dependencies=[limited("code")])
@public
def claim(request: Request, form: SafeForm) -> Response:
    """Rate-limits guessing, from one network or many."""
    typed, limiter = text_of(form, "code"), process_of(request).limiter
    towards = text_of(form, "vers")
    limiter.check("wrong code", client_network(request))
    limiter.check("wrong code of anybody", "")
    try:
        with write_transaction(request) as services:
            opened = services.delivery.claim_by_code(typed, browser=same_browser(request).name)
    except LinksTurnedOff as error:
        return RedirectResponse(f"/mes-badges/{error.award_id}", status_code=303)
    except InvalidInput as error:
        # Typing error: no award can have such a code, so it does not count as a guess.
        return _page(request, typed, sentence_of(error), status=422, towards=towards)
    except NotFound as error:
        limiter.hit("wrong code", client_network(request))
        limiter.hit("wrong code of anybody", "")
        return _page(request, typed, sentence_of(error), status=404, towards=towards)
    badge = f"/mes-badges/{opened.session.award_id}"
    where = f"{badge}/partager/portefeuille" if towards == TO_WALLET else f"{badge}?fait=recu"
    answer = RedirectResponse(where, status_code=303)
    cache_here(answer, request, opened)
    return answer


def _page(
    request: Request, code: str = "", trouble: str = "", status: int = 200, *, towards: str = ""
) -> HTMLResponse:
    return page(
        request,
        "awards/delivery/claim.html",
        private=True,
        status=status,
        code=code,
        trouble=trouble,
        towards=TO_WALLET if towards == TO_WALLET else "",
    )


ATTACHED = "badge.json"
_LONGEST_FACT = 180
_MOST_COMPETENCIES = 4
_RECOGNISES = N_("reconnaît par ce badge, à la personne à qui il a été donné,")


def certificate_of(services: Services, record: AwardRecord) -> Published:
    """The PDF, with text from the signed bytes verified just now."""
    answer = shown(services, services.verification.verify_award(record))
    return services.papers.certificate(record, _words(services, record, answer))


def _words(services: Services, record: AwardRecord, answer: AnswerShown) -> CertificateWords:
    campus, version = record.campus, record.version
    badge = answer.badge
    holder = badge.holder if badge else ""
    title = badge.title if badge else version.name
    issuer = services.publication.issuer_name(record.award.id)
    return CertificateWords(
        title=translated("Badge « {title} »").format(title=title),
        author=translated("Campus {name}").format(name=issuer),
        by=translated("Campus des métiers et des qualifications"),
        campus=issuer,
        before=translated(ATTESTS),
        holder=holder,
        after=translated(RECEIVED[version.kind] if holder else _RECOGNISES),
        what=title,
        facts=_facts(record, answer),
        check_title=translated("Vérifiez ce badge."),
        check_words=translated(
            "Photographiez le code ou tapez l’adresse : la page dit s’il est authentique et s’il est encore "
            "valable aujourd’hui. Le badge signé est joint à ce PDF."
        ),
        fine=translated(
            "Un badge atteste et reconnaît. Il n’est ni un diplôme ni une certification professionnelle."
        ),
        badge_words=sentence_text(picture_words(campus, version, services.badges.competencies_of(version))),
        code_words=translated("Code QR : {address}").format(
            address=services.addresses.short_in_print(record.award.id)
        ),
        attached=ATTACHED,
        attached_words=translated("Le badge signé, à vérifier avec n’importe quel outil Open Badges 3.0"),
        lang=current_locale(),
    )


def _facts(record: AwardRecord, answer: AnswerShown) -> list[tuple[str, str]]:
    zone = record.campus.time_zone
    if answer.badge is None:
        return [(translated(AWARDED_ON), day(record.award.awarded_at, zone))]
    until = record.award.valid_until
    facts = [
        (translated("Badge"), answer.badge.kind),
        (translated(AWARDED_ON), answer.badge.awarded),
        (translated("Jugé comment"), answer.badge.assessed),
        (
            translated(VALID_UNTIL),
            day(until, zone) if until else translated(NO_END),
        ),
    ]
    facts += [
        (translated("Compétence"), each.name) for each in answer.badge.competencies[:_MOST_COMPETENCIES]
    ]
    return [(label, _short(value)) for label, value in facts]


def _short(value: str) -> str:
    """Cut to one page; the attached badge contains the full text."""
    return value if len(value) <= _LONGEST_FACT else value[: _LONGEST_FACT - 1].rstrip() + "…"


# --- Public award ceremony: one badge after the other on a large screen, with only the chosen personal data

projector_router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/projection")
WHOLE = "entiers"


@dataclass(frozen=True)
class Candidate:
    award_id: uuid.UUID
    name: str
    shown: str
    badge: str


@projector_router.get("", dependencies=[staff(Permission.AWARD)])
def choose(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Chooses who is shown, and how much of their names."""
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    records = _shown(services, work, activity_id)
    names = services.delivery.names_of(records)
    return work.page(
        request,
        "awards/delivery/projection.html",
        activity=ActivityView.of(work, found.activity),
        people=[
            Candidate(
                record.award.id, names[record.award.id], _name(record, whole=False), record.version.name
            )
            for record in records
        ],
    )


@projector_router.get("/ecran", dependencies=[staff(Permission.AWARD)])
def screen(
    activity_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    sans: Annotated[list[uuid.UUID] | None, Query()] = None,
    noms: str = "",
    n: Count = 1,
) -> HTMLResponse:
    """The badge at position `n`, without the few excluded ones; the position after the last is the end
    page."""
    work = at_work(request)
    found = services.activities.page(work.campus, activity_id)
    left_out = set(sans or ())
    chosen = [each for each in _shown(services, work, activity_id) if each.award.id not in left_out]
    place = min(max(n, 1), len(chosen) + 1)
    record = chosen[place - 1] if place <= len(chosen) else None
    activity = ActivityView.of(work, found.activity)
    kept = [*(("sans", str(each)) for each in sans or ()), ("noms", noms)]
    here = f"{activity.href}/projection"
    return page(
        request,
        "awards/delivery/screen.html",
        campus=work.look,
        private=True,
        activity=activity,
        name=_name(record, whole=noms == WHOLE) if record else "",
        badge=record.version.name if record else "",
        kind=BADGE_KINDS[record.version.kind] if record else "",
        picture=picture_of(record.badge, record.version) if record else "",
        picture_words=sentence_text(picture_words(record.campus, record.version)) if record else "",
        place=place,
        wallet=services.addresses.claiming_for_wallet.partition("://")[2],
        wallet_code=_code(services.addresses.claiming_for_wallet) if chosen and not record else "",
        total=len(chosen),
        previous=f"{here}/ecran?{urlencode([*kept, ('n', place - 1)])}" if place > 1 else "",
        next=f"{here}/ecran?{urlencode([*kept, ('n', place + 1)])}" if record else "",
        leave=here,
    )


def _shown(services: Services, work: AtWork, activity_id: uuid.UUID) -> Sequence[AwardRecord]:
    """The valid badges, by first name: the order in which people are called."""
    records = services.awards.list_in(work.campus, activity_id=activity_id, limit=MOST_SHOWN)
    standing = [record for record in records if record.award.state is AwardState.ISSUED]
    return sorted(
        standing,
        key=lambda record: (
            record.version.name,
            plain_text(record.person.given_name),
            plain_text(record.person.family_name),
        ),
    )


def _code(link: str) -> str:
    return segno.make(link, error="m", micro=False).svg_data_uri(border=2, light="#fff")


def _name(record: AwardRecord, *, whole: bool) -> str:
    return shown_name(record.person.given_name, record.person.family_name, whole=whole)
