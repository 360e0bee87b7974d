"""The same benchmark on an empty database of each engine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.measuring.measure import Row
from tests.support.databases.postgres import database_of_this_run


def on_both_engines(measure: Callable[[Path, str, str], list[Row]]) -> list[Row]:
    """`measure` gets a folder, the URL of the database and the name of its engine."""
    with TemporaryDirectory(prefix="sceau-bench-") as folder:
        found = measure(Path(folder), f"sqlite:///{folder}/database/sceau.sqlite", "SQLite")
    with TemporaryDirectory(prefix="sceau-bench-") as folder, database_of_this_run() as url:
        if url is None:
            print("  without PostgreSQL: none is installed", file=sys.stderr)
            return found
        return found + measure(Path(folder), url, "PostgreSQL")
