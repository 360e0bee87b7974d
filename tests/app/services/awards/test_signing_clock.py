"""The clock that dates what is signed: it never runs backwards, and a jump stops signing until it is confirmed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import Session, select

from app.container import Process
from app.domain.awards import Award
from app.domain.awards.signing_clock import (
    LONGEST_OFF,
    ClockJumped,
    Jump,
    SigningClock,
    Ticks,
    confirm,
    is_sample_due,
    jump_in,
    take_sample,
)
from app.domain.campus.audit_log import HistoryEntry
from app.domain.campus.integration import Webhook
from app.domain.core import LARGEST_STEP
from app.services.activity_log.log_check import Fault, LogCheck, LogFault
from tests.support.app import COMMAND, NOON, App

WEEK, MINUTE = timedelta(days=7), timedelta(minutes=1)


class Machine:
    """A clock that can be set, and the seconds since the machine started."""

    def __init__(self) -> None:
        self.at, self.ticks = NOON, Ticks("first start", 100.0)

    def passes(self, for_: timedelta) -> None:
        self.at += for_
        self.ticks = Ticks(self.ticks.boot, self.ticks.seconds + for_.total_seconds())

    def is_set(self, by: timedelta) -> None:
        self.at += by

    def restarts(self, *, off: timedelta, starts: str = "second start") -> None:
        self.at += off
        self.ticks = Ticks(starts, 5.0)


@pytest.fixture
def machine() -> Machine:
    return Machine()


@pytest.fixture
def process(app: App, machine: Machine) -> Process:
    return another_process(app, machine)


def another_process(app: App, machine: Machine) -> Process:
    app.process.clock, app.process.counter = lambda: machine.at, lambda: machine.ticks
    return app.process


def sampled(at: datetime = NOON, boot: str = "first start", seconds: float = 100.0) -> SigningClock:
    return SigningClock(at=at, boot=boot, seconds=seconds)


# --- rules


@given(
    passed=st.integers(0, 10**8),
    step=st.integers(-400, 400),
)
def test_within_one_start_only_the_difference_to_the_ticks_is_a_jump(passed: int, step: int):
    at = NOON + timedelta(seconds=passed + step)
    jump = jump_in(sampled(), at, Ticks("first start", 100.0 + passed))
    assert (jump is not None) == (abs(step) > LARGEST_STEP.total_seconds())


@pytest.mark.parametrize(
    ("passed", "is_jump"),
    [
        (WEEK, False),
        (LONGEST_OFF, False),
        (LONGEST_OFF + MINUTE, True),
        (-LARGEST_STEP, False),
        (-LARGEST_STEP - MINUTE, True),
        (timedelta(), False),
    ],
)
def test_after_a_restart_a_week_off_is_no_jump_and_going_back_is_one(passed: timedelta, is_jump: bool):
    for ticks in (Ticks("second start", 3.0), Ticks("", 0.0)):
        assert (jump_in(sampled(), NOON + passed, ticks) is not None) == is_jump


def test_a_clock_never_sampled_has_not_jumped():
    assert jump_in(SigningClock(), NOON, Ticks("any", 0.0)) is None
    assert is_sample_due(SigningClock(), NOON, Ticks("any", 0.0))


def test_small_steps_of_a_time_server_do_not_add_up():
    row, at, seconds = sampled(), NOON, 100.0
    for _ in range(20):
        at, seconds = at + timedelta(minutes=2), seconds + 60
        assert jump_in(row, at, Ticks("first start", seconds)) is None
        take_sample(row, at, Ticks("first start", seconds))


def test_clock_that_is_behind_does_not_replace_the_sample():
    assert not is_sample_due(sampled(), NOON - MINUTE, Ticks("other machine", 9.0))


def test_a_stored_jump_stays_until_it_is_confirmed():
    row = sampled()
    row.stopped_at, row.expected_at = NOON + WEEK, NOON
    assert jump_in(row, NOON + MINUTE, Ticks("first start", 160.0)) == Jump(NOON + WEEK, NOON)
    confirm(row, NOON + MINUTE, Ticks("first start", 160.0))
    assert jump_in(row, NOON + 2 * MINUTE, Ticks("first start", 220.0)) is None


# --- what is signed


def award(app: App, who: str) -> Award:
    (line,) = app.award(who).lines
    assert line.award_id is not None
    with app.unit_of_work(reading=True) as services:
        found = services.stores.awards.find(line.award_id)
        assert found is not None
        return found


def test_awards_and_log_lines_are_not_dated_before_the_last_one(app: App, machine: Machine):
    another_process(app, machine)
    app.process.counter = None
    machine.passes(timedelta(days=1))
    dates = []
    for name, step in zip("abcde", (0, -4, 1, -90, 200), strict=True):
        machine.is_set(timedelta(minutes=step))
        dates.append(award(app, f"Person {name};{name}@exemple.fr").awarded_at)
    with app.unit_of_work(reading=True) as services:
        (log,) = services.stores.activity_log.list_of(app.campus.id)
        lines = [entry.at for entry in services.stores.activity_log.entries(log.id, 0, log.size)]
    assert dates == sorted(dates)
    assert lines == sorted(lines)
    assert dates[-1] == machine.at


@pytest.mark.both_engines
@pytest.mark.parametrize("step", [timedelta(minutes=6), timedelta(minutes=-6), timedelta(days=400)])
def test_a_jump_stops_signing_for_every_process_until_it_is_confirmed(
    app: App, process: Process, machine: Machine, step: timedelta
):
    assert process.observe_clock() is None
    award(app, "Zoé Un;un@exemple.fr")
    client = app.client()
    assert client.get("/health/ready").status_code == 200

    machine.passes(timedelta(seconds=30))
    machine.is_set(step)
    with pytest.raises(ClockJumped) as stopped:
        award(app, "Zoé Deux;deux@exemple.fr")
    assert "sceau clock confirm" in stopped.value.sentence
    # A clock that is right again does not decide by itself; nor does a restart.
    machine.is_set(-step)
    machine.restarts(off=MINUTE)
    with pytest.raises(ClockJumped):
        award(app, "Zoé Deux;deux@exemple.fr")
    ready = client.get("/health/ready")
    assert (ready.status_code, len(ready.json()["problems"])) == (503, 1)
    assert "sceau clock confirm" in ready.json()["problems"][0]

    with app.unit_of_work() as services:
        assert services.signing_clock.confirm("compared with two time servers", by=COMMAND) is not None
    award(app, "Zoé Deux;deux@exemple.fr")
    assert client.get("/health/ready").status_code == 200
    with Session(app.owner) as everything:
        written = everything.exec(
            select(HistoryEntry.action).where(HistoryEntry.noun == "signing_clock")
        ).all()
    assert sorted(written) == ["confirm", "stop"]


def test_a_server_that_was_off_for_a_week_signs_again(app: App, process: Process, machine: Machine):
    process.observe_clock()
    machine.restarts(off=WEEK)
    assert process.observe_clock() is None
    award(app, "Zoé Un;un@exemple.fr")


def test_readiness_finds_a_jump_before_anything_is_signed(app: App, process: Process, machine: Machine):
    process.observe_clock()
    machine.is_set(timedelta(hours=2))
    assert app.client().get("/health/ready").status_code == 503
    machine.is_set(timedelta(hours=-2))
    assert process.observe_clock() is not None


def test_log_check_lists_lines_dated_before_their_predecessor(app: App, monkeypatch: pytest.MonkeyPatch):
    """As an earlier version wrote them."""
    app.process.clock = lambda: NOON + timedelta(hours=2)
    award(app, "Zoé Un;un@exemple.fr")
    monkeypatch.setattr("app.services.activity_log.later_of", lambda at, _: at)
    app.process.clock = lambda: NOON + timedelta(hours=1)
    award(app, "Zoé Deux;deux@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        (log,) = services.stores.activity_log.list_of(app.campus.id)
        entries = services.stores.activity_log.entries(log.id, 0, log.size)
        first = next(
            one.number for one, before in zip(entries[1:], entries, strict=False) if one.at < before.at
        )
        keys = services.log_keys.keys(app.campus, log)
        found = list(LogCheck(services.stores.activity_log, log, keys, app.process.anchors).run())
    assert LogFault(Fault.TIME_BACKWARDS, str(first)) in found


def test_attempts_that_a_clock_running_ahead_put_off_are_due_once_it_is_confirmed(
    process: Process, app: App, machine: Machine
):
    with process.unit_of_work() as services:
        services.webhooks.add(
            app.campus, url="https://si.exemple.fr/badges", label="SI", kinds=["award"], by=COMMAND
        )
    machine.is_set(timedelta(days=400))
    with process.unit_of_work() as services:
        for each in services.stores.session.exec(select(Webhook)):
            each.next_at = machine.at
    machine.is_set(-timedelta(days=400))
    with process.unit_of_work() as services:
        services.signing_clock.confirm("compared with two time servers", by=COMMAND)
        assert [each.next_at for each in services.stores.session.exec(select(Webhook))] == [machine.at]
