"""The year of a network on both engines: distinct learners across campuses, and each campus's own decision."""

from __future__ import annotations

import pytest

from app.domain.campus.campus import Network
from app.domain.reports.ledger import Period
from app.domain.reports.network import Topic
from app.errors import NotFound
from tests.support.app import COMMAND, App

PEOPLE = ("Zoé Martin", "Ali Benali", "Eva Roy", "Léo Petit", "Ana Faure", "Tom Girard")


def test_learners_count_for_the_campuses_that_share_them(app: App) -> None:
    app.record(*PEOPLE)
    period = Period.civil(app.activity.starts_on.year)
    with app.unit_of_work() as services:
        services.campuses.create_network(
            Network(slug="pole-demo", name="Pôle de démonstration"),
            [app.campus, app.other_campus],
            by=COMMAND,
        )
        with pytest.raises(NotFound):
            services.network_reports.share(app.campus, "ailleurs", [Topic.PEOPLE], by=COMMAND)
        services.network_reports.share(app.campus, "pole-demo", [Topic.PEOPLE], by=COMMAND)
    with app.unit_of_work(reading=True) as services:
        found = services.network_reports.year("pole-demo", period)
        expected = services.reports.ledger(app.campus, found.period)
    people, actions = found.of(Topic.PEOPLE), found.of(Topic.ACTIONS)
    assert [campus.slug for campus in people.campuses] == [app.campus.slug]
    assert not actions.campuses
    assert not actions.figures
    assert {row.id for row in people.rows} == {row.id for row in expected.rows}
    learners = people.figures[1]
    assert learners.network == learners.by_campus[app.campus.id] == expected.distinct.learners
