"""`sceau serve --demo` from nothing: one command, and every door of the demo opens; the second time the data are kept."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.support.servers.server import wait_until_ready

LINK = re.compile(r"http://localhost:\d+/\S+")


@dataclass(frozen=True)
class Served:
    process: subprocess.Popen[str]
    links: list[str]

    def get(self, url: str) -> httpx.Response:
        return httpx.get(url, headers={"accept": "text/html"}, trust_env=False, timeout=30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def serving(folder: Path, port: int) -> Iterator[Served]:
    """The command itself, in a folder of its own, until it has printed its links and answers."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCEAU_")}
    environment |= {
        "SCEAU_DATABASE_URL": f"sqlite:///{folder}/var/sceau.sqlite",
        "SCEAU_DEVELOPMENT_DIR": f"{folder}/secrets",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve", "--demo", "--port", str(port)],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        links = [LINK.search(process.stdout.readline()) for _ in range(6)]
        wait_until_ready(f"http://localhost:{port}", lambda: process.poll() is None)
        yield Served(process, [link.group() for link in links if link])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def readable_by_others(folder: Path) -> list[Path]:
    """The database, WAL, shared memory and work files included."""
    assert any(folder.iterdir())
    return [each for each in (folder, *folder.rglob("*")) if each.stat().st_mode & 0o077]


def test_one_command_serves_the_demo_and_a_second_time_keeps_it(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path, port) as first:
        trainer, admin, _reviewer, _network, learner, employer = first.links
        assert [first.get(link).status_code for link in (trainer, admin, employer)] == [200, 200, 200]
        assert first.get(learner).status_code == 303
        assert "Đặng Thị Hương" in first.get(employer).text
        assert readable_by_others(tmp_path / "var") == readable_by_others(tmp_path / "secrets") == []
    with serving(tmp_path, port) as second:
        assert second.links[5] == employer
        assert not {trainer, admin} & set(second.links)
        assert second.get(employer).status_code == 200
    assert first.process.returncode in (0, -signal.SIGTERM)


def test_a_port_already_taken_is_said_before_any_work_is_done(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SCEAU_")}
        environment |= {
            "SCEAU_DATABASE_URL": f"sqlite:///{tmp_path}/var/sceau.sqlite",
            "SCEAU_DEVELOPMENT_DIR": f"{tmp_path}/secrets",
            "SCEAU_LOCALE": "fr",
        }
        result = subprocess.run(
            [sys.executable, "-m", "app.cli", "serve", "--demo", "--port", str(port)],
            env=environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
    assert result.returncode == 3
    assert str(port) in result.stderr
    assert "démonstration" not in result.stdout
