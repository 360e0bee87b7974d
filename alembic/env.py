"""Run the migrations on the database that the configuration names."""

from __future__ import annotations

from alembic import context
from app.db.engine.schema import served_by_newest
from app.db.engine.session import WORK_SCHEMA, open_engine
from app.db.reports import marks
from app.tenancy import row_level_security as walls
from app.tenancy.metadata import METADATA

ADVISORY_LOCK = 0x5CEA


def run() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    assert url, "the configuration names no database"
    engine = open_engine(url)
    with engine.connect() as connection:
        # SQLite's definitions are transactional too, though Alembic assumes otherwise: with one transaction
        # around all revisions, the second of two workers waits for the first and finds its work done (I21).
        context.configure(
            connection=connection, target_metadata=METADATA, render_as_batch=True, transactional_ddl=True
        )
        with context.begin_transaction():
            if engine.dialect.name == "postgresql":
                # Two workers that start at once migrate once (I21).
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})")
                if lock_wait := context.config.get_main_option("lock_wait", ""):
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{lock_wait}'")
                walls.take_down(connection)
            before = context.get_context().get_current_revision()
            marks.take_down(connection)
            context.run_migrations()
            newest = context.script.get_current_head()
            if context.get_context().get_current_revision() == newest:
                marks.build(connection)
                if before != newest:
                    marks.mark_everything(connection)
                if engine.dialect.name == "postgresql":
                    role = context.config.get_main_option("granted_to", "")
                    walls.build(connection, role, WORK_SCHEMA, served_by_newest(context.script))
        connection.commit()
    engine.dispose()


run()
