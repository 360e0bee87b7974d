"""The register of awards: filters, orders and pages agree with the rows, and large ones are read by index."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select

from app.domain.activities import Activity
from app.domain.awards import Award
from app.domain.people import name_in_lists
from app.services.campus.registers import (
    ActivityCounts,
    ActivityFilter,
    ActivitySort,
    AwardFilter,
    AwardSort,
    ListedAward,
    Moment,
    PeopleFilter,
    PeopleSort,
    RequestFilter,
    RequestSort,
    Standing,
    Start,
)
from tests.support.app import App, build_app
from tests.support.content.many_awards import add_awards
from tests.support.running.every import for_each

pytestmark = pytest.mark.both_engines

SOME = 200
BY_TEXT = (AwardSort.PERSON, AwardSort.BADGE)
"""PostgreSQL compares text as its locale does."""
MANY = 3_000


@pytest.fixture
def filled(database_url: str, tmp_path: Path) -> Iterator[App]:
    app = build_app(database_url, tmp_path)
    add_awards(app, SOME)
    yield app
    app.close()


def filters(app: App) -> list[AwardFilter]:
    at = app.clock()
    return [
        AwardFilter(at),
        AwardFilter(at, standing=Standing.VALID, is_claimed=False),
        AwardFilter(at, standing=Standing.WITHDRAWN),
        AwardFilter(at, standing=Standing.UNDONE),
        AwardFilter(at, standing=Standing.EXPIRED),
        AwardFilter(at, is_claimed=True, badge_id=app.role.badge.id),
        AwardFilter(at, activity_id=app.activity.id, giver_id=app.trainer.id),
        AwardFilter(at, giver_id=app.admin.id),
        AwardFilter(at, given=(at - timedelta(minutes=120), at - timedelta(minutes=60))),
    ]


def fits(award: Award, wanted: AwardFilter) -> bool:
    """The filter, written a second time."""
    first, before = wanted.given
    ended = award.valid_until is not None and award.valid_until <= wanted.at
    standing = (
        Standing.UNDONE if award.undone_at
        else Standing.WITHDRAWN if award.revoked_at
        else Standing.EXPIRED if ended
        else Standing.VALID
    )  # fmt: skip
    return (
        wanted.standing in (None, standing)
        and wanted.is_claimed in (None, award.claimed_at is not None)
        and (first is None or award.awarded_at >= first)
        and (before is None or award.awarded_at < before)
        and wanted.badge_id in (None, award.badge_id)
        and wanted.activity_id in (None, award.activity_id)
        and wanted.giver_id in (None, award.awarded_by)
    )


def walk(app: App, wanted: AwardFilter, sort: AwardSort, *, descending: bool) -> list[ListedAward]:
    seen: list[ListedAward] = []
    after = None
    with app.unit_of_work(reading=True) as services:
        while True:
            found = services.award_register.page(
                app.campus, wanted, Start(after, 37), sort, descending=descending
            )
            seen += found[:37]
            if len(found) <= 37:
                return seen
            after = found[36].id


@for_each("sort", list(AwardSort))
@for_each("descending", [False, True])
def test_pages_hold_each_award_of_a_filter_once_and_in_order(
    filled: App, sort: AwardSort, descending: bool, monkeypatch: pytest.MonkeyPatch
):
    with filled.unit_of_work(reading=True) as services:
        every = list(services.stores.session.scalars(select(Award)))
        services.stores.session.expunge_all()
    for few in (10, 2_000):
        monkeypatch.setattr("app.db.campus.registers._FEW", few)
        for wanted in filters(filled):
            found = walk(filled, wanted, sort, descending=descending)
            assert {each.id for each in found} == {each.id for each in every if fits(each, wanted)}, wanted
            assert len(found) == len({each.id for each in found}), wanted
            keys = [_key(each, sort) for each in found]
            known = [key for key in keys if key is not None]
            assert keys[: len(known)] == known, "what has no value comes last"
            if filled.process.engine.dialect.name == "sqlite" or sort not in BY_TEXT:
                assert known == sorted(known, reverse=descending), (few, wanted)
            with filled.unit_of_work(reading=True) as services:
                assert services.award_register.count(filled.campus, wanted) == len(found)
                assert services.award_register.count(filled.other_campus, wanted) == 0


def _key(award: ListedAward, sort: AwardSort) -> Any:
    match sort:
        case AwardSort.DATE:
            return award.awarded_at
        case AwardSort.PERSON:
            return name_in_lists(award.family_name, award.given_name)
        case AwardSort.BADGE:
            return award.badge.casefold()
        case AwardSort.HOURS:
            return award.hours
        case AwardSort.VALID_UNTIL:
            return award.valid_until
        case AwardSort.CLAIMED:
            return award.claimed_at


def test_the_order_of_names_follows_a_correction(filled: App):
    with filled.unit_of_work() as services:
        person = services.stores.people.get(filled.trainer.id)
        person.family_name = "Œillet Ñandú"
        services.stores.people.save(person)
    with filled.unit_of_work(reading=True) as services:
        person = services.stores.people.get(filled.trainer.id)
        assert person.listed_as == name_in_lists("oeillet nandu", person.given_name)


@pytest.mark.parametrize("sort", [AwardSort.DATE, AwardSort.PERSON, AwardSort.BADGE])
def test_a_page_of_a_large_register_reads_no_table_as_a_whole(
    database_url: str, tmp_path: Path, sort: AwardSort
):
    app = build_app(database_url, tmp_path)
    add_awards(app, MANY)
    asked: list[tuple[str, Any]] = []
    event.listen(
        app.process.engine, "before_cursor_execute", lambda *result: asked.append((result[2], result[3]))
    )
    with app.process.visit(reading=True, campus_id=app.campus.id, person_id=app.trainer.id) as services:
        wanted = AwardFilter(app.clock())
        services.award_register.page(app.campus, wanted, Start(limit=50), sort, descending=False)
        pages = [each for each in asked if "LIMIT" in each[0] and "ORDER BY" in each[0]]
        connection = services.stores.session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        plans = [
            [str(row[3] if is_sqlite else row[0]) for row in connection.exec_driver_sql(
                f"{'EXPLAIN QUERY PLAN' if is_sqlite else 'EXPLAIN'} {statement}", values
            )]
            for statement, values in pages
        ]  # fmt: skip
    app.close()
    assert plans
    for plan in plans:
        text = "\n".join(plan)
        assert "USE TEMP B-TREE FOR ORDER BY" not in text
        assert "SCAN award" not in text
        assert "Seq Scan on award" not in text
        assert "Seq Scan on person" not in text or "person_1" in text.split("Seq Scan on person")[1][:12], (
            text
        )


COUNTED_AS = {
    PeopleSort.ACTIVITIES: "activities", PeopleSort.AWARDS: "awards", PeopleSort.CLAIMED: "claimed",
}  # fmt: skip


def _number(sort: ActivitySort, activity: Activity, counts: ActivityCounts) -> float | None:
    match sort:
        case ActivitySort.HOURS:
            return activity.hours
        case ActivitySort.SIZE:
            return activity.declared_size
        case ActivitySort.PEOPLE:
            return counts.people
        case ActivitySort.AWARDS:
            return counts.awards
        case ActivitySort.CLAIMED:
            return counts.claimed
    return None


def test_every_filter_and_order_of_activities_and_people_is_read_on_both_engines(filled: App):
    now = filled.clock().replace(tzinfo=None)
    activities = [
        *(ActivityFilter(now, moment=moment) for moment in Moment),
        ActivityFilter(now, words=("atelier",), days=(now.date(), now.date()), trainer_id=filled.trainer.id),
        ActivityFilter(now, badge_id=filled.presence.badge.id, is_incomplete=True),
        ActivityFilter(now, is_without_badges=True),
    ]
    people = [
        PeopleFilter(),
        PeopleFilter(badge_id=filled.role.badge.id, has_unclaimed=True),
        PeopleFilter(activity_id=filled.activity.id, has_unclaimed=False),
        PeopleFilter(arrived=(filled.clock() - timedelta(minutes=50), filled.clock())),
    ]
    campus = filled.campus
    with filled.process.visit(reading=True, campus_id=campus.id, person_id=filled.trainer.id) as services:
        for held in activities:
            count = services.activity_register.count(campus, held)
            for sort in ActivitySort:
                for descending in (False, True):
                    found = services.activity_register.page(
                        campus, held, Start(limit=50), sort, descending=descending
                    )
                    assert len(found) == count
                    counts = services.activity_register.counts(campus, found)
                    numbers = [_number(sort, each, counts[each.id]) for each in found]
                    known = [number for number in numbers if number is not None]
                    assert numbers[: len(known)] == known == sorted(known, reverse=descending), sort
            assert set(services.activity_register.counts(campus, found)) == {each.id for each in found}
        for asked in people:
            count = services.people_register.count(campus, asked)
            for order in PeopleSort:
                blocks = list(services.people_register.blocks(campus, asked, order, descending=True))
                assert sum(map(len, blocks)) == count
                for block in blocks:
                    numbers = [
                        getattr(counts, COUNTED_AS[order])
                        for counts in services.people_register.counts(campus, block).values()
                        if order in COUNTED_AS
                    ]
                    assert numbers == sorted(numbers, reverse=True), order
        requests = services.request_register
        for sort_of_requests in RequestSort:
            for descending in (False, True):
                asked_for = RequestFilter(
                    created=(filled.clock(), filled.clock()), waiting_before=filled.clock(),
                    reader_id=filled.trainer.id, badge_id=filled.role.badge.id,
                )  # fmt: skip
                for wanted in (RequestFilter(), asked_for):
                    page = requests.page(campus, wanted, Start(), sort_of_requests, descending=descending)
                    assert len(page) == requests.count(campus, wanted) == 0
        under_way = ActivityFilter(now, moment=Moment.UNDER_WAY)
        assert services.activity_register.count(campus, under_way) == 1
