"""Revoke many badges for one reason: selection, reason, results."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.awards.batches import Withdrawal, WithdrawalLine, WithdrawalOutcome, WithdrawalState
from app.domain.core import csv_for_excel
from app.errors import InvalidInput
from app.http.pages.forms import SafeForm, text_of, texts_of
from app.http.pages.render import ProgressView, live_response
from app.http.pages.typography import translated
from app.http.pages.words import WITHDRAWAL_OUTCOMES, StateLabel
from app.http.request_scope import ReadingServices, process_of, write_transaction
from app.http.workplaces import AtWork, at_work, sentence_of, staff
from app.language import N_
from app.language import gettext as _
from app.services.awards.awards import AwardRecord
from app.services.awards.bulk_revocation import WithdrawalRequest, WithdrawalScope
from app.web.campus.audit_log import export_noted
from app.web.campus.dashboard import AwardLine

ALL, TICKED = "tous", "coches"
# Beyond this, one checkbox per badge does not help.
MOST_TICKS = 500
MOST_SHOWN = 300
router = APIRouter(prefix="/gestion/{slug}/retraits")


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


@router.get("/nouveau", dependencies=[staff(Permission.REVOKE)])
def choose(
    request: Request, services: ReadingServices, lot: str = "", activite: str = "", badge: str = ""
) -> HTMLResponse:
    source = Source.of({"lot": lot, "activite": activite, "badge": badge})
    return _choice_page(request, services, at_work(request), source)


@router.post("/nouveau", dependencies=[staff(Permission.REVOKE)])
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
            withdrawal = writing.withdrawals.promise(
                work.campus, wanted, by=work.actor, key=text_of(form, "cle")[:128] or None
            )
            if not writing.withdrawals.is_long(withdrawal):
                while writing.withdrawals.process_chunk(withdrawal.id):
                    pass
    except InvalidInput as error:
        return _choice_page(
            request, services, work, source, who=who, ticked=ticked, reason=reason, trouble=sentence_of(error)
        )
    process_of(request).on_promise()
    return RedirectResponse(f"{work.home}/retraits/{withdrawal.id}", status_code=303)


def _wanted(source: Source, who: str, ticked: tuple[uuid.UUID, ...], reason: str) -> WithdrawalRequest:
    if who == TICKED:
        return WithdrawalRequest(reason, award_ids=ticked)
    if who != ALL or not source.scope.is_named:
        raise InvalidInput(N_("Dites s’il faut retirer tous ces badges, ou seulement ceux que vous cochez."))
    return WithdrawalRequest(reason, all_of=source.scope)


def _choice_page(
    request: Request,
    services: Services,
    work: AtWork,
    source: Source,
    *,
    who: str = "",
    ticked: Sequence[uuid.UUID] = (),
    reason: str = "",
    trouble: str = "",
) -> HTMLResponse:
    records: Sequence[AwardRecord] = []
    if source.scope.is_named:
        records = services.withdrawals.standing(work.campus, source.scope)
    names = services.handing_over.names_of(records[:MOST_TICKS])
    return work.page(
        request,
        "awards/withdraw_many.html",
        status=422 if trouble else 200,
        zone=work.campus.time_zone,
        source=source.fields,
        total=len(records),
        lines=[
            (award_id, replace(AwardLine.of(work, record), person=names[award_id]), award_id in ticked)
            for record in records[:MOST_TICKS]
            for award_id in (record.award.id,)
        ],
        who=who,
        reason=reason,
        trouble=trouble,
        key=secrets.token_urlsafe(16),
    )


@router.get("/{withdrawal_id:uuid}", dependencies=[staff(Permission.REVOKE)])
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


@router.get("/{withdrawal_id:uuid}/avancement", dependencies=[staff(Permission.REVOKE)])
def watch(withdrawal_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    campus = at_work(request).campus
    services.withdrawals.progress(campus, withdrawal_id)

    def look(services: Services) -> tuple[ProgressView, bool]:
        progress = services.withdrawals.progress(campus, withdrawal_id)
        return ProgressView.of(progress.answered, progress.total), _is_done(progress.withdrawal)

    return live_response(request, look)


def _is_done(withdrawal: Withdrawal) -> bool:
    return withdrawal.state is WithdrawalState.DONE


@router.get("/{withdrawal_id:uuid}/lignes.csv", dependencies=[staff(Permission.REVOKE)])
def table(withdrawal_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
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
