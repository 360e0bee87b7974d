"""A room where people sign in by themselves: the trainer's page, the page to project, and what keeps both up to date."""

from __future__ import annotations

import uuid
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from markupsafe import Markup

from app.container import Process, Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.activities import told_apart
from app.domain.activities.rooms import shown_room_code
from app.domain.campus.campus import Campus
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.request_scope import WITH_ORGANISERS, ReadingServices, deed, process_of
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.services.activities.room_signatures import AskedSignature
from app.services.activities.rooms import RoomPage
from app.web.activities.activities import ActivityView
from app.web.activities.qr_pictures import qr_picture
from app.web.people.namesake_words import QuestionView

LOOK_EVERY, LOOKS = 1.0, 25
"""A stream ends after so many looks and the browser opens another: a server that stops waits for nobody."""
OPEN, CLOSE = "ouvrir", "fermer"
ANSWER = "reponse"
TICK, UNTICK, UNTICK_UNSIGNED = "cocher", "decocher", "decocher-non-signes"
router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/salle", dependencies=[WITH_ORGANISERS])


@dataclass(frozen=True)
class SomebodyThere:
    id: uuid.UUID
    name: str
    address: str
    signed_at: datetime | None
    present: bool


@dataclass(frozen=True)
class AskedView:
    """A signature of which somebody has to say whose it is."""

    id: uuid.UUID
    signed_at: datetime
    address: str
    question: QuestionView

    @staticmethod
    def of(asked: AskedSignature) -> AskedView:
        waiting = asked.waiting
        return AskedView(
            waiting.id,
            waiting.signed_at,
            waiting.address,
            QuestionView.of(0, waiting.name, asked.question, asked.signed),
        )


@dataclass(frozen=True)
class RoomView:
    is_open: bool
    was_opened: bool
    capacity: int | None
    closes_at: datetime | None
    code: str
    url: str
    typed_at: str
    """Where to type the code, as one reads it from a wall."""
    picture: Markup
    seconds_left: int
    signed: int
    present: int
    version: str

    @staticmethod
    def of(found: RoomPage, base_url: str) -> RoomView:
        room = found.room
        url = f"{base_url}/presence/{found.code}"
        return RoomView(
            found.is_open,
            room is not None,
            room.capacity if room else None,
            room.closes_at if room else None,
            shown_room_code(found.code),
            url,
            f"{urlsplit(base_url).netloc}/presence",
            qr_picture(url, say(N_("Code QR à lire avec un téléphone"))) if found.code else Markup(),
            found.seconds_left,
            found.pulse.signed + found.pulse.waiting,
            found.pulse.places_taken,
            version_of(found),
        )


def version_of(found: RoomPage) -> str:
    """Another one whenever the pages would look otherwise."""
    places = found.room.capacity if found.room else None
    pulse = found.pulse
    return f"{found.code}.{pulse.signed}.{pulse.present}.{pulse.waiting}.{places or 0}"


@router.get("", dependencies=[staff(Deed.WORK)])
def show_room(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _room_page(request, services, at_work(request), activity_id)


@router.post("", dependencies=[staff(Deed.WORK)])
def open_or_close(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, typed = at_work(request), text_of(form, "places")
    try:
        with deed(request) as writing:
            if text_of(form, "geste") == CLOSE:
                writing.rooms.close(work.campus, activity_id, by=work.actor)
            else:
                writing.rooms.open(work.campus, activity_id, capacity=_places(typed), by=work.actor)
    except InvalidInput as error:
        return _room_page(
            request, services, work, activity_id, typed=typed, trouble=sentence_of(error), status=422
        )
    return RedirectResponse(f"{work.home}/activites/{activity_id}/salle", status_code=303)


def _places(typed: str) -> int | None:
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 6):
        raise InvalidInput(N_("Le nombre de places n’est pas lisible : écrivez 30."))
    return int(typed)


@router.post("/pointage", dependencies=[staff(Deed.WORK)])
def tick(activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Tick or untick one person, or untick everybody on the list who has not signed."""
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    ticked, unticked = texts_of(form, TICK), texts_of(form, UNTICK)
    with deed(request) as writing:
        if text_of(form, "geste") == UNTICK_UNSIGNED:
            unticked = [str(one.id) for one in _unsigned(writing, work.campus, activity_id) if one.present]
        for ids, present in ((ticked, True), (unticked, False)):
            for participation_id in ids_in(ids):
                writing.activities.set_present(
                    work.campus, activity_id, participation_id, present=present, by=work.actor
                )
    return RedirectResponse(f"{work.home}/activites/{activity_id}/salle#liste", status_code=303)


@router.post("/reponse", dependencies=[staff(Deed.WORK)])
def say_who_signed(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """One tap: which of several people of that name it was."""
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    waiting, _, answer = text_of(form, ANSWER).partition(":")
    try:
        with deed(request) as writing:
            for waiting_id in ids_in([waiting]):
                writing.room_signatures.answer(work.campus, activity_id, waiting_id, answer, by=work.actor)
    except InvalidInput as error:
        return _room_page(request, services, work, activity_id, trouble=sentence_of(error), status=422)
    left = services.room_signatures.how_many_wait(work.campus, activity_id)
    place = "laquelle" if left else "liste"
    return RedirectResponse(f"{work.home}/activites/{activity_id}/salle#{place}", status_code=303)


@router.get("/ecran", dependencies=[staff(Deed.WORK)])
def project(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """For everybody's eyes: no name stands on it."""
    work = at_work(request)
    found = services.rooms.page(work.campus, activity_id)
    return page(
        request,
        "activities/rooms/screen.html",
        campus=work.look,
        private=True,
        here=f"{work.home}/activites/{activity_id}/salle",
        activity=ActivityView.of(work, found.activity),
        zone=work.campus.time_zone,
        room=RoomView.of(found, services.addresses.base_url),
    )


@router.get("/suivi", dependencies=[staff(Deed.WORK)])
def follow(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """A word whenever something changed, with nobody's name: the page then asks for itself again."""
    campus = at_work(request).campus
    services.activities.get(campus, activity_id)
    return StreamingResponse(
        _versions(process_of(request), campus, activity_id),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _versions(process: Process, campus: Campus, activity_id: uuid.UUID) -> AsyncIterator[str]:
    told = ""
    for _ in range(LOOKS):
        found = await to_thread(_glance, process, campus, activity_id)
        version = version_of(found)
        if version != told:
            yield f"event: change\ndata: {version}\n\n"
            told = version
        if not found.is_open:
            # Whoever waits for it to be opened asks again now and then.
            yield "retry: 4000\n\n"
            return
        await sleep(LOOK_EVERY)
    yield "retry: 500\n\n"


def _glance(process: Process, campus: Campus, activity_id: uuid.UUID) -> RoomPage:
    with process.visit(reading=True, campus_id=campus.id) as services:
        return services.rooms.glance(campus, activity_id)


def _room_page(
    request: Request,
    services: Services,
    work: AtWork,
    activity_id: uuid.UUID,
    *,
    typed: str = "",
    trouble: str = "",
    status: int = 200,
) -> HTMLResponse:
    found = services.rooms.page(work.campus, activity_id)
    view = RoomView.of(found, services.addresses.base_url)
    return page(
        request,
        "activities/rooms/room.html",
        campus=work.look,
        private=True,
        status=status,
        home=work.home,
        here=f"{work.home}/activites/{activity_id}/salle",
        activity=ActivityView.of(work, found.activity),
        zone=work.campus.time_zone,
        room=view,
        session=found.session,
        places=typed or (str(view.capacity) if view.capacity else ""),
        trouble=trouble,
        signed=[
            SomebodyThere(
                participation.id,
                told_apart(participation, person.name),
                found.addresses.get(person.id, ""),
                entry.signed_at,
                participation.is_present,
            )
            for entry, participation, person in found.entries
        ],
        asked=[AskedView.of(one) for one in found.asked],
        unsigned=_unsigned(services, work.campus, activity_id),
    )


def _unsigned(services: Services, campus: Campus, activity_id: uuid.UUID) -> list[SomebodyThere]:
    return [
        SomebodyThere(
            participation.id, told_apart(participation, person.name), "", None, participation.is_present
        )
        for participation, person in services.rooms.unsigned(campus, activity_id)
    ]
