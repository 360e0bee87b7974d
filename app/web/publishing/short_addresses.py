"""The address that stands on a badge's picture, on paper and under a code: it leads to the award's page."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.policies import public
from app.http.request_scope import ReadingServices, client_network, limited, process_of
from app.language import N_

router = APIRouter()


@router.get("/v/{signs}", dependencies=[limited("short address")])
@public
def follow(signs: str, request: Request, services: ReadingServices) -> Response:
    """Shut or open, the award's own page answers; a code that names none is most often a letter misread."""
    award_id = services.awards.find_by_code(signs)
    if award_id is not None:
        services.awards.check_not_erased(award_id)
        return RedirectResponse(f"/attributions/{award_id}", status_code=303)
    process_of(request).limiter.hit("unknown code", client_network(request))
    return page(
        request,
        "verification/form.html",
        status=404,
        private=True,
        link=f"{services.addresses.host}/v/{signs[:40]}",
        text="",
        error=say(
            N_(
                "Aucun badge n’a cette adresse. Relisez les douze signes qui suivent « /v/ » : un seul mal lu suffit."
            )
        ),
        a=None,
        kind="",
        near=[(each.code, each.record) for each in services.batch_verification.near(signs)],
    )
