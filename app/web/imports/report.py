"""The report of an import: how far it is, what became of each line, and the lines that were refused as a table."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.imports.columns import HEADINGS
from app.domain.imports.imports import Fate, ImportForm, ImportLine, ImportState
from app.http.pages.live_progress import ProgressView, told_live
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import Word
from app.http.request_scope import ReadingServices
from app.http.workplaces import at_work, staff
from app.language import N_
from app.language import gettext as _
from app.services.imports.imports import Report
from app.web.badges.desk import table_file
from app.web.imports.words import DONE, FORMS, reason_of

MOST_SHOWN = 200
router = APIRouter(prefix="/gestion/{slug}/reprises/{run_id:uuid}")
_FIGURES = {
    Fate.CREATED: N_("Créées"),
    Fate.CHANGED: N_("Corrigées"),
    Fate.SAME: N_("Déjà là"),
    Fate.REFUSED: N_("Refusées"),
}


@dataclass(frozen=True)
class LineView:
    number: int
    told: str
    word: Word
    reason: str

    @staticmethod
    def of(line: ImportLine) -> LineView:
        told = " · ".join(cell for cell in line.cells if cell)
        return LineView(line.number, told[:160], DONE[line.fate], reason_of(line.reason, line.reason_values))


def report_page(request: Request, services: Services, report: Report) -> HTMLResponse:
    work, run = at_work(request), report.run
    refused = services.imports.lines(work.campus, run.id, [Fate.REFUSED], limit=MOST_SHOWN)
    changed = services.imports.lines(work.campus, run.id, [Fate.CHANGED], limit=MOST_SHOWN)
    return page(
        request,
        "imports/report.html",
        campus=work.look,
        private=True,
        home=work.home,
        here=f"{work.home}/reprises/{run.id}",
        zone=work.campus.time_zone,
        source=run.source,
        form=say(FORMS[run.form]),
        digest=run.digest,
        size=run.size,
        asked_at=run.asked_at,
        done_at=run.done_at,
        by=_who(services, report),
        running=run.state is ImportState.RUNNING,
        progress=_progress_of(report),
        total=report.total,
        figures=[(say(words), report.counts.get(fate, 0), "") for fate, words in _FIGURES.items()],
        refused_count=report.counts.get(Fate.REFUSED, 0),
        changed_count=report.counts.get(Fate.CHANGED, 0),
        refused=[LineView.of(line) for line in refused],
        changed=[LineView.of(line) for line in changed],
        forgotten=run.forgotten,
    )


def _who(services: Services, report: Report) -> str:
    if report.run.asked_by is None:
        return say(N_("Un programme"))
    people = services.people.people.list_by_id([report.run.asked_by])
    return people[0].name if people else ""


@router.get("/avancement", dependencies=[staff(Deed.WORK)])
def watch(run_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """How far it is, each time it gets further, until it is done."""
    campus = at_work(request).campus
    services.imports.report(campus, run_id)

    def look(services: Services) -> tuple[ProgressView, bool]:
        report = services.imports.report(campus, run_id)
        return _progress_of(report), report.run.state is not ImportState.RUNNING

    return told_live(request, look)


def _progress_of(report: Report) -> ProgressView:
    return ProgressView.of(report.answered, report.total)


@router.get("/compte-rendu.csv", dependencies=[staff(Deed.WORK)])
def report_table(run_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """What became of each line by its number: nobody's name stands in it."""
    lines = services.imports.lines(at_work(request).campus, run_id)
    rows = [
        (str(line.number), say(DONE[line.fate].text), reason_of(line.reason, line.reason_values))
        for line in lines
    ]
    return table_file("compte-rendu", (_("Ligne"), _("Résultat"), _("Motif")), rows)


@router.get("/refus.csv", dependencies=[staff(Deed.WORK)])
def refused_table(run_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """The lines that were refused, as they were given, with the reason: corrected, the file can be dropped again."""
    campus = at_work(request).campus
    run = services.imports.report(campus, run_id).run
    lines = services.imports.lines(campus, run_id, [Fate.REFUSED])
    heading = _heading(run.form, run.mapping.get("heading", ()))
    rows = [
        (*_filled(line.cells, len(heading)), reason_of(line.reason, line.reason_values)) for line in lines
    ]
    return table_file("refus", (*heading, _("Motif")), rows)


def _heading(form: ImportForm, heading: Sequence[str]) -> Sequence[str]:
    return heading if form is ImportForm.TABLE else tuple(HEADINGS.values())


def _filled(cells: Sequence[str], width: int) -> Sequence[str]:
    return (*cells, *("",) * (width - len(cells)))[:width]
