"""The feed of changes: a copy that follows it equals the campus, under any concurrent writes."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
import uuid
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event
from sqlmodel import col, select

from app.db.campus.people import are_of
from app.db.engine import session
from app.domain.activities import Activity, ActivityCampus, ActivityKind, Participation
from app.domain.activities.listed_people import ListedPerson
from app.domain.awards import Award
from app.domain.badges import Badge
from app.domain.campus.campus import Campus
from app.domain.campus.integration import (
    ChangedKind,
    ChangeHead,
    FeedRestarted,
    NamedKind,
    WhatHappened,
    digest_of_erased,
)
from app.domain.people import CampusPerson
from app.errors import AppError, InvalidInput
from app.services.imports.imports import ImportForm
from tests.support.app import COMMAND, NOON, App, build_app
from tests.support.databases.engines import as_owner
from tests.support.running.examples import examples

pytestmark = pytest.mark.both_engines

Copy = dict[tuple[str, uuid.UUID], WhatHappened]
MADE, CHANGED, GONE = WhatHappened.CREATED, WhatHappened.CHANGED, WhatHappened.REMOVED


class Reader:
    """A program that keeps a copy of one campus, a few changes at a time."""

    def __init__(self, app: App, campus: Campus, *, limit: int = 1000) -> None:
        self.app, self.campus, self.limit = app, campus, limit
        self.cursor: str | None = None
        self.copy: set[tuple[str, uuid.UUID]] = set()

    def read(self) -> list[tuple[str, uuid.UUID, WhatHappened]]:
        result = []
        while True:
            with self.app.unit_of_work(reading=True) as services:
                page = services.feed.page(self.campus, self.cursor, limit=self.limit)
            self.cursor = page.cursor
            for change, what in page.changes:
                ids = {digest_of_erased(each): each for _, each in self.copy} if change.is_erased else {}
                key = (change.kind.value, ids.get(change.noun_id, change.noun_id))
                result.append((*key, what))
                (self.copy.discard if what is GONE else self.copy.add)(key)
            if not page.more:
                return result


def there(app: App, campus: Campus) -> set[tuple[str, uuid.UUID]]:
    """All that the campus sees, by the queries of its lists."""
    organised = select(ActivityCampus.activity_id).where(
        ActivityCampus.campus_id == campus.id, col(ActivityCampus.accepted_at).is_not(None)
    )
    queries = {
        "badge": select(Badge.id).where(Badge.campus_id == campus.id),
        "activity": select(Activity.id).where(col(Activity.id).in_(organised)),
        "participation": select(Participation.id).where(col(Participation.activity_id).in_(organised)),
        "person": select(CampusPerson.person_id).where(*are_of(campus.id)),
        "award": select(Award.id).where(Award.campus_id == campus.id),
    }
    with app.unit_of_work(reading=True) as services:
        return {
            (kind, noun_id)
            for kind, query in queries.items()
            for noun_id in services.stores.session.exec(query)
        }


@pytest.fixture
def built(database_url: str, tmp_path: Path) -> Iterator[App]:
    app = build_app(database_url, tmp_path)
    yield app
    app.close()


def test_a_reader_without_cursor_gets_everything_and_then_only_what_changed(built: App):
    built.record("Zoé N’Diaye; zoe@exemple.fr", "Léa Martin")
    reader = Reader(built, built.campus, limit=2)
    assert {what for *_, what in reader.read()} == {MADE}
    assert reader.copy == there(built, built.campus)
    assert reader.read() == []
    built.clock.move(minutes=5)
    award = built.award("Zoé N’Diaye; zoe@exemple.fr").lines[0].award_id
    # The badge is frozen by its first award.
    assert [(kind, what) for kind, _, what in reader.read()] == [("badge", CHANGED), ("award", MADE)]
    with built.unit_of_work() as services:
        services.awards.revoke(built.campus, award, "Attribué par erreur.", by=COMMAND)
    assert reader.read() == [("award", award, CHANGED)]


def test_what_appeared_and_changed_since_the_cursor_was_created_once(built: App):
    built.award("Léa Martin")
    reader = Reader(built, built.campus)
    reader.read()
    award = built.award("Zoé N’Diaye; zoe@exemple.fr").lines[0].award_id
    with built.unit_of_work() as services:
        services.awards.revoke(built.campus, award, "Attribué par erreur.", by=COMMAND)
    result = reader.read()
    assert [(kind, what) for kind, _, what in result] == [
        ("person", MADE),
        ("participation", MADE),
        ("award", MADE),
    ]


def test_a_dry_run_and_a_refused_request_leave_no_change(built: App):
    reader = Reader(built, built.campus)
    reader.read()
    with built.unit_of_work() as services:
        services.imports.take(built.campus, ImportForm.API, "essai", [], b"[]", by=COMMAND, dry_run=True)
        person = ListedPerson(1, given_name="Zoé", family_name="Martin")
        with services.activity_log.savepoint(keep=False):
            services.activities.record(built.campus, built.activity.id, [person], by=COMMAND)
    with pytest.raises(InvalidInput):
        _record_and_fail(built, person)
    assert reader.read() == []


def test_another_campus_sees_an_activity_with_everybody_once_it_agreed(built: App):
    ours, theirs = Reader(built, built.campus), Reader(built, built.other_campus)
    built.record("Zoé N’Diaye; zoe@exemple.fr")
    ours.read(), theirs.read()
    _ask(built, built.activity.id)
    assert [kind for kind, *_ in theirs.read()] == []
    _answer(built, built.activity.id, accepts=True)
    assert [(kind, what) for kind, _, what in theirs.read()] == [
        ("activity", MADE), ("person", MADE), ("participation", MADE),
    ]  # fmt: skip
    _answer(built, built.activity.id, accepts=False)
    assert [(kind, what) for kind, _, what in theirs.read()] == [
        ("participation", GONE), ("person", GONE), ("activity", GONE),
    ]  # fmt: skip
    ours.read()
    assert (ours.copy, theirs.copy) == (there(built, built.campus), there(built, built.other_campus))


def test_two_records_of_one_person_become_one_and_two_again(built: App):
    first = built.award("Zoé N’Diaye; zoe@exemple.fr")
    second = built.award("Zoé Ndiay", badge=built.role, evidence="A tenu le stand.")
    reader = Reader(built, built.campus)
    reader.read()
    kept, gone = (_person_of(built, each.lines[0].award_id) for each in (first, second))
    with built.unit_of_work() as services:
        services.external_ids.give(built.campus, NamedKind.PERSON, "E-1", gone)
    reader.read()
    with built.unit_of_work() as services:
        merge = services.merging.merge_in_campus(built.campus, kept, gone, "Faute de frappe.", by=COMMAND).id
    result = reader.read()
    assert {("person", gone, GONE), ("person", kept, CHANGED)} <= set(result)
    assert ("award", second.lines[0].award_id, CHANGED) in result
    assert reader.copy == there(built, built.campus)
    with built.unit_of_work() as services:
        services.merging.undo_in_campus(built.campus, merge, by=COMMAND)
    assert {("person", gone, MADE), ("person", kept, CHANGED)} <= set(reader.read())
    assert reader.copy == there(built, built.campus)
    with built.unit_of_work(reading=True) as services:
        assert services.external_ids.find(built.campus, NamedKind.PERSON, "E-1") == gone


def test_participation_of_a_merged_record_does_not_bring_it_back(built: App):
    """Of two participations in one activity, the merged record keeps its own."""
    built.record("Zoé Martin", "Zoé Martn")
    with built.unit_of_work(reading=True) as services:
        (kept, _), (gone, part) = services.stores.session.exec(
            select(Participation.person_id, Participation.id)
        )
    reader = Reader(built, built.campus)
    reader.read()
    with built.unit_of_work() as services:
        services.merging.merge_in_campus(built.campus, kept, gone, "Faute de frappe.", by=COMMAND)
    reader.read()
    with built.unit_of_work() as services:
        row = services.stores.session.get_one(Participation, part)
        row.is_present = not row.is_present
    assert ("person", gone, MADE) not in reader.read()
    assert reader.copy == there(built, built.campus)


def test_erasure_removes_the_number_of_a_person_from_the_feed(built: App):
    reader = Reader(built, built.campus)
    person = _person_of(built, built.award("Zoé N’Diaye; zoe@exemple.fr").lines[0].award_id)
    reader.read()
    with built.unit_of_work() as services:
        services.erasures.process_chunk(built.campus, person, "Demandé.", by=COMMAND)
    with built.unit_of_work(reading=True) as services:
        integration = services.stores.integration
        assert person not in {
            each.noun_id for each in integration.changes(built.campus.id, after=1, limit=999)
        }
    assert ("person", person, GONE) in reader.read()
    assert reader.copy == there(built, built.campus)


def test_a_page_of_one_kind_continues_after_changes_of_all(built: App):
    built.record(*(f"Zoé Martin{number}" for number in range(3)))
    with built.unit_of_work(reading=True) as services:
        people = services.feed.page(built.campus, None, kinds=[ChangedKind.PERSON], limit=2)
        assert (len(people.changes), people.more) == (2, True)
        rest = services.feed.page(built.campus, people.cursor, kinds=[ChangedKind.PERSON], limit=2)
        assert (len(rest.changes), rest.more) == (1, False)
        assert services.feed.page(built.campus, rest.cursor, limit=2).changes == []


def test_no_cursor_continues_after_a_restore(built: App):
    reader = Reader(built, built.campus)
    reader.read()
    built.process.restart_feeds()
    with pytest.raises(FeedRestarted):
        reader.read()
    reader.cursor = "nonsense"
    with pytest.raises(InvalidInput):
        reader.read()


def test_everything_that_exists_is_in_the_feed_after_the_migration(database_url: str, tmp_path: Path):
    app = build_app(database_url, tmp_path)
    app.award("Zoé N’Diaye; zoe@exemple.fr")
    app.record("Léa Martin")
    _ask(app, app.activity.id)
    _answer(app, app.activity.id, accepts=True)
    campuses = (app.campus, app.other_campus)
    expected = [there(app, each) for each in campuses]
    app.process.engine.dispose()
    session.downgrade(as_owner(database_url), "0093")
    session.upgrade(as_owner(database_url))
    for campus, seen in zip(campuses, expected, strict=True):
        reader = Reader(app, campus, limit=3)
        assert {what for *_, what in reader.read()} == {MADE}
        assert reader.copy == seen
    app.close()


# --- concurrent writers


@pytest.mark.postgres
def test_a_change_that_commits_later_has_the_later_number(postgres_url: str, tmp_path: Path):
    """One transaction has its number and has not committed: no other gets the next."""
    app = build_app(postgres_url, tmp_path)
    reader, numbered, may_commit = Reader(app, app.campus), threading.Event(), threading.Event()
    reader.read()

    def first() -> None:
        with app.unit_of_work() as services:
            services.activities.create(_activity("Premier"), [app.campus], by=COMMAND)

            @event.listens_for(services.stores.session, "before_commit")
            def _(_session: object) -> None:
                numbered.set()
                assert may_commit.wait(30)

    def second() -> None:
        with app.unit_of_work() as services:
            services.activities.create(_activity("Second"), [app.campus], by=COMMAND)

    writers = [threading.Thread(target=each) for each in (first, second)]
    writers[0].start()
    assert numbered.wait(30)
    writers[1].start()
    assert reader.read() == []
    may_commit.set()
    for each in writers:
        each.join(30)
    titles = [_title(app, noun_id) for _, noun_id, _ in reader.read()]
    assert titles == ["Premier", "Second"]
    app.close()


@pytest.mark.postgres
def test_a_reader_among_many_writers_misses_nothing(postgres_url: str, tmp_path: Path):
    app = build_app(postgres_url, tmp_path)
    reader, left = Reader(app, app.campus, limit=3), threading.Semaphore(0)

    def write(number: int) -> None:
        for turn in range(5):
            with app.unit_of_work() as services:
                people = [ListedPerson(1, given_name="Zoé", family_name=f"Martin{number}{'abcde'[turn]}")]
                services.activities.record(app.campus, app.activity.id, people, by=COMMAND)
                services.activities.create(_activity(f"{number} {turn}"), [app.campus], by=COMMAND)
        left.release()

    writers = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for each in writers:
        each.start()
    over = 0
    while over < len(writers):
        over += left.acquire(blocking=False)
        reader.read()
    reader.read()
    assert reader.copy == there(app, app.campus)
    with app.unit_of_work(reading=True) as services:
        head = services.stores.session.get(ChangeHead, app.campus.id)
        numbers = {
            each.number for each in services.stores.integration.changes(app.campus.id, after=0, limit=999)
        }
    assert max(numbers) == head.last
    app.close()


# --- any operations in any order


class TwoCopies(RuleBasedStateMachine):
    """Readers of both campuses read at any time; each copy equals what its campus sees."""

    pristine: Path

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "database").mkdir()
        database = self.folder / "database" / "sceau.sqlite"
        shutil.copyfile(self.pristine, database)
        self.app = build_app(f"sqlite:///{database}", self.folder)
        self.readers = [Reader(self.app, each, limit=5) for each in self._campuses]
        self.merges: list[uuid.UUID] = []

    @property
    def _campuses(self) -> list[Campus]:
        return [self.app.campus, self.app.other_campus]

    def teardown(self) -> None:
        self.app.close()
        shutil.rmtree(self.folder)

    @initialize()
    def asked(self) -> None:
        _ask(self.app, self.app.activity.id)

    @rule(name=st.sampled_from("ABCD"))
    def record(self, name: str) -> None:
        self.app.record(f"Zoé {name}")

    @rule(name=st.sampled_from("ABCD"))
    def award(self, name: str) -> None:
        self.app.award(f"Zoé {name}")

    @rule(accepts=st.booleans())
    def answer(self, accepts: bool) -> None:
        self._perhaps(lambda: _answer(self.app, self.app.activity.id, accepts=accepts))

    @rule(pick=st.integers(0, 9), name=st.sampled_from("EFG"))
    def rename(self, pick: int, name: str) -> None:
        def correct(services, person_id):
            services.corrections.correct(
                self.app.campus, person_id, "Zoé", name, f"{name.lower()}@exemple.fr", by=COMMAND
            )

        self._with_person(pick, correct)

    @rule(pick=st.integers(0, 9))
    def erase(self, pick: int) -> None:
        self._with_person(
            pick,
            lambda services, one: services.erasures.process_chunk(
                self.app.campus, one, "Demandé.", by=COMMAND
            ),
        )

    @rule(first=st.integers(0, 9), second=st.integers(0, 9))
    def merge(self, first: int, second: int) -> None:
        kept, gone = self._person(first), self._person(second)
        if kept and gone:
            with self.app.unit_of_work() as services:
                self._perhaps(
                    lambda: self.merges.append(
                        services.merging.merge_in_campus(
                            self.app.campus, kept, gone, "Faute de frappe.", by=COMMAND
                        ).id
                    )
                )

    @rule()
    def unmerge(self) -> None:
        if self.merges:
            merge = self.merges.pop()
            with self.app.unit_of_work() as services:
                self._perhaps(lambda: services.merging.undo_in_campus(self.app.campus, merge, by=COMMAND))

    @rule()
    def create_and_delete_an_activity(self) -> None:
        with self.app.unit_of_work() as services:
            made = services.activities.create(_activity("Court"), [self.app.campus], by=COMMAND).id
        self.readers[0].read()
        with self.app.unit_of_work() as services:
            services.activity_plans.delete(self.app.campus, made, by=COMMAND)

    @rule(which=st.sampled_from((0, 1)))
    def read(self, which: int) -> None:
        self.readers[which].read()

    @invariant()
    def a_copy_is_the_campus(self) -> None:
        for reader in self.readers:
            other = Reader(self.app, reader.campus, limit=7)
            other.cursor, other.copy = reader.cursor, set(reader.copy)
            other.read()
            assert other.copy == there(self.app, reader.campus)

    def _person(self, pick: int) -> uuid.UUID | None:
        people = sorted(noun_id for kind, noun_id in there(self.app, self.app.campus) if kind == "person")
        return people[pick % len(people)] if people else None

    def _with_person(self, pick: int, do) -> None:
        if person_id := self._person(pick):

            def act() -> None:
                with self.app.unit_of_work() as services:
                    do(services, person_id)

            self._perhaps(act)

    @staticmethod
    def _perhaps(do) -> None:
        with contextlib.suppress(AppError):
            do()


def test_copy_that_follows_the_feed_equals_the_campus(migrated_sqlite: Path):
    TwoCopies.pristine = migrated_sqlite
    TwoCopies.TestCase.settings = settings(
        max_examples=examples(8),
        stateful_step_count=12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    TwoCopies.TestCase("runTest").runTest()


def _record_and_fail(app: App, person: ListedPerson) -> None:
    with app.unit_of_work() as services:
        services.activities.record(app.campus, app.activity.id, [person], by=COMMAND)
        raise InvalidInput("")


def _activity(title: str) -> Activity:
    day = date(2026, 11, 24)
    return Activity(kind=ActivityKind.WORKSHOP, title=title, starts_on=day, ends_on=day, created_at=NOON)


def _title(app: App, activity_id: uuid.UUID) -> str:
    with app.unit_of_work(reading=True) as services:
        return services.stores.session.get(Activity, activity_id).title


def _person_of(app: App, award_id: uuid.UUID | None) -> uuid.UUID:
    with app.unit_of_work(reading=True) as services:
        return services.awards.record(award_id).person.id


def _ask(app: App, activity_id: uuid.UUID) -> None:
    with app.unit_of_work() as services:
        place = ActivityCampus(activity_id=activity_id, campus_id=app.other_campus.id, position=1)
        services.stores.activity_plans.save(place)


def _answer(app: App, activity_id: uuid.UUID, *, accepts: bool) -> None:
    with app.unit_of_work() as services:
        services.activity_plans.answer(app.other_campus, activity_id, accepts=accepts, by=COMMAND)
