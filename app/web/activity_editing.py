"""Activities created and changed from one form."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.domain.permissions import Deed
from app.errors import InvalidInput
from app.request_scope import ReadingServices, deed
from app.web.activity_form import AUDIENCES, ActivityForm
from app.web.forms import SafeForm
from app.web.render import page
from app.web.typography import say
from app.web.words import ACTIVITY_KINDS
from app.web.workplaces import AtWork, at_work, look_of, sentence_of, staff
from app.wiring import Services

router = APIRouter(prefix="/gestion/{slug}/activites")


@router.get("/nouvelle", dependencies=[staff(Deed.WORK)])
def new_activity(request: Request, services: ReadingServices) -> HTMLResponse:
    return _form_page(request, services, at_work(request), ActivityForm())


@router.post("/nouvelle", dependencies=[staff(Deed.WORK)])
def create_activity(slug: str, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    filled = ActivityForm.of(form)
    try:
        activity = filled.activity()
        others = [services.campuses.get(other) for other in filled.campuses if other != slug]
        with deed(request) as writing:
            writing.activities.create(activity, [work.campus, *others], by=work.actor)
    except InvalidInput as error:
        filled.errors.setdefault("titre", sentence_of(error))
    if filled.errors:
        return _form_page(request, services, work, filled, status=422)
    return RedirectResponse(f"{work.home}/activites/{activity.id}", status_code=303)


def _form_page(
    request: Request, services: Services, work: AtWork, filled: ActivityForm, *, status: int = 200
) -> HTMLResponse:
    return page(
        request,
        "activities/new.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        form=filled,
        kinds=[(kind.value, say(words)) for kind, words in ACTIVITY_KINDS.items()],
        audiences=[say(words) for words in AUDIENCES],
        others=[look_of(campus) for campus in services.campuses.list_all() if campus.id != work.campus.id],
    )
