"""A campus draws its pathways: stages, conditions and their order, published in versions."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import ActivityKind
from app.domain.core import ChangedMeanwhile, mark_of
from app.domain.frameworks.pathways import (
    ConditionKind,
    Named,
    PathwayContent,
    Stage,
    StageCondition,
    changes_between,
    faults_of_pathway,
    faults_of_stage,
)
from app.domain.imports.lists.vocabulary.hours import hours_in
from app.errors import AppError, Conflict, InvalidInput, NotFound
from app.http.pages.forms import (
    CHECKED_FORM,
    SafeForm,
    SavedMeanwhile,
    check_saved,
    idempotency_key,
    ids_in,
    text_of,
    texts_of,
    written_meanwhile,
)
from app.http.pages.words import ACTIVITY_KINDS, OUT_OF_USE, day, listing, out_of_use
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, filled, labelled, translated
from app.services.frameworks.pathways import StageDraft
from app.web.frameworks.pathway_view import change_details, change_words, condition_words

router = APIRouter(prefix="/gestion/{slug}/parcours")
_VIEW, _DESIGN = [staff(Permission.VIEW)], [staff(Permission.DESIGN)]
_CHANGE = [staff(Permission.DESIGN), CHECKED_FORM]
_DONE = {
    "publie": N_("Le parcours est publié : il est sur une page publique, et chacun peut le suivre."),
    "version": N_("La version est publiée. Les personnes déjà en chemin gardent la leur, ou en changent."),
    "etape": N_("L’étape est enregistrée dans le brouillon."),
    "texte": N_("Le brouillon est enregistré."),
}
_FIELDS = {"title": "titre", "summary": "presentation", "decision": "avis"}
_OTHER = "*"
_WHOLE = re.compile(r"\d{1,4}")


@dataclass(frozen=True)
class PathwayLine:
    href: str
    title: str
    state: str
    is_published: bool


@dataclass
class StageForm:
    """One stage as typed."""

    title: str = ""
    summary: str = ""
    after: Sequence[str] = ()
    choice: str = ""
    is_optional: bool = False
    badges: Sequence[str] = ()
    least_badges: str = "1"
    competency: str = ""
    hours: str = ""
    hours_kinds: Sequence[str] = ()
    activities: str = ""
    activity_kinds: Sequence[str] = ()
    decision: str = ""
    seen: str = ""
    """The mark of the stage that the person started from."""
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def typed(form: FormData) -> StageForm:
        return StageForm(
            text_of(form, "titre"),
            text_of(form, "presentation"),
            texts_of(form, "apres"),
            text_of(form, "choix")[:1],
            bool(text_of(form, "facultative")),
            texts_of(form, "badge"),
            text_of(form, "combien"),
            text_of(form, "competence"),
            text_of(form, "heures"),
            texts_of(form, "heures_de"),
            text_of(form, "activites"),
            texts_of(form, "activites_de"),
            text_of(form, "avis"),
            text_of(form, "vu"),
        )

    @staticmethod
    def of(stage: Stage) -> StageForm:
        found = StageForm(
            stage.title,
            stage.summary,
            stage.after,
            stage.choice,
            stage.is_optional,
            seen=mark_of(stage),
        )
        for each in stage.conditions:
            match each.kind:
                case ConditionKind.BADGES:
                    found.badges = [str(one.id) for one in each.badges]
                    found.least_badges = str(each.least)
                case ConditionKind.COMPETENCY if each.competency is not None:
                    found.competency = f"{each.competency.id}/{each.least}"
                case ConditionKind.HOURS:
                    found.hours, found.hours_kinds = str(each.least), [one.value for one in each.kinds]
                case ConditionKind.ACTIVITIES:
                    found.activities = str(each.least)
                    found.activity_kinds = [one.value for one in each.kinds]
                case ConditionKind.DECISION:
                    found.decision = each.text
        return found

    def beside(self, content: PathwayContent, stage: Stage) -> StageForm:
        """As typed, with what another person has saved meanwhile named beside it; saved again, it replaces that."""
        today = StageForm.of(stage)
        conditions = listing([condition_words(each) for each in stage.conditions])
        after = listing(_names(content, stage.after))
        places = [
            translated("Après : %(names)s.") % {"names": after} if after else "",
            translated("Choix %(name)s.") % {"name": stage.choice} if stage.choice else "",
            translated("Facultative.") if stage.is_optional else "",
        ]
        place = " ".join(filter(None, places))
        theirs = {
            "titre": stage.title,
            "presentation": stage.summary,
            "conditions": conditions,
            "place": place,
        }
        mine = {
            "titre": self.title,
            "presentation": self.summary,
            "conditions": conditions if self._conditions == today._conditions else _OTHER,
            "place": place if self._place == today._place else _OTHER,
        }
        return replace(self, seen=today.seen, errors=written_meanwhile(theirs, mine))

    @property
    def _conditions(self) -> tuple[object, ...]:
        several = self.badges, self.hours_kinds, self.activity_kinds
        least = self.least_badges if self.badges else ""
        return *map(sorted, several), least, self.competency, self.hours, self.activities, self.decision

    @property
    def _place(self) -> tuple[object, ...]:
        return sorted(self.after), self.choice, self.is_optional

    def draft(self) -> StageDraft:
        """Raises InvalidInput; `errors` then names the field."""
        others = []
        if self.hours:
            others.append(
                StageCondition(
                    ConditionKind.HOURS,
                    self._number("heures", _whole_hours(self.hours)),
                    kinds=_kinds(self.hours_kinds),
                )
            )
        if self.activities:
            others.append(
                StageCondition(
                    ConditionKind.ACTIVITIES,
                    self._number("activites", self.activities),
                    kinds=_kinds(self.activity_kinds),
                )
            )
        if self.decision:
            others.append(StageCondition(ConditionKind.DECISION, text=self.decision))
        competency, _, level = self.competency.partition("/")
        ids = ids_in([competency]) if competency else []
        return StageDraft(
            self.title,
            self.summary,
            tuple(self.after),
            self.choice,
            self.is_optional,
            tuple(ids_in(self.badges)),
            self._number("combien", self.least_badges) if self.badges else 1,
            ids[0] if ids else None,
            int(level) if _WHOLE.fullmatch(level) else 0,
            tuple(others),
        )

    def _number(self, name: str, text: str) -> int:
        if not _WHOLE.fullmatch(text) or int(text) < 1:
            error = InvalidInput("Écrivez un nombre entier, d’au moins 1.")
            self.errors[name] = sentence_of(error)
            raise error
        return int(text)


def _whole_hours(typed: str) -> str:
    """« 30 h », « 30 heures » are 30; anything else comes back as typed."""
    hours, _ = hours_in(typed)
    return typed if hours is None or hours % 1 else str(int(hours))


def _kinds(values: Sequence[str]) -> tuple[ActivityKind, ...]:
    return tuple(each for each in ActivityKind if each.value in values)


@router.get("", dependencies=_VIEW)
def list_pathways(request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "frameworks/pathways/list.html",
        designs=work.may(Permission.DESIGN),
        follows=work.may(Permission.WORK),
        awards=work.may(Permission.AWARD),
        lines=[
            PathwayLine(
                f"{work.home}/parcours/{each.id}",
                each.title,
                translated(
                    N_("Archivé")
                    if each.archived_at
                    else N_("Version {n} publiée")
                    if each.number
                    else N_("Brouillon")
                ).format(n=each.number),
                each.number > 0,
            )
            for each in services.pathways.list_of(work.campus)
        ],
    )


@router.get("/nouveau", dependencies=_DESIGN)
def new_pathway(request: Request) -> HTMLResponse:
    return _new_page(request)


@router.post("/nouveau", dependencies=_DESIGN)
def create_pathway(request: Request, form: SafeForm) -> Response:
    work, title, summary = at_work(request), text_of(form, "titre"), text_of(form, "presentation")
    try:
        with write_transaction(request) as writing:
            content = PathwayContent(title, summary)
            once = idempotency_key(form, work.who.person.id)
            made = writing.pathways.create(work.campus, content, by=work.actor, once=once)
            href = f"{work.home}/parcours/{made.id}"
    except InvalidInput:
        return _new_page(request, title, summary, _by_field(faults_of_pathway(title, summary)))
    return RedirectResponse(href, status_code=303)


def _by_field(faults: Mapping[str, AppError]) -> dict[str, str]:
    return {_FIELDS[name]: sentence_of(fault) for name, fault in faults.items()}


def _new_page(
    request: Request,
    title: str = "",
    summary: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "frameworks/pathways/new.html",
        status=status_for(errors),
        title=title,
        summary=summary,
        errors=errors,
    )


@router.get("/{pathway_id:uuid}", dependencies=_DESIGN)
def edit_pathway(
    pathway_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    done = translated(_DONE[fait]) if fait in _DONE else ""
    return _edit_page(request, services, pathway_id, done=done)


@router.post("/{pathway_id:uuid}", dependencies=_DESIGN)
def describe_pathway(
    pathway_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    ids = ids_in([text_of(form, "badge")]) if text_of(form, "badge") else []
    typed = (text_of(form, "titre"), text_of(form, "presentation"), text_of(form, "badge"))
    seen = text_of(form, "vu")
    try:
        with write_transaction(request) as writing:
            _, today = writing.pathways.get(work.campus, pathway_id)
            words = {"badge": dict(_badges(writing, work, today))}
            check_saved(seen, _text_fields(*_text_of(today)), _text_fields(*typed), words)
            writing.pathways.describe(
                work.campus,
                pathway_id,
                title=text_of(form, "titre"),
                summary=text_of(form, "presentation"),
                badge_id=ids[0] if ids else None,
                by=work.actor,
            )
    except (InvalidInput, Conflict) as error:
        return _edit_page(request, services, pathway_id, typed=typed, seen=seen, error=error)
    return RedirectResponse(f"{work.home}/parcours/{pathway_id}?fait=texte", status_code=303)


def _edit_page(
    request: Request,
    services: Services,
    pathway_id: uuid.UUID,
    *,
    done: str = "",
    typed: tuple[str, str, str] | None = None,
    seen: str = "",
    error: AppError | None = None,
    trouble: str = "",
) -> HTMLResponse:
    work = at_work(request)
    pathway, content = services.pathways.get(work.campus, pathway_id)
    published = services.pathways.published(pathway)
    last = len(content.stages) - 1
    title, summary, badge = typed or _text_of(content)
    badges = _badges(services, work, content)
    seen = seen or mark_of(*_text_of(content))
    errors: Mapping[str, str] = _by_field(faults_of_pathway(title, summary)) if error else {}
    if meanwhile := error if isinstance(error, SavedMeanwhile) else None:
        errors, seen = meanwhile.beside, meanwhile.seen
    elif error and not errors:
        trouble = sentence_of(error)
    changes = changes_between(published, content) if published else []
    return work.page(
        request,
        "frameworks/pathways/edit.html",
        status=status_for(error, trouble),
        here=f"{work.home}/parcours/{pathway_id}",
        pathway=pathway,
        title=title,
        summary=summary,
        badge=badge,
        badges=[("", translated("Choisissez un badge")), *badges],
        errors=errors,
        meanwhile=sentence_of(meanwhile) if meanwhile else "",
        seen_text=seen,
        trouble=trouble,
        done=done,
        stages=[
            (
                each.key,
                each.title,
                [condition_words(one) for one in each.conditions],
                _names(content, each.after),
                each.choice,
                each.is_optional,
                at > 0,
                at < last,
                mark_of(each),
            )
            for at, each in enumerate(content.stages)
        ],
        versions=[
            (each.number, day(each.published_at, work.campus.time_zone))
            for each in services.pathways.versions_of(pathway)
        ],
        is_changed=published != content,
        seen=mark_of(content),
        changes=[(change_words(each), change_details(each)) for each in changes],
    )


def _text_of(content: PathwayContent) -> tuple[str, str, str]:
    return content.title, content.summary, str(content.badge.id) if content.badge else ""


def _text_fields(title: str, summary: str, badge: str) -> dict[str, str]:
    return {"titre": title, "presentation": summary, "badge": badge}


def _badges(services: Services, work: AtWork, content: PathwayContent) -> list[tuple[str, str]]:
    """The campus's own: it proposes a badge that it can award. The present one stays."""
    found = {
        str(each.badge.id): each.version.name
        for each in services.pathways.badges_to_pick(work.campus)
        if each.campus.id == work.campus.id
    }
    return [*found.items(), *_no_longer_picked([content.badge] if content.badge else [], found)]


def _no_longer_picked(present: Iterable[Named], picked: Collection[str]) -> list[tuple[str, str]]:
    return [
        (str(each.id), filled(translated(OUT_OF_USE), {"name": each.name}))
        for each in present
        if str(each.id) not in picked
    ]


def _names(content: PathwayContent, keys: Sequence[str]) -> list[str]:
    return [each.title for each in content.stages if each.key in keys]


@router.get("/{pathway_id:uuid}/etapes/nouvelle", dependencies=_DESIGN)
def new_stage(pathway_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    _, content = services.pathways.get(at_work(request).campus, pathway_id)
    before = [content.stages[-1].key] if content.stages else []
    return _stage_page(request, services, pathway_id, "", StageForm(after=before))


@router.get("/{pathway_id:uuid}/etapes/{key}", dependencies=_DESIGN)
def edit_stage(pathway_id: uuid.UUID, key: str, request: Request, services: ReadingServices) -> HTMLResponse:
    _, content = services.pathways.get(at_work(request).campus, pathway_id)
    stage = content.stage(key)
    if stage is None:
        raise NotFound("Cette étape n’existe pas dans ce parcours.")
    return _stage_page(request, services, pathway_id, key, StageForm.of(stage))


@router.post("/{pathway_id:uuid}/etapes/nouvelle", dependencies=_DESIGN)
def add_stage(pathway_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    return _save_stage(request, form, services, pathway_id, "")


@router.post("/{pathway_id:uuid}/etapes/{key}", dependencies=_DESIGN)
def change_stage(
    pathway_id: uuid.UUID, key: str, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    return _save_stage(request, form, services, pathway_id, key)


def _save_stage(
    request: Request, form: FormData, services: Services, pathway_id: uuid.UUID, key: str
) -> Response:
    work, typed = at_work(request), StageForm.typed(form)
    typed.errors.update(_by_field(faults_of_stage(typed.title, typed.summary, typed.decision)))
    try:
        draft = typed.draft()
        with write_transaction(request) as writing:
            writing.pathways.save_stage(work.campus, pathway_id, key, draft, by=work.actor, seen=typed.seen)
    except ChangedMeanwhile as error:
        return _stage_page(request, services, pathway_id, key, typed, trouble=error)
    except (InvalidInput, Conflict) as error:
        if not typed.errors:
            typed.errors["conditions"] = sentence_of(error)
        return _stage_page(request, services, pathway_id, key, typed)
    return RedirectResponse(f"{work.home}/parcours/{pathway_id}?fait=etape#etapes", status_code=303)


def _stage_page(
    request: Request,
    services: Services,
    pathway_id: uuid.UUID,
    key: str,
    typed: StageForm,
    *,
    trouble: ChangedMeanwhile | None = None,
) -> HTMLResponse:
    work = at_work(request)
    _, content = services.pathways.get(work.campus, pathway_id)
    stage = content.stage(key)
    if trouble and stage:
        typed = typed.beside(content, stage)
    competencies = [("", translated("Aucune"))]
    chosen = ids_in([typed.competency.partition("/")[0]])
    for competency, _ in services.pathways.competencies_to_pick(work.campus, chosen):
        name = out_of_use(f"{competency.code} {competency.statement}", competency.archived_at)
        competencies.append((f"{competency.id}/0", name))
        competencies += [
            (f"{competency.id}/{rank}", labelled(name, level))
            for rank, level in enumerate(competency.levels, start=1)
        ]
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in services.pathways.badges_to_pick(work.campus):
        groups.setdefault(each.campus.short_name, []).append((str(each.badge.id), each.version.name))
    own = groups.pop(work.campus.short_name, [])
    picked = {value for group in (own, *groups.values()) for value, _words in group}
    present = stage.conditions if stage else ()
    own += _no_longer_picked((badge for each in present for badge in each.badges), picked)
    return work.page(
        request,
        "frameworks/pathways/stage.html",
        status=status_for(trouble, typed.errors),
        trouble=sentence_of(trouble) if trouble else "",
        here=f"{work.home}/parcours/{pathway_id}",
        pathway=content.title,
        key=key,
        form=typed,
        others=[(each.key, each.title) for each in content.stages if each.key != key],
        choices=[
            ("", translated("Non")),
            *((one, translated("Choix {name}").format(name=one)) for one in "ABCD"),
        ],
        badges=own,
        elsewhere=[
            (name, found, bool({each for each, _ in found} & set(typed.badges)))
            for name, found in sorted(groups.items())
        ],
        competencies=competencies,
        kinds=[(each.value, translated(words)) for each, words in ACTIVITY_KINDS.items()],
    )


@router.post("/{pathway_id:uuid}/etapes/{key}/retirer", dependencies=_CHANGE)
def remove_stage(pathway_id: uuid.UUID, key: str, request: Request, form: SafeForm) -> Response:
    return _changed(
        request,
        pathway_id,
        lambda services, work: services.pathways.remove_stage(
            work.campus, pathway_id, key, by=work.actor, seen=text_of(form, "vu")
        ),
    )


@router.post("/{pathway_id:uuid}/etapes/{key}/monter", dependencies=_CHANGE)
def move_stage_up(pathway_id: uuid.UUID, key: str, request: Request) -> Response:
    return _changed(
        request,
        pathway_id,
        lambda services, work: services.pathways.move_stage(
            work.campus, pathway_id, key, up=True, by=work.actor
        ),
    )


@router.post("/{pathway_id:uuid}/etapes/{key}/descendre", dependencies=_CHANGE)
def move_stage_down(pathway_id: uuid.UUID, key: str, request: Request) -> Response:
    return _changed(
        request,
        pathway_id,
        lambda services, work: services.pathways.move_stage(
            work.campus, pathway_id, key, up=False, by=work.actor
        ),
    )


@router.post("/{pathway_id:uuid}/archiver", dependencies=_CHANGE)
def archive_pathway(pathway_id: uuid.UUID, request: Request) -> Response:
    return _changed(
        request,
        pathway_id,
        lambda services, work: services.pathways.archive(
            work.campus, pathway_id, archived=True, by=work.actor
        ),
    )


@router.post("/{pathway_id:uuid}/reprendre", dependencies=_CHANGE)
def restore_pathway(pathway_id: uuid.UUID, request: Request) -> Response:
    return _changed(
        request,
        pathway_id,
        lambda services, work: services.pathways.archive(
            work.campus, pathway_id, archived=False, by=work.actor
        ),
    )


def _changed(request: Request, pathway_id: uuid.UUID, change: Callable[[Services, AtWork], None]) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        change(writing, work)
    return RedirectResponse(f"{work.home}/parcours/{pathway_id}#etapes", status_code=303)


@router.post("/{pathway_id:uuid}/publier", dependencies=_DESIGN)
def publish_pathway(
    pathway_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            seen = text_of(form, "vu")
            number = writing.pathways.publish(work.campus, pathway_id, by=work.actor, seen=seen)
    except (ChangedMeanwhile, InvalidInput) as error:
        return _edit_page(request, services, pathway_id, trouble=sentence_of(error))
    done = "version" if number > 1 else "publie"
    return RedirectResponse(f"{work.home}/parcours/{pathway_id}?fait={done}", status_code=303)
