"""The badge editor: a form with a preview, drawn during typing or on request."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities.participant_lists import hours_in
from app.domain.badges.badges import MOST_DAYS, BadgeKind, Repeat, join_criteria, split_criteria
from app.domain.badges.rules import rule_of
from app.domain.campus.campus import MOST_LIVELY
from app.domain.frameworks import (
    FRAMEWORK_NAMES,
    MOST_ALIGNMENTS,
    Competency,
    Framework,
    PublicAlignment,
    public_alignment,
)
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import translated
from app.http.pages.words import ACTIVITY_KINDS, KIND_HINTS, KIND_NAMES, REPEATS, hours_text
from app.http.request_scope import ReadingServices, write_transaction
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.badges.badges import BadgePage, Manuscript, Wording, WrittenMeanwhile
from app.web.badges.badges import Preview, drawn_inline, preview_of
from app.web.badges.rules import RuleForm, named_in

LENGTHS = {"nom": 120, "description": 500, "criteres": 6000, "jugement": 1500, "alternative": 300, "sigle": 8}
USUAL_DAYS = ("365", "730", "1095", "1825")
OTHER = "autre"
NO_LEVEL = "0"
"""Attested without a level; an empty choice means that the badge does not attest the competency."""
_FIELDS = (
    "type", "nom", "description", "criteres", "jugement", "langue", "mots", "validite", "jours", "heures",
    "repetition", "demandes", "alternative", "couleurs", "teinte", "vivacite", "sigle",
)  # fmt: skip
_BEGINNING = {
    "type": BadgeKind.PARTICIPATION.value,
    "langue": "fr",
    "repetition": Repeat.ONCE.value,
    "couleurs": "campus",
    "teinte": "208",
    "vivacite": "9",
}


@dataclass(frozen=True)
class AlignmentRow:
    framework: str = ""
    code: str = ""
    name: str = ""
    error: str = ""

    @property
    def is_blank(self) -> bool:
        return not (self.code or self.name)


@dataclass
class BadgeForm:
    """Every field as typed; `errors` maps fields to problems, in the reader's language."""

    fields: dict[str, str] = field(
        default_factory=lambda: {name: _BEGINNING.get(name, "") for name in _FIELDS}
    )
    levels: dict[str, str] = field(default_factory=dict)
    """The choice for each competency, by its id."""
    rows: list[AlignmentRow] = field(default_factory=lambda: [AlignmentRow()])
    rule: RuleForm = field(default_factory=RuleForm)
    errors: dict[str, str] = field(default_factory=dict)
    seen: str = ""
    """The badge state that the form was based on (optimistic lock); empty for a new one."""

    @staticmethod
    def of(form: FormData) -> BadgeForm:
        numbers = sorted({int(name[5:]) for name in form if re.fullmatch(r"code-\d{1,2}", name)})
        rows = [
            AlignmentRow(*(text_of(form, f"{name}-{number}") for name in ("ref", "code", "intitule")))
            for number in numbers[:MOST_ALIGNMENTS]
        ]
        return BadgeForm(
            {name: text_of(form, name) for name in _FIELDS},
            {name[7:]: text_of(form, name) for name in form if name.startswith("niveau-")},
            rows or [AlignmentRow()],
            RuleForm.of(form),
            seen=text_of(form, "etat"),
        )

    @staticmethod
    def from_page(page: BadgePage) -> BadgeForm:
        """The form of an existing badge."""
        version, badge = page.version, page.badge
        criteria, judging = split_criteria(version.criteria)
        days = str(version.validity_days or "")
        own_colours = version.hue is not None or version.liveliness is not None
        filled = BadgeForm()
        filled.fields |= {
            "type": version.kind.value,
            "nom": version.name,
            "description": version.description,
            "criteres": criteria,
            "jugement": judging,
            "langue": version.language,
            "mots": ", ".join(version.tags),
            "validite": days if days in ("", *USUAL_DAYS) else OTHER,
            "jours": "" if days in ("", *USUAL_DAYS) else days,
            "heures": hours_text(version.required_hours),
            "repetition": badge.repeat.value,
            "demandes": "oui" if badge.accepts_requests else "",
            "alternative": version.alternative,
            "couleurs": "propres" if own_colours else "campus",
            "sigle": version.emblem,
        }
        if own_colours:
            filled.fields["teinte"] = f"{version.hue or 0:g}"
            filled.fields["vivacite"] = f"{round((version.liveliness or 0) * 100)}"
        filled.levels = {str(link.competency_id): str(link.level or 0) for link, _, _ in page.competencies}
        filled.rows = [
            AlignmentRow(each["framework"], each["code"], each["name"]) for each in version.alignments
        ] or [AlignmentRow()]
        filled.rule = RuleForm.from_rule(rule_of(version.rule))
        return filled

    @property
    def kind(self) -> BadgeKind:
        known = {kind.value: kind for kind in BadgeKind}
        return known.get(self.fields["type"], BadgeKind.PARTICIPATION)

    @property
    def repeat(self) -> Repeat:
        known = {repeat.value: repeat for repeat in Repeat}
        return known.get(self.fields["repetition"], Repeat.ONCE)

    @property
    def accepts_requests(self) -> bool:
        return bool(self.fields["demandes"])

    def add_row(self) -> None:
        if len(self.rows) < MOST_ALIGNMENTS:
            self.rows.append(AlignmentRow())

    def wording(self, known: Mapping[str, tuple[Competency, Framework]]) -> Wording:
        """The wording as typed; raises InvalidInput, with the problem in `errors`, when a field cannot be
        parsed.

        Fields that do not apply to the kind are ignored, even when filled in.
        """
        for name, most in LENGTHS.items():
            if len(self.fields[name]) > most:
                self.errors[name] = translated(N_("{most} signes au plus.")).format(most=most)
        hours, days, (hue, liveliness) = self._hours(), self._days(), self._colours()
        alignments, rule = self._alignments(), self.rule.rule(known)
        self.errors |= self.rule.errors
        if self.errors:
            raise InvalidInput(N_("Un champ est à corriger."))
        return Wording(
            kind=self.kind,
            name=self.fields["nom"],
            description=self.fields["description"],
            criteria=join_criteria(
                self.fields["criteres"],
                self.fields["jugement"] if self.kind.is_judged else "",
                self._language,
            ),
            language=self._language,
            tags=[tag.strip()[:60] for tag in self.fields["mots"].split(",") if tag.strip()][:20],
            validity_days=days,
            required_hours=hours if self.kind is not BadgeKind.BELONGING else None,
            competencies=self._competencies(known) if self.kind.is_judged else [],
            alignments=alignments,
            alternative=" ".join(self.fields["alternative"].split()),
            hue=hue,
            liveliness=liveliness,
            emblem=self.fields["sigle"],
            rule=rule,
        )

    @property
    def _language(self) -> str:
        return self.fields["langue"] if re.fullmatch(r"[a-z]{2,3}", self.fields["langue"]) else "fr"

    def _hours(self) -> float | None:
        hours, fault = hours_in(self.fields["heures"])
        if fault:
            self.errors["heures"] = translated(
                N_("Le nombre d’heures n’est pas lisible : écrivez 14 ou 14,5.")
            )
        elif hours is not None and not 0 < hours <= 10_000:
            self.errors["heures"] = translated(N_("Le nombre d’heures est compris entre 0 et 10 000."))
        return hours

    def _days(self) -> int | None:
        written = self.fields["jours"] if self.fields["validite"] == OTHER else self.fields["validite"]
        if not written:
            if self.fields["validite"] == OTHER:
                self.errors["jours"] = translated(N_("Écrivez le nombre de jours."))
            return None
        if not (
            written.isascii() and written.isdigit() and len(written) < 7 and 0 < int(written) <= MOST_DAYS
        ):
            self.errors["jours"] = translated(N_("La durée de validité se compte en jours, à partir de 1."))
            return None
        return int(written)

    def _colours(self) -> tuple[float | None, float | None]:
        if self.fields["couleurs"] != "propres":
            return None, None
        hue, liveliness = (_whole(self.fields[name]) for name in ("teinte", "vivacite"))
        if hue is None or hue >= 360:
            self.errors["teinte"] = translated(N_("La teinte est un angle, de 0 à 359."))
        if liveliness is None or liveliness > MOST_LIVELY * 100:
            self.errors["vivacite"] = translated(N_("La vivacité va de 0 à 14."))
        if self.errors:
            return None, None
        return float(hue or 0), (liveliness or 0) / 100

    def _competencies(
        self, known: Mapping[str, tuple[Competency, Framework]]
    ) -> list[tuple[uuid.UUID, int | None]]:
        """In the order of the frameworks, so that the same choices always give the same wording."""
        found: list[tuple[uuid.UUID, int | None]] = []
        for key, (competency, _) in known.items():
            level = _whole(self.levels.get(key, ""))
            if level is not None and level <= len(competency.levels):
                found.append((competency.id, level or None))
        return found

    def _alignments(self) -> list[PublicAlignment]:
        found: list[PublicAlignment] = []
        read: list[AlignmentRow] = []
        for row in self.rows:
            try:
                if not row.is_blank:
                    found.append(public_alignment(row.framework, row.code, row.name))
                read.append(row)
            except InvalidInput as error:
                read.append(AlignmentRow(row.framework, row.code, row.name, sentence_of(error)))
                self.errors.setdefault(f"code-{len(read) - 1}", sentence_of(error))
        self.rows = read
        return list({(each.framework, each.code): each for each in found}.values())


def _whole(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,3}", text) else None


def known_by_id(
    competencies: Sequence[tuple[Competency, Framework]], kept: Collection[uuid.UUID] = ()
) -> dict[str, tuple[Competency, Framework]]:
    """The competencies a form may name: those in use, and those already in the badge."""
    return {
        str(competency.id): (competency, framework)
        for competency, framework in competencies
        if competency.archived_at is None or competency.id in kept
    }


router = APIRouter(prefix="/gestion/{slug}/badges")
_DESIGN = [staff(Permission.DESIGN)]
EditorState = dict[str, tuple[Competency, Framework]]
_NOT_OPENED = "ferme"
_UNREADABLE = N_("L’aperçu attend : un champ est à corriger.")


@dataclass(frozen=True)
class Answer:
    """Result of the form: saved, saved but not opened as requested, refused, edit conflict, or preview
    only."""

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
        with write_transaction(request) as writing:
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
    """The preview alone, for the script that requests it during typing; nothing is stored."""
    work, filled = at_work(request), BadgeForm.of(form)
    return page(
        request,
        "badges/preview.html",
        private=True,
        preview=_preview(services, work, filled, text_of(form, "badge")),
        trouble=translated(_UNREADABLE),
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
        with write_transaction(request) as writing:
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
        # Sent again after an edit conflict, the typed version replaces the current one: its author has seen
        # the conflict.
        filled.seen = services.badges.state(manuscript.page)
        return _editor(request, services, work, filled, manuscript, Answer(overtaken=True))
    except (InvalidInput, Conflict) as error:
        return _refused(request, services, work, filled, error, manuscript)
    here = f"{work.home}/badges/{badge_id}"
    return (
        _opened(request, work, badge_id, here) if gesture == "ouvrir" else _see(f"{here}/modifier?garde=oui")
    )


def _opened(request: Request, work: AtWork, badge_id: uuid.UUID, here: str) -> Response:
    """Saves the typed version whether or not the badge may be opened; its page lists what is missing."""
    try:
        with write_transaction(request) as writing:
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
    """The same form with one more line, or with its preview; nothing is stored."""
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


def _known(services: Services, work: AtWork, manuscript: Manuscript | None = None) -> EditorState:
    kept = set()
    if manuscript:
        kept = {link.competency_id for link, _, _ in manuscript.page.competencies}
        kept |= named_in(rule_of(manuscript.page.version.rule))
    return known_by_id(services.competencies.list_of(work.campus), kept)


def _preview(services: Services, work: AtWork, filled: BadgeForm, besides: str) -> Preview | None:
    """None where a field cannot be parsed: the form shows which."""
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
        trouble=translated(_UNREADABLE),
        kinds=[
            (kind.value, translated(KIND_NAMES[kind]), translated(KIND_HINTS[kind]), drawn_inline(mark))
            for kind, mark in services.badges.marks(work.campus).items()
        ],
        repeats=[(repeat.value, translated(REPEATS[repeat])) for repeat in Repeat],
        validities=[
            ("", translated(N_("Sans date de fin"))),
            *((days, _years(int(days) // 365)) for days in USUAL_DAYS),
            (OTHER, translated(N_("Autre durée, en jours"))),
        ],
        competencies=_choices(services, work, manuscript),
        rule=filled.rule,
        rule_kinds=[(kind.value, translated(words)) for kind, words in ACTIVITY_KINDS.items()],
        rule_competencies=_practised(services, work, manuscript),
        frameworks=[(framework.value, name) for framework, name in FRAMEWORK_NAMES.items()],
    )


def _years(count: int) -> str:
    return translated(N_("Un an")) if count == 1 else translated(N_("{n} ans")).format(n=count)


@dataclass(frozen=True)
class CompetencyChoice:
    id: str
    words: str
    options: list[tuple[str, str]]


def _practised(services: Services, work: AtWork, manuscript: Manuscript | None) -> list[tuple[str, str]]:
    return [
        ("", translated(N_("Sans compétence précise"))),
        *(
            (key, f"{competency.code} – {competency.statement}")
            for key, (competency, _) in _known(services, work, manuscript).items()
        ),
    ]


def _choices(
    services: Services, work: AtWork, manuscript: Manuscript | None
) -> list[tuple[str, list[CompetencyChoice]]]:
    """The competencies of each framework, with the possible choices."""
    by_framework: dict[str, list[CompetencyChoice]] = {}
    for key, (competency, framework) in _known(services, work, manuscript).items():
        levels = [(str(number), level) for number, level in enumerate(competency.levels, 1)]
        options = [("", "–"), *(levels or [(NO_LEVEL, translated(N_("Attestée")))])]
        choice = CompetencyChoice(key, f"{competency.code} – {competency.statement}", options)
        by_framework.setdefault(framework.name, []).append(choice)
    return list(by_framework.items())
