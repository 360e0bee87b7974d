"""A framework from a file: which columns, then the difference, then the import, as the command does it."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.domain.accounts.permissions import Permission
from app.domain.frameworks.releases import CHANGE_LABELS, ChangeKind, Difference, Source, sample_of
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import CHECKED_FORM, SafeForm, draft_form, save_draft, text_of
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.frameworks.importing import FrameworkOwner
from app.services.frameworks.own_files import (
    COLUMNS,
    ColumnsUnknown,
    read_uploaded,
    recognised,
    uploaded_table,
)

router = APIRouter(prefix="/gestion/{slug}/competences/referentiels/importer")
_DESIGN = [staff(Permission.DESIGN)]
_DESIGN_POST = [staff(Permission.DESIGN), CHECKED_FORM]
_SHOWN = 20
_CHUNKS_AT_ONCE = 2
"""Of two thousand entries, in one request: some seconds."""
_COLUMN = "colonne-"
_COLUMN_LABELS = {
    "code": N_("Code"),
    "label": N_("Libellé"),
    "parent": N_("Code de l’élément au-dessus"),
    "kind": N_("Nature"),
    "description": N_("Description"),
    "other_labels": N_("Synonymes"),
    "levels": N_("Niveaux"),
    "rubric": N_("Descriptions des niveaux"),
    "ended_on": N_("Fin de validité"),
    "replaced_by": N_("Remplacé par"),
    "related": N_("En lien avec"),
}


@router.get("", dependencies=_DESIGN)
def ask_for_file(request: Request) -> HTMLResponse:
    return _page(request)


@router.post("", dependencies=_DESIGN)
def upload(request: Request, form: SafeForm) -> Response:
    """Keeps the file and leads to its page; a table with unknown columns too: they are chosen there."""
    try:
        _sources(form)
    except AppError as error:
        if not isinstance(error, ColumnsUnknown) or _columns(form) is None:
            return _page(request, form, trouble=sentence_of(error))
    return save_draft(request, form, _here(at_work(request)))


@router.get("/{draft_id:uuid}", dependencies=_DESIGN)
def show_difference(
    draft_id: uuid.UUID, request: Request, services: ReadingServices, suite: str = ""
) -> HTMLResponse:
    """What is still to be written; with `suite`, the progress of an import that goes on by itself."""
    work = at_work(request)
    form = draft_form(request, services, draft_id, _here(work))
    try:
        owner = FrameworkOwner(campus_id=work.campus.id)
        differences = [services.framework_imports.preview(each, owner) for each in _sources(form)]
    except ColumnsUnknown as error:
        return _page(request, form, trouble=sentence_of(error) if _mapping(form) else "")
    except AppError as error:
        return _page(request, form, trouble=sentence_of(error))
    if suite and any(not each.is_empty for each in differences):
        total = sum(len(each.source.entries) for each in differences)
        left = sum(len(each.changes) for each in differences)
        return work.page(request, "frameworks/uploading.html", total=total, done=max(0, total - left))
    return _page(request, form, differences)


@router.post("/{draft_id:uuid}", dependencies=_DESIGN_POST)
def confirm(draft_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """With other columns, the difference again. Otherwise the next few thousand entries: with a fault, nothing is stored."""
    work = at_work(request)
    kept = draft_form(request, services, draft_id, _here(work))
    if text_of(form, "geste") == "colonnes":
        chosen = [(name, value) for name, value in form.multi_items() if name.startswith(_COLUMN)]
        others = [(name, value) for name, value in kept.multi_items() if not name.startswith(_COLUMN)]
        return save_draft(request, FormData([*others, *chosen]), _here(work))
    try:
        sources, owner = _sources(kept), FrameworkOwner(campus_id=work.campus.id)
        with write_transaction(request) as writing:
            is_whole = writing.framework_imports.write_part(
                sources, owner, by=work.actor, chunks=_CHUNKS_AT_ONCE
            )
    except (InvalidInput, Conflict) as error:
        return _page(request, kept, trouble=sentence_of(error))
    if not is_whole:
        return RedirectResponse(f"{_here(work)}/{draft_id}?suite=oui", status_code=303)
    return RedirectResponse(f"{work.home}/competences?fait=importe", status_code=303)


def _here(work: AtWork) -> str:
    return f"{work.home}/competences/referentiels/importer"


def _file(form: FormData) -> tuple[str, bytes]:
    file = form.get("fichier")
    if file is None or isinstance(file, str) or not file.filename:
        raise InvalidInput("Choisissez un fichier : un paquet CASE, un tableau CSV ou Excel.")
    file.file.seek(0)
    return file.filename, file.file.read()


def _sources(form: FormData) -> list[Source]:
    return read_uploaded(
        *_file(form), code=text_of(form, "code"), name=text_of(form, "nom"), mapping=_mapping(form)
    )


def _mapping(form: FormData) -> dict[str, str]:
    """As chosen; empty before."""
    return {key: text_of(form, f"{_COLUMN}{key}") for key in COLUMNS if f"{_COLUMN}{key}" in form}


@dataclass(frozen=True)
class ColumnChoice:
    name: str
    label: str
    value: str


@dataclass(frozen=True)
class ColumnsView:
    """The headings of an uploaded table, and the column of each field."""

    choices: Sequence[ColumnChoice]
    headings: Sequence[tuple[str, str]]
    is_unknown: bool


def _columns(form: FormData | None) -> ColumnsView | None:
    try:
        file, data = _file(form or FormData())
        if file.lower().endswith(".json"):
            return None
        table = uploaded_table(file, data)
        if len(table.columns) < 2:
            return None
        mapping = _mapping(form or FormData())
        found = recognised(table, mapping)
    except AppError:
        return None
    names = dict(zip(table.columns, table.headings, strict=True))
    return ColumnsView(
        [
            ColumnChoice(f"{_COLUMN}{key}", translated(label), names.get(found.get(key, ""), ""))
            for key, label in _COLUMN_LABELS.items()
        ],
        [("", translated("Aucune")), *((each, each) for each in table.headings if each)],
        not {"code", "label"} <= set(found),
    )


@dataclass(frozen=True)
class DifferenceView:
    """`changes`: label, count, and the first of them: code, label now, label before where it was another."""

    title: str
    is_empty: bool
    changes: Sequence[tuple[str, int, Sequence[tuple[str, str, str]]]]
    links: tuple[int, int]


def _view(difference: Difference) -> DifferenceView:
    counts = difference.counts
    return DifferenceView(
        difference.source.title,
        difference.is_empty,
        [
            (
                translated(CHANGE_LABELS[kind]),
                counts[kind.value],
                [
                    (each.code, each.after, each.before if each.before != each.after else "")
                    for each in sample_of(difference.changes, kind, _SHOWN)
                ],
            )
            for kind in ChangeKind
            if kind.value in counts
        ],
        (len(difference.new_links), len(difference.gone_links)),
    )


def _page(
    request: Request,
    form: FormData | None = None,
    differences: Sequence[Difference] = (),
    *,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    columns = _columns(form)
    return work.page(
        request,
        "frameworks/upload.html",
        status=status_for(trouble),
        here=_here(work),
        code=text_of(form, "code") if form else "",
        name=text_of(form, "nom") if form else "",
        trouble=trouble,
        columns=columns if differences or (columns and columns.is_unknown) else None,
        differences=[_view(each) for each in differences],
        changes_something=any(not each.is_empty for each in differences),
    )
