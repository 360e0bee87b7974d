"""Record each part of the golden set into a folder of text files."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from unittest.mock import patch

import pypdfium2
from fastapi.testclient import TestClient
from sqlalchemy import inspect, select

from app.cli.__main__ import main as run_command
from app.container import Process
from app.db.engine import session
from app.db.engine.session import open_engine
from app.domain.awards import SignedDocument
from app.domain.people import Role
from app.http.request_scope import policies
from app.main import create_app
from app.settings import Settings
from demo.loader import load_demo
from demo.seeder import CAMPUS, sign_in_link
from tests.golden.randomness import reseed, seeded
from tests.support.app import Letterbox, SettableClock, build_app, send
from tests.support.databases.postgres import database_of_this_run
from tests.support.demo_pages import PUBLIC_PATHS, DemoLinks, links_of

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
BASE_URL = "http://localhost:8000"
LANGUAGES = ("fr", "en")
AWARDS = 200
_UNSTABLE = (
    (re.compile(r'(name="jeton" value=")[^"]+'), r"\1CSRF"),
    (re.compile(r'(nonce=")[^"]+'), r"\1NONCE"),
    (re.compile(r"/static/([\w./-]+)\?v=[0-9a-f]+"), r"/static/\1"),
)


def record(folder: Path) -> None:
    """Every part, into `folder`; an existing recording there is replaced file by file."""
    for part in (record_routes, record_schemas, record_commands, record_demo, record_awards):
        with tempfile.TemporaryDirectory() as work, seeded():
            for name, content in part(Path(work)):
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, "utf-8")


Recorded = Iterator[tuple[str, str]]


def _settings(work: Path) -> Settings:
    (work / "database").mkdir(exist_ok=True)
    return Settings(
        base_url=BASE_URL,
        database_url=f"sqlite:///{work}/database/sceau.sqlite",
        development_dir=work / "secrets",
        fetch=False,
    )


def record_routes(work: Path) -> Recorded:
    application = create_app(_settings(work))
    yield (
        "openapi.json",
        json.dumps(application.openapi(), ensure_ascii=False, indent=1, sort_keys=True) + "\n",
    )
    lines = (
        f"{route}\t{policy.who.name}\t{policy.permission.name if policy.permission else '-'}"
        f"\t{policy.scope.name if policy.scope else '-'}\n"
        for route, policy in sorted(policies(application.routes).items())
    )
    yield "policies.tsv", "".join(lines)


def record_schemas(work: Path) -> Recorded:
    url = _settings(work).database_url
    session.upgrade(url)
    yield "schema-sqlite.txt", _schema(url)
    with database_of_this_run() as postgres:
        if postgres:
            session.upgrade(postgres)
            yield "schema-postgres.txt", _schema(postgres)


def _schema(url: str) -> str:
    engine = open_engine(url)
    looked = inspect(engine)
    lines = []
    for table in sorted(looked.get_table_names()):
        lines.append(f"TABLE {table}")
        lines += [
            f"  {column['name']} {column['type']!r} {'NULL' if column['nullable'] else 'NOT NULL'} {column['default']}"
            for column in looked.get_columns(table)
        ]
        lines.append(f"  PRIMARY KEY {looked.get_pk_constraint(table)['constrained_columns']}")
        for kind, entries in (
            ("FOREIGN KEY", looked.get_foreign_keys(table)),
            ("INDEX", looked.get_indexes(table)),
            ("UNIQUE", looked.get_unique_constraints(table)),
            ("CHECK", looked.get_check_constraints(table)),
        ):
            lines += sorted(f"  {kind} {json.dumps(entry, sort_keys=True, default=str)}" for entry in entries)
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            lines += [
                f"POLICY {row}"
                for row in connection.exec_driver_sql(
                    "SELECT tablename, policyname, cmd, qual, with_check FROM pg_policies ORDER BY 1, 2"
                )
            ]
    engine.dispose()
    return "\n".join(lines) + "\n"


def record_commands(work: Path) -> Recorded:
    with patch.dict(os.environ, {"LC_ALL": "fr_FR.UTF-8", "COLUMNS": "110", "TERM": "dumb"}):
        for path in _command_paths():
            yield f"cli/{'-'.join(path) or 'sceau'}.txt", _typed(*path, "--help")


def _command_paths() -> list[tuple[str, ...]]:
    import typer.main

    from app.cli.__main__ import command_line

    def walk(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield path
        for name, inner in sorted(getattr(command, "commands", {}).items()):
            yield from walk(inner, (*path, name))

    return list(walk(typer.main.get_command(command_line()), ()))


def _typed(*arguments: str) -> str:
    out, code = io.StringIO(), 0
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            run_command(arguments)
        except SystemExit as ended:
            code = int(ended.code or 0)
    return f"{out.getvalue()}exit {code}\n"


def record_demo(work: Path) -> Recorded:
    """Every page a person can reach in the demo, in both languages, the messages it sends and its printed papers."""
    settings, clock, box = _settings(work), SettableClock(NOW), Letterbox()
    session.upgrade(settings.database_url)
    load_demo(settings, now=NOW)
    process = Process(settings, clock=clock, mailer=box)
    links = links_of(process)
    for persona, entry, paths in _personas(links):
        for language in LANGUAGES:
            with TestClient(
                create_app(process=process),
                base_url=BASE_URL,
                headers={"accept": "text/html", "accept-language": language},
                cookies={"langue": language},
                follow_redirects=True,
            ) as client:
                if isinstance(entry, Role):
                    with process.unit_of_work() as services:
                        link = sign_in_link(services, services.campuses.get(CAMPUS), entry)
                    send(client, link)
                for path in paths:
                    reseed(f"{persona} {language} {path}")
                    answer = client.get(path)
                    name = re.sub(r"[^\w.-]+", "_", path.removeprefix(BASE_URL)).strip("_") or "home"
                    yield (
                        f"pages/{persona}/{language}/{name[:110]}.html",
                        _page(answer.status_code, answer.text),
                    )
                    if persona == "learner" and language == "fr":
                        yield "certificate.txt", _pdf_text(client.get(f"{answer.url.path}/badge.pdf").content)
    for envelope in process.post.due():
        process.post.send(envelope)
    for number, letter in enumerate(box.letters):
        yield f"messages/{number:03}.txt", f"To: {letter.to}\nSubject: {letter.subject}\n\n{letter.text}\n"
    process.engine.dispose()


def _personas(links: DemoLinks) -> Iterator[tuple[str, Role | None, tuple[str, ...]]]:
    yield "public", None, (*PUBLIC_PATHS, *links.public)
    yield "learner", None, (links.private,)
    yield "child", None, (links.child,)
    yield "trainer", Role.TRAINER, links.of_staff
    yield "administrator", Role.CAMPUS_ADMIN, links.of_admins
    yield "reviewer", Role.REVIEWER, links.of_reviewers


def _page(status: int, html: str) -> str:
    for pattern, instead in _UNSTABLE:
        html = pattern.sub(instead, html)
    return f"<!-- {status} -->\n{html}\n"


def _pdf_text(content: bytes) -> str:
    if not content.startswith(b"%PDF"):
        return "no PDF\n"
    document = pypdfium2.PdfDocument(content)
    return "\n".join(page.get_textpage().get_text_range() for page in document) + "\n"


def record_awards(work: Path) -> Recorded:
    """Signed with fixed keys: both forms of each award, as stored."""
    url = f"sqlite:///{work}/database/sceau.sqlite"
    (work / "database").mkdir()
    session.upgrade(url)
    app = build_app(url, work)
    names = [f"Prénom{number} Nom{number}" for number in range(AWARDS)]
    result = app.award(*names)
    ids = [line.award_id for line in result.lines]
    with app.owner.connect() as connection:
        signed = {
            row.award_id: (row.embedded.decode(), row.token)
            for row in connection.execute(select(SignedDocument.__table__))
        }
    for number, award_id in enumerate(ids):
        document, token = signed[award_id]
        yield f"awards/{number:03}.txt", f"{document}\n{token}\n"
    app.close()
