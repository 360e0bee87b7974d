"""The dashboard of a campus: this week's events and pending tasks, on both databases."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.badges import BadgeKind
from app.domain.campus.audit_log import Actor
from app.services.badges import Wording
from app.services.campus.dashboard import Dashboard
from tests.support.app import App
from tests.support.content.networks import label as give
from tests.support.content.networks import network_of


def board(app: App) -> Dashboard:
    with app.unit_of_work(reading=True) as services:
        return services.dashboard.of(app.campus, today=app.clock.now.date())


def test_a_new_week_counts_what_happened_in_it(app: App):
    app.award("Zoé Martin;zoe@exemple.fr", "Abel Petit")
    week = board(app).week
    assert (week.awards, week.claimed, week.people, week.activities) == (2, 0, 2, 1)
    app.clock.move(days=9)
    week = board(app).week
    assert (week.awards, week.people, week.activities) == (0, 0, 0)


def test_week_counts_nothing_of_another_campus(app: App):
    app.award("Zoé Martin;zoe@exemple.fr")
    with app.unit_of_work(reading=True) as services:
        other = services.dashboard.of(app.other_campus, today=app.clock.now.date())
    assert (other.week.awards, other.week.people, other.week.activities) == (0, 0, 0)
    assert other.waiting.activities == []


def test_an_activity_that_ended_with_people_and_no_badge_waits_until_one_is_given(app: App):
    assert board(app).waiting.activities == [], "nobody came yet"
    app.record("Zoé Martin;zoe@exemple.fr")
    assert board(app).waiting.activities == [], "the day is not over"
    app.clock.move(days=1)
    assert [each.title for each in board(app).waiting.activities] == ["Atelier robotique"]
    app.award("Zoé Martin;zoe@exemple.fr")
    assert board(app).waiting.activities == []


def test_unclaimed_badge_is_listed_from_two_weeks_to_three_months(app: App):
    app.award("Zoé Martin;zoe@exemple.fr")
    assert board(app).waiting.unclaimed == 0
    app.clock.move(days=15)
    assert board(app).waiting.unclaimed == 1
    app.clock.move(days=80)
    assert board(app).waiting.unclaimed == 0


def test_drafts_wait_and_near_names_are_pointed_out(app: App):
    assert board(app).waiting.near is None
    with app.unit_of_work() as services:
        for name in ("Découverte de l’impression 3D", "Découvertes de l'impression 3D"):
            services.badges.create(
                app.campus,
                Wording(BadgeKind.PARTICIPATION, name, "", ""),
                draft=True,
                by=Actor(app.admin.id),
            )
    waiting = board(app).waiting
    assert len(waiting.drafts) == 2
    assert waiting.near is not None


def test_a_label_that_ends_within_three_months_waits_unless_another_goes_on(app: App):
    today = app.clock.now.date()

    def label(ends_on: date | None) -> None:
        with app.unit_of_work() as services:
            give(services, network, app.campus, date(2022, 4, 1), ends_on)

    with app.unit_of_work() as services:
        network = network_of(services, app.campus)
    assert board(app).waiting.label is None
    label(today + timedelta(days=30))
    found = board(app).waiting.label
    assert found is not None
    assert found.ends_on == today + timedelta(days=30)
    label(today + timedelta(days=400))
    assert board(app).waiting.label is None


def test_a_key_in_use_for_two_years_waits(app: App):
    waiting = board(app).waiting
    assert (waiting.lacks_key, waiting.old_key) == (False, None)
    app.clock.move(days=731)
    assert board(app).waiting.old_key is not None
