"""`sceau transfer`: a SQLite database becomes a PostgreSQL one, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from app.container import Process
from app.container.transfer import TransferRefused, _first_difference, _rows
from app.db.engine.row_level_security import METADATA
from app.settings import Settings
from tests.app.cli.conftest import Operator
from tests.support.databases.engines import ROLE


@pytest.fixture
def source(demo: Process) -> Path:
    return Path(str(make_url(demo.settings.database_url).database))


@pytest.fixture
def elsewhere(empty_postgres_url: str, demo: Process) -> Settings:
    url = make_url(empty_postgres_url).set(username=ROLE, password=ROLE).render_as_string(hide_password=False)
    changed = {"database_url": url, "owner_database_url": empty_postgres_url}
    return demo.settings.model_copy(update=changed)


def count(url: str, table: str) -> int:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
    engine.dispose()
    return int(found)


def test_demo_transferred_is_verified_and_goes_on(operator: Operator, source: Path, elsewhere: Settings):
    operator.works_with(elsewhere)
    done = operator.types("transfer", source)
    assert done.code == 0, done.err
    assert count(elsewhere.owner_database_url, "award") == count(f"sqlite:///{source}", "award") > 100
    assert operator.types("check").code == 0
    again = operator.types("transfer", source)
    assert (again.code, "n’est pas vide" in again.err) == (3, True)
    # Numbers that PostgreSQL gives go on after the copied ones.
    made = operator.types("token", "create", "--campus", "itip", "--label", "ENT", "--scope", "read")
    assert made.code == 0, made.err


def test_transfer_keeps_nothing_where_a_row_differs(operator: Operator, source: Path, elsewhere: Settings):
    operator.works_with(elsewhere)
    assert operator.types("migrate").code == 0
    engine = create_engine(elsewhere.owner_database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN NEW.site := NEW.site || '.'; RETURN NEW; END $$"
        )
        connection.exec_driver_sql(
            "CREATE TRIGGER spoil BEFORE INSERT ON campus FOR EACH ROW EXECUTE FUNCTION spoil()"
        )
    engine.dispose()
    done = operator.types("transfer", source)
    assert (done.code, "campus" in done.err) == (3, True)
    assert count(elsewhere.owner_database_url, "campus") == 0


def test_transfer_refuses_other_sources_and_targets(
    operator: Operator, source: Path, elsewhere: Settings, tmp_path: Path
):
    assert operator.types("transfer", source).code == 3  # the settings name SQLite
    operator.works_with(elsewhere)
    assert operator.types("transfer", tmp_path / "missing.sqlite").code == 3
    (tmp_path / "empty.sqlite").touch()
    refused = operator.types("transfer", tmp_path / "empty.sqlite")
    assert (refused.code, "sceau migrate" in refused.err) == (3, True)


def test_source_that_another_program_holds_has_no_value_to_repair(tmp_path: Path):
    held = create_engine(f"sqlite:///{tmp_path / 'held.sqlite'}", connect_args={"timeout": 0})
    with held.connect() as reader, held.connect() as holder:
        METADATA.tables["campus"].create(holder)
        holder.commit()
        holder.exec_driver_sql("BEGIN EXCLUSIVE")
        with pytest.raises(TransferRefused, match=r"held\.sqlite ne se lit pas : database is locked"):
            next(_rows(reader, METADATA.tables["campus"]))
    held.dispose()


@pytest.mark.parametrize("lacks", [0, 1])
def test_first_difference_is_a_row_that_either_side_lacks(lacks: int):
    table, engines = METADATA.tables["catalogue_term"], [create_engine("sqlite://") for _ in range(2)]
    with engines[0].connect() as there, engines[1].connect() as here:
        for number, side in enumerate((there, here)):
            table.create(side)
            terms = [f"mot{each}" for each in range(2500) if number != lacks or each != 2345]
            side.execute(table.insert(), [{"term": each} for each in terms])
        assert _first_difference(there, here, table) == "mot2345"
    for engine in engines:
        engine.dispose()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("place = 'a' || char(0) || 'b'", "de la table activity (PostgreSQL text fields cannot contain NUL"),
        ("place = CAST(x'61EDA080' AS TEXT)", "valeur de la table activity ne se lit pas (Could not decode"),
        (
            "created_at = '2026-01-01 00:00:00.123456'",
            "de la table activity n’est pas la même des deux côtés",
        ),
    ],
)
def test_row_that_cannot_be_transferred_is_named(
    operator: Operator, source: Path, elsewhere: Settings, tmp_path: Path, change: str, named: str
):
    operator.works_with(elsewhere)
    copy = Path(shutil.copy(source, tmp_path / "copy.sqlite"))
    engine = create_engine(f"sqlite:///{copy}")
    with engine.begin() as connection:
        number = connection.exec_driver_sql("SELECT id FROM activity LIMIT 1").scalar_one()
        for (name,) in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql(f"UPDATE activity SET {change} WHERE id = ?", (number,))
    engine.dispose()
    refused = operator.types("transfer", copy)
    said = " ".join(refused.err.split())
    assert (refused.code, "Traceback" in said, named in said) == (3, False, True), said
    assert (
        "ne se lit pas" in said or f"La ligne {UUID(number)} " in said or f"la ligne {UUID(number)} " in said
    )
    assert count(elsewhere.owner_database_url, "campus") == 0
