"""The badge editor: a form whose preview is drawn while one types, or at the press of a button."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.badges.badges import Repeat
from app.domain.badges.rules import rule_of
from app.domain.frameworks.alignments import FRAMEWORK_NAMES
from app.domain.frameworks.competencies import Competency, Framework
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import ACTIVITY_KINDS, KIND_HINTS, KIND_NAMES, REPEATS
from app.http.request_scope import ReadingServices, deed
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.badges.badges import Manuscript, WrittenMeanwhile
from app.web.badges.form import NO_LEVEL, OTHER, USUAL_DAYS, BadgeForm, known_by_id
from app.web.badges.preview import Preview, drawn_inline, preview_of
from app.web.badges.rule_form import named_in

router = APIRouter(prefix="/gestion/{slug}/badges")
_DESIGN = [staff(Deed.DESIGN)]
Known = dict[str, tuple[Competency, Framework]]
_NOT_OPENED = "ferme"
_UNREADABLE = N_("L’aperçu attend : un champ est à corriger.")


@dataclass(frozen=True)
class Answer:
    """How the form came back: saved, saved but not opened as was asked, refused, overtaken, or only looked at."""

    saved: bool = False
    unopened: bool = False
    refused: bool = False
    overtaken: bool = False


@router.get("/nouveau", dependencies=_DESIGN)
def new_badge(request: Request, services: ReadingServices) -> HTMLResponse:
    return _editor(request, services, at_work(request), BadgeForm())


@router.post("/nouveau", dependencies=_DESIGN)
def create_badge(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, filled, gesture = at_work(request), BadgeForm.of(form), text_of(form, "geste")
    if gesture in ("apercu", "ligne", "condition"):
        return _looked_at(request, services, work, filled, gesture)
    try:
        wording = filled.wording(_known(services, work))
        with deed(request) as writing:
            made = writing.badges.create(
                work.campus,
                wording,
                repeat=filled.repeat,
                accepts_requests=filled.accepts_requests,
                draft=True,
                by=work.actor,
            )
    except InvalidInput as error:
        return _refused(request, services, work, filled, error)
    here = f"{work.home}/badges/{made.badge.id}"
    return (
        _opened(request, work, made.badge.id, here)
        if gesture == "ouvrir"
        else _see(f"{here}/modifier?garde=oui")
    )


@router.post("/apercu", dependencies=_DESIGN)
def preview(request: Request, form: SafeForm, services: ReadingServices) -> HTMLResponse:
    """The preview alone, for the script that asks while somebody types; nothing is kept."""
    work, filled = at_work(request), BadgeForm.of(form)
    return page(
        request,
        "badges/preview.html",
        private=True,
        preview=_preview(services, work, filled, text_of(form, "badge")),
        trouble=say(_UNREADABLE),
    )


@router.get("/{badge_id:uuid}/modifier", dependencies=_DESIGN)
def edit_badge(
    badge_id: uuid.UUID, request: Request, services: ReadingServices, garde: str = ""
) -> HTMLResponse:
    work = at_work(request)
    manuscript = services.badges.manuscript(work.campus, badge_id)
    filled = BadgeForm.from_page(manuscript.page)
    filled.seen = services.badges.state(manuscript.page)
    answer = Answer(saved=bool(garde), unopened=garde == _NOT_OPENED)
    return _editor(request, services, work, filled, manuscript, answer)


@router.post("/{badge_id:uuid}/modifier", dependencies=_DESIGN)
def save_badge(badge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, filled, gesture = at_work(request), BadgeForm.of(form), text_of(form, "geste")
    manuscript = services.badges.manuscript(work.campus, badge_id)
    if gesture in ("apercu", "ligne", "condition"):
        return _looked_at(request, services, work, filled, gesture, manuscript)
    try:
        wording = filled.wording(_known(services, work, manuscript))
        with deed(request) as writing:
            writing.badges.rewrite(
                work.campus,
                badge_id,
                wording,
                repeat=filled.repeat,
                accepts_requests=filled.accepts_requests,
                by=work.actor,
                seen=filled.seen,
            )
    except WrittenMeanwhile:
        # Sent again, what was typed takes the place of what is there now: by then its writer knows.
        filled.seen = services.badges.state(manuscript.page)
        return _editor(request, services, work, filled, manuscript, Answer(overtaken=True))
    except (InvalidInput, Conflict) as error:
        return _refused(request, services, work, filled, error, manuscript)
    here = f"{work.home}/badges/{badge_id}"
    return (
        _opened(request, work, badge_id, here) if gesture == "ouvrir" else _see(f"{here}/modifier?garde=oui")
    )


def _opened(request: Request, work: AtWork, badge_id: uuid.UUID, here: str) -> Response:
    """What was typed is kept whether or not the badge may be opened; its page says what is missing."""
    try:
        with deed(request) as writing:
            writing.badges.open(work.campus, badge_id, by=work.actor)
    except InvalidInput:
        return _see(f"{here}/modifier?garde={_NOT_OPENED}")
    return _see(here)


def _see(address: str) -> Response:
    return RedirectResponse(address, status_code=303)


def _looked_at(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    gesture: str,
    manuscript: Manuscript | None = None,
) -> HTMLResponse:
    """The same form again: with one more line, or with its preview; nothing is kept."""
    if gesture == "ligne":
        filled.add_row()
    if gesture == "condition":
        filled.rule.add_row()
    return _editor(request, services, work, filled, manuscript)


def _refused(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    error: InvalidInput | Conflict,
    manuscript: Manuscript | None = None,
) -> HTMLResponse:
    if not filled.errors:
        filled.errors["nom"] = sentence_of(error)
    return _editor(request, services, work, filled, manuscript, Answer(refused=True))


def _known(services: Services, work: AtWork, manuscript: Manuscript | None = None) -> Known:
    kept = set()
    if manuscript:
        kept = {link.competency_id for link, _, _ in manuscript.page.competencies}
        kept |= named_in(rule_of(manuscript.page.version.rule))
    return known_by_id(services.competencies.list_of(work.campus), kept)


def _preview(services: Services, work: AtWork, filled: BadgeForm, besides: str) -> Preview | None:
    """None where a field cannot be read: the form says which."""
    try:
        return preview_of(services, work.campus, filled.wording(_known(services, work)), besides=besides)
    except InvalidInput:
        return None


def _editor(
    request: Request,
    services: Services,
    work: AtWork,
    filled: BadgeForm,
    manuscript: Manuscript | None = None,
    answer: Answer | None = None,
) -> HTMLResponse:
    answer = answer or Answer()
    version = manuscript.page.version if manuscript else None
    besides = str(manuscript.page.badge.id) if manuscript else ""
    shown = _preview(services, work, filled, besides)
    return page(
        request,
        "badges/edit.html",
        campus=work.look,
        private=True,
        status=409 if answer.overtaken else 422 if answer.refused else 200,
        home=work.home,
        form=filled,
        badge_id=besides,
        number=version.number if version else 1,
        is_frozen=version is not None and version.frozen_at is not None,
        is_draft=version is None or version.is_draft,
        saved=answer.saved,
        unopened=answer.unopened,
        overtaken=answer.overtaken,
        lacks=[lack.sentence for lack in manuscript.lacks] if manuscript else [],
        refused=answer.refused,
        preview=shown,
        trouble=say(_UNREADABLE),
        kinds=[
            (kind.value, say(KIND_NAMES[kind]), say(KIND_HINTS[kind]), drawn_inline(mark))
            for kind, mark in services.badges.marks(work.campus).items()
        ],
        repeats=[(repeat.value, say(REPEATS[repeat])) for repeat in Repeat],
        validities=[
            ("", say(N_("Sans date de fin"))),
            *((days, _years(int(days) // 365)) for days in USUAL_DAYS),
            (OTHER, say(N_("Autre durée, en jours"))),
        ],
        competencies=_choices(services, work, manuscript),
        rule=filled.rule,
        rule_kinds=[(kind.value, say(words)) for kind, words in ACTIVITY_KINDS.items()],
        rule_competencies=_practised(services, work, manuscript),
        frameworks=[(framework.value, name) for framework, name in FRAMEWORK_NAMES.items()],
    )


def _years(count: int) -> str:
    return say(N_("Un an")) if count == 1 else say(N_("{n} ans")).format(n=count)


@dataclass(frozen=True)
class CompetencyChoice:
    id: str
    words: str
    options: list[tuple[str, str]]


def _practised(services: Services, work: AtWork, manuscript: Manuscript | None) -> list[tuple[str, str]]:
    return [
        ("", say(N_("Sans compétence précise"))),
        *(
            (key, f"{competency.code} – {competency.statement}")
            for key, (competency, _) in _known(services, work, manuscript).items()
        ),
    ]


def _choices(
    services: Services, work: AtWork, manuscript: Manuscript | None
) -> list[tuple[str, list[CompetencyChoice]]]:
    """The competencies of each framework, with what a badge may say of each."""
    by_framework: dict[str, list[CompetencyChoice]] = {}
    for key, (competency, framework) in _known(services, work, manuscript).items():
        levels = [(str(number), level) for number, level in enumerate(competency.levels, 1)]
        options = [("", "–"), *(levels or [(NO_LEVEL, say(N_("Attestée")))])]
        choice = CompetencyChoice(key, f"{competency.code} – {competency.statement}", options)
        by_framework.setdefault(framework.name, []).append(choice)
    return list(by_framework.items())
