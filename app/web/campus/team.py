"""« L'équipe »: members of a campus and their roles, invitations, and removal."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission, Role
from app.domain.campus.team import INVITATION_DAYS, InvitationState
from app.domain.core import ChangedMeanwhile, mark_of
from app.errors import AppError, Conflict, InvalidInput
from app.http.pages.forms import (
    CHECKED_FORM,
    SafeForm,
    address_in,
    currently,
    ids_in,
    is_in_doubt,
    text_of,
    texts_of,
)
from app.http.pages.words import ROLE_HINTS, ROLES, StateLabel, listing
from app.http.request_scope import ReadingServices, process_of, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import N_, translated
from app.services.accounts.invitations import Waiting
from app.services.badges.openings import opened_by_name
from app.services.campus import Member

router = APIRouter(prefix="/gestion/{slug}/equipe")
_MANAGE = [staff(Permission.MANAGE)]
_ACTION = [staff(Permission.MANAGE), CHECKED_FORM]
_INVITATION_STATES = {
    InvitationState.WAITING: StateLabel("En attente", "shut"),
    InvitationState.EXPIRED: StateLabel("Expirée", "past"),
}
_INVITED = {"address": "adresse", "roles": "role", "days": "jours"}
_REFUSED = StateLabel("E-mail refusé", "bad")
_DONE = {
    "invitation": N_("L’invitation est envoyée par e-mail."),
    "renvoi": N_("Un nouvel e-mail est envoyé. Le lien du précédent n’ouvre plus rien."),
    "retrait": N_("L’invitation est retirée : son lien n’ouvre plus rien."),
    "roles": N_("Les rôles sont changés, dès maintenant."),
    "badges": N_("Les badges que cette personne peut attribuer sont enregistrés."),
    "cles": N_(
        "Ses clés d’accès sont retirées et ses sessions fermées. Elle entre de nouveau par un lien ou un mot de passe, puis enregistre une nouvelle clé."
    ),
    "depart": N_("Cette personne n’est plus dans l’équipe, dès maintenant. Ce qu’elle a fait reste signé."),
}


@dataclass(frozen=True)
class MemberLine:
    href: str
    name: str
    address: str
    roles: Sequence[str]
    since: datetime
    seen_at: datetime | None
    has_passkey: bool

    @staticmethod
    def of(work: AtWork, member: Member) -> MemberLine:
        return MemberLine(
            f"{work.home}/equipe/{member.person.id}",
            member.person.name,
            member.address,
            [translated(ROLES[role]) for role in member.roles],
            member.since,
            member.seen_at,
            member.has_passkey,
        )


@dataclass(frozen=True)
class InvitationLine:
    href: str
    address: str
    roles: Sequence[str]
    state: StateLabel
    expires_at: datetime

    @staticmethod
    def of(work: AtWork, waiting: Waiting) -> InvitationLine:
        invitation = waiting.invitation
        state = _REFUSED if waiting.is_refused else _INVITATION_STATES[waiting.state]
        return InvitationLine(
            f"{work.home}/equipe/invitations/{invitation.id}",
            invitation.address,
            [translated(ROLES[role]) for role in invitation.offered],
            state,
            invitation.expires_at,
        )


def _tokens_left(work: AtWork, services: Services) -> list[tuple[str, list[str]]]:
    """(who, the labels of their tokens) of those who no longer administer the campus, while their tokens work."""
    found: dict[str, list[str]] = {}
    administrators = services.team.administrators(work.campus)
    for made in services.people.list_tokens_made(work.campus, administrators):
        if made.is_left and made.works:
            name = made.person.name if made.person else translated("Une personne effacée")
            found.setdefault(name, []).append(made.token.label)
    return list(found.items())


@dataclass(frozen=True)
class TeamForm:
    """The invitation form, as typed."""

    address: str = ""
    roles: Sequence[str] = (Role.TRAINER.value,)
    days: str = "14"
    errors: dict[str, str] = field(default_factory=dict)


def role_boxes(ticked: Sequence[str]) -> list[tuple[str, str, str, bool]]:
    """(value, name, description, whether ticked) of each role."""
    return [
        (role.value, translated(ROLES[role]), translated(ROLE_HINTS[role]), role.value in ticked)
        for role in Role
    ]


@router.get("", dependencies=_MANAGE)
def show_team(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _team_page(request, services, TeamForm(), done=fait)


@router.post("/invitations", dependencies=_MANAGE)
def invite(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, process = at_work(request), process_of(request)
    typed = TeamForm(address_in(request, form), texts_of(form, "role"), text_of(form, "jours"))
    if is_in_doubt(request):
        return _team_page(request, services, typed)
    process.limiter.hit("invitations of a campus", work.campus.slug)
    roles = _roles_in(typed.roles)
    days = int(typed.days) if typed.days.isdecimal() and len(typed.days) < 5 else 0
    if faults := services.invitations.faults_of(typed.address, roles, days=days):
        typed.errors.update((_INVITED[name], sentence_of(fault)) for name, fault in faults.items())
        return _team_page(request, services, typed)
    try:
        with write_transaction(request) as writing:
            writing.invitations.invite(work.campus, typed.address, roles, days=days, by=work.actor)
    except Conflict as error:
        typed.errors["adresse"] = sentence_of(error)
        return _team_page(request, services, typed)
    process.on_enqueue()
    return _back(work, "invitation")


@router.post("/invitations/{invitation_id:uuid}/renvoyer", dependencies=_ACTION)
def resend(invitation_id: uuid.UUID, request: Request) -> Response:
    work, process = at_work(request), process_of(request)
    process.limiter.hit("invitations of a campus", work.campus.slug)
    with write_transaction(request) as writing:
        writing.invitations.resend(work.campus, invitation_id, by=work.actor)
    process.on_enqueue()
    return _back(work, "renvoi")


@router.post("/invitations/{invitation_id:uuid}/retirer", dependencies=_ACTION)
def withdraw(invitation_id: uuid.UUID, request: Request) -> Response:
    work = at_work(request)
    with write_transaction(request) as writing:
        writing.invitations.withdraw(work.campus, invitation_id, by=work.actor)
    return _back(work, "retrait")


@router.get("/{member_id:uuid}", dependencies=_MANAGE)
def show_member(member_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _member_page(request, services, member_id)


@router.post("/{member_id:uuid}", dependencies=_MANAGE)
def change_roles(
    member_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, ticked = at_work(request), texts_of(form, "role")
    try:
        with write_transaction(request) as writing:
            writing.team.set_roles(
                work.campus, member_id, _roles_in(ticked), by=work.actor, seen=text_of(form, "vu")
            )
    except ChangedMeanwhile as error:
        return _member_page(request, services, member_id, ticked=ticked, trouble=error)
    except (InvalidInput, Conflict) as error:
        return _member_page(request, services, member_id, ticked=ticked, roles_error=error)
    process_of(request).on_enqueue()
    return _after_own_change(work, member_id, "roles")


@router.post("/{member_id:uuid}/badges", dependencies=_MANAGE)
def open_badges(
    member_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, ticked = at_work(request), set(ids_in(texts_of(form, "badge")))
    try:
        with write_transaction(request) as writing:
            writing.openings.set_for_trainer(
                work.campus, member_id, ticked, by=work.actor, seen=text_of(form, "vu")
            )
    except ChangedMeanwhile as error:
        return _member_page(request, services, member_id, ticked_badges=ticked, trouble=error)
    return _back(work, "badges")


@router.post("/{member_id:uuid}/cles/retirer", dependencies=_ACTION)
def reset_passkeys(member_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    member = services.team.member(work.campus, member_id)
    # Cross-tenant: each campus where they work records it in its audit log.
    with process_of(request).unit_of_work() as writing:
        writing.passkeys.reset(member.person.id, by=work.actor)
    return _back(work, "cles")


@router.post("/{member_id:uuid}/retirer", dependencies=_MANAGE)
def remove(member_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    try:
        if text_of(form, "certain") != "oui":
            raise InvalidInput("Cochez la case pour confirmer.")
        with write_transaction(request) as writing:
            writing.team.remove(work.campus, member_id, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _member_page(request, services, member_id, removal_error=error)
    process_of(request).on_enqueue()
    return _after_own_change(work, member_id, "depart")


def _roles_in(ticked: Sequence[str]) -> list[Role]:
    return [role for role in Role if role.value in ticked]


def _back(work: AtWork, done: str) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/equipe?fait={done}", status_code=303)


def _after_own_change(work: AtWork, member_id: uuid.UUID, done: str) -> RedirectResponse:
    """A user who removed their own access to this page is redirected to one they may see."""
    return (
        RedirectResponse("/gestion", status_code=303)
        if member_id == work.who.person.id
        else _back(work, done)
    )


def _team_page(
    request: Request, services: Services, typed: TeamForm, *, done: str = ""
) -> HTMLResponse:  # fmt: skip
    work = at_work(request)
    return work.page(
        request,
        "campus/team/list.html",
        status=status_for(typed.errors),
        zone=work.campus.time_zone,
        done=translated(_DONE[done]) if done in _DONE else "",
        letters_leave=process_of(request).mailer is not None,
        members=[MemberLine.of(work, member) for member in services.team.members(work.campus)],
        invitations=[InvitationLine.of(work, each) for each in services.invitations.waiting(work.campus)],
        tokens_left=_tokens_left(work, services),
        form=typed,
        roles=role_boxes(typed.roles),
        days=[
            (str(number), translated("{several} jours").format(several=number)) for number in INVITATION_DAYS
        ],
    )


def _member_page(
    request: Request,
    services: Services,
    member_id: uuid.UUID,
    *,
    ticked: Sequence[str] | None = None,
    ticked_badges: Collection[uuid.UUID] | None = None,
    roles_error: AppError | None = None,
    removal_error: AppError | None = None,
    trouble: AppError | None = None,
) -> HTMLResponse:
    work = at_work(request)
    member = services.team.member(work.campus, member_id)
    badges = services.openings.of_trainer(work.campus, member_id) if Role.TRAINER in member.roles else []
    if ticked_badges is None:
        today = [translated(ROLES[role]) for role in member.roles]
    else:
        today = [version.name for badge, version, opened in badges if opened and not badge.for_every_trainer]
    return work.page(
        request,
        "campus/team/member.html",
        status=status_for(roles_error, removal_error, trouble),
        trouble=[sentence_of(trouble), currently(listing(today))] if trouble else [],
        seen=mark_of(*member.roles),
        seen_badges=mark_of(*opened_by_name(badges)),
        zone=work.campus.time_zone,
        member=MemberLine.of(work, member),
        trains=Role.TRAINER in member.roles,
        awards_all=Role.CAMPUS_ADMIN in member.roles,
        tokens=[
            made.token.label
            for made in services.people.list_tokens_made(work.campus, {member_id})
            if made.works and made.person and made.person.id == member_id
        ],
        open_to_all=[version.name for badge, version, _ in badges if badge.for_every_trainer],
        by_name=[
            (str(badge.id), version.name, opened if ticked_badges is None else badge.id in ticked_badges)
            for badge, version, opened in badges
            if not badge.for_every_trainer
        ],
        is_oneself=member_id == work.who.person.id,
        roles=role_boxes([role.value for role in member.roles] if ticked is None else ticked),
        roles_error=sentence_of(roles_error) if roles_error else "",
        removal_error=sentence_of(removal_error) if removal_error else "",
    )
