"""The register of people: filtered, sorted, as a page and as a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import partial

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission, check_may
from app.domain.people import Person
from app.errors import InvalidInput, NotFound
from app.http.pages.forms import SafeForm, ids_in, save_draft, text_of
from app.http.pages.registers import Column, ListQuery
from app.http.pages.words import days
from app.http.request_scope import ReadingServices, sentence_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff, today_in
from app.language import N_, translated
from app.services.campus.registers import PeopleFilter, PeopleSort, Register
from app.web.campus.registers import Choice, Listing, Row, Shown, figure, on_day, words

COLUMNS = (
    Column("nom", N_("Personne"), sort="nom", heads=(N_("Nom"), N_("Prénom"))),
    Column("adresse", N_("E-mail"), heads=("E-mail",), classes="when"),
    Column("activites", N_("Activités"), sort="-activites", classes="n"),
    Column("badges", N_("Badges"), sort="-badges", classes="n"),
    Column("recuperes", N_("Récupérés"), sort="-recuperes", classes="n"),
    Column("arrivee", N_("Arrivée le"), sort="arrivee", is_usual=False),
)
SHORTEST_REASON = 3
router = APIRouter(prefix="/gestion/{slug}/repertoire")


@dataclass(frozen=True)
class PeopleFilters:
    """What the filters offer in this campus."""

    today: date
    zone: str
    badges: Sequence[tuple[uuid.UUID, str]]
    activities: Sequence[tuple[uuid.UUID, str]]

    @staticmethod
    def of(services: Services, work: AtWork) -> PeopleFilters:
        return PeopleFilters(
            today_in(services, work.campus),
            work.campus.time_zone,
            [(badge.id, version.name) for badge, version in services.badges.list_newest(work.campus)],
            services.award_register.activities(work.campus, with_people=True),
        )

    @property
    def everything(self) -> PeopleFilter:
        return PeopleFilter()

    def read(self, params: QueryParams) -> tuple[ListQuery, PeopleFilter]:
        query = ListQuery(params, COLUMNS, sort="nom")
        every = translated("Tous")
        badge = query.choice_id("badge", translated("Badge"), self.badges, every=every)
        activities = translated("Toutes")
        activity = query.choice_id("activite", translated("Activité"), self.activities, every=activities)
        claims = [("non", translated("Un badge à récupérer")), ("oui", translated("Tout récupéré"))]
        everyone = translated("Tout le monde")
        claimed = query.choice("recupere", translated("Récupéré"), claims, every=everyone)
        arrived = query.times(translated("Arrivée"), self.today, self.zone)
        query.check()
        return query, PeopleFilter(badge, activity, arrived, claimed == "non" if claimed else None)


def _rows(
    services: Services,
    work: AtWork,
    people: Sequence[Person],
    wanted: PeopleFilter,  # noqa: ARG001 - a line is the same under each filter
    shown: frozenset[str],  # noqa: ARG001 - counts are read at once
) -> Iterator[Row]:
    register, zone = services.people_register, work.campus.time_zone
    addresses, counts = register.addresses_of(work.campus, people), register.counts(work.campus, people)
    for person in people:
        counted, name = counts[person.id], (person.family_name, person.given_name)
        yield Row(
            person.id,
            person.name,
            {
                "nom": Shown(name, person.name, href=f"{work.home}/repertoire/{person.id}"),
                "adresse": words(addresses.get(person.id)),
                "activites": figure(counted.activities),
                "badges": figure(counted.awards),
                "recuperes": figure(counted.claimed, is_known=bool(counted.awards)),
                "arrivee": on_day(person.created_at, zone),
            },
        )


LISTING = Listing(
    Register.PEOPLE,
    "people/list.html",
    COLUMNS,
    PeopleSort,
    lambda services: services.people_register,
    PeopleFilters.of,
    _rows,
    ((N_("Tout le monde"), ""), (N_("Un badge à récupérer"), "recupere=non")),
    acts=Permission.WORK,
)


@router.get("", dependencies=[staff(Permission.VIEW)])
def list_people(request: Request, services: ReadingServices) -> HTMLResponse:
    return LISTING.page(request, services)


@router.get("/repertoire.csv", dependencies=[staff(Permission.EXPORT)])
@router.get("/repertoire.xlsx", dependencies=[staff(Permission.EXPORT)])
def people_table(request: Request, services: ReadingServices) -> Response:
    return LISTING.table(request, services)


class PeopleAction(StrEnum):
    ADD = "ajouter"
    MOVE = "deplacer"


MOST_CHOSEN, MOST_OFFERED = 500, 200
_REMIND = "relancer"


@router.post("/choix", dependencies=[staff(Permission.WORK)])
def choose_people(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """A reminder is asked where badges are reminded, about those that these people did not claim."""
    special = {_REMIND: partial(_remind, request, services, form)}
    return LISTING.choose(request, services, form, PeopleAction, most=MOST_CHOSEN, special=special)


def _remind(request: Request, services: Services, form: FormData) -> Response:
    work = at_work(request)
    check_may(work.roles, Permission.AWARD)
    people = LISTING.chosen(services, work, form, most=MOST_CHOSEN)
    awards = services.award_selection.unclaimed_of(work.campus, people)
    if not awards:
        raise InvalidInput("Ces personnes n’ont aucun badge à récupérer.")
    draft = FormData([("geste", _REMIND), ("choisies", " ".join(map(str, awards)))])
    return save_draft(request, draft, f"{work.home}/attributions/choix")


@router.get("/choix/{draft_id:uuid}", dependencies=[staff(Permission.WORK)])
def ask_about_people(draft_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _asked(request, services, draft_id)


@router.post("/choix/{draft_id:uuid}", dependencies=[staff(Permission.WORK)])
def add_or_move(draft_id: uuid.UUID, request: Request, services: ReadingServices, form: SafeForm) -> Response:
    work = at_work(request)
    choice = Choice.of(request, services, draft_id, Register.PEOPLE)
    action, people = choice.action, choice.ids
    source, target = (
        next(iter(ids_in([text_of(form, "de")])), None),
        next(iter(ids_in([text_of(form, "vers")])), None),
    )
    reason = text_of(form, "motif")
    try:
        if target is None or (action == PeopleAction.MOVE and source is None):
            raise InvalidInput("Choisissez une activité dans la liste.")
        if action == PeopleAction.MOVE and len(reason) < SHORTEST_REASON:
            raise InvalidInput("Dites pourquoi vous corrigez : le motif reste au journal.")
        with write_transaction(request) as writing:
            for activity_id in filter(None, (source, target)):
                writing.join_organisers(work.campus.id, activity_id)
            if action == PeopleAction.MOVE and source is not None:
                moved = writing.participants.move(
                    work.campus, source, target, people, reason=reason, by=work.actor
                )
                added, known = len(moved.ready), len(moved.held)
            else:
                added = writing.participants.add_known(work.campus, target, people, by=work.actor)
                known = len(people) - added
    except (InvalidInput, NotFound) as error:
        typed = {"de": text_of(form, "de"), "vers": text_of(form, "vers"), "motif": reason}
        return _asked(request, services, draft_id, typed, sentence_of(error))
    if action == PeopleAction.MOVE:
        done = f"{work.home}/repertoire/choix/{draft_id}?vers={target}&deplacees={added}&restent={known}"
        return RedirectResponse(done, status_code=303)
    counts = f"ajoutees={added}&connues={known}"
    return RedirectResponse(f"{work.home}/activites/{target}?{counts}", status_code=303)


def _asked(
    request: Request,
    services: Services,
    draft_id: uuid.UUID,
    typed: Mapping[str, str] | None = None,
    trouble: str = "",
) -> HTMLResponse:
    work, params = at_work(request), request.query_params
    choice = Choice.of(request, services, draft_id, Register.PEOPLE)
    people = services.people_register.among(work.campus, choice.ids)
    activities = [
        (str(activity.id), f"{activity.title}, {days(activity.starts_on, activity.ends_on)}")
        for activity, _ in services.activities.list_in(work.campus)[:MOST_OFFERED]
    ]
    return work.page(
        request,
        "people/selection.html",
        here=f"{work.home}/repertoire/choix/{draft_id}",
        moves=choice.action == PeopleAction.MOVE,
        people=[(person.name, f"{work.home}/repertoire/{person.id}") for person in people],
        activities=activities,
        typed=typed or {"de": choice.asked.get("activite", ""), "vers": "", "motif": ""},
        trouble=trouble,
        moved=_count(params.get("deplacees")),
        stayed=max(_count(params.get("restent")), 0),
        target=f"{work.home}/activites/{params.get('vers', '')}",
    )


def _count(typed: str | None) -> int:
    return int(typed) if typed and typed.isdecimal() and len(typed) < 5 else -1
