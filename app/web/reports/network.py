"""The year of a network: a public page of what its campuses share, and each campus's choice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.campus.campus import Campus
from app.domain.campus.places import DEPARTEMENTS
from app.domain.core import plain_text
from app.domain.reports.ledger import ActivityRow, Period, establishments_of
from app.domain.reports.network import (
    TOPICS,
    NetworkFigure,
    Topic,
    by_academy,
    hides_places,
    people_by,
    rows_of,
)
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, texts_of
from app.http.pages.render import page
from app.http.request_scope import (
    CROSS_TENANT,
    WITH_ORGANISERS,
    ReadingServices,
    public,
    sentence_of,
    write_transaction,
)
from app.http.workplaces import at_work, staff
from app.language import translated
from app.services.reports import Shared
from app.web.reports.dashboard import choices_of, period_asked, period_words

router = APIRouter(prefix="/reseau/{slug}/rapport", dependencies=[CROSS_TENANT])
sharing_router = APIRouter(prefix="/gestion/{slug}/rapport/partage", dependencies=[WITH_ORGANISERS])


@dataclass(frozen=True)
class FigureRow:
    """`cells`: one for each campus, None where hidden."""

    name: str
    cells: Sequence[int | None]
    figure: NetworkFigure


@dataclass(frozen=True)
class TopicView:
    title: str
    campuses: Sequence[str]
    missing: Sequence[str]
    figures: Sequence[FigureRow]
    last: date | None
    is_early: bool
    """Campuses share it, and too few people are counted yet."""

    @staticmethod
    def of(shared: Shared, members: Sequence[Campus]) -> TopicView:
        ids = [each.id for each in shared.campuses]
        return TopicView(
            translated(TOPICS[shared.topic]),
            [each.short_name for each in shared.campuses],
            [each.short_name for each in members if each.id not in ids],
            [
                FigureRow(translated(each.name), [each.by_campus[campus_id] for campus_id in ids], each)
                for each in shared.figures
            ],
            shared.last,
            bool(ids) and not shared.figures,
        )


@dataclass(frozen=True)
class EstablishmentView:
    name: str
    number: str
    actions: int
    campuses: Sequence[str]


def establishments(shared: Shared) -> list[EstablishmentView]:
    """By the number of actions, without any count of people."""
    found = []
    for number, name in establishments_of(shared.rows).items():
        actions = [row for row in shared.rows if any(one.number == number for one in row.establishments)]
        campuses = [each.short_name for each in shared.campuses if rows_of(actions, each.id)]
        found.append(EstablishmentView(name or number, number, len(actions), campuses))
    return sorted(found, key=lambda each: (-each.actions, plain_text(each.name)))


def shared_actions(shared: Shared) -> list[tuple[str, Sequence[str]]]:
    """Actions that several of the campuses organise: they count once."""

    def organisers(row: ActivityRow) -> list[str]:
        return [each.short_name for each in shared.campuses if each.id in row.campuses]

    return [(row.title, organisers(row)) for row in shared.rows if len(organisers(row)) > 1]


def _latest(services: Services) -> Period:
    """The year of the latest complete month."""
    return Period.civil(services.network_reports.last_day().year)


@router.get("")
@public
def show_network_year(slug: str, request: Request, services: ReadingServices) -> HTMLResponse:
    trouble = ""
    try:
        asked = period_asked(request, services) if request.query_params else _latest(services)
        found = services.network_reports.year(slug, asked)
    except InvalidInput as error:
        trouble, asked = sentence_of(error), _latest(services)
        found = services.network_reports.year(slug, asked)
    shared = found.of(Topic.PEOPLE)
    is_hidden = shared.hides_places or hides_places(shared.figures)
    people = {} if is_hidden else people_by(shared.rows, DEPARTEMENTS)
    return page(
        request,
        "reports/network.html",
        trouble=trouble,
        recounting=services.reports.is_recounting(found.members),
        network=found.network,
        days=period_words(found.period),
        choices=choices_of(services, asked),
        topics=[TopicView.of(each, found.members) for each in found.topics],
        together=shared_actions(found.of(Topic.ACTIONS)),
        hides_places=is_hidden,
        departements=people,
        academies=by_academy(people, DEPARTEMENTS),
        establishments=establishments(found.of(Topic.PARTNERS)),
        computed_at=found.computed_at,
        log_size=found.log_size,
    )


@sharing_router.get("", dependencies=[staff(Permission.MANAGE)])
def show_sharing(request: Request, services: ReadingServices, note: str = "") -> HTMLResponse:
    work = at_work(request)
    return work.page(
        request,
        "reports/sharing.html",
        networks=services.network_reports.choices(work.campus),
        topics=[(topic.value, translated(words)) for topic, words in TOPICS.items()],
        is_saved=note == "oui",
    )


@sharing_router.post("/{network}", dependencies=[staff(Permission.MANAGE)])
def save_sharing(network: str, request: Request, form: SafeForm) -> RedirectResponse:
    work, ticked = at_work(request), texts_of(form, "sujet")
    with write_transaction(request) as writing:
        writing.network_reports.share(
            work.campus, network, [topic for topic in Topic if topic.value in ticked], by=work.actor
        )
    return RedirectResponse(f"{work.home}/rapport/partage?note=oui", status_code=303)
