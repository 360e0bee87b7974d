"""A signing key is retired: because the next takes its turn, or because somebody else may have had it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.campus.keys import KeyPurpose, KeyState, may_be_retired
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, text_of
from app.http.pages.render import page
from app.http.pages.words import KEY_STATES
from app.http.request_scope import ReadingServices, deed
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_

router = APIRouter(prefix="/gestion/{slug}/cles/{key_id}/retirer")
ROTATION, STOLEN = "relais", "volee"


@dataclass(frozen=True)
class Typed:
    cause: str = ROTATION
    since: str = ""
    reason: str = ""


@router.get("", dependencies=[staff(Deed.MANAGE)])
def ask(key_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    if not may_be_retired(services.campus_keys.get(work.campus, key_id)):
        raise Conflict(N_("Cette clé est déjà retirée, et elle ne revient pas."))
    return _page(request, services, work, key_id, Typed())


@router.post("", dependencies=[staff(Deed.MANAGE)])
def retire(key_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work = at_work(request)
    typed = Typed(text_of(form, "cause"), text_of(form, "depuis"), text_of(form, "motif"))
    try:
        since = _moment(typed.since, work) if typed.cause == STOLEN else None
        with deed(request) as writing:
            writing.campus_keys.retire(
                work.campus, key_id, reason=typed.reason, stolen_since=since, by=work.actor
            )
    except (InvalidInput, Conflict) as error:
        return _page(request, services, work, key_id, typed, sentence_of(error))
    return RedirectResponse(f"{work.home}#etat", status_code=303)


def _moment(typed: str, work: AtWork) -> datetime:
    """On the campus's clocks."""
    try:
        moment = datetime.fromisoformat(typed)
    except ValueError as error:
        raise InvalidInput(N_("Donnez le jour et l’heure depuis lesquels la clé n’est plus sûre.")) from error
    return moment.replace(tzinfo=ZoneInfo(work.campus.time_zone)).astimezone(UTC)


def _page(
    request: Request, services: Services, work: AtWork, key_id: uuid.UUID, typed: Typed, trouble: str = ""
) -> HTMLResponse:
    key = services.campus_keys.get(work.campus, key_id)
    return page(
        request,
        "campus/desk/retire_key.html",
        campus=work.look,
        private=True,
        status=422 if trouble else 200,
        home=work.home,
        zone=work.campus.time_zone,
        method_id=key.method_id,
        # A key that gave way before has no turn to pass on: it can only be found stolen.
        gives_way=key.state is KeyState.ACTIVE,
        of_the_log=key.purpose is KeyPurpose.ACTIVITY_LOG,
        state=KEY_STATES[key.state],
        since=key.activated_at or key.created_at,
        typed=typed,
        trouble=trouble,
    )
