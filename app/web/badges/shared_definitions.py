"""Definitions of a network: public pages, and what its administrators share, improve and answer."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.badges import BadgeKind, Part, Step
from app.domain.badges.shared_definitions import Noun, ProposalState, Values, check_reason
from app.domain.campus.campus import Network
from app.domain.core import mark_of
from app.domain.frameworks import FRAMEWORK_NAMES, Competency, Framework, competency_faults
from app.errors import AppError, InvalidInput, NotFound, faults_of_fields
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of, texts_of
from app.http.pages.previews import preview
from app.http.pages.render import page
from app.http.pages.words import KIND_HINTS, KIND_NAMES, StateLabel, day
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    public,
    sentence_of,
    status_for,
    write_transaction,
)
from app.http.workplaces import NETWORK_ADMINISTRATOR, AtNetwork, at_network
from app.language import N_, translated
from app.services.badges import Wording
from app.services.badges.shared_definitions import Definition, DefinitionLine
from app.services.badges.wording import wording_in
from app.web.badges import DifferenceShown, shown_difference, validity_words
from app.web.badges.adoptions import PROPOSAL_STATES, definition_lines, kind_of, part_views, parts_in
from app.web.badges.editor_form import NO_LEVEL, OTHER, USUAL_DAYS, BadgeForm

public_router = APIRouter(prefix="/reseau/{slug}/definitions")
router = APIRouter(prefix="/reseau/{slug}/gestion", dependencies=[CROSS_TENANT])
_ADMIN = [NETWORK_ADMINISTRATOR]
_POST = [NETWORK_ADMINISTRATOR, CHECKED_FORM]
_STATES = PROPOSAL_STATES | {ProposalState.WAITING: StateLabel("À vous de répondre", "past")}
"""As the network reads them."""
_DONE = {
    "partage": N_("La définition est partagée : les campus du réseau peuvent l’adopter."),
    "ameliore": N_("La nouvelle version est proposée aux campus qui ont adopté la définition."),
    "identique": N_("Rien n’a changé : aucune version n’est ajoutée."),
    "retire": N_("La définition n’est plus proposée. Les campus qui l’ont adoptée la gardent."),
    "repond": N_("La réponse est envoyée au campus."),
}


@dataclass(frozen=True)
class DefinitionCard:
    href: str
    title: str
    kind: str
    number: int
    adopters: int
    is_withdrawn: bool

    @staticmethod
    def of(line: DefinitionLine, href: str) -> DefinitionCard:
        title = f"{line.code} – {line.title}" if line.code else line.title
        return DefinitionCard(href, title, kind_of(line), line.number, line.adopters, line.is_withdrawn)


@dataclass(frozen=True)
class VersionView:
    number: int
    when: str
    reason: str
    differences: Sequence[DifferenceShown]


@dataclass(frozen=True)
class AdopterView:
    """`href`: the campus's own public page; empty while it has published nothing of it."""

    name: str
    since: str
    href: str
    number: int = 0


def versions_of(services: Services, found: Definition) -> list[VersionView]:
    """The newest first, each with what it changed."""
    views = []
    for before, version in zip([None, *found.versions], found.versions, strict=False):
        changes = services.shared_definitions.between(found, before.values, version.values) if before else []
        views.append(
            VersionView(
                version.number,
                day(version.published_at),
                version.reason,
                [shown_difference(each) for each in changes],
            )
        )
    return views[::-1]


def adopters_of(services: Services, definition_id: uuid.UUID, *, everyone: bool = False) -> list[AdopterView]:
    """Campuses that publish their own; `everyone`: also the others."""
    return [
        AdopterView(campus.name, day(adoption.adopted_at), href, adoption.number)
        for adoption, campus, href in services.shared_definitions.adopters(definition_id)
        if href or everyone
    ]


# --- for everyone


@public_router.get("")
@public
def show_definitions(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    network = services.register.network(slug)
    lines = [each for each in services.shared_definitions.lines([network]) if not each.is_withdrawn]
    here = f"/reseau/{network.slug}/definitions"
    cards = [(each.noun, DefinitionCard.of(each, f"{here}/{each.id}")) for each in lines]
    return page(
        request,
        "badges/shared/network.html",
        network=network,
        badges=[card for noun, card in cards if noun is Noun.BADGE],
        competencies=[card for noun, card in cards if noun is Noun.COMPETENCY],
        link_preview=preview(
            services,
            here,
            network.name,
            translated("Les définitions partagées par ce réseau."),
            network=network,
        ),
    )


@public_router.get("/{definition_id:uuid}")
@public
def show_definition(
    slug: str, definition_id: uuid.UUID, request: Request, services: ReadingServices
) -> HTMLResponse:
    network = services.register.network(slug)
    return page(
        request,
        "badges/shared/public.html",
        **definition_shown(services, network, definition_id),
        link_preview=preview(
            services,
            f"/reseau/{network.slug}/definitions/{definition_id}",
            services.shared_definitions.definition(definition_id).title,
            network.name,
            network=network,
        ),
    )


def definition_shown(services: Services, network: Network, definition_id: uuid.UUID) -> dict[str, Any]:
    """The values of `badges/shared/public.html`."""
    found = services.shared_definitions.in_network(network, definition_id)
    return {
        "network": network,
        "d": found,
        "is_badge": found.noun is Noun.BADGE,
        "kind": translated(KIND_NAMES[BadgeKind(found.newest.values[Part.KIND.value])])
        if found.noun is Noun.BADGE
        else "",
        "lines": definition_lines(services, definition_id),
        "versions": versions_of(services, found),
        "adopters": adopters_of(services, definition_id),
    }


# --- for administrators of the network


@router.get("", dependencies=_ADMIN)
def manage_definitions(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    work = at_network(request)
    cards = [
        (each.noun, DefinitionCard.of(each, _edit_href(work, each.noun, each.id)))
        for each in services.shared_definitions.lines([work.network])
    ]
    return page(
        request,
        "badges/shared/manage.html",
        private=True,
        network=work.network,
        home=work.home,
        done=translated(_DONE[fait]) if fait in _DONE else "",
        badges=[card for noun, card in cards if noun is Noun.BADGE],
        competencies=[card for noun, card in cards if noun is Noun.COMPETENCY],
        proposals=[
            (f"{work.home}/propositions/{proposal.id}", title, campus.name, proposal.reason,
             _STATES[proposal.state], day(proposal.proposed_at))
            for proposal, campus, title in services.shared_definitions.proposals(work.network)
        ],
        people=services.network_team.members(work.network),
    )  # fmt: skip


def _edit_href(work: AtNetwork, noun: Noun, definition_id: uuid.UUID) -> str:
    return f"{work.home}/{'badges' if noun is Noun.BADGE else 'competences'}/{definition_id}"


def _back(work: AtNetwork, done: str) -> RedirectResponse:
    return RedirectResponse(f"{work.home}?fait={done}", status_code=303)


@router.get("/badges/nouveau", dependencies=_ADMIN)
def new_badge(request: Request, services: ReadingServices) -> HTMLResponse:
    return _badge_page(request, services, BadgeForm())


@router.get("/badges/{definition_id:uuid}", dependencies=_ADMIN)
def edit_badge(definition_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found = _of_noun(services, at_network(request), definition_id, Noun.BADGE)
    return _badge_page(request, services, _filled(found), found)


def _of_noun(services: Services, work: AtNetwork, definition_id: uuid.UUID, noun: Noun) -> Definition:
    found = services.shared_definitions.in_network(work.network, definition_id)
    if found.noun is not noun:
        raise NotFound("Cette définition n’existe pas.")
    return found


def _filled(found: Definition) -> BadgeForm:
    values = found.newest.values
    filled = BadgeForm.of(wording_in(values), BadgeForm().repeat, accepts_requests=False)
    filled.levels = {each["id"]: str(each["level"] or NO_LEVEL) for each in values[Part.COMPETENCIES.value]}
    return filled


@router.post("/badges/nouveau", dependencies=_ADMIN)
def share_badge(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, filled = at_network(request), _typed(BadgeForm(), form)
    if text_of(form, "geste") == "ligne":
        filled.add_row()
        return _badge_page(request, services, filled)
    wording = _wording(services, work, filled)
    if wording is None:
        return _badge_page(request, services, filled)
    with write_transaction(request) as writing:
        writing.shared_definitions.share_badge(work.network, wording, by=work.actor)
    return _back(work, "partage")


@router.post("/badges/{definition_id:uuid}", dependencies=_ADMIN)
def improve_badge(
    definition_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, reason = at_network(request), text_of(form, "raison")
    found = _of_noun(services, work, definition_id, Noun.BADGE)
    filled = _typed(_filled(found), form)
    if text_of(form, "geste") == "ligne":
        filled.add_row()
        return _badge_page(request, services, filled, found, reason=reason)
    wording = _wording(services, work, filled)
    if wording is None:
        faults = faults_of_fields({"raison": lambda: check_reason(reason)})
        filled.errors |= {name: sentence_of(error) for name, error in faults.items()}
        return _badge_page(request, services, filled, found, reason=reason)
    try:
        with write_transaction(request) as writing:
            written = writing.shared_definitions.improve_badge(
                work.network, definition_id, wording, reason, seen=_seen(form), by=work.actor
            )
            number = written.newest.number
    except InvalidInput as error:
        # The wording is whole: what is left is the sentence that a change needs.
        filled.errors["raison"] = sentence_of(error)
        return _badge_page(request, services, filled, found, reason=reason)
    except AppError as error:
        return _badge_page(request, services, filled, found, trouble=sentence_of(error), reason=reason)
    return _back(work, "ameliore" if number > found.newest.number else "identique")


def _wording(services: Services, work: AtNetwork, filled: BadgeForm) -> Wording | None:
    """None where a part of it is wrong or missing: `filled` has the sentences, by field."""
    try:
        wording = filled.wording(services.shared_definitions.known_competencies(work.network))
        lacks = services.shared_definitions.lacks(wording)
    except InvalidInput as error:
        filled.errors = filled.errors or {"nom": sentence_of(error)}
        return None
    filled.errors |= {lack.field: translated(lack.sentence) for lack in lacks}
    return None if lacks else wording


def _seen(form: FormData) -> int:
    typed = text_of(form, "version")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 7 else 0


def _typed(filled: BadgeForm, form: FormData) -> BadgeForm:
    """The steps of the editor that a network shares, on one page. Length is checked for the last one taken."""
    for step in (Step.COMPETENCIES, Step.AWARDING, Step.CONTENT):
        filled.take(step, form)
    filled.fields["repetition"] = BadgeForm().fields["repetition"]
    return filled


@dataclass(frozen=True)
class CompetencyChoice:
    id: str
    words: str
    options: Sequence[tuple[str, str]]


def _choices(known: Mapping[str, tuple[Competency, Framework]]) -> list[CompetencyChoice]:
    return [
        CompetencyChoice(
            key,
            f"{item.code} – {item.statement}",
            [
                ("", "–"),
                *(
                    [(str(number), level) for number, level in enumerate(item.levels, 1)]
                    or [(NO_LEVEL, translated("Attestée"))]
                ),
            ],
        )
        for key, (item, _) in known.items()
    ]


def _badge_page(
    request: Request,
    services: Services,
    filled: BadgeForm,
    found: Definition | None = None,
    *,
    trouble: str = "",
    reason: str = "",
) -> HTMLResponse:
    work = at_network(request)
    if filled.errors:
        trouble = ""
    return page(
        request,
        "badges/shared/badge_form.html",
        private=True,
        status=status_for(trouble, filled.errors),
        network=work.network,
        home=work.home,
        form=filled,
        trouble=trouble,
        reason=reason,
        d=found,
        kinds=[
            (kind.value, translated(words), translated(KIND_HINTS[kind]))
            for kind, words in KIND_NAMES.items()
        ],
        competencies=_choices(services.shared_definitions.known_competencies(work.network)),
        frameworks=[(framework.value, name) for framework, name in FRAMEWORK_NAMES.items()],
        validities=[
            ("", translated("Sans date de fin")),
            *((days, validity_words(int(days))) for days in USUAL_DAYS),
            (OTHER, translated("Autre durée, en jours")),
        ],
        adopters=adopters_of(services, found.id, everyone=True) if found else [],
        versions=versions_of(services, found) if found else [],
    )


@dataclass(frozen=True)
class CompetencyForm:
    code: str = ""
    statement: str = ""
    levels: str = ""
    rubric: str = ""
    description: str = ""
    others: str = ""

    @staticmethod
    def of(form: FormData, code: str = "") -> CompetencyForm:
        return CompetencyForm(
            code or text_of(form, "code"),
            text_of(form, "enonce"),
            text_of(form, "niveaux"),
            text_of(form, "reperes"),
            text_of(form, "description"),
            text_of(form, "synonymes"),
        )

    @staticmethod
    def filled(found: Definition) -> CompetencyForm:
        values = found.newest.values
        return CompetencyForm(
            found.code,
            values[Part.STATEMENT.value],
            "\n".join(values[Part.LEVELS.value]),
            "\n".join(values[Part.RUBRIC.value]),
            values[Part.DESCRIPTION.value],
            "\n".join(values[Part.OTHER_LABELS.value]),
        )

    @property
    def values(self) -> Values:
        def lines(text: str) -> list[str]:
            return [line.strip() for line in text.splitlines() if line.strip()]

        return {
            Part.STATEMENT.value: " ".join(self.statement.split()),
            Part.DESCRIPTION.value: self.description,
            Part.LEVELS.value: lines(self.levels),
            Part.RUBRIC.value: lines(self.rubric),
            Part.OTHER_LABELS.value: lines(self.others)[:20],
        }

    def faults(self) -> dict[str, str]:
        """By field."""
        values = self.values
        competency = Competency(
            framework_id=uuid.UUID(int=0),
            code=self.code,
            statement=values[Part.STATEMENT.value],
            levels=values[Part.LEVELS.value],
            rubric=values[Part.RUBRIC.value],
            description=self.description,
        )
        names = {"code": "code", "statement": "enonce", "levels": "niveaux", "rubric": "reperes"}
        found = competency_faults(competency)
        return {names.get(name, name): sentence_of(fault) for name, fault in found.items()}


@router.get("/competences/nouvelle", dependencies=_ADMIN)
def new_competency(request: Request, services: ReadingServices) -> HTMLResponse:
    return _competency_page(request, services, CompetencyForm())


@router.post("/competences/nouvelle", dependencies=_ADMIN)
def share_competency(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, typed = at_network(request), CompetencyForm.of(form)
    if errors := typed.faults():
        return _competency_page(request, services, typed, errors=errors)
    try:
        with write_transaction(request) as writing:
            writing.shared_definitions.save_competency(
                work.network, typed.values, code=typed.code, by=work.actor
            )
    except AppError as error:
        return _competency_page(request, services, typed, trouble=sentence_of(error))
    return _back(work, "partage")


@router.get("/competences/{definition_id:uuid}", dependencies=_ADMIN)
def edit_competency(definition_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    found = _of_noun(services, at_network(request), definition_id, Noun.COMPETENCY)
    return _competency_page(request, services, CompetencyForm.filled(found), found)


@router.post("/competences/{definition_id:uuid}", dependencies=_ADMIN)
def improve_competency(
    definition_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_network(request)
    found = _of_noun(services, work, definition_id, Noun.COMPETENCY)
    typed = CompetencyForm.of(form, found.code)
    if errors := typed.faults():
        return _competency_page(request, services, typed, found, errors=errors)
    try:
        with write_transaction(request) as writing:
            writing.shared_definitions.save_competency(
                work.network, typed.values, definition_id=definition_id, seen=_seen(form), by=work.actor
            )
            number = writing.shared_definitions.definition(definition_id).newest.number
    except AppError as error:
        return _competency_page(request, services, typed, found, trouble=sentence_of(error))
    return _back(work, "ameliore" if number > found.newest.number else "identique")


def _competency_page(
    request: Request,
    services: Services,
    typed: CompetencyForm,
    found: Definition | None = None,
    *,
    trouble: str = "",
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    work = at_network(request)
    return page(
        request,
        "badges/shared/competency_form.html",
        status=status_for(trouble, errors),
        errors=errors,
        private=True,
        network=work.network,
        home=work.home,
        form=typed,
        trouble=trouble,
        d=found,
        adopters=adopters_of(services, found.id, everyone=True) if found else [],
        versions=versions_of(services, found) if found else [],
    )


@router.post("/{definition_id:uuid}/retirer", dependencies=_POST)
def withdraw_definition(definition_id: uuid.UUID, request: Request) -> Response:
    work = at_network(request)
    with write_transaction(request) as writing:
        writing.shared_definitions.withdraw(work.network, definition_id, by=work.actor)
    return _back(work, "retire")


@router.post("/{definition_id:uuid}/reprendre", dependencies=_POST)
def share_definition_again(definition_id: uuid.UUID, request: Request) -> Response:
    work = at_network(request)
    with write_transaction(request) as writing:
        writing.shared_definitions.share_again(work.network, definition_id, by=work.actor)
    return _back(work, "partage")


@router.get("/propositions/{proposal_id:uuid}", dependencies=_ADMIN)
def show_proposal(proposal_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _proposal_page(request, services, proposal_id)


@router.post("/propositions/{proposal_id:uuid}", dependencies=_ADMIN)
def answer_proposal(
    proposal_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """« tout » takes what was shown, « choix » the ticked fields, « refuser » none."""
    work, gesture, answer = at_network(request), text_of(form, "geste"), text_of(form, "reponse")
    names = {"tout": "montre", "choix": "champ"}
    parts = parts_in(texts_of(form, names[gesture])) if gesture in names else []
    try:
        if gesture == "choix" and not parts:
            raise InvalidInput("Cochez au moins un champ, ou refusez la proposition.")
        with write_transaction(request) as writing:
            writing.shared_definitions.decide(
                work.network, proposal_id, parts, answer, by=work.actor, seen=text_of(form, "vu")
            )
    except AppError as error:
        field = "reponse" if isinstance(error, InvalidInput) and gesture != "choix" else ""
        ticked = texts_of(form, "champ")
        return _proposal_page(
            request, services, proposal_id, error=error, field=field, answer=answer, ticked=ticked
        )
    return _back(work, "repond")


def _proposal_page(
    request: Request,
    services: Services,
    proposal_id: uuid.UUID,
    *,
    error: AppError | None = None,
    field: str = "",
    answer: str = "",
    ticked: Sequence[str] = (),
) -> HTMLResponse:
    work = at_network(request)
    found = services.shared_definitions.proposal(work.network, proposal_id)
    return page(
        request,
        "badges/shared/proposal.html",
        private=True,
        network=work.network,
        home=work.home,
        status=status_for(error),
        trouble=sentence_of(error) if error else "",
        field=field,
        ticked=ticked,
        p=found,
        seen=mark_of(found.definition.newest.number) if found.definition else "",
        state=PROPOSAL_STATES[found.proposal.state],
        is_waiting=found.proposal.decided_at is None,
        when=day(found.proposal.proposed_at),
        proposed=part_views(found.differences),
        answer=answer or found.proposal.answer,
    )
