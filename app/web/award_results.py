"""What became of a press on the button: who was given the badge, with their private link, and who was not and why."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.domain.awards import LineOutcome
from app.domain.batches import BatchLine, BatchState, listed, may_be_undone
from app.domain.permissions import Deed
from app.domain.tables import csv_for_excel
from app.language import gettext as _
from app.request_scope import ReadingServices
from app.services.awards import BatchResult
from app.web.activities import ActivityView
from app.web.award_preview import NEED_A_PERSON
from app.web.desk import BadgeTile
from app.web.directory import export_noted
from app.web.people_lists import HEADING, as_text, cells_of
from app.web.render import page
from app.web.typography import say
from app.web.words import OUTCOMES, Word
from app.web.workplaces import AtWork, at_work, staff
from app.wiring import Services

MOST_SHOWN = 300
router = APIRouter(prefix="/gestion/{slug}/resultats/{batch_id}")


@dataclass(frozen=True)
class ResultLine:
    name: str
    address: str
    state: Word
    reason: str
    href: str
    private_link: str


@dataclass(frozen=True)
class ResultGroup:
    """Lines that came out one way; of very many the page shows the first, the tables hold all."""

    count: int
    lines: Sequence[ResultLine]

    @property
    def more(self) -> int:
        return self.count - len(self.lines)


def result_page(
    request: Request, services: Services, work: AtWork, batch_id: uuid.UUID, trouble: str = ""
) -> HTMLResponse:
    result = services.awards.batch(work.campus, batch_id)
    batch, now = result.batch, services.clock()
    refused = result.with_outcome(*NEED_A_PERSON)
    withheld = services.award_batches.withheld([line.award_id for line in result.lines if line.award_id])
    return page(
        request,
        "awarding/result.html",
        campus=work.look,
        private=True,
        status=409 if trouble else 200,
        home=work.home,
        here=f"{work.home}/resultats/{batch_id}",
        zone=work.campus.time_zone,
        trouble=trouble,
        batch=batch,
        undone=batch.state is BatchState.UNDONE,
        undo_until=batch.undo_until if may_be_undone(batch, at=now) else None,
        badge=BadgeTile.of(result.badge, result.version),
        activity=ActivityView.of(work, result.activity) if result.activity else None,
        awarded=_group(result.with_outcome(LineOutcome.AWARDED), services, result, work.home, withheld),
        held=_group(result.with_outcome(LineOutcome.ALREADY_HELD), services, result, work.home, withheld),
        refused=_group(refused, services, result, work.home, withheld),
        repeated=[name_of(line) for line in result.with_outcome(LineOutcome.REPEATED_LINE)],
        again=as_text(map(listed, refused)) if refused else "",
    )


@router.get("/refus.csv", dependencies=[staff(Deed.AWARD)])
def refused_table(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """The lines that were given nothing, with the reason: corrected, the file can be dropped again."""
    work = at_work(request)
    result = services.awards.batch(work.campus, batch_id)
    rows = [(*cells_of(listed(line)), reason_of(line)) for line in result.with_outcome(*NEED_A_PERSON)]
    return _table("refus", (*HEADING, "Motif"), rows)


@router.get("/liens.csv", dependencies=[staff(Deed.AWARD)])
def links_table(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """The private link of everybody who holds the badge now, whether given this time or before."""
    work = at_work(request)
    result = services.awards.batch(work.campus, batch_id)
    export_noted(request, "liens")
    withheld = services.award_batches.withheld([line.award_id for line in result.lines if line.award_id])
    rows = [
        (
            line.family_name,
            line.given_name,
            line.address,
            result.version.name,
            private_link(services, line.award_id, result.generations[line.award_id]),
        )
        for line in result.with_outcome(LineOutcome.AWARDED, LineOutcome.ALREADY_HELD)
        if line.award_id and line.award_id not in withheld
    ]
    return _table("liens", ("Nom", "Prénom", "Courriel", "Badge", _("Lien privé")), rows)


def private_link(services: Services, award_id: uuid.UUID, generation: int) -> str:
    return services.addresses.private_link(services.people.private_link_token(award_id, generation))


def name_of(line: BatchLine) -> str:
    return f"{line.given_name} {line.family_name}".strip()


def reason_of(line: BatchLine) -> str:
    return say(line.reason).format(**line.reason_values)


def _group(
    lines: Sequence[BatchLine],
    services: Services,
    result: BatchResult,
    home: str,
    withheld: Collection[uuid.UUID],
) -> ResultGroup:
    shown = [
        ResultLine(
            name=name_of(line),
            address=line.address,
            state=OUTCOMES[line.outcome],
            reason=reason_of(line),
            href=f"{home}/attributions/{line.award_id}" if line.award_id else "",
            private_link=private_link(services, line.award_id, result.generations[line.award_id])
            if line.award_id and line.award_id not in withheld
            else "",
        )
        for line in lines[:MOST_SHOWN]
    ]
    return ResultGroup(len(lines), shown)


def _table(name: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    return Response(
        csv_for_excel(heading, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
