"""Search of people, activities and awards of a campus: ignores accents, page by page, on both databases."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import event

from app.domain.campus.audit_log import Actor
from app.errors import NotFound
from app.services.campus.dashboard import Start
from tests.support.app import App
from tests.support.running.every import for_each

pytestmark = pytest.mark.both_engines

PEOPLE = (
    "LE BŒUF Anne-Gaëlle;anne@exemple.fr",
    "ÉCRIN Zoé;zoe@exemple.fr",
    "d’Arcy Noël",
    "NGUYỄN Thị Hà",
    "Zola Éléonore",
    "azur Bob",
    "Wałęsa Ola",
    "Écrin Abel",
)


def names(people) -> list[str]:
    return [person.name for person in people]


@pytest.fixture
def full(app: App) -> App:
    app.award(*PEOPLE)
    return app


@for_each(
    ("query", "found"),
    [
        ("boeuf", ["Anne-Gaëlle Le Bœuf"]),
        ("BŒUF anne gaelle", ["Anne-Gaëlle Le Bœuf"]),
        ("ecrin", ["Abel Écrin", "Zoé Écrin"]),
        ("zoe ÉCRIN", ["Zoé Écrin"]),
        ("darcy", []),
        ("d'arcy", ["Noël d’Arcy"]),
        ("nguyen ha", ["Thị Hà Nguyễn"]),
        ("walesa", ["Ola Wałęsa"]),
        ("%", []),
        ("_", []),
        ("anne@exemple", ["Anne-Gaëlle Le Bœuf"]),
        ("nne@exemple", []),
    ],
)
def test_people_are_found_with_any_accents_and_order(full: App, query: str, found: list[str]):
    with full.unit_of_work(reading=True) as services:
        assert names(services.directory.find_people(full.campus, query, Start())) == found


def walk(fetch, limit: int) -> list:
    """Every row, page by page."""
    seen, after = [], None
    while True:
        rows = fetch(Start(after, limit))
        seen += rows[:limit]
        if len(rows) <= limit:
            return seen
        row = rows[limit - 1]
        after = getattr(row, "award", row).id


@for_each("limit", [1, 2, 3, 50])
def test_pages_of_people_contain_each_person_once_by_name(full: App, limit: int):
    with full.unit_of_work(reading=True) as services:
        everybody = names(services.directory.find_people(full.campus, "", Start()))
        paged = names(walk(lambda start: services.directory.find_people(full.campus, "", start), limit))
    assert paged == everybody
    assert len(set(paged)) == len(PEOPLE)
    assert paged.index("Bob Azur") < paged.index("Abel Écrin") < paged.index("Ola Wałęsa")


def test_search_of_awards_matches_person_and_badge(full: App):
    full.award("ÉCRIN Zoé;zoe@exemple.fr", badge=full.role, evidence="A aidé trois groupes.")
    with full.unit_of_work(reading=True) as services:
        found = services.directory.find_awards(full.campus, "zoe explor", Start())
    assert [each.version.name for each in found] == [full.role.version.name]


def test_later_page_starts_in_the_index_and_reads_no_earlier_row(full: App):
    if full.process.engine.dialect.name != "sqlite":
        pytest.skip("which way PostgreSQL takes depends on how much there is")
    asked: list[tuple[str, Any]] = []
    with full.unit_of_work(reading=True) as services:
        shown = services.directory.find_awards(full.campus, "", Start(limit=3))
        event.listen(
            full.process.engine, "before_cursor_execute", lambda *result: asked.append((result[2], result[3]))
        )
        services.directory.find_awards(full.campus, "", Start(shown[2].award.id, limit=3))
        pages = [each for each in asked if "ORDER BY award.awarded_at DESC" in each[0]]
        [(statement, values)] = [each for each in pages if "LIMIT" in each[0]]
        connection = services.stores.session.connection()
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert any("awards_of_campus_by_time (campus_id=? AND (awarded_at,id)<(?,?))" in step for step in plan)
    assert not any("TEMP B-TREE" in step for step in plan)


def test_page_after_an_unknown_row_is_empty(full: App):
    with full.unit_of_work(reading=True) as services:
        assert services.directory.find_people(full.campus, "", Start(uuid.uuid4())) == []


def test_a_search_finds_people_badges_activities_and_awards(full: App):
    with full.unit_of_work(reading=True) as services:
        robots = services.directory.search(full.campus, "ROBOTIQUE", limit=3)
        nothing = services.directory.search(full.campus, " ’ ", limit=3)
    assert [version.name for _, version in robots.badges] == ["Robotique pour tous"]
    assert [activity.title for activity in robots.activities] == ["Atelier robotique"]
    assert len(robots.awards) == 4, "one more than asked for says that there are more"
    assert (nothing.people, nothing.badges, nothing.activities, nothing.awards) == ([], [], [], [])


def test_another_campus_finds_nothing(full: App):
    with full.unit_of_work(reading=True) as services:
        (zoe,) = services.directory.find_people(full.campus, "zoe ecrin", Start())
        found = services.directory.search(full.other_campus, "zoe", limit=5)
        assert (found.people, found.awards, found.activities) == ([], [], [])
        with pytest.raises(NotFound):
            services.directory.person(full.other_campus, zoe.id)
        file = services.directory.person(full.campus, zoe.id)
    assert [activity.title for _, activity in file.participations] == ["Atelier robotique"]
    assert [record.version.name for record in file.awards] == ["Robotique pour tous"]


def test_sealed_search_opens_only_for_its_author(full: App):
    mine, other = Actor(full.trainer.id), Actor(full.admin.id)
    with full.unit_of_work(reading=True) as services:
        token = services.directory.seal("Zoé Écrin", full.campus, mine)
        assert "crin" not in token
        assert services.directory.unseal(token, full.campus, mine) == "Zoé Écrin"
        assert services.directory.unseal(token, full.campus, other) == ""
        assert services.directory.unseal(token, full.other_campus, mine) == ""
        for forged in (
            "",
            "AAAA",
            token[:-2],
            token[:-1] + ("A" if token[-1] != "A" else "B"),
            "é",
            "x" * 2000,
        ):
            assert services.directory.unseal(forged, full.campus, mine) == ""
