"""« Mes données »: what is held about somebody, by whom, what for and for how long; and having it all erased."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.privacy.consents import By
from app.domain.privacy.consents import sentence_of as sentence_of_consent
from app.errors import AppError
from app.http.held_badges import HOLDER, forget_here, holder_of
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import moment
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed, limited, process_of
from app.http.workplaces import look_of, sentence_of
from app.language import N_
from app.services.awards.awards import AwardRecord
from app.services.publishing.publication import Published
from app.web.privacy.data_words import matters_shown, stays_shown

router = APIRouter(dependencies=[AT_ANY_CAMPUS])
GIVEN, TAKEN_BACK = N_("Accepté"), N_("Repris, ou refusé")
EVERYWHERE, HERE = "partout", "ici"
_UNLESS_SAID = N_("Dites d’abord si l’effacement vaut pour ce campus seul, ou pour tous.")


@router.get("/mes-badges/{award_id:uuid}/mes-donnees", dependencies=[HOLDER])
def show_my_data(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    who = holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    foreseen = services.erasures.foresee(who.person.id)
    return _own(
        request,
        "privacy/show.html",
        record,
        name=who.person.name,
        matters=matters_shown(foreseen.by_matter),
        consents=[
            (
                moment(each.at, record.campus.time_zone),
                say(GIVEN if each.given else TAKEN_BACK),
                say(sentence_of_consent(each)),
                each.by is By.PARENT,
            )
            for each in services.archive.consents.of_person(who.person.id)
        ],
        campuses=[(each.name, each.contact_email) for each in foreseen.campuses],
    )


@router.post("/mes-badges/{award_id:uuid}/mes-donnees", dependencies=[HOLDER, limited("archive")])
def ask_archive(
    award_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    form: SafeForm,  # noqa: ARG001 - its check is the point
) -> HTMLResponse:
    """A private link may have been lent: everything leaves by the person's own mailbox alone."""
    holder_of(award_id, request, services)
    record = services.awards.record(award_id)
    with deed(request) as writing:
        is_written_to = writing.archive.ask(record)
    return _asked(request, record, is_written_to, "privacy/archive_asked.html")


@router.get("/archive/{token}")
@public
def show_archive(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """A page and not yet the file: programs that follow links in letters take nothing along."""
    record = services.archive.asked(token)
    answer = page(
        request,
        "privacy/archive.html",
        campus=look_of(record.campus),
        private=True,
        name=record.person.given_name or record.person.name,
        here=f"/archive/{token}",
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


@router.post("/archive/{token}", dependencies=[limited("archive")])
@public
def take_archive(token: str, services: ReadingServices, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    return archive_file(services.archive.make(services.archive.asked(token).person.id))


def archive_file(archive: Published) -> Response:
    headers = {"Content-Disposition": 'attachment; filename="mes-donnees.zip"', "Cache-Control": "no-store"}
    return Response(archive.body, media_type=archive.media_type, headers=headers)


def _asked(request: Request, record: AwardRecord, is_written_to: bool, template: str) -> HTMLResponse:
    process_of(request).on_promise()
    return _own(
        request,
        template,
        record,
        is_written_to=is_written_to and process_of(request).mailer is not None,
        contact=record.campus.contact_email,
    )


@router.get("/mes-badges/{award_id:uuid}/effacement", dependencies=[HOLDER])
def choose_erasure(award_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _choice(request, services, award_id)


@router.post("/mes-badges/{award_id:uuid}/effacement", dependencies=[HOLDER, limited("erasure")])
def ask_erasure(
    award_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> HTMLResponse:
    """A private link may have been lent: what cannot be undone is confirmed from the person's own mailbox."""
    holder_of(award_id, request, services)
    record, wanted = services.awards.record(award_id), text_of(form, "portee")
    if wanted not in (EVERYWHERE, HERE):
        return _choice(request, services, award_id, trouble=say(_UNLESS_SAID))
    try:
        with deed(request) as writing:
            is_written_to = writing.erasures.ask(record, everywhere=wanted == EVERYWHERE)
    except AppError as error:
        return _choice(request, services, award_id, wanted=wanted, trouble=sentence_of(error))
    return _asked(request, record, is_written_to, "privacy/asked.html")


def _choice(
    request: Request, services: Services, award_id: uuid.UUID, *, wanted: str = "", trouble: str = ""
) -> HTMLResponse:
    person = holder_of(award_id, request, services).person
    record = services.awards.record(award_id)
    foreseen = services.erasures.foresee(person.id)
    others = [each.name for each in foreseen.campuses if each.id != record.campus.id]
    return _own(
        request,
        "privacy/erase.html",
        record,
        status=422 if trouble else 200,
        trouble=trouble,
        wanted=wanted or EVERYWHERE,
        others=others,
        matters=matters_shown(foreseen.by_matter),
        badges=foreseen.badges,
        stays=stays_shown(),
    )


def _own(
    request: Request, template: str, record: AwardRecord, *, status: int = 200, **more: Any
) -> HTMLResponse:
    url = f"/mes-badges/{record.award.id}"
    answer = page(
        request,
        template,
        campus=look_of(record.campus),
        private=True,
        status=status,
        badge=record.version.name,
        badge_url=url,
        campus_name=record.campus.name,
        **more,
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer


# --- out of a letter


@router.get("/effacement/{token}")
@public
def read_before_erasing(token: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """A page and not yet a deed: programs that follow links in letters erase nothing."""
    return _last_word(request, services, token)


@router.post("/effacement/{token}", dependencies=[limited("erasure")])
@public
def erase(token: str, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    if not text_of(form, "compris"):
        trouble = say(N_("Cochez la case : un effacement ne se défait pas."))
        return _last_word(request, services, token, trouble=trouble)
    try:
        with deed(request) as writing:
            done = writing.erasures.confirm(token)
    except AppError as error:
        return _last_word(request, services, token, trouble=sentence_of(error))
    answer = RedirectResponse(f"/effacements/{done[0].id}", status_code=303)
    forget_here(answer, request)
    return answer


def _last_word(request: Request, services: Services, token: str, *, trouble: str = "") -> HTMLResponse:
    record, everywhere = services.erasures.asked(token)
    foreseen = services.erasures.foresee(record.person.id, None if everywhere else record.campus)
    campuses: Sequence[str] = [each.name for each in foreseen.campuses]
    answer = page(
        request,
        "privacy/confirm.html",
        campus=look_of(record.campus),
        private=True,
        status=422 if trouble else 200,
        trouble=trouble,
        name=record.person.given_name or record.person.name,
        campuses=campuses,
        here=f"/effacement/{token}",
        matters=matters_shown(foreseen.by_matter),
        badges=foreseen.badges,
        stays=stays_shown(),
    )
    answer.headers["Referrer-Policy"] = "same-origin"
    return answer
