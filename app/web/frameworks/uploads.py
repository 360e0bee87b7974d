"""A framework from a file: the difference first, then the import, as the command does it."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.domain.accounts.permissions import Permission
from app.domain.frameworks.releases import CHANGE_LABELS, ChangeKind, Difference, Source, sample_of
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import DRAFT_NOTE, SafeForm, checked_form, draft_form, save_draft, text_of
from app.http.pages.typography import translated
from app.http.request_scope import ReadingServices, write_transaction
from app.http.workplaces import at_work, sentence_of, staff
from app.language import N_
from app.services.frameworks.importing import FrameworkOwner
from app.services.frameworks.readers import read_uploaded

router = APIRouter(prefix="/gestion/{slug}/competences/referentiels/importer")
_DESIGN = [staff(Permission.DESIGN)]
_DESIGN_POST = [staff(Permission.DESIGN), Depends(checked_form)]
_SHOWN = 20


@router.get("", dependencies=_DESIGN)
def ask_for_file(request: Request) -> HTMLResponse:
    return _page(request)


@router.post("", dependencies=_DESIGN)
def upload(request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    try:
        _source(form)
    except AppError as error:
        return _page(request, form, trouble=sentence_of(error))
    return save_draft(request, form, _here(work.home))


@router.get("/{draft_id:uuid}", dependencies=_DESIGN)
def show_difference(draft_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    form = draft_form(request, services, draft_id, _here(work.home))
    try:
        source = _source(form)
        difference = services.framework_imports.preview(source, FrameworkOwner(campus_id=work.campus.id))
    except AppError as error:
        return _page(request, form, trouble=sentence_of(error))
    return _page(request, form, difference=difference, trouble=text_of(form, DRAFT_NOTE))


@router.post("/{draft_id:uuid}", dependencies=_DESIGN_POST)
def confirm(draft_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """Everything in one transaction: with a fault, nothing is stored."""
    work = at_work(request)
    form = draft_form(request, services, draft_id, _here(work.home))
    try:
        source = _source(form)
        with write_transaction(request) as writing:
            owner = FrameworkOwner(campus_id=work.campus.id)
            writing.framework_imports.write(source, owner, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _page(request, form, trouble=sentence_of(error))
    return RedirectResponse(f"{work.home}/competences", status_code=303)


def _here(home: str) -> str:
    return f"{home}/competences/referentiels/importer"


def _source(form: FormData) -> Source:
    file = form.get("fichier")
    if file is None or isinstance(file, str) or not file.filename:
        raise InvalidInput(N_("Choisissez un fichier : un paquet CASE, un tableau CSV ou Excel."))
    file.file.seek(0)
    return read_uploaded(
        file.filename, file.file.read(), code=text_of(form, "code")[:60], name=text_of(form, "nom")[:200]
    )


def _page(
    request: Request,
    form: FormData | None = None,
    *,
    difference: Difference | None = None,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "frameworks/upload.html",
        status=422 if trouble else 200,
        here=_here(work.home),
        code=text_of(form, "code") if form else "",
        name=text_of(form, "nom") if form else "",
        trouble=trouble,
        source=difference.source if difference else None,
        is_empty=difference is not None and difference.is_empty,
        links=(len(difference.new_links), len(difference.gone_links)) if difference else (0, 0),
        changes=[
            (
                translated(CHANGE_LABELS[kind]),
                difference.counts[kind.value],
                [
                    (each.code, each.before, each.after)
                    for each in sample_of(difference.changes, kind, _SHOWN)
                ],
            )
            for kind in ChangeKind
            if difference and kind.value in difference.counts
        ],
    )
