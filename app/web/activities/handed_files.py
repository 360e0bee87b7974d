"""Files handed in with a form, and handed out again: saved and never shown, but for previews that we made ourselves."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import Request, Response
from starlette.datastructures import FormData, UploadFile

from app.domain.activities.files import FileState, StoredFile, TakenFile
from app.errors import InvalidInput
from app.http.pages.forms import text_of
from app.http.pages.typography import say
from app.http.pages.words import Word
from app.http.request_scope import process_of
from app.language import N_
from app.services.activities.files import OpenedFile

_APART = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
STATES = {
    FileState.WAITING: Word(N_("en attente d’analyse"), "past"),
    FileState.REFUSED: Word(N_("refusé par l’antivirus"), "bad"),
}


@dataclass(frozen=True)
class FileShown:
    """`href` and `preview` are empty while it may not be opened."""

    id: uuid.UUID
    name: str
    words: str
    size: int
    digest: str
    href: str
    preview: str
    state: Word | None

    @staticmethod
    def of(file: StoredFile, folder: str) -> FileShown:
        href = f"{folder}/{file.id}" if file.is_open else ""
        return FileShown(
            file.id,
            file.name,
            file.words,
            file.size,
            file.digest,
            href,
            f"{href}/apercu" if href and file.is_picture else "",
            STATES.get(file.state),
        )


def files_shown(files: Iterable[StoredFile], folder: str) -> list[FileShown]:
    return [FileShown.of(file, folder) for file in files]


def handed_in(request: Request, form: FormData, field: str, *, words: str = "") -> list[TakenFile]:
    """The files of one field, looked at and cleaned; the first one that is refused is named.

    To be called before any writing transaction: it takes a second for a large photo.
    """
    intake, told = process_of(request).intake, text_of(form, words) if words else ""
    chosen = [each for each in form.getlist(field) if isinstance(each, UploadFile) and each.filename]
    taken = []
    for each in chosen:
        name = each.filename or ""
        try:
            taken.append(intake.take(name, each.file.read(), words=told))
        except InvalidInput as error:
            if len(chosen) == 1:
                raise
            raise InvalidInput(
                N_("« {name} » : {why} Aucun des fichiers n’a été gardé."),
                name=name[:120],
                why=say(error.sentence).format(**error.values),
            ) from error
    return taken


def saved(opened: OpenedFile) -> Response:
    """No browser here runs or draws what somebody else sent."""
    disposition = f"attachment; filename*=UTF-8''{quote(opened.file.name, safe='')}"
    return Response(
        opened.content,
        media_type="application/octet-stream",
        headers={"Content-Disposition": disposition, **_APART},
    )


def previewed(preview: bytes) -> Response:
    return Response(preview, media_type="image/jpeg", headers=_APART)
