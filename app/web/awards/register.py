"""The register of awards: filtered, sorted, as a page and as a table."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.datastructures import FormData, QueryParams

from app.container import Services
from app.domain.accounts.permissions import Permission, check_may
from app.domain.awards import check_reason
from app.domain.awards.batches import (
    Withdrawal,
    WithdrawalLine,
    WithdrawalOutcome,
    WithdrawalState,
    key_of_page,
)
from app.domain.core import ChangedMeanwhile, csv_for_excel, mark_of
from app.errors import AppError, InvalidInput
from app.http.pages.forms import CHECKED_FORM, Count, SafeForm, draft_form, ids_in, text_of, texts_of
from app.http.pages.registers import Column, ListQuery
from app.http.pages.render import ProgressView, live_response
from app.http.pages.words import WITHDRAWAL_OUTCOMES, StateLabel, clock, hours_text, moment, why_ended
from app.http.request_scope import ReadingServices, process_of, sentence_of, write_transaction
from app.http.workplaces import AtWork, at_work, staff, today_in
from app.language import N_, translated
from app.language import gettext as _
from app.services.awards.awards import AwardRecord
from app.services.awards.bulk_revocation import (
    MOST_CHOSEN,
    NONE_CHOSEN,
    AwardAction,
    NotDone,
    WithdrawalRequest,
    WithdrawalScope,
)
from app.services.awards.delivery import AwardDelivery
from app.services.awards.papers import SLIPS_PER_DOCUMENT
from app.services.campus.registers import AwardFilter, AwardSort, ListedAward, Register, Standing
from app.web.awards.claim_slips import slips_response
from app.web.awards.delivery_states import DeliveryView, deliveries_of
from app.web.campus.audit_log import export_noted
from app.web.campus.dashboard import AwardLine
from app.web.campus.registers import Listing, Row, Shown, on_day, words

STANDINGS = {
    Standing.VALID: N_("Valable"),
    Standing.EXPIRED: N_("Expiré"),
    Standing.SUSPENDED: N_("Suspendu"),
    Standing.WITHDRAWN: N_("Retiré"),
    Standing.UNDONE: N_("Annulé avant d’être remis"),
}
COLUMNS = (
    Column("personne", N_("Personne"), sort="personne", heads=(N_("Nom"), N_("Prénom"))),
    Column("badge", N_("Badge"), sort="badge"),
    Column("activite", N_("Activité"), classes="slim-hide"),
    Column("date", N_("Attribué le"), sort="date", classes="when"),
    Column("remise", N_("Remise")),
    Column("etat", N_("État"), is_usual=False),
    Column("adresse", N_("E-mail"), is_usual=False),
    Column("par", N_("Attribué par"), is_usual=False),
    Column("heures", N_("Heures"), sort="-heures", is_usual=False, classes="n"),
    Column("valable", N_("Valable jusqu’au"), sort="valable", is_usual=False),
    Column("recupere", N_("Récupéré le"), sort="-recupere", is_usual=False),
    Column("retire", N_("Retiré le"), is_usual=False),
    Column("annule", N_("Annulé le"), is_usual=False),
    Column("motif", N_("Motif du retrait"), is_usual=False),
    Column("lien", N_("Page publique"), is_usual=False),
)
router = APIRouter(prefix="/gestion/{slug}/attributions")


@dataclass(frozen=True)
class Beside:
    """Read for several lines at once, only if shown."""

    addresses: Mapping[uuid.UUID, str]
    deliveries: Mapping[uuid.UUID, DeliveryView]

    @staticmethod
    def of(services: Services, work: AtWork, lines: Sequence[ListedAward], shown: frozenset[str]) -> Beside:
        people = {line.person_id for line in lines} if "adresse" in shown else ()
        awards = [line.id for line in lines] if "remise" in shown else []
        return Beside(
            services.award_register.addresses_of(work.campus, people),
            deliveries_of(services, work.home, awards, work.campus.id) if awards else {},
        )


@dataclass(frozen=True)
class AwardFilters:
    """What the filters offer in this campus."""

    work: AtWork
    at: datetime
    today: date
    badges: Sequence[tuple[uuid.UUID, str]]
    activities: Sequence[tuple[uuid.UUID, str]]
    team: Sequence[tuple[uuid.UUID, str]]

    @staticmethod
    def of(services: Services, work: AtWork) -> AwardFilters:
        return AwardFilters(
            work,
            services.clock(),
            today_in(services, work.campus),
            [(badge.id, version.name) for badge, version in services.badges.list_newest(work.campus)],
            services.award_register.activities(work.campus),
            services.award_register.team(work.campus),
        )

    @property
    def everything(self) -> AwardFilter:
        return AwardFilter(self.at)

    def read(self, params: QueryParams) -> tuple[ListQuery, AwardFilter]:
        query = ListQuery(params, COLUMNS, sort="-date")
        every, everybody = translated("Tous"), translated("Tout le monde")
        standings = [(each.value, translated(words)) for each, words in STANDINGS.items()]
        standing = query.choice("etat", translated("État"), standings, every=every)
        claims = [("oui", translated("Récupérés")), ("non", translated("Pas encore récupérés"))]
        claimed = query.choice("recupere", translated("Récupéré"), claims, every=every)
        given = query.times(translated("Période"), self.today, self.work.campus.time_zone)
        badge = query.choice_id("badge", translated("Badge"), self.badges, every=every)
        activity = query.choice_id(
            "activite", translated("Activité"), self.activities, every=translated("Toutes")
        )
        giver = query.choice_id("par", translated("Formatrice, formateur"), self.team, every=everybody)
        query.check()
        return query, AwardFilter(
            at=self.at,
            standing=Standing(standing) if standing else None,
            is_claimed=claimed == "oui" if claimed else None,
            given=given,
            badge_id=badge,
            activity_id=activity,
            giver_id=giver,
        )


def _rows(
    services: Services,
    work: AtWork,
    lines: Sequence[ListedAward],
    wanted: AwardFilter,
    shown: frozenset[str],
) -> Iterator[Row]:
    beside = Beside.of(services, work, lines, shown)
    for line in lines:
        values = _values(services, work, wanted.at, line, beside)
        yield Row(line.id, f"{values['personne'].text}, {line.badge}", values)


def _values(
    services: Services, work: AtWork, at: datetime, line: ListedAward, beside: Beside
) -> Mapping[str, Shown]:
    zone, delivery = work.campus.time_zone, beside.deliveries.get(line.id)
    activity = f"{work.home}/activites/{line.activity_id}" if line.activity_id else ""
    return {
        "personne": Shown(
            (line.family_name, line.given_name),
            delivery.person if delivery else line.name,
            href=f"{work.home}/attributions/{line.id}",
        ),
        "badge": words(line.badge),
        "activite": words(line.activity, href=activity),
        "date": on_day(line.awarded_at, zone, below=lambda: clock(line.awarded_at, zone)),
        "remise": _handed(delivery, zone) if delivery else words(""),
        "etat": words(translated(STANDINGS[line.standing(at)])),
        "adresse": words(beside.addresses.get(line.person_id)),
        "par": words(line.giver),
        "heures": Shown((line.hours,), lambda: hours_text(line.hours)),
        "valable": on_day(line.valid_until, zone),
        "recupere": on_day(line.claimed_at, zone),
        "retire": on_day(None if line.undone_at else line.revoked_at, zone),
        "annule": on_day(line.undone_at, zone),
        "motif": words(why_ended(line)),
        "lien": words(services.addresses.award(line.id)),
    }


def _handed(delivery: DeliveryView, zone: str) -> Shown:
    text = translated(delivery.state.text)
    return Shown(
        (text,),
        text,
        lambda: moment(delivery.at, zone) if delivery.at else "",
        tag=delivery.state.state,
        picture=delivery.picture,
        reason=delivery.reason,
    )


LISTING = Listing(
    Register.AWARDS,
    "awards/register.html",
    COLUMNS,
    AwardSort,
    lambda services: services.award_register,
    AwardFilters.of,
    _rows,
    (
        (N_("Toutes"), ""),
        (N_("Cette semaine"), "periode=semaine"),
        (N_("Pas encore récupérés"), "etat=valable&recupere=non"),
    ),
    acts=Permission.AWARD,
    beside=lambda _, __, asked: {"chosen_badge": asked.get("badge", "")},
)


@router.get("", dependencies=[staff(Permission.VIEW)])
def register(request: Request, services: ReadingServices) -> HTMLResponse:
    return LISTING.page(request, services)


@router.get("/attributions.csv", dependencies=[staff(Permission.EXPORT)])
@router.get("/attributions.xlsx", dependencies=[staff(Permission.EXPORT)])
def table(request: Request, services: ReadingServices) -> Response:
    return LISTING.table(request, services)


# --- Actions on awards chosen in their register: counted again, asked once, and what was not done with its
# reason

MOST_NAMED = 100
REASONS = {
    NotDone.ENDED: N_("Le badge n’est plus valable."),
    NotDone.CLAIMED: N_("La personne a déjà récupéré son badge."),
    NotDone.WITHHELD: N_("L’attribution peut encore être annulée : remettez-la d’abord."),
    NotDone.NO_ADDRESS: N_("Aucune adresse e-mail : remettez un bulletin imprimé."),
    NotDone.REFUSED: N_("Le dernier e-mail a été refusé : corrigez l’adresse."),
    NotDone.STOPPED: N_("La personne ne veut pas de rappel."),
    NotDone.RECENT: N_("La personne a été relancée il y a moins de six jours."),
    NotDone.OWN_ACCOUNT: N_("La personne a un compte : elle y trouve son badge."),
}
selection_router = APIRouter(prefix="/gestion/{slug}/attributions/choix")


@dataclass(frozen=True)
class ReasonGroup:
    sentence: str
    count: int
    names: Sequence[tuple[str, str]]
    """(name and badge, address of the award) of the first ones."""


@selection_router.post("", dependencies=[staff(Permission.AWARD)])
def choose(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """The ticked awards, or all of the register's query."""
    return LISTING.choose(request, services, form, AwardAction, most=MOST_CHOSEN)


@selection_router.get("/{draft_id:uuid}", dependencies=[staff(Permission.AWARD)])
def ask(
    draft_id: uuid.UUID, request: Request, services: ReadingServices, envoyes: Count = -1
) -> HTMLResponse:
    work = at_work(request)
    form = draft_form(request, services, draft_id, f"{work.home}/attributions/choix")
    action, ids = _action(form), _chosen(form)
    if action is AwardAction.WITHDRAW:
        check_may(work.roles, Permission.REVOKE)
    found = services.award_selection.foresee(work.campus, action, ids)
    return work.page(
        request,
        "awards/selection.html",
        here=f"{work.home}/attributions/choix/{draft_id}",
        action=action.value,
        ready=len(found.ready),
        people=len({each.record.person.id for each in found.ready}),
        ready_names=_names(work, found.ready),
        ready_ids=" ".join(map(str, found.ready_ids)),
        groups=[
            ReasonGroup(translated(REASONS[reason]), len(lines), _names(work, lines))
            for reason, lines in found.others.items()
        ],
        absent=found.absent,
        sent=max(envoyes, 0),
        done=envoyes >= 0,
        files=-(-len(found.ready) // SLIPS_PER_DOCUMENT),
        language=work.campus.language,
        key=secrets.token_urlsafe(16),
    )


@selection_router.post("/{draft_id:uuid}/relancer", dependencies=[staff(Permission.AWARD), CHECKED_FORM])
def remind(draft_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    chosen = draft_form(request, services, draft_id, f"{work.home}/attributions/choix")
    with write_transaction(request) as writing:
        sent = writing.award_selection.remind(work.campus, _chosen(chosen), by=work.actor)
    process_of(request).on_enqueue()
    return RedirectResponse(f"{work.home}/attributions/choix/{draft_id}?envoyes={sent}", status_code=303)


@selection_router.post("/{draft_id:uuid}/bulletins", dependencies=[staff(Permission.AWARD)])
def print_slips(draft_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """One of the files, by number."""
    work = at_work(request)
    chosen = draft_form(request, services, draft_id, f"{work.home}/attributions/choix")
    ready = services.award_selection.foresee(work.campus, AwardAction.HAND_OVER, _chosen(chosen)).ready_ids
    number = text_of(form, "fichier")
    start = (int(number) - 1 if number.isdecimal() and len(number) < 4 else 0) * SLIPS_PER_DOCUMENT
    wanted = ready[max(start, 0) :][:SLIPS_PER_DOCUMENT]
    return slips_response(request, services, work, wanted, text_of(form, "langue"))


def _action(form: FormData) -> AwardAction:
    name = text_of(form, "geste")
    action = next((each for each in AwardAction if each.value == name), None)
    if action is None:
        raise InvalidInput("Choisissez ce qu’il faut faire de ces badges.")
    return action


def _chosen(form: FormData) -> list[uuid.UUID]:
    return list(ids_in(text_of(form, "choisies").split()))


def _names(work: AtWork, lines: Sequence[AwardDelivery]) -> list[tuple[str, str]]:
    return [
        (f"{each.name}, {each.record.version.name}", f"{work.home}/attributions/{each.record.award.id}")
        for each in lines[:MOST_NAMED]
    ]


# --- Revoke many badges for one reason: selection, reason, results

ALL, TICKED = "tous", "coches"
# Beyond this, one checkbox per badge does not help.
MOST_TICKS = 500
MOST_SHOWN = 300
_UNLESS_SAID = N_("Dites s’il faut retirer tous ces badges, ou seulement ceux que vous cochez.")
bulk_revocation_router = APIRouter(prefix="/gestion/{slug}/retraits")


@dataclass(frozen=True)
class Source:
    """Origin of the page: a batch result, an activity, or one badge."""

    scope: WithdrawalScope
    fields: Sequence[tuple[str, str]]

    @staticmethod
    def of(said: Mapping[str, str]) -> Source:
        ids = {name: found for name in ("lot", "activite", "badge") if (found := _id(said.get(name, "")))}
        return Source(
            WithdrawalScope(ids.get("lot"), ids.get("activite"), ids.get("badge")),
            [(name, str(found)) for name, found in ids.items()],
        )


@dataclass(frozen=True)
class LineView:
    person: str
    badge: str
    href: str
    state: StateLabel


def _id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


@bulk_revocation_router.get("/nouveau", dependencies=[staff(Permission.REVOKE)])
def choose_revoked(
    request: Request, services: ReadingServices, lot: str = "", activite: str = "", badge: str = ""
) -> HTMLResponse:
    source = Source.of({"lot": lot, "activite": activite, "badge": badge})
    return _choice_page(request, services, at_work(request), source)


@bulk_revocation_router.post("/nouveau", dependencies=[staff(Permission.REVOKE)])
def withdraw(request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Revokes a few immediately; enqueues more."""
    work = at_work(request)
    source = Source.of({name: text_of(form, name) for name in ("lot", "activite", "badge")})
    chosen = [*texts_of(form, "attribution"), *text_of(form, "choisies").split()]
    ticked = tuple(found for text in chosen if (found := _id(text)))
    who, reason = text_of(form, "lesquels"), text_of(form, "motif")
    try:
        wanted = _wanted(source, who, ticked, reason)
        with write_transaction(request) as writing:
            withdrawal = writing.withdrawals.enqueue(
                work.campus,
                wanted,
                by=work.actor,
                key=key_of_page(text_of(form, "cle")),
                seen=text_of(form, "vu"),
            )
            if not writing.withdrawals.is_long(withdrawal):
                while writing.withdrawals.process_chunk(withdrawal.id):
                    pass
    except (ChangedMeanwhile, InvalidInput) as error:
        return _choice_page(
            request, services, work, source, who=who, ticked=ticked, reason=reason, refused=error
        )
    process_of(request).on_enqueue()
    return RedirectResponse(f"{work.home}/retraits/{withdrawal.id}", status_code=303)


def _wanted(source: Source, who: str, ticked: tuple[uuid.UUID, ...], reason: str) -> WithdrawalRequest:
    if who == TICKED:
        return WithdrawalRequest(reason, award_ids=ticked)
    if who != ALL or not source.scope.is_named:
        raise InvalidInput(_UNLESS_SAID)
    return WithdrawalRequest(reason, all_of=source.scope)


def _faults(who: str, ticked: Sequence[uuid.UUID], reason: str) -> dict[str, str]:
    """By field, in their order on the page."""
    faults = dict[str, str]()
    if who not in {TICKED, ALL}:
        faults["lesquels"] = translated(_UNLESS_SAID)
    elif who == TICKED and not ticked:
        faults["lesquels"] = translated(NONE_CHOSEN)
    try:
        check_reason(reason)
    except InvalidInput as error:
        faults["motif"] = sentence_of(error)
    return faults


def _choice_page(
    request: Request,
    services: Services,
    work: AtWork,
    source: Source,
    *,
    who: str = "",
    ticked: Sequence[uuid.UUID] = (),
    reason: str = "",
    refused: AppError | None = None,
) -> HTMLResponse:
    ids, records = list[uuid.UUID](), list[AwardRecord]()
    if source.scope.is_named:
        ids, records = services.withdrawals.standing(work.campus, source.scope, shown=MOST_TICKS)
    names = services.delivery.names_of(records)
    return work.page(
        request,
        "awards/withdraw_many.html",
        zone=work.campus.time_zone,
        source=source.fields,
        total=len(ids),
        seen=mark_of(*sorted(ids)),
        lines=[
            (award_id, replace(AwardLine.of(work, record), person=names[award_id]), award_id in ticked)
            for record in records
            for award_id in (record.award.id,)
        ],
        who=who,
        reason=reason,
        trouble=sentence_of(refused) if refused else "",
        errors=_faults(who, ticked, reason) if isinstance(refused, InvalidInput) else {},
        key=secrets.token_urlsafe(16),
    )


@bulk_revocation_router.get("/{withdrawal_id:uuid}", dependencies=[staff(Permission.REVOKE)])
def show(withdrawal_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    work = at_work(request)
    progress = services.withdrawals.progress(work.campus, withdrawal_id)
    running = progress.withdrawal.state is WithdrawalState.RUNNING
    lines = [] if running else _lines(services, work, withdrawal_id)
    return work.page(
        request,
        "awards/withdrawal.html",
        here=f"{work.home}/retraits/{withdrawal_id}",
        zone=work.campus.time_zone,
        running=running,
        withdrawal=progress.withdrawal,
        progress=ProgressView.of(progress.answered, progress.total),
        withdrawn=progress.counts.get(WithdrawalOutcome.WITHDRAWN, 0),
        already=progress.counts.get(WithdrawalOutcome.ALREADY, 0),
        absent=progress.counts.get(WithdrawalOutcome.ABSENT, 0),
        lines=lines[:MOST_SHOWN],
        more=max(0, len(lines) - MOST_SHOWN),
    )


def _lines(services: Services, work: AtWork, withdrawal_id: uuid.UUID) -> list[LineView]:
    result = services.withdrawals.result(work.campus, withdrawal_id)
    return [_line(work, line, result.records.get(line.award_id)) for line in result.lines]


def _line(work: AtWork, line: WithdrawalLine, record: AwardRecord | None) -> LineView:
    state = WITHDRAWAL_OUTCOMES[line.outcome]
    if record is None:
        return LineView("", "", "", state)
    return LineView(
        record.person.name, record.version.name, f"{work.home}/attributions/{line.award_id}", state
    )


@bulk_revocation_router.get("/{withdrawal_id:uuid}/avancement", dependencies=[staff(Permission.REVOKE)])
def watch(withdrawal_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    campus = at_work(request).campus
    services.withdrawals.progress(campus, withdrawal_id)

    def look(services: Services) -> tuple[ProgressView, bool]:
        progress = services.withdrawals.progress(campus, withdrawal_id)
        return ProgressView.of(progress.answered, progress.total), _is_done(progress.withdrawal)

    return live_response(request, look)


def _is_done(withdrawal: Withdrawal) -> bool:
    return withdrawal.state is WithdrawalState.DONE


@bulk_revocation_router.get("/{withdrawal_id:uuid}/lignes.csv", dependencies=[staff(Permission.REVOKE)])
def revocation_table(withdrawal_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """Result of each line."""
    lines = _lines(services, at_work(request), withdrawal_id)
    export_noted(request, "retraits")
    return Response(
        csv_for_excel(
            (_("Personne"), _("Badge"), _("État")),
            [(line.person, line.badge, translated(line.state.text)) for line in lines],
        ),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": 'attachment; filename="retraits.csv"'},
    )
