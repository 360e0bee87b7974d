"""A bulk award through the whole service, by a durable workflow, beside signing and storing alone; up to 100,000 lines."""

from __future__ import annotations

import resource
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from app.container import Process
from app.container.process import collect_rarely
from app.db.engine import session
from app.domain.activities import Activity, ActivityKind
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import LineOutcome, new_award
from app.domain.awards.batches import CHUNK_SIZE
from app.domain.campus.audit_log import Actor
from app.domain.core import neighbouring_ids
from app.errors import AppError
from app.jobs.kinds import AWARDS, JobType
from app.jobs.worker import Worker
from app.services.awards.award_context import AwardContext, MatchedRecipient, disclosed_at_first
from app.services.awards.award_issuer import (
    SIGNED_AT_ONCE,
    document_to_sign,
    prepared_documents,
    signed_documents,
)
from app.services.awards.awards import AwardRequest
from app.services.publishing.status import PublishedSlot, StatusSlots
from bench.credentials import OURS
from bench.measuring.engines import on_both_engines
from bench.measuring.measure import Row, rows
from bench.ten_thousand import award_unlogged, new_badge
from tests.support.app import App, build_app

SIZES = (100, 1_000, 10_000, 100_000)
COMPARED = 10_000
ROUNDS = 3
FLOOR = "signing and storing alone"
_RECORDED_AT_A_TIME = 2_000


def run(sizes: Sequence[int] = SIZES) -> list[Row]:
    return on_both_engines(partial(_measure, sizes=sizes))


def _measure(folder: Path, url: str, engine: str, sizes: Sequence[int]) -> list[Row]:
    session.upgrade(url)
    collect_rarely()  # as every server process does
    app = build_app(url, folder)
    found = []
    with _working(app, WITH_THE_LOG):
        for size in sizes:
            crowd = _crowd(app, size)
            name = f"{size:,} lines through the whole service, {engine}"
            _whole(app, crowd)
            if size == COMPARED:
                found += _beside_signing_and_storing(app, crowd, name)
            else:
                repeated = 1 if size > COMPARED else ROUNDS
                each = [_whole(app, crowd) for _ in range(repeated)]
                found += rows(name, {OURS: each * (2 if repeated == 1 else 1)}, ours=OURS, unit="ms")
            print(f"  {engine}, {size:,} lines: at most {_most_memory()} MiB in use", flush=True)
    with _working(app, WITHOUT_THE_LOG):
        crowd = _crowd(app, COMPARED)
        found += _beside_signing_and_storing(
            app, crowd, f"{COMPARED:,} lines through the whole service but the log, {engine}"
        )
    app.close()
    return found


def _beside_signing_and_storing(app: App, crowd: Activity, name: str) -> list[Row]:
    measured: dict[str, list[float]] = {OURS: [], FLOOR: []}
    for _ in range(ROUNDS):
        measured[FLOOR].append(_alone(app, crowd))
        measured[OURS].append(_whole(app, crowd))
    return rows(name, measured, ours=OURS, unit="ms")


_committed = threading.Event()
"""Set with the last chunk of a job: polling the database would take time from the work, and detect the end
late."""


def _told(piece: Callable[[Process, uuid.UUID], bool]) -> Callable[[Process, uuid.UUID], bool]:
    def perform(process: Process, batch_id: uuid.UUID) -> bool:
        more = piece(process, batch_id)
        if not more:
            _committed.set()
        return more

    return perform


def _piece_without_the_log(process: Process, batch_id: uuid.UUID) -> bool:
    with process.unit_of_work() as services:
        award_unlogged(services.bulk_awards.issuer)
        return services.bulk_awards.process_chunk(batch_id).more


WITH_THE_LOG = JobType(AWARDS.name, AWARDS.due, _told(AWARDS.perform))
WITHOUT_THE_LOG = JobType(AWARDS.name, AWARDS.due, _told(_piece_without_the_log))
"""Eligibility, both forms, storage, audit log, status index and e-mails, as in the target; the activity log
and its evidence have a target of their own."""


@contextmanager
def _working(app: App, kind: JobType) -> Iterator[None]:
    """A worker in the same process, as beside every server."""
    worker = Worker(app.process, [kind])
    worker.start()
    try:
        yield
    finally:
        worker.stop()


def _whole(app: App, activity: Activity) -> float:
    """Milliseconds from the submitted form to the last line result, awarded by the worker."""
    request = AwardRequest(new_badge(app), activity.id, everybody=True)
    _committed.clear()
    begun = time.perf_counter_ns()
    with app.unit_of_work() as services:
        batch = services.bulk_awards.enqueue(app.campus, request, by=Actor(app.trainer.id))
    app.process.on_enqueue()
    assert _committed.wait(timeout=900)
    taken = (time.perf_counter_ns() - begun) / 1e6
    with app.unit_of_work() as services:
        assert services.bulk_awards.batches.counts(batch.id).keys() == {LineOutcome.AWARDED}
    return taken


def _alone(app: App, activity: Activity) -> float:
    """Milliseconds for as many documents, signed in both forms, checked, and stored with their awards: no
    rules, no people, no status positions, no audit log, no e-mails, no workflow."""
    badge_id = new_badge(app)
    with app.unit_of_work() as services:
        request = AwardRequest(badge_id, activity.id, everybody=True)
        case = services.awards.eligibility.case(app.campus, request, Actor(app.trainer.id))
        found, _ = services.awards.eligibility.meant(case, request)
        services.bulk_awards.issuer.badge_service.freeze(app.campus, case.badge, case.version)
    begun = time.perf_counter_ns()
    for start in range(0, len(found), CHUNK_SIZE):
        _sign_and_keep(app, case, found[start : start + CHUNK_SIZE])
    return (time.perf_counter_ns() - begun) / 1e6


def _sign_and_keep(app: App, case: AwardContext, found: Sequence[MatchedRecipient]) -> None:
    at, ids = app.clock(), neighbouring_ids(len(found))
    somewhere = uuid.uuid4()
    places = StatusSlots(
        {each: PublishedSlot(somewhere, number) for number, each in enumerate(ids)}, app.process.addresses
    )
    with app.unit_of_work() as services:
        keeping = services.bulk_awards.issuer
        words, batch = keeping.words_of(case), keeping.batch_of(case, at)
        awards = [
            new_award(
                case.badge, case.version, person=person, activity=case.activity, participation=participation,
                evidence="", show_name=True, giver_id=app.trainer.id, at=at,
                zone=case.campus.time_zone, award_id=award_id,
            )
            for award_id, (_, participation, person) in zip(ids, found, strict=True)
            if person is not None
        ]  # fmt: skip
        shown = {person.id: disclosed_at_first(person, case.activity) for _, _, person in found if person}
        documents = [document_to_sign(award, words, places, shown[award.person_id]) for award in awards]
        services.stores.awards.add_all(awards)
        for start in range(0, len(awards), SIGNED_AT_ONCE):
            some = slice(start, start + SIGNED_AT_ONCE)
            prepared = [
                each for each in prepared_documents(documents[some], batch) if not isinstance(each, AppError)
            ]
            services.stores.awards.add_documents(signed_documents(awards[some], prepared, batch))


def _crowd(app: App, size: int) -> Activity:
    """An activity with so many people in it."""
    by = Actor(app.trainer.id)
    day = app.clock().date()
    with app.unit_of_work() as services:
        activity = services.activities.create(
            Activity(
                kind=ActivityKind.EVENT, title=f"Journée de {size}", starts_on=day, ends_on=day, hours=3
            ),
            [app.campus],
            by=by,
        )
    for start in range(0, size, _RECORDED_AT_A_TIME):
        lines = [
            ListedPerson(number, f"Prénom{number}", f"Nom{number}", f"p{number}.{size}@exemple.fr")
            for number in range(start, min(size, start + _RECORDED_AT_A_TIME))
        ]
        with app.unit_of_work() as services:
            services.activities.keep(activity, lines, campus_id=app.campus.id, by=by, meant={})
    return activity


def _most_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
