"""A client generated from the description of the API compiles, and takes an integrator's program through its day."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path
from shutil import copyfile

import pytest

from tests.api.clients import token
from tests.api.test_openapi import DESCRIPTION
from tests.support.house import build_house
from tests.support.servers.server import serving

pytestmark = pytest.mark.node

HERE = Path(__file__).parent
PROGRAMS = HERE / "node_modules" / ".bin"
STRICT = ("--strict", "--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom", "--skipLibCheck")


def run(folder: Path, program: str, *arguments: str) -> str:
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [program, *arguments], cwd=folder, env=known, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_typescript_client_compiles_and_gives_a_badge(migrated_sqlite: Path, tmp_path: Path):
    if not (PROGRAMS / "openapi-typescript").exists():
        pytest.skip("run `npm ci --prefix tests/interop`")
    folder, database = tmp_path / "client", tmp_path / "database" / "sceau.sqlite"
    folder.mkdir()
    database.parent.mkdir()
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "openapi.json").write_text(json.dumps(DESCRIPTION))
    copyfile(HERE / "journey.ts", folder / "journey.ts")
    generated = ("openapi.json", "-o", "api.d.ts", "--default-non-nullable=false")
    run(folder, str(PROGRAMS / "openapi-typescript"), *generated)
    run(folder, str(PROGRAMS / "tsc"), *STRICT, "journey.ts")
    copyfile(migrated_sqlite, database)
    house = build_house(f"sqlite:///{database}", tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        settings = house.process.settings.model_copy(update={"base_url": address})
        with serving(settings, listener, process=house.process):
            told = run(folder, "node", "journey.js", address, token(house), str(house.presence.badge.id))
    house.close()
    answer = json.loads(told)
    assert answer["verdict"] == "valid"
    assert answer["person"]
    assert answer["award"]
