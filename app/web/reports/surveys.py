"""The survey of an activity: staff open and read it, participants answer on a phone without an account."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.datastructures import FormData

from app.container import Process, Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.check_in import new_phone, sealed_phone
from app.domain.campus.campus import Campus
from app.domain.reports.surveys import (
    LONGEST_SENTENCE,
    RATINGS,
    AlreadyAnswered,
    Answer,
    NoSuchSurvey,
    SentenceState,
    SurveyClosed,
    SurveyResults,
    check_survey_open,
    most_answers,
)
from app.errors import AppError, InvalidInput
from app.http.pages.forms import Count, SafeForm, ids_in, text_of
from app.http.pages.render import page
from app.http.request_scope import (
    CROSS_TENANT,
    WITH_ORGANISERS,
    ReadingServices,
    limited,
    process_of,
    public,
    sentence_of,
    set_cookie,
    status_for,
    status_of,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, look_of, staff
from app.language import N_, translated
from app.services.reports.surveys import SurveyAccess, SurveyPage
from app.web.activities import ActivityView
from app.web.activities.check_in import follow_page, qr_picture
from app.web.activities.phones import PHONE_LIFE, phone_cookie, phone_of

CLOSE, SEND, PROJECT, APPROVE = "fermer", "envoyer", "projeter", "citer"
_NO_COOKIE = N_(
    "Ce téléphone n’a pas gardé le témoin (cookie) qui fait qu’il ne répond qu’une fois. Acceptez-le et lisez le code à nouveau."
)
router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/enquete", dependencies=[WITH_ORGANISERS])
public_router = APIRouter(prefix="/avis", dependencies=[CROSS_TENANT])


@dataclass
class AnswerForm:
    """As typed."""

    rating: str = ""
    recommends: str = ""
    sentence: str = ""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(form: FormData) -> AnswerForm:
        typed = AnswerForm(text_of(form, "avis"), text_of(form, "conseil"), text_of(form, "phrase"))
        if typed.rating not in map(str, RATINGS):
            typed.errors["avis"] = translated("Choisissez un visage.")
        if typed.recommends not in ("oui", "non"):
            typed.errors["conseil"] = translated("Répondez oui ou non.")
        if len(typed.sentence) > LONGEST_SENTENCE:
            typed.errors["phrase"] = translated("Votre phrase est trop longue : 140 signes au plus.")
        return typed

    @property
    def answer(self) -> Answer:
        return Answer(int(self.rating), self.recommends == "oui", self.sentence)


def bars(results: SurveyResults) -> list[tuple[str, int, int]]:
    """Most favourable first: label, answers, per cent of all answers for the width of the bar."""
    return [
        (translated(words), n := results.answers[rating - 1], 100 * n // max(results.answered, 1))
        for rating, words in RATINGS.items()
    ]


@router.get("", dependencies=[staff(Permission.WORK)])
def show_survey(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, envoyes: Count = -1
) -> HTMLResponse:
    return _survey_page(request, services, at_work(request), activity_id, sent=envoyes)


@router.post("", dependencies=[staff(Permission.WORK)])
def change_survey(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, gesture, typed = at_work(request), text_of(form, "geste"), text_of(form, "jusqu-au")
    here, query = f"{work.home}/activites/{activity_id}/enquete", ""
    try:
        with write_transaction(request) as writing:
            if gesture == CLOSE:
                writing.surveys.close(work.campus, activity_id, by=work.actor)
            elif gesture == SEND:
                query = f"?envoyes={writing.surveys.send(work.campus, activity_id, by=work.actor)}"
            else:
                writing.surveys.open(work.campus, activity_id, closes_on=_day(typed), by=work.actor)
    except (InvalidInput, SurveyClosed) as error:
        trouble = sentence_of(error)
        day_trouble = trouble if gesture not in {CLOSE, SEND} else ""
        return _survey_page(
            request,
            services,
            work,
            activity_id,
            typed=typed,
            trouble=trouble,
            day_trouble=day_trouble,
            status=status_for(error),
        )
    return RedirectResponse(f"{here}/ecran" if gesture == PROJECT else here + query, status_code=303)


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError:
        raise InvalidInput("Choisissez le jour où l’enquête se ferme.") from None


@router.post("/phrases", dependencies=[staff(Permission.WORK)])
def moderate_sentence(activity_id: uuid.UUID, request: Request, form: SafeForm) -> RedirectResponse:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.activities.get(work.campus, activity_id)
        for answer_id in ids_in([text_of(form, "phrase")]):
            writing.surveys.moderate(
                work.campus, activity_id, answer_id, approved=text_of(form, "geste") == APPROVE, by=work.actor
            )
    return RedirectResponse(f"{work.home}/activites/{activity_id}/enquete#phrases", status_code=303)


@router.get("/ecran", dependencies=[staff(Permission.WORK)])
def project_survey(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """For a projector: the code and how many have answered, not what."""
    work = at_work(request)
    found = services.surveys.glance(work.campus, activity_id)
    return page(
        request,
        "reports/survey_screen.html",
        campus=work.look,
        private=True,
        here=f"{work.home}/activites/{activity_id}/enquete",
        activity=ActivityView.of(work, found.activity),
        found=found,
        **_code(found, services, kind="code-big"),
    )


@router.get("/suivi", dependencies=[staff(Permission.WORK)])
def follow_survey(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """SSE stream: one event for each new answer; the page then reloads its content."""
    campus = at_work(request).campus
    services.activities.get(campus, activity_id)
    return follow_page(partial(_seen, process_of(request), campus, activity_id))


def _seen(process: Process, campus: Campus, activity_id: uuid.UUID) -> tuple[str, bool]:
    with process.visit(reading=True, campus_id=campus.id) as services:
        found = services.surveys.glance(campus, activity_id)
        return version_of(found), found.is_open


def version_of(found: SurveyPage) -> str:
    """Changes whenever the content of the pages would change."""
    return f"{found.is_open:d}.{found.results.asked}.{found.results.received}"


def _code(found: SurveyPage, services: Services, *, kind: str = "qr") -> dict[str, Any]:
    if found.link is None:
        return {"version": version_of(found), "picture": "", "typed_at": "", "code": ""}
    base_url, code = services.addresses.base_url, found.link.code
    return {
        "version": version_of(found),
        "picture": qr_picture(
            services.addresses.survey(code), translated("Code QR à lire avec un téléphone"), kind=kind
        ),
        "typed_at": f"{urlsplit(base_url).netloc}/avis/",
        "code": f"{code[:3]}-{code[3:]}",
    }


def _survey_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    *,
    typed: str = "",
    trouble: str = "",
    day_trouble: str = "",
    sent: int = -1,
    status: int = 200,
) -> HTMLResponse:
    found = services.surveys.page(work.campus, activity_id)
    return work.page(
        request,
        "reports/survey.html",
        status=status,
        here=f"{work.home}/activites/{activity_id}/enquete",
        activity=ActivityView.of(work, found.activity),
        found=found,
        results=found.results,
        most=most_answers(found.results.asked),
        bars=bars(found.results),
        day=typed or found.proposed_day.isoformat(),
        trouble=trouble,
        day_trouble=day_trouble,
        sent=sent,
        pending=[each for each in found.sentences if each.sentence_state is SentenceState.PENDING],
        approved=[each for each in found.sentences if each.sentence_state is SentenceState.APPROVED],
        rejected=[each for each in found.sentences if each.sentence_state is SentenceState.REJECTED],
        **_code(found, services),
    )


@public_router.get("/{code}", dependencies=[limited("survey")])
@public_router.get("/{code}/{mark}", dependencies=[limited("survey")])
@public
def ask_opinion(
    code: str, request: Request, services: ReadingServices, mark: str = "", merci: str = ""
) -> Response:
    process = process_of(request)
    phone = phone_of(request, process) or new_phone()
    try:
        access = services.surveys.access(code, phone=phone, mark=mark)
        if access.has_answered:
            return _thanks_page(request, access, again=merci != "oui")
        check_survey_open(access.link, today=access.campus.day_of(services.clock()))
    except (NoSuchSurvey, SurveyClosed) as error:
        return _refused_page(request, error)
    answer = _opinion_page(request, access, AnswerForm())
    set_cookie(answer, process, phone_cookie(process), sealed_phone(process.secret, phone), PHONE_LIFE)
    return answer


@public_router.post("/{code}", dependencies=[limited("survey answer")])
@public_router.post("/{code}/{mark}", dependencies=[limited("survey answer")])
@public
def answer_survey(
    code: str, request: Request, form: SafeForm, services: ReadingServices, mark: str = ""
) -> Response:
    process, typed = process_of(request), AnswerForm.of(form)
    phone = phone_of(request, process)
    try:
        access = services.surveys.access(code, phone=phone or "", mark=mark)
        if phone is None:
            return _opinion_page(request, access, typed, translated(_NO_COOKIE), status=409)
        if typed.errors:
            return _opinion_page(request, access, typed, status=422)
        with write_transaction(request) as writing:
            writing.surveys.answer(code, typed.answer, phone=phone, mark=mark)
    except AlreadyAnswered:
        return _thanks_page(request, access, again=True)
    except (NoSuchSurvey, SurveyClosed) as error:
        return _refused_page(request, error)
    except InvalidInput as error:
        return _opinion_page(request, access, typed, sentence_of(error), status=422)
    return RedirectResponse(f"{request.url.path}?merci=oui", status_code=303)


def _opinion_page(
    request: Request, access: SurveyAccess, form: AnswerForm, trouble: str = "", *, status: int = 200
) -> HTMLResponse:
    return _phone_page(
        request,
        "reports/opinions/form.html",
        access=access,
        status=status,
        form=form,
        trouble=trouble,
        ratings=[(str(rating), translated(words)) for rating, words in RATINGS.items()],
        longest=LONGEST_SENTENCE,
    )


def _thanks_page(request: Request, access: SurveyAccess, *, again: bool) -> HTMLResponse:
    return _phone_page(request, "reports/opinions/done.html", access=access, again=again)


def _refused_page(request: Request, error: AppError) -> HTMLResponse:
    return _phone_page(
        request, "reports/opinions/done.html", status=status_of(error), trouble=sentence_of(error)
    )


def _phone_page(
    request: Request, template: str, *, access: SurveyAccess | None = None, **shown: Any
) -> HTMLResponse:
    look = look_of(access.campus) if access else None
    answer = page(
        request,
        template,
        campus=look,
        activity=access.activity if access else None,
        asks_sentence=access.asks_sentence if access else False,
        organiser=access.campus.name if access else "",
        **shown,
    )
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
