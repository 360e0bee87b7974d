"""Pathways in public, and for the person who follows one."""

from __future__ import annotations

import uuid

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.frameworks.pathway_progress import PathwayProgress
from app.domain.frameworks.pathways import ProposalState, StageState
from app.domain.people import Person
from app.domain.people.consents import is_pupil_of_unknown_age, needs_guardian_for
from app.domain.publishing.catalogue import CatalogueEntry
from app.errors import Conflict, NotFound
from app.http.pages.forms import CHECKED_FORM, SafeForm, text_of
from app.http.pages.previews import pathway_data, preview
from app.http.pages.render import page
from app.http.pages.words import day
from app.http.request_scope import (
    ReadingServices,
    find_signed_in,
    public,
    sentence_of,
    signed_in,
    status_for,
    write_transaction,
)
from app.http.workplaces import SIGNED_IN, look_of
from app.language import N_, translated
from app.services.frameworks.pathways import PublicPathway
from app.web.frameworks.pathway_view import change_details, change_words, shown_pathway

router = APIRouter(include_in_schema=False)
my_router = APIRouter(prefix="/mes-badges/parcours", include_in_schema=False)
_DONE = {
    "suivi": N_("C’est fait : vous suivez ce parcours. Vous pouvez le quitter quand vous voulez."),
    "version": N_("C’est fait : vous suivez la nouvelle version."),
}
_DONE_TU = {
    "suivi": N_("C’est fait : tu suis ce parcours. Tu peux le quitter quand tu veux."),
    "version": N_("C’est fait : tu suis la nouvelle version."),
}
_MOST_LOOKED_UP = 6
"""Stages with their next activity."""


@router.get("/parcours/{pathway_id:uuid}")
@public
def show_pathway(pathway_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    """The same for everybody; a person's own stages are on their own page."""
    found = services.pathways.show(pathway_id)
    who = find_signed_in(request, services)
    with services.across_campuses():
        follows = who is not None and services.pathway_followers.follows(pathway_id, who.person.id)
    activities = _activities(services, found, None)
    return page(
        request,
        "frameworks/pathways/public.html",
        campus=look_of(found.campus),
        wide=True,
        found=found,
        path=shown_pathway(found, activities=activities),
        published=day(found.version.published_at, found.campus.time_zone),
        is_closed=found.pathway.archived_at is not None,
        follows=follows,
        has_account=who is not None,
        tu=who is not None and _says_tu(services, who.person),
        mine=f"/mes-badges/parcours/{pathway_id}",
        link_preview=preview(
            services,
            f"/parcours/{pathway_id}",
            found.content.title,
            found.content.summary
            or translated("Un parcours du campus {name}, étape par étape.").format(
                name=found.campus.short_name
            ),
            entry=services.catalogue.find(pathway_id),
            campus=found.campus,
            structured=pathway_data(
                services,
                found.campus,
                f"{services.addresses.base_url}/parcours/{pathway_id}",
                found.content.title,
                found.content.summary,
            ),
        ),
    )


def _activities(
    services: Services, found: PublicPathway, progress: PathwayProgress | None
) -> dict[str, CatalogueEntry]:
    """The next activity of each stage that is possible now; in public, of the first stages."""
    if progress is None:
        stages = list(found.content.stages)
    else:
        stages = [each.stage for each in progress.stages if each.state is StageState.OPEN]
    return services.pathways.next_activities(found.campus, stages[:_MOST_LOOKED_UP])


def _says_tu(services: Services, person: Person) -> bool:
    """As on « Mes badges »: under 15, or a pupil of unknown age in an activity for pupils."""
    if not is_pupil_of_unknown_age(person):
        return needs_guardian_for(person, None)
    return any(needs_guardian_for(each.person, each.activity) for each in services.awards.list_of(person.id))


# --- the person's own


@my_router.post("/{pathway_id:uuid}/suivre", dependencies=[SIGNED_IN, CHECKED_FORM])
def join(pathway_id: uuid.UUID, request: Request) -> Response:
    try:
        with write_transaction(request) as services:
            who = signed_in(request, services)
            with services.across_campuses():
                services.pathway_followers.join(pathway_id, who.person, by=who.actor)
    except Conflict:
        # It was closed since, as its page shows.
        return RedirectResponse(f"/parcours/{pathway_id}", status_code=303)
    return RedirectResponse(f"/mes-badges/parcours/{pathway_id}?fait=suivi", status_code=303)


@my_router.get("/{pathway_id:uuid}", dependencies=[SIGNED_IN])
def show_mine(
    pathway_id: uuid.UUID, request: Request, services: ReadingServices, fait: str = ""
) -> HTMLResponse:
    return _mine_page(request, services, pathway_id, done=fait)


def _mine_page(
    request: Request, services: Services, pathway_id: uuid.UUID, *, done: str = "", trouble: str = ""
) -> HTMLResponse:
    who = signed_in(request, services)
    with services.across_campuses():
        own = services.pathway_followers.own(pathway_id, who.person.id)
        if own is None:
            raise NotFound("Vous ne suivez pas ce parcours.")
        found = services.pathways.shown(own.pathway, own.version, own.content)
        changes, then = (
            services.pathway_followers.foreseen(own) if own.newest != own.enrolment.number else ([], None)
        )
        activities = _activities(services, found, own.progress)
        says_tu = _says_tu(services, who.person)
    sentences = _DONE_TU if says_tu else _DONE
    path = shown_pathway(found, own.progress, activities)
    step = own.progress.next
    shown = [each for group in path.groups for each in group.stages]
    possible = [each for each in shown if each.state == StageState.OPEN and each.is_needed and each.activity]
    first = next((each for each in shown if step is not None and each.key == step.stage.key), None)
    return page(
        request,
        "frameworks/pathways/mine.html",
        campus=look_of(found.campus),
        private=True,
        status=status_for(trouble),
        found=found,
        path=path,
        next=possible[0] if possible else first,
        here=f"/mes-badges/parcours/{pathway_id}",
        zone=found.campus.time_zone,
        enrolment=own.enrolment,
        is_proposed=own.enrolment.proposal is ProposalState.WAITING
        or (path.is_complete and own.enrolment.proposal is ProposalState.NONE),
        is_declined=own.enrolment.proposal is ProposalState.DECLINED,
        is_awarded=own.enrolment.proposal is ProposalState.AWARDED,
        reason=own.enrolment.reason,
        newest=own.newest,
        published=day(found.version.published_at, found.campus.time_zone),
        changes=[(change_words(each), change_details(each)) for each in changes],
        done_then=then.progress.done if then else 0,
        done_now=own.progress.done,
        done=translated(sentences[done]) if done in sentences else "",
        tu=says_tu,
        trouble=trouble,
    )


@my_router.post("/{pathway_id:uuid}/version", dependencies=[SIGNED_IN])
def move(pathway_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    number = text_of(form, "version")
    try:
        with write_transaction(request) as writing:
            who = signed_in(request, writing)
            with writing.across_campuses():
                writing.pathway_followers.move(
                    pathway_id,
                    who.person,
                    int(number) if number.isdecimal() and len(number) < 8 else 0,
                    by=who.actor,
                )
    except Conflict as error:
        return _mine_page(request, services, pathway_id, trouble=sentence_of(error))
    return RedirectResponse(f"/mes-badges/parcours/{pathway_id}?fait=version", status_code=303)


@my_router.post("/{pathway_id:uuid}/quitter", dependencies=[SIGNED_IN, CHECKED_FORM])
def leave(pathway_id: uuid.UUID, request: Request) -> Response:
    with write_transaction(request) as services:
        who = signed_in(request, services)
        with services.across_campuses():
            services.pathway_followers.leave(pathway_id, who.person, by=who.actor)
    return RedirectResponse(f"/parcours/{pathway_id}", status_code=303)
