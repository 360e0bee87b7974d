"""What became of a press on the button: who was given the badge, with their private link, and who was not and why."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from app.container import Services
from app.domain.accounts.permissions import Deed
from app.domain.activities.participant_lists import MAX_LINES
from app.domain.awards.awards import LineOutcome
from app.domain.awards.batches import AwardBatch, BatchLine, BatchState, listed, may_be_undone
from app.domain.awards.reasons import in_words
from app.domain.core.tables import csv_for_excel
from app.http.pages.render import page
from app.http.pages.typography import say
from app.http.pages.words import OUTCOMES, Word, ended_word, why_ended
from app.http.request_scope import ReadingServices
from app.http.workplaces import AtWork, at_work, staff
from app.language import gettext as _
from app.services.awards.batches import BatchOverview
from app.services.awards.handing.slips import AT_ONCE
from app.web.activities.activities import ActivityView
from app.web.awards.preview import NEED_A_PERSON
from app.web.campus.desk import BadgeTile
from app.web.campus.history import export_noted
from app.web.people.people_lists import HEADING, as_text, cells_of

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
    in_account: bool = False
    """The person finds the badge in their account: there is nothing to hand over."""
    ended: Word | None = None
    """Where the badge that it came to was withdrawn since."""
    why_ended: str = ""


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
    overview = services.award_batches.overview(work.campus, batch_id)
    batch, now = overview.batch, services.clock()
    groups = _Groups(services, overview, work.home)
    refused = groups.lines(NEED_A_PERSON, MAX_LINES)
    listed_only = [listed(line) for line in refused if line.participation_id is None]
    of_the_activity = [str(line.participation_id) for line in refused if line.participation_id]
    # More than a list may hold cannot be dropped again as one.
    fits = overview.count(*NEED_A_PERSON) <= MAX_LINES
    return page(
        request,
        "awards/result.html",
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
        badge=BadgeTile.of(overview.badge, overview.version),
        activity=ActivityView.of(work, overview.activity) if overview.activity else None,
        withdrawn=overview.withdrawn,
        awarded=groups.shown((LineOutcome.AWARDED,)),
        held=groups.shown((LineOutcome.ALREADY_HELD,)),
        refused=groups.shown(NEED_A_PERSON),
        repeated=[name_of(line) for line in groups.lines((LineOutcome.REPEATED_LINE,), MAX_LINES)],
        again=as_text(listed_only) if fits and listed_only else "",
        again_people=" ".join(of_the_activity) if fits else "",
        slip_files=[(number, number) for number in files_of(overview.count(LineOutcome.AWARDED))],
        slips_of=AT_ONCE,
        language=work.campus.language,
    )


def files_of(slips: int) -> list[str]:
    """The numbers of the files that hold so many slips."""
    return [str(number) for number in range(1, -(-slips // AT_ONCE) + 1)]


@router.get("/refus.csv", dependencies=[staff(Deed.AWARD)])
def refused_table(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """The lines that were given nothing, with the reason: corrected, the file can be dropped again."""
    work = at_work(request)
    batch = services.award_batches.overview(work.campus, batch_id).batch
    rows = (
        row
        for some in services.award_batches.lines_in_turn(batch, NEED_A_PERSON)
        for row in _refused_rows(services, batch, some)
    )
    return _table("refus", (*HEADING, "Motif"), rows)


def _refused_rows(
    services: Services, batch: AwardBatch, lines: Sequence[BatchLine]
) -> Iterator[Sequence[str]]:
    """Whoever has a number has it here too: dropped again, the line means nobody else of that name."""
    numbers = services.award_batches.numbers_of(batch, lines)
    for line in lines:
        said, number = listed(line), numbers.get(line.participation_id, 0)
        if number:
            said = replace(said, homonym=number, told_first=number == 1)
        yield *cells_of(said), reason_of(line)


@router.get("/liens.csv", dependencies=[staff(Deed.AWARD)])
def links_table(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """How the badge reaches each person who holds it now, whether given this time or before."""
    work = at_work(request)
    overview = services.award_batches.overview(work.campus, batch_id)
    export_noted(request, "liens")
    heading = ("Nom", "Prénom", "Courriel", "Badge", _("Lien privé"))
    return _table("liens", heading, _linked(services, overview))


def _linked(services: Services, overview: BatchOverview) -> Iterator[Sequence[str]]:
    holding = (LineOutcome.AWARDED, LineOutcome.ALREADY_HELD)
    for some in services.award_batches.lines_in_turn(overview.batch, holding):
        links = _links(services, some)
        for line in some:
            if line.award_id in links:
                link = links[line.award_id]
                yield (
                    line.family_name,
                    line.given_name,
                    line.address,
                    overview.version.name,
                    link or _("Dans son compte"),
                )


def _links(services: Services, lines: Sequence[BatchLine]) -> dict[uuid.UUID | None, str]:
    """The private links of the awards that these lines came to, but for those that may still be undone.

    Empty for a person who finds the badge in their account.
    """
    awards = [line.award_id for line in lines if line.award_id]
    withheld = services.award_batches.withheld(awards)
    handed = links_of(services, [award_id for award_id in awards if award_id not in withheld])
    return {award_id: handed[award_id] for award_id in awards if award_id in handed}


def links_of(services: Services, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Empty for a person who has an account or a role: nothing that opens their badge is shown to others."""
    found = services.people.links_to_hand(award_ids)
    return {
        award_id: services.addresses.private_link(found[award_id]) if award_id in found else ""
        for award_id in award_ids
    }


def name_of(line: BatchLine, number: int = 0) -> str:
    name = f"{line.given_name} {line.family_name}".strip()
    number = number or line.told.get("homonym", 1)
    return f"{name} ({number})" if number > 1 else name


def reason_of(line: BatchLine) -> str:
    return say(line.reason).format(**in_words(line.reason_values))


@dataclass(frozen=True)
class _Groups:
    services: Services
    overview: BatchOverview
    home: str

    def lines(self, outcomes: Collection[LineOutcome], limit: int) -> Sequence[BatchLine]:
        if not self.overview.count(*outcomes):
            return ()
        return self.services.award_batches.first_lines(self.overview.batch, outcomes, limit)

    def shown(self, outcomes: Collection[LineOutcome]) -> ResultGroup:
        lines = self.lines(outcomes, MOST_SHOWN)
        numbers = self.services.award_batches.numbers_of(self.overview.batch, lines)
        links = _links(self.services, lines)
        ended = self.services.award_batches.withdrawn_among(lines)
        shown = [
            ResultLine(
                name=name_of(line, numbers.get(line.participation_id, 0)),
                address=line.address,
                state=OUTCOMES[line.outcome],
                reason=reason_of(line),
                href=f"{self.home}/attributions/{line.award_id}" if line.award_id else "",
                private_link="" if line.award_id in ended else links.get(line.award_id, ""),
                in_account=links.get(line.award_id) == "" and line.award_id not in ended,
                ended=ended_word(ended[line.award_id]) if line.award_id in ended else None,
                why_ended=why_ended(ended[line.award_id]) if line.award_id in ended else "",
            )
            for line in lines
        ]
        return ResultGroup(self.overview.count(*outcomes), shown)


def _table(name: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    return Response(
        csv_for_excel(heading, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
