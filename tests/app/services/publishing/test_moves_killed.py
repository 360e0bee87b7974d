"""A move that is killed, paused or concurrent loses, duplicates and leaves nothing; on both databases."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from app.db.awards.signed_bytes import SignedBytesStore
from app.domain.awards.signed_bytes import LEASE, BytesUnavailable
from app.services.awards.signed_bytes import BytesMover
from tests.app.services.people.test_erasures import erase
from tests.support.app import App
from tests.support.servers.object_store import (
    FakeStore,
    Killed,
    back_all,
    check_nothing_is_lost,
    digests_of,
    documents,
    move_all,
    mover_of,
    removals,
    remove_all,
)

pytestmark = pytest.mark.both_engines


class Mortal:
    """Dies at the given event: before or after a request, at the begin of a transaction, before or after its commit."""

    def __init__(self, app: App, store: FakeStore, life: int) -> None:
        self.app, self.left, self.is_dead = app, life, False
        self.mover = replace(mover_of(app), desk=self.desk)
        store.before, store.after = self.request, lambda _method, _key: self.event()

    def request(self, _method: str, _key: str) -> None:
        self.event()

    def event(self) -> None:
        self.left -= 1
        if self.is_dead or self.left < 0:
            self.is_dead = True
            raise Killed

    @contextmanager
    def desk(self, reading: bool) -> Iterator[SignedBytesStore]:
        self.event()
        with self.app.unit_of_work(reading=reading) as services:
            yield services.stores.signed_bytes
            self.event()
        self.event()

    def dies(self, do: Callable[[BytesMover], object]) -> bool:
        try:
            do(self.mover)
        except Killed:
            return True
        return False


def reborn(store: FakeStore) -> None:
    store.before, store.after = (lambda _method, _key: None), (lambda _method, _key: None)


def test_move_that_is_killed_at_each_step_loses_doubles_and_leaves_nothing(
    app: App, store: FakeStore
) -> None:
    whole = documents(app)
    before = app.clock() - timedelta(days=365)
    for life in range(200):
        mortal = Mortal(app, store, life)
        died = mortal.dies(lambda mover: mover.move_some(before))
        reborn(store)
        check_nothing_is_lost(app, store)
        # The documents of a killed batch wait until its lease ends; then another continues.
        app.clock.move(minutes=16)
        remove_all(app)
        move_all(app)
        check_nothing_is_lost(app, store)
        assert store.digests() == digests_of(whole)
        assert removals(app) == 0
        back_all(app)
        assert documents(app) == whole
        app.clock.move(days=36)
        remove_all(app)
        assert store.objects == {}
        if not died:
            break
    assert not died
    assert life > 30


def test_return_that_is_killed_at_each_step_loses_nothing(app: App, store: FakeStore) -> None:
    whole = documents(app)
    for life in range(200):
        move_all(app)
        died = Mortal(app, store, life).dies(lambda mover: mover.take_back_some())
        reborn(store)
        check_nothing_is_lost(app, store)
        back_all(app)
        assert documents(app) == whole
        app.clock.move(days=36)
        remove_all(app)
        assert store.objects == {}
        assert removals(app) == 0
        if not died:
            break
    assert not died
    assert life > 15


def test_removal_that_is_killed_at_each_step_ends_later(app: App, store: FakeStore) -> None:
    for life in range(200):
        move_all(app)
        back_all(app)
        app.clock.move(days=36)
        died = Mortal(app, store, life).dies(lambda mover: mover.remove_some())
        reborn(store)
        app.clock.move(hours=2)
        remove_all(app)
        assert store.objects == {}
        assert removals(app) == 0
        if not died:
            break
    assert not died


@pytest.mark.parametrize("seed", range(6))
def test_any_order_of_moves_returns_kills_and_erasures_is_consistent(
    app: App, awards: list[uuid.UUID], store: FakeStore, seed: int
) -> None:
    drawn = random.Random(seed)
    whole = {each.digests: each for each in documents(app)}
    before = app.clock() - timedelta(days=365)
    there = list(awards)
    steps: list[Callable[[BytesMover], object]] = [
        lambda mover: mover.move_some(before, limit=2),
        lambda mover: mover.take_back_some(limit=2),
        lambda mover: mover.remove_some(limit=2),
    ]
    for _ in range(25):
        Mortal(app, store, drawn.randrange(60)).dies(drawn.choice(steps))
        reborn(store)
        check_nothing_is_lost(app, store)
        app.clock.move(minutes=drawn.choice((0, 1, 16, 90, 60 * 24 * 36)))
        if there and drawn.random() < 0.05:
            erase(app, there.pop())
    app.clock.move(days=40)
    remove_all(app)
    move_all(app)
    app.clock.move(days=40)
    remove_all(app)
    check_nothing_is_lost(app, store)
    left = documents(app)
    assert {each.award_id for each in left} == set(there)
    assert store.digests() == digests_of(left)
    back_all(app)
    assert all(whole[each.digests] == each for each in documents(app))


def test_two_moves_at_once_share_the_documents(app: App, store: FakeStore) -> None:
    """The second begins while the first uploads: it leases what the first has not."""
    whole = documents(app)
    before, others = app.clock() - timedelta(days=365), list[int]()
    other = mover_of(app)

    def meanwhile(method: str, _key: str) -> None:
        if method == "PUT" and not others:
            others.append(-1)
            others.append(other.move_some(before).documents)

    store.before = meanwhile
    first = mover_of(app).move_some(before, limit=2)
    assert (first.documents, others) == (2, [-1, 2])
    assert store.digests() == digests_of(whole)
    check_nothing_is_lost(app, store)
    assert removals(app) == 0


@pytest.mark.parametrize("asleep_at", [1, 8], ids=["first", "last"])
def test_move_that_outlives_its_lease_empties_nothing_that_another_removed(
    app: App, store: FakeStore, asleep_at: int
) -> None:
    """It pauses while it reads an object back, and all of its objects are removed meanwhile."""
    before, seen = app.clock() - timedelta(days=365), list[str]()

    def sleep(method: str, key: str) -> None:
        if method == "GET":
            seen.append(key)
            if len(seen) == asleep_at:
                app.clock.move(minutes=LEASE.total_seconds() / 60 + 1)
                remove_all(app)

    store.after = sleep
    with suppress(BytesUnavailable):
        assert mover_of(app).move_some(before).documents == 0
    store.after = lambda _method, _key: None
    check_nothing_is_lost(app, store)
    assert all(each.embedded is not None for each in documents(app))
    app.clock.move(hours=2)
    remove_all(app)
    move_all(app)
    assert store.digests() == digests_of(documents(app))
    assert removals(app) == 0


@pytest.mark.parametrize("asleep_at", [1, 8], ids=["first", "last"])
def test_upload_after_an_erasure_and_its_removal_is_removed_too(
    app: App, awards: list[uuid.UUID], store: FakeStore, asleep_at: int
) -> None:
    """A move pauses before its upload; the badge is erased and its objects removed; the move continues."""
    before, seen = app.clock() - timedelta(days=365), list[str]()

    def sleep(method: str, key: str) -> None:
        if method == "PUT":
            seen.append(key)
            if len(seen) == asleep_at:
                digest = key.rpartition("/")[2]
                erase(app, next(each.award_id for each in documents(app) if digest in each.digests))
                app.clock.move(minutes=LEASE.total_seconds() / 60 + 1)
                remove_all(app)

    store.before = sleep
    with suppress(BytesUnavailable):
        mover_of(app).move_some(before)
    store.before = lambda _method, _key: None
    app.clock.move(hours=2)
    remove_all(app)
    move_all(app)
    assert len({each.award_id for each in documents(app)}) == 2
    assert store.digests() == digests_of(documents(app))
    assert removals(app) == 0
