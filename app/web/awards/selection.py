"""Actions on awards chosen in their register: counted again, asked once, and what was not done with its reason."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.domain.accounts.permissions import Permission, check_may
from app.errors import InvalidInput
from app.http.pages.forms import Count, SafeForm, draft_form, ids_in, text_of
from app.http.pages.typography import translated
from app.http.request_scope import ReadingServices, process_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_
from app.services.awards.bulk_revocation import MOST_CHOSEN, AwardAction, NotDone
from app.services.awards.delivery import Handing
from app.services.awards.papers import SLIPS_PER_DOCUMENT
from app.web.awards.claim_slips import slips_response
from app.web.awards.register import LISTING

MOST_NAMED = 100
REASONS = {
    NotDone.ENDED: N_("Le badge n’est plus valable."),
    NotDone.CLAIMED: N_("La personne a déjà récupéré son badge."),
    NotDone.WITHHELD: N_("L’attribution peut encore être annulée : remettez-la d’abord."),
    NotDone.NO_ADDRESS: N_("Aucune adresse e-mail : remettez un bulletin imprimé."),
    NotDone.REFUSED: N_("Le dernier e-mail a été refusé : corrigez l’adresse."),
    NotDone.STOPPED: N_("La personne ne veut pas de rappel."),
    NotDone.RECENT: N_("La personne a été relancée il y a moins de six jours."),
    NotDone.OWN_ACCOUNT: N_("La personne a un compte : elle y trouve son badge."),
}
router = APIRouter(prefix="/gestion/{slug}/attributions/choix")


@dataclass(frozen=True)
class ReasonGroup:
    sentence: str
    count: int
    names: Sequence[tuple[str, str]]
    """(name and badge, address of the award) of the first ones."""


@router.post("", dependencies=[staff(Permission.AWARD)])
def choose(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """The ticked awards, or all of the register's query."""
    return LISTING.choose(request, services, form, AwardAction, most=MOST_CHOSEN)


@router.get("/{draft_id:uuid}", dependencies=[staff(Permission.AWARD)])
def ask(
    draft_id: uuid.UUID, request: Request, services: ReadingServices, envoyes: Count = -1
) -> HTMLResponse:
    work = at_work(request)
    form = draft_form(request, services, draft_id, f"{work.home}/attributions/choix")
    action, ids = _action(form), _chosen(form)
    if action is AwardAction.WITHDRAW:
        check_may(work.roles, Permission.REVOKE)
    found = services.award_selection.foresee(work.campus, action, ids)
    return work.page(
        request,
        "awards/selection.html",
        here=f"{work.home}/attributions/choix/{draft_id}",
        action=action.value,
        ready=len(found.ready),
        people=len({each.record.person.id for each in found.ready}),
        ready_names=_names(work, found.ready),
        ready_ids=" ".join(map(str, found.ready_ids)),
        groups=[
            ReasonGroup(translated(REASONS[reason]), len(lines), _names(work, lines))
            for reason, lines in found.others.items()
        ],
        absent=found.absent,
        sent=max(envoyes, 0),
        done=envoyes >= 0,
        files=-(-len(found.ready) // SLIPS_PER_DOCUMENT),
        language=work.campus.language,
        key=secrets.token_urlsafe(16),
    )


@router.post("/{draft_id:uuid}/relancer", dependencies=[staff(Permission.AWARD)])
def remind(draft_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    chosen = draft_form(request, services, draft_id, f"{work.home}/attributions/choix")
    with write_transaction(request) as writing:
        sent = writing.award_selection.remind(work.campus, _chosen(chosen), by=work.actor)
    process_of(request).on_promise()
    return RedirectResponse(f"{work.home}/attributions/choix/{draft_id}?envoyes={sent}", status_code=303)


@router.post("/{draft_id:uuid}/bulletins", dependencies=[staff(Permission.AWARD)])
def print_slips(draft_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """One of the files, by number."""
    work = at_work(request)
    chosen = draft_form(request, services, draft_id, f"{work.home}/attributions/choix")
    ready = services.award_selection.foresee(work.campus, AwardAction.HAND_OVER, _chosen(chosen)).ready_ids
    number = text_of(form, "fichier")
    start = (int(number) - 1 if number.isdecimal() and len(number) < 4 else 0) * SLIPS_PER_DOCUMENT
    wanted = ready[max(start, 0) :][:SLIPS_PER_DOCUMENT]
    return slips_response(request, services, work, wanted, text_of(form, "langue"))


def _action(form: FormData) -> AwardAction:
    name = text_of(form, "geste")
    action = next((each for each in AwardAction if each.value == name), None)
    if action is None:
        raise InvalidInput(N_("Choisissez ce qu’il faut faire de ces badges."))
    return action


def _chosen(form: FormData) -> list[uuid.UUID]:
    return list(ids_in(text_of(form, "choisies").split()))


def _names(work: AtWork, lines: Sequence[Handing]) -> list[tuple[str, str]]:
    return [
        (f"{each.name}, {each.record.version.name}", f"{work.home}/attributions/{each.record.award.id}")
        for each in lines[:MOST_NAMED]
    ]
