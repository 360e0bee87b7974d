"""A client generated from the description of the API compiles, and takes an integrator's program through its day."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copyfile

import pytest

from tests.app.api.clients import token
from tests.app.api.every_operation.test_openapi import described, operations
from tests.support.app import build_app
from tests.support.servers.server import serving

HERE = Path(__file__).parent
PROGRAMS = HERE / "node_modules" / ".bin"
GENERATOR = HERE.parents[1] / ".venv" / "client-generator" / "bin"
STRICT = ("--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom", "--skipLibCheck")


def run(folder: Path, program: str, *arguments: str) -> str:
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=known, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving_a_campus(migrated_sqlite: Path, folder: Path) -> Iterator[tuple[str, ...]]:
    """Its address, a token, and a badge."""
    database = folder / "database" / "sceau.sqlite"
    database.parent.mkdir()
    copyfile(migrated_sqlite, database)
    app = build_app(f"sqlite:///{database}", folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = app.process.settings.model_copy(update={"base_url": address})
        with serving(settings, listener, process=app.process):
            yield address, token(app), str(app.presence.badge.id)
    app.close()


def check(result: str) -> None:
    answer = json.loads(result)
    assert answer["verdict"] == "valid"
    assert answer["person"]
    assert answer["award"]


def test_python_client_compiles_and_gives_a_badge(migrated_sqlite: Path, tmp_path: Path):
    if not (GENERATOR / "openapi-python-client").exists():
        pytest.skip("run `make .venv/client-generator/.installed`")
    folder = tmp_path / "python"
    folder.mkdir()
    (folder / "openapi.json").write_text(json.dumps(described()))
    copyfile(HERE / "journey.py", folder / "journey.py")
    generated = ("--path", "openapi.json", "--output-path", "client", "--meta", "none")
    run(folder, str(GENERATOR / "openapi-python-client"), "generate", *generated)
    left_out = {each["operationId"] for _, each in operations()} - {
        module.stem for module in folder.glob("client/api/*/*.py")
    }
    assert left_out == {"import_calendar"}, "the generator knows no text bodies"
    strict = ("--strict", "--ignore-missing-imports", "--config-file=", "--cache-dir", str(tmp_path / "mypy"))
    its_own = ("--python-executable", str(GENERATOR / "python"))
    run(folder, sys.executable, "-m", "mypy", *strict, *its_own, "client", "journey.py")
    with serving_a_campus(migrated_sqlite, tmp_path) as campus:
        check(run(folder, str(GENERATOR / "python"), "journey.py", *campus))


@pytest.mark.node
def test_typescript_client_compiles_and_gives_a_badge(migrated_sqlite: Path, tmp_path: Path):
    if not (PROGRAMS / "openapi-typescript").exists():
        pytest.skip("run `npm ci --prefix tests/interop`")
    folder = tmp_path / "client"
    folder.mkdir()
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "openapi.json").write_text(json.dumps(described()))
    copyfile(HERE / "journey.ts", folder / "journey.ts")
    generated = ("openapi.json", "-o", "api.d.ts", "--default-non-nullable=false")
    run(folder, str(PROGRAMS / "openapi-typescript"), *generated)
    run(folder, str(PROGRAMS / "tsc"), *STRICT, "journey.ts")
    with serving_a_campus(migrated_sqlite, tmp_path) as campus:
        check(run(folder, "node", "journey.js", *campus))
