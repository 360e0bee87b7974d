"""A backup of the app's database, and the service started on a restored copy."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.container import Process
from tests.support.app import App
from tests.support.databases.postgres import server_url


class Backup:
    """A backup taken at construction; `restored` starts the service on it, with the current anchors."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.url = self._copied(app.process.settings.database_url)

    @contextmanager
    def restored(self) -> Iterator[App]:
        """The service on a copy of the backup, with the checks that `serve` and every command run at start."""
        settings = self.app.process.settings.model_copy(update={"database_url": self._copied(self.url)})
        process = Process(
            settings, clock=self.app.clock, mailer=self.app.letters, limiter=self.app.process.limiter
        )
        process.check()
        app = replace(self.app, process=process)
        try:
            yield app
        finally:
            app.close()

    def _copied(self, url: str) -> str:
        database = str(make_url(url).database)
        if url.startswith("sqlite"):
            target = f"{database}.{uuid4().hex}"
            with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(target)) as copy:
                source.backup(copy)
            return f"sqlite:///{target}"
        self.app.process.engine.dispose()
        name = f"{database[:40]}_{uuid4().hex[:8]}"
        engine = create_engine(server_url(), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(
                text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"),
                {"name": database},
            )
            connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{database}"')
        engine.dispose()
        _made.append(name)
        return make_url(url).set(database=name).render_as_string(hide_password=False)


_made: list[str] = []


def drop_copies() -> None:
    if not _made:
        return
    engine = create_engine(server_url(), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        while _made:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{_made.pop()}" WITH (FORCE)')
    engine.dispose()
