"""Check-in by participants themselves: the pages of their phones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from threading import Lock
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.container import Process, Services
from app.domain.activities import is_of_lycee_alone
from app.domain.activities.check_in import (
    LATE,
    MOST_REMEMBERED,
    REMEMBERED_FOR,
    NoSuchCode,
    OldTicket,
    Ticket,
    new_phone,
    phone_in,
    read_check_in_code,
    read_ticket,
    sealed_phone,
    sealed_ticket,
)
from app.domain.activities.listed_people import ListedPerson
from app.domain.people import AgeGroup, Person, is_address, normal_address
from app.domain.people.consents import About, wording_of
from app.errors import AppError
from app.http.pages.forms import CHECKED_FORM, SafeForm, address_in, is_in_doubt, name_in, text_of
from app.http.pages.render import page
from app.http.request_scope import (
    CROSS_TENANT,
    SECRETS_SEPARATOR,
    ReadingServices,
    cookie_name,
    delete_cookie,
    limited,
    process_of,
    public,
    sentence_of,
    set_cookie,
    status_of,
    visit,
    write_transaction,
)
from app.http.static_files import edition, files
from app.http.workplaces import look_of
from app.language import N_, translated
from app.services.activities.check_in import CheckInAccess, Namesake, Signed

PHONE_LIFE = 24 * 3600
_TURNS = tuple(Lock() for _ in range(64))
"""By check-in: its phones write one after the other, and hold no connection while they wait."""
UNDER_15, FROM_15, ADULT = "moins", "plus", "majeur"
_AGE_GROUPS = {UNDER_15: AgeGroup.UNDER_15, FROM_15: AgeGroup.FROM_15, ADULT: AgeGroup.ADULT}
REMEMBER, AS_REMEMBERED = "souvenir", "connu"
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
_FORGOTTEN = N_("Ce téléphone ne vous reconnaît plus. Tapez votre nom.")
presence_router = APIRouter(prefix="/presence", dependencies=[CROSS_TENANT])
short_router = APIRouter(prefix="/s", dependencies=[CROSS_TENANT])
"""What the QR code and the projected short address lead to."""


@dataclass(frozen=True)
class CheckInForm:
    """The submitted form."""

    given_name: str = ""
    family_name: str = ""
    address: str = ""
    age: str = ""
    agrees: bool = False
    remember: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @staticmethod
    def of(request: Request, form: FormData) -> CheckInForm:
        given, family = name_in(request, form, is_own=True)
        typed = CheckInForm(
            given,
            family,
            address_in(request, form),
            text_of(form, "age"),
            text_of(form, "accord") == "oui",
            text_of(form, REMEMBER) == "oui",
        )
        return replace(typed, errors=typed.faults())

    def faults(self) -> dict[str, str]:
        found: dict[str, str] = {}
        if not self.given_name:
            found["prenom"] = translated("Il manque votre prénom.")
        if not self.family_name:
            found["nom"] = translated("Il manque votre nom.")
        if self.address and not is_address(normal_address(self.address)):
            found["adresse"] = translated(
                "Cette adresse n’est pas valable. Corrigez-la, ou laissez la case vide."
            )
        if self.age not in _AGE_GROUPS:
            found["age"] = translated("Choisissez votre âge.")
        if not self.agrees:
            found["accord"] = translated("Sans votre accord, rien ne peut être noté.")
        return found

    @property
    def remembers(self) -> bool:
        """Below 15 a parent would have to agree."""
        return self.remember and self.age in (FROM_15, ADULT)

    @property
    def name(self) -> str:
        return " ".join(f"{self.given_name} {self.family_name}".split())

    @property
    def line(self) -> ListedPerson:
        return ListedPerson(
            1,
            given_name=" ".join(self.given_name.split()),
            family_name=" ".join(self.family_name.split()),
            address=normal_address(self.address),
            age_group=_AGE_GROUPS.get(self.age),
        )


@dataclass(frozen=True)
class CheckInAccessView:
    title: str
    campus: str
    place: str
    starts_on: date
    ends_on: date

    @staticmethod
    def of(access: CheckInAccess) -> CheckInAccessView:
        activity = access.activity
        return CheckInAccessView(
            activity.title, access.campus.name, activity.place, activity.starts_on, activity.ends_on
        )


@presence_router.get("", dependencies=[limited("presence")])
@public
def ask_code(request: Request, code: str = "") -> Response:
    if not code:
        return _code_page(request)
    try:
        return RedirectResponse(f"/presence/{read_check_in_code(code)}", status_code=303)
    except NoSuchCode as error:
        return _code_page(request, code, error)


@presence_router.get("/hors-ligne", dependencies=[limited("presence")])
@public
def offline(request: Request) -> Response:
    """What a phone that was here once shows while it has no network; the same for everybody."""
    return _phone_page(request, "activities/presence/offline.html")


@presence_router.get("/hors-ligne.js")
@public
def offline_worker() -> Response:
    """The service worker of the check-in alone: its scope is /presence; a new edition replaces it."""
    script = f'const EDITION = "{edition()}";\n'.encode() + files()["js/check_in_worker.js"].body
    headers = {"Cache-Control": "no-cache", "Service-Worker-Allowed": "/presence"}
    return Response(script, media_type="text/javascript", headers=headers)


@presence_router.get("/feuille/{token}", dependencies=[limited("presence")])
@public
def from_sheet(token: str, request: Request, services: ReadingServices) -> Response:
    """The code printed on an attendance sheet leads to the one projected now."""
    try:
        return RedirectResponse(f"/presence/{services.attendance_sheets.code_now(token)}", status_code=303)
    except NoSuchCode as error:
        return _code_page(request, "", error)


@short_router.get("/{code}", dependencies=[limited("presence")])
@presence_router.get("/{code}", dependencies=[limited("presence")])
@public
def enter(code: str, request: Request) -> Response:
    """Entry page for the displayed code."""
    process = process_of(request)
    phone = phone_of(request, process) or new_phone()
    try:
        with visit(request, reading=True) as services:
            access = services.rooms.access(code, phone)
            person = services.rooms.remembered(access.campus, _remembered_secrets(request, process))
    except NoSuchCode as error:
        return _code_page(request, code, error)
    ticket = Ticket(access.room.id, phone, process.clock())
    if access.signed_as:
        return _done_page(request, access, ticket, Signed.AGAIN)
    answer = _form_page(request, process, access, ticket, CheckInForm(), remembered=person)
    set_cookie(answer, process, phone_cookie(process), sealed_phone(process.secret, phone), PHONE_LIFE)
    return answer


@presence_router.post("", dependencies=[limited("presence")])
@public
def sign(request: Request, form: SafeForm) -> Response:
    """Idempotent: repeated submissions are recorded once.

    Handlers here open their connections themselves, one at a time: 200 phones that held one while waiting for
    a thread or for another connection would block each other.
    """
    process, typed, code = process_of(request), CheckInForm.of(request, form), text_of(form, "code")
    is_remembered, person = bool(text_of(form, AS_REMEMBERED)), None
    try:
        with visit(request, reading=True) as services:
            ticket = _ticket(process, services, form, code)
            access = services.rooms.access_of(ticket)
            if is_remembered:
                person = services.rooms.remembered(access.campus, _remembered_secrets(request, process))
    except (NoSuchCode, OldTicket) as error:
        return _code_page(request, code, error)
    if phone_of(request, process) != ticket.phone:
        return _form_page(request, process, access, ticket, typed, translated(_NO_COOKIE), status=409)
    if is_remembered and person is None:
        return _form_page(request, process, access, ticket, CheckInForm(), translated(_FORGOTTEN), status=409)
    if person is None and (typed.errors or is_in_doubt(request)):
        return _form_page(request, process, access, ticket, typed, status=422)
    line = (
        ListedPerson(1, given_name=person.given_name, family_name=person.family_name)
        if person
        else typed.line
    )
    elapsed = None if code else _elapsed(form)
    secret = ""
    try:
        with _TURNS[ticket.room_id.int % len(_TURNS)], write_transaction(request) as writing:
            access, signed = writing.rooms.sign(
                ticket, line, namesake=text_of(form, "homonyme"), elapsed=elapsed, remembered=person
            )
            if typed.remembers and access.person_id and signed in (Signed.NEW, Signed.LISTED):
                secret = writing.rooms.remember(access.campus, access.person_id)
    except AppError as error:
        return _form_page(
            request,
            process,
            access,
            ticket,
            typed,
            sentence_of(error),
            status=status_of(error),
            asks_who=isinstance(error, Namesake),
            asks_code=isinstance(error, OldTicket),
            remembered=person,
        )
    answer = _done_page(
        request,
        access,
        ticket,
        signed,
        name=person.name if person else typed.name,
        has_address=bool(typed.address),
        remembers=bool(secret),
    )
    if secret:
        secrets = [secret, *_remembered_secrets(request, process)][:MOST_REMEMBERED]
        set_cookie(
            answer,
            process,
            remembered_cookie(process),
            SECRETS_SEPARATOR.join(secrets),
            int(REMEMBERED_FOR.total_seconds()),
        )
    return answer


@presence_router.post("/reprendre", dependencies=[limited("presence")])
@public
def take_back(request: Request, form: SafeForm) -> Response:
    """The person takes back their presence and their agreement, from the phone that signed."""
    process = process_of(request)
    try:
        ticket = read_ticket(process.secret, text_of(form, "billet"))
        with visit(request, reading=True) as services:
            access = services.rooms.access_of(ticket)
    except (NoSuchCode, OldTicket) as error:
        return _code_page(request, "", error)
    if phone_of(request, process) != ticket.phone:
        return _form_page(request, process, access, ticket, CheckInForm(), translated(_NO_COOKIE), status=409)
    with write_transaction(request) as writing:
        writing.rooms.take_back(ticket)
    return _phone_page(
        request,
        "activities/presence/taken_back.html",
        campus=look_of(access.campus),
        access=CheckInAccessView.of(access),
    )


@presence_router.post("/oublier", dependencies=[limited("presence"), CHECKED_FORM])
@public
def forget_phone(request: Request) -> Response:
    process = process_of(request)
    with write_transaction(request) as writing:
        writing.rooms.forget(_remembered_secrets(request, process))
    answer = _code_page(request, forgot=True)
    delete_cookie(answer, process, remembered_cookie(process))
    return answer


def _elapsed(form: FormData) -> timedelta | None:
    """From the scan to the signature, as the phone counted; only a script sends it."""
    seconds = text_of(form, "ecoule")
    if not (seconds.isascii() and seconds.isdecimal() and len(seconds) < 7):
        return None
    return timedelta(seconds=int(seconds))


def _remembered_secrets(request: Request, process: Process) -> list[str]:
    cookie = request.cookies.get(remembered_cookie(process), "")
    return [each for each in cookie.split(SECRETS_SEPARATOR) if each][:MOST_REMEMBERED]


def _ticket(process: Process, services: Services, form: FormData, code: str) -> Ticket:
    """The ticket of the form; a newer one where the displayed code was typed again."""
    ticket = read_ticket(process.secret, text_of(form, "billet"))
    if not code:
        return ticket
    access = services.rooms.access(code, ticket.phone)
    return Ticket(access.room.id, ticket.phone, services.clock())


def phone_of(request: Request, process: Process) -> str | None:
    return phone_in(process.secret, request.cookies.get(phone_cookie(process), ""))


def phone_cookie(process: Process) -> str:
    return cookie_name(process, "phone")


def remembered_cookie(process: Process) -> str:
    return cookie_name(process, "known-phone")


def _form_page(
    request: Request,
    process: Process,
    access: CheckInAccess,
    ticket: Ticket,
    typed: CheckInForm,
    trouble: str = "",
    *,
    status: int = 200,
    asks_who: bool = False,
    asks_code: bool = False,
    remembered: Person | None = None,
) -> HTMLResponse:
    return _phone_page(
        request,
        "activities/presence/form.html",
        campus=look_of(access.campus),
        status=status,
        access=CheckInAccessView.of(access),
        ticket=sealed_ticket(process.secret, ticket),
        age=max(0, int((process.clock() - ticket.given_at).total_seconds())),
        remembered=remembered.name if remembered else "",
        form=typed,
        trouble=trouble,
        asks_who=asks_who,
        asks_code=asks_code,
        agreement=translated(wording_of(About.ROOM)),
        ages=(
            (UNDER_15, translated("Moins de 15 ans"), ""),
            (FROM_15, translated("De 15 à 17 ans"), ""),
            (
                ADULT,
                translated("18 ans ou plus"),
                ""
                if not access.activity.is_for_pupils or is_of_lycee_alone(access.activity.audience)
                else translated("La personne qui anime le notera dans votre fiche."),
            ),
        ),
    )


def _done_page(
    request: Request,
    access: CheckInAccess,
    ticket: Ticket,
    signed: Signed,
    *,
    name: str = "",
    has_address: bool = False,
    remembers: bool = False,
) -> HTMLResponse:
    """`name` as typed: a record found under an approximate name does not disclose its spelling."""
    process = process_of(request)
    return _phone_page(
        request,
        "activities/presence/done.html",
        campus=look_of(access.campus),
        access=CheckInAccessView.of(access),
        ticket=sealed_ticket(process.secret, ticket),
        sentence=_SIGNED[signed],
        name=name,
        may_take_back=bool(access.signed_as),
        has_address=has_address,
        remembers=remembers or bool(_remembered_secrets(request, process)),
    )


def _code_page(
    request: Request, code: str = "", error: AppError | None = None, *, forgot: bool = False
) -> HTMLResponse:
    return _phone_page(
        request,
        "activities/presence/code.html",
        status=status_of(error) if error else 200,
        code=code[:20],
        trouble=sentence_of(error) if error else "",
        forgot=forgot,
        remembers=bool(_remembered_secrets(request, process_of(request))) and not forgot,
    )


def _phone_page(request: Request, template: str, **shown: Any) -> HTMLResponse:
    answer = page(request, template, outbox_hours=int(LATE.total_seconds()) // 3600, **shown)
    # Not "no-store": a browser that goes back after an outage then still has the typed text. Not
    # "no-referrer": older phones would send the form with the origin "null", indistinguishable here from a
    # cross-site form.
    answer.headers["Cache-Control"] = "private, no-cache"
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
