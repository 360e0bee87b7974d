"""A PostgreSQL server for tests: from the environment variable, on the default port, or a private one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
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
    """A throw-away cluster on a free port of this machine."""

    url: str = ""
    root: Path | None = None
    """The parent of its data folder; each commit waits for this disk."""
    _closing: ExitStack = field(default_factory=ExitStack)

    def start(self) -> bool:
        """Whether the server started; false if its programs are not installed."""
        programs = programs_of_server()
        if programs is None:
            return False
        folder = Path(tempfile.mkdtemp(prefix="sceau-postgres-", dir=self.root))
        self._closing.callback(shutil.rmtree, folder, ignore_errors=True)
        # PostgreSQL refuses to run as root.
        account = "postgres" if os.geteuid() == 0 else None
        if account:
            shutil.chown(folder, account)
        data, port = folder / "data", free_port()

        def run(program: str, *arguments: str) -> None:
            subprocess.run(
                [programs / program, "-D", data, *arguments],
                user=account, cwd=folder, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
            )  # fmt: skip

        run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
        run("pg_ctl", "start", "--wait", f"--log={folder / 'log'}", f"--options={options}")
        # The server stops when this process ends, even if killed: that closes the pipe.
        guard = subprocess.Popen(
            ["sh", "-c", 'read _; "$0" stop --wait --mode=immediate -D "$1"; rm -rf "$2"', programs / "pg_ctl", data, folder],
            user=account, cwd="/", start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._closing.callback(guard.communicate)
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        return True

    def stop(self) -> None:
        self._closing.close()


@contextmanager
def database_of_this_run() -> Iterator[str | None]:
    """An empty database on the running server, else on a private one; None if neither is available."""
    private = PrivatePostgres()
    server = server_url() if answers(server_url()) else None
    if server is None:
        server = private.url if private.start() else None
    if server is None:
        yield None
        return
    name = f"sceau_run_{uuid.uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE "{name}" WITH (FORCE)')
        engine.dispose()
        private.stop()


def programs_of_server() -> Path | None:
    found = shutil.which("initdb")
    if found:
        return Path(found).resolve().parent
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    return next((path for path in reversed(installed) if (path / "initdb").exists()), None)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
