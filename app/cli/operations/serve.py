"""`sceau serve` and `sceau migrate`: from checked settings to a running server."""

from __future__ import annotations

import atexit
import errno
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from multiprocessing.connection import wait
from threading import Thread
from typing import Annotated

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import multiprocess

from app.cli.terminal import (
    ExitCode,
    is_set,
    open_process,
    ready_process,
    say,
    settings,
    show_table,
    stop,
    warn_of_another_address,
    with_progress,
)
from app.container import (
    Migration,
    Process,
    SchemaBusy,
    SchemaState,
    is_empty,
    notes_of,
    restore_problem_of,
    schema_problem_of,
)
from app.http.health import worker_endpoint
from app.http.request_log import TimedHttpProtocol, configure_logging
from app.jobs.worker import work as work_on
from app.language import N_, system_cause
from app.language import gettext as _
from demo.loader import load_demo
from demo.seeder import print_links
from demo.witness import cosign_logs, keep_cosigning

Host = Annotated[
    str | None,
    typer.Option(help=N_("L’adresse sur laquelle le serveur écoute (SCEAU_HOST, sinon 127.0.0.1).")),
]
Port = Annotated[int | None, typer.Option(min=1, max=65535, help=N_("Le port (SCEAU_PORT, sinon 8000)."))]
Workers = Annotated[
    int | None,
    typer.Option(
        min=1, max=64, help=N_("Le nombre de processus ; plusieurs demandent PostgreSQL (SCEAU_WORKERS).")
    ),
]
Demo = Annotated[
    bool,
    typer.Option(
        "--demo",
        help=N_(
            "Prépare la base, y met la démonstration si elle est vide, et affiche des liens de connexion."
        ),
    ),
]
Reload = Annotated[bool, typer.Option("--reload", help=N_("Redémarre quand le code change (développement)."))]

_FOR_OTHERS = 0o077
"""umask of a running service: its files contain personal data and secrets."""
SLOWEST_START = 60
"""Seconds. A worker does not answer while it imports the program: with the server's default timeout of five
seconds, a busy machine would kill each worker before it is ready, and the service would never answer."""


def serve(
    host: Host = None, port: Port = None, workers: Workers = None, demo: Demo = False, reload: Reload = False
) -> None:
    os.umask(_FOR_OTHERS)
    _hand_down(host=host, port=port, workers=workers)
    process = open_process()
    _check_workers(process)
    _check_port(process.settings.host, process.settings.port)
    if problem := restore_problem_of(process) if demo else schema_problem_of(process):
        stop(problem)
    if demo:
        prepare_demo(process)
    warn_of_another_address(process)
    _warn_of_bypassed_policies(process)
    say("Sceau répond sur {url} (Ctrl+C pour arrêter).", style="bold", url=process.settings.base_url)
    if demo:
        print_links(process)
        keep_cosigning(process.settings)
    process.engine.dispose()
    _count_together(process.settings.workers)
    _run(reload=reload)


def _count_together(workers: int) -> None:
    """Several processes count in files of one folder, so that each shows the figures of all."""
    if workers > 1:
        folder = tempfile.mkdtemp(prefix="sceau-metrics-")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


WorkPort = Annotated[
    int | None,
    typer.Option(
        min=0, max=65535, help=N_("Le port de l’état et des mesures (SCEAU_WORK_PORT, sinon aucun).")
    ),
]


def work(host: Host = None, port: WorkPort = None) -> None:
    os.umask(_FOR_OTHERS)
    _hand_down(host=host, work_port=port)
    process = ready_process()
    configure_logging(as_json=process.settings.log_format == "json")
    _warn_of_bypassed_policies(process)
    with _watched(process):
        say("Le travail de fond est en route (Ctrl+C pour arrêter).", style="bold")
        work_on(process)


@contextmanager
def _watched(process: Process) -> Iterator[None]:
    """Answers health checks and metrics meanwhile, where a port is set."""
    settings = process.settings
    if not settings.work_port:
        yield
        return
    _check_port(settings.host, settings.work_port)
    server = uvicorn.Server(
        uvicorn.Config(
            worker_endpoint(process),
            host=settings.host,
            port=settings.work_port,
            server_header=False,
            access_log=False,
            log_config=None,
        )
    )
    thread = Thread(target=server.run, name="sceau-watched", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)


Check = Annotated[
    bool,
    typer.Option(
        "--check", help=N_("Montre les migrations qui attendent, sans rien changer ; le code de fin le dit.")
    ),
]


class CheckCode(IntEnum):
    """What `sceau migrate --check` ends with; ExitCode.UNUSABLE where the database is newer, ExitCode.UNREACHABLE where it is silent."""

    UP_TO_DATE = 0
    ONLINE = 1
    """Migrations wait; the service may go on meanwhile."""
    ANNOUNCED = 2
    """Migrations wait, and one of them needs the service stopped."""


def migrate(check: Check = False) -> None:
    process = open_process()
    if problem := restore_problem_of(process):
        stop(problem)
    state = process.schema_state()
    if state is SchemaState.NEWER:
        stop(schema_problem_of(process))
    if state is SchemaState.SERVING:
        say(notes_of(process)[0])
    elif state is SchemaState.CURRENT:
        say("La base de données est à jour.")
    elif check and is_empty(process.engine):
        say("La base de données est vide : « sceau migrate » la crée. Aucun service n’est à arrêter.")
        raise typer.Exit(CheckCode.ONLINE)
    elif check:
        rolling = process.engine.dialect.name == "postgresql"
        raise typer.Exit(_show_waiting(process.waiting_migrations(), rolling=rolling))
    else:
        try:
            process.migrate()
        except SchemaBusy:
            stop(
                _(
                    "La base de données est occupée par une longue opération : rien n’a été changé. Recommencez après elle."
                ),
                code=ExitCode.REFUSED,
            )
        say("La base de données est prête.", style="green")


def _show_waiting(waiting: Sequence[Migration], *, rolling: bool) -> CheckCode:
    """`rolling`: whether this engine lets a program of the previous version work on a newer schema."""
    on = _("continue") if rolling else _("s’arrête, avec SQLite")
    show_table(
        [_("Migration"), _("Service"), _("Contenu")],
        [[each.revision, on if each.is_online else _(each.reason), each.title] for each in waiting],
    )
    if not waiting:
        say("Les règles de PostgreSQL entre campus sont à refaire : sceau migrate.")
        return CheckCode.ONLINE
    if rolling and all(each.is_online for each in waiting):
        say("Le service peut continuer pendant la mise à jour.", style="green")
        return CheckCode.ONLINE
    say("Arrêtez le service avant la mise à jour, après une sauvegarde.", style="yellow")
    return CheckCode.ANNOUNCED


def prepare_demo(process: Process) -> None:
    """A migrated database with the demo in it, its logs cosigned; existing data stays."""
    if not process.is_ready():
        process.migrate()
    with process.unit_of_work(reading=True) as services:
        has_nothing = not services.campuses.list_all()
    if has_nothing:
        say("Chargement de la démonstration…")
        load_demo(process.settings, progress=lambda events: with_progress(events, _("Démonstration")))
    cosign_logs(process)


def _hand_down(**given: object) -> None:
    """Options become settings: every worker process reads the environment."""
    for name, value in given.items():
        if value is not None:
            os.environ[f"SCEAU_{name.upper()}"] = str(value)
    if is_set("SCEAU_PORT") and not is_set("SCEAU_BASE_URL"):
        os.environ["SCEAU_BASE_URL"] = f"http://localhost:{os.environ['SCEAU_PORT']}"
    if sys.stderr.isatty() and not is_set("SCEAU_LOG_FORMAT"):
        os.environ["SCEAU_LOG_FORMAT"] = "text"


def _check_workers(process: Process) -> None:
    if process.settings.workers > 1 and process.engine.dialect.name == "sqlite":
        stop(
            _(
                "Plusieurs processus demandent PostgreSQL : SQLite n’a qu’un écrivain à la fois. Lancez un seul processus."
            )
        )


def _check_port(host: str, port: int) -> None:
    """Fails before any work is done, with a clear message instead of the server's own error."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            taken = _(
                "Le port {port} est déjà pris, peut-être par un autre Sceau. Arrêtez-le, ou donnez un autre port avec --port."
            )
            unusable = _(
                "{host}, port {port}, ne se laisse pas écouter ({cause}) : corrigez SCEAU_HOST ou SCEAU_PORT."
            )
            sentence = taken if error.errno == errno.EADDRINUSE else unusable
            stop(sentence.format(host=host, port=port, cause=system_cause(error)))


def _warn_of_bypassed_policies(process: Process) -> None:
    if process.bypasses_policies:
        say(
            "Attention : Sceau se connecte à PostgreSQL avec un rôle que rien ne retient. Avec un rôle à part, PostgreSQL sépare lui-même les campus : voir docs/tenant-isolation.md.",
            style="yellow",
        )


class ServerProcess(multiprocess.Process):
    """A server process as its supervisor sees it."""

    has_failed_to_start = False
    """Of any of them: the supervisor stops the others then, and ends as if nothing had happened."""

    def join(self) -> None:
        super().join()
        if self.exitcode == STARTUP_FAILURE:
            ServerProcess.has_failed_to_start = True

    def is_alive(self, timeout: float = 5) -> bool:
        """Returns at once when the process has ended: the supervisor would wait a whole minute for the answer of one
        that was killed meanwhile before it starts another."""
        if not self.process.is_alive():
            return False
        try:
            self.parent_conn.send(b"ping")
            ready = wait([self.parent_conn, self.process.sentinel], timeout)
            if self.parent_conn not in ready:
                return False
            self.parent_conn.recv()
        except (OSError, EOFError):
            return False
        return True


def _run(*, reload: bool) -> None:
    chosen = settings()
    multiprocess.Process = ServerProcess  # type: ignore[misc]
    configure_logging(as_json=chosen.log_format == "json")
    proxies = chosen.forwarded_allow_ips
    uvicorn.run(
        "app.main:served",
        factory=True,
        host=chosen.host,
        port=chosen.port,
        workers=chosen.workers,
        timeout_worker_healthcheck=SLOWEST_START,
        reload=reload,
        reload_dirs=["app", "packages"] if reload else None,
        # Otherwise a client could choose the address that rate limits and logs see, without being a named
        # proxy (T27).
        proxy_headers=bool(proxies),
        forwarded_allow_ips=proxies or None,
        server_header=False,
        access_log=False,
        log_config=None,
        http=TimedHttpProtocol,
    )
    if ServerProcess.has_failed_to_start:
        raise typer.Exit(ExitCode.UNUSABLE)
