"""Several processes are one service: they begin together, however slow the machine, and count together."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.forms import forms_of
from tests.support.servers.server import wait_until_ready

LONGEST_START = 240.0


@pytest.fixture
def served(postgres_url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a service of three processes."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    base_url = f"http://localhost:{port}"
    settings = {
        "SCEAU_BASE_URL": base_url,
        "SCEAU_DATABASE_URL": postgres_url,
        "SCEAU_DEVELOPMENT_DIR": str(tmp_path / "secrets"),
        "SCEAU_WORK": "off",
    }
    with (tmp_path / "log").open("w+") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--port", str(port), "--workers", "3"],
            env={**os.environ, **settings}, stdout=log, stderr=log,
        )  # fmt: skip
        try:
            wait_until_ready(base_url, lambda: server.poll() is None, patience=LONGEST_START)
            yield base_url
            log.seek(0)
            assert " died" not in log.read(), "a worker was lost while it began"
        finally:
            server.terminate()
            server.wait(LONGEST_START)


def test_a_limit_holds_over_all_processes(served: str):
    answers = []
    for _ in range(6):
        # A connection of its own each time: any of the processes may take it.
        with httpx.Client(base_url=served, headers={"accept": "text/html"}, trust_env=False) as browser:
            shown = browser.get("/connexion")
            (form,) = (each for each in forms_of(shown) if each.action == "/connexion")
            typed = form.fill(adresse="quelquun@exemple.fr").fields
            answers.append(browser.post("/connexion", data=typed).status_code)
    assert answers == [200, 200, 200, 429, 429, 429]
    counted = {_counted(httpx.get(f"{served}/metrics", trust_env=False).text) for _ in range(6)}
    assert counted == {6.0}, "each process shows what all have counted"


def _counted(figures: str) -> float:
    found = re.findall(r'^sceau_requests_total\{method="POST",route="/connexion".*\} (\S+)$', figures, re.M)
    return sum(map(float, found))
