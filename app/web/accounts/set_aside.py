"""What was being done when a proof was missing: kept meanwhile, and found again by what the confirming page carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request
from starlette.datastructures import FormData, UploadFile

from app.domain.accounts.set_aside import WaitingFile, WaitingForm
from app.http.pages.forms import FIELD
from app.http.pages.kept_files import TOKEN_FIELD
from app.http.pages.locale import safe_path
from app.http.request_scope import deed, process_of, signed_in

# Typed again rather than kept.
_NEVER_KEPT = (FIELD, TOKEN_FIELD, "mot-de-passe")


@dataclass(frozen=True)
class Waiting:
    """An address to look at, or with a token a form as it was filled in."""

    path: str
    fields: Sequence[tuple[str, str]] = ()
    token: str = ""
    has_files: bool = False

    @property
    def carried(self) -> str:
        """What a page, or a way through another service, brings back to find it again."""
        return self.token or self.path


def typed_in(form: FormData) -> list[tuple[str, str]]:
    items = form.multi_items()
    return [(name, value) for name, value in items if isinstance(value, str) and name not in _NEVER_KEPT]


def keep(request: Request, form: FormData) -> Waiting:
    """The form that was sent to this very address."""
    typed = typed_in(form)
    chosen = [
        (name, value)
        for name, value in form.multi_items()
        if isinstance(value, UploadFile) and value.filename
    ]
    files = [
        WaitingFile(name, each.filename or "", each.content_type or "", each.file.read())
        for name, each in chosen
    ]
    waiting = WaitingForm(request.url.path, typed, files)
    with deed(request) as services:
        token = services.set_aside.keep(waiting, signed_in(request, services).person.id)
    return Waiting(waiting.path, typed, token, bool(files))


def found(request: Request, carried: str) -> Waiting:
    """Whatever is neither a form of that person's nor an address of ours leads to the home page."""
    if carried.startswith("/"):
        return Waiting(safe_path(carried, request))
    with process_of(request).visit(reading=True) as services:
        kept = services.set_aside.find(carried, signed_in(request, services).person.id)
    return Waiting(kept.path, kept.fields, carried, bool(kept.files)) if kept else Waiting("/")
