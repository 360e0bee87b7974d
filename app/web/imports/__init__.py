"""« Importer des activités »: upload a file, map its columns, preview each line, confirm."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import ActivityKind, PartKind
from app.domain.imports.imports import ImportForm, ImportLineOutcome, ImportState
from app.domain.imports.lists.vocabulary.names import fold
from app.domain.imports.tables import (
    ImportColumn,
    ReadingPlan,
    Sheet,
    heading_keys,
    kind_of_word,
    part_of_word,
)
from app.domain.imports.xapi import COMMON_VERBS
from app.errors import AppError, InvalidInput
from app.http.pages.forms import SafeForm, bytes_of, text_of, texts_of
from app.http.pages.words import ACTIVITY_KINDS, PARTS
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    process_of,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.imports.import_matching import MatchedRecord
from app.services.imports.imports import (
    Draft,
    ImportAnswers,
    Report,
    StatementDraft,
    csv_template,
    workbook_template,
)
from app.web.imports.import_preview import (
    COLUMNS,
    FORMS,
    SHOWN_REFUSED,
    PreviewLineView,
    confirmed,
    dropped,
    foreseen_page,
    lines_context,
    report_page,
)


def differs(plan: ReadingPlan, shown: ReadingPlan, sheet: Sheet) -> bool:
    """Whether the submitted mapping differs from the one of the preview."""
    columns = dict(zip(heading_keys(sheet.heading), sheet.columns(shown), strict=True))
    return (
        any(columns[key] is not column for key, column in plan.columns.items())
        or any(shown.parts.get(word) is not part for word, part in plan.parts.items())
        or any(shown.kinds.get(word) is not kind for word, kind in plan.kinds.items())
        or plan.kind not in (None, shown.kind or ActivityKind.WORKSHOP)
    )


def plan_in(form: SafeForm, heading: Sequence[str]) -> ReadingPlan:
    """The mapping in the selects of the page, possibly incomplete."""
    columns = {}
    for index, key in enumerate(heading_keys(heading)):
        if (typed := text_of(form, f"colonne-{index}")) in set(ImportColumn):
            columns[key] = ImportColumn(typed)
    parts = {word: PartKind(typed) for word, typed in _words_in(form, "role") if typed in set(PartKind)}
    kinds = {
        word: ActivityKind(typed) for word, typed in _words_in(form, "type") if typed in set(ActivityKind)
    }
    kind = text_of(form, "type-sinon")
    return ReadingPlan(columns, parts, kinds, ActivityKind(kind) if kind in set(ActivityKind) else None)


def _words_in(form: SafeForm, name: str) -> list[tuple[str, str]]:
    """The terms of the file that the page asked about, with the answers."""
    found, index = [], 0
    while word := text_of(form, f"{name}-mot-{index}"):
        found.append((fold(word), text_of(form, f"{name}-{index}")))
        index += 1
    return found


def says_twice(plan: ReadingPlan) -> str:
    chosen = [column for column in plan.columns.values() if column is not ImportColumn.NOTHING]
    if len(chosen) == len(set(chosen)):
        return ""
    return translated(
        "Deux colonnes disent la même chose : choisissez-en une, et « ne pas lire » pour l’autre."
    )


SURE, ALL_SURE, SAME_ALL, ADDRESSES = "sur", "justes", "memes", "adresses"
CONFIRM, ABANDON = "confirmer", "abandonner"
SAMPLES = 3
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
router = APIRouter(prefix="/gestion/{slug}/reprises", dependencies=[CROSS_TENANT])


@dataclass(frozen=True)
class ReportLine:
    href: str
    source: str
    form: str
    asked_at: datetime
    running: bool
    counts: Sequence[tuple[str, int]]

    @staticmethod
    def of(work: AtWork, report: Report) -> ReportLine:
        return ReportLine(
            f"{work.home}/reprises/{report.run.id}",
            report.run.source,
            FORMS[report.run.form],
            report.run.asked_at,
            report.run.state is ImportState.RUNNING,
            [(translated(_COUNTED[fate]), report.counts.get(fate, 0)) for fate in _COUNTED],
        )


_COUNTED = {
    ImportLineOutcome.CREATED: N_("créées"),
    ImportLineOutcome.CHANGED: N_("corrigées"),
    ImportLineOutcome.SAME: N_("déjà là"),
    ImportLineOutcome.REFUSED: N_("refusées"),
}


@router.get("", dependencies=[staff(Permission.WORK)])
def start(request: Request, services: ReadingServices) -> HTMLResponse:
    return _start_page(request, services)


@router.post("", dependencies=[staff(Permission.WORK)])
def drop(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    source, text = text_of(form, "source"), text_of(form, "tableau")
    try:
        data = bytes_of(form, "fichier")
        if data is None and not text:
            raise InvalidInput("Déposez un fichier, ou collez un tableau.")
        run = dropped(request, services, source, data if data is not None else text.encode(), text)
    except InvalidInput as error:
        return _start_page(request, services, source, text, sentence_of(error))
    return RedirectResponse(f"{work.home}/reprises/{run.id}", status_code=303)


@router.get("/modele.csv", dependencies=[staff(Permission.WORK)])
def table_to_fill_in(request: Request) -> Response:  # noqa: ARG001
    return _file(csv_template(), "reprise-activites.csv", "text/csv; charset=utf-8")


@router.get("/modele.xlsx", dependencies=[staff(Permission.WORK)])
def workbook_to_fill_in(request: Request) -> Response:  # noqa: ARG001
    return _file(workbook_template(), "reprise-activites.xlsx", _XLSX)


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(content, media_type=media_type, headers=headers)


@router.get("/{run_id:uuid}", dependencies=[staff(Permission.WORK)])
def show(run_id: uuid.UUID, request: Request, services: ReadingServices, relu: str = "") -> HTMLResponse:
    """`relu`: the reading of the table was changed just before it was to be confirmed."""
    report = services.imports.report(at_work(request).campus, run_id)
    if report.run.state is ImportState.DRAFT:
        return foreseen_page(request, services, report.run) or _draft_page(
            request, services, run_id, held_back=relu == "oui"
        )
    return report_page(request, services, report)


@router.post("/{run_id:uuid}", dependencies=[staff(Permission.WORK)])
def decide(run_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Confirms the preview; where columns were changed since, parses and shows the table again first."""
    work = at_work(request)
    here = f"{work.home}/reprises/{run_id}"
    run = services.imports.report(work.campus, run_id).run
    if text_of(form, "geste") == ABANDON:
        with write_transaction(request) as writing:
            writing.imports.abandon(work.campus, run_id)
        return RedirectResponse(f"{work.home}/reprises", status_code=303)
    if run.state is not ImportState.DRAFT:
        return RedirectResponse(here, status_code=303)
    if run.form is ImportForm.XAPI and _asks_first(request, services, run_id, form):
        return RedirectResponse(f"{here}#verifier", status_code=303)
    if run.form is not ImportForm.TABLE:
        confirmed(request, services, run, form)
        return RedirectResponse(here, status_code=303)
    sheet = services.imports.sheet(work.campus, run_id)
    with write_transaction(request) as writing:
        answers = _answers_in(form, writing.imports.draft(work.campus, run_id))
        writing.imports.answer(work.campus, run_id, answers)
        asked = set(writing.imports.draft(work.campus, run_id).questions) - answers.known.keys()
    seen = _shown_in(form)
    if text_of(form, "geste").partition("-")[0] in (ALL_SURE, SAME_ALL, ADDRESSES) or (
        text_of(form, "geste") == CONFIRM and asked - seen and len(seen) < SHOWN_REFUSED
    ):
        return RedirectResponse(f"{here}#verifier", status_code=303)
    plan, shown = plan_in(form, sheet.heading), ReadingPlan.from_words(run.mapping["plan"])
    trouble = says_twice(plan)
    changed = differs(plan, shown, sheet)
    if text_of(form, "geste") != CONFIRM or changed or trouble:
        with write_transaction(request) as writing:
            writing.imports.reread(work.campus, run_id, plan.after(shown))
        if trouble:
            return _draft_page(request, services, run_id, plan.after(shown), trouble=trouble)
        again = "?relu=oui" if text_of(form, "geste") == CONFIRM else ""
        return RedirectResponse(f"{here}{again}", status_code=303)
    try:
        with write_transaction(request) as writing:
            writing.imports.confirm(work.campus, run_id, plan.after(shown), by=work.actor)
    except AppError as error:
        return _start_page(request, services, run.source, trouble=sentence_of(error))
    process_of(request).on_enqueue()
    return RedirectResponse(here, status_code=303)


def _asks_first(request: Request, reading: Services, run_id: uuid.UUID, form: SafeForm) -> bool:
    """Store the answers about people of statements; whether the page is to be shown again before it is confirmed."""
    work = at_work(request)
    parsed = reading.statement_imports.parsed(work.campus, run_id)
    with write_transaction(request) as writing:
        draft = writing.statement_imports.draft(work.campus, run_id, parsed)
        answers = _answers_in(form, draft)
        writing.imports.answer(work.campus, run_id, answers)
    open_questions = draft.questions.keys() - answers.known.keys() - _shown_in(form)
    return text_of(form, "geste") != CONFIRM or bool(open_questions)


def _shown_in(form: SafeForm) -> set[int]:
    return {int(word) for word in text_of(form, "lignes-montrees").split() if re.fullmatch(r"\d{1,6}", word)}


def _answers_in(form: SafeForm, draft: Draft | StatementDraft) -> ImportAnswers:
    """Those of the lines that the page showed, and all earlier ones."""
    shown = _shown_in(form)
    step = text_of(form, "geste")
    sure = (draft.answers.sure - shown) | {number for number in shown if text_of(form, f"sur-{number}")}
    if step == ALL_SURE:
        sure |= {one.record.number for one in draft.matched if one.record.asks}
    known = {number: answer for number, answer in draft.answers.known.items() if number not in shown}
    for number, people in draft.questions.items():
        answer = text_of(form, f"meme-{number}")
        if answer:
            known[number] = answer
        elif step == SAME_ALL and number not in known and len(people) == 1:
            known[number] = str(people[0].person.id)
    suggested = {one.record.number for one in draft.matched if one.record.suggestion}
    taken = {number for number in suggested if step in (ADDRESSES, f"{ADDRESSES}-{number}")}
    return ImportAnswers(frozenset(sure), draft.answers.taken | taken, known)


@dataclass(frozen=True)
class ColumnView:
    number: int
    label: str
    samples: Sequence[str]
    chosen: str


@dataclass(frozen=True)
class Question:
    """A term of the file that is not mapped, or that was mapped for this source."""

    index: int
    word: str
    chosen: str


def _start_page(
    request: Request, services: Services, source: str = "", text: str = "", trouble: str = ""
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "imports/start.html",
        here=f"{work.home}/reprises",
        zone=work.campus.time_zone,
        source=source,
        sources=services.imports.sources(work.campus),
        text=text,
        trouble=trouble,
        reports=[ReportLine.of(work, report) for report in services.imports.reports(work.campus)],
    )


def _draft_page(
    request: Request,
    services: Services,
    run_id: uuid.UUID,
    plan: ReadingPlan | None = None,
    *,
    trouble: str = "",
    held_back: bool = False,
) -> HTMLResponse:
    work = at_work(request)
    draft = services.imports.draft(work.campus, run_id, plan)
    columns = draft.sheet.columns(draft.plan)
    return work.page(
        request,
        "imports/draft.html",
        here=f"{work.home}/reprises/{run_id}",
        zone=work.campus.time_zone,
        source=draft.run.source,
        digest=draft.run.digest,
        before=draft.before.asked_at if draft.before else None,
        total=len(draft.matched),
        columns=_columns(draft, columns),
        choices=[(column.value, translated(words)) for column, words in COLUMNS.items()],
        missing=[translated(words) for wanted, words in _WANTED if not wanted & set(columns)],
        parts=_questions(draft, ImportColumn.PART),
        kinds=_questions(draft, ImportColumn.KIND),
        part_choices=[
            ("", translated("À dire")),
            *((part.value, translated(words)) for part, words in PARTS.items()),
        ],
        kind_choices=[
            ("", translated("À dire")),
            *((k.value, translated(words)) for k, words in ACTIVITY_KINDS.items()),
        ],
        kind=draft.plan.kind.value if draft.plan.kind else ActivityKind.WORKSHOP.value,
        all_kinds=[(kind.value, translated(words)) for kind, words in ACTIVITY_KINDS.items()],
        has_kinds=ImportColumn.KIND in columns,
        **lines_context([_line_view(one, draft) for one in draft.matched]),
        trouble=trouble,
        held_back=held_back,
    )


def _line_view(one: MatchedRecord, draft: Draft) -> PreviewLineView:
    number = one.record.number
    view = PreviewLineView.of(one, draft.questions.get(number, ()), draft.answers.known.get(number, ""))
    # A confirmed line stays among those to settle, so that it can be taken back.
    return replace(view, asks=True, chosen=view.chosen or SURE) if number in draft.answers.sure else view


_NAMES = {ImportColumn.FAMILY, ImportColumn.FAMILY_FIRST, ImportColumn.GIVEN_FIRST, ImportColumn.WHOLE}
_WANTED = (
    ({ImportColumn.TITLE}, N_("le titre de l’activité")),
    ({ImportColumn.STARTS_ON}, N_("la date")),
    (_NAMES, N_("le nom des personnes")),
)


def _columns(draft: Draft, columns: Sequence[ImportColumn]) -> list[ColumnView]:
    rows = draft.sheet.rows
    return [
        ColumnView(
            index,
            draft.sheet.heading[index] or translated("Colonne {number}").format(number=index + 1),
            list(
                dict.fromkeys(
                    row.cells[index][:40] for row in rows[:200] if index < len(row.cells) and row.cells[index]
                )
            )[:SAMPLES],
            column.value,
        )
        for index, column in enumerate(columns)
    ]


def _questions(draft: Draft, column: ImportColumn) -> list[Question]:
    """Terms missing from our lists; those mapped before are shown with their answer."""
    read: Callable[[str, ReadingPlan], PartKind | ActivityKind | None]
    read = part_of_word if column is ImportColumn.PART else kind_of_word
    asked: list[Question] = []
    for word in draft.sheet.words_in(column, draft.plan):
        if read(word, ReadingPlan()) is None:
            said = read(word, draft.plan)
            asked.append(Question(len(asked), word, said.value if said else ""))
    return asked


# --- « Verbes xAPI »: which statements of learning platforms become participations, chosen by the campus

verbs_router = APIRouter(prefix="/gestion/{slug}/reglages/verbes")
_MANAGE = [staff(Permission.MANAGE)]
VERB_PARTS = {
    "": N_("Refuser"),
    PartKind.LEARNER.value: N_("Une participation"),
    PartKind.RESOURCE.value: N_("Une participation comme ressource"),
}


@verbs_router.get("", dependencies=_MANAGE)
def show_verbs(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    work = at_work(request)
    return _page(request, work, services.statement_imports.verbs(work.campus), done=bool(fait))


@verbs_router.post("", dependencies=_MANAGE)
def choose_verbs(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Each verb of the table with its choice, and one more where it is typed."""
    work, typed = at_work(request), _typed(form)
    chosen = {verb: PartKind(part) for verb, part in typed.items() if part}
    try:
        if not typed:
            raise InvalidInput("Choisissez ce que devient chaque verbe.")
        if text_of(form, "nouveau") and not text_of(form, "devient-nouveau"):
            raise InvalidInput("Choisissez ce que devient ce verbe : un verbe inconnu est déjà refusé.")
        with write_transaction(request) as writing:
            writing.statement_imports.choose_verbs(work.campus, chosen, by=work.actor)
    except InvalidInput as error:
        new, part = text_of(form, "nouveau"), text_of(form, "devient-nouveau")
        known = services.statement_imports.verbs(work.campus)
        shown = {**known, **{verb: part for verb, part in typed.items() if verb != new}}
        return _page(request, work, shown, new=new, new_part=part, trouble=error)
    return RedirectResponse(f"{work.home}/reglages/verbes?fait=oui", status_code=303)


def _typed(form: FormData) -> dict[str, str]:
    parts = [part if part in VERB_PARTS else "" for part in texts_of(form, "devient")]
    found = dict(zip(texts_of(form, "verbe"), parts, strict=False))
    new, part = text_of(form, "nouveau"), text_of(form, "devient-nouveau")
    if new:
        found[new] = part if part in VERB_PARTS else ""
    return found


def _page(
    request: Request,
    work: AtWork,
    verbs: Mapping[str, str],
    *,
    new: str = "",
    new_part: str = "",
    trouble: AppError | None = None,
    done: bool = False,
) -> HTMLResponse:
    shown = dict.fromkeys((*verbs, *COMMON_VERBS))
    return work.page(
        request,
        "imports/verbs.html",
        status=status_for(trouble),
        done=done,
        lines=[(verb, verbs.get(verb, "")) for verb in shown],
        parts=list(VERB_PARTS.items()),
        new=new,
        new_part=new_part,
        trouble=sentence_of(trouble) if trouble else "",
    )
