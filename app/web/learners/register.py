"""The register of requests: filtered, sorted, as a page and as a table."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.datastructures import FormData, QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards import in_words
from app.domain.learners.requests import LATE_AFTER, OPEN_STATES, RequestState, check_reason
from app.domain.people.consents import AccessRecord
from app.errors import Conflict, InvalidInput, NotAllowed, NotFound
from app.http.pages.forms import Count, SafeForm, text_of
from app.http.pages.registers import Column, ListQuery
from app.http.pages.words import BADGE_KINDS, StateLabel, day
from app.http.request_scope import ReadingServices, process_of, sentence_of, write_transaction
from app.http.workplaces import AtWork, access_views, at_work, staff, today_in
from app.language import N_, translated, translated_plural
from app.services.campus.registers import ListedRequest, Register, RequestFilter, RequestSort
from app.services.learners.reviews import UnderReview
from app.web.campus.dashboard import other_decisions
from app.web.campus.registers import Choice, Listing, Row, Shown, on_day, state, words
from app.web.learners.requests import QUEUE_STATES, SEEN

COLUMNS = (
    Column("personne", N_("Personne"), sort="personne", heads=(N_("Nom"), N_("Prénom"))),
    Column("badge", N_("Badge"), sort="badge", classes="when"),
    Column("etat", N_("État")),
    Column("attente", N_("Depuis"), sort="attente", classes="when"),
    Column("demandee", N_("Demandé le"), sort="demandee", is_usual=False),
    Column("decidee", N_("Décidé le"), sort="decidee", is_usual=False),
    Column("adresse", N_("E-mail"), is_usual=False),
)
STATES: Mapping[str, tuple[str, Sequence[RequestState]]] = {
    "completer": (N_("En attente de la personne"), (RequestState.MORE,)),
    "acceptees": (N_("Acceptées"), (RequestState.ACCEPTED,)),
    "refusees": (N_("Refusées"), (RequestState.REFUSED,)),
    "closes": (
        N_("Closes"),
        (RequestState.ACCEPTED, RequestState.REFUSED, RequestState.WITHDRAWN),
    ),
    "toutes": (
        N_("Toutes"),
        tuple(each for each in RequestState if each is not RequestState.UNCONFIRMED),
    ),
}
"""Beside those that wait for a decision, which come without a filter."""
_WAITING = ("etat", "attente")
router = APIRouter(prefix="/gestion/{slug}/demandes")


@dataclass(frozen=True)
class RequestFilters:
    """What the filters offer in this campus."""

    at: datetime
    today: date
    zone: str
    reader_id: uuid.UUID
    badges: Sequence[tuple[uuid.UUID, str]]

    @staticmethod
    def of(services: Services, work: AtWork) -> RequestFilters:
        asked = services.request_register.badges(work.campus)
        return RequestFilters(
            services.clock(),
            today_in(services, work.campus),
            work.campus.time_zone,
            work.who.person.id,
            [
                (badge.id, version.name)
                for badge, version in services.badges.list_newest(work.campus)
                if badge.id in asked
            ],
        )

    @property
    def everything(self) -> RequestFilter:
        return RequestFilter(tuple(STATES["toutes"][1]))

    def read(self, params: QueryParams) -> tuple[ListQuery, RequestFilter]:
        pairs = [pair for pair in params.multi_items() if pair != _WAITING]
        query = ListQuery(QueryParams(pairs), COLUMNS, sort="attente")
        states = [(name, translated(label)) for name, (label, _) in STATES.items()]
        every = translated("En attente d’une décision")
        chosen = query.choice("etat", translated("État"), states, every=every)
        everybody = translated("Tout le monde")
        mine = [("moi", translated("Moi"))]
        is_mine = query.choice("qui", translated("Qui décide"), mine, every=everybody)
        badge = query.choice_id("badge", translated("Badge"), self.badges, every=translated("Tous"))
        late = [("longtemps", translated("Plus de trois jours"))]
        is_late = query.choice("attend", translated("Attente"), late, every=translated("Toutes"))
        created = query.times(translated("Période"), self.today, self.zone)
        query.check()
        return query, RequestFilter(
            tuple(STATES[chosen][1]) if chosen else OPEN_STATES,
            badge,
            created,
            self.at - LATE_AFTER if is_late else None,
            self.reader_id if is_mine else None,
        )


def _rows(
    services: Services,
    work: AtWork,
    lines: Sequence[ListedRequest],
    wanted: RequestFilter,  # noqa: ARG001 - a line is the same under each filter
    shown: frozenset[str],  # noqa: ARG001 - nothing is read beside the lines
) -> Iterator[Row]:
    zone, at = work.campus.time_zone, services.clock()
    for line in lines:
        asked = line.request
        href = f"{work.home}/demandes/{asked.id}"
        kind = translated(BADGE_KINDS[line.version.kind])
        yield Row(
            asked.id,
            f"{asked.name}, {line.version.name}",
            {
                "personne": Shown((asked.family_name, asked.given_name), asked.name, href=href),
                "badge": Shown((line.version.name,), line.version.name, kind),
                "etat": state(QUEUE_STATES[asked.state]),
                "attente": _since(line, at, zone),
                "demandee": on_day(asked.created_at, zone),
                "decidee": on_day(asked.decided_at, zone),
                "adresse": words(asked.address),
            },
        )


def _since(line: ListedRequest, at: datetime, zone: str) -> Shown:
    """How long it waits; the day of the decision once there is one."""
    asked = line.request
    if asked.state.is_over:
        return on_day(asked.decided_at or asked.waiting_since, zone)
    count = (at - asked.waiting_since).days
    text = translated_plural("{n} jour", "{n} jours", count).format(n=count)
    is_late = asked.state.waits_for_reviewers and at - asked.waiting_since >= LATE_AFTER
    late = translated("attend depuis longtemps")
    since = day(asked.waiting_since, zone)
    return Shown(
        on_day(asked.waiting_since, zone).cells,
        text if count else translated("Moins d’un jour"),
        f"{since}, {late}" if is_late else since,
    )


LISTING = Listing(
    Register.REQUESTS,
    "learners/requests/queue.html",
    COLUMNS,
    RequestSort,
    lambda services: services.request_register,
    RequestFilters.of,
    _rows,
    (
        (N_("En attente d’une décision"), ""),
        (N_("À moi de décider"), "qui=moi"),
        (N_("En attente de la personne"), "etat=completer"),
        (N_("Closes"), "etat=closes"),
    ),
    acts=Permission.REVIEW,
    beside=lambda services, work, _: {"others": other_decisions(services, work)},
)


@router.get("", dependencies=[staff(Permission.REVIEW)])
def queue(request: Request, services: ReadingServices) -> HTMLResponse:
    return LISTING.page(request, services)


@router.get("/demandes.csv", dependencies=[staff(Permission.EXPORT)])
@router.get("/demandes.xlsx", dependencies=[staff(Permission.EXPORT)])
def requests_table(request: Request, services: ReadingServices) -> Response:
    return LISTING.table(request, services)


class ReviewAction(StrEnum):
    ACCEPT = "accepter"
    ASK_MORE = "demander"
    REFUSE = "refuser"


MOST_CHOSEN = 50
"""Each is read and decided by itself."""


@dataclass(frozen=True)
class ChosenRequest:
    id: uuid.UUID
    href: str
    person: str
    badge: str
    state: StateLabel
    text: str
    """The evidence to be written in the badge, or what the person wrote."""
    seen: str
    reason: str
    """Why the decision would leave it as it is; empty if it would not."""

    @staticmethod
    def of(work: AtWork, found: UnderReview, action: str) -> ChosenRequest:
        asked = found.request
        return ChosenRequest(
            asked.id,
            f"{work.home}/demandes/{asked.id}",
            asked.name,
            found.version.name,
            QUEUE_STATES[asked.state],
            found.evidence if action == ReviewAction.ACCEPT else asked.narrative,
            found.seen,
            _held(work, found, action),
        )


def _held(work: AtWork, found: UnderReview, action: str) -> str:
    asked, obstacle = found.request, found.obstacle
    if not asked.state.waits_for_reviewers:
        return translated("Elle n’attend plus de décision.")
    if found.is_own:
        return translated("C’est votre propre demande.")
    if action == ReviewAction.ACCEPT and found.agreed_before == work.who.person.id:
        return translated("Vous avez déjà donné votre accord.")
    if action == ReviewAction.ACCEPT and obstacle is not None:
        return translated(obstacle.sentence).format(**in_words(obstacle.values))
    return ""


@router.post("/choix", dependencies=[staff(Permission.REVIEW)])
def choose_requests(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    return LISTING.choose(request, services, form, ReviewAction, most=MOST_CHOSEN)


@router.get("/choix/{draft_id:uuid}", dependencies=[staff(Permission.REVIEW)])
def ask_about_requests(
    draft_id: uuid.UUID,
    request: Request,
    services: ReadingServices,
    decidees: Count = -1,
    changees: Count = 0,
) -> HTMLResponse:
    return _asked(request, services, draft_id, decided=decidees, changed=changees)


@router.post("/choix/{draft_id:uuid}", dependencies=[staff(Permission.REVIEW)])
def decide_many(draft_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Each request in its own transaction: one that changed meanwhile stops no other."""
    work, reason = at_work(request), text_of(form, "raison")
    choice = Choice.of(request, services, draft_id, Register.REQUESTS)
    try:
        check_reason(reason)
    except InvalidInput as error:
        changed = sum(_has_changed(form, found) for found in _found(services, work, choice))
        return _asked(request, services, draft_id, reason=reason, trouble=sentence_of(error), changed=changed)
    decided = changed = 0
    for request_id in choice.ids:
        try:
            found = services.reviewing.look(work.campus, request_id, by=work.actor)
            if _held(work, found, choice.action):
                continue
            if _has_changed(form, found):
                changed += 1
                continue
            with write_transaction(request) as writing:
                _decide(writing, work, choice.action, found, reason)
            decided += 1
        except (InvalidInput, Conflict, NotAllowed, NotFound):
            continue
    process_of(request).on_enqueue()
    query = f"decidees={decided}" + (f"&changees={changed}" if changed else "")
    return RedirectResponse(f"{work.home}/demandes/choix/{draft_id}?{query}", status_code=303)


def _decide(writing: Services, work: AtWork, action: str, found: UnderReview, reason: str) -> None:
    request_id = found.request.id
    match action:
        case ReviewAction.ACCEPT:
            writing.reviewing.agree(
                work.campus, request_id, reason, found.evidence, by=work.actor, seen=found.seen
            )
        case ReviewAction.ASK_MORE:
            writing.reviewing.ask_more(work.campus, request_id, reason, by=work.actor, seen=found.seen)
        case _:
            writing.reviewing.refuse(work.campus, request_id, reason, by=work.actor, seen=found.seen)


def _has_changed(form: FormData, found: UnderReview) -> bool:
    """Since the page that the form comes from."""
    return text_of(form, f"{SEEN}-{found.request.id}") not in ("", found.seen)


def _found(services: Services, work: AtWork, choice: Choice) -> Iterator[UnderReview]:
    for each in choice.ids:
        with suppress(NotFound):  # erased meanwhile
            yield services.reviewing.look(work.campus, each, by=work.actor)


def _asked(
    request: Request,
    services: Services,
    draft_id: uuid.UUID,
    *,
    reason: str = "",
    trouble: str = "",
    decided: int = -1,
    changed: int = 0,
) -> HTMLResponse:
    work = at_work(request)
    choice = Choice.of(request, services, draft_id, Register.REQUESTS)
    lines = []
    for found in _found(services, work, choice):
        access_views(request, found.request.person_id, AccessRecord.REQUEST)
        lines.append(ChosenRequest.of(work, found, choice.action))
    return work.page(
        request,
        "learners/requests/selection.html",
        here=f"{work.home}/demandes/choix/{draft_id}",
        action=choice.action,
        ready=[line for line in lines if not line.reason],
        held=[line for line in lines if line.reason],
        reason=reason,
        trouble=trouble,
        decided=decided,
        changed=changed,
    )
