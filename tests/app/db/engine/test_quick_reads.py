"""What is told to the driver itself reads the same values, in the same transaction, and fails as SQLAlchemy fails."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, bindparam, literal_column, select, text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlmodel import Session, col

from app.db.engine.queries import QuickRead
from app.db.engine.session import open_engine
from app.db.engine.writes import among, bare_rows, insert_rows
from app.domain.campus.campus import Campus
from tests.support.databases.engines import as_owner

OF_SLUG = QuickRead(
    lambda _: (
        select(*Campus.__table__.c)  # type: ignore[attr-defined]
        .where(col(Campus.slug) == bindparam("slug"), literal_column("1") == 1)
        .order_by(col(Campus.slug))
        .limit(bindparam("at_most"))
    )
)


def _campus(slug: str) -> Campus:
    return Campus(
        id=uuid.uuid4(),
        slug=slug,
        name="Campus Bois",
        short_name="Bois",
        did=f"did:web:exemple.fr:{slug}",
        created_at=datetime(2026, 11, 28, 12, 0, tzinfo=UTC),
    )


def test_quick_read_finds_what_the_orm_finds(engine: Engine) -> None:
    with Session(engine) as session, session.begin():
        insert_rows(session, [_campus("bois"), _campus("métal")])
        (row,) = OF_SLUG.rows(session, {"slug": "bois", "at_most": 5})
        (read,) = bare_rows(row, (Campus,))
        kept = session.get(Campus, read.id)
        assert kept is not None
        assert read.model_dump() == kept.model_dump()
        assert OF_SLUG.rows(session, {"slug": "pierre", "at_most": 5}) == []
        assert OF_SLUG.rows(session, {"slug": "bois", "at_most": 0}) == []


@pytest.mark.parametrize("count", [0, 1, 3, 2_000])
def test_ids_of_any_number_find_their_rows(engine: Engine, count: int) -> None:
    with Session(engine) as session, session.begin():
        rows = [_campus(f"bois-{number}") for number in range(count + 1)]
        insert_rows(session, rows)
        wanted = {row.id for row in rows[:count]}
        query = select(col(Campus.id)).where(among(session, col(Campus.id), wanted))
        assert set(session.execute(query).scalars()) == wanted
        assert query._generate_cache_key() is not None, "composed once"


@pytest.mark.postgres
def test_postgresql_reads_the_ids_of_a_query_once(postgres_url: str) -> None:
    """It read the text of 20,000 ids again for each row that it compared: 30 ms a row, minutes a page."""
    engine = open_engine(as_owner(postgres_url))
    with Session(engine) as session, session.begin():
        session.execute(text("SET LOCAL enable_indexscan = off"))
        session.execute(text("SET LOCAL enable_bitmapscan = off"))
        query = select(col(Campus.id)).where(
            among(session, col(Campus.id), [uuid.uuid4() for _ in range(20)])
        )
        written = query.compile(engine, compile_kwargs={"render_postcompile": True})
        explained = session.connection().exec_driver_sql(f"EXPLAIN {written}", written.params)
        (filtered,) = [row for row in explained.scalars() if "ANY" in row]
    engine.dispose()
    assert filtered.endswith("}'::uuid[]))"), filtered


def test_quick_read_raises_what_sqlalchemy_raises_and_repeats_no_value(engine: Engine) -> None:
    lost = QuickRead(lambda _: select(literal_column("nothing_of_the_kind")).where(bindparam("told") == "a"))
    with Session(engine) as session, session.begin(), pytest.raises(DBAPIError) as refused:
        lost.rows(session, {"told": "zoe@exemple.fr"})
    assert isinstance(refused.value, OperationalError | ProgrammingError)
    assert "zoe@exemple.fr" not in str(refused.value)
