"""Photos and files of an activity on the trainer's page: several at once, seen as previews, shown or removed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.files import ACCEPTED, FileNoun
from app.errors import AppError, InvalidInput
from app.http.pages.forms import SafeForm, ids_in, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.wording import day
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed
from app.http.workplaces import at_work, sentence_of, staff
from app.language import N_
from app.web.activities.activities import ActivityView
from app.web.activities.handed_files import FileShown, handed_in, previewed, saved

router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/pieces", dependencies=[WITH_ORGANISERS])
_DONE = {
    "jointes": N_("C’est joint, et inscrit au journal. Chaque personne présente le voit dans son journal."),
    "montree": N_("Cette photo peut être montrée à tous, avec les badges de cette activité."),
    "cachee": N_("Cette photo n’est plus vue que par les personnes présentes et le campus."),
    "retiree": N_("Le fichier est effacé. Le journal garde une ligne qui le dit."),
}


@dataclass(frozen=True)
class PieceShown:
    file: FileShown
    session: str
    agreed: bool
    refused: bool
    """Its removal, for want of a reason."""


@router.get("", dependencies=[staff(Deed.VIEW)])
def show_pieces(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _page(request, services, activity_id, done=say(_DONE[fait]) if fait in _DONE else "")


@router.post("", dependencies=[staff(Deed.WORK)])
def attach_pieces(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    try:
        files = handed_in(request, form, "fichiers", words="photo")
        with deed(request) as writing:
            writing.activity_files.attach(
                work.campus,
                activity_id,
                files,
                session_id=next(iter(ids_in([text_of(form, "seance")])), None),
                agreed=text_of(form, "accord") == "oui",
                by=work.actor,
            )
    except InvalidInput as error:
        return _page(request, services, activity_id, error=error, words=text_of(form, "photo"))
    return _back(request, activity_id, "jointes")


@router.get("/{piece_id:uuid}", dependencies=[staff(Deed.VIEW)])
def save_piece(
    activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    services.activity_files.get(at_work(request).campus, activity_id, piece_id)
    return saved(services.files.open(FileNoun.ACTIVITY, activity_id, piece_id))


@router.get("/{piece_id:uuid}/apercu", dependencies=[staff(Deed.VIEW)])
def preview_piece(
    activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    services.activity_files.get(at_work(request).campus, activity_id, piece_id)
    return previewed(services.files.preview(FileNoun.ACTIVITY, activity_id, piece_id))


@router.post("/{piece_id:uuid}/accord", dependencies=[staff(Deed.WORK)])
def allow_piece(activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work, agreed = at_work(request), text_of(form, "accord") == "oui"
    with deed(request) as writing:
        writing.activity_files.allow(work.campus, activity_id, piece_id, agreed, by=work.actor)
    return _back(request, activity_id, "montree" if agreed else "cachee")


@router.post("/{piece_id:uuid}/retirer", dependencies=[staff(Deed.WORK)])
def remove_piece(
    activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work = at_work(request)
    try:
        with deed(request) as writing:
            writing.activity_files.remove(
                work.campus, activity_id, piece_id, text_of(form, "motif"), by=work.actor
            )
    except InvalidInput as error:
        return _page(request, services, activity_id, error=error, refused=piece_id)
    return _back(request, activity_id, "retiree")


def _back(request: Request, activity_id: uuid.UUID, done: str) -> RedirectResponse:
    return RedirectResponse(
        f"{at_work(request).home}/activites/{activity_id}/pieces?fait={done}", status_code=303
    )


def _page(
    request: Request,
    services: Services,
    activity_id: uuid.UUID,
    *,
    done: str = "",
    error: AppError | None = None,
    refused: uuid.UUID | None = None,
    words: str = "",
) -> HTMLResponse:
    work = at_work(request)
    activity = ActivityView.of(work, services.activities.get(work.campus, activity_id))
    here = f"{activity.href}/pieces"
    sessions = {
        each.id: day(each.held_on)
        for each in services.activity_plans.planned(work.campus, activity_id).sessions
    }
    return page(
        request,
        "activities/pieces.html",
        campus=work.look,
        private=True,
        status=422 if error else 200,
        home=work.home,
        here=here,
        activity=activity,
        pieces=[
            PieceShown(
                FileShown.of(file, here),
                sessions.get(row.session_id, "") if row.session_id else "",
                row.agreed,
                file.id == refused,
            )
            for row, file in services.activity_files.of(work.campus, activity_id)
        ],
        sessions=[("", say(N_("Toute l’activité")))] + [(str(key), words) for key, words in sessions.items()],
        file_types=ACCEPTED,
        words=words,
        done=done,
        trouble=sentence_of(error) if error else "",
        is_removal=refused is not None,
    )
