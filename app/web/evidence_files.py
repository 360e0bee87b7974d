"""Files that a holder shows with a badge: a line of the log opened as a whole, and the page of the badge with it."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Response

from app.policies import public
from app.request_scope import ReadingServices
from app.web.handed_files import previewed, saved

router = APIRouter(prefix="/preuves/{award_id:uuid}/pieces/{number:int}")


@router.get("")
@public
def save_shown_file(award_id: uuid.UUID, number: int, services: ReadingServices) -> Response:
    file_id = services.shown_files.find(award_id, number)
    services.enter_campus_of(award_id)
    return saved(services.files.open_any(file_id))


@router.get("/apercu")
@public
def preview_shown_file(award_id: uuid.UUID, number: int, services: ReadingServices) -> Response:
    file_id = services.shown_files.find(award_id, number)
    services.enter_campus_of(award_id)
    return previewed(services.files.preview_any(file_id))
