"""Result of an award: who received the badge, with private links, and who did not and why."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse, StreamingResponse
from starlette.datastructures import FormData

from app.container import Services
from app.domain.accounts.permissions import Permission
from app.domain.activities import has_begun, has_ended
from app.domain.awards import LineOutcome, in_words
from app.domain.awards.batches import AwardBatch, BatchLine, BatchState, listed, may_be_undone
from app.domain.core import csv_for_excel
from app.domain.imports.lists.model import REASON_HEADING
from app.domain.imports.lists.text import MAX_LINES
from app.errors import Conflict, NotFound
from app.http.pages.forms import CHECKED_FORM, SafeForm, ids_in, text_of
from app.http.pages.render import ProgressView, live_response, versions_response
from app.http.pages.words import OUTCOMES, StateLabel, ended_label, local, number, why_ended
from app.http.request_scope import ReadingServices, process_of, sentence_of, status_for, write_transaction
from app.http.workplaces import AtWork, at_work, staff
from app.language import gettext as _
from app.language import translated
from app.services.awards.batches import BatchOverview, Progress
from app.services.awards.papers import SLIPS_PER_DOCUMENT
from app.web.activities import ActivityView
from app.web.awards.delivery_states import DeliveryView, Tally, deliveries_of
from app.web.awards.preview import NEED_A_PERSON
from app.web.campus.audit_log import export_noted
from app.web.campus.dashboard import BadgeTile
from app.web.imports.list_table import left_in
from app.web.people.directory import HEADING, as_text, cells_of
from app.web.people.names import outcome_words

MOST_SHOWN = 300
router = APIRouter(prefix="/gestion/{slug}/resultats/{batch_id}")


@dataclass(frozen=True)
class ResultLine:
    """`key` identifies the line in the preview; `line` is its number in the list, 0 where it has none."""

    name: str
    address: str
    state: StateLabel
    reason: str
    href: str
    private_link: str
    in_account: bool = False
    """The person finds the badge in their account: no delivery needed."""
    ended: StateLabel | None = None
    """Where the resulting badge was revoked since."""
    why_ended: str = ""
    key: str = ""
    line: int = 0
    person_id: uuid.UUID | None = None
    handed: DeliveryView | None = None


@dataclass(frozen=True)
class Preparation:
    """The page that prepared an award, where it is still there, and how many lines it left aside."""

    href: str
    left: int


@dataclass(frozen=True)
class ResultGroup:
    """Lines with one outcome; a long group is cut on the page, the tables contain all."""

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
    # Longer than one list may be: cannot be uploaded again as one.
    fits = overview.count(*NEED_A_PERSON) <= MAX_LINES
    tally = Tally.of(services.award_batches.delivery_counts(work.campus, batch_id), now)
    undo_until = batch.undo_until if may_be_undone(batch, at=now) else None
    return work.page(
        request,
        "awards/result.html",
        status=status_for(trouble),
        here=f"{work.home}/resultats/{batch_id}",
        zone=work.campus.time_zone,
        trouble=trouble,
        corrected=outcome_words(request.query_params.get("fait", "")),
        batch=batch,
        undone=batch.state is BatchState.UNDONE,
        undo_until=undo_until,
        additions=services.award_batches.additions_of(work.campus, batch_id) if undo_until else None,
        badge=BadgeTile.of(overview.badge, overview.version),
        activity=ActivityView.of(work, overview.activity) if overview.activity else None,
        tally=tally,
        first=_likeliest_way(work, overview, tally, now, waits=undo_until is not None),
        letters_leave=process_of(request).mailer is not None,
        withdrawn=overview.withdrawn,
        awarded=groups.shown((LineOutcome.AWARDED,)),
        held=groups.shown((LineOutcome.ALREADY_HELD,)),
        refused=groups.shown(NEED_A_PERSON),
        repeated=[name_of(line) for line in groups.lines((LineOutcome.REPEATED_LINE,), MAX_LINES)],
        again=as_text(listed_only) if fits and listed_only else "",
        again_people=" ".join(of_the_activity) if fits else "",
        prepared=_preparation(services, work, overview),
        slip_files=[(number, number) for number in files_of(overview.count(LineOutcome.AWARDED))],
        slips_of=SLIPS_PER_DOCUMENT,
        language=work.campus.language,
    )


def _likeliest_way(work: AtWork, overview: BatchOverview, tally: Tally, now: datetime, *, waits: bool) -> str:
    """Project while the activity lasts; afterwards send, or print for people without an address."""
    there = local(now, work.campus.time_zone).replace(tzinfo=None)
    activity = overview.activity
    if activity is not None and has_begun(activity, there) and not has_ended(activity, there):
        return "projeter"
    if tally.mails and (waits or not tally.slips):
        return "envoyer"
    return "imprimer"


def _preparation(services: Services, work: AtWork, overview: BatchOverview) -> Preparation | None:
    """Its key is the draft that the person awarded from, for as long as that is stored."""
    draft_ids = ids_in([(overview.batch.idempotency_key or "").partition(".")[0]])
    if overview.activity is None or not draft_ids:
        return None
    path = f"{work.home}/activites/{overview.activity.id}/attribuer"
    try:
        form = services.form_drafts.get(work.campus, draft_ids[0], work.who.person.id, path)
    except NotFound:
        return None
    return Preparation(f"{path}/{draft_ids[0]}", len(left_in(FormData(list(form.fields)))))


@router.get("/suivi", dependencies=[staff(Permission.AWARD)])
def follow(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """SSE stream: one event, without names, for each change of the counts; the page then renews its part."""
    campus = at_work(request).campus
    services.award_batches.delivery_counts(campus, batch_id)

    def glance(services: Services) -> str:
        counts = services.award_batches.delivery_counts(campus, batch_id)
        return Tally.of(counts, services.clock()).version

    return versions_response(request, glance)


def files_of(slips: int) -> list[str]:
    """Numbers of the slip files."""
    return [str(number) for number in range(1, -(-slips // SLIPS_PER_DOCUMENT) + 1)]


@router.get("/refus.csv", dependencies=[staff(Permission.AWARD)])
def refused_table(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """The refused lines with their reasons: once corrected, the file can be uploaded again."""
    work = at_work(request)
    batch = services.award_batches.overview(work.campus, batch_id).batch
    export_noted(request, "refus")
    rows = (
        row
        for some in services.award_batches.lines_in_turn(batch, NEED_A_PERSON)
        for row in _refused_rows(services, batch, some)
    )
    return _table("refus", (*HEADING, REASON_HEADING), rows)


def _refused_rows(
    services: Services, batch: AwardBatch, lines: Sequence[BatchLine]
) -> Iterator[Sequence[str]]:
    """Includes the number of a disambiguated person: uploaded again, the line means the same person."""
    numbers = services.award_batches.numbers_of(batch, lines)
    for line in lines:
        said, number = listed(line), numbers.get(line.participation_id, 0)
        if number:
            said = replace(said, homonym=number, numbered_first=number == 1)
        yield *cells_of(said), reason_of(line)


@router.get("/liens.csv", dependencies=[staff(Permission.AWARD)])
def links_table(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    """How the badge reaches each current holder, whether awarded now or before."""
    work = at_work(request)
    overview = services.award_batches.overview(work.campus, batch_id)
    export_noted(request, "liens")
    heading = ("Nom", "Prénom", "E-mail", "Badge", _("Lien privé"))
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
    """Private links of the resulting awards, except those that may still be undone.

    Empty for a person who finds the badge in their account.
    """
    awards = [line.award_id for line in lines if line.award_id]
    withheld = services.award_batches.withheld(awards)
    handed = links_of(services, [award_id for award_id in awards if award_id not in withheld])
    return {award_id: handed[award_id] for award_id in awards if award_id in handed}


def links_of(services: Services, award_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Empty for a person with an account or a role: others never see a link that opens their badge."""
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
    return translated(line.reason).format(**in_words(line.reason_values))


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
        ids = [line.award_id for line in lines if line.award_id]
        handed = deliveries_of(self.services, self.home, ids, self.overview.batch.campus_id)
        shown = [
            ResultLine(
                name=_name_now(line, handed, numbers),
                address=handed[line.award_id].address
                if line.award_id and line.award_id in handed
                else line.address,
                state=OUTCOMES[line.outcome],
                reason=reason_of(line),
                href=f"{self.home}/attributions/{line.award_id}" if line.award_id else "",
                private_link="" if line.award_id in ended else links.get(line.award_id, ""),
                in_account=links.get(line.award_id) == "" and line.award_id not in ended,
                ended=ended_label(ended[line.award_id]) if line.award_id in ended else None,
                why_ended=why_ended(ended[line.award_id]) if line.award_id in ended else "",
                key=str(line.participation_id or line.told.get("line", 0)),
                line=0 if line.participation_id else line.told.get("line", 0),
                person_id=line.person_id,
                handed=handed.get(line.award_id) if line.award_id else None,
            )
            for line in lines
        ]
        return ResultGroup(self.overview.count(*outcomes), shown)


def _name_now(
    line: BatchLine, handed: Mapping[uuid.UUID, DeliveryView], numbers: Mapping[uuid.UUID | None, int]
) -> str:
    """Of an award, its person's name as it is now: it may have been corrected since."""
    number = numbers.get(line.participation_id, 0)
    delivery = handed.get(line.award_id) if line.award_id else None
    is_one_of_several = number or line.told.get("homonym", 1) > 1
    return name_of(line, number) if delivery is None or is_one_of_several else delivery.person


def _table(name: str, heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    return Response(
        csv_for_excel(heading, rows),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


LATEST = 4
UNSETTLED = (BatchState.RUNNING, BatchState.UNDOING)
progress_router = APIRouter(prefix="/gestion/{slug}/resultats/{batch_id}")


@progress_router.get("", dependencies=[staff(Permission.AWARD)])
def show(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> HTMLResponse:
    return _page(request, services, at_work(request), batch_id)


def _page(
    request: Request, services: Services, work: AtWork, batch_id: uuid.UUID, trouble: str = ""
) -> HTMLResponse:
    progress = services.award_batches.progress(work.campus, batch_id, latest=LATEST)
    if progress.batch.state in (BatchState.DONE, BatchState.UNDONE):
        return result_page(request, services, work, batch_id, trouble)
    overview = services.award_batches.overview(work.campus, batch_id)
    return work.page(
        request,
        "awards/progress.html",
        status=status_for(trouble),
        here=f"{work.home}/resultats/{batch_id}",
        zone=work.campus.time_zone,
        badge=BadgeTile.of(overview.badge, overview.version),
        activity=ActivityView.of(work, overview.activity) if overview.activity else None,
        batch=progress.batch,
        progress=_progress_of(progress),
        latest=[name_of(line) for line in progress.latest],
        trouble=trouble,
    )


@progress_router.get("/avancement", dependencies=[staff(Permission.AWARD)])
def watch(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> StreamingResponse:
    """SSE stream of the progress, until it is settled."""
    campus = at_work(request).campus
    services.award_batches.progress(campus, batch_id)

    def look(services: Services) -> tuple[ProgressView, bool]:
        progress = services.award_batches.progress(campus, batch_id)
        return _progress_of(progress), progress.batch.state not in UNSETTLED

    return live_response(request, look)


def _progress_of(progress: Progress) -> ProgressView:
    if progress.batch.state is BatchState.UNDOING:
        done, total = progress.awarded - progress.standing, progress.awarded
        heading = translated("Badges annulés : {done} sur {total}")
        return ProgressView(done, total, heading.format(done=number(done), total=number(total)))
    return ProgressView.of(progress.answered, progress.total)


@progress_router.post("/annuler", dependencies=[staff(Permission.AWARD)])
def take_back(batch_id: uuid.UUID, request: Request, form: SafeForm, services: ReadingServices) -> Response:
    """Before its scheduled time, cancels; afterwards, revokes what was awarded, before delivery."""
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            writing.award_batches.take_back(
                work.campus, batch_id, by=work.actor, with_additions=text_of(form, "aussi") == "oui"
            )
    except Conflict as error:
        return _page(request, services, work, batch_id, sentence_of(error))
    process_of(request).on_enqueue()
    return _back(work, batch_id)


@progress_router.post("/remettre", dependencies=[staff(Permission.AWARD), CHECKED_FORM])
def hand_over(batch_id: uuid.UUID, request: Request, services: ReadingServices) -> Response:
    work = at_work(request)
    try:
        with write_transaction(request) as writing:
            writing.award_batches.hand_over(work.campus, batch_id, by=work.actor)
    except Conflict as error:
        return _page(request, services, work, batch_id, sentence_of(error))
    process_of(request).on_enqueue()
    return _back(work, batch_id)


def _back(work: AtWork, batch_id: uuid.UUID) -> RedirectResponse:
    return RedirectResponse(f"{work.home}/resultats/{batch_id}", status_code=303)
