"""Saved views of the registers: of one person, in one campus."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.domain.accounts.permissions import Permission
from app.errors import NotFound
from app.http.pages.forms import SafeForm, text_of
from app.http.request_scope import write_transaction
from app.http.workplaces import at_work, staff
from app.language import N_
from app.services.campus.registers import Register

router = APIRouter(prefix="/gestion/{slug}/vues")


@router.post("", dependencies=[staff(Permission.VIEW)])
def save_view(request: Request, form: SafeForm) -> Response:
    work, name = at_work(request), text_of(form, "liste")
    register = next((each for each in Register if each.value == name), None)
    if register is None:
        raise NotFound(N_("Cette liste n’existe pas."))
    with write_transaction(request) as writing:
        view = writing.saved_views.save(
            work.campus, register, text_of(form, "nom"), text_of(form, "requete"), by=work.actor
        )
    return RedirectResponse(f"{work.home}/{register.value}?{view.query}", status_code=303)


@router.post("/{view_id:uuid}/supprimer", dependencies=[staff(Permission.VIEW)])
def delete_view(view_id: uuid.UUID, request: Request, form: SafeForm) -> Response:  # noqa: ARG001 - its check is the point
    work = at_work(request)
    with write_transaction(request) as writing:
        view = writing.saved_views.delete(work.campus, view_id, by=work.actor)
    return RedirectResponse(f"{work.home}/{view.listing.value}", status_code=303)
