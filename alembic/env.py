"""Run the migrations on the database that the configuration names."""

from __future__ import annotations

from alembic import context
from app.db.activities import campus_activities
from app.db.campus import people
from app.db.engine import row_level_security, triggers
from app.db.engine.row_level_security import METADATA
from app.db.engine.schema import MIGRATION_LOCK, recounts, served_by_newest
from app.db.engine.session import WORK_SCHEMA, open_engine
from app.db.reports import marks

DERIVED = (people, campus_activities)
"""Whose triggers keep a table in step with others."""


def destination() -> str | tuple[str, ...] | None:
    """None for commands that have none."""
    try:
        return context.get_revision_argument()
    except KeyError:
        return None


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
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
                if lock_wait := context.config.get_main_option("lock_wait", ""):
                    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{lock_wait}'")
                row_level_security.take_down(connection)
            before = context.get_context().get_current_revision()
            newest = context.script.get_current_head()
            # On the way down their tables may go too.
            is_going_up = destination() == newest
            is_marking = is_going_up and triggers.stand(connection, marks.PREFIX, marks.TRIGGERS)
            if not is_marking:
                triggers.take_down(connection, marks.PREFIX)
            followed = [
                each
                for each in DERIVED
                if is_going_up and triggers.stand(connection, each.PREFIX, each.TRIGGERS)
            ]
            for each in DERIVED:
                if each not in followed:
                    triggers.take_down(connection, each.PREFIX)
            context.run_migrations()
            if context.get_context().get_current_revision() == newest:
                if not is_marking or not triggers.stand(connection, marks.PREFIX, marks.TRIGGERS):
                    triggers.take_down(connection, marks.PREFIX)
                    triggers.build(connection, marks.TRIGGERS)
                    is_marking = False
                for each in DERIVED:
                    if each in followed and triggers.stand(connection, each.PREFIX, each.TRIGGERS):
                        continue
                    triggers.take_down(connection, each.PREFIX)
                    triggers.build(connection, each.TRIGGERS)
                    if before != newest or engine.dialect.name == "postgresql":
                        each.fill(connection)
                if before != newest and (not is_marking or recounts(context.script, before)):
                    marks.mark_everything(connection)
                if engine.dialect.name == "postgresql":
                    role = context.config.get_main_option("granted_to", "")
                    row_level_security.build(connection, role, WORK_SCHEMA, served_by_newest(context.script))
        connection.commit()
    engine.dispose()


run()
