"""Whose badges this browser may see: those it was shown the private link of, and those of whoever is signed in."""

from __future__ import annotations

import uuid
from typing import Final

from fastapi import Depends, Request, Response

from app.container import Process, Services
from app.errors import NotSignedIn
from app.http.policies import Policy, Who, marked
from app.http.request_scope import (
    SECRETS_SEPARATOR,
    ReadingServices,
    WritingServices,
    find_signed_in,
    process_of,
)
from app.language import N_
from app.services.accounts.sessions import Holder, LinkHolder, NewSession, SignedIn

# A family's or a class's computer; each session lives for a day at most.
_MOST_BADGES: Final = 12


def held_here(request: Request, services: Services) -> dict[uuid.UUID, LinkHolder]:
    """The living sessions that private links opened in this browser, each by the one award that it opens."""
    found: dict[uuid.UUID, LinkHolder] = {}
    for secret in _secrets(request):
        try:
            who = services.sessions.link_holder(secret)
        except NotSignedIn:
            continue
        found[who.award_id] = who
    return found


def find_holder(award_id: uuid.UUID, request: Request, services: Services) -> Holder | None:
    """The person whose badge this is: by the link they opened here, or signed in with an address of theirs."""
    who = find_signed_in(request, services)
    if who is not None and services.awards.is_of(award_id, who.person.id):
        return who
    return held_here(request, services).get(award_id)


def holder_of(award_id: uuid.UUID, request: Request, services: Services) -> Holder:
    """The same; another's badge is not theirs to see."""
    who = find_holder(award_id, request, services)
    if who is None:
        services.awards.check_not_erased(award_id)
        raise NotSignedIn(
            N_(
                "Pour voir ce badge, ouvrez le lien privé que le campus vous a donné. Il marche autant de fois que vous voulez."
            )
        )
    services.enter_campus_of(award_id)
    return who


def check_speaks_for_person(who: Holder, services: Services) -> None:
    """A link to one badge does not decide what holds for all badges of a person who has an account."""
    if not isinstance(who, SignedIn) and services.sessions.own_addresses.has_account(who.person.id):
        raise NotSignedIn(N_("Ce choix vaut pour tous vos badges : connectez-vous pour le faire."))


@marked(Policy(Who.HOLDER))
def _holder(award_id: uuid.UUID, request: Request, services: ReadingServices) -> None:
    holder_of(award_id, request, services)


@marked(Policy(Who.HOLDER))
def _changing_holder(award_id: uuid.UUID, request: Request, services: WritingServices) -> None:
    holder_of(award_id, request, services)


HOLDER = Depends(_holder, scope="function")
"""The policy of what only the holder of the award in the address may see."""
CHANGING_HOLDER = Depends(_changing_holder, scope="function")
"""The same, over the one transaction of a handler that changes something."""


def keep_here(response: Response, request: Request, opened: NewSession) -> None:
    """Remember one more badge in this browser, the latest first."""
    process = process_of(request)
    secrets = [opened.secret, *_secrets(request)][:_MOST_BADGES]
    response.set_cookie(
        _cookie(request),
        SECRETS_SEPARATOR.join(secrets),
        max_age=int((opened.session.expires_at - opened.session.created_at).total_seconds()),
        path="/",
        secure=process.settings.base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )


def forget_here(response: Response, request: Request) -> None:
    response.delete_cookie(_cookie(request), path="/")


def badges_cookie(process: Process) -> str:
    """`__Host-` binds the cookie to this host; plain http on localhost cannot carry it."""
    return "__Host-badges" if process.settings.base_url.startswith("https:") else "badges"


def _cookie(request: Request) -> str:
    return badges_cookie(process_of(request))


def _secrets(request: Request) -> list[str]:
    return [each for each in request.cookies.get(_cookie(request), "").split(SECRETS_SEPARATOR) if each][
        :_MOST_BADGES
    ]


def people_here(request: Request, services: Services) -> dict[uuid.UUID, Holder]:
    """Who is signed in, and the people without an account of whom this browser holds a badge.

    A link to one badge does not open what an account has beside it, such as a portfolio.
    """
    found: dict[uuid.UUID, Holder] = {
        who.person.id: who
        for who in held_here(request, services).values()
        if not services.sessions.own_addresses.has_account(who.person.id)
    }
    signed_in: SignedIn | None = find_signed_in(request, services)
    return found | ({signed_in.person.id: signed_in} if signed_in else {})


def awards_within_reach(request: Request, services: Services, person_id: uuid.UUID) -> list[uuid.UUID]:
    """That person's badges: all of them once they signed in, else those that this browser holds."""
    signed_in = find_signed_in(request, services)
    if signed_in is not None and signed_in.person.id == person_id:
        return services.portfolios.awards_of(person_id)
    return [award_id for award_id, who in held_here(request, services).items() if who.person.id == person_id]
