"""Photos and files of an activity on the trainer's page: multiple upload, preview, show, remove."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, UploadFile

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.files import ACCEPTED, FileNoun, FileState, StoredFile, TakenFile
from app.errors import AppError, InvalidInput
from app.http.pages.forms import SafeForm, ids_in, text_of
from app.http.pages.words import StateLabel, day
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    process_of,
    sentence_of,
    write_transaction,
)
from app.http.workplaces import at_work, staff
from app.language import N_, translated
from app.services.activities.files import OpenedFile
from app.web.activities import ActivityView

_APART = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
STATES = {
    FileState.WAITING: StateLabel("en attente d’analyse", "past"),
    FileState.REFUSED: StateLabel("refusé par l’antivirus", "bad"),
}


@dataclass(frozen=True)
class FileShown:
    """`href` and `preview` are empty while the file may not be opened."""

    id: uuid.UUID
    name: str
    words: str
    size: int
    digest: str
    href: str
    preview: str
    state: StateLabel | None

    @staticmethod
    def of(file: StoredFile, folder: str) -> FileShown:
        href = f"{folder}/{file.id}" if file.is_open else ""
        return FileShown(
            file.id,
            file.name,
            file.words,
            file.size,
            file.digest,
            href,
            f"{href}/apercu" if href and file.is_picture else "",
            STATES.get(file.state),
        )


def files_shown(files: Iterable[StoredFile], folder: str) -> list[FileShown]:
    return [FileShown.of(file, folder) for file in files]


def handed_in(request: Request, form: FormData, field: str, *, words: str = "") -> list[TakenFile]:
    """The files of one field, checked and sanitised; an error names the first one refused.

    Call before any writing transaction: it takes a second for a large photo.
    """
    intake, caption = process_of(request).intake, text_of(form, words) if words else ""
    chosen = [each for each in form.getlist(field) if isinstance(each, UploadFile) and each.filename]
    taken = []
    for each in chosen:
        name = each.filename or ""
        try:
            taken.append(intake.take(name, each.file.read(), words=caption))
        except InvalidInput as error:
            if len(chosen) == 1:
                raise
            raise InvalidInput(
                "« {name} » : {why} Aucun des fichiers n’a été gardé.",
                name=name[:120],
                why=translated(error.sentence).format(**error.values),
            ) from error
    return taken


def saved(opened: OpenedFile) -> Response:
    """Sent as a download: browsers never run or render another user's file here."""
    disposition = f"attachment; filename*=UTF-8''{quote(opened.file.name, safe='')}"
    return Response(
        opened.content,
        media_type="application/octet-stream",
        headers={"Content-Disposition": disposition, **_APART},
    )


def previewed(preview: bytes) -> Response:
    return Response(preview, media_type="image/jpeg", headers=_APART)


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
    """Form that removes it, shown again because the reason is missing."""


@router.get("", dependencies=[staff(Permission.VIEW)])
def show_pieces(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _page(request, services, activity_id, done=translated(_DONE[fait]) if fait in _DONE else "")


@router.post("", dependencies=[staff(Permission.WORK)])
def attach_pieces(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    session, agreed = text_of(form, "seance"), text_of(form, "accord") == "oui"
    try:
        files = handed_in(request, form, "fichiers", words="photo")
        with write_transaction(request) as writing:
            writing.activity_files.attach(
                work.campus,
                activity_id,
                files,
                session_id=next(iter(ids_in([session])), None),
                agreed=agreed,
                by=work.actor,
            )
    except InvalidInput as error:
        words = text_of(form, "photo")
        return _page(request, services, activity_id, error=error, words=words, session=session, agreed=agreed)
    return _back(request, activity_id, "jointes")


@router.get("/{piece_id:uuid}", dependencies=[staff(Permission.VIEW)])
def save_piece(
    activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    services.activity_files.get(at_work(request).campus, activity_id, piece_id)
    return saved(services.files.open(FileNoun.ACTIVITY, activity_id, piece_id))


@router.get("/{piece_id:uuid}/apercu", dependencies=[staff(Permission.VIEW)])
def preview_piece(
    activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    services.activity_files.get(at_work(request).campus, activity_id, piece_id)
    return previewed(services.files.preview(FileNoun.ACTIVITY, activity_id, piece_id))


@router.post("/{piece_id:uuid}/accord", dependencies=[staff(Permission.WORK)])
def allow_piece(activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work, agreed = at_work(request), text_of(form, "accord") == "oui"
    with write_transaction(request) as writing:
        writing.activity_files.allow(work.campus, activity_id, piece_id, agreed, by=work.actor)
    return _back(request, activity_id, "montree" if agreed else "cachee")


@router.post("/{piece_id:uuid}/retirer", dependencies=[staff(Permission.WORK)])
def remove_piece(
    activity_id: uuid.UUID, piece_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm
) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            writing.activity_files.remove(
                work.campus, activity_id, piece_id, text_of(form, "motif"), by=work.actor
            )
    except InvalidInput as error:
        return _page(
            request, services, activity_id, error=error, refused=piece_id, words=text_of(form, "motif")
        )
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
    session: str = "",
    agreed: bool = False,
) -> HTMLResponse:
    work = at_work(request)
    activity = ActivityView.of(work, services.activities.get(work.campus, activity_id))
    here = f"{activity.href}/pieces"
    sessions = {
        each.id: day(each.held_on)
        for each in services.activity_plans.planned(work.campus, activity_id).sessions
    }
    return work.page(
        request,
        "activities/pieces.html",
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
        sessions=[("", translated("Toute l’activité"))]
        + [(str(key), words) for key, words in sessions.items()],
        file_types=ACCEPTED,
        words=words,
        session=session,
        agreed=agreed,
        done=done,
        trouble=sentence_of(error) if error else "",
        is_removal=refused is not None,
    )
