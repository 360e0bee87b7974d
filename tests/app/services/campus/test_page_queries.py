"""Lists of a large campus: queries select the rows of a page before any join, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlmodel import col

import app.db.campus.directory as directory
from app.domain.awards import Award
from app.domain.campus.integration import Wanted
from app.domain.campus.registers import (
    AwardFilter,
    AwardSort,
    PeopleFilter,
    PeopleSort,
    Register,
    Standing,
)
from app.services.campus.dashboard import Start
from tests.support.app import App, Asked, asked_of, build_app
from tests.support.content.many_awards import add_awards
from tests.support.running.every import for_each

pytestmark = pytest.mark.both_engines


def sorted_pages(asked: Asked) -> list[str]:
    return [each for each, _ in asked if "ORDER BY" in each and "LIMIT" in each]


@for_each("sort", list(AwardSort))
@for_each("descending", [False, True])
def test_register_page_sorts_awards_before_it_joins_their_lines(app: App, sort: AwardSort, descending: bool):
    app.award("Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr")
    with asked_of(app) as asked, app.unit_of_work(reading=True) as services:
        found = services.award_register.page(
            app.campus, AwardFilter(app.clock()), Start(), sort, descending=descending
        )
    assert [each.activity for each in found] == ["Atelier robotique"] * 2
    pages = sorted_pages(asked)
    assert pages
    for page in pages:
        assert "JOIN activity " not in page
        assert "JOIN badge_version " not in page
        assert "JOIN person " not in page
        assert ("campus_person" in page) is (sort is AwardSort.PERSON)


def test_program_page_of_people_sorts_before_it_reads_them(app: App):
    app.award("Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr")
    with asked_of(app) as asked, app.unit_of_work(reading=True) as services:
        found = services.stores.program_lists.people(app.campus.id, Wanted(limit=1))
    assert len(found) == 2
    [page] = sorted_pages(asked)
    assert "person.given_name" not in page
    assert " person ON" not in page


@for_each("register", list(Register))
def test_register_page_counts_no_list_to_its_end(app: App, register: Register):
    app.award("Ada Martin;ada@exemple.fr", "Zoé Petit;zoe@exemple.fr")
    client = app.client(app.admin)
    with asked_of(app) as asked:
        assert client.get(f"/gestion/itip/{register}?periode=annee").status_code == 200
    counts = [each for each, _ in asked if re.search(r"(?s)count\(\*\).*FROM \(SELECT", each)]
    assert len(counts) > 1
    for each in counts:
        assert "LIMIT" in each, each


@pytest.fixture
def many(database_url: str, tmp_path: Path) -> Iterator[App]:
    """1,000 people with each of three badges."""
    app = build_app(database_url, tmp_path)
    add_awards(app, 3_000)
    yield app
    app.close()


def test_directory_of_a_widely_held_badge_is_read_in_its_order(many: App, monkeypatch: pytest.MonkeyPatch):
    wanted = PeopleFilter(badge_id=many.presence.badge.id)
    starts = [Start(limit=7), Start(limit=50), Start(limit=2_000)]

    def pages() -> list[list[Any]]:
        with many.unit_of_work(reading=True) as services:
            register = services.people_register
            return [
                *(
                    [each.id for each in register.page(many.campus, wanted, start, sort, descending=down)]
                    for sort in PeopleSort
                    for down in (False, True)
                    for start in starts
                ),
                [register.count(many.campus, wanted)],
                list(register.ids(many.campus, wanted, most=100)),
            ]

    holder_by_holder = pages()
    monkeypatch.setattr(directory, "_FEW_PEOPLE", 100)
    with asked_of(many) as asked:
        in_order = pages()
    assert in_order == holder_by_holder
    assert len(in_order[0]) == 8
    with many.process.visit(reading=True, campus_id=many.campus.id, person_id=many.trainer.id) as services:
        connection = services.stores.session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
        firsts = [each for each in asked if each[0] in sorted_pages(asked) and "campus_person" in each[0]]
        for statement, values in firsts[:1]:
            rows = connection.exec_driver_sql(f"{explain} {statement}", values)
            plan = "\n".join(str(row[3] if is_sqlite else row[0]) for row in rows)
            assert "people_of_campus_by_name" in plan
            assert "Sort" not in plan
            # Without it, PostgreSQL may join holder by holder, and then sorts what it finds.
            assert ") IS 1" in statement if is_sqlite else ") IS true" in statement
            assert "TEMP B-TREE" not in plan


@pytest.mark.postgres
def test_participations_of_a_list_are_one_statement(postgres_url: str, tmp_path: Path):
    """The triggers that count what a campus organises, and whom it knows, run for each statement."""
    app = build_app(postgres_url, tmp_path)
    with app.owner.begin() as connection:
        connection.execute(text("CREATE TABLE seen (rows integer)"))
        connection.execute(text("GRANT INSERT ON seen TO public"))
        connection.execute(
            text(
                "CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS "
                "'BEGIN INSERT INTO seen SELECT count(*) FROM came; RETURN NULL; END'"
            )
        )
        connection.execute(
            text(
                "CREATE TRIGGER see AFTER INSERT ON participation REFERENCING NEW TABLE AS came "
                "FOR EACH STATEMENT EXECUTE FUNCTION see()"
            )
        )
    app.record(*(f"Personne Numéro{number}" for number in range(120)))
    with app.owner.connect() as connection:
        assert connection.execute(text("SELECT rows FROM seen")).scalars().all() == [120]
    app.close()


def test_expired_awards_are_found_among_those_that_end(many: App):
    """They are the oldest: in the order of all awards, every valid one would be read before the first."""
    with many.owner.begin() as connection:
        connection.execute(update(Award).values(valid_until=None))
        some = select(Award.id).order_by(Award.awarded_at).limit(1_500)
        expired = update(Award).where(col(Award.id).in_(some))
        connection.execute(expired.values(valid_until=many.clock() - timedelta(days=1)))
        connection.exec_driver_sql("ANALYZE award")
    wanted = AwardFilter(many.clock(), standing=Standing.EXPIRED)
    with asked_of(many) as asked, many.unit_of_work(reading=True) as services:
        found = services.award_register.page(many.campus, wanted, Start(), AwardSort.DATE, descending=True)
        assert len(found) == 51
        [(page, values)] = [each for each in asked if "ORDER BY" in each[0]]
        connection = services.stores.session.connection()
        explain = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"
        plan = [str(row) for row in connection.exec_driver_sql(f"{explain} {page}", values)]
    assert "awards_that_end_by_time" in "".join(plan), plan
