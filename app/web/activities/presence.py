"""What a phone is shown where people sign in by themselves: small pages, no account, nothing typed is lost."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Process, Services
from app.domain.activities.participant_lists import ListedPerson
from app.domain.activities.rooms import (
    NoSuchCode,
    OldTicket,
    Ticket,
    new_phone,
    phone_in,
    read_room_code,
    read_ticket,
    sealed_phone,
    sealed_ticket,
)
from app.domain.people.people import is_address, normal_address
from app.domain.privacy.consents import About, wording_of
from app.errors import AppError
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.policies import public
from app.http.request_scope import AT_ANY_CAMPUS, ReadingServices, deed, limited, process_of, status_of
from app.http.workplaces import look_of, sentence_of
from app.language import N_
from app.services.activities.rooms import Door, Namesake, Signed

PHONE_LIFE = 24 * 3600
UNDER_15, FROM_15 = "moins", "plus"
_SIGNED = {
    Signed.NEW: N_("Votre présence est notée."),
    Signed.LISTED: N_("Votre nom était déjà sur la liste : votre présence est notée."),
    Signed.WAITING: N_(
        "Votre présence est notée. Plusieurs personnes ont peut-être votre nom : la personne qui anime dira qui vous êtes, vous n’avez rien à faire."
    ),
    Signed.AGAIN: N_("C’était déjà noté : rien n’a changé."),
    Signed.ELSEWHERE: N_("Votre présence était déjà notée, depuis un autre téléphone : rien n’a changé."),
}
_NO_COOKIE = N_(
    "Ce téléphone n’a pas gardé le témoin (cookie) qui fait qu’il ne signe qu’une fois. Acceptez-le et lisez le code à nouveau, ou dites votre nom à la personne qui anime."
)
router = APIRouter(prefix="/presence", dependencies=[AT_ANY_CAMPUS])


@dataclass(frozen=True)
class Typed:
    """The form as it was filled in."""

    given_name: str = ""
    family_name: str = ""
    address: str = ""
    age: str = ""
    agrees: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(form: FormData) -> Typed:
        typed = Typed(
            text_of(form, "prenom"),
            text_of(form, "nom"),
            text_of(form, "adresse"),
            text_of(form, "age"),
            text_of(form, "accord") == "oui",
        )
        return replace(typed, errors=typed.faults())

    def faults(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if not self.given_name:
            found["prenom"] = say(N_("Il manque votre prénom."))
        if not self.family_name:
            found["nom"] = say(N_("Il manque votre nom."))
        if self.address and not is_address(normal_address(self.address)):
            found["adresse"] = say(
                N_("Cette adresse n’est pas valable. Corrigez-la, ou laissez la case vide.")
            )
        if self.age not in (UNDER_15, FROM_15):
            found["age"] = say(N_("Choisissez votre âge."))
        if not self.agrees:
            found["accord"] = say(N_("Sans votre accord, rien ne peut être noté."))
        return found

    @property
    def line(self) -> ListedPerson:
        return ListedPerson(
            1,
            given_name=" ".join(self.given_name.split()),
            family_name=" ".join(self.family_name.split()),
            address=normal_address(self.address),
            under_15=self.age == UNDER_15,
        )


@dataclass(frozen=True)
class DoorView:
    title: str
    campus: str
    place: str
    starts_on: date
    ends_on: date

    @staticmethod
    def of(door: Door) -> DoorView:
        activity = door.activity
        return DoorView(
            activity.title, door.campus.name, activity.place, activity.starts_on, activity.ends_on
        )


@router.get("", dependencies=[limited("presence")])
@public
def ask_code(request: Request, code: str = "") -> Response:
    if not code:
        return _code_page(request)
    try:
        return RedirectResponse(f"/presence/{read_room_code(code)}", status_code=303)
    except NoSuchCode as error:
        return _code_page(request, code, error)


@router.get("/{code}", dependencies=[limited("presence")])
@public
def enter(code: str, request: Request, services: ReadingServices) -> Response:
    """What the code on the wall leads to."""
    process = process_of(request)
    phone = _phone(request, process) or new_phone()
    try:
        door = services.rooms.door(code, phone)
    except NoSuchCode as error:
        return _code_page(request, code, error)
    if door.signed_as:
        return _done_page(request, door, Signed.AGAIN)
    ticket = Ticket(door.room.id, phone, services.clock())
    answer = _form_page(request, process, door, ticket, Typed())
    answer.set_cookie(
        phone_cookie(process),
        sealed_phone(process.secret, phone),
        max_age=PHONE_LIFE,
        path="/",
        secure=process.settings.base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


@router.post("", dependencies=[limited("presence")])
@public
def sign(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """One press, or ten on a bad network: what is noted is noted once."""
    process, typed, code = process_of(request), Typed.of(form), text_of(form, "code")
    try:
        ticket = _ticket(process, services, form, code)
        door = services.rooms.door_of(ticket)
    except (NoSuchCode, OldTicket) as error:
        return _code_page(request, code, error)
    if _phone(request, process) != ticket.phone:
        return _form_page(request, process, door, ticket, typed, say(_NO_COOKIE), status=409)
    if typed.errors:
        return _form_page(request, process, door, ticket, typed, status=422)
    try:
        with deed(request) as writing:
            door, signed = writing.rooms.sign(ticket, typed.line, namesake=text_of(form, "homonyme"))
    except AppError as error:
        return _form_page(
            request,
            process,
            door,
            ticket,
            typed,
            sentence_of(error),
            status=status_of(error),
            asks_who=isinstance(error, Namesake),
            asks_code=isinstance(error, OldTicket),
        )
    return _done_page(request, door, signed, has_address=bool(typed.address))


def _ticket(process: Process, services: Services, form: FormData, code: str) -> Ticket:
    """The ticket of the form; a newer one where the code on the wall was typed again."""
    ticket = read_ticket(process.secret, text_of(form, "billet"))
    if not code:
        return ticket
    door = services.rooms.door(code, ticket.phone)
    return Ticket(door.room.id, ticket.phone, services.clock())


def _phone(request: Request, process: Process) -> str | None:
    return phone_in(process.secret, request.cookies.get(phone_cookie(process), ""))


def phone_cookie(process: Process) -> str:
    """`__Host-` binds the cookie to this host; plain http on localhost cannot carry it."""
    return "__Host-phone" if process.settings.base_url.startswith("https:") else "phone"


def _form_page(
    request: Request,
    process: Process,
    door: Door,
    ticket: Ticket,
    typed: Typed,
    trouble: str = "",
    *,
    status: int = 200,
    asks_who: bool = False,
    asks_code: bool = False,
) -> HTMLResponse:
    answer = page(
        request,
        "activities/presence/form.html",
        campus=look_of(door.campus),
        status=status,
        door=DoorView.of(door),
        ticket=sealed_ticket(process.secret, ticket),
        form=typed,
        trouble=trouble,
        asks_who=asks_who,
        asks_code=asks_code,
        agreement=say(wording_of(About.ROOM)),
        ages=(
            (FROM_15, say(N_("15 ans ou plus")), ""),
            (UNDER_15, say(N_("Moins de 15 ans")), ""),
        ),
    )
    return _private(answer)


def _done_page(request: Request, door: Door, signed: Signed, *, has_address: bool = False) -> HTMLResponse:
    answer = page(
        request,
        "activities/presence/done.html",
        campus=look_of(door.campus),
        door=DoorView.of(door),
        sentence=_SIGNED[signed],
        name=door.signed_as,
        has_address=has_address,
    )
    return _private(answer)


def _code_page(request: Request, code: str = "", error: AppError | None = None) -> HTMLResponse:
    answer = page(
        request,
        "activities/presence/code.html",
        status=status_of(error) if error else 200,
        code=code[:20],
        trouble=sentence_of(error) if error else "",
    )
    return _private(answer)


def _private(answer: HTMLResponse) -> HTMLResponse:
    # Not "no-store": a browser that goes back after an outage then still has what was typed. Not "no-referrer":
    # older phones would send the form with the origin "null", which nothing here tells from a stranger's.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
