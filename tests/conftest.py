"""What every test may ask for, and the PostgreSQL that lives as long as the run."""

from __future__ import annotations

import os

import pytest

from tests.support.postgres import URL_VARIABLE, PrivatePostgres, answers, server_url

pytest_plugins = [
    "tests.support.databases",
    "tests.support.house",
    "tests.support.letters",
    "tests.support.server",
    "tests.support.browser",
]

_postgres = pytest.StashKey[PrivatePostgres]()


def pytest_configure(config: pytest.Config) -> None:
    # xdist's workers inherit the variable, so one server is started for all of them.
    is_worker = hasattr(config, "workerinput")
    if is_worker or os.environ.get(URL_VARIABLE) or answers(server_url()):
        return
    server = PrivatePostgres()
    if server.start():
        config.stash[_postgres] = server
        os.environ[URL_VARIABLE] = server.url


def pytest_unconfigure(config: pytest.Config) -> None:
    server = config.stash.get(_postgres, None)
    if server is not None:
        server.stop()
        del os.environ[URL_VARIABLE]
