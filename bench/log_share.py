"""Share of the activity log in a bulk award: append and sign; and, with it, each evidence document."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar

from app.container.process import collect_rarely
from app.db.engine import session
from app.domain.campus.audit_log import Actor
from app.services.awards.awards import AwardRequest
from bench.credentials import OURS
from bench.measuring.engines import on_both_engines
from bench.measuring.measure import Row, rows
from bench.ten_thousand import award_unlogged, new_badge
from tests.support.app import App, build_app

Given = ParamSpec("Given")
Found = TypeVar("Found")

PEOPLE = 2_000
ROUNDS = 5


def run() -> list[Row]:
    return on_both_engines(_measure)


def _measure(folder: Path, url: str, engine: str) -> list[Row]:
    session.upgrade(url)
    collect_rarely()  # as every server process does
    app = build_app(url, folder)
    app.record(*(f"Nom{number} Prénom;p{number}@exemple.fr" for number in range(PEOPLE)))
    _award(app, logged=True)
    shares, appending = [], []
    for _ in range(ROUNDS):
        spent: list[float] = []
        without, whole = _award(app, logged=False), _award(app, logged=True)
        shares.append(100 * (1 - without / whole))
        whole = _award(app, logged=True, spent=spent)
        appending.append(100 * sum(spent) / whole)
    app.close()
    return [
        *rows(
            f"share of appending to the log in a bulk award, {engine}", {OURS: appending}, ours=OURS, unit="%"
        ),
        *rows(f"share of the log in a bulk award, {engine}", {OURS: shares}, ours=OURS, unit="%"),
    ]


def _award(app: App, *, logged: bool, spent: list[float] | None = None) -> float:
    """CPU seconds of our process for the whole request, so that the share is independent of other load.

    `spent` collects those spent on appending: what each award's entry commits to, its leaf, rows and tiles,
    and the checkpoint over all. The proofs and evidence documents made from it are not included, nor is the
    evidence slot of each credential; in the share of the log they are.
    """
    request = AwardRequest(new_badge(app), app.activity.id, everybody=True)
    begun = time.process_time()
    with app.unit_of_work() as services:
        if not logged:
            award_unlogged(services.awards.bulk.issuer)
        elif spent is not None:
            logged_events = services.awards.bulk.issuer.logged_events
            logged_events.log_award = _timed(logged_events.log_award, spent)  # type: ignore[method-assign]
            logged_events.assessed = _timed(logged_events.assessed, spent)  # type: ignore[method-assign]
            logged_events.log.checkpoint = _timed(logged_events.log.checkpoint, spent)  # type: ignore[method-assign]
        result = services.awards.award(app.campus, request, by=Actor(app.trainer.id))
        assert len([line for line in result.lines if line.award_id]) == PEOPLE
    return time.process_time() - begun


def _timed(work: Callable[Given, Found], spent: list[float]) -> Callable[Given, Found]:
    def timed(*args: Given.args, **named: Given.kwargs) -> Found:
        begun = time.process_time()
        try:
            return work(*args, **named)
        finally:
            spent.append(time.process_time() - begun)

    return timed
