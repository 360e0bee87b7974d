"""The desk of a campus: what happened this week and what waits, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.services.badges import Wording
from app.services.campus.dashboard import Dashboard
from tests.support.content.networks import label as give
from tests.support.content.networks import network_of
from tests.support.house import House


def board(house: House) -> Dashboard:
    with house.unit_of_work(reading=True) as services:
        return services.dashboard.of(house.campus, today=house.clock.now.date())


def test_a_new_week_counts_what_happened_in_it(house: House):
    house.award("Zoé Martin;zoe@exemple.fr", "Abel Petit")
    week = board(house).week
    assert (week.awards, week.claimed, week.people, week.activities) == (2, 0, 2, 1)
    house.clock.move(days=9)
    week = board(house).week
    assert (week.awards, week.people, week.activities) == (0, 0, 0)


def test_another_campus_s_week_is_its_own(house: House):
    house.award("Zoé Martin;zoe@exemple.fr")
    with house.unit_of_work(reading=True) as services:
        other = services.dashboard.of(house.other_campus, today=house.clock.now.date())
    assert (other.week.awards, other.week.people, other.week.activities) == (0, 0, 0)
    assert other.waiting.activities == []


def test_an_activity_that_ended_with_people_and_no_badge_waits_until_one_is_given(house: House):
    assert board(house).waiting.activities == [], "nobody came yet"
    house.record("Zoé Martin;zoe@exemple.fr")
    assert board(house).waiting.activities == [], "the day is not over"
    house.clock.move(days=1)
    assert [each.title for each in board(house).waiting.activities] == ["Atelier robotique"]
    house.award("Zoé Martin;zoe@exemple.fr")
    assert board(house).waiting.activities == []


def test_what_nobody_claimed_for_two_weeks_waits_and_is_forgotten_after_three_months(house: House):
    house.award("Zoé Martin;zoe@exemple.fr")
    assert board(house).waiting.unclaimed == 0
    house.clock.move(days=15)
    assert board(house).waiting.unclaimed == 1
    house.clock.move(days=80)
    assert board(house).waiting.unclaimed == 0


def test_drafts_wait_and_near_names_are_pointed_out(house: House):
    assert board(house).waiting.near is None
    with house.unit_of_work() as services:
        for name in ("Découverte de l’impression 3D", "Découvertes de l'impression 3D"):
            services.badges.create(
                house.campus,
                Wording(BadgeKind.PARTICIPATION, name, "", ""),
                draft=True,
                by=Actor(house.admin.id),
            )
    waiting = board(house).waiting
    assert len(waiting.drafts) == 2
    assert waiting.near is not None


def test_a_label_that_ends_within_three_months_waits_unless_another_goes_on(house: House):
    today = house.clock.now.date()

    def label(ends_on: date | None) -> None:
        with house.unit_of_work() as services:
            give(services, network, house.campus, date(2022, 4, 1), ends_on)

    with house.unit_of_work() as services:
        network = network_of(services, house.campus)
    assert board(house).waiting.label is None
    label(today + timedelta(days=30))
    found = board(house).waiting.label
    assert found is not None
    assert found.ends_on == today + timedelta(days=30)
    label(today + timedelta(days=400))
    assert board(house).waiting.label is None


def test_a_key_in_use_for_two_years_waits(house: House):
    waiting = board(house).waiting
    assert (waiting.lacks_key, waiting.old_key) == (False, None)
    house.clock.move(days=731)
    assert board(house).waiting.old_key is not None
