"""« Verbes xAPI »: which statements of learning platforms become participations, chosen by the campus."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData

from app.domain.accounts.permissions import Permission
from app.domain.activities import PartKind
from app.domain.imports.xapi import COMMON_VERBS
from app.errors import AppError, InvalidInput
from app.http.pages.forms import SafeForm, text_of, texts_of
from app.http.request_scope import ReadingServices, status_of, write_transaction
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_

router = APIRouter(prefix="/gestion/{slug}/reglages/verbes")
_MANAGE = [staff(Permission.MANAGE)]
PARTS = {
    "": N_("Refuser"),
    PartKind.LEARNER.value: N_("Une participation"),
    PartKind.RESOURCE.value: N_("Une participation comme ressource"),
}


@router.get("", dependencies=_MANAGE)
def show_verbs(request: Request, services: ReadingServices, fait: str = "") -> HTMLResponse:
    work = at_work(request)
    return _page(request, work, services.statement_imports.verbs(work.campus), done=bool(fait))


@router.post("", dependencies=_MANAGE)
def choose_verbs(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Each verb of the table with its choice, and one more where it is typed."""
    work, typed = at_work(request), _typed(form)
    chosen = {verb: PartKind(part) for verb, part in typed.items() if part}
    try:
        if not typed:
            raise InvalidInput(N_("Choisissez ce que devient chaque verbe."))
        with write_transaction(request) as writing:
            writing.statement_imports.choose_verbs(work.campus, chosen, by=work.actor)
    except InvalidInput as error:
        known = services.statement_imports.verbs(work.campus)
        return _page(request, work, known, new=text_of(form, "nouveau"), trouble=error)
    return RedirectResponse(f"{work.home}/reglages/verbes?fait=oui", status_code=303)


def _typed(form: FormData) -> dict[str, str]:
    parts = [part if part in PARTS else "" for part in texts_of(form, "devient")]
    found = dict(zip(texts_of(form, "verbe"), parts, strict=False))
    new, part = text_of(form, "nouveau"), text_of(form, "devient-nouveau")
    if new:
        found[new] = part if part in PARTS else ""
    return found


def _page(
    request: Request,
    work: AtWork,
    verbs: Mapping[str, PartKind],
    *,
    new: str = "",
    trouble: AppError | None = None,
    done: bool = False,
) -> HTMLResponse:
    shown = dict.fromkeys((*verbs, *COMMON_VERBS))
    return work.page(
        request,
        "imports/verbs.html",
        status=status_of(trouble) if trouble else 200,
        done=done,
        lines=[(verb, verbs[verb].value if verb in verbs else "") for verb in shown],
        parts=list(PARTS.items()),
        new=new,
        trouble=sentence_of(trouble) if trouble else "",
    )
