"""Files that a holder shows with a badge: a line of the log opened as a whole, and the page of the badge with it."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Response

from app.http.policies import public
from app.http.request_scope import ReadingServices
from app.web.activities.handed_files import previewed, saved

router = APIRouter(prefix="/preuves/{award_id:uuid}")


@router.get("/pieces/{number:int}")
@public
def save_shown_file(award_id: uuid.UUID, number: int, services: ReadingServices) -> Response:
    file_id = services.shown_files.find(award_id, number)
    services.enter_campus_of(award_id)
    return saved(services.files.open_any(file_id))


@router.get("/pieces/{number:int}/apercu")
@public
def preview_shown_file(award_id: uuid.UUID, number: int, services: ReadingServices) -> Response:
    file_id = services.shown_files.find(award_id, number)
    services.enter_campus_of(award_id)
    return previewed(services.files.preview_any(file_id))


@router.get("/photos/{piece_id:uuid}/apercu")
@public
def preview_photo(award_id: uuid.UUID, piece_id: uuid.UUID, services: ReadingServices) -> Response:
    record = services.publication.open_award(award_id)
    services.enter_campus_of(award_id)
    services.shown_files.check_photo(record, piece_id)
    return previewed(services.files.preview_any(piece_id))
