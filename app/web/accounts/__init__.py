"""« Mon compte »: sign-in methods and signed-in browsers."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.sessions import Proof, Session
from app.domain.accounts.sign_in import (
    LONGEST_NAME,
    Challenge,
    Passkey,
    ProviderDown,
    Purpose,
    check_password,
)
from app.domain.campus.team import DeadInvitation
from app.domain.people import masked_address
from app.errors import AppError, Conflict, InvalidInput, NotFound, NotSignedIn, Unavailable
from app.http.pages.forms import (
    CHECKED_FORM,
    SafeForm,
    address_in,
    faults_of_name,
    is_in_doubt,
    name_in,
    text_of,
    untouched_text_of,
)
from app.http.pages.render import page
from app.http.pages.words import ROLE_HINTS, ROLES
from app.http.request_scope import (
    CROSS_TENANT,
    ReadingServices,
    close_session_in,
    find_signed_in,
    limited,
    open_session_in,
    process_of,
    public,
    sentence_of,
    signed_in,
    status_for,
    status_of,
    visit,
    write_transaction,
)
from app.http.response_cache import forget_here
from app.http.workplaces import SIGNED_IN, SURELY_SIGNED_IN, look_of
from app.language import N_, translated
from app.services.accounts.invitations import SignInFirst
from app.services.accounts.sessions import SignedIn
from app.services.people.people import OwnAddress
from app.web.accounts.sign_in import (
    ANSWER,
    FromAskingBrowser,
    browser_of,
    leave_for,
    note_failure,
    provider_of,
    remember_browser,
    services_of,
)

router = APIRouter(prefix="/compte")
_CHECKED = [SIGNED_IN, CHECKED_FORM]
_SURE = [SURELY_SIGNED_IN, CHECKED_FORM]
PROOFS = {
    Proof.LINK: N_("par un lien reçu par e-mail"),
    Proof.PASSWORD: N_("par mot de passe"),
    Proof.PASSKEY: N_("par clé d’accès"),
    Proof.OIDC: N_("par un autre service"),
    Proof.PRIVATE_LINK: N_("par un lien privé"),
}
_DONE = {
    "cle": N_("La clé d’accès est enregistrée. Elle vous sera demandée pour attribuer, retirer, exporter et gérer l’équipe."),
    "nom": N_("La clé a un nouveau nom."),
    "cle-retiree": N_("La clé est retirée : elle n’ouvre plus rien. Les autres navigateurs et les applications sont déconnectés."),
    "mot-de-passe": N_("Le mot de passe est enregistré. Les autres navigateurs et les applications sont déconnectés."),
    "sans-mot-de-passe": N_("Le mot de passe est retiré. Les autres navigateurs et les applications sont déconnectés ; un lien par e-mail vous ouvre toujours votre compte."),
    "service": N_("Le compte est relié : il ouvre aussi votre compte ici."),
    "cours-delie": N_("Le compte du cours est délié : ce cours ne vous reconnaît plus."),
    "service-delie": N_("Le compte est délié : il n’ouvre plus rien ici. Les autres navigateurs et les applications sont déconnectés."),
    "session": N_("Ce navigateur est déconnecté."),
    "liens-refuses": N_("Vos liens privés n’ouvrent plus rien : vos badges s’ouvrent avec votre compte."),
    "liens-acceptes": N_("Vos liens privés ouvrent de nouveau chacun leur badge."),
    "autres": N_("Les autres navigateurs et les applications sont déconnectés."),
}  # fmt: skip


@dataclass(frozen=True)
class KeyLine:
    href: str
    name: str
    created_at: datetime
    used_at: datetime | None

    @staticmethod
    def of(key: Passkey) -> KeyLine:
        return KeyLine(f"/compte/cles/{key.id}", key.name, key.created_at, key.used_at)


@dataclass(frozen=True)
class SessionLine:
    href: str
    browser: str
    proved: str
    seen_at: datetime
    is_here: bool

    @staticmethod
    def of(session: Session, who: SignedIn) -> SessionLine:
        return SessionLine(
            f"/compte/sessions/{session.id}",
            session.browser,
            translated(PROOFS[session.proved_by]),
            session.seen_at,
            session.id == who.session.id,
        )


_KEY_OF_A_LEARNER = N_("La clé d’accès est enregistrée : elle ouvre votre compte.")


@router.get("", dependencies=[SIGNED_IN])
def show(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    done = _DONE.get(fait, "")
    if fait == "cle" and not services.sign_in.works(signed_in(request, services).person.id):
        done = _KEY_OF_A_LEARNER
    return _page(request, services, done=translated(done) if done else "")


def account_page(request: Request, *, status: int, service_trouble: str) -> HTMLResponse:
    """Reached from another service when the link was not completed."""
    with visit(request, reading=True) as services:
        return _page(request, services, status=status, service_trouble=service_trouble)


def _page(
    request: Request,
    services: Services,
    *,
    done: str = "",
    name: str = "",
    named: uuid.UUID | None = None,
    trouble: AppError | None = None,
    service_trouble: str = "",
    status: int = 200,
) -> HTMLResponse:
    who = signed_in(request, services)
    is_of_name = isinstance(trouble, InvalidInput) and not (name.strip() and len(name) <= LONGEST_NAME)
    keys = services.passkeys.list_of(who.person.id)
    numbers = {key.id: f"nom-{number}" for number, key in enumerate(keys, 1)}
    with services.across_campuses():
        platforms = services.lti.links_of(who.person.id)
        own = services.awards.list_of(who.person.id)
    answer = page(
        request,
        "accounts/show.html",
        private=True,
        status=status_for(trouble) if trouble else status,
        name=who.person.name,
        addresses=[
            each.address for each in services.own_addresses.list_of(who.person.id) if each.verified_at
        ],
        works=services.sign_in.works(who.person.id),
        zone=who.memberships[0][1].time_zone if who.memberships else process_of(request).settings.time_zone,
        keys_here=[KeyLine.of(key) for key in keys],
        has_password=services.sign_in.has_password(who.person.id),
        sessions=_sessions_of(services, who),
        longest_name=LONGEST_NAME,
        typed_name=name,
        named=f"/compte/cles/{named}" if named else "",
        key_trouble=sentence_of(trouble) if trouble and not is_of_name else "",
        name_field=numbers.get(named, "nom-nouveau") if named else "nom-nouveau",
        name_trouble=sentence_of(trouble) if trouble and is_of_name else "",
        reminders_href=f"/rappels/{services.reminders.token_of(who.person.id)}",
        reminded=who.person.wants_reminders,
        accepts_links=who.person.accepts_links,
        data_href=f"/mes-badges/{own[0].award.id}/mes-donnees" if own else "",
        services=services_of(request, services, who),
        platforms=[(f"/compte/cours/{link.id}", each.label, link.linked_at) for link, each in platforms],
        service_trouble=service_trouble,
        done=done,
    )
    remember_browser(answer, request)
    return answer


def _sessions_of(services: Services, who: SignedIn) -> Sequence[SessionLine]:
    return [SessionLine.of(session, who) for session in services.sessions.list_of(who)]


# --- passkeys


@router.post("/cles/question", dependencies=[limited("passkey question"), *_CHECKED])
def ask_for_key(request: Request) -> JSONResponse:
    with write_transaction(request) as services:
        return JSONResponse(services.passkeys.ask_for_new(signed_in(request, services)))


@router.post("/cles", dependencies=_SURE)
def keep_key(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    name = text_of(form, "nom")
    try:
        with write_transaction(request) as writing:
            who = signed_in(request, writing)
            opened = writing.passkeys.enrol(
                who, name, untouched_text_of(form, ANSWER), browser_of(request, writing)
            )
    except (InvalidInput, Conflict, NotSignedIn) as error:
        return _page(request, services, name=name, trouble=error)
    answer = back_to_account("cle")
    open_session_in(answer, request, opened)
    return answer


@router.post("/cles/{passkey_id:uuid}/nom", dependencies=_CHECKED)
def rename_key(
    passkey_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    name = text_of(form, "nom")
    try:
        with write_transaction(request) as writing:
            writing.passkeys.rename(signed_in(request, writing), passkey_id, name)
    except InvalidInput as error:
        return _page(request, services, name=name, named=passkey_id, trouble=error)
    return back_to_account("nom")


@router.post("/cles/{passkey_id:uuid}/retirer", dependencies=_SURE)
def remove_key(passkey_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        services.passkeys.remove(signed_in(request, services), passkey_id)
    return back_to_account("cle-retiree")


# --- the password


@router.get("/mot-de-passe", dependencies=[SURELY_SIGNED_IN])
def choose_password(request: Request, services: ReadingServices) -> HTMLResponse:
    return _password_page(request, services)


@router.post("/mot-de-passe", dependencies=_SURE)
def set_password(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    typed = untouched_text_of(form, "mot-de-passe")
    who = signed_in(request, services)
    address = services.people.people.addresses_of([who.person.id]).get(who.person.id, "")
    campuses = [name for _, campus in who.memberships for name in (campus.short_name, campus.name)]
    try:
        check_password(typed, context=[who.person.given_name, who.person.family_name, address, *campuses])
        # Outside any transaction that writes: hashing takes a tenth of a second.
        made = process_of(request).passwords.of(typed)
    except (InvalidInput, Unavailable) as error:
        return _password_page(request, services, trouble=error)
    with write_transaction(request) as writing:
        writing.sign_in.set_password(signed_in(request, writing), made)
    return back_to_account("mot-de-passe")


@router.post("/mot-de-passe/retirer", dependencies=_SURE)
def drop_password(request: Request) -> Response:
    with write_transaction(request) as services:
        services.sign_in.drop_password(signed_in(request, services))
    return back_to_account("sans-mot-de-passe")


def _password_page(request: Request, services: Services, trouble: AppError | None = None) -> HTMLResponse:
    who = signed_in(request, services)
    return page(
        request,
        "accounts/password.html",
        private=True,
        status=429 if isinstance(trouble, Unavailable) else None,
        has_password=services.sign_in.has_password(who.person.id),
        address=services.sign_in.own_address(who),
        trouble=sentence_of(trouble) if trouble else "",
    )


@router.post("/liens", dependencies=_SURE)
def choose_links(request: Request, form: SafeForm) -> Response:
    accepted = text_of(form, "liens") == "acceptes"
    with write_transaction(request) as services:
        services.sessions.accept_links(signed_in(request, services), accepted)
    return back_to_account("liens-acceptes" if accepted else "liens-refuses")


# --- where one is signed in


@router.post("/sessions/{session_id:uuid}/fermer", dependencies=_CHECKED)
def end_session(session_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        services.sessions.end_one(signed_in(request, services), session_id)
    return back_to_account("session")


@router.post("/sessions/fermer-les-autres", dependencies=_CHECKED)
def end_other_sessions(request: Request) -> Response:
    with write_transaction(request) as services:
        services.sessions.end_all(signed_in(request, services), but_this=True)
    return back_to_account("autres")


@router.post("/sessions/fermer-partout", dependencies=_CHECKED)
def end_every_session(request: Request) -> Response:
    with write_transaction(request) as services:
        services.sessions.end_all(signed_in(request, services), but_this=False)
    answer = RedirectResponse("/", status_code=303)
    close_session_in(answer, request)
    forget_here(answer, request)
    return answer


def back_to_account(done: str) -> RedirectResponse:
    return RedirectResponse(f"/compte?fait={done}", status_code=303)


account_services_router = APIRouter(prefix="/compte/services")


@account_services_router.post(
    "/{service}/relier", dependencies=[limited("signing in"), *_SURE, FromAskingBrowser]
)
def link(service: str, request: Request) -> Response:
    provider = provider_of(request, service)
    with write_transaction(request) as services:
        who = signed_in(request, services)
        question = services.federation.ask(provider, Purpose.LINK, browser_of(request, services), who=who)
    try:
        return leave_for(request, provider, question)
    except ProviderDown as error:
        return account_page(request, status=status_of(error), service_trouble=sentence_of(error))


@account_services_router.post("/{account_id:uuid}/delier", dependencies=_SURE)
def unlink(account_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        services.federation.unlink(signed_in(request, services), account_id)
    return back_to_account("service-delie")


@router.post("/cours/{account_id:uuid}/delier", dependencies=_SURE)
def unlink_course_platform(account_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        who = signed_in(request, services)
        with services.across_campuses():
            services.lti.unlink_own(who, account_id)
    return back_to_account("cours-delie")


invitations_router = APIRouter(dependencies=[CROSS_TENANT])


@invitations_router.get("/invitation/{invitation}")
@public
def show_invitation(invitation: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not accept an invitation."""
    return _invitations_page(request, services, invitation)


@invitations_router.post("/invitation/{invitation}", dependencies=[limited("signing in"), FromAskingBrowser])
@public
def accept_invitation(
    invitation: str, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    given, family = name_in(request, form, is_own=True, respells=True)
    if is_in_doubt(request):
        return _invitations_page(request, services, invitation, given=given, family=family)
    try:
        with write_transaction(request) as writing:
            slug = writing.invitations.open(invitation).campus.slug
            opened = writing.invitations.accept(
                invitation, browser_of(request, writing), given_name=given, family_name=family
            )
    except (InvalidInput, SignInFirst, DeadInvitation, NotFound) as error:
        return _invitations_page(request, services, invitation, given=given, family=family, trouble=error)
    answer = RedirectResponse(f"/gestion/{slug}", status_code=303)
    if opened is not None:
        open_session_in(answer, request, opened)
    return answer


def _invitations_page(
    request: Request,
    services: Services,
    token: str,
    *,
    given: str = "",
    family: str = "",
    trouble: AppError | None = None,
) -> HTMLResponse:
    try:
        found = services.invitations.open(token)
    except NotFound as error:
        note_failure(request)
        return page(
            request, "accounts/dead_invitation.html", private=True, status=404, trouble=sentence_of(error)
        )
    here = find_signed_in(request, services)
    answer = page(
        request,
        "accounts/invitation.html",
        campus=look_of(found.campus),
        private=True,
        href=f"/invitation/{token}",
        zone=found.campus.time_zone,
        address=found.invitation.address,
        inviter=found.inviter.name if found.inviter else "",
        roles=[(translated(ROLES[role]), translated(ROLE_HINTS[role])) for role in found.invitation.offered],
        expires_at=found.invitation.expires_at,
        here=here.person.name if here else "",
        sent_elsewhere=masked_address(found.invitation.address)
        if here and not services.invitations.is_for(found.invitation, here.person)
        else "",
        is_known=found.is_known,
        given=given,
        family=family,
        trouble=sentence_of(trouble) if trouble else "",
        errors=faults_of_name(given, family, is_own=True) if isinstance(trouble, InvalidInput) else {},
    )
    remember_browser(answer, request)
    return answer


# --- « Mes adresses »: add, prove by e-mail, order and remove addresses

own_addresses_router = APIRouter(prefix="/compte/adresses", dependencies=[CROSS_TENANT])
_ADDRESSES_DONE = {
    "lettre": N_("Un e-mail a été envoyé à cette adresse. Elle ouvrira vos badges une fois confirmée."),
    "confirmee": N_(
        "L’adresse est confirmée : un e-mail envoyé à cette adresse ouvre maintenant vos badges."
    ),
    "principale": N_("C’est noté : cette adresse est maintenant la principale."),
    "retiree": N_(
        "L’adresse est retirée de votre compte. Si elle l’ouvrait, les autres navigateurs et les applications sont déconnectés."
    ),
    "abandonnee": N_("C’est noté : cette adresse ne sera pas ajoutée."),
}
_AGAIN = (InvalidInput, Conflict, NotFound, NotSignedIn)


@dataclass(frozen=True)
class Trouble:
    """Which form failed and why, with the typed values."""

    sentence: str = ""
    address: str = ""
    waiting: uuid.UUID | None = None
    is_new: bool = False

    @staticmethod
    def of(
        error: AppError, *, address: str = "", waiting: uuid.UUID | None = None, is_new: bool = False
    ) -> Trouble:
        return Trouble(sentence_of(error), address, waiting, is_new)


@own_addresses_router.get("", dependencies=[SIGNED_IN])
def show_own_addresses(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _own_addresses_page(
        request, services, done=translated(_ADDRESSES_DONE[fait]) if fait in _ADDRESSES_DONE else ""
    )


@own_addresses_router.post("", dependencies=[limited("address letter"), *_SURE])
def add(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    typed = address_in(request, form)
    if is_in_doubt(request):
        return _own_addresses_page(request, services, trouble=Trouble(address=typed))
    process_of(request).limiter.hit("address letter of somebody", str(signed_in(request, services).person.id))
    try:
        with write_transaction(request) as writing:
            writing.own_addresses.ask(signed_in(request, writing), typed)
    except _AGAIN as error:
        return _own_addresses_page(request, services, trouble=Trouble.of(error, address=typed, is_new=True))
    process_of(request).on_enqueue()
    return _back("lettre")


@own_addresses_router.post("/principale", dependencies=_SURE)
def make_main(request: Request, form: SafeForm) -> Response:
    with write_transaction(request) as services:
        services.own_addresses.make_main(signed_in(request, services), text_of(form, "adresse"))
    process_of(request).on_enqueue()
    return _back("principale")


@own_addresses_router.post("/retirer", dependencies=_SURE)
def remove(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    try:
        with write_transaction(request) as writing:
            writing.own_addresses.remove(signed_in(request, writing), text_of(form, "adresse"))
    except Conflict as error:
        return _own_addresses_page(request, services, trouble=Trouble.of(error))
    process_of(request).on_enqueue()
    return _back("retiree")


@own_addresses_router.post("/{challenge_id:uuid}/abandonner", dependencies=_CHECKED)
def give_up(challenge_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        services.own_addresses.drop_waiting(signed_in(request, services), challenge_id)
    return _back("abandonnee")


@own_addresses_router.post("/{challenge_id:uuid}/code", dependencies=[limited("signing in"), *_SURE])
def confirm_by_code(
    challenge_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """For an e-mail read on another device."""
    process_of(request).limiter.hit("code of an address", str(challenge_id))
    try:
        with write_transaction(request) as writing:
            kept = writing.own_addresses.confirm_by_code(
                signed_in(request, writing), challenge_id, text_of(form, "code")
            )
    except _AGAIN as error:
        return _own_addresses_page(request, services, trouble=Trouble.of(error, waiting=challenge_id))
    return _kept(request, offers=kept.offers)


@own_addresses_router.get("/confirmer/{preuve}")
@public
def show_confirmation(preuve: str, request: Request, services: ReadingServices) -> HTMLResponse:
    """GET only shows the page: programs that follow links in e-mails must not confirm anything."""
    challenge = services.own_addresses.asked_by(preuve)
    who = find_signed_in(request, services)
    is_theirs = who is not None and who.person.id == challenge.person_id
    return page(
        request,
        "accounts/confirm_address.html",
        private=True,
        token=preuve,
        is_theirs=is_theirs,
        address=challenge.facts["address"] if is_theirs else "",
    )


@own_addresses_router.post("/confirmer/{preuve}", dependencies=_SURE)
def confirm(preuve: str, request: Request) -> Response:
    with write_transaction(request) as services:
        kept = services.own_addresses.confirm(signed_in(request, services), preuve)
    return _kept(request, offers=kept.offers)


def _kept(request: Request, *, offers: bool) -> Response:
    process_of(request).on_enqueue()
    return (
        RedirectResponse("/compte/reunir?fait=confirmee", status_code=303) if offers else _back("confirmee")
    )


def _own_addresses_page(
    request: Request, services: Services, *, done: str = "", trouble: Trouble | None = None
) -> HTMLResponse:
    who = signed_in(request, services)
    mine: Sequence[OwnAddress] = services.own_addresses.list_of(who.person.id)
    waiting: Sequence[Challenge] = services.own_addresses.waiting(who.person.id)
    return page(
        request,
        "accounts/addresses.html",
        private=True,
        status=status_for(trouble.sentence if trouble else ""),
        proved=[each for each in mine if each.verified_at],
        listed=[each for each in mine if not each.verified_at],
        waiting=[(each.id, str(each.facts["address"])) for each in waiting],
        zone=process_of(request).settings.time_zone,
        letters_leave=process_of(request).mailer is not None,
        trouble=trouble or Trouble(),
        done=done,
    )


def _back(done: str) -> RedirectResponse:
    return RedirectResponse(f"/compte/adresses?fait={done}", status_code=303)
