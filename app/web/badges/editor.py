"""The badge editor: five steps, each with its own address, saved by itself, with the picture beside it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.badges import BadgeKind, Lack, PictureLook, Repeat, Step, are_near, differences
from app.domain.badges.rules import rule_of
from app.domain.core import ChangedMeanwhile, changed_meanwhile, mark_of
from app.domain.frameworks import FRAMEWORK_NAMES, LONGEST_NAME, Competency, Framework
from app.errors import Conflict, InvalidInput, NotFound
from app.http.pages.forms import SafeForm, idempotency_key, text_of
from app.http.pages.render import page
from app.http.pages.words import ACTIVITY_KINDS, KIND_HINTS, KIND_NAMES, REPEATS, sentence_text
from app.http.request_scope import ReadingServices, process_of, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated, translated_plural
from app.services.badges import (
    BadgePage,
    Manuscript,
    WrittenMeanwhile,
    usual_picture_words,
    with_step,
    wording_of,
)
from app.services.badges.wording import BadgeModel
from app.web.badges import DifferenceShown, Preview, drawn_inline, preview_of, shown_difference
from app.web.badges.badges_admin import content_shown
from app.web.badges.editor_form import NO_LEVEL, OTHER, USUAL_DAYS, BadgeForm, known_by_id
from app.web.badges.rules import named_in
from app.web.frameworks.search import search_view

router = APIRouter(prefix="/gestion/{slug}/badges")
_DESIGN = [staff(Permission.DESIGN)]
Known = dict[str, tuple[Competency, Framework]]
STEP_NAMES = {
    Step.CONTENT: N_("Contenu"),
    Step.COMPETENCIES: N_("Compétences"),
    Step.AWARDING: N_("Attribution"),
    Step.PICTURE: N_("Image"),
    Step.PUBLISHING: N_("Publier"),
}
_CONTINUE = {
    Step.CONTENT: N_("Continuer vers les compétences"),
    Step.COMPETENCIES: N_("Continuer vers l’attribution"),
    Step.AWARDING: N_("Continuer vers l’image"),
    Step.PICTURE: N_("Continuer et relire"),
}
_PUBLISH = "ouvrir"
_NOT_OPENED, _MEANWHILE = "ferme", "autre"
_UNREADABLE = N_("L’aperçu attend : un champ est à corriger.")
_BY_SCRIPT = "seul"
_KEEP_LETTERS = "sigle"
_LOOKS = ("apercu", "ligne", "condition", "chercher")
_ADD = "ajouter "


@dataclass(frozen=True)
class Answer:
    """Result of the form: saved, saved but not published as requested, refused, or an edit conflict with
    what differs."""

    saved_at: datetime | None = None
    unopened: bool = False
    meanwhile: str = ""
    """Why it is not published although it lacks nothing."""
    refused: str = ""
    conflict: tuple[DifferenceShown, ...] | None = None

    @property
    def status(self) -> int:
        return 409 if self.conflict is not None else status_for(self.refused)


@router.get("/nouveau", dependencies=_DESIGN)
def new_badge(request: Request, services: ReadingServices, modele: str = "") -> HTMLResponse:
    return _editor(request, services, at_work(request), _begun(services, modele), Step.CONTENT)


def _begun(services: Services, slug: str) -> BadgeForm:
    """From the model of that name, if there is one; else blank."""
    found = next((each for each in services.badges.models() if each.slug == slug), None)
    if found is None:
        return BadgeForm()
    filled = BadgeForm.from_model(found)
    filled.model, filled.model_name = slug, found.wording.name
    return filled


@router.post("/nouveau", dependencies=_DESIGN)
def create_badge(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, gesture = at_work(request), text_of(form, "geste")
    filled = _begun(services, text_of(form, "modele"))
    filled.take(Step.CONTENT, form)
    if gesture == _BY_SCRIPT:
        return _sight(request, services, work, filled)
    if gesture in _LOOKS:
        return _editor(request, services, work, filled, Step.CONTENT)
    try:
        wording = filled.wording(_known(services, work))
        with write_transaction(request) as writing:
            made = writing.badges.create(
                work.campus,
                wording,
                repeat=filled.repeat,
                accepts_requests=filled.accepts_requests,
                draft=True,
                by=work.actor,
                once=idempotency_key(form, work.who.person.id),
            )
    except InvalidInput as error:
        return _refused(request, services, work, filled, Step.CONTENT, error)
    return _next(request, work, made.badge.id, form, filled)


@router.get("/{badge_id:uuid}/modifier", dependencies=_DESIGN)
def edit_badge(
    badge_id: uuid.UUID, request: Request, services: ReadingServices, garde: str = ""
) -> HTMLResponse:
    return _step_page(request, services, badge_id, Step.CONTENT, garde)


@router.get("/{badge_id:uuid}/modifier/{etape}", dependencies=_DESIGN)
def edit_step(
    badge_id: uuid.UUID, etape: str, request: Request, services: ReadingServices, garde: str = ""
) -> HTMLResponse:
    return _step_page(request, services, badge_id, _step(etape), garde)


@router.post("/{badge_id:uuid}/modifier", dependencies=_DESIGN)
def save_badge(badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    return _saved(request, services, badge_id, Step.CONTENT, form)


@router.post("/{badge_id:uuid}/modifier/{etape}", dependencies=_DESIGN)
def save_step(
    badge_id: uuid.UUID, etape: str, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    return _saved(request, services, badge_id, _step(etape), form)


def _step(name: str) -> Step:
    if name not in set(Step):
        raise NotFound("Cette étape n’existe pas.")
    return Step(name)


def _step_page(
    request: Request, services: Services, badge_id: uuid.UUID, step: Step, saved: str
) -> HTMLResponse:
    work = at_work(request)
    manuscript = services.badges.manuscript(work.campus, badge_id)
    filled = BadgeForm.from_page(manuscript.page)
    filled.seen = services.badges.state(manuscript.page, step)
    trouble = sentence_of(changed_meanwhile()) if saved == _MEANWHILE else ""
    answer = Answer(
        saved_at=services.clock() if saved else None, unopened=saved == _NOT_OPENED, meanwhile=trouble
    )
    return _editor(request, services, work, filled, step, manuscript, answer)


def _saved(request: Request, services: Services, badge_id: uuid.UUID, step: Step, form: FormData) -> Response:
    work, gesture = at_work(request), text_of(form, "geste")
    manuscript = services.badges.manuscript(work.campus, badge_id)
    filled = BadgeForm.from_page(manuscript.page)
    filled.take(step, form)
    _follow_title(work, filled, manuscript)
    # What another person wrote is merged into a draft, and published once it was read.
    if gesture != _PUBLISH and not filled.merge(BadgeForm.from_page(manuscript.page)):
        filled.seen = services.badges.state(manuscript.page, step)
    if step is Step.PICTURE:
        if filled.upload:
            process_of(request).limiter.hit("pictures of a campus", str(work.campus.id))
        _take_art(services, work, filled)
    if gesture == _KEEP_LETTERS:
        filled.fields["dessin"] = PictureLook.SHAPE.value
    if gesture.startswith(_ADD) and step is Step.COMPETENCIES:
        _add_alignment(services, filled, gesture.removeprefix(_ADD))
        return _looked_at(request, services, work, filled, step, gesture, manuscript)
    if gesture in _LOOKS:
        return _looked_at(request, services, work, filled, step, gesture, manuscript)
    if gesture == _BY_SCRIPT and not manuscript.page.version.is_draft:
        return _sight(request, services, work, filled, manuscript)
    try:
        wording = filled.wording(_known(services, work, manuscript))
        with write_transaction(request) as writing:
            stored = writing.badges.manuscript(work.campus, badge_id).page
            are_others_as_shown = filled.others in ("", _other_states(writing, stored, step))
            found = writing.badges.rewrite(
                work.campus,
                badge_id,
                wording,
                repeat=filled.repeat,
                accepts_requests=filled.accepts_requests,
                by=work.actor,
                step=step,
                seen=filled.seen,
            )
            filled.seen = writing.badges.state(found, step)
            if are_others_as_shown:
                # What its kind or rule has no use for left them with this save.
                filled.others = _other_states(writing, found, step)
    except WrittenMeanwhile:
        if gesture == _BY_SCRIPT:
            return _sight(request, services, work, filled, manuscript, conflict=True)
        return _conflict(request, services, work, filled, step, manuscript)
    except (InvalidInput, Conflict) as error:
        if gesture == _BY_SCRIPT:
            return _sight(request, services, work, filled, manuscript)
        return _refused(request, services, work, filled, step, error, manuscript)
    if gesture == _BY_SCRIPT:
        return _sight(request, services, work, filled, manuscript, saved=True)
    return _next(request, work, badge_id, form, filled)


def _next(request: Request, work: AtWork, badge_id: uuid.UUID, form: FormData, filled: BadgeForm) -> Response:
    """To the step that was asked for; publishing saves first, whether or not anything is missing."""
    here, gesture, wanted = f"{work.home}/badges/{badge_id}", text_of(form, "geste"), text_of(form, "vers")
    step = filled.step
    if wanted in set(Step):
        return _see(_address(here, Step(wanted)))
    if gesture == "suite":
        steps = list(Step)
        return _see(_address(here, steps[steps.index(step) + 1]))
    if gesture != _PUBLISH:
        return _see(f"{_address(here, step)}?garde=oui")
    try:
        with write_transaction(request) as writing:
            now = writing.badges.manuscript(work.campus, badge_id).page
            if now.version.is_draft:
                is_as_saved = filled.seen in ("", writing.badges.state(now, step))
                if not is_as_saved or filled.others not in ("", _other_states(writing, now, step)):
                    raise changed_meanwhile()
            writing.badges.open(work.campus, badge_id, by=work.actor)
    except ChangedMeanwhile:
        return _see(f"{_address(here, Step.PUBLISHING)}?garde={_MEANWHILE}")
    except InvalidInput:
        return _see(f"{_address(here, Step.PUBLISHING)}?garde={_NOT_OPENED}")
    return _see(here)


def _other_states(services: Services, found: BadgePage, step: Step) -> str:
    """The mark of the steps that the page of `step` does not show, and publishes."""
    return mark_of(*(services.badges.state(found, each) for each in Step if each is not step))


def _see(address: str) -> Response:
    return RedirectResponse(address, status_code=303)


def _address(here: str, step: Step) -> str:
    return f"{here}/modifier" if step is Step.CONTENT else f"{here}/modifier/{step.value}"


def _looked_at(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    step: Step,
    gesture: str,
    manuscript: Manuscript,
) -> HTMLResponse:
    """The same form with one more line, or with its preview; nothing is stored."""
    if gesture == "ligne":
        filled.add_row()
    if gesture == "condition":
        filled.rule.add_row()
    return _editor(request, services, work, filled, step, manuscript)


def _add_alignment(services: Services, filled: BadgeForm, chosen: str) -> None:
    """By register and code, with the label that the register has today."""
    register, _, code = chosen.partition(" ")
    item = services.frameworks.public_item(register, code)
    if item is not None:
        filled.add_alignment(register, item.code, item.statement[:LONGEST_NAME])


def _refused(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    step: Step,
    error: InvalidInput | Conflict,
    manuscript: Manuscript | None = None,
) -> HTMLResponse:
    if not filled.errors:
        filled.errors["nom" if step is Step.CONTENT else "etape"] = sentence_of(error)
    return _editor(request, services, work, filled, step, manuscript, Answer(refused=sentence_of(error)))


def _conflict(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    step: Step,
    manuscript: Manuscript,
) -> HTMLResponse:
    """What was saved meanwhile beside what was typed; sent again, the typed text replaces the saved one."""
    typed = filled.wording(_known(services, work, manuscript))
    stored = wording_of(manuscript.page.version, [link for link, _, _ in manuscript.page.competencies])
    mine, _ = services.badges.sketch(work.campus, with_step(stored, typed, step))
    found = differences(content_shown(manuscript.page), content_shown(mine))
    filled.seen = services.badges.state(manuscript.page, step)
    conflicts = tuple(shown_difference(each) for each in found)
    return _editor(request, services, work, filled, step, manuscript, Answer(conflict=conflicts))


def _take_art(services: Services, work: AtWork, filled: BadgeForm) -> None:
    """The sent file; without one what the badge has, or for a logo the last one of the campus."""
    if filled.look is PictureLook.SHAPE and not filled.upload:
        return
    try:
        read = services.badges.read_art(work.campus, filled.upload or filled.art, filled.look.value)
        # What is stored is checked for its new use, and not encoded once more.
        filled.art = read if filled.upload or not filled.art else filled.art
    except InvalidInput as error:
        filled.errors["fichier"] = sentence_of(error)
        filled.upload = b""
    if not filled.art:
        filled.errors.setdefault("fichier", translated("Choisissez le fichier du logo ou de l’image."))


def _follow_title(work: AtWork, filled: BadgeForm, manuscript: Manuscript) -> None:
    """The text alternative is prefilled; left unchanged, it goes on following title and level."""
    found = manuscript.page
    usual = usual_picture_words(work.campus, found.version, found.competencies)
    if filled.fields["alternative"] == sentence_text(usual):
        filled.fields["alternative"] = ""


def _known(services: Services, work: AtWork, manuscript: Manuscript | None = None) -> Known:
    kept = set()
    if manuscript:
        kept = {link.competency_id for link, _, _ in manuscript.page.competencies}
        kept |= named_in(rule_of(manuscript.page.version.rule))
    return known_by_id(services.competencies.list_of(work.campus), kept)


def _preview(
    services: Services, work: AtWork, filled: BadgeForm, manuscript: Manuscript | None
) -> Preview | None:
    """None where a field cannot be parsed: the form shows which."""
    besides = str(manuscript.page.badge.id) if manuscript else ""
    try:
        wording = filled.wording(_known(services, work, manuscript))
        return preview_of(services, work.campus, wording, besides=besides)
    except InvalidInput:
        return None


def _sight(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    manuscript: Manuscript | None = None,
    *,
    saved: bool = False,
    conflict: bool = False,
) -> HTMLResponse:
    """The preview alone, for the script that saves a draft, or draws anything else, during typing."""
    return page(
        request,
        "badges/preview.html",
        private=True,
        status=200,
        preview=_preview(services, work, filled, manuscript),
        trouble=translated(_UNREADABLE),
        seen=filled.seen,
        others=filled.others,
        base=json.dumps(filled.shown if saved else filled.base),
        saved_at=services.clock() if saved else None,
        conflict=conflict,
        zone=work.campus.time_zone,
    )


@dataclass(frozen=True)
class StepLink:
    value: str
    name: str
    is_done: bool
    is_here: bool


@dataclass(frozen=True)
class LackShown:
    sentence: str
    step: str
    step_name: str

    @staticmethod
    def of(lack: Lack) -> LackShown:
        return LackShown(translated(lack.sentence), lack.step.value, translated(STEP_NAMES[lack.step]))


def _steps(here: Step, manuscript: Manuscript | None) -> list[StepLink]:
    """A step is done once it is saved and lacks nothing; the last, once the badge is published."""
    lacking = {lack.step for lack in manuscript.lacks} if manuscript else set(Step)
    if manuscript and manuscript.page.version.is_draft:
        lacking.add(Step.PUBLISHING)
    return [
        StepLink(step.value, translated(name), step not in lacking, step is here)
        for step, name in STEP_NAMES.items()
    ]


def _editor(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    step: Step,
    manuscript: Manuscript | None = None,
    answer: Answer | None = None,
) -> HTMLResponse:
    answer = answer or Answer()
    version = manuscript.page.version if manuscript else None
    badge_id = str(manuscript.page.badge.id) if manuscript else ""
    shown = _preview(services, work, filled, manuscript)
    return work.page(
        request,
        "badges/edit.html",
        wide=True,
        status=max(answer.status, status_for(filled.errors if request.method == "POST" else "")),
        zone=work.campus.time_zone,
        form=filled,
        base=_base(filled, step, manuscript, answer, shown),
        step=step.value,
        steps=_steps(step, manuscript),
        step_name=translated(STEP_NAMES[step]),
        onward=translated(_CONTINUE[step]) if step in _CONTINUE else "",
        badge_id=badge_id,
        name=version.name if version else "",
        others=_other_states(services, manuscript.page, step) if manuscript else "",
        number=version.number if version else 1,
        is_frozen=version is not None and services.badges.is_fixed(version),
        is_draft=version is None or version.is_draft,
        is_assessed=filled.kind.is_assessed,
        is_competency=filled.kind is BadgeKind.COMPETENCY,
        kind_name=translated(KIND_NAMES[filled.kind]),
        answer=answer,
        lacks=[LackShown.of(lack) for lack in manuscript.lacks] if manuscript else [],
        preview=shown,
        trouble=translated(_UNREADABLE),
        **_choices_of(services, work, filled, step, manuscript),
    )


def _base(
    filled: BadgeForm, step: Step, manuscript: Manuscript | None, answer: Answer, shown: Preview | None
) -> str:
    """What untouched fields are compared with: a form that comes back keeps its first values, unless it now
    shows a conflict."""
    if manuscript is None:
        return ""
    if filled.base and answer.conflict is None:
        return json.dumps(filled.base)
    stored = BadgeForm.from_page(manuscript.page)
    return stored.written(step, alternative=shown.picture_words if shown else "")


def _choices_of(
    services: Services, work: AtWork, filled: BadgeForm, step: Step, manuscript: Manuscript | None
) -> dict[str, object]:
    """What the fields of one step choose from."""
    match step:
        case Step.CONTENT:
            kinds = [
                (kind.value, translated(KIND_NAMES[kind]), translated(KIND_HINTS[kind]), drawn_inline(mark))
                for kind, mark in services.badges.marks(work.campus).items()
            ]
            return {"kinds": kinds, "models": _models(services)}
        case Step.COMPETENCIES:
            return {
                "competencies": _by_framework(services, work, filled, manuscript),
                "ideas": _ideas(services, work, filled),
                "found": search_view(services, work, filled.sought),
                "frameworks": [(framework.value, name) for framework, name in FRAMEWORK_NAMES.items()],
            }
        case Step.AWARDING:
            return {
                "repeats": [(repeat.value, translated(REPEATS[repeat])) for repeat in Repeat],
                "validities": [
                    ("", translated("Sans date de fin")),
                    *((days, _years(int(days) // 365)) for days in USUAL_DAYS),
                    (OTHER, translated("Autre durée, en jours")),
                ],
                "rule": filled.rule,
                "rule_kinds": [(kind.value, translated(words)) for kind, words in ACTIVITY_KINDS.items()],
                "rule_competencies": _practised(services, work, manuscript),
            }
        case _:
            return {}


def _models(services: Services) -> list[tuple[str, list[BadgeModel]]]:
    """Of each kind."""
    return [
        (translated(name), [each for each in services.badges.models() if each.kind is kind])
        for kind, name in KIND_NAMES.items()
    ]


def _ideas(services: Services, work: AtWork, filled: BadgeForm) -> list[str]:
    """What badges of this kind usually attest, and no competency of the campus covers yet."""
    there = [competency.statement for competency, _ in services.competencies.list_of(work.campus)]
    ideas = [idea for model in services.badges.models() if model.kind is filled.kind for idea in model.ideas]
    return [idea for idea in ideas if not any(are_near(idea, statement) for statement in there)]


def _years(count: int) -> str:
    return translated_plural("Un an", "{n} ans", count).format(n=count)


@dataclass(frozen=True)
class CompetencyChoice:
    id: str
    words: str
    options: list[tuple[str, str]]


@dataclass(frozen=True)
class FrameworkChoices:
    name: str
    choices: list[CompetencyChoice]
    is_used: bool


def _practised(services: Services, work: AtWork, manuscript: Manuscript | None) -> list[tuple[str, str]]:
    return [
        ("", translated("Sans compétence précise")),
        *(
            (key, f"{competency.code} – {competency.statement}")
            for key, (competency, _) in _known(services, work, manuscript).items()
        ),
    ]


def _by_framework(
    services: Services, work: AtWork, filled: BadgeForm, manuscript: Manuscript | None
) -> list[FrameworkChoices]:
    """The competencies of each framework, with the possible choices."""
    found: dict[str, list[CompetencyChoice]] = {}
    for key, (competency, framework) in _known(services, work, manuscript).items():
        levels = [(str(number), level) for number, level in enumerate(competency.levels, 1)]
        options = [("", "–"), *(levels or [(NO_LEVEL, translated("Attestée"))])]
        choice = CompetencyChoice(key, f"{competency.code} – {competency.statement}", options)
        found.setdefault(framework.name, []).append(choice)
    return [
        FrameworkChoices(name, choices, len(found) == 1 or any(filled.levels.get(c.id) for c in choices))
        for name, choices in found.items()
    ]
