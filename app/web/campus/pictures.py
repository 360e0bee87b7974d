"""The gallery of a campus: its public pictures, and the page where its administrators choose them."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.campus import MOST_PICTURES
from app.errors import Conflict, InvalidInput
from app.http.pages.forms import SafeForm, bytes_of, text_of
from app.http.policies import public
from app.http.request_scope import ReadingServices, write_transaction
from app.http.workplaces import at_work, sentence_of, staff

router = APIRouter(prefix="/gestion/{slug}/images")
public_router = APIRouter(include_in_schema=False)
_MANAGE = [staff(Permission.MANAGE)]
_FIVE_MINUTES = "public, max-age=300"


@public_router.get("/campus/{slug}/images/{picture_id:uuid}")
@public
def show_picture(slug: str, picture_id: uuid.UUID, services: ReadingServices) -> Response:
    """Cached for minutes: one that the campus takes away is gone everywhere soon after."""
    content = services.campus_pictures.content(services.campuses.get(slug), picture_id)
    return _image(content, _FIVE_MINUTES)


def _image(content: bytes, cache: str) -> Response:
    kind = "png" if content.startswith(b"\x89PNG") else "jpeg"
    headers = {"Cache-Control": cache, "Content-Security-Policy": "default-src 'none'; sandbox"}
    return Response(content, media_type=f"image/{kind}", headers=headers)


@router.get("", dependencies=_MANAGE)
def show_gallery(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    return _page(request, services, done=bool(fait))


@router.post("", dependencies=_MANAGE)
def add_picture(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    work, words = at_work(request), text_of(form, "texte")
    try:
        picture = services.campus_pictures.read(
            work.campus,
            bytes_of(form, "fichier") or b"",
            alternative=words,
            agreed=text_of(form, "accord") == "oui",
        )
        with write_transaction(request) as writing:
            writing.campus_pictures.add(work.campus, picture, by=work.actor)
    except (InvalidInput, Conflict) as error:
        return _page(request, services, words=words, error=sentence_of(error))
    return RedirectResponse(f"{work.home}/images?fait=oui", status_code=303)


@router.post("/{picture_id:uuid}/retirer", dependencies=_MANAGE)
def remove_picture(picture_id: uuid.UUID, request: Request, form: SafeForm) -> Response:
    work = at_work(request)
    with write_transaction(request) as services:
        from_reports = text_of(form, "rapports") == "oui"
        services.campus_pictures.remove(work.campus, picture_id, from_reports=from_reports, by=work.actor)
    return RedirectResponse(f"{work.home}/images?fait=oui", status_code=303)


@router.get("/rapports/{digest}", dependencies=_MANAGE)
def show_report_picture(digest: str, request: Request, services: ReadingServices) -> Response:
    return _image(services.campus_pictures.content_in_reports(at_work(request).campus, digest), "no-store")


@router.post("/rapports/{digest}/retirer", dependencies=_MANAGE)
def remove_report_picture(digest: str, request: Request, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    with write_transaction(request) as services:
        services.campus_pictures.remove_from_reports(work.campus, digest, by=work.actor)
    return RedirectResponse(f"{work.home}/images?fait=oui", status_code=303)


def _page(
    request: Request, services: Services, *, words: str = "", error: str = "", done: bool = False
) -> HTMLResponse:
    work = at_work(request)
    pictures = services.campus_pictures.list_of(work.campus)
    return work.page(
        request,
        "campus/pictures.html",
        status=422 if error else 200,
        done=done,
        words=words,
        error=error,
        pictures=[
            (f"/campus/{work.campus.slug}/images/{each.id}", each.alternative, each.id) for each in pictures
        ],
        only_in_reports=services.campus_pictures.only_in_reports(work.campus),
        is_full=len(pictures) >= MOST_PICTURES,
    )
