"""`sceau work --port`: a worker of its own answers health checks and shows its figures, until it is stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from time import monotonic

import httpx

LONG_ENOUGH = 120.0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def environment(database_url: str, folder: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SCEAU_")},
        "SCEAU_DATABASE_URL": database_url,
        "SCEAU_DEVELOPMENT_DIR": str(folder / "secrets"),
        "SCEAU_LOCALE": "en",
    }


def answer(port: int, path: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", trust_env=False, timeout=10)
    except httpx.TransportError:
        return None


def test_a_worker_answers_on_its_port_and_ends_in_good_order(sqlite_url: str, tmp_path: Path):
    port, pause = free_port(), threading.Event()
    worker = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "work", "--port", str(port)], env=environment(sqlite_url, tmp_path), stderr=subprocess.DEVNULL
    )  # fmt: skip
    try:
        deadline = monotonic() + LONG_ENOUGH
        while (ready := answer(port, "/health/ready")) is None:
            assert worker.poll() is None
            assert monotonic() < deadline
            pause.wait(0.05)
        assert (ready.status_code, ready.json()["status"]) == (200, "ready")
        figures = answer(port, "/metrics")
        assert figures is not None
        assert "sceau_jobs_waiting" in figures.text
        elsewhere = answer(port, "/connexion")
        assert elsewhere is not None
        assert elsewhere.status_code == 404
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(LONG_ENOUGH) == 0
    assert answer(port, "/health/live") is None


def test_a_port_already_taken_stops_the_worker_before_it_begins(sqlite_url: str, tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "app.cli", "work", "--port", str(taken.getsockname()[1])],
            env=environment(sqlite_url, tmp_path), capture_output=True, text=True, timeout=LONG_ENOUGH,
        )  # fmt: skip
    assert done.returncode == 3
    assert "taken" in done.stderr
    assert "under way" not in done.stderr
