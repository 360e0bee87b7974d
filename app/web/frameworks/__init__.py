"""Competencies of a campus: list by framework, create, edit, archive, and import from a spreadsheet."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.campus import Campus
from app.domain.core import csv_for_excel, mark_of
from app.domain.frameworks import (
    DEFAULT_SCALE,
    HEADING,
    LEVEL_MARK,
    Competency,
    Framework,
    competency_faults,
    framework_faults,
    read_competencies,
    read_relations,
)
from app.errors import AppError, Conflict, InvalidInput, faults_of_fields
from app.http.pages.forms import (
    CHECKED_FORM,
    DRAFT_NOTE,
    WRITTEN_MEANWHILE,
    Count,
    SafeForm,
    SavedMeanwhile,
    bytes_of,
    check_saved,
    draft_form,
    save_draft,
    text_of,
    written_meanwhile,
)
from app.http.pages.registers import table_file
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.frameworks import ADDED, CHANGED, SAME, Details
from app.services.frameworks.readers import text_of_table
from app.web.frameworks.search import search_view

router = APIRouter(prefix="/gestion/{slug}/competences")
_VIEW, _DESIGN = [staff(Permission.VIEW)], [staff(Permission.DESIGN)]
_ON_A_PAGE = 100
_ADD = "ajouter "
_ACTION = [staff(Permission.DESIGN), CHECKED_FORM]
_FIELDS = {
    "code": "code", "name": "nom", "statement": "enonce", "levels": "niveaux", "rubric": "reperes",
    "description": "description",
}  # fmt: skip
"""Of the form, by attribute."""
_NOWHERE = uuid.UUID(int=0)
"""Of a competency that is only checked."""


@dataclass(frozen=True)
class CompetencyLine:
    href: str
    code: str
    statement: str
    levels: Sequence[str]
    archived: bool


@dataclass(frozen=True)
class FrameworkShown:
    """`lines` of one page; `count` of all pages."""

    href: str
    code: str
    name: str
    lines: Sequence[CompetencyLine]
    count: int


@dataclass(frozen=True)
class CompetencyForm:
    """The form of one competency, as typed."""

    framework: str = ""
    framework_name: str = ""
    code: str = ""
    statement: str = ""
    levels: str = ""
    rubric: str = ""
    description: str = ""
    others: str = ""
    related: str = ""
    sought: str = ""
    """The terms of the search in frameworks."""
    gesture: str = ""
    seen: str = ""
    """The mark of the text that the person started from."""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(
        form: FormData, *, competency: Competency | None = None, framework: Framework | None = None
    ) -> CompetencyForm:
        """As sent; of an existing competency, framework and code stay."""
        return CompetencyForm(
            framework.code if framework else text_of(form, "referentiel"),
            framework.name if framework else text_of(form, "nom"),
            competency.code if competency else text_of(form, "code"),
            text_of(form, "enonce"),
            text_of(form, "niveaux"),
            text_of(form, "reperes"),
            text_of(form, "description"),
            text_of(form, "synonymes"),
            text_of(form, "liens"),
            text_of(form, "mot"),
            text_of(form, "geste"),
            text_of(form, "vu"),
        )

    @property
    def written(self) -> dict[str, str]:
        """By field."""
        return {
            "enonce": self.statement, "niveaux": self.levels, "reperes": self.rubric,
            "description": self.description, "synonymes": self.others, "liens": self.related,
        }  # fmt: skip

    @property
    def stored(self) -> tuple[object, ...]:
        """What saving keeps of it."""
        levels, details = self.level_list, self.details
        rubric = "\n".join(details.rubric[: len(levels)]).strip()
        return self.statement, levels, rubric, details.description, details.other_labels, sorted(self.chosen)

    def beside(self, today: CompetencyForm) -> CompetencyForm:
        """As typed, with what another person has written meanwhile named beside it; saved again, it replaces that."""
        return replace(self, seen=today.seen, errors=written_meanwhile(today.written, self.written))

    @property
    def is_searching(self) -> bool:
        """Enter, with terms in the search field, searches."""
        return self.gesture == "chercher" or (self.gesture == "entree" and bool(self.sought))

    @property
    def chosen(self) -> list[str]:
        """« register code » of each readable line."""
        try:
            return [
                f"{register.value} {code}" for register, code in read_relations(self.related.splitlines())
            ]
        except InvalidInput:
            return []

    def with_item(self, services: Services) -> CompetencyForm | None:
        """With the line of the item to add, if the button was one of those."""
        if not self.gesture.startswith(_ADD):
            return None
        register, _, code = self.gesture.removeprefix(_ADD).partition(" ")
        item = services.frameworks.public_item(register, code)
        if item is None or f"{register} {item.code}" in self.chosen:
            return self
        return replace(
            self,
            related="\n".join([*filter(None, self.related.splitlines()), f"{item.code} {item.statement}"]),
        )

    @property
    def details(self) -> Details:
        lines = [line.strip() for line in self.rubric.splitlines()]
        others = [line.strip()[:200] for line in self.others.splitlines() if line.strip()]
        return Details(self.description, lines, others[:20])

    def faults(self, *, is_new: bool) -> dict[str, str]:
        """By field."""
        details = self.details
        competency = Competency(
            framework_id=_NOWHERE,
            code=self.code,
            statement=self.statement,
            levels=self.level_list,
            rubric=list(details.rubric[: len(self.level_list)]),
            description=details.description.strip(),
        )
        faults = {
            **{_FIELDS[name]: fault for name, fault in competency_faults(competency).items()},
            **faults_of_fields({"liens": lambda: read_relations(self.related.splitlines())}),
        }
        if is_new:
            # Without a name of its own, a new framework has its code for one.
            framework = Framework(code=self.framework, name=self.framework_name or "-")
            of_framework = {"code": "referentiel", "name": "nom"}
            faults |= {of_framework[name]: fault for name, fault in framework_faults(framework).items()}
        return {name: sentence_of(fault) for name, fault in faults.items()}

    @property
    def level_list(self) -> list[str]:
        return [level.strip() for level in self.levels.splitlines() if level.strip()]


@router.get("", dependencies=_VIEW)
def list_competencies(
    request: Request,
    services: ReadingServices,
    archives: str = "",
    fait: str = "",
    referentiel: str = "",
    page: Count = 1,
) -> HTMLResponse:
    """The first of each framework; with `referentiel`, the pages of one."""
    work = at_work(request)
    found = services.competencies.list_of(work.campus)
    shown = [pair for pair in found if bool(pair[0].archived_at) is bool(archives)]
    frameworks = _by_framework(work, shown, referentiel, (max(1, page) - 1) * _ON_A_PAGE)
    return work.page(
        request,
        "frameworks/list.html",
        designs=work.may(Permission.DESIGN),
        imported=fait == "importe",
        archives=bool(archives),
        affected=len(services.frameworks.affected_badges(work.campus)),
        archived=sum(1 for competency, _ in found if competency.archived_at),
        frameworks=frameworks,
        page_number=max(1, page) if referentiel else 0,
        pages=-(-frameworks[0].count // _ON_A_PAGE) if frameworks else 1,
        slug=work.campus.slug,
        has_trades=services.trades.leads_to_trades(competency.id for competency, _ in shown),
    )


def _by_framework(
    work: AtWork, found: Sequence[tuple[Competency, Framework]], code: str, start: int
) -> list[FrameworkShown]:
    """All frameworks, or the one of that code from there on."""
    shown = []
    for _id, group in groupby(found, key=lambda pair: pair[1].id):
        pairs = list(group)
        framework, listed = pairs[0][1], [competency for competency, _ in pairs]
        if code and framework.code != code:
            continue
        lines = [
            CompetencyLine(
                f"{work.home}/competences/{each.id}",
                each.code,
                each.statement,
                each.levels,
                each.archived_at is not None,
            )
            for each in listed[start if code else 0 :][:_ON_A_PAGE]
        ]
        href = f"{work.home}/competences/referentiels/{framework.id}"
        shown.append(FrameworkShown(href, framework.code, framework.name, lines, len(listed)))
    return shown


@router.get("/competences.csv", dependencies=_VIEW)
@router.get("/competences.xlsx", dependencies=_VIEW)
def competencies_table(request: Request) -> Response:
    """In the format accepted by the import."""
    campus = at_work(request).campus

    def rows(services: Services) -> list[tuple[str, ...]]:
        listed = services.competencies.list_of(campus)
        codes = services.trades.codes_of(competency.id for competency, _ in listed)
        return [
            (
                framework.code,
                framework.name,
                competency.code,
                competency.statement,
                f" {LEVEL_MARK} ".join(competency.levels),
                f" {LEVEL_MARK} ".join(competency.rubric) if any(competency.rubric) else "",
                f" {LEVEL_MARK} ".join(codes.get(competency.id, ())),
                competency.description,
                f" {LEVEL_MARK} ".join(competency.other_labels),
            )
            for competency, framework in listed
            if competency.archived_at is None
        ]

    return table_file(request, "competences", HEADING, rows)


@router.get("/nouvelle", dependencies=_DESIGN)
def new_competency(
    request: Request, services: ReadingServices, enonce: str = "", referentiel: str = ""
) -> HTMLResponse:
    """Begins with the scale of the framework, else with the usual three levels."""
    campus = at_work(request).campus
    framework = services.competencies.competencies.find_framework(campus.id, referentiel[:60])
    scale = framework.levels if framework and framework.levels else map(translated, DEFAULT_SCALE)
    typed = CompetencyForm(
        framework.code if framework else "",
        framework.name if framework else "",
        statement=enonce[:500],
        levels="\n".join(scale),
    )
    return _form_page(request, services, typed)


@dataclass(frozen=True)
class FrameworkForm:
    """The form of one framework, as typed."""

    name: str
    description: str
    levels: str
    seen: str = ""
    """The mark of what the person started from."""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(framework: Framework) -> FrameworkForm:
        found = FrameworkForm(framework.name, framework.description, "\n".join(framework.levels))
        return replace(found, seen=mark_of(*found.fields.values()))

    @property
    def fields(self) -> dict[str, str]:
        return {"nom": self.name, "description": self.description, "niveaux": self.levels}


@router.get("/referentiels/{framework_id:uuid}", dependencies=_DESIGN)
def edit_framework(framework_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    framework = services.competencies.get_framework(at_work(request).campus, framework_id)
    return _framework_page(request, framework, FrameworkForm.of(framework))


@router.post("/referentiels/{framework_id:uuid}", dependencies=_DESIGN)
def amend_framework(
    framework_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    framework = services.competencies.get_framework(work.campus, framework_id)
    typed = FrameworkForm(
        text_of(form, "nom"), text_of(form, "description"), text_of(form, "niveaux"), text_of(form, "vu")
    )
    levels = [level.strip() for level in typed.levels.splitlines() if level.strip()]
    wanted = Framework(
        code=framework.code, name=typed.name, description=typed.description.strip(), levels=levels
    )
    typed.errors.update(
        {_FIELDS[name]: sentence_of(fault) for name, fault in framework_faults(wanted).items()}
    )
    if typed.errors:
        return _framework_page(request, framework, typed)
    try:
        with write_transaction(request) as writing:
            today = writing.competencies.get_framework(work.campus, framework_id)
            check_saved(typed.seen, FrameworkForm.of(today).fields, typed.fields)
            writing.competencies.amend_framework(
                work.campus,
                framework_id,
                name=typed.name,
                description=typed.description,
                levels=levels,
                by=work.actor,
            )
    except SavedMeanwhile as error:
        beside = replace(typed, seen=error.seen, errors=error.beside)
        return _framework_page(request, framework, beside, sentence_of(error))
    return RedirectResponse(f"{work.home}/competences", status_code=303)


def _framework_page(
    request: Request, framework: Framework, typed: FrameworkForm, trouble: str = ""
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "frameworks/framework.html",
        status=status_for(trouble, typed.errors),
        trouble=trouble,
        form=typed,
        code=framework.code,
    )


@router.post("/nouvelle", dependencies=_DESIGN)
def create_competency(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    typed = CompetencyForm.of(form)
    if more := typed.with_item(services):
        return _form_page(request, services, more)
    if typed.is_searching:
        return _form_page(request, services, typed)
    typed.errors.update(typed.faults(is_new=True))
    if typed.errors:
        return _form_page(request, services, typed)
    try:
        with write_transaction(request) as writing:
            framework = writing.competencies.framework(
                work.campus, code=typed.framework, name=typed.framework_name or typed.framework, by=work.actor
            )
            created = writing.competencies.create(
                work.campus,
                framework,
                code=typed.code,
                statement=typed.statement,
                levels=typed.level_list,
                details=typed.details,
                by=work.actor,
            )
            writing.trades.relate(work.campus, created, typed.related.splitlines(), by=work.actor)
    except (InvalidInput, Conflict) as error:
        typed.errors["code" if isinstance(error, Conflict) else "liens"] = sentence_of(error)
        return _form_page(request, services, typed)
    return RedirectResponse(f"{work.home}/competences", status_code=303)


@router.get("/importer", dependencies=_DESIGN)
def ask_for_list(request: Request) -> HTMLResponse:
    return _import_page(request)


@router.post("/importer", dependencies=_DESIGN)
def take_list_in(request: Request, form: SafeForm) -> Response:
    """Saves valid lines, and leads to the page with the others, each with its reason, to be corrected and uploaded again."""
    work, text = at_work(request), text_of(form, "liste")
    try:
        data = bytes_of(form, "fichier")
        lines = read_competencies(text_of_table(data) if data is not None else text)
        if not lines:
            raise InvalidInput("La liste est vide : une compétence par ligne, sous la ligne des titres.")
        with write_transaction(request) as writing:
            taken = writing.competencies.take_in(work.campus, lines, by=work.actor)
    except AppError as error:
        return _import_page(request, text, sentence_of(error))
    rest = csv_for_excel(HEADING, [line.cells for line, _ in taken.refused]).decode("utf-8-sig")
    refused = [(line.line, line.code, sentence_of(error)) for line, error in taken.refused]
    left = FormData([("liste", rest if taken.refused else "")])
    note = json.dumps({"counts": taken.outcomes, "refused": refused})
    return save_draft(request, left, f"{work.home}/competences/importer", note=note)


@router.get("/importer/{draft_id:uuid}", dependencies=_DESIGN)
def show_list_result(draft_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """What became of the lines of a list, and those to correct."""
    here = f"{at_work(request).home}/competences/importer"
    form = draft_form(request, services, draft_id, here)
    return _import_page(request, text_of(form, "liste"), taken=json.loads(text_of(form, DRAFT_NOTE) or "{}"))


@router.get("/{competency_id:uuid}", dependencies=_DESIGN)
def edit_competency(competency_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    typed, competency = _stored(services, at_work(request).campus, competency_id)
    return _form_page(request, services, typed, competency)


def _stored(
    services: Services, campus: Campus, competency_id: uuid.UUID
) -> tuple[CompetencyForm, Competency]:
    competency, framework = services.competencies.get(campus, competency_id)
    typed = CompetencyForm(
        framework.code,
        framework.name,
        competency.code,
        competency.statement,
        "\n".join(competency.levels),
        "\n".join(competency.rubric),
        competency.description,
        "\n".join(competency.other_labels),
        "\n".join(services.trades.lines_of(competency_id)),
    )
    return replace(typed, seen=mark_of(typed.written)), competency


@router.post("/{competency_id:uuid}", dependencies=_DESIGN)
def amend_competency(
    competency_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    competency, framework = services.competencies.get(work.campus, competency_id)
    typed = CompetencyForm.of(form, competency=competency, framework=framework)
    if more := typed.with_item(services):
        return _form_page(request, services, more, competency)
    if typed.is_searching:
        return _form_page(request, services, typed, competency)
    typed.errors.update(typed.faults(is_new=False))
    if typed.errors:
        return _form_page(request, services, typed, competency)
    try:
        with write_transaction(request) as writing:
            today, _ = _stored(writing, work.campus, competency_id)
            is_as_shown = typed.seen in ("", today.seen) or typed.stored == today.stored
            if is_as_shown:
                amended = writing.competencies.amend(
                    work.campus,
                    competency_id,
                    statement=typed.statement,
                    levels=typed.level_list,
                    details=typed.details,
                    by=work.actor,
                )
                writing.trades.relate(work.campus, amended, typed.related.splitlines(), by=work.actor)
    except (InvalidInput, Conflict) as error:
        typed.errors["niveaux" if isinstance(error, Conflict) else "liens"] = sentence_of(error)
        return _form_page(request, services, typed, competency)
    if not is_as_shown:
        return _form_page(
            request, services, typed.beside(today), competency, trouble=translated(WRITTEN_MEANWHILE)
        )
    return RedirectResponse(f"{work.home}/competences", status_code=303)


@router.post("/{competency_id:uuid}/archiver", dependencies=_ACTION)
def archive_competency(competency_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.competencies.archive(work.campus, competency_id, by=work.actor)
    return RedirectResponse(f"{work.home}/competences", status_code=303)


@router.post("/{competency_id:uuid}/reprendre", dependencies=_ACTION)
def restore_competency(competency_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.competencies.restore(work.campus, competency_id, by=work.actor)
    return RedirectResponse(f"{work.home}/competences", status_code=303)


def _form_page(
    request: Request,
    services: Services,
    typed: CompetencyForm,
    competency: Competency | None = None,
    *,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    frameworks = {
        framework.code: framework.name for _, framework in services.competencies.list_of(work.campus)
    }
    return work.page(
        request,
        "frameworks/form.html",
        status=409 if trouble else status_for(typed.errors),
        trouble=trouble,
        form=typed,
        href=f"{work.home}/competences/{competency.id}" if competency else "",
        archived=competency is not None and competency.archived_at is not None,
        frameworks=list(frameworks.items()),
        found=search_view(services, work, typed.sought),
    )


_EXAMPLE = f"""{";".join(HEADING[:7])}
savoir-etre;Savoir-être;SE-1;Écouter un client;Accompagné | Autonome;Laisse parler. | Reformule.;F1602 | I1305
;;SE-2;Organiser son temps;Accompagné | Autonome;Suit un planning. | Prépare sa journée.;F1201"""
"""In the language of the headings."""


def _import_page(
    request: Request, text: str = "", trouble: str = "", taken: Mapping[str, Any] | None = None
) -> HTMLResponse:
    work = at_work(request)
    refused = taken.get("refused", []) if taken else []
    return work.page(
        request,
        "frameworks/import.html",
        status=status_for(trouble, refused),
        text=text,
        trouble=trouble,
        taken=taken is not None,
        counts=[
            (translated(words), taken.get("counts", {}).get(key, 0))
            for key, words in (
                (ADDED, N_("Ajoutées")),
                (CHANGED, N_("Changées")),
                (SAME, N_("Déjà là, à l’identique")),
            )
        ]
        if taken
        else [],
        refused=refused,
        example=_EXAMPLE,
    )
