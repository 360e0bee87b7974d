"""Sets of modules of a campus: written on forms, shown as a grid of modules × competencies, attested on paper."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.badges.shared_definitions import ModuleSet, TrainingModule, faults_of_module, faults_of_set
from app.domain.campus.campus import Campus
from app.domain.core import mark_of
from app.domain.frameworks import Competency
from app.domain.imports.lists.vocabulary.hours import hours_fault, hours_in
from app.domain.people.consents import AccessRecord
from app.errors import AppError, InvalidInput
from app.http.pages.forms import CHECKED_FORM, SafeForm, SavedMeanwhile, check_saved, idempotency_key, text_of
from app.http.pages.render import page
from app.http.pages.words import day, number, out_of_use
from app.http.request_scope import ReadingServices, sentence_of, signed_in, status_for, write_transaction
from app.http.workplaces import SIGNED_IN, AtWork, access_views, at_work, staff
from app.language import N_, current_locale, labelled, translated, translated_plural
from app.services.badges.modules import Attestation, Grid, ModuleText

router = APIRouter(prefix="/gestion/{slug}/modules")
my_router = APIRouter(prefix="/mes-badges/modules", include_in_schema=False)
_VIEW, _DESIGN = [staff(Permission.VIEW)], [staff(Permission.DESIGN)]
_DESIGN_POST = [staff(Permission.DESIGN), CHECKED_FORM]


@dataclass(frozen=True)
class SetForm:
    title: str = ""
    description: str = ""
    badge: str = ""
    seen: str = ""
    """The mark of what the person started from."""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(form: FormData) -> SetForm:
        return SetForm(
            text_of(form, "titre"), text_of(form, "description"), text_of(form, "badge"), text_of(form, "vu")
        )

    @staticmethod
    def filled(found: ModuleSet) -> SetForm:
        return SetForm(found.title, found.description, str(found.badge_id or ""))

    @property
    def fields(self) -> dict[str, str]:
        return {"titre": self.title, "description": self.description, "badge": self.badge}

    def refused(self, error: InvalidInput) -> None:
        faults = faults_of_set(self.title, self.description)
        self.errors.update({name: translated(each) for name, each in faults.items()})
        if not faults:
            self.errors["badge"] = sentence_of(error)


@dataclass(frozen=True)
class ModuleForm:
    """`levels` by competency: empty, « oui » without a level, or the rank."""

    title: str = ""
    contents: str = ""
    audience: str = ""
    hours: str = ""
    badge: str = ""
    levels: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    """The mark of what the person started from."""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(form: FormData) -> ModuleForm:
        levels = {
            name.removeprefix("niveau-"): text_of(form, name) for name in form if name.startswith("niveau-")
        }
        return ModuleForm(
            text_of(form, "titre"),
            text_of(form, "contenus"),
            text_of(form, "public"),
            text_of(form, "heures"),
            text_of(form, "badge"),
            levels,
            text_of(form, "vu"),
        )

    @staticmethod
    def filled(services: Services, module: TrainingModule) -> ModuleForm:
        rows = services.modules.store.attested_by([module.id])
        return ModuleForm(
            module.title,
            module.contents,
            module.audience,
            f"{module.hours:g}" if module.hours else "",
            str(module.badge_id or ""),
            {str(row.competency_id): _level_chosen(row.level) for row in rows},
        )

    def stored(self, services: Services) -> ModuleForm:
        """As saving would store it."""
        text = self.text()
        attested = services.modules.attested_by(text)
        levels = {str(competency_id): _level_chosen(level) for competency_id, level in attested.items()}
        return replace(self, hours=f"{text.hours:g}" if text.hours else "", levels=levels)

    @property
    def fields(self) -> dict[str, str]:
        return {
            "titre": self.title,
            "contenus": self.contents,
            "public": self.audience,
            "heures": self.hours,
            "badge": self.badge,
        }

    @property
    def mark(self) -> str:
        levels = sorted(pair for pair in self.levels.items() if pair[1])
        return mark_of(*self.fields.values(), levels)

    def all_fields(self, competencies: Sequence[CompetencyChoice]) -> dict[str, str]:
        """With the level of each of these."""
        levels = {f"niveau-{each.id}": self.levels.get(each.id, "") for each in competencies}
        return {**self.fields, **levels}

    def refused(self, services: Services, work: AtWork, error: AppError) -> str:
        """Notes each fault at its field; the sentence about a fault of no field."""
        sentence = sentence_of(error)
        faults = faults_of_module(self.title, self.contents, self.audience)
        faults |= {"heures": fault} if (fault := hours_fault(self.hours)) else {}
        self.errors.update({name: translated(each) for name, each in faults.items()})
        if faults or not isinstance(error, InvalidInput):
            return "" if faults else sentence
        if self.badge and self.badge not in dict(_badges(services, work)):
            self.errors["badge"] = sentence
        for each in _competencies(services, work, self):
            if each.chosen not in dict(each.levels):
                self.errors[f"niveau-{each.id}"] = sentence
        return "" if self.errors else sentence

    def text(self) -> ModuleText:
        chosen: dict[uuid.UUID, int | None] = {}
        for named, level in self.levels.items():
            if level and (competency_id := _uuid(named)):
                chosen[competency_id] = int(level) if level.isdecimal() and len(level) < 4 else None
        return ModuleText(
            self.title, self.contents, self.audience, _hours(self.hours), _uuid(self.badge), chosen or None
        )


@dataclass(frozen=True)
class CompetencyChoice:
    id: str
    name: str
    levels: list[tuple[str, str]]
    """To choose from."""
    chosen: str


_ATTESTED = "oui"


def _level_chosen(level: int | None) -> str:
    return str(level or _ATTESTED)


def _duration(hours: float | None) -> str:
    return translated("{hours} h").format(hours=number(hours)) if hours else ""


def _uuid(typed: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(typed)
    except ValueError:
        return None


def _hours(typed: str) -> float | None:
    if fault := hours_fault(typed):
        raise InvalidInput(fault)
    return hours_in(typed)[0]


@router.get("", dependencies=_VIEW)
def list_sets(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "badges/modules/list.html",
        designs=work.may(Permission.DESIGN),
        sets=[
            (f"{work.home}/modules/{each.id}", each.title, len(services.modules.store.modules_of(each.id)))
            for each in services.modules.list_of(work.campus)
        ],
        archived=services.modules.archived_of(work.campus),
    )


@router.get("/nouveau", dependencies=_DESIGN)
def new_set(request: Request, services: ReadingServices) -> HTMLResponse:
    return _set_page(request, services, SetForm())


@router.post("/nouveau", dependencies=_DESIGN)
def create_set(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, typed = at_work(request), SetForm.of(form)
    try:
        with write_transaction(request) as writing:
            found = writing.modules.create(
                work.campus,
                title=typed.title,
                description=typed.description,
                badge_id=_uuid(typed.badge),
                by=work.actor,
                once=idempotency_key(form, work.who.person.id),
            )
            here = f"{work.home}/modules/{found.id}"
    except InvalidInput as error:
        typed.refused(error)
        return _set_page(request, services, typed)
    return RedirectResponse(here, status_code=303)


@router.get("/{set_id:uuid}", dependencies=_VIEW)
def show_grid(set_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    grid = services.modules.grid(work.campus, set_id)
    whole = grid.whole
    return work.page(
        request,
        "badges/modules/grid.html",
        here=f"{work.home}/modules/{set_id}",
        designs=work.may(Permission.DESIGN),
        grid=grid,
        modules=[_module_shown(work, grid, each) for each in grid.modules],
        rows=[
            (
                competency.code,
                competency.statement,
                [_level(grid, module, competency) for module in grid.modules],
            )
            for competency, _framework in grid.competencies
        ],
        whole=(f"{work.home}/badges/{whole[0].id}", whole[1].name) if whole else None,
        hours=_duration(grid.hours),
        removed=services.modules.store.removed_from(set_id),
    )


def _module_shown(work: AtWork, grid: Grid, module: TrainingModule) -> dict[str, Any]:
    badge = grid.badge_of(module)
    return {
        "href": f"{work.home}/modules/{grid.found.id}/{module.id}",
        "title": module.title,
        "contents": [line.strip("-• ") for line in module.contents.splitlines() if line.strip()],
        "audience": module.audience,
        "hours": _duration(module.hours),
        "badge": (f"{work.home}/badges/{badge[0].id}", badge[1].name) if badge else None,
    }


def _level(grid: Grid, module: TrainingModule, competency: Competency) -> str:
    level = grid.level(module, competency)
    return "" if level is None else level or translated("oui")


@router.get("/{set_id:uuid}/modifier", dependencies=_DESIGN)
def edit_set(set_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.modules.get(at_work(request).campus, set_id)
    typed = SetForm.filled(found)
    return _set_page(request, services, replace(typed, seen=mark_of(*typed.fields.values())), found)


@router.post("/{set_id:uuid}/modifier", dependencies=_DESIGN)
def amend_set(set_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, typed = at_work(request), SetForm.of(form)
    found = services.modules.get(work.campus, set_id)
    try:
        with write_transaction(request) as writing:
            today = writing.modules.get(work.campus, set_id)
            words = {"badge": dict(_badges(writing, work, today.badge_id))}
            check_saved(typed.seen, SetForm.filled(today).fields, typed.fields, words)
            writing.modules.amend(
                work.campus,
                set_id,
                title=typed.title,
                description=typed.description,
                badge_id=_uuid(typed.badge),
                by=work.actor,
            )
    except SavedMeanwhile as error:
        beside = replace(typed, seen=error.seen, errors=error.beside)
        return _set_page(request, services, beside, found, trouble=sentence_of(error))
    except InvalidInput as error:
        typed.refused(error)
        return _set_page(request, services, typed, found)
    return RedirectResponse(f"{work.home}/modules/{set_id}", status_code=303)


@router.post("/{set_id:uuid}/archiver", dependencies=_DESIGN_POST)
def archive_set(set_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.modules.archive(work.campus, set_id, by=work.actor)
    return RedirectResponse(f"{work.home}/modules", status_code=303)


@router.post("/{set_id:uuid}/reprendre", dependencies=_DESIGN_POST)
def restore_set(set_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.modules.restore(work.campus, set_id, by=work.actor)
    return RedirectResponse(f"{work.home}/modules/{set_id}", status_code=303)


@router.post("/{set_id:uuid}/{module_id:uuid}/reprendre", dependencies=_DESIGN_POST)
def restore_module(set_id: uuid.UUID, module_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.modules.restore_module(work.campus, set_id, module_id, by=work.actor)
    return RedirectResponse(f"{work.home}/modules/{set_id}", status_code=303)


@router.get("/{set_id:uuid}/nouveau", dependencies=_DESIGN)
def new_module(set_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found = services.modules.get(at_work(request).campus, set_id)
    return _module_page(request, services, found, ModuleForm())


@router.post("/{set_id:uuid}/nouveau", dependencies=_DESIGN)
def create_module(set_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, typed = at_work(request), ModuleForm.of(form)
    found = services.modules.get(work.campus, set_id)
    try:
        text = typed.text()
        with write_transaction(request) as writing:
            once = idempotency_key(form, work.who.person.id)
            writing.modules.add_module(work.campus, set_id, text, by=work.actor, once=once)
    except AppError as error:
        trouble = typed.refused(services, work, error)
        return _module_page(request, services, found, typed, trouble=trouble)
    return RedirectResponse(f"{work.home}/modules/{set_id}", status_code=303)


@router.get("/{set_id:uuid}/{module_id:uuid}", dependencies=_DESIGN)
def edit_module(
    set_id: uuid.UUID, module_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    found = services.modules.get(at_work(request).campus, set_id)
    module = services.modules.get_module(found, module_id)
    typed = ModuleForm.filled(services, module)
    return _module_page(request, services, found, replace(typed, seen=typed.mark), module)


@router.post("/{set_id:uuid}/{module_id:uuid}", dependencies=_DESIGN)
def amend_module(
    set_id: uuid.UUID, module_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, typed = at_work(request), ModuleForm.of(form)
    found = services.modules.get(work.campus, set_id)
    module = services.modules.get_module(found, module_id)
    removes = text_of(form, "geste") == "retirer"
    if removes:
        typed = replace(ModuleForm.filled(services, module), seen=typed.seen)
    try:
        text = typed.text()
        with write_transaction(request) as writing:
            present = writing.modules.get_module(found, module_id)
            today, stored = ModuleForm.filled(writing, present), typed.stored(writing)
            choices = _competencies(writing, work, replace(today, levels={**stored.levels, **today.levels}))
            words = {f"niveau-{each.id}": dict(each.levels) for each in choices}
            words["badge"] = dict(_badges(writing, work, present.badge_id))
            fields = today.all_fields(choices), stored.all_fields(choices)
            check_saved(typed.seen, *fields, words, today.mark)
            if removes:
                writing.modules.remove_module(work.campus, set_id, module_id, by=work.actor)
            else:
                writing.modules.amend_module(work.campus, set_id, module_id, text, by=work.actor)
    except SavedMeanwhile as error:
        beside = replace(typed, seen=error.seen, errors=error.beside)
        return _module_page(request, services, found, beside, module, trouble=sentence_of(error))
    except AppError as error:
        trouble = typed.refused(services, work, error)
        return _module_page(request, services, found, typed, module, trouble=trouble)
    return RedirectResponse(f"{work.home}/modules/{set_id}", status_code=303)


@router.get("/{set_id:uuid}/attestations/{person_id:uuid}.pdf", dependencies=[staff(Permission.WORK)])
def attestation(
    set_id: uuid.UUID, person_id: uuid.UUID, request: Request, services: ReadingServices
) -> Response:
    work = at_work(request)
    found = services.modules.attestation(work.campus, set_id, person_id)
    access_views(request, person_id, AccessRecord.RECORD)
    return _paper(services, work.campus, found)


def _paper(services: Services, campus: Campus, found: Attestation) -> Response:
    published = services.papers.printed("modules", _printed(campus, services, found))
    headers = {
        "Content-Disposition": 'inline; filename="attestation-modules.pdf"',
        "Cache-Control": "no-store",
    }
    return Response(published.body, media_type=published.media_type, headers=headers)


def _printed(campus: Campus, services: Services, found: Attestation) -> dict[str, Any]:
    grid, zone = found.grid, campus.time_zone
    return {
        "title": translated("Attestation de modules"),
        "author": campus.name,
        "lang": current_locale(),
        "campus": translated("Campus {name}").format(name=campus.name),
        "set": grid.found.title,
        "person": found.person.name,
        "summary": _summary(found),
        "heads": [
            translated(each)
            for each in (N_("Module"), N_("Durée"), N_("Attesté le"), N_("Compétences et niveaux"))
        ],
        "modules": [
            {
                "title": module.title,
                "contents": [line.strip("-• ") for line in module.contents.splitlines() if line.strip()],
                "hours": _duration(found.hours.get(module.id)) or "–",
                "day": day(found.completion.done[module.id], zone),
                "competencies": _attested_lines(grid, module),
            }
            for module in found.modules
        ],
        "contents": translated("Contenus"),
        "issued": translated("Faite le {day} d’après les badges valables ce jour.").format(
            day=day(services.clock(), zone)
        ),
        "foot": translated(
            "Cette feuille reprend des badges. Ce qui prouve est le badge signé, que chacun peut vérifier."
        ),
    }


def _summary(found: Attestation) -> str:
    total = sum(found.hours.get(each.id, 0) for each in found.modules)
    done = translated_plural("{n} module sur {all}", "{n} modules sur {all}", len(found.modules)).format(
        n=len(found.modules), all=len(found.grid.modules)
    )
    return f"{done}, {_duration(total)}" if total else done


def _attested_lines(grid: Grid, module: TrainingModule) -> list[str]:
    return [
        labelled(statement, level) if level else statement
        for competency, _framework in grid.competencies
        for statement in (f"{competency.code} {competency.statement}",)
        if (level := grid.level(module, competency)) is not None
    ]


# --- the person's own


@dataclass(frozen=True)
class OwnModule:
    title: str
    hours: str
    day: str
    """Empty while it is not attested."""
    competencies: Sequence[str]


@dataclass(frozen=True)
class OwnSet:
    title: str
    language: str
    campus: str
    summary: str
    modules: Sequence[OwnModule]
    has_whole: bool
    is_complete: bool
    whole: str
    pdf: str


@my_router.get("", dependencies=[SIGNED_IN])
def show_mine(request: Request, services: ReadingServices) -> HTMLResponse:
    who = signed_in(request, services)
    with services.across_campuses():
        found = services.modules.own_attestations(who.person.id)
    return page(
        request,
        "badges/modules/mine.html",
        private=True,
        sets=[_own_set(campus, each) for campus, each in found],
    )


@my_router.get("/{set_id:uuid}/attestation.pdf", dependencies=[SIGNED_IN])
def own_attestation(set_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    who = signed_in(request, services)
    with services.across_campuses():
        campus, found = services.modules.own_attestation(set_id, who.person.id)
        return _paper(services, campus, found)


def _own_set(campus: Campus, found: Attestation) -> OwnSet:
    grid, done = found.grid, found.completion.done
    return OwnSet(
        grid.found.title,
        campus.language,
        campus.short_name,
        _summary(found),
        [
            OwnModule(
                module.title,
                _duration(found.hours.get(module.id) if module.id in done else module.hours),
                day(done[module.id], campus.time_zone) if module.id in done else "",
                _attested_lines(grid, module),
            )
            for module in grid.modules
        ],
        found.completion.has_whole,
        found.completion.is_complete,
        grid.whole[1].name if grid.whole else "",
        f"/mes-badges/modules/{grid.found.id}/attestation.pdf",
    )


def _set_page(
    request: Request,
    services: Services,
    typed: SetForm,
    found: ModuleSet | None = None,
    *,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "badges/modules/set.html",
        status=status_for(trouble, typed.errors),
        trouble=trouble,
        here=f"{work.home}/modules/{found.id}" if found else "",
        form=typed,
        badges=_badges(services, work, found.badge_id if found else None),
    )


def _module_page(
    request: Request,
    services: Services,
    found: ModuleSet,
    typed: ModuleForm,
    module: TrainingModule | None = None,
    *,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "badges/modules/module.html",
        status=status_for(trouble, typed.errors),
        trouble=trouble,
        here=f"{work.home}/modules/{found.id}",
        set_title=found.title,
        is_new=module is None,
        form=typed,
        badges=_badges(services, work, module.badge_id if module else None),
        competencies=_competencies(services, work, typed),
    )


def _competencies(services: Services, work: AtWork, typed: ModuleForm) -> list[CompetencyChoice]:
    """Those in use, and those that the module attests."""
    found = []
    for competency, _framework in services.competencies.list_of(work.campus):
        chosen = typed.levels.get(str(competency.id), "")
        if competency.archived_at is not None and not chosen:
            continue
        levels = [(str(rank), name) for rank, name in enumerate(competency.levels, 1)]
        if not levels or chosen == _ATTESTED:
            levels.insert(0, (_ATTESTED, translated("oui")))
        name = out_of_use(f"{competency.code} {competency.statement}", competency.archived_at)
        found.append(CompetencyChoice(str(competency.id), name, [("", translated("non")), *levels], chosen))
    return found


def _badges(services: Services, work: AtWork, present: uuid.UUID | None = None) -> list[tuple[str, str]]:
    listed = [
        (str(badge.id), out_of_use(version.name, badge.archived_at))
        for badge, version in services.modules.choices(work.campus, present)
    ]
    return [("", translated("Aucun")), *listed]
