"""A form that was sent when the session was over: kept for its person in this browser, and shown again to be confirmed."""

from __future__ import annotations

import re
import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from app.domain.set_aside import LIFE, LONGEST_TYPED, WaitingForm
from app.errors import AppError
from app.request_scope import client_network, find_signed_in, process_of, visit
from app.web import set_aside
from app.web.error_pages import kept_form_page
from app.web.forms import FIELD, CsrfTokens, form_sent, untouched_text_of
from app.web.kept_files import TOKEN_FIELD
from app.web.render import page
from app.web.set_aside import Waiting, typed_in
from app.web.workplaces import SIGNED_IN
from app.wiring import Process

router = APIRouter(prefix="/confirmer", dependencies=[SIGNED_IN])
SHOWN_AT = "/confirmer/formulaire"
_CODE = re.compile(r"[a-z0-9_:.-]{1,40}")


def kept_form_cookie(process: Process) -> str:
    """What it holds opens the seal: the form is found in this browser alone."""
    return "__Host-formulaire" if process.settings.base_url.startswith("https:") else "formulaire"


async def ask_to_sign_in_again(request: Request) -> Response | None:
    """None where nothing could be kept: no page of ours sent it, its person is signed in, or it is empty or too long."""
    if request.method != "POST":
        return None
    try:
        form = await form_sent(request)
        return await run_in_threadpool(_keep, request, form)
    except (AppError, HTTPException):
        return None


def _keep(request: Request, form: FormData) -> Response | None:
    tokens: CsrfTokens = request.app.state.csrf
    owner = tokens.owner_of(untouched_text_of(form, FIELD))
    if owner is None:
        return None
    with visit(request, reading=True) as services:
        if find_signed_in(request, services) is not None:
            return None
    process = process_of(request)
    process.limiter.hit("form kept", client_network(request))
    token = _token_for(request, form, owner)
    if not token:
        return None
    files = any(isinstance(value, UploadFile) and value.filename for _, value in form.multi_items())
    answer = kept_form_page(request, SHOWN_AT, files=files)
    answer.set_cookie(
        kept_form_cookie(process),
        token,
        max_age=int(LIFE.total_seconds()),
        path="/",
        secure=process.settings.base_url.startswith("https:"),
        httponly=True,
        samesite="lax",
    )
    return answer


def _token_for(request: Request, form: FormData, owner: uuid.UUID) -> str:
    """Files are never kept for somebody who is not signed in."""
    with process_of(request).visit() as services:
        if request.url.path.startswith("/confirmer/"):
            waits = untouched_text_of(form, TOKEN_FIELD)
            return waits if services.set_aside.find(waits, owner) else ""
        typed = typed_in(form)
        length = sum(len(name) + len(value.encode("utf-8", "replace")) for name, value in typed)
        if not any(value.strip() for _, value in typed) or length > LONGEST_TYPED:
            return ""
        return services.set_aside.keep(WaitingForm(request.url.path, typed), owner)


@router.get("/formulaire")
def show(request: Request) -> HTMLResponse:
    """To be confirmed by its person: nothing is sent by looking at it, whoever led here."""
    token = request.cookies.get(kept_form_cookie(process_of(request)), "")
    waiting = set_aside.found(request, token or "/")
    if not waiting.token:
        waiting = Waiting("/")
    told = [value for _, value in waiting.fields if _is_words(value)]
    return page(
        request,
        "signing_in/typed_again.html",
        private=True,
        status=200 if waiting.token else 404,
        waiting=waiting,
        told=told,
    )


def _is_words(value: str) -> bool:
    """What somebody typed, and not what a page knows choices, boxes, days and rows by."""
    return bool(value.strip()) and _CODE.fullmatch(value) is None
