"""Check-in by participants themselves: trainer's page, projector page, and their live updates."""

from __future__ import annotations

import uuid
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from markupsafe import Markup, escape

from app.container import Process, Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import disambiguated
from app.domain.activities.check_in import ScanCode, shown_check_in_code
from app.domain.campus.campus import Campus
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, ids_in, text_of, texts_of
from app.http.pages.render import page
from app.http.request_scope import (
    WITH_ORGANISERS,
    ReadingServices,
    process_of,
    sentence_of,
    write_transaction,
)
from app.http.workplaces import AtWork, at_work, staff
from app.language import translated
from app.services.activities.check_in import AskedSignature, CheckInPage
from app.web.activities import ActivityView
from app.web.people.record_merge import QuestionView


def qr_picture(text: str, words: str, *, kind: str = "qr") -> Markup:
    """Black on white whatever the page colours, with the white margin that cameras need; `words` is the text
    alternative. `kind` "code-big": the margin overflows, so that the box is the code itself."""
    code, edge = ScanCode.of(text, error="m"), 4
    side = code.size + 2 * edge
    box = (-edge, -edge, side, side) if kind == "qr" else (0, 0, code.size, code.size)
    steps = "".join(f"M{left} {top}h{length}v1h-{length}z" for left, top, length in code.stretches)
    return Markup(
        '<svg class="{}" viewBox="{} {} {} {}" role="img" aria-label="{}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M{} {}h{}v{}h-{}z"/><path fill="#000" d="{}"/></svg>'
    ).format(kind, *box, escape(words), -edge, -edge, side, side, side, steps)


LOOK_EVERY, LOOKS = 1.0, 25
"""A stream ends after this many polls and the browser reconnects, so that shutdown never waits for a
client."""
OPEN, PROJECT, CLOSE = "ouvrir", "projeter", "fermer"
ANSWER = "reponse"
TICK, UNTICK, UNTICK_UNSIGNED = "cocher", "decocher", "decocher-non-signes"
router = APIRouter(prefix="/gestion/{slug}/activites/{activity_id}/salle", dependencies=[WITH_ORGANISERS])


@dataclass(frozen=True)
class PresentPerson:
    id: uuid.UUID
    name: str
    address: str
    signed_at: datetime | None
    present: bool
    received_at: datetime | None = None


@dataclass(frozen=True)
class AskedView:
    """A signature that staff must assign to one of several people."""

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
class CheckInView:
    is_open: bool
    was_opened: bool
    capacity: int | None
    closes_at: datetime | None
    code: str
    url: str
    typed_at: str
    """Short URL without the code, as people read it from a screen."""
    picture: Markup
    projected: Markup
    seconds_left: int
    signed: int
    present: int
    version: str

    @staticmethod
    def of(found: CheckInPage, base_url: str) -> CheckInView:
        room = found.room
        url = f"{base_url}/s/{found.code}"
        words = translated("Code QR à lire avec un téléphone")
        return CheckInView(
            found.is_open,
            room is not None,
            room.capacity if room else None,
            room.closes_at if room else None,
            shown_check_in_code(found.code),
            url,
            f"{urlsplit(base_url).netloc}/s/",
            qr_picture(url, words) if found.code else Markup(),
            qr_picture(url, words, kind="code-big") if found.code else Markup(),
            found.seconds_left,
            found.pulse.signed + found.pulse.waiting,
            found.pulse.places_taken,
            version_of(found),
        )


def version_of(found: CheckInPage) -> str:
    """Changes whenever the content of the pages would change."""
    places = found.room.capacity if found.room else None
    pulse = found.pulse
    return f"{found.code}.{pulse.signed}.{pulse.present}.{pulse.waiting}.{places or 0}"


@router.get("", dependencies=[staff(Permission.WORK)])
def show_check_in(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _room_page(request, services, at_work(request), activity_id)


@router.post("", dependencies=[staff(Permission.WORK)])
def open_or_close(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    work, typed = at_work(request), text_of(form, "places")
    try:
        with write_transaction(request) as writing:
            if text_of(form, "geste") == CLOSE:
                writing.rooms.close(work.campus, activity_id, by=work.actor)
            else:
                writing.rooms.open(work.campus, activity_id, capacity=_places(typed), by=work.actor)
    except InvalidInput as error:
        return _room_page(
            request, services, work, activity_id, typed=typed, places_trouble=sentence_of(error), status=422
        )
    # Closed from the projector, the names must not appear on it.
    is_projected = text_of(form, "geste") == PROJECT or text_of(form, "vue") == "ecran"
    shown = "/ecran" if is_projected else ""
    return RedirectResponse(f"{work.home}/activites/{activity_id}/salle{shown}", status_code=303)


def _places(typed: str) -> int | None:
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 6):
        raise InvalidInput("Le nombre de places n’est pas lisible : écrivez 30.")
    return int(typed)


@router.post("/pointage", dependencies=[staff(Permission.WORK)])
def tick(activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Tick or untick one person, or untick every listed person who has not signed."""
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    ticked, unticked = texts_of(form, TICK), texts_of(form, UNTICK)
    with write_transaction(request) as writing:
        if text_of(form, "geste") == UNTICK_UNSIGNED:
            unticked = [str(one.id) for one in _unsigned(writing, work.campus, activity_id) if one.present]
        for ids, present in ((ticked, True), (unticked, False)):
            for participation_id in ids_in(ids):
                writing.activities.set_present(
                    work.campus, activity_id, participation_id, present=present, by=work.actor
                )
    return RedirectResponse(f"{work.home}/activites/{activity_id}/salle#liste", status_code=303)


@router.post("/reponse", dependencies=[staff(Permission.WORK)])
def say_who_signed(
    activity_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices
) -> Response:
    """Assigns a signature to one of several people with the same name."""
    work = at_work(request)
    services.activities.get(work.campus, activity_id)
    waiting, _, answer = text_of(form, ANSWER).partition(":")
    try:
        with write_transaction(request) as writing:
            for waiting_id in ids_in([waiting]):
                writing.room_signatures.answer(work.campus, activity_id, waiting_id, answer, by=work.actor)
    except InvalidInput as error:
        return _room_page(request, services, work, activity_id, trouble=sentence_of(error), status=422)
    left = services.room_signatures.how_many_wait(work.campus, activity_id)
    place = "laquelle" if left else "liste"
    return RedirectResponse(f"{work.home}/activites/{activity_id}/salle#{place}", status_code=303)


@router.get("/ecran", dependencies=[staff(Permission.WORK)])
def project(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """Public: contains no name."""
    work = at_work(request)
    found = services.rooms.glance(work.campus, activity_id)
    view = CheckInView.of(found, services.addresses.base_url)
    missing = len(services.rooms.unsigned(work.campus, activity_id))
    return page(
        request,
        "activities/rooms/screen.html",
        campus=work.look,
        private=True,
        here=f"{work.home}/activites/{activity_id}/salle",
        activity=ActivityView.of(work, found.activity),
        zone=work.campus.time_zone,
        room=view,
        expected=view.capacity or (view.present + missing if missing else 0),
        counted_at=services.clock(),
    )


@router.get("/suivi", dependencies=[staff(Permission.WORK)])
def follow(activity_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """SSE stream: one event, without names, for each change; the page then reloads its content."""
    campus = at_work(request).campus
    services.activities.get(campus, activity_id)
    return follow_page(partial(_seen, process_of(request), campus, activity_id))


def follow_page(look: Callable[[], tuple[str, bool]]) -> StreamingResponse:
    """SSE stream of what `look` reads: the version of a page, and whether it may still change."""
    return StreamingResponse(
        versions_of(look),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def versions_of(look: Callable[[], tuple[str, bool]]) -> AsyncIterator[str]:
    sent = ""
    for _ in range(LOOKS):
        version, is_open = await to_thread(look)
        if version != sent:
            yield f"event: change\ndata: {version}\n\n"
            sent = version
        if not is_open:
            # A page waiting for its opening polls at this interval.
            yield "retry: 4000\n\n"
            return
        await sleep(LOOK_EVERY)
    yield "retry: 500\n\n"


def _seen(process: Process, campus: Campus, activity_id: uuid.UUID) -> tuple[str, bool]:
    found = _glance(process, campus, activity_id)
    return version_of(found), found.is_open


def _glance(process: Process, campus: Campus, activity_id: uuid.UUID) -> CheckInPage:
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
    places_trouble: str = "",
    status: int = 200,
) -> HTMLResponse:
    found = services.rooms.page(work.campus, activity_id)
    view = CheckInView.of(found, services.addresses.base_url)
    return work.page(
        request,
        "activities/rooms/room.html",
        status=status,
        here=f"{work.home}/activites/{activity_id}/salle",
        activity=ActivityView.of(work, found.activity),
        zone=work.campus.time_zone,
        room=view,
        session=found.session,
        places=typed or (str(view.capacity) if view.capacity else ""),
        trouble=trouble or places_trouble,
        places_trouble=places_trouble,
        signed=[
            PresentPerson(
                participation.id,
                disambiguated(participation, person.name),
                found.addresses.get(person.id, ""),
                entry.signed_at,
                participation.is_present,
                entry.received_at,
            )
            for entry, participation, person in found.entries
        ],
        asked=[AskedView.of(one) for one in found.asked],
        unsigned=_unsigned(services, work.campus, activity_id),
    )


def _unsigned(services: Services, campus: Campus, activity_id: uuid.UUID) -> list[PresentPerson]:
    return [
        PresentPerson(
            participation.id, disambiguated(participation, person.name), "", None, participation.is_present
        )
        for participation, person in services.rooms.unsigned(campus, activity_id)
    ]
