"""`python -m tests.torture.point_in_time`: loses a PostgreSQL cluster with WAL archive, and restores a point in time.

The steps of docs/operate/restore.md on a private cluster: a base backup, awards, an erroneous award and its
revocation, a crash, a recovery to a time before both, and `sceau restore`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep

from sqlalchemy import create_engine
from sqlalchemy.exc import OperationalError

from app.container import Process
from app.db.engine import session
from tests.support.app import COMMAND, build_app
from tests.support.content.restores import REASON, given, withdraw
from tests.support.databases.postgres import free_port, programs_of_server

URL = "postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
ARCHIVE = "test ! -f {wal}/%f && cp %p {wal}/%f"


@dataclass(frozen=True)
class _Cluster:
    folder: Path
    programs: Path

    def give(self, *paths: Path) -> None:
        """Change the owner, because PostgreSQL refuses to run as root."""
        for path in paths:
            if os.geteuid() == 0:
                shutil.chown(path, "postgres")

    def run(self, program: str, *arguments: object) -> None:
        subprocess.run(
            [self.programs / program, *map(str, arguments)], cwd=self.folder, check=True,
            user="postgres" if os.geteuid() == 0 else None, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        )  # fmt: skip

    @contextmanager
    def serving(self, data: Path, options: str) -> Iterator[int]:
        """Yields the port; kills the cluster at the end if it still runs."""
        port = free_port()
        options += f" -p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self.run("pg_ctl", "-D", data, "start", "--wait", f"--log={data}.log", f"--options={options}")
        try:
            yield port
        finally:
            with suppress(subprocess.CalledProcessError):
                self.run("pg_ctl", "-D", data, "stop", "--wait", "--mode=immediate")


def main() -> int:
    began = monotonic()
    with ExitStack() as closing:
        folder = Path(tempfile.mkdtemp(prefix="sceau-point-in-time-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        programs = programs_of_server()
        if programs is None:
            print("no PostgreSQL is installed")
            return 1
        cluster = _Cluster(folder, programs)
        (wal := folder / "wal").mkdir()
        cluster.give(folder, wal)
        cluster.run(
            "initdb",
            "-D",
            folder / "data",
            "--username=postgres",
            "--auth=trust",
            "--locale=C.UTF-8",
            "--encoding=UTF8",
        )
        archive = f"-c archive_mode=on -c archive_command='{ARCHIVE.format(wal=wal)}'"
        port = closing.enter_context(cluster.serving(folder / "data", archive))
        url = URL.format(port=port)
        session.upgrade(url)
        (home := folder / "home").mkdir()
        app = build_app(url, home, at=datetime.now(UTC).replace(microsecond=0))
        before = given(app, "Ada Martin")
        cluster.run(
            "pg_basebackup",
            "-h",
            "127.0.0.1",
            "-p",
            port,
            "-U",
            "postgres",
            "-D",
            folder / "base",
            "--checkpoint=fast",
            "-X",
            "stream",
        )
        inside = given(app, "Zoé Petit")
        target = _now(url)
        sleep(1)
        after = given(app, "Lou Blanc")
        withdraw(app, before)
        _archived(url, wal)
        app.close()
        cluster.run("pg_ctl", "-D", folder / "data", "stop", "--wait", "--mode=immediate")
        print(f"lost after {monotonic() - began:.0f} s; recovered to {target}")
        recovery = f"restore_command='cp {wal}/%f %p'\nrecovery_target_time='{target}'\nrecovery_target_action=promote\n"
        with (folder / "base/postgresql.auto.conf").open("a") as file:
            file.write(recovery)
        (folder / "base/recovery.signal").touch()
        cluster.give(folder / "base/recovery.signal")
        again = URL.format(
            port=closing.enter_context(cluster.serving(folder / "base", "-c archive_mode=off"))
        )
        _promoted(again)
        process = Process(app.process.settings.model_copy(update={"database_url": again}), clock=app.clock)
        found = _states(process, before, inside, after)
        print("after the recovery:", *found)
        assert found == ["issued", "issued", "absent"], found
        process.compare_with_anchors(thorough=True)
        assert process.behind, "the service must detect that it is older than the published log"
        process.put_back(app.campus, REASON, by=COMMAND)
        found = _states(process, before, inside, after)
        print("after sceau restore:", *found)
        assert found == ["revoked", "issued", "issued"], found
        assert not process.compare_with_anchors(thorough=True)
        process.engine.dispose()
    print(
        f"{monotonic() - began:.0f} s; the point in time came back, and nothing that was published since is lost"
    )
    return 0


def _states(process: Process, *award_ids: uuid.UUID) -> list[str]:
    with process.repair(reading=True) as services:
        rows = [services.stores.awards.find_record(each) for each in award_ids]
    return ["absent" if row is None else "revoked" if row.award.revoked_at else "issued" for row in rows]


def _scalar(url: str, statement: str) -> object:
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            return connection.exec_driver_sql(statement).scalar_one()
    finally:
        engine.dispose()


def _now(url: str) -> str:
    return str(_scalar(url, "SELECT now()::text"))


def _archived(url: str, wal: Path) -> None:
    name = str(_scalar(url, "SELECT pg_walfile_name(pg_current_wal_lsn())"))
    _scalar(url, "SELECT pg_switch_wal()")
    while not (wal / name).exists():
        sleep(0.2)


def _promoted(url: str) -> None:
    while True:
        with suppress(OperationalError):
            if not _scalar(url, "SELECT pg_is_in_recovery()"):
                return
        sleep(0.2)


if __name__ == "__main__":
    sys.exit(main())
