"""A PostgreSQL for the tests: the one that is named or listens, else a private one for this run."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

URL_VARIABLE = "SCEAU_TEST_POSTGRES_URL"
DEFAULT_URL = "postgresql+psycopg://postgres@127.0.0.1:5432/postgres"


def server_url() -> str:
    return os.environ.get(URL_VARIABLE) or DEFAULT_URL


def answers(url: str) -> bool:
    engine = create_engine(url, connect_args={"connect_timeout": 3})
    try:
        engine.connect().close()
    except OperationalError:
        return False
    finally:
        engine.dispose()
    return True


@dataclass
class PrivatePostgres:
    """A throw-away cluster on a free port of this machine, for a machine whose own server is absent or locked."""

    url: str = ""
    _closing: ExitStack = field(default_factory=ExitStack)

    def start(self) -> bool:
        """Whether it runs; false where the server's programs are not installed."""
        programs = _programs()
        if programs is None:
            return False
        folder = Path(tempfile.mkdtemp(prefix="sceau-postgres-"))
        self._closing.callback(shutil.rmtree, folder, ignore_errors=True)
        # PostgreSQL refuses to run as root.
        account = "postgres" if os.geteuid() == 0 else None
        if account:
            shutil.chown(folder, account)
        data, port = folder / "data", _free_port()

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", data, *arguments],
                user=account, cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            )  # fmt: skip

        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", f"--options={options}")
        self._closing.callback(run, "pg_ctl", "stop", "--wait", "--mode=immediate")
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        return True

    def stop(self) -> None:
        self._closing.close()


def _programs() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return next((path for path in reversed(installed) if (path / "initdb").exists()), None)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
