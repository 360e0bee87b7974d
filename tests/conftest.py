"""What every test may ask for, and the PostgreSQL that lives as long as the run."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.support.databases.postgres import URL_VARIABLE, PrivatePostgres, answers, server_url

pytest_plugins = [
    "tests.support.databases.engines",
    "tests.support.running.statements",
    "tests.support.app",
    "tests.support.letters",
    "tests.support.running.drawings",
    "tests.support.running.log",
    "tests.support.running.longest",
    "tests.support.servers.server",
    "tests.support.servers.browser",
]

# What the tests start imports hundreds of modules: they are compiled once, whatever the environment says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# An example of a property has no time limit: the machine may be busy.
settings.register_profile("untimed", parent=settings.default, deadline=None)
settings.load_profile("untimed")

# Until the tests begin, almost nothing that is made is ever garbage.
gc.disable()

MEMORY = Path("/dev/shm")
MEMORY_NEEDED = 2 * 1024**3

_postgres = pytest.StashKey[PrivatePostgres]()


def pytest_configure(config: pytest.Config) -> None:
    # Also for the process that only hands out tests: at its end it would be looked through six times.
    gc.freeze()
    if "PYTEST_DEBUG_TEMPROOT" not in os.environ and _has_room_in_memory():
        # Every commit of a test waits until its database is on disk, unless there is no disk.
        os.environ["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)
    # xdist's workers inherit the variable, so one server is started for all of them.
    is_worker = hasattr(config, "workerinput")
    if is_worker or os.environ.get(URL_VARIABLE):
        return
    # Each database that is dropped waits for a checkpoint: a run of many tests has a server in memory.
    has_own = bool(config.getoption("numprocesses", 0)) and _has_room_in_memory()
    if not has_own and answers(server_url()):
        return
    server = PrivatePostgres(root=MEMORY if _has_room_in_memory() else None)
    if server.start():
        config.stash[_postgres] = server
        os.environ[URL_VARIABLE] = server.url


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: the collector need not look at it again each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_postgres, None)
    if server is not None:
        server.stop()
        del os.environ[URL_VARIABLE]


def _has_room_in_memory() -> bool:
    return os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED


@pytest.fixture(scope="session", autouse=True)
def _history_has_words() -> Iterator[None]:
    """No test writes an entry that a page could only call « Autre changement », or that no filter finds."""
    if "app.container" not in sys.modules:
        yield
        return
    from app.db.campus import HistoryStore
    from app.domain.campus.audit_log import NOUNS_OF, PERSONAL
    from app.web.campus.audit_log import EVENT_LABELS, OF_THE_SERVICE

    write_all = HistoryStore.write_all
    findable = {noun for nouns in NOUNS_OF.values() for noun in nouns}

    def checked(store: HistoryStore, by: Any, action: str, noun: str, noun_ids: Any, /, **named: Any) -> None:
        is_of_campus = named.get("campus_id") is not None or noun in PERSONAL
        is_read = is_of_campus or noun in {noun for noun, _ in OF_THE_SERVICE}
        words = EVENT_LABELS if is_of_campus else {**EVENT_LABELS, **OF_THE_SERVICE}
        assert not is_read or (noun, action) in words, f"no words for {noun} {action} in the history"
        assert noun in findable or not is_of_campus, f"no filter of the history finds {noun}"
        write_all(store, by, action, noun, noun_ids, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HistoryStore, "write_all", checked)
        yield
