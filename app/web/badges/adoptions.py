"""Definitions of its networks for a campus: adopt, decide on improvements, propose in return."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.badges import BadgeKind, Difference, Part
from app.domain.badges.shared_definitions import (
    AdoptionAnswer,
    DefinitionProposal,
    Noun,
    ProposalState,
)
from app.domain.core import mark_of
from app.errors import AppError
from app.http.pages.forms import CHECKED_FORM, SafeForm, ids_in, text_of, texts_of
from app.http.pages.words import KIND_NAMES, StateLabel
from app.http.request_scope import ReadingServices, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.badges.shared_definitions import DefinitionLine
from app.web.badges import DifferenceShown, shown_difference

router = APIRouter(prefix="/gestion/{slug}/definitions")
_VIEW, _MANAGE = [staff(Permission.VIEW)], [staff(Permission.MANAGE)]
_POST = [staff(Permission.MANAGE), CHECKED_FORM]
ANSWERS = {
    AdoptionAnswer.ACCEPTED: N_("Dernière amélioration acceptée"),
    AdoptionAnswer.PARTLY: N_("Dernière amélioration acceptée en partie"),
    AdoptionAnswer.REFUSED: N_("Dernière amélioration refusée"),
}
PROPOSAL_STATES = {
    ProposalState.WAITING: StateLabel("Le réseau n’a pas encore répondu", "past"),
    ProposalState.ACCEPTED: StateLabel("Acceptée par le réseau", "ok"),
    ProposalState.PARTLY: StateLabel("Acceptée en partie par le réseau", "ok"),
    ProposalState.REFUSED: StateLabel("Refusée par le réseau", "shut"),
}
_DONE = {
    "adopte": N_("Définition adoptée : votre campus la suit maintenant."),
    "decide": N_("C’est enregistré. Ce qui a été signé reste tel qu’il a été signé."),
    "propose": N_("La proposition est envoyée au réseau."),
    "quitte": N_("Votre campus ne suit plus cette définition. Son badge ou sa compétence reste tel quel."),
}


@dataclass(frozen=True)
class LineView:
    href: str
    title: str
    network: str
    kind: str
    state: StateLabel
    answer: str
    number: int

    @staticmethod
    def of(work: AtWork, line: DefinitionLine) -> LineView:
        adoption = line.adoption
        answer = ANSWERS[adoption.answer] if adoption and adoption.answer else ""
        return LineView(
            f"{work.home}/definitions/{line.id}",
            f"{line.code} – {line.title}" if line.code else line.title,
            line.network.name,
            kind_of(line),
            _state(line),
            translated(answer) if answer else "",
            line.number,
        )


def kind_of(line: DefinitionLine) -> str:
    if line.noun is Noun.COMPETENCY:
        return translated("Compétence")
    return translated(KIND_NAMES[BadgeKind(line.kind)])


def _state(line: DefinitionLine) -> StateLabel:
    if line.adoption is None:
        return StateLabel("À adopter", "shut")
    if line.has_improvement:
        return StateLabel("Amélioration à lire", "past")
    if line.is_withdrawn:
        return StateLabel("Adoptée, n’est plus partagée", "shut")
    return StateLabel("Adoptée", "ok")


@dataclass(frozen=True)
class PartView:
    """One difference with its tick box."""

    value: str
    shown: DifferenceShown


def part_views(differences: Sequence[Difference]) -> list[PartView]:
    return [PartView(each.part.value, shown_difference(each, is_proposed=True)) for each in differences]


def parts_in(texts: Sequence[str]) -> list[Part]:
    known = {part.value: part for part in Part}
    return [known[text] for text in texts if text in known]


@dataclass(frozen=True)
class ProposalView:
    title: str
    reason: str
    answer: str
    state: StateLabel

    @staticmethod
    def of(proposal: DefinitionProposal, title: str = "") -> ProposalView:
        return ProposalView(title, proposal.reason, proposal.answer, PROPOSAL_STATES[proposal.state])


@router.get("", dependencies=_VIEW)
def list_definitions(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _list(request, services, at_work(request), done=fait)


def _list(
    request: Request,
    services: Services,
    work: AtWork,
    *,
    done: str = "",
    trouble: str = "",
    reason: str = "",
    chosen: tuple[str, str] = ("", ""),
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    lines = services.adoptions.lines(work.campus)
    own = [
        ProposalView.of(each, str(each.content[Part.NAME.value]))
        for each in services.adoptions.proposals(work.campus)
        if each.definition_id is None
    ]
    return work.page(
        request,
        "badges/shared/list.html",
        status=status_for(trouble, errors),
        trouble=trouble,
        errors=errors,
        reason=reason,
        chosen=chosen,
        done=translated(_DONE[done]) if done in _DONE else "",
        networks=[(each.slug, each.name) for each in services.campuses.networks_of(work.campus)],
        badges=[LineView.of(work, each) for each in lines if each.noun is Noun.BADGE],
        competencies=[LineView.of(work, each) for each in lines if each.noun is Noun.COMPETENCY],
        candidates=[(str(key), name) for key, name in services.adoptions.unshared_badges(work.campus)],
        proposals=own,
    )


@router.post("", dependencies=_MANAGE)
def propose_badge(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """One of the campus's badges, for the network to share."""
    work, reason = at_work(request), text_of(form, "raison")
    chosen = (text_of(form, "reseau"), text_of(form, "badge"))
    badge_id = next(iter(ids_in([chosen[1]])), None)
    faults = services.adoptions.faults_of_badge_proposal(work.campus, chosen[0], reason)
    names = {"network_slug": "reseau", "reason": "raison"}
    errors: dict[str, str] = {names[name]: sentence_of(error) for name, error in faults.items()}
    if badge_id is None:
        errors["badge"] = translated("Choisissez un badge.")
    if errors or badge_id is None:
        return _list(request, services, work, reason=reason, chosen=chosen, errors=errors)
    try:
        with write_transaction(request) as writing:
            writing.adoptions.propose_badge(work.campus, chosen[0], badge_id, reason, by=work.actor)
    except AppError as error:
        return _list(request, services, work, trouble=sentence_of(error), reason=reason, chosen=chosen)
    return RedirectResponse(f"{work.home}/definitions?fait=propose", status_code=303)


@router.get("/{definition_id:uuid}", dependencies=_VIEW)
def show_definition(
    definition_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _page(request, services, at_work(request), definition_id, done=fait)


def _page(
    request: Request,
    services: Services,
    work: AtWork,
    definition_id: uuid.UUID,
    *,
    done: str = "",
    trouble: str = "",
    reason: str = "",
    ticked: Sequence[Part] = (),
    errors: Mapping[str, str] = MappingProxyType({}),
) -> HTMLResponse:
    found = services.adoptions.page(work.campus, definition_id)
    definition, adoption = found.definition, found.adoption
    own_href = ""
    if adoption is not None:
        own_href = (
            f"{work.home}/badges/{adoption.badge_id}"
            if adoption.badge_id
            else f"{work.home}/competences/{adoption.competency_id}"
        )
    return work.page(
        request,
        "badges/shared/adoption.html",
        here=f"{work.home}/definitions/{definition_id}",
        trouble=trouble,
        done=translated(_DONE[done]) if done in _DONE else "",
        d=definition,
        public=f"/reseau/{definition.network.slug}/definitions/{definition.id}",
        is_badge=definition.noun is Noun.BADGE,
        lines=definition_lines(services, definition_id),
        adoption=adoption,
        own_title=found.own_title,
        own_href=own_href,
        has_improvement=found.has_improvement,
        seen=mark_of(*found.compared),
        waiting=part_views(found.waiting),
        gaps=part_views(found.gaps),
        proposal=ProposalView.of(found.proposal) if found.proposal else None,
        answered=[ProposalView.of(each) for each in found.answered],
        answer=translated(ANSWERS[adoption.answer]) if adoption and adoption.answer else "",
        candidates=[
            ("", translated("Non, partir de la définition")),
            *((str(key), name) for key, name in found.candidates),
        ],
        reason=reason,
        ticked=ticked,
        errors=errors,
        status=status_for(trouble, errors),
    )


def definition_lines(services: Services, definition_id: uuid.UUID) -> list[tuple[str, str]]:
    """Title and text of each part of the newest version."""
    return [
        (shown.title, shown.after)
        for shown in map(shown_difference, services.shared_definitions.content(definition_id))
    ]


@router.post("/{definition_id:uuid}/adopter", dependencies=_MANAGE)
def adopt_definition(
    definition_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work = at_work(request)
    own_id = next(iter(ids_in([text_of(form, "pour")])), None)
    try:
        with write_transaction(request) as writing:
            adoption = writing.adoptions.adopt(work.campus, definition_id, own_id, by=work.actor)
            badge_id = adoption.badge_id
    except AppError as error:
        return _page(request, services, work, definition_id, trouble=sentence_of(error))
    if badge_id is not None and own_id is None:
        # The picture is the campus's own: the draft is shown where it is drawn and published.
        return RedirectResponse(f"{work.home}/badges/{badge_id}/modifier/image", status_code=303)
    return RedirectResponse(f"{work.home}/definitions/{definition_id}?fait=adopte", status_code=303)


@router.post("/{definition_id:uuid}/decider", dependencies=_MANAGE)
def decide_improvement(
    definition_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """« tout » accepts what was shown, « choix » the ticked fields, « refuser » none."""
    work, gesture, seen = at_work(request), text_of(form, "geste"), text_of(form, "version")
    names = {"tout": "montre", "choix": "champ"}
    parts = parts_in(texts_of(form, names[gesture])) if gesture in names else []
    if gesture == "choix" and not parts:
        boxes = "champ" if services.adoptions.page(work.campus, definition_id).has_improvement else "ecart"
        errors = {boxes: translated("Cochez au moins un champ, ou refusez l’amélioration.")}
        return _page(request, services, work, definition_id, errors=errors)
    try:
        with write_transaction(request) as writing:
            writing.adoptions.decide(
                work.campus,
                definition_id,
                parts,
                seen=int(seen) if seen.isascii() and seen.isdecimal() and len(seen) < 7 else 0,
                shown_as=text_of(form, "vu"),
                by=work.actor,
            )
    except AppError as error:
        return _page(request, services, work, definition_id, trouble=sentence_of(error))
    return RedirectResponse(f"{work.home}/definitions/{definition_id}?fait=decide", status_code=303)


@router.post("/{definition_id:uuid}/proposer", dependencies=_MANAGE)
def propose_improvement(
    definition_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, reason = at_work(request), text_of(form, "raison")
    parts, names = parts_in(texts_of(form, "champ")), {"parts": "ecart", "reason": "raison"}
    shown = partial(_page, request, services, work, definition_id, reason=reason, ticked=parts)
    try:
        if faults := services.adoptions.faults_of_proposal(work.campus, definition_id, parts, reason):
            return shown(errors={names[name]: sentence_of(error) for name, error in faults.items()})
        with write_transaction(request) as writing:
            writing.adoptions.propose(work.campus, definition_id, parts, reason, by=work.actor)
    except AppError as error:
        return shown(trouble=sentence_of(error))
    return RedirectResponse(f"{work.home}/definitions/{definition_id}?fait=propose", status_code=303)


@router.post("/{definition_id:uuid}/quitter", dependencies=_POST)
def leave_definition(definition_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.adoptions.leave(work.campus, definition_id, by=work.actor)
    return RedirectResponse(f"{work.home}/definitions?fait=quitte", status_code=303)
