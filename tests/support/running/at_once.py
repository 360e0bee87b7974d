"""Two concurrent operations on the same object: the second runs between reads and writes of the first."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from sqlalchemy import create_engine, event, text

from app.container import Services
from app.errors import AppError
from tests.support.app import App
from tests.support.databases.engines import as_owner

Operation = Callable[[Services], object]
_WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
_WAITING = text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND (database IS NULL OR database ="
    " (SELECT oid FROM pg_database WHERE datname = current_database()))"
)


def done_meanwhile(app: App, first: Operation, second: Operation) -> tuple[str, str]:
    """The name of the `AppError` of each operation, or an empty string, on PostgreSQL. Other errors are raised.

    The first pauses before its first write, until the second has ended or waits for a lock.
    """
    has_read, goes_on, of_first = threading.Event(), threading.Event(), threading.local()

    def stop(*arguments: object) -> None:
        if getattr(of_first, "reads", False) and (len(arguments) < 3 or _WRITES.match(str(arguments[2]))):
            of_first.reads = False
            has_read.set()
            assert goes_on.wait(60), "the second operation never ended"

    def do(operation: Operation, *, stops: bool) -> str:
        of_first.reads = stops
        try:
            with app.unit_of_work() as services:
                operation(services)
        except AppError as error:
            return type(error).__name__
        finally:
            if stops:
                has_read.set()
        return ""

    engine, looking = app.process.engine, create_engine(as_owner(app.process.settings.database_url))
    event.listen(engine, "before_cursor_execute", stop)
    event.listen(engine, "commit", stop)
    try:
        with ThreadPoolExecutor(2) as clients, looking.connect() as look:
            one = clients.submit(do, first, stops=True)
            assert has_read.wait(60)
            other = clients.submit(do, second, stops=False)
            while wait([other], timeout=0.01).not_done and not look.execute(_WAITING).scalar_one():
                look.rollback()
            goes_on.set()
            return one.result(), other.result()
    finally:
        goes_on.set()
        event.remove(engine, "before_cursor_execute", stop)
        event.remove(engine, "commit", stop)
        looking.dispose()
