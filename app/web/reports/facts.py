"""Facts of an activity for the report: a page of one screen, and a table to complete older activities."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import ActivityKind
from app.domain.campus.places import DEPARTEMENTS, SECTORS
from app.domain.core import mark_of
from app.domain.reports.facts import (
    AUDIENCES,
    CELLS,
    ORGANISATION_PARTS,
    ORGANISATION_TYPES,
    InvolvedOrganisation,
    OrganisationPart,
    OrganisationType,
    ReportFacts,
    cells_of,
    faults_of_cells,
    objectives_in,
    with_cells,
)
from app.errors import AppError, InvalidInput
from app.http.pages.forms import Count, SafeForm, SavedMeanwhile, check_saved, text_of, texts_of
from app.http.pages.words import ACTIVITY_KINDS
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, sentence_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import translated
from app.services.reports.surveys import FactsOfActivity
from app.web.activities import ActivityView

BLANK_ROWS = 3
ROWS_A_PAGE = 20
_SURVEY = ("asked", "not_at_all", "rather_not", "rather", "fully", "recommends", "recommends_not")
_LONG_AGO, _FAR_AHEAD = date(1990, 1, 1), date(2100, 12, 31)
_MEETINGS = (ActivityKind.COUNCIL, ActivityKind.MEETING)
IN_TABLE = ("effectif", "publics", "organisations", "etablissements", "objectif", "departement", "secteur")

router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/rapport", dependencies=[WITH_ORGANISERS])
table_router = APIRouter(prefix="/gestion/{slug}/rapport", dependencies=[WITH_ORGANISERS])


@dataclass
class FactsForm:
    """As typed; `cells` holds the fields that one cell can write."""

    cells: dict[str, str] = field(default_factory=lambda: dict.fromkeys(CELLS, ""))
    people: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By audience: how many, of whom women."""
    organisations: list[InvolvedOrganisation] = field(default_factory=list)
    objectives: list[str] = field(default_factory=list)
    survey: list[str] = field(default_factory=lambda: [""] * len(_SURVEY))
    is_cancelled: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def filled(facts: ReportFacts) -> FactsForm:
        survey = facts.survey
        return FactsForm(
            cells_of(facts) | {"secteur": facts.sector},
            {
                one.audience.value: (str(one.people), "" if one.women is None else str(one.women))
                for one in facts.audiences
            },
            list(facts.organisations),
            list(facts.objectives),
            [str(each) for each in (survey.asked, *survey.answers, survey.recommends, survey.recommends_not)]
            if survey
            else [""] * len(_SURVEY),
            facts.is_cancelled,
        )

    @staticmethod
    def of(form: FormData) -> FactsForm:
        rows = zip(
            *(texts_of(form, f"organisation-{name}") for name in ("nom", "numero", "role", "genre")),
            strict=False,
        )
        return FactsForm(
            {name: text_of(form, name) for name in CELLS},
            {
                audience.value: (
                    text_of(form, f"public-{audience.value}"),
                    text_of(form, f"femmes-{audience.value}"),
                )
                for audience in AUDIENCES
            },
            [_organisation(*row) for row in rows if row[0].strip()],
            texts_of(form, "objectif"),
            [text_of(form, f"enquete-{name}") for name in _SURVEY],
            text_of(form, "annulee") == "oui",
        )

    def facts(self) -> ReportFacts:
        """Raises InvalidInput with the problems in `errors`, by field."""
        facts = ReportFacts()
        cells = self.cells | {
            "publics": ", ".join(self._audience_cells()),
            "objectif": " ".join(self.objectives),
            "enquete": self._survey_cell(),
        }
        del cells["organisations"]
        for name, cell in cells.items():
            try:
                facts = with_cells(facts, {name: cell})
            except InvalidInput as error:
                self.errors.setdefault(name, sentence_of(error))
        if self.errors:
            raise InvalidInput("")
        return replace(facts, organisations=tuple(self.organisations), is_cancelled=self.is_cancelled)

    def _audience_cells(self) -> list[str]:
        names = {audience.value: words for audience, words in AUDIENCES.items()}
        return [
            f"{people} {names[value].lower()}" + (f" dont {women} femmes" if women else "")
            for value, (people, women) in self.people.items()
            if people not in ("", "0")
        ]

    def _survey_cell(self) -> str:
        return " ".join(each or "0" for each in self.survey) if any(self.survey) else ""


def _organisation(name: str, number: str, part: str, kind: str) -> InvolvedOrganisation:
    return InvolvedOrganisation(
        " ".join(name.split()),
        OrganisationPart(part) if part in set(OrganisationPart) else OrganisationPart.INVOLVED,
        OrganisationType(kind) if kind in set(OrganisationType) else OrganisationType.COMPANY,
        number.replace(" ", "").lower(),
    )


@router.get("", dependencies=[staff(Permission.WORK)])
def show_facts(
    activity_id: uuid.UUID, request: Request, services: ReadingServices, note: str = ""
) -> HTMLResponse:
    work = at_work(request)
    found = services.report_facts.proposed(work.campus, activity_id)
    return _facts_page(request, services, work, found, FactsForm.filled(found.facts), is_saved=note == "oui")


@router.post("", dependencies=[staff(Permission.WORK)])
def save_facts(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, typed = at_work(request), FactsForm.of(form)
    found = services.report_facts.of(work.campus, activity_id)
    try:
        facts = typed.facts()
        if not found.leads:
            facts = replace(found.facts, objectives=facts.objectives)
        with write_transaction(request) as writing:
            writing.report_facts.write(work.campus, activity_id, facts, by=work.actor)
    except InvalidInput as error:
        if not typed.errors:
            typed.errors["organisations"] = sentence_of(error)
        return _facts_page(request, services, work, found, typed, status=422)
    return RedirectResponse(f"{work.home}/activites/{activity_id}/rapport?note=oui", status_code=303)


def _facts_page(
    request: Request,
    services: Services,
    work: AtWork,
    found: FactsOfActivity,
    form: FactsForm,
    *,
    is_saved: bool = False,
    status: int = 200,
) -> HTMLResponse:
    return work.page(
        request,
        "reports/facts.html",
        status=status,
        activity=ActivityView.of(work, found.activity),
        leads=found.leads,
        like=found.like.title if found.like and not form.errors else "",
        form=form,
        is_saved=is_saved,
        missing=found.facts.missing,
        is_meeting=found.activity.kind in _MEETINGS,
        audiences=[(audience.value, translated(words)) for audience, words in AUDIENCES.items()],
        rows=[*form.organisations, *(InvolvedOrganisation("") for _ in range(BLANK_ROWS))],
        parts=[(part.value, translated(words)) for part, words in ORGANISATION_PARTS.items()],
        types=[(kind.value, translated(words)) for kind, words in ORGANISATION_TYPES.items()],
        objectives=[
            (each.code, f"{each.code} {each.title}") for each in services.report_facts.objectives(work.campus)
        ],
        departements=list(DEPARTEMENTS.items()),
        sectors=sector_options(),
        survey_names=_SURVEY,
    )


def sector_options() -> list[tuple[str, str]]:
    return [
        ("", "–"),
        *((key, f"{key.replace(':', ' ').upper()} {translated(words)}") for key, words in SECTORS.items()),
    ]


@dataclass(frozen=True)
class TableRow:
    """One activity; `version` changes with its facts, so that a page that is out of date overwrites nothing."""

    id: str
    href: str
    title: str
    kind: str
    starts_on: date
    ends_on: date
    cells: Mapping[str, str]
    version: str
    leads: bool
    changed: str = ""
    """The first cell that was typed otherwise."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """By cell."""

    @staticmethod
    def of(work: AtWork, found: FactsOfActivity) -> TableRow:
        activity, cells = found.activity, cells_of(found.facts)
        return TableRow(
            str(activity.id),
            f"{work.home}/activites/{activity.id}/rapport",
            activity.title,
            translated(ACTIVITY_KINDS[activity.kind]),
            activity.starts_on,
            activity.ends_on,
            cells,
            version_of(cells),
            found.leads,
        )


def version_of(cells: Mapping[str, str]) -> str:
    return hashlib.sha256(repr(sorted(cells.items())).encode()).hexdigest()[:16]


@table_router.get("/activites", dependencies=[staff(Permission.WORK)])
def show_table(
    request: Request, services: ReadingServices, tout: str = "", debut: Count = 0, note: Count = -1
) -> HTMLResponse:
    work = at_work(request)
    rows = _rows(services, work, tout == "oui", max(debut, 0))
    return _table_page(request, work, rows, tout == "oui", max(debut, 0), saved=note)


@table_router.post("/activites", dependencies=[staff(Permission.WORK)])
def save_table(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Saves every row that can be read; the others are shown again with their reason."""
    work, is_all = at_work(request), text_of(form, "tout") == "oui"
    begun = text_of(form, "debut")
    start = int(begun) if begun.isdecimal() and len(begun) < 8 else 0
    refused, saved = [], 0
    for row in _typed_rows(services, work, form):
        if row.errors:
            refused.append(row)
            continue
        try:
            with write_transaction(request) as writing:
                activity_id = uuid.UUID(row.id)
                saved += writing.report_facts.correct(work.campus, activity_id, row.cells, by=work.actor)
        except AppError as error:
            faults = faults_of_cells(row.cells) or {row.changed: error}
            errors = {name: sentence_of(fault) for name, fault in faults.items()}
            refused.append(replace(row, errors=errors))
    if refused:
        return _table_page(request, work, refused, is_all, start, saved=saved, status=422)
    query = f"?note={saved}" + ("&tout=oui" if is_all else "")
    return RedirectResponse(f"{work.home}/rapport/activites{query}", status_code=303)


def _rows(services: Services, work: AtWork, is_all: bool, start: int) -> list[TableRow]:
    found = services.report_facts.to_complete(
        work.campus, (_LONG_AGO, _FAR_AHEAD), incomplete=not is_all, start=start, limit=ROWS_A_PAGE
    )
    return [TableRow.of(work, each) for each in found]


def _typed_rows(services: Services, work: AtWork, form: FormData) -> list[TableRow]:
    """Rows with a typed change, each with the reason why it cannot be saved, if any."""
    rows = []
    for text in texts_of(form, "activite")[:ROWS_A_PAGE]:
        try:
            found = services.report_facts.of(work.campus, uuid.UUID(text))
        except (ValueError, AppError):
            continue
        row = TableRow.of(work, found)
        typed = {name: text_of(form, f"{name}-{text}") for name in IN_TABLE}
        changed = {name: cell for name, cell in typed.items() if cell != row.cells[name]}
        if not changed:
            continue
        first, errors = next(iter(changed)), dict[str, str]()
        if text_of(form, f"version-{text}") != row.version:
            errors[first] = translated("Cette activité a changé depuis : relisez la ligne, puis enregistrez.")
        rows.append(replace(row, cells=dict(row.cells) | changed, changed=first, errors=errors))
    return rows


def _table_page(
    request: Request,
    work: AtWork,
    rows: Sequence[TableRow],
    is_all: bool,
    start: int,
    *,
    saved: int,
    status: int = 200,
) -> HTMLResponse:
    return work.page(
        request,
        "reports/facts_table.html",
        status=status,
        rows=rows[:ROWS_A_PAGE],
        has_next=len(rows) > ROWS_A_PAGE,
        start=start,
        a_page=ROWS_A_PAGE,
        is_all=is_all,
        saved=saved,
        sectors=[(each.replace(":", " ").upper(), words) for each, words in sector_options()],
    )


@table_router.get("/objectifs", dependencies=[staff(Permission.MANAGE)])
def show_objectives(request: Request, services: ReadingServices, note: str = "") -> HTMLResponse:
    work = at_work(request)
    typed = _objectives_of(services, work)
    return _objectives_page(request, work, typed, seen=mark_of(typed), is_saved=note == "oui")


def _objectives_of(services: Services, work: AtWork) -> str:
    return _lines({each.code: each.title for each in services.report_facts.objectives(work.campus)})


def _lines(objectives: Mapping[str, str]) -> str:
    return "\n".join(f"{code} {title}" for code, title in sorted(objectives.items()))


@table_router.post("/objectifs", dependencies=[staff(Permission.MANAGE)])
def save_objectives(request: Request, form: SafeForm) -> Response:
    work, typed, seen = at_work(request), text_of(form, "objectifs"), text_of(form, "vu")
    try:
        stored = _lines(objectives_in(typed))
        with write_transaction(request) as writing:
            writing.take_turns([work.campus.id])
            today = _objectives_of(writing, work)
            check_saved(seen, {"objectifs": today}, {"objectifs": stored})
            writing.report_facts.write_objectives(work.campus, typed, by=work.actor)
    except SavedMeanwhile as error:
        trouble = f"{sentence_of(error)} {error.beside['objectifs']}"
        return _objectives_page(request, work, typed, seen=error.seen, trouble=trouble, status=409)
    except InvalidInput as error:
        return _objectives_page(request, work, typed, seen=seen, trouble=sentence_of(error), status=422)
    return RedirectResponse(f"{work.home}/rapport/objectifs?note=oui", status_code=303)


def _objectives_page(
    request: Request,
    work: AtWork,
    typed: str,
    *,
    seen: str = "",
    trouble: str = "",
    is_saved: bool = False,
    status: int = 200,
) -> HTMLResponse:
    return work.page(
        request,
        "reports/objectives.html",
        status=status,
        typed=typed,
        seen=seen,
        trouble=trouble,
        is_saved=is_saved,
    )
