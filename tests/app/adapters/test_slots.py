"""Expensive work on few threads at once: without a free slot it is refused, and no thread waits for long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from app.adapters import picture_codes
from app.adapters.picture_codes import PictureCodes
from app.adapters.secrets import PasswordHashes
from app.adapters.sheets import list_files
from app.adapters.sheets.list_files import UnreadableList
from app.adapters.slots import NoSlot, Slots
from app.errors import Unavailable

SENT = 30


def outcomes(work: Callable[[], object], *, slots: int, go_on: Event) -> list[object]:
    """Of work sent by 30 threads, none of which ends before the others were refused."""
    with ThreadPoolExecutor(SENT) as threads:
        sent = [threads.submit(work) for _ in range(SENT)]
        done: set[futures.Future[object]] = set()
        while len(done) < SENT - slots:
            done, _ = futures.wait(sent, timeout=0.01)
        go_on.set()
        return [each.exception() or each.result() for each in sent]


def test_few_run_few_wait_and_the_others_are_refused_at_once() -> None:
    slots, go_on, working = Slots(2, waiting=3, seconds=60), Event(), []

    def work() -> int:
        with slots.take():
            working.append(1)
            go_on.wait(60)
            at_once = len(working)
            working.pop()
            return at_once

    found = outcomes(work, slots=5, go_on=go_on)
    assert sum(isinstance(each, NoSlot) for each in found) == SENT - 5
    assert max(each for each in found if isinstance(each, int)) <= 2
    with slots.take():
        pass


def test_waiting_is_limited() -> None:
    slots = Slots(1, waiting=1, seconds=0)
    with slots.take(), pytest.raises(NoSlot), slots.take():
        pass


def test_slot_is_free_again_after_a_fault() -> None:
    slots = Slots(1, waiting=0, seconds=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), slots.take():
            raise ZeroDivisionError


class SlowHasher(Argon2Hasher):
    def __init__(self, go_on: Event) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.go_on = go_on

    def verify(self, password: str | bytes, hash: str | bytes) -> bool:
        self.go_on.wait(60)
        return super().verify(password, hash)


def test_many_passwords_at_once_use_few_threads() -> None:
    go_on = Event()
    hashes = PasswordHashes(SlowHasher(go_on))
    hashes._slots = Slots(2, waiting=8, seconds=60)
    found = outcomes(lambda: hashes.compare("faux mot de passe", None), slots=10, go_on=go_on)
    assert sum(isinstance(each, Unavailable) for each in found) == SENT - 10
    assert hashes.compare("faux mot de passe", hashes.of("faux mot de passe"))[0]


def test_many_pictures_at_once_use_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    codes, go_on = PictureCodes(), Event()
    codes._slots = Slots(2, waiting=8, seconds=60)
    empty = picture_codes.ReadCode()

    def read(_content: bytes) -> picture_codes.ReadCode:
        go_on.wait(60)
        return picture_codes.ReadCode(["read"])

    monkeypatch.setattr(codes, "_read", read)
    found = outcomes(lambda: codes.inspect(b"%PDF-"), slots=10, go_on=go_on)
    assert found.count(empty) == SENT - 10


def test_many_lists_at_once_use_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = Event()

    def run(*_args: object, **_kept: object) -> None:
        go_on.wait(60)
        raise ZeroDivisionError

    monkeypatch.setattr(list_files, "_SLOTS", Slots(2, waiting=8, seconds=60))
    monkeypatch.setattr(list_files.subprocess, "run", run)
    found = outcomes(lambda: list_files._read("workbook", b""), slots=10, go_on=go_on)
    assert [each.kind for each in found if isinstance(each, UnreadableList)] == ["busy"] * (SENT - 10)
